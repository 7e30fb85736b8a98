/*-------------------------------------------------------------------------
 *
 * link.c
 *	  A socket that carries frames, seen from a backend.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <sys/socket.h>
#include <unistd.h>

#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "portability/instr_time.h"
#include "storage/latch.h"
#include "utils/memutils.h"
#include "utils/wait_event.h"

#include "compat.h"
#include "worker/link.h"

struct IntakeLink
{
	MemoryContext context;
	pgsocket	socket;
	bool		is_closed;
	char	   *buffer;			/* of what has been received */
	size_t		size;
	size_t		start;			/* unread bytes: [start, end) */
	size_t		end;
	StringInfoData out;			/* frames that have not been sent */
	WaitEventSet *events;		/* NULL: nothing was waited for yet */
	int			socket_event;	/* the socket's in it */
};

#define FIRST_SIZE (128 * 1024)

IntakeLink *
intake_link_make(pgsocket socket)
{
	IntakeLink *link = palloc0(sizeof(IntakeLink));

	link->context = CurrentMemoryContext;
	link->socket = socket;
	link->size = FIRST_SIZE;
	link->buffer = palloc(link->size);
	initStringInfo(&link->out);
	return link;
}

pgsocket
intake_link_socket(const IntakeLink *link)
{
	return link->socket;
}

/*
 * Makes room behind the unread bytes, of which no copy is left: they may be
 * the half of a request with its token.
 */
static void
make_room(IntakeLink *link)
{
	size_t		unread = link->end - link->start;

	size_t		size = link->size;
	char	   *buffer = link->buffer;

	if (size - unread < INTAKE_FRAME_BODY)
		size = Min(2 * size, INTAKE_FRAME_HEAD + INTAKE_FRAME_MAX);
	if (size > link->size)
		buffer = MemoryContextAlloc(link->context, size);
	memmove(buffer, link->buffer + link->start, unread);
	if (buffer != link->buffer)
	{
		explicit_bzero(link->buffer, link->end);
		pfree(link->buffer);
	}
	else if (unread > 0 && link->end > unread)
		explicit_bzero(buffer + unread, link->end - unread);
	link->buffer = buffer;
	link->size = size;
	link->start = 0;
	link->end = unread;
}

/* Takes what has arrived; false when there is nothing. */
static bool
take_bytes(IntakeLink *link)
{
	ssize_t		n;

	if (link->start == link->end)
		link->start = link->end = 0;
	if (link->size - link->end < INTAKE_FRAME_BODY)
		make_room(link);
	n = recv(link->socket, link->buffer + link->end, link->size - link->end,
			 MSG_DONTWAIT);
	if (n > 0)
	{
		link->end += n;
		return true;
	}
	if (n == 0 || (errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR))
		link->is_closed = true;
	return false;
}

/* Takes a frame out of the buffer; false when none is complete. */
static bool
take_frame(IntakeLink *link, IntakeFrame *frame)
{
	long		used = intake_frame_read(link->buffer + link->start,
										 link->end - link->start, frame);

	if (used < 0)
		link->is_closed = true;
	if (used <= 0)
		return false;
	link->start += used;
	return true;
}

/* What is left of a timeout. */
static long
time_left(long timeout, const instr_time *begun)
{
	instr_time	now;

	if (timeout <= 0)
		return timeout;
	INSTR_TIME_SET_CURRENT(now);
	INSTR_TIME_SUBTRACT(now, *begun);
	return Max(0, timeout - (long) INSTR_TIME_GET_MILLISEC(now));
}

/* Made once: to make one takes more calls of the kernel than to wait. */
static void
make_events(IntakeLink *link)
{
	link->events = intake_make_wait_set(3);
	AddWaitEventToSet(link->events, WL_LATCH_SET, PGINVALID_SOCKET, MyLatch,
					  NULL);
	AddWaitEventToSet(link->events, WL_EXIT_ON_PM_DEATH, PGINVALID_SOCKET,
					  NULL, NULL);
	link->socket_event = AddWaitEventToSet(link->events, WL_SOCKET_READABLE,
										   link->socket, NULL, NULL);
}

/*
 * Waits for the socket; false when the time is over or, with wakes, the latch
 * was set.
 */
static bool
wait_for(IntakeLink *link, int what, long timeout, bool wakes)
{
	WaitEvent	event;

	if (timeout == 0)
		return false;
	if (link->events == NULL)
		make_events(link);
	ModifyWaitEvent(link->events, link->socket_event, what, NULL);
	if (WaitEventSetWait(link->events, timeout, &event, 1,
						 PG_WAIT_EXTENSION) == 0)
		return false;
	if (event.events & WL_LATCH_SET)
	{
		ResetLatch(MyLatch);
		if (wakes)
			return false;
		CHECK_FOR_INTERRUPTS();
	}
	return true;
}

IntakeLinkEvent
intake_link_receive(IntakeLink *link, IntakeFrame *frame, long timeout,
					bool wakes)
{
	instr_time	begun;

	INSTR_TIME_SET_CURRENT(begun);
	for (;;)
	{
		if (take_frame(link, frame))
			return INTAKE_LINK_FRAME;
		if (link->is_closed)
			return INTAKE_LINK_CLOSED;
		if (take_bytes(link))
			continue;
		if (link->is_closed)
			return INTAKE_LINK_CLOSED;
		if (!wait_for(link, WL_SOCKET_READABLE, time_left(timeout, &begun),
					  wakes))
			return INTAKE_LINK_NOTHING;
	}
}

/*
 * Sends all frames that wait; false when that is not possible.  An error that
 * an interrupt raises here leaves the rest for the next call.
 */
static bool
send_frames(IntakeLink *link, long timeout)
{
	StringInfo	out = &link->out;
	instr_time	begun;

	INSTR_TIME_SET_CURRENT(begun);
	while (out->cursor < out->len)
	{
		ssize_t		n = send(link->socket, out->data + out->cursor,
							 out->len - out->cursor,
							 MSG_DONTWAIT | MSG_NOSIGNAL);

		if (n > 0)
			out->cursor += (int) n;
		else if (n < 0 && errno != EAGAIN && errno != EWOULDBLOCK &&
				 errno != EINTR)
			return false;
		else if (!wait_for(link, WL_SOCKET_WRITEABLE,
						   time_left(timeout, &begun), false))
			return false;
	}
	return true;
}

bool
intake_link_flush(IntakeLink *link, long timeout)
{
	/* half a frame is the end: what follows would be read as its rest */
	if (!link->is_closed && !send_frames(link, timeout))
		link->is_closed = true;
	resetStringInfo(&link->out);
	return !link->is_closed;
}

bool
intake_link_put(IntakeLink *link, char type, const void *payload, size_t len,
				long timeout)
{
	char		head[INTAKE_FRAME_HEAD];

	Assert(len <= INTAKE_FRAME_MAX);
	intake_frame_head(head, type, len);
	/* all or nothing: an error must not leave a head without its payload */
	enlargeStringInfo(&link->out, (int) (sizeof(head) + len));
	appendBinaryStringInfo(&link->out, head, sizeof(head));
	appendBinaryStringInfo(&link->out, payload, (int) len);
	return link->out.len < INTAKE_FRAME_BODY ||
		intake_link_flush(link, timeout);
}

bool
intake_link_send(IntakeLink *link, char type, const void *payload, size_t len,
				 long timeout)
{
	return intake_link_put(link, type, payload, len, timeout) &&
		intake_link_flush(link, timeout);
}

bool
intake_link_is_closed(IntakeLink *link)
{
	char		byte;

	if (!link->is_closed &&
		recv(link->socket, &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 0)
		link->is_closed = true;
	return link->is_closed;
}

void
intake_link_close(IntakeLink *link)
{
	if (link->events != NULL)
		FreeWaitEventSet(link->events);
	closesocket(link->socket);
	pfree(link->buffer);
	pfree(link->out.data);
	pfree(link);
}
