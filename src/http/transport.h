/*-------------------------------------------------------------------------
 *
 * transport.h
 *	  A connected socket, in clear or through TLS: two buffers and events.
 *
 * Bytes that come are appended to `in`; what is appended to `out` is sent
 * after intake_transport_flush().  Callbacks come from the event loop only,
 * never from inside a call to this module, one at a time; a callback may free
 * the transport.
 *
 * A peer that hangs up while we read nothing from it is noticed all the same,
 * a little later.  What it had sent is read then, for it is no more than a
 * socket holds: its owner gets input, and hears of the end, in spite of the
 * pause.
 *
 * Why no bufferevent: libevent 2.1's read 4 kB at a time, and cannot tell a
 * half-closed connection from a dead one through TLS.
 *
 *-------------------------------------------------------------------------
 */
#ifndef INTAKE_HTTP_TRANSPORT_H
#define INTAKE_HTTP_TRANSPORT_H

#ifdef POSTGRES_H
#error "the HTTP program knows nothing of PostgreSQL"
#endif

#include <event2/buffer.h>
#include <event2/event.h>
#include <openssl/ssl.h>
#include <stdbool.h>
#include <stdint.h>

/* `drained` is called when `out` has fallen to this. */
#define TRANSPORT_LOW_WATER (64 * 1024)

typedef enum TransportEnd
{
	TRANSPORT_OPEN,
	TRANSPORT_EOF,				/* the peer sends no more; it may still read */
	TRANSPORT_LOST,				/* nothing can be sent either */
	TRANSPORT_STALLED,			/* the peer reads nothing */
	TRANSPORT_BAD_TLS,			/* no handshake */
	TRANSPORT_CLEAR_TEXT		/* HTTP in clear where TLS is spoken */
} TransportEnd;

typedef struct TransportRoutine
{
	void		(*input) (void *owner);
	void		(*drained) (void *owner);	/* may be NULL */
	void		(*ended) (void *owner, TransportEnd end);
} TransportRoutine;

typedef struct Transport
{
	struct evbuffer *in;
	struct evbuffer *out;
	uint64_t	bytes_in;
	uint64_t	bytes_out;
	bool		is_finished;	/* our side is shut down, or will be */
	bool		has_eof;		/* the peer's side is */

	/* private */
	const TransportRoutine *routine;
	void	   *owner;
	int			fd;				/* -1: a fuzzer's, fed by hand */
	SSL		   *ssl;			/* NULL: in clear */
	struct event *read_event;
	struct event *write_event;
	struct event *later_event;
	struct event *look_event;
	struct timeval stall_time;
	TransportEnd pending_end;
	size_t		read_size;
	bool		is_paused;
	bool		is_looking;		/* look_event waits */
	bool		is_writing;		/* write_event waits */
	bool		is_high;		/* drained is due */
	bool		is_handshaking;
	bool		is_shut;
} Transport;

/*
 * Takes a connected, non-blocking descriptor, and the SSL object when there
 * is one.  A peer that reads nothing for stall_ms has ended; 0: it may.
 */
extern Transport *intake_transport_new(struct event_base *base, int fd,
									   SSL *ssl, int64_t stall_ms,
									   const TransportRoutine *routine,
									   void *owner);
extern void intake_transport_free(Transport *transport);

/* Sends `out` in this turn of the loop, or when the socket takes it. */
extern void intake_transport_flush(Transport *transport);

/* Reads no more, or again; see above for a peer that hangs up. */
extern void intake_transport_pause(Transport *transport, bool is_paused);

/* Shuts our side down when all of `out` is sent. */
extern void intake_transport_finish(Transport *transport);

/* For tests without sockets: these bytes have come, what is in out has gone. */
extern void intake_transport_feed(Transport *transport, const char *text,
								  size_t len);
extern void intake_transport_take(Transport *transport);

#endif							/* INTAKE_HTTP_TRANSPORT_H */
