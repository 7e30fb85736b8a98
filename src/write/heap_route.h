/*-------------------------------------------------------------------------
 *
 * heap_route.h
 *	  The partition that takes a row.
 *
 * Partitions are opened, and locked as the executor locks them, when the
 * first row goes there; they stay open until the routing ends.
 *
 *-------------------------------------------------------------------------
 */
#ifndef INTAKE_HEAP_ROUTE_H
#define INTAKE_HEAP_ROUTE_H

#include "commands/trigger.h"

#include "write/heap_state.h"
#include "write/merge_key.h"

typedef struct IntakeHeapRoute IntakeHeapRoute;

/*
 * Begins the routing; NULL when the target is not partitioned.  capture is of
 * the root's transition tables, or NULL.  In the current memory context.
 */
extern IntakeHeapRoute *
intake_heap_route_begin(IntakeHeapState *state,
						TransitionCaptureState *capture);

/*
 * The partition that takes the row in the slot, which has the target's shape;
 * PostgreSQL's own error when there is none.  Whoever calls resets the
 * per-tuple context of the executor's state between rows.
 */
extern ResultRelInfo *intake_heap_route_slot(IntakeHeapRoute *route,
											 TupleTableSlot *slot);

/*
 * Lets rows be routed by a unique key, which has all columns that partitions
 * are made by; the target must be no partition itself.
 */
extern void intake_heap_route_by_key(IntakeHeapRoute *route,
									 const IntakeMergeKey *key);

/* The partition that takes the rows with this row's key. */
extern ResultRelInfo *intake_heap_route_row(IntakeHeapRoute *route,
											const IntakeRow *row);

/*
 * Puts the target's row into the shape of the table that takes it, which the
 * slot has.  Values are those of the row, not copies, where shapes differ.
 */
extern TupleTableSlot *intake_heap_route_shape(EState *estate,
											   ResultRelInfo *result,
											   TupleTableSlot *row,
											   TupleTableSlot *slot);

/* Closes the partitions. */
extern void intake_heap_route_end(IntakeHeapRoute *route);

#endif							/* INTAKE_HEAP_ROUTE_H */
