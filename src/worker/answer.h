/*-------------------------------------------------------------------------
 *
 * answer.h
 *	  The answer to an HTTP request.
 *
 *-------------------------------------------------------------------------
 */
#ifndef INTAKE_ANSWER_H
#define INTAKE_ANSWER_H

#include "lib/stringinfo.h"
#include "nodes/pg_list.h"

#include "worker/link.h"

typedef struct IntakeAnswer
{
	IntakeLink *link;			/* where it goes */
	bool		has_begun;		/* its head is out, with status 200 */
	int			status;
	const char *route;			/* for logs and counters */
	const char *content_type;	/* NULL: there is no body */
	StringInfoData body;
	List	   *headers;		/* of IntakeNamedText */
	List	   *lasting_headers;	/* of the answer to a failure, too */
	int64		rows;			/* written, for counters */
	bool		is_retryable;	/* Retry-After goes with it */
	bool		is_logged;		/* as a failure; the program need not */
	bool		is_preflight;	/* no answer yet: the body may come */
} IntakeAnswer;

/* An empty answer, in the current memory context. */
extern IntakeAnswer *intake_answer_make(IntakeLink *link);

/* Adds a header. */
extern void intake_answer_add_header(IntakeAnswer *answer, const char *name,
									 const char *value);

/*
 * Sends a piece of the body before the rest is known, in the database's
 * encoding; the first one is preceded by the head, whose status is 200
 * whatever follows.  Does nothing when the program has gone.
 */
extern void intake_answer_stream(IntakeAnswer *answer, const char *text);

/*
 * Sends all of it, or what is left; the status of an answer that has begun
 * goes into trailer x-intake-status.  False when the program has gone.
 */
extern bool intake_answer_send(IntakeAnswer *answer);

#endif							/* INTAKE_ANSWER_H */
