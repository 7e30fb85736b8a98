/*-------------------------------------------------------------------------
 *
 * answer.h
 *	  The head of an answer, and the bodies of those that we give ourselves.
 *
 *-------------------------------------------------------------------------
 */
#ifndef INTAKE_HTTP_ANSWER_H
#define INTAKE_HTTP_ANSWER_H

#ifdef POSTGRES_H
#error "the HTTP program knows nothing of PostgreSQL"
#endif

#include <event2/buffer.h>
#include <jansson.h>
#include <stdbool.h>

#include "http/head.h"

#define ANSWER_MAX_FIELDS 40

typedef struct Answer
{
	int			status;
	Field		fields[ANSWER_MAX_FIELDS];
	size_t		nfields;
	bool		has_length;		/* Content-Length is among them */
	bool		is_bodiless;	/* HEAD, 204, 304 */
} Answer;

extern void intake_answer_init(Answer *answer, int status);
extern void intake_answer_clear(Answer *answer);

/*
 * Adds a field; the name becomes lower case.  One that is malformed, or is
 * the protocol's own business, is left out.
 */
extern void intake_answer_add(Answer *answer, const char *name,
							  const char *value);
extern void intake_answer_add_number(Answer *answer, const char *name,
									 long long value);

/* Adds the fields of [["name", "value"], ...]. */
extern void intake_answer_add_list(Answer *answer, const json_t *list);

extern const char *intake_answer_get(const Answer *answer, const char *name);

/* The usual words for a status. */
extern const char *intake_answer_phrase(int status);

/* "Sun, 06 Nov 1994 08:49:37 GMT", now. */
extern const char *intake_answer_date(void);

/*
 * Writes the body of a failure and adds Content-Type and Content-Length: in
 * Prostore's form for its paths, in the partner API's for its own, else a
 * problem of RFC 9457; these two with x-request-id, if that was added.  path
 * may be NULL; the detail is a sentence or NULL.
 */
extern void intake_answer_problem(Answer *answer, struct evbuffer *body,
								  const char *path, const char *detail);

#endif							/* INTAKE_HTTP_ANSWER_H */
