/*-------------------------------------------------------------------------
 *
 * upsert.c
 *	  Upserts of batches, for merge: straight into the table where that is
 *	  possible, else by INSERT ... ON CONFLICT, which takes the rows in the
 *	  order of the key, one after the other.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "utils/builtins.h"

#include "write/insert.h"
#include "write/upsert.h"

/* Raises the error for a key that SQL's ON CONFLICT cannot go by. */
static void
report_deferrable(const IntakeMergeKey *key)
{
	ereport(ERROR,
			(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
			 errmsg("cannot merge by \"%s\" because it is deferrable",
					key->constraint),
			 errdetail("A deferrable key serves merges into plain tables, in READ COMMITTED, without row-level security.")));
}

IntakeUpsert *
intake_upsert_make(IntakeWriter *writer, const IntakeMergeKey *key,
				   const int *columns, SortSupport comparators, bool is_alone)
{
	IntakeUpsert *upsert = palloc0(sizeof(IntakeUpsert));

	upsert->writer = writer;
	upsert->key = key;
	if (key->is_deferrable && !intake_heap_upsert_applies(writer))
		report_deferrable(key);
	if (is_alone && intake_heap_upsert_applies(writer))
	{
		upsert->heap = palloc0(sizeof(IntakeHeapUpsert));
		upsert->heap->writer = writer;
		upsert->heap->key = key;
		upsert->heap->columns = columns;
		upsert->heap->comparators = comparators;
	}
	return upsert;
}

/* ON CONSTRAINT name, or (a, b): what ON CONFLICT goes by. */
static void
append_arbiter(StringInfo sql, const IntakeWriter *writer,
			   const IntakeMergeKey *key)
{
	int			i;

	if (key->constraint != NULL)
	{
		appendStringInfo(sql, "ON CONSTRAINT %s",
						 quote_identifier(key->constraint));
		return;
	}
	for (i = 0; i < key->ncolumns; i++)
		appendStringInfo(sql, "%s%s%s", i > 0 ? ", " : "(",
						 intake_sql_column(writer->rel, key->attnums[i]),
						 intake_sql_collation(key->collations[i]));
	appendStringInfoChar(sql, ')');
}

/* The action of ON CONFLICT: the whole row is replaced, or kept. */
static void
append_action(StringInfo sql, const IntakeWriter *writer,
			  const IntakeMergeKey *key)
{
	const IntakeColumnSet *columns = writer->columns;
	const char *separator = "";
	int			i;

	if (writer->options->existing == INTAKE_EXISTING_KEEP)
	{
		appendStringInfoString(sql, "NOTHING");
		return;
	}
	appendStringInfoString(sql, "UPDATE SET ");
	for (i = 0; i < columns->ncolumns; i++)
	{
		const char *name;

		if (!intake_merge_key_sets(key, columns->columns[i].attnum))
			continue;
		name = intake_sql_column(writer->rel, columns->columns[i].attnum);
		appendStringInfo(sql, "%s%s = excluded.%s", separator, name, name);
		separator = ", ";
	}
	/* A table that is all key: an update that changes nothing. */
	if (separator[0] == '\0')
	{
		const char *name = intake_sql_column(writer->rel, key->attnums[0]);

		appendStringInfo(sql, "%s = excluded.%s", name, name);
	}
	appendStringInfoString(sql, " WHERE " INTAKE_SQL_CONFLICT);
}

/*
 * INSERT ... ON CONFLICT.  It stands in a WITH, so that the rows it returns
 * for counting go nowhere.
 */
static IntakeStatement *
make_statement(IntakeWriter *writer, const IntakeMergeKey *key)
{
	int			nfields;
	int		   *fields = intake_insert_fields(writer, &nfields);
	IntakeStatement *statement = intake_sql_make(writer, writer->columns,
												 fields, nfields);
	StringInfoData sql;

	initStringInfo(&sql);
	appendStringInfo(&sql, "WITH w AS (INSERT INTO %s AS t ",
					 intake_sql_relation(writer->rel));
	intake_insert_append_columns(&sql, writer, fields, nfields);
	appendStringInfoString(&sql, "SELECT ");
	intake_sql_append_fields(&sql, statement);
	appendStringInfoString(&sql, " FROM ");
	intake_sql_append_source(&sql, statement);
	appendStringInfoString(&sql, " WHERE " INTAKE_SQL_POSITION " ON CONFLICT ");
	append_arbiter(&sql, writer, key);
	appendStringInfoString(&sql, " DO ");
	append_action(&sql, writer, key);
	appendStringInfoString(&sql,
						   " RETURNING " INTAKE_SQL_WRITTEN ")"
						   " SELECT pg_catalog.count(*) FROM w");
	statement->is_positioned = true;
	statement->sql = sql.data;
	return statement;
}

/* Counts what became of a batch. */
static void
count_rows(IntakeUpsert *upsert, int nrows, int64 inserted, int64 updated)
{
	IntakeCounters *counters = upsert->writer->counters;

	counters->rows_inserted += inserted;
	counters->rows_updated += updated;
	counters->rows_skipped += nrows - inserted - updated;
}

void
intake_upsert_batch(IntakeUpsert *upsert, IntakeBatch *batch)
{
	IntakeStatement *statement = upsert->statement;

	if (upsert->heap != NULL && intake_heap_upsert_batch(upsert->heap, batch))
	{
		count_rows(upsert, batch->nrows, upsert->heap->inserted,
				   upsert->heap->updated);
		return;
	}
	if (statement == NULL)
		statement = upsert->statement = make_statement(upsert->writer,
													   upsert->key);
	statement->inserted = statement->updated = 0;
	(void) intake_sql_run(statement, batch, false);
	count_rows(upsert, batch->nrows, statement->inserted, statement->updated);
}
