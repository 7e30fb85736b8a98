/*-------------------------------------------------------------------------
 *
 * heap_insert.h
 *	  INSERT without a plan: batches straight into a table or its partitions.
 *
 * To triggers, constraints and privileges the whole upload is one INSERT.
 *
 *-------------------------------------------------------------------------
 */
#ifndef INTAKE_HEAP_INSERT_H
#define INTAKE_HEAP_INSERT_H

#include "write/write.h"

typedef struct IntakeHeapInsert IntakeHeapInsert;

/*
 * Begins the INSERT: checks that it may be, fires BEFORE STATEMENT triggers.
 * In the current memory context.  intake_direct_applies() must hold.
 */
extern IntakeHeapInsert *intake_heap_begin(IntakeWriter *writer);

/* Inserts the batch's rows; returns how many no trigger has left out. */
extern int64 intake_heap_insert(IntakeHeapInsert *insert, IntakeBatch *batch);

/* Ends the INSERT: AFTER triggers fire, immediate constraints are checked. */
extern void intake_heap_end(IntakeHeapInsert *insert);

#endif							/* INTAKE_HEAP_INSERT_H */
