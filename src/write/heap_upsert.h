/*-------------------------------------------------------------------------
 *
 * heap_upsert.h
 *	  A merge's batch straight into a table: looked up, updated, inserted.
 *
 *-------------------------------------------------------------------------
 */
#ifndef INTAKE_HEAP_UPSERT_H
#define INTAKE_HEAP_UPSERT_H

#include "utils/sortsupport.h"

#include "write/merge_key.h"
#include "write/write.h"

typedef struct IntakeHeapUpsert
{
	IntakeWriter *writer;
	const IntakeMergeKey *key;
	const int  *columns;		/* column numbers of the key */
	SortSupport comparators;
	bool		is_final;		/* SQL would do otherwise: raise conflicts */
	IntakeBatch *batch;			/* the last one */
	int64		inserted;		/* of it */
	int64		updated;
} IntakeHeapUpsert;

/* Whether batches may go into the relation this way. */
extern bool intake_heap_upsert_applies(const IntakeWriter *writer);

/*
 * Writes the batch, whose rows are sorted by distinct keys, in a
 * subtransaction.  False when other sessions are in the way again and again:
 * nothing has been written then, and the batch is to be written by SQL.
 */
extern bool intake_heap_upsert_batch(IntakeHeapUpsert *upsert,
									 IntakeBatch *batch);

/*
 * The same by one try in the caller's subtransaction: raises what is in the
 * way, other sessions included.  In the current memory context.
 */
extern void intake_heap_upsert_once(IntakeHeapUpsert *upsert,
									IntakeBatch *batch);

#endif							/* INTAKE_HEAP_UPSERT_H */
