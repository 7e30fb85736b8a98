/*-------------------------------------------------------------------------
 *
 * transport.c
 *	  A connected socket, in clear or through TLS: two buffers and events.
 *
 * Invariant: each event's handler ends with at most one call of the owner,
 * as its last act, since the owner may free the transport in it.  What else
 * is due waits for later_event.
 *
 *-------------------------------------------------------------------------
 */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "http/transport.h"

/* Idle connections hold little, fast ones read much at once. */
#define READ_MIN 2048
#define READ_MAX (128 * 1024)

/*
 * How often we look whether a peer whom we do not read from is there, and
 * what we take of one that is not.  libevent's EV_CLOSED would not do: its
 * loop spins when the connection is reset.
 */
#define LOOK_MS 500
#define MAX_REST (8 * 1024 * 1024)

/* of receive() */
#define NOTHING_NOW (-1)
#define FAILED (-2)

/* Lets handle_later() call the owner in this turn of the loop. */
static void
call_later(Transport *transport)
{
	event_active(transport->later_event, 0, 0);
}

static void
set_end(Transport *transport, TransportEnd end)
{
	if (transport->pending_end == TRANSPORT_OPEN)
		transport->pending_end = end;
	call_later(transport);
}

/*
 * Reading
 */

static TransportEnd
name_tls_fault(Transport *transport)
{
	unsigned long fault = ERR_peek_error();

	ERR_clear_error();
	if (!transport->is_handshaking)
		return TRANSPORT_LOST;
	if (ERR_GET_LIB(fault) == ERR_LIB_SSL &&
		ERR_GET_REASON(fault) == SSL_R_HTTP_REQUEST)
		return TRANSPORT_CLEAR_TEXT;
	return TRANSPORT_BAD_TLS;
}

static long
receive_tls(Transport *transport, char *buffer, size_t size)
{
	int			got;

	ERR_clear_error();
	got = SSL_read(transport->ssl, buffer, (int) size);
	if (got > 0)
		return got;
	switch (SSL_get_error(transport->ssl, got))
	{
		case SSL_ERROR_WANT_READ:
			return NOTHING_NOW;
		case SSL_ERROR_WANT_WRITE:
			/* a key update's answer: when it is out we are called again */
			if (!transport->is_writing)
				event_add(transport->write_event, &transport->stall_time);
			transport->is_writing = true;
			return NOTHING_NOW;
		case SSL_ERROR_ZERO_RETURN:
			return 0;
		default:
			set_end(transport, name_tls_fault(transport));
			return FAILED;
	}
}

static long
receive(Transport *transport, char *buffer, size_t size)
{
	ssize_t		got;

	if (transport->ssl != NULL)
		return receive_tls(transport, buffer, size);
	got = recv(transport->fd, buffer, size, 0);
	if (got >= 0)
		return (long) got;
	if (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR)
		return NOTHING_NOW;
	set_end(transport, TRANSPORT_LOST);
	return FAILED;
}

/* One read into the buffer; its size follows what comes. */
static long
receive_piece(Transport *transport)
{
	struct evbuffer_iovec room;
	size_t		size = transport->read_size;
	long		got;

	if (evbuffer_reserve_space(transport->in, (ev_ssize_t) size, &room, 1) < 1)
		abort();
	got = receive(transport, room.iov_base, size);
	room.iov_len = got > 0 ? (size_t) got : 0;
	evbuffer_commit_space(transport->in, &room, 1);
	if (got == (long) size && size < READ_MAX)
		transport->read_size *= 2;
	else if (got < (long) size / 8 && size > READ_MIN)
		transport->read_size /= 2;
	return got;
}

static bool
shake_hands(Transport *transport)
{
	int			result;

	ERR_clear_error();
	result = SSL_do_handshake(transport->ssl);
	if (result == 1)
	{
		transport->is_handshaking = false;
		return true;
	}
	switch (SSL_get_error(transport->ssl, result))
	{
		case SSL_ERROR_WANT_READ:
			break;
		case SSL_ERROR_WANT_WRITE:
			event_add(transport->write_event, &transport->stall_time);
			transport->is_writing = true;
			break;
		case SSL_ERROR_SYSCALL:
			set_end(transport, TRANSPORT_LOST);
			break;
		default:
			set_end(transport, name_tls_fault(transport));
			break;
	}
	return false;
}

/* Tells the owner of what has come; it hears of the end a little later. */
static void
take_received(Transport *transport, size_t total, bool has_eof)
{
	transport->bytes_in += total;
	if (has_eof)
	{
		transport->has_eof = true;
		event_del(transport->read_event);
		set_end(transport, TRANSPORT_EOF);
	}
	if (total > 0)
		transport->routine->input(transport->owner);
}

static void
handle_read(evutil_socket_t fd, short what, void *arg)
{
	Transport  *transport = arg;
	size_t		total = 0;
	long		got = 0;

	if (transport->is_paused || transport->has_eof ||
		transport->pending_end != TRANSPORT_OPEN ||
		(transport->is_handshaking && !shake_hands(transport)))
		return;
	/* a socket with more is reported again; what TLS holds is not */
	do
	{
		got = receive_piece(transport);
		total += got > 0 ? (size_t) got : 0;
	} while (got > 0 && transport->ssl != NULL &&
			 (total < READ_MAX || SSL_pending(transport->ssl) > 0));
	take_received(transport, total, got == 0);
}

/*
 * Peers that hang up while they are not read from
 */

static void
look_later(Transport *transport)
{
	struct timeval time = {0, LOOK_MS * 1000};

	if (!transport->is_looking)
		event_add(transport->look_event, &time);
	transport->is_looking = true;
}

/* Will no more come, and is what has come no more than we can take? */
static bool
has_hung_up(const Transport *transport)
{
	struct tcp_info info;
	socklen_t	len = sizeof(info);
	int			rest = 0;

	return getsockopt(transport->fd, IPPROTO_TCP, TCP_INFO, &info,
					  &len) == 0 &&
		(info.tcpi_state == TCP_CLOSE_WAIT || info.tcpi_state == TCP_CLOSE) &&
		ioctl(transport->fd, FIONREAD, &rest) == 0 && rest <= MAX_REST;
}

static void
handle_look(evutil_socket_t fd, short what, void *arg)
{
	Transport  *transport = arg;
	size_t		total = 0;
	long		got;

	transport->is_looking = false;
	if (!transport->is_paused || transport->has_eof ||
		transport->is_handshaking || transport->pending_end != TRANSPORT_OPEN)
		return;
	if (!has_hung_up(transport))
	{
		look_later(transport);
		return;
	}
	while ((got = receive_piece(transport)) > 0)
		total += (size_t) got;
	if (got == NOTHING_NOW)
		look_later(transport);
	take_received(transport, total, got == 0);
}

/*
 * Writing
 */

static long
send_tls(Transport *transport)
{
	struct evbuffer_iovec piece;
	int			sent;

	if (evbuffer_peek(transport->out, 16384, NULL, &piece, 1) < 1)
		return 0;
	if (piece.iov_len > 16384)
		piece.iov_len = 16384;
	ERR_clear_error();
	sent = SSL_write(transport->ssl, piece.iov_base, (int) piece.iov_len);
	if (sent > 0)
	{
		evbuffer_drain(transport->out, (size_t) sent);
		return sent;
	}
	switch (SSL_get_error(transport->ssl, sent))
	{
		case SSL_ERROR_WANT_READ:
		case SSL_ERROR_WANT_WRITE:
			return NOTHING_NOW;
		default:
			ERR_clear_error();
			return FAILED;
	}
}

static long
send_clear(Transport *transport)
{
	int			sent = evbuffer_write(transport->out, transport->fd);

	if (sent >= 0)
		return sent;
	if (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR)
		return NOTHING_NOW;
	return FAILED;
}

static void
shut_down(Transport *transport)
{
	transport->is_shut = true;
	if (transport->ssl != NULL)
	{
		ERR_clear_error();
		SSL_shutdown(transport->ssl);
		ERR_clear_error();
	}
	shutdown(transport->fd, SHUT_WR);
}

/* Sends what the socket takes.  False when the connection is lost. */
static bool
send_out(Transport *transport)
{
	long		sent = 0;

	while (evbuffer_get_length(transport->out) > 0)
	{
		sent = transport->ssl != NULL ? send_tls(transport) :
			send_clear(transport);
		if (sent <= 0)
			break;
		transport->bytes_out += (uint64_t) sent;
	}
	return sent != FAILED;
}

/*
 * Sends, and waits for the socket when not all went.  True when the owner is
 * to be told that there is room.
 */
static bool
write_out(Transport *transport)
{
	bool		was_high = transport->is_high;
	size_t		left;

	if (transport->fd < 0 || transport->is_handshaking ||
		transport->pending_end == TRANSPORT_LOST)
		return false;
	if (!send_out(transport))
	{
		evbuffer_drain(transport->out, evbuffer_get_length(transport->out));
		transport->pending_end = TRANSPORT_LOST;
		call_later(transport);
		return false;
	}
	left = evbuffer_get_length(transport->out);
	if (left > 0)
		event_add(transport->write_event, &transport->stall_time);
	else if (transport->is_finished && !transport->is_shut)
		shut_down(transport);
	transport->is_writing = left > 0;
	transport->is_high = left > TRANSPORT_LOW_WATER;
	return was_high && !transport->is_high;
}

static void
handle_write(evutil_socket_t fd, short what, void *arg)
{
	Transport  *transport = arg;

	transport->is_writing = false;
	if (what & EV_TIMEOUT)
	{
		set_end(transport, TRANSPORT_STALLED);
		return;
	}
	if (transport->is_handshaking && !shake_hands(transport))
		return;
	if (transport->ssl != NULL && !transport->is_paused)
		event_active(transport->read_event, EV_READ, 0);
	if (write_out(transport) && transport->routine->drained != NULL)
		transport->routine->drained(transport->owner);
}

/* What other handlers left to be done at the end of their turn. */
static void
handle_later(evutil_socket_t fd, short what, void *arg)
{
	Transport  *transport = arg;
	TransportEnd end = transport->pending_end;

	if (end != TRANSPORT_OPEN)
	{
		/* an end of file is told once; what is to be sent still goes */
		if (end == TRANSPORT_EOF)
		{
			transport->pending_end = TRANSPORT_OPEN;
			if (evbuffer_get_length(transport->out) > 0)
				call_later(transport);
		}
		transport->routine->ended(transport->owner, end);
	}
	else if (!transport->is_writing && write_out(transport) &&
			 transport->routine->drained != NULL)
		transport->routine->drained(transport->owner);
}

/*
 * For the owner
 */

static struct event *
make_event(struct event_base *base, int fd, short what,
		   event_callback_fn handler, Transport *transport)
{
	struct event *event = event_new(base, fd, what, handler, transport);

	if (event == NULL)
		abort();
	return event;
}

Transport *
intake_transport_new(struct event_base *base, int fd, SSL *ssl,
					 int64_t stall_ms, const TransportRoutine *routine,
					 void *owner)
{
	Transport  *transport = calloc(1, sizeof(Transport));

	if (transport == NULL ||
		(transport->in = evbuffer_new()) == NULL ||
		(transport->out = evbuffer_new()) == NULL)
		abort();
	transport->fd = fd;
	transport->ssl = ssl;
	transport->is_handshaking = ssl != NULL;
	transport->routine = routine;
	transport->owner = owner;
	transport->read_size = READ_MIN;
	if (stall_ms <= 0)
		stall_ms = INT64_C(1) << 40;
	transport->stall_time.tv_sec = stall_ms / 1000;
	transport->stall_time.tv_usec = stall_ms % 1000 * 1000;
	transport->later_event = make_event(base, -1, 0, handle_later, transport);
	transport->look_event = make_event(base, -1, 0, handle_look, transport);
	transport->read_event = make_event(base, fd, EV_READ | EV_PERSIST,
									   handle_read, transport);
	transport->write_event = make_event(base, fd, EV_WRITE, handle_write,
										transport);
	if (fd >= 0)
		event_add(transport->read_event, NULL);
	return transport;
}

void
intake_transport_free(Transport *transport)
{
	if (transport == NULL)
		return;
	event_free(transport->read_event);
	event_free(transport->write_event);
	event_free(transport->later_event);
	event_free(transport->look_event);
	evbuffer_free(transport->in);
	evbuffer_free(transport->out);
	if (transport->ssl != NULL)
		SSL_free(transport->ssl);
	if (transport->fd >= 0)
		close(transport->fd);
	free(transport);
}

void
intake_transport_flush(Transport *transport)
{
	if (evbuffer_get_length(transport->out) > TRANSPORT_LOW_WATER)
		transport->is_high = true;
	if (!transport->is_writing)
		call_later(transport);
}

void
intake_transport_pause(Transport *transport, bool is_paused)
{
	if (transport->is_paused == is_paused)
		return;
	transport->is_paused = is_paused;
	if (transport->fd < 0)
		return;
	if (is_paused)
	{
		event_del(transport->read_event);
		look_later(transport);
	}
	else if (!transport->has_eof &&
			 transport->pending_end == TRANSPORT_OPEN)
	{
		event_add(transport->read_event, NULL);
		if (transport->ssl != NULL)
			event_active(transport->read_event, EV_READ, 0);
	}
}

void
intake_transport_finish(Transport *transport)
{
	transport->is_finished = true;
	intake_transport_flush(transport);
}

void
intake_transport_feed(Transport *transport, const char *text, size_t len)
{
	if (evbuffer_add(transport->in, text, len) != 0)
		abort();
	transport->routine->input(transport->owner);
}

void
intake_transport_take(Transport *transport)
{
	bool		was_high = transport->is_high;

	evbuffer_drain(transport->out, evbuffer_get_length(transport->out));
	transport->is_high = false;
	if (was_high && transport->routine->drained != NULL)
		transport->routine->drained(transport->owner);
}
