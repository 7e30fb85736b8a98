/*-------------------------------------------------------------------------
 *
 * batch.c
 *	  Rows that are written together.
 *
 * The arrays of all rows are allocated once, the values by reference in a
 * context that is reset with the batch.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "utils/memutils.h"

#include "write/batch.h"

/* Fewest rows of a batch, however wide they are. */
#define MIN_ROWS 100

IntakeBatch *
intake_batch_make(int ncolumns, int max_rows)
{
	IntakeBatch *batch = palloc0(sizeof(IntakeBatch));
	size_t		row_size = sizeof(IntakeRow) +
		ncolumns * (sizeof(Datum) + 2 * sizeof(bool));

	batch->capacity = Min(max_rows,
						  Max(MIN_ROWS, INTAKE_BATCH_BYTES / row_size));
	batch->context = AllocSetContextCreate(CurrentMemoryContext,
										   "pg_intake batch",
										   ALLOCSET_DEFAULT_SIZES);
	batch->ncolumns = ncolumns;
	batch->rows = palloc(batch->capacity * sizeof(IntakeRow));
	batch->values = palloc(batch->capacity * ncolumns * sizeof(Datum));
	batch->flags = palloc(batch->capacity * ncolumns * 2 * sizeof(bool));
	return batch;
}

/*
 * Gives the next row its arrays.  Most payloads are small: memory that is
 * never touched costs nothing.
 */
static void
prepare_row(IntakeBatch *batch)
{
	size_t		i = batch->nprepared++;
	IntakeRow  *row = &batch->rows[i];

	row->values = batch->values + i * batch->ncolumns;
	row->nulls = batch->flags + i * 2 * batch->ncolumns;
	row->is_set = row->nulls + batch->ncolumns;
}

IntakeRow *
intake_batch_next(IntakeBatch *batch)
{
	IntakeRow  *row = &batch->rows[batch->nrows];

	if (batch->nrows == batch->nprepared)
		prepare_row(batch);
	memset(row->nulls, true, batch->ncolumns);
	memset(row->is_set, false, batch->ncolumns);
	memset(row->values, 0, batch->ncolumns * sizeof(Datum));
	return row;
}

void
intake_batch_clear(IntakeBatch *batch)
{
	batch->nrows = 0;
	MemoryContextReset(batch->context);
}
