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

typedef struct IntakeRequest
{
	Oid			relid;
	IntakeSource *source;
	const char *format;
	bool		is_text;		/* not binary; the source knows its encoding */
	bool		is_query;		/* a text too, whose rows are the records */
	IntakeMode	mode;			/* DEFAULT: the target's; DELETE: partitions */
	int			sys_op;			/* as given, or INTAKE_NO_SYS_OP */
	Jsonb	   *options;		/* as given */
	pg_uuid_t	uuid;
	const char *door;
	const char *request_id;		/* or NULL */
} IntakeRequest;

/*
 * Does what the request asks for, in the caller's transaction, or answers it
 * from the record when it has been done; operation is the answer.  All
 * errors are raised, those of the payload with the position in CONTEXT.
 */
extern PGDLLEXPORT void intake_ingest(const IntakeRequest *request,
									  IntakeOperation *operation);

#endif							/* INTAKE_INGEST_H */
