/*-------------------------------------------------------------------------
 *
 * insert.c
 *	  Plain INSERTs of batches, for append and replace.
 *
 * The statement names the columns that the payload has mentioned so far; it
 * is made anew when a later record mentions another.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "utils/builtins.h"

#include "write/direct.h"
#include "write/insert.h"

IntakeInsert *
intake_insert_make(IntakeWriter *writer)
{
	IntakeInsert *insert = palloc0(sizeof(IntakeInsert));

	insert->writer = writer;
	insert->context = CurrentMemoryContext;
	return insert;
}

int *
intake_insert_fields(const IntakeWriter *writer, int *count)
{
	const IntakeColumnSet *columns = writer->columns;
	int		   *fields = palloc(columns->ncolumns * sizeof(int));
	int			n = 0;
	int			i;

	for (i = 0; i < columns->ncolumns; i++)
	{
		if (writer->defaults->mentioned[i] && columns->columns[i].attnum != 0)
			fields[n++] = i;
	}
	*count = n;
	return fields;
}

void
intake_insert_append_columns(StringInfo sql, const IntakeWriter *writer,
							 const int *fields, int nfields)
{
	int			i;

	for (i = 0; i < nfields; i++)
	{
		AttrNumber	attnum = writer->columns->columns[fields[i]].attnum;

		appendStringInfo(sql, "%s%s", i == 0 ? "(" : ", ",
						 intake_sql_column(writer->rel, attnum));
	}
	if (nfields > 0)
		appendStringInfoString(sql, ") ");
}

/* INSERT INTO ... SELECT, for the columns mentioned so far. */
static void
make_statement(IntakeInsert *insert)
{
	IntakeWriter *writer = insert->writer;
	StringInfoData sql;
	int			nfields;
	int		   *fields = intake_insert_fields(writer, &nfields);

	insert->statement = intake_sql_make(writer, writer->columns, fields,
										nfields);
	insert->statement->is_positioned = true;
	insert->nmentioned = writer->defaults->nmentioned;

	initStringInfo(&sql);
	appendStringInfo(&sql, "INSERT INTO %s ",
					 intake_sql_relation(writer->rel));
	intake_insert_append_columns(&sql, writer, fields, nfields);
	appendStringInfoString(&sql, "SELECT ");
	intake_sql_append_fields(&sql, insert->statement);
	appendStringInfoString(&sql, " FROM ");
	intake_sql_append_source(&sql, insert->statement);
	appendStringInfoString(&sql, " WHERE " INTAKE_SQL_POSITION);
	insert->statement->sql = sql.data;
}

/* Inserts the batch by a statement; returns how many rows that wrote. */
static int64
insert_by_sql(IntakeInsert *insert, IntakeBatch *batch)
{
	MemoryContext old = MemoryContextSwitchTo(insert->context);
	int64		inserted;

	if (insert->statement == NULL ||
		insert->nmentioned != insert->writer->defaults->nmentioned)
		make_statement(insert);
	inserted = intake_sql_run(insert->statement, batch, false);
	MemoryContextSwitchTo(old);
	return inserted;
}

/* Whether rows go in without SQL; the first batch decides. */
static bool
is_direct(IntakeInsert *insert)
{
	if (!insert->is_decided)
		insert->is_direct = intake_direct_applies(insert->writer->rel);
	insert->is_decided = true;
	return insert->is_direct;
}

static void
count_rows(IntakeInsert *insert, const IntakeBatch *batch, int64 inserted)
{
	IntakeCounters *counters = insert->writer->counters;

	counters->rows_inserted += inserted;
	counters->rows_skipped += Max(0, batch->nrows - inserted);
}

void
intake_insert_batch(IntakeInsert *insert, IntakeBatch *batch)
{
	MemoryContext old = MemoryContextSwitchTo(insert->context);

	if (insert->heap == NULL && is_direct(insert))
		insert->heap = intake_heap_begin(insert->writer);
	count_rows(insert, batch,
			   insert->heap != NULL ?
			   intake_heap_insert(insert->heap, batch) :
			   insert_by_sql(insert, batch));
	MemoryContextSwitchTo(old);
}

void
intake_insert_alone(IntakeInsert *insert, IntakeBatch *batch)
{
	IntakeHeapInsert *heap;

	if (!is_direct(insert))
	{
		count_rows(insert, batch, insert_by_sql(insert, batch));
		return;
	}
	heap = intake_heap_begin(insert->writer);
	count_rows(insert, batch, intake_heap_insert(heap, batch));
	intake_heap_end(heap);
}

void
intake_insert_stage(IntakeInsert *insert, IntakeStage *stage)
{
	IntakeWriter *writer = insert->writer;
	IntakeBatch *batch = intake_batch_make(writer->columns->ncolumns,
										   INTAKE_BATCH_ROWS);

	while (intake_stage_get(stage, batch, writer->defaults))
		intake_insert_batch(insert, batch);
	intake_batch_clear(batch);
}

void
intake_insert_end(IntakeInsert *insert)
{
	if (insert->heap != NULL)
		intake_heap_end(insert->heap);
}
