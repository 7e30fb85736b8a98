/*-------------------------------------------------------------------------
 *
 * heap_index.h
 *	  Index entries of rows that are in their table already.
 *
 * Entries wait until there are many, then go into each index in its own
 * order, which spares most of the page misses of a big index.  Until then no
 * index knows the rows: who lets anything look at the table in between,
 * triggers for one, flushes first.
 *
 *-------------------------------------------------------------------------
 */
#ifndef INTAKE_HEAP_INDEX_H
#define INTAKE_HEAP_INDEX_H

#include "nodes/execnodes.h"

#include "write/batch.h"

/* The entries of all tables of a command. */
typedef struct IntakeHeapIndexes IntakeHeapIndexes;

/* The entries of one table. */
typedef struct IntakeIndexQueue IntakeIndexQueue;

/* None yet, in the current memory context. */
extern IntakeHeapIndexes *
intake_heap_indexes_make(EState *estate, IntakeWritePosition *position);

/*
 * A queue for a table whose indexes are open; NULL when it has none, or one
 * that the executor must take care of (deferrable and exclusion constraints),
 * or constraints that may look at the table.
 */
extern IntakeIndexQueue *
intake_index_queue_make(IntakeHeapIndexes *indexes, ResultRelInfo *result,
						bool is_update);

/* Adds the entries of a row; flushes all queues when they are long. */
extern void intake_index_queue_add(IntakeIndexQueue *queue,
								   TupleTableSlot *slot, uint64 record,
								   uint64 line);

/* Writes all entries that wait. */
extern void intake_heap_indexes_flush(IntakeHeapIndexes *indexes);

/* Forgets the queues, which must be empty. */
extern void intake_heap_indexes_reset(IntakeHeapIndexes *indexes);

#endif							/* INTAKE_HEAP_INDEX_H */
