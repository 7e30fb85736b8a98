/*-------------------------------------------------------------------------
 *
 * request.h
 *	  A request's life, from its head to the end of its answer.
 *
 * The protocols make it and feed it; it calls back through StreamRoutine and
 * knows nothing of them.  A request is answered here (health, metrics, what
 * is refused) or by a loader, in one or two visits:
 *
 *		head --> [preflight --> 100 Continue] --> body --> answer
 *
 * The preflight, in which a loader checks the head, is for clients that wait
 * for "100 Continue" and for slow bodies.  The second visit begins when the
 * body is complete or 64 kB of it are there, so that a slow client holds no
 * loader; see loader_pool.h for the exception.
 *
 * A body that breaks off is handed over all the same, so that the operation
 * is recorded; the request then lives on without its stream.
 *
 *-------------------------------------------------------------------------
 */
#ifndef INTAKE_HTTP_REQUEST_H
#define INTAKE_HTTP_REQUEST_H

#ifdef POSTGRES_H
#error "the HTTP program knows nothing of PostgreSQL"
#endif

#include <event2/buffer.h>
#include <stdbool.h>
#include <stddef.h>

#include "http/answer.h"
#include "http/head.h"
#include "http/server.h"

typedef struct Request Request;

/*
 * What the protocol does for us.  None of them may call back.  After
 * send_end or reset nothing more is sent.
 */
typedef struct StreamRoutine
{
	void		(*send_continue) (void *stream);
	void		(*send_head) (void *stream, const Answer *answer);

	/* Returns how many bytes wait for the client. */
	size_t		(*send_data) (void *stream, const char *data, size_t len);
	void		(*send_end) (void *stream, const Answer *trailers);

	/* Ends without a proper end. */
	void		(*reset) (void *stream);

	/* So many bytes of the body were passed on. */
	void		(*took) (void *stream, size_t n);

	/* Too much waits here: give us no more, or again. */
	void		(*pause) (void *stream, bool is_paused);
} StreamRoutine;

typedef struct Peer
{
	char		address[64];	/* with the port */
	bool		is_tls;
} Peer;

/* Takes the head, which has been checked. */
extern Request *intake_request_new(Server *server, Head *head, bool has_body,
								   const Peer *peer,
								   const StreamRoutine *routine, void *stream);

/* The stream is ready for the answer. */
extern void intake_request_start(Request *request);

/* Takes n bytes of the body from the buffer's front. */
extern void intake_request_body(Request *request, struct evbuffer *from,
								size_t n);

/* The body has come to its proper end. */
extern void intake_request_end_body(Request *request);

/*
 * The body cannot go on: because the client went away (is_disconnect), or
 * did something that the status tells.
 */
extern void intake_request_fail_body(Request *request, int status,
									 const char *why, bool is_disconnect);

/* The client has taken what was sent. */
extern void intake_request_drained(Request *request);

/* The stream is gone; the protocol forgets the request. */
extern void intake_request_leave(Request *request);

/* Counts and logs a request that never had a head we could read. */
extern void intake_request_count_bad(Server *server, const Peer *peer,
									 int status, const char *why);

/*
 * The same when there is an answer, which gets an id; of the head, which may
 * be NULL, as much as was read.
 */
extern void intake_request_refuse_bad(Server *server, const Peer *peer,
									  const Head *head, Answer *answer,
									  const char *why);

#endif							/* INTAKE_HTTP_REQUEST_H */
