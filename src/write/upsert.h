/*-------------------------------------------------------------------------
 *
 * upsert.h
 *	  Upserts of batches, for merge.
 *
 *-------------------------------------------------------------------------
 */
#ifndef INTAKE_UPSERT_H
#define INTAKE_UPSERT_H

#include "write/heap_upsert.h"
#include "write/write_sql.h"

typedef struct IntakeUpsert
{
	IntakeWriter *writer;
	const IntakeMergeKey *key;
	const int  *columns;
	bool		has_insert_trigger;	/* ON CONFLICT would fire it for updates */
	bool		suits_conflict;	/* ON CONFLICT does; else UPDATE and INSERT */
	bool		has_steps;		/* when statements were made: see partial.h */
	IntakeHeapUpsert *heap;		/* NULL: by SQL only */
	IntakeStatement *statement; /* made when first needed, as are these */
	IntakeStatement *update;
	IntakeStatement *insert;
} IntakeUpsert;

/*
 * Whether the relation or a partition of it has BEFORE INSERT ROW triggers.
 * ON CONFLICT fires them for rows that are there too, and takes over what
 * they change; such merges need the table lock exclusively.
 */
extern bool intake_upsert_has_insert_trigger(Relation rel);

/*
 * columns are the column numbers of the key, comparators those that the rows
 * are sorted by.  is_alone says that the table lock is held exclusively.  In
 * the current memory context.
 */
extern IntakeUpsert *intake_upsert_make(IntakeWriter *writer,
										const IntakeMergeKey *key,
										const int *columns,
										SortSupport comparators,
										bool is_alone);

/*
 * Inserts or updates the batch's rows, which are sorted by distinct keys, and
 * counts them.
 */
extern void intake_upsert_batch(IntakeUpsert *upsert, IntakeBatch *batch);

/*
 * The same for a part of a batch, in a subtransaction of the caller's.  Where
 * other sessions are in the way of more than one row, that is an error; what
 * is in the way of a single row is found out.
 */
extern void intake_upsert_part(IntakeUpsert *upsert, IntakeBatch *batch);

#endif							/* INTAKE_UPSERT_H */
