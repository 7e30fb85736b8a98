/*-------------------------------------------------------------------------
 *
 * request_state.h
 *	  The inside of a request, for request.c, visit.c and own_route.c only.
 *
 *-------------------------------------------------------------------------
 */
#ifndef INTAKE_HTTP_REQUEST_STATE_H
#define INTAKE_HTTP_REQUEST_STATE_H

#ifdef POSTGRES_H
#error "the HTTP program knows nothing of PostgreSQL"
#endif

#include "http/body.h"
#include "http/request.h"

/* A body is worth a loader when so much of it is there. */
#define REQUEST_FULL (64 * 1024)

#define REQUEST_MAX_ID 128
#define REQUEST_MAX_ROUTE 24

struct Request
{
	Server	   *server;
	Head	   *head;
	Peer		peer;
	char		id[REQUEST_MAX_ID + 1];
	const StreamRoutine *routine;
	void	   *stream;			/* NULL: the client's side is over */
	Visitor		visitor;

	/* the body */
	bool		has_body;
	Body		body;
	bool		wants_preflight;
	bool		is_accepted;	/* a preflight went well */
	bool		is_paused;		/* the protocol gives us nothing */
	size_t		counted;		/* our part of server->waiting_bytes */

	/* how it broke, when it did */
	bool		is_broken;
	bool		is_disconnect;
	int			break_status;
	const char *break_reason;

	/* the visit */
	bool		is_preflight;
	bool		is_loading;
	bool		has_sent_end;	/* of the body, proper or not */

	/* the answer */
	bool		has_head;
	bool		is_answered;
	bool		is_logged;		/* its loader has logged how it failed */
	int			status;
	char		route[REQUEST_MAX_ROUTE];
	uint64_t	rows;

	/* times, in ms */
	struct event *timer;
	int64_t		began;
	int64_t		heard;			/* the last byte of the body */
	int64_t		rate_began;
	int64_t		rate_bytes;		/* raw_bytes at that time */
};

/* Queues for a loader, or not, as the state of things is. */
extern void intake_request_choose(Request *request);

/* Does the server take no such request now?  Then it has been refused. */
extern bool intake_request_is_hindered(Request *request);

/* Answers with a failure; retry_after in seconds, or -1. */
extern void intake_request_refuse(Request *request, int status,
								  const char *detail, int retry_after);

/* Sends an answer of our own; the body is drained. */
extern void intake_request_answer(Request *request, Answer *answer,
								  struct evbuffer *body);

/* The answer is complete, or will never be. */
extern void intake_request_finish(Request *request);

/* Frees it when nobody needs it any more. */
extern void intake_request_release(Request *request);

/* Is all of the body, or enough of it, here? */
extern bool intake_request_is_full(const Request *request);

/* Hands on what is there of the body (visit.c). */
extern void intake_visit_feed(Request *request);
extern const VisitRoutine intake_visit_routine;

/* Answers health and metrics; false when the path is neither. */
extern bool intake_own_route(Request *request);

#endif							/* INTAKE_HTTP_REQUEST_STATE_H */
