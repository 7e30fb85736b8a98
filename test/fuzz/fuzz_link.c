/*-------------------------------------------------------------------------
 *
 * fuzz_link.c
 *	  A loader's end of its socket: frames that arrive in any pieces are the
 *	  frames that were sent, up to the first that is none.
 *
 * The input is a script, since frames are larger than inputs: each four bytes
 * are a frame of some length and type, or four bytes as they are.
 *
 *-------------------------------------------------------------------------
 */
#include "stub_server.h"

#include <sys/socket.h>
#include <unistd.h>

#include "storage/latch.h"

#include "worker/link.h"

#include "fuzz.h"

#define MAX_STREAM (3 * 1024 * 1024)

typedef struct Stream
{
	char	   *bytes;
	size_t		len;
	size_t		sent;
	size_t		read;			/* in whole frames */
	uint32_t	random;
} Stream;

struct Latch *MyLatch = NULL;

MemoryContext TopMemoryContext = NULL;

/* Nobody waits: every call says so. */
#if PG_VERSION_NUM >= 170000
WaitEventSet *
CreateWaitEventSet(ResourceOwner owner, int nevents)
{
	abort();
}
#else
WaitEventSet *
CreateWaitEventSet(MemoryContext context, int nevents)
{
	abort();
}
#endif

int
AddWaitEventToSet(WaitEventSet *set, uint32 events, pgsocket socket,
				  Latch *latch, void *user_data)
{
	abort();
}

void
ModifyWaitEvent(WaitEventSet *set, int position, uint32 events, Latch *latch)
{
	abort();
}

int
WaitEventSetWait(WaitEventSet *set, long timeout, WaitEvent *events,
				 int nevents, uint32 wait_event_info)
{
	abort();
}

void
FreeWaitEventSet(WaitEventSet *set)
{
	abort();
}

void
ResetLatch(Latch *latch)
{
	abort();
}

/* What the script wants sent. */
static void
write_stream(Stream *stream, const uint8_t *data, size_t len)
{
	for (; len >= 4 && stream->len < MAX_STREAM - INTAKE_FRAME_MAX - 5;
		 data += 4, len -= 4)
	{
		size_t		size = data[2] + 256u * data[3];
		char	   *at = stream->bytes + stream->len;

		if (data[0] >= 0xF0)
		{
			memcpy(at, data, 4);
			stream->len += 4;
			continue;
		}
		if (data[0] % 16 == 0)
			size = Min(size * 17, INTAKE_FRAME_MAX);
		else if (data[0] % 4 != 0)
			size %= 300;
		intake_frame_head(at, data[1], size);
		memset(at + INTAKE_FRAME_HEAD, data[0] + data[1], size);
		stream->len += INTAKE_FRAME_HEAD + size;
	}
}

/* Some of what is left, of the length that the script's numbers give. */
static void
send_piece(Stream *stream, int fd)
{
	size_t		most = fuzz_random(&stream->random) % 4 == 0 ? 12 : 200000;
	size_t		n = 1 + fuzz_random(&stream->random) % most;
	ssize_t		sent;

	n = Min(n, stream->len - stream->sent);
	sent = send(fd, stream->bytes + stream->sent, n, MSG_DONTWAIT);
	if (sent > 0)
		stream->sent += sent;
}

/* Takes what has come.  True when the link is at its end. */
static bool
receive_frames(Stream *stream, IntakeLink *link)
{
	IntakeLinkEvent event;
	IntakeFrame frame;
	IntakeFrame expected;
	long		used;

	while ((event = intake_link_receive(link, &frame, 0,
										false)) == INTAKE_LINK_FRAME)
	{
		used = intake_frame_read(stream->bytes + stream->read,
								 stream->sent - stream->read, &expected);
		FUZZ_CHECK(used > 0);
		FUZZ_CHECK(frame.type == expected.type && frame.len == expected.len);
		FUZZ_CHECK(memcmp(frame.payload, expected.payload, frame.len) == 0);
		stream->read += used;
	}
	return event == INTAKE_LINK_CLOSED;
}

static void
play(void *arg)
{
	Stream	   *stream = arg;
	IntakeFrame frame;
	IntakeLink *link;
	bool		is_closed = false;
	int			ends[2];
	long		left;

	FUZZ_CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0);
	link = intake_link_make(ends[0]);
	while (!is_closed && stream->sent < stream->len)
	{
		send_piece(stream, ends[1]);
		is_closed = receive_frames(stream, link);
	}
	left = intake_frame_read(stream->bytes + stream->read,
							 stream->sent - stream->read, &frame);
	FUZZ_CHECK(is_closed == (left < 0));
	close(ends[1]);
	FUZZ_CHECK(receive_frames(stream, link) && left <= 0);
	FUZZ_CHECK(intake_link_is_closed(link));
	intake_link_close(link);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static char bytes[MAX_STREAM];
	Stream		stream = {bytes, 0, 0, 0, 1};

	if (len < 2)
		return 0;
	stream.random += data[0] + 256 * data[1];
	write_stream(&stream, data + 2, len - 2);
	FUZZ_CHECK(stub_run(play, &stream) == 0);
	return 0;
}
