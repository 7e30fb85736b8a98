/*-------------------------------------------------------------------------
 *
 * heap_delete.h
 *	  DELETE without a plan: the rows of given keys, through an index.
 *
 *-------------------------------------------------------------------------
 */
#ifndef INTAKE_HEAP_DELETE_H
#define INTAKE_HEAP_DELETE_H

#include "write/write.h"

typedef struct IntakeHeapDelete IntakeHeapDelete;

/*
 * Takes a key that is left to a DELETE by SQL, which has to follow: another
 * session has changed one of its rows, or its partition is not served here.
 * A key may come several times; its values are good until the return.
 */
typedef void (*IntakeHeapMissed) (void *arg, const Datum *values,
								  const bool *nulls);

/*
 * Begins a DELETE by writer->key; NULL when the table is none that this
 * serves or has no index for the key.  In the current memory context.
 */
extern IntakeHeapDelete *intake_heap_delete_begin(IntakeWriter *writer,
												  IntakeHeapMissed missed,
												  void *arg);

/*
 * Deletes the rows that have the key, now or at the end: one value an item,
 * where NULL equals NULL.
 */
extern void intake_heap_delete_key(IntakeHeapDelete *heap, const Datum *values,
								   const bool *nulls);

/*
 * Deletes what is left, fires the statement's triggers and closes everything;
 * returns how many rows were deleted.
 */
extern int64 intake_heap_delete_end(IntakeHeapDelete *heap);

#endif							/* INTAKE_HEAP_DELETE_H */
