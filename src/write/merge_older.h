/*-------------------------------------------------------------------------
 *
 * merge_older.h
 *	  The records of a merge that a later one of their key replaces: where
 *	  that one is refused and set aside, the newest of them counts.
 *
 *-------------------------------------------------------------------------
 */
#ifndef INTAKE_MERGE_OLDER_H
#define INTAKE_MERGE_OLDER_H

#include "executor/tuptable.h"

#include "columns.h"

typedef struct IntakeMergeOlder IntakeMergeOlder;

/*
 * None yet; kept in at most pg_intake.stage_memory and then on disk.  In the
 * current memory context.
 */
extern IntakeMergeOlder *
intake_merge_older_make(const IntakeColumnSet *columns);

/*
 * Adds a staged row: one of the key whose last record has the given number.
 * Rows of a key come one after the other, newest first.
 */
extern void intake_merge_older_put(IntakeMergeOlder *older, uint64 last,
								   TupleTableSlot *staged);

/* Takes note that a record was refused. */
extern void intake_merge_older_refuse(IntakeMergeOlder *older, uint64 record);

/*
 * Puts the next row to be written, one whose key's later records have all
 * been refused, into a virtual slot of staged rows; false at the end.  It has
 * been written, or refused, before the next call.
 */
extern bool intake_merge_older_next(IntakeMergeOlder *older,
									TupleTableSlot *staged);

/* Frees memory and files. */
extern void intake_merge_older_end(IntakeMergeOlder *older);

#endif							/* INTAKE_MERGE_OLDER_H */
