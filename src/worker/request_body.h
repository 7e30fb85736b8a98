/*-------------------------------------------------------------------------
 *
 * request_body.h
 *	  The body of an HTTP request as a payload.
 *
 *-------------------------------------------------------------------------
 */
#ifndef INTAKE_REQUEST_BODY_H
#define INTAKE_REQUEST_BODY_H

#include "portability/instr_time.h"
#include "source/source.h"
#include "worker/request_digest.h"

typedef struct IntakeBody
{
	MemoryContext context;
	IntakeLink *link;
	IntakeSource *source;		/* that reads it; or NULL */
	int			level;			/* of transactions, of the handler's snapshot */
	IntakeFrame frame;			/* the piece at hand */
	size_t		used;			/* so many of its bytes have been read */
	bool		is_ended;
	bool		may_be_cut;		/* what came before a disconnect counts */
	bool		is_cut;			/* there was one */
	const char *cut_reason;		/* its reason, NULL without one */
	Jsonb	   *end;			/* what the program said at the end */
	IntakeRequestDigest *digest;	/* to be checked; NULL: none */

	instr_time	waited;			/* for more of it */

	/* what tells a body that lost its line ends (curl -d) */
	uint64		received;
	bool		has_line_end;
	bool		has_joint;		/* "][", "}{" and the like */
	char		last;			/* byte */
	unsigned char first[4];		/* bytes */

	/* called before the reader waits for more of the body */
	void		(*on_pause) (void *argument);
	void	   *argument;
} IntakeBody;

/*
 * The body, in the current memory context; its digest headers are read, and
 * one that makes it a part is refused.  Nothing of the body is read.  The
 * active snapshot is the caller's, who does not mind another one after a wait
 * for the client.
 */
extern IntakeBody *intake_body_open(const IntakeHttpRequest *request);

/*
 * The body as a stream of bytes.  Reading raises IN4xx when the body breaks
 * before its end.
 */
extern IntakeSource *intake_body_source(IntakeBody *body);

/*
 * All of the body, as it came, and a NUL.  Raises IN413 when it is longer
 * than limit.
 */
extern char *intake_body_read_bytes(IntakeBody *body, size_t limit,
									size_t *len);

/*
 * All of the body, as text of the database's encoding.  Raises IN413 when it
 * is longer than limit.
 */
extern char *intake_body_read_text(IntakeBody *body, size_t limit);

/*
 * To be called before the commit, when the body has been read: raises an
 * error when it is not the one that was announced, or when nobody waits for
 * the answer any more.
 */
extern void intake_body_check(IntakeBody *body);

/* Whether several records have come without their line ends. */
extern bool intake_body_is_flattened(const IntakeBody *body, bool is_ndjson);

/* Whether the payload begins as a gzip or zstd file does. */
extern bool intake_body_is_packed(const IntakeBody *body);

#endif							/* INTAKE_REQUEST_BODY_H */
