/*-------------------------------------------------------------------------
 *
 * merge_order.h
 *	  Rows of a merge, staged in the order of its key.
 *
 * The order is by the operator classes and collations of the unique index, so
 * that equal keys are just those that the index takes for equal.  Records of
 * one key come last one first or, where all of them count, as they came.
 *
 * Staged rows have the columns, then record and line (stage.h), in at most
 * pg_intake.stage_memory and then on disk.
 *
 *-------------------------------------------------------------------------
 */
#ifndef INTAKE_MERGE_ORDER_H
#define INTAKE_MERGE_ORDER_H

#include "executor/tuptable.h"
#include "utils/sortsupport.h"

#include "columns.h"
#include "write/batch.h"
#include "write/merge_key.h"

typedef struct IntakeMergeOrder IntakeMergeOrder;

/*
 * No rows yet.  is_complete: all records of a key count, and come as they
 * came.  In the current memory context.
 */
extern IntakeMergeOrder *
intake_merge_order_make(const IntakeColumnSet *columns,
						const IntakeMergeKey *key, bool is_complete);

/* The key's column numbers, and how they are compared. */
extern const int *intake_merge_order_columns(const IntakeMergeOrder *order);
extern SortSupport
intake_merge_order_comparators(const IntakeMergeOrder *order);

/* The descriptor of staged rows. */
extern TupleDesc intake_merge_order_desc(const IntakeMergeOrder *order);

/* Adds a batch's rows. */
extern void intake_merge_order_put(IntakeMergeOrder *order,
								   const IntakeBatch *batch);

/* All rows are there, and intake_merge_order_next() may be called. */
extern void intake_merge_order_begin(IntakeMergeOrder *order);

/* Puts a copy of the next row into the slot; false at the end. */
extern bool intake_merge_order_next(IntakeMergeOrder *order,
									TupleTableSlot *slot);

/* How the keys of two staged rows compare. */
extern int	intake_merge_order_compare(const IntakeMergeOrder *order,
									   const Datum *one, const Datum *two);

/* Frees memory and files. */
extern void intake_merge_order_end(IntakeMergeOrder *order);

#endif							/* INTAKE_MERGE_ORDER_H */
