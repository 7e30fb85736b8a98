/*-------------------------------------------------------------------------
 *
 * ingest.h
 *	  The engine behind all doors.
 *
 *-------------------------------------------------------------------------
 */
#ifndef INTAKE_INGEST_H
#define INTAKE_INGEST_H

#include "registry/operation.h"
#include "registry/target.h"
#include "source/source.h"

#define INTAKE_NO_SYS_OP PG_INT32_MIN

/* Somebody who wants to know how far an upload is. */
typedef struct IntakeWatch
{
	void		(*on_batch) (struct IntakeWatch *watch);	/* was written */
	void	   *argument;		/* the watcher's own */

	/* set by the engine, for use in a call that it makes */
	int64		written;		/* records in batches that were written */
	const int  *waiting;		/* and in the one that is being filled */
} IntakeWatch;

typedef struct IntakeRequest IntakeRequest;

/*
 * For a door whose target is made ready within the operation, and whose
 * repeats are told by what the client said, whatever the target is by then.
 * Called once the operation is claimed and known not to be a repeat: sets
 * relid, mode and options of the request, and source, which may be that of
 * before or one with the same bytes; may set operation->answer.
 */
typedef void (*IntakePrepare) (IntakeRequest *request,
							   IntakeOperation *operation);

/*
 * Called when the target has been opened: raises an error unless it is still
 * what prepare has found, without its lock.
 */
typedef void (*IntakeVerify) (const IntakeRequest *request);

struct IntakeRequest
{
	Oid			relid;
	IntakeSource *source;
	const char *format;
	bool		is_text;		/* not binary; the source knows its encoding */
	bool		is_query;		/* a text too, whose rows are the records */
	IntakeMode	mode;			/* DEFAULT: the target's; DELETE: partitions */
	int			sys_op;			/* as given, or INTAKE_NO_SYS_OP */
	Jsonb	   *options;		/* as given; prepare may give others */
	pg_uuid_t	uuid;
	const char *door;
	const char *request_id;		/* or NULL */
	IntakeWatch *watch;			/* or NULL */
	bool		is_exclusive;	/* one operation on the target at a time */

	/*
	 * How the client calls the items of the key of a delete, in their order
	 * (char *); NIL: as they were registered.
	 */
	const List *key_names;

	/*
	 * Or prepare is NULL, and so are these.  A source that is NULL until then
	 * has its digest in identity.
	 */
	IntakePrepare prepare;
	IntakeVerify verify;
	void	   *argument;		/* for prepare: the door's own */
	const char *target_name;	/* qualified */
	const char *identity;		/* what a repeat must have, too */
};

/*
 * Does what the request asks for, in the caller's transaction, or answers it
 * from the record when it has been done; operation is the answer.  All
 * errors are raised, those of the payload with the position in CONTEXT.
 */
extern PGDLLEXPORT void intake_ingest(const IntakeRequest *request,
									  IntakeOperation *operation);

#endif							/* INTAKE_INGEST_H */
