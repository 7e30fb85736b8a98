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

#include "worker/link.h"

typedef struct IntakeAnswer
{
	int			status;
	const char *route;			/* for logs and counters */
	const char *content_type;	/* NULL: there is no body */
	StringInfoData body;
	List	   *headers;		/* of IntakeNamedText */
	int64		rows;			/* written, for counters */
	bool		is_retryable;	/* Retry-After goes with it */
	bool		is_preflight;	/* no answer yet: the body may come */
} IntakeAnswer;

/* An empty answer, in the current memory context. */
extern IntakeAnswer *intake_answer_make(void);

/* Adds a header. */
extern void intake_answer_add_header(IntakeAnswer *answer, const char *name,
									 const char *value);

/* Sends all of it; false when the program has gone. */
extern bool intake_answer_send(const IntakeAnswer *answer, IntakeLink *link);

#endif							/* INTAKE_ANSWER_H */
