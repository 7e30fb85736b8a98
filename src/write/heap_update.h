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
 * Replaces the row at tid, which this transaction has locked, by the given
 * one: columns that the payload does not mention get their defaults, columns
 * that take no value keep theirs; a partial merge decides itself.  False when
 * a trigger or the row's version has left it alone.
 */
extern bool intake_heap_update_row(IntakeHeapUpdate *update, ItemPointer tid,
								   const IntakeRow *row);

/* Ends the UPDATE: AFTER triggers fire. */
extern void intake_heap_update_end(IntakeHeapUpdate *update);

#endif							/* INTAKE_HEAP_UPDATE_H */
