/*-------------------------------------------------------------------------
 *
 * source.h
 *	  The buffered reader that every decoder pulls its bytes from.
 *
 * A source shows its unread bytes as the window [cursor, limit).  A decoder
 * advances cursor over what it has used and calls intake_source_fill() when
 * the window ends inside a record.  After a fill the window may lie
 * elsewhere in memory: pointers into the old one are void, offsets from
 * cursor stay right.  The bytes of the window are always UTF-8 *unchecked*:
 * a payload in another encoding is converted on its way in.
 *
 * The source counts and digests the payload's bytes as they were received,
 * before any conversion.
 *
 *-------------------------------------------------------------------------
 */
#ifndef INTAKE_SOURCE_H
#define INTAKE_SOURCE_H

#include "utils/jsonb.h"

#define INTAKE_DIGEST_LENGTH 16

typedef struct IntakeSource IntakeSource;

typedef struct IntakeSourceRoutine
{
	const char *name;

	/*
	 * Puts up to len bytes at buffer and returns how many; 0 says that the
	 * payload has ended.  Raises its own errors.
	 */
	size_t		(*read) (IntakeSource *source, char *buffer, size_t len);
} IntakeSourceRoutine;

/* Where a payload comes from. */
typedef enum IntakeSourceKind
{
	INTAKE_SOURCE_VALUE,		/* of SQL */
	INTAKE_SOURCE_CLIENT,
	INTAKE_SOURCE_FILE,
	INTAKE_SOURCE_PROGRAM
} IntakeSourceKind;

/*
 * What is not held while bytes are waited for.  Whoever sets it (the engine)
 * and whoever waits (a source's routine) need not know each other.
 */
typedef struct IntakeSourceHold
{
	void		(*release) (void *argument);
	void		(*regain) (void *argument);
	void	   *argument;
} IntakeSourceHold;

struct IntakeSource
{
	const char *cursor;			/* first unread byte */
	const char *limit;			/* one past the last byte at hand */
	bool		is_ended;		/* no byte follows limit */
	bool		is_cut;			/* it ended early: a last record that is not
								 * complete does not count */
	const char *cut_reason;		/* in words; NULL: not cut, or not known */
	bool		has_lines;		/* of the client's making */
	IntakeSourceKind kind;		/* the opener of a stream sets these two */
	int64		total;			/* bytes to come in all; 0: not known */

	IntakeSourceHold hold;		/* all NULL: nothing is let go */

	/* below: for source*.c only */
	const IntakeSourceRoutine *routine; /* NULL: all bytes are at hand */
	void	   *state;			/* the routine's own */
	struct IntakeSourceBuffer *buffer;	/* NULL: all bytes are at hand */
	const char *bytes;			/* the whole payload, when at hand */
	uint64		received;		/* payload bytes taken so far */
	uint64		digest_limit;	/* bytes that are digested; 0: all */
};

/*
 * Opens a payload that is in memory, without copying it; it must stay where
 * it is.  encoding is a PostgreSQL encoding number.
 */
extern IntakeSource *intake_source_open_bytes(const char *bytes, size_t len,
											  int encoding);

/*
 * Opens the elements of a jsonb array as NDJSON, one line an element.
 * Errors when the value is not an array.
 */
extern IntakeSource *intake_source_open_jsonb(Jsonb *array);

/*
 * Opens a stream.  The buffer lives in the current memory context.
 */
extern PGDLLEXPORT IntakeSource *
intake_source_open(const IntakeSourceRoutine *routine, void *state,
				   int encoding);

/*
 * Says in which encoding the payload is, when that was not known at opening.
 * No byte may have been read yet.
 */
extern void intake_source_set_encoding(IntakeSource *source, int encoding);

/*
 * Brings more bytes behind limit; the unread ones are kept.  Returns false,
 * and sets is_ended, when there are none.  Raises an error when the unread
 * bytes have reached pg_intake.max_record_size.
 */
extern PGDLLEXPORT bool intake_source_fill(IntakeSource *source);

/*
 * Reads the rest of the payload, so that count and digest cover all of it,
 * and leaves an empty window.
 */
extern void intake_source_drain(IntakeSource *source);

/*
 * A routine that is going to wait for its client calls the first, and, unless
 * it raises an error, the second afterwards.
 */
extern void intake_source_begin_wait(IntakeSource *source);
extern void intake_source_end_wait(IntakeSource *source);

/* How many bytes the payload has had so far, as received. */
extern uint64 intake_source_received(const IntakeSource *source);

/* How many of them have been decoded, as far as that is known. */
extern uint64 intake_source_consumed(const IntakeSource *source);

/*
 * Lets the digest be of the payload's first len bytes only; no byte may have
 * been read yet.
 */
extern void intake_source_limit_digest(IntakeSource *source, uint64 len);

/*
 * The XXH3-128 digest (big-endian form) of the drained payload.
 */
extern void intake_source_digest(const IntakeSource *source,
								 uint8 digest[INTAKE_DIGEST_LENGTH]);

#endif							/* INTAKE_SOURCE_H */
