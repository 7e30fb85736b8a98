/*-------------------------------------------------------------------------
 *
 * heap_update.h
 *	  UPDATE without a plan: whole rows, by where they lie.
 *
 *-------------------------------------------------------------------------
 */
#ifndef INTAKE_HEAP_UPDATE_H
#define INTAKE_HEAP_UPDATE_H

#include "write/write.h"
#include "write/merge_key.h"

typedef struct IntakeHeapUpdate IntakeHeapUpdate;

/*
 * Begins an UPDATE: checks privileges, fires BEFORE STATEMENT triggers.  In
 * the current memory context.
 */
extern IntakeHeapUpdate *intake_heap_update_begin(IntakeWriter *writer,
												  const IntakeMergeKey *key);

/*
 * Turns to the table with this OID, the partition that takes the given row,
 * before rows in it are replaced; each partition once.  Where the target is
 * not partitioned it does nothing.
 */
extern void intake_heap_update_turn(IntakeHeapUpdate *update, Oid relid,
									const IntakeRow *row);

/*
 * Replaces the row at tid by the given one: columns that the payload does not
 * mention get their defaults, columns that take no value keep theirs; a
 * partial merge decides itself.  False when a trigger or the row's version has
 * left it alone.  ERRCODE_T_R_SERIALIZATION_FAILURE when another session was at
 * the row; ERRCODE_FEATURE_NOT_SUPPORTED, as ON CONFLICT has it, when a trigger
 * moves it to another partition.
 */
extern bool intake_heap_update_row(IntakeHeapUpdate *update, ItemPointer tid,
								   const IntakeRow *row);

/* Ends the UPDATE: AFTER triggers fire. */
extern void intake_heap_update_end(IntakeHeapUpdate *update);

#endif							/* INTAKE_HEAP_UPDATE_H */
