/*-------------------------------------------------------------------------
 *
 * batch.h
 *	  Rows that are written together.
 *
 *-------------------------------------------------------------------------
 */
#ifndef INTAKE_BATCH_H
#define INTAKE_BATCH_H

#include "utils/memutils.h"

#include "columns.h"

/*
 * A batch is full at so many rows or so many bytes of values.  What is
 * decoded and appended fares best in the processor's cache; what is merged,
 * when as many rows as possible go into the indexes in their order.
 */
#define INTAKE_BATCH_ROWS	10000
#define INTAKE_MERGE_ROWS	50000
#define INTAKE_BATCH_BYTES	(8 * 1024 * 1024)

typedef struct IntakeBatch
{
	MemoryContext context;		/* of the rows' values */
	int			ncolumns;
	int			nrows;
	int			capacity;		/* rows; fewer for wide tables */
	int			nprepared;		/* rows that have their arrays */
	IntakeRow  *rows;
	Datum	   *values;			/* of all rows */
	bool	   *flags;
} IntakeBatch;

/* Where a writer is, for CONTEXT. */
typedef struct IntakeWritePosition
{
	uint64		record;			/* 0: between rows */
	uint64		line;
} IntakeWritePosition;

/* An empty batch of at most so many rows, in the current memory context. */
extern IntakeBatch *intake_batch_make(int ncolumns, int max_rows);

/* The next free row, all its columns unset; not counted before added. */
extern IntakeRow *intake_batch_next(IntakeBatch *batch);

static inline bool
intake_batch_is_full(const IntakeBatch *batch)
{
	return batch->nrows == batch->capacity ||
		MemoryContextMemAllocated(batch->context, false) >= INTAKE_BATCH_BYTES;
}

/* Forgets the rows and frees their values. */
extern void intake_batch_clear(IntakeBatch *batch);

#endif							/* INTAKE_BATCH_H */
