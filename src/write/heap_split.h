/*-------------------------------------------------------------------------
 *
 * heap_split.h
 *	  A batch's rows by the table that takes them.
 *
 *-------------------------------------------------------------------------
 */
#ifndef INTAKE_HEAP_SPLIT_H
#define INTAKE_HEAP_SPLIT_H

#include "storage/itemptr.h"

#include "write/merge_key.h"
#include "write/write.h"

/* What one table takes of a batch. */
typedef struct IntakeHeapPart
{
	Oid			relid;
	Relation	rel;			/* until the split is closed */
	Oid			index;			/* of the key */
	int			nrows;
	IntakeRow  *rows;			/* in the order of the key */
	ItemPointerData *tids;		/* where they are; the caller's to fill in */
	int			nfound;
} IntakeHeapPart;

typedef struct IntakeHeapSplit IntakeHeapSplit;

/*
 * Splits the batch, whose rows are sorted by the key, among the partitions of
 * the target; a target that is not partitioned takes all of it.  An error
 * names the record that no partition takes.  The batch is left alone.  In the
 * current memory context.
 */
extern IntakeHeapSplit *intake_heap_split(IntakeWriter *writer,
										  const IntakeMergeKey *key,
										  const IntakeBatch *batch);

/* The parts, of IntakeHeapPart; they outlive the split's end. */
extern List *intake_heap_split_parts(IntakeHeapSplit *split);

/* Closes the tables. */
extern void intake_heap_split_end(IntakeHeapSplit *split);

#endif							/* INTAKE_HEAP_SPLIT_H */
