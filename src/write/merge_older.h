/*-------------------------------------------------------------------------
 *
 * merge_older.h
 *	  Records of a merge that others of their key replace, for when those are
 *	  refused.
 *
 * Where the last record of a key is refused and set aside, the newest of the
 * others counts.  In a partial merge one row stands for all records of a key:
 * where it is refused, they are written one by one.
 *
 *-------------------------------------------------------------------------
 */
#ifndef INTAKE_MERGE_OLDER_H
#define INTAKE_MERGE_OLDER_H

#include "executor/tuptable.h"

#include "columns.h"

typedef struct IntakeMergeOlder IntakeMergeOlder;

/*
 * None yet; kept in at most pg_intake.stage_memory and then on disk.
 * is_combined: one row stands for all records of a key.  In the current
 * memory context.
 */
extern IntakeMergeOlder *
intake_merge_older_make(const IntakeColumnSet *columns, bool is_combined);

/*
 * Adds a staged row of a key.  Rows of a key come one after the other: newest
 * first, all but the last record, whose number goes with them; or, where one
 * row stands for all, all of them as they came, with the number of the first.
 */
extern void intake_merge_older_put(IntakeMergeOlder *older, uint64 number,
								   TupleTableSlot *staged);

/* Takes note that the row of a record was refused. */
extern void intake_merge_older_refuse(IntakeMergeOlder *older, uint64 record);

/*
 * Puts the next row to be written into a virtual slot of staged rows; false
 * at the end.  It has been written, or refused, before the next call.
 */
extern bool intake_merge_older_next(IntakeMergeOlder *older,
									TupleTableSlot *staged);

/* Frees memory and files. */
extern void intake_merge_older_end(IntakeMergeOlder *older);

#endif							/* INTAKE_MERGE_OLDER_H */
