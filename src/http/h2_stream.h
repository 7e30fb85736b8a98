/*-------------------------------------------------------------------------
 *
 * h2_stream.h
 *	  One stream of HTTP/2: a request's head as it comes, its answer as it
 *	  goes.  For h2.c and h2_stream.c.
 *
 *-------------------------------------------------------------------------
 */
#ifndef INTAKE_HTTP_H2_STREAM_H
#define INTAKE_HTTP_H2_STREAM_H

#ifdef POSTGRES_H
#error "the HTTP program knows nothing of PostgreSQL"
#endif

#include <nghttp2/nghttp2.h>

#include "http/client.h"
#include "http/limits.h"

typedef struct H2Stream H2Stream;

typedef struct H2
{
	Client	   *client;
	nghttp2_session *session;
	struct evbuffer *scratch;	/* a piece of a body on its way */
	TAILQ_HEAD(H2StreamList, H2Stream) streams;
	Bucket		frames;			/* that do no work */
	Bucket		resets;
	uint8_t		frame_head[9];	/* the first bytes of a frame's head */
	size_t		nframe_head;
	size_t		nskip;			/* bytes up to the next frame's head */
	int64_t		heard;			/* ms */
	int			nstreams;
	size_t		unread;			/* of its answers, as last accounted */
	bool		has_eof;
	bool		is_flooded;
	bool		is_told;		/* why the connection ends is logged */
} H2;

struct H2Stream
{
	H2		   *h2;
	int32_t		id;
	Head	   *head;			/* until it is complete */
	int			status;			/* of a head that is refused; 0: none */
	int64_t		head_began;
	Request    *request;
	struct evbuffer *out;
	Answer		trailers;
	bool		has_head;
	bool		has_end;		/* of the answer, all of it is in out */
	bool		is_read;		/* the client sends no more */
	bool		is_widened;
	int64_t		moved;			/* ms: when some of out last went */
	int64_t		end_sent;		/* ms; 0: the answer is not out */
	size_t		dropped;		/* behind the answer */
	TAILQ_ENTRY(H2Stream) link;
};

extern H2Stream *intake_h2_stream_new(H2 *h2, int32_t id);
extern void intake_h2_stream_free(H2Stream *stream);

/* Takes a field of the head, pseudo or not; keeps the first fault. */
extern void intake_h2_stream_add(H2Stream *stream, const uint8_t *name,
								 size_t name_len, const uint8_t *value,
								 size_t value_len);

/* The head is complete: the request begins. */
extern void intake_h2_stream_begin(H2Stream *stream, bool has_body);

/* A piece of the body. */
extern void intake_h2_stream_take(H2Stream *stream, const uint8_t *data,
								  size_t len);

/* Counts what of its answers a client has not read, for the server's sum. */
extern void intake_h2_account(H2 *h2);

/* Answers that nobody reads, clients that go on behind theirs: not for ever. */
extern void intake_h2_stream_watch(H2Stream *stream, int64_t now);

#endif							/* INTAKE_HTTP_H2_STREAM_H */
