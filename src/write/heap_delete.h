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
 * Begins a DELETE by writer->key; NULL when the table is none that this
 * serves or has no index for the key.  In the current memory context.
 */
extern IntakeHeapDelete *intake_heap_delete_begin(IntakeWriter *writer);

/*
 * Deletes the rows that have the key: one value an item, where NULL equals
 * NULL.  Adds to *deleted.  False when another session has changed one of the
 * rows since: a DELETE by SQL has to follow.
 */
extern bool intake_heap_delete_key(IntakeHeapDelete *heap, const Datum *values,
								   const bool *nulls, int64 *deleted);

/* Fires the statement's triggers and closes everything. */
extern void intake_heap_delete_end(IntakeHeapDelete *heap);

#endif							/* INTAKE_HEAP_DELETE_H */
