/*-------------------------------------------------------------------------
 *
 * write.h
 *	  The writers: batches of rows into a relation.
 *
 * A writer takes full batches of decoded rows.  append writes them at once;
 * replace, merge, partition delete and everything with option truncate stage
 * them and apply the stage in finish(), under the table lock, when the whole
 * payload is known to be good; so does append where needs_stage says so, and
 * where rows that the target refuses are set aside.  With is_exclusive, an
 * append that does not stage takes the table lock at its begin().
 *
 *-------------------------------------------------------------------------
 */
#ifndef INTAKE_WRITE_H
#define INTAKE_WRITE_H

#include "defaults.h"
#include "columns.h"
#include "options.h"
#include "registry/operation.h"
#include "registry/target.h"
#include "write/batch.h"
#include "write/partial.h"

typedef struct IntakeWriter IntakeWriter;

typedef struct IntakeWriteRoutine
{
	const char *name;
	void		(*begin) (IntakeWriter *writer);
	void		(*take) (IntakeWriter *writer, IntakeBatch *batch);
	void		(*finish) (IntakeWriter *writer);
} IntakeWriteRoutine;

struct IntakeWriter
{
	const IntakeWriteRoutine *routine;
	Relation	rel;			/* open; truncate may open it anew */
	const IntakeTarget *target;
	IntakeColumnSet *columns;
	IntakeDefaults *defaults;	/* knows which columns have been mentioned */
	IntakePartial *partial;		/* of a merge; NULL: whole rows, in any case */
	const IntakeOptions *options;
	List	   *key;			/* of IntakeKeyItem; NIL for append */
	int			sys_op;			/* of the request; -1: each record's own */
	bool		needs_stage;	/* nothing may be written before finish() */
	bool		is_exclusive;	/* the table lock is, in any case */
	bool		is_staged;		/* nothing is; begin() says so */

	/*
	 * Rows that the target refuses are set aside here; NULL: that fails the
	 * operation.
	 */
	IntakeRejects *rejects;

	IntakeCounters *counters;	/* the writer counts what it does here */
	IntakeWritePosition *position;	/* for CONTEXT; the caller's */
	MemoryContext context;		/* the writer's own, until finish */
	void	   *state;			/* the routine's own */
};

extern const IntakeWriteRoutine intake_write_append;
extern const IntakeWriteRoutine intake_write_replace;
extern const IntakeWriteRoutine intake_write_merge;
extern const IntakeWriteRoutine intake_write_partition;

#endif							/* INTAKE_WRITE_H */
