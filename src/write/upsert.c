/*-------------------------------------------------------------------------
 *
 * upsert.c
 *	  Upserts of batches, for merge.
 *
 * Three ways, the first that applies:
 *	- straight into the table (heap_upsert.c), for merges that hold the table
 *	  lock exclusively;
 *	- UPDATE ... FROM and INSERT ... WHERE NOT EXISTS, where BEFORE INSERT row
 *	  triggers would make ON CONFLICT do something else, or where it would
 *	  refuse a record for columns that it leaves out (partial.h);
 *	- INSERT ... ON CONFLICT, which takes the rows in the order of the key, one
 *	  after the other.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/relation.h"
#include "access/xact.h"
#include "catalog/pg_inherits.h"
#include "commands/trigger.h"
#include "utils/builtins.h"
#include "utils/rls.h"
#include "utils/syscache.h"

#include "write/insert.h"
#include "write/partial_sql.h"
#include "write/upsert.h"

/* Raises the error for a key that SQL's ON CONFLICT cannot go by. */
static void
report_deferrable(const IntakeMergeKey *key)
{
	ereport(ERROR,
			(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
			 errmsg("cannot merge by \"%s\" because it is deferrable",
					key->constraint),
			 errdetail("A deferrable key serves merges into tables, in READ COMMITTED, without row-level security.")));
}

static bool
has_insert_trigger(Relation rel)
{
	return rel->trigdesc != NULL && rel->trigdesc->trig_insert_before_row;
}

/*
 * Whether a partition has one.  Those without any trigger are neither opened
 * nor locked: there may be thousands.
 */
static bool
has_partition_trigger(Oid relid)
{
	HeapTuple	tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(relid));
	Relation	partition;
	bool		result;

	if (!HeapTupleIsValid(tuple))
		return false;
	result = ((Form_pg_class) GETSTRUCT(tuple))->relhastriggers;
	ReleaseSysCache(tuple);
	if (!result)
		return false;
	partition = try_relation_open(relid, AccessShareLock);
	if (partition == NULL)
		return false;
	result = has_insert_trigger(partition);
	relation_close(partition, NoLock);
	return result;
}

bool
intake_upsert_has_insert_trigger(Relation rel)
{
	List	   *relids = NIL;
	bool		result = has_insert_trigger(rel);
	ListCell   *cell;

	if (!result && rel->rd_rel->relkind == RELKIND_PARTITIONED_TABLE)
		relids = find_all_inheritors(RelationGetRelid(rel), NoLock, NULL);
	foreach(cell, relids)
	{
		if (has_partition_trigger(lfirst_oid(cell)))
			return true;
	}
	return result;
}

IntakeUpsert *
intake_upsert_make(IntakeWriter *writer, const IntakeMergeKey *key,
				   const int *columns, SortSupport comparators, bool is_alone)
{
	IntakeUpsert *upsert = palloc0(sizeof(IntakeUpsert));

	upsert->writer = writer;
	upsert->key = key;
	upsert->columns = columns;
	upsert->has_insert_trigger = intake_upsert_has_insert_trigger(writer->rel);
	upsert->suits_conflict = !upsert->has_insert_trigger &&
		intake_partial_suits_conflict(writer, key);
	if (key->is_deferrable && !intake_heap_upsert_applies(writer))
		report_deferrable(key);
	if (is_alone && intake_heap_upsert_applies(writer))
	{
		upsert->heap = palloc0(sizeof(IntakeHeapUpsert));
		upsert->heap->writer = writer;
		upsert->heap->key = key;
		upsert->heap->columns = columns;
		upsert->heap->comparators = comparators;
		upsert->heap->is_final = key->is_deferrable ||
			!upsert->suits_conflict;
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

/* Whether an update sets the column in some row. */
static bool
is_updated(const IntakeWriter *writer, const IntakeMergeKey *key, int column)
{
	AttrNumber	attnum = writer->columns->columns[column].attnum;

	return intake_merge_key_sets(key, attnum) &&
		intake_partial_may_set(writer, column);
}

/* The action of ON CONFLICT: the row is replaced, or kept. */
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

		if (!is_updated(writer, key, i))
			continue;
		name = intake_sql_column(writer->rel, columns->columns[i].attnum);
		appendStringInfoString(sql, separator);
		intake_partial_append_set(sql, writer, i,
								  psprintf("excluded.%s", name), "-1");
		separator = ", ";
	}
	/* Nothing but the key: an update that changes nothing. */
	if (separator[0] == '\0')
	{
		const char *name = intake_sql_column(writer->rel, key->attnums[0]);

		appendStringInfo(sql, "%s = excluded.%s", name, name);
	}
	appendStringInfoString(sql, " WHERE " INTAKE_SQL_CONFLICT);
	intake_partial_append_condition(sql, writer, "-1");
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

/* "t.a = b.c1 AND ...": the row and the record have the same key. */
static void
append_same_key(StringInfo sql, const IntakeUpsert *upsert,
				const IntakeStatement *statement)
{
	const IntakeMergeKey *key = upsert->key;
	int			i;
	int			field;

	for (i = 0; i < key->ncolumns; i++)
	{
		for (field = 0; statement->fields[field] != upsert->columns[i];)
			field++;
		appendStringInfo(sql, "%st.%s %s b.c%d%s", i > 0 ? " AND " : "",
						 intake_sql_column(upsert->writer->rel,
										   key->attnums[i]),
						 intake_sql_operator(key->eq_operators[i]), field + 1,
						 intake_sql_collation(key->collations[i]));
	}
}

/* A statement over the columns that the payload has mentioned so far. */
static IntakeStatement *
begin_statement(IntakeUpsert *upsert)
{
	int			nfields;
	int		   *fields = intake_insert_fields(upsert->writer, &nfields);

	return intake_sql_make(upsert->writer, upsert->writer->columns, fields,
						   nfields);
}

/* "a = b.c1, ...": what an UPDATE sets. */
static void
append_sets(StringInfo sql, const IntakeUpsert *upsert,
			const IntakeStatement *statement)
{
	const IntakeWriter *writer = upsert->writer;
	const char *separator = "";
	int			field = 0;
	int			i;

	for (i = 0; i < writer->columns->ncolumns; i++)
	{
		bool		is_field = field < statement->nfields &&
			statement->fields[field] == i;
		StringInfoData value;

		field += is_field;
		if (!is_updated(writer, upsert->key, i))
			continue;
		initStringInfo(&value);
		if (is_field)
			intake_partial_append_value(&value, statement, field - 1);
		else
			appendStringInfoString(&value, intake_partial_default(writer, i));
		appendStringInfoString(sql, separator);
		intake_partial_append_set(sql, writer, i, value.data, "b.place");
		separator = ", ";
	}
	if (separator[0] == '\0')
		appendStringInfo(sql, "%1$s = t.%1$s",
						 intake_sql_column(writer->rel,
										   upsert->key->attnums[0]));
}

/* UPDATE ... FROM: rows that are there. */
static IntakeStatement *
make_update(IntakeUpsert *upsert)
{
	IntakeWriter *writer = upsert->writer;
	IntakeStatement *statement = begin_statement(upsert);
	StringInfoData sql;

	initStringInfo(&sql);
	appendStringInfo(&sql, "UPDATE %s%s AS t SET ", intake_sql_only(writer->rel),
					 intake_sql_relation(writer->rel));
	append_sets(&sql, upsert, statement);
	appendStringInfoString(&sql, " FROM ");
	intake_sql_append_source(&sql, statement);
	appendStringInfoString(&sql, " WHERE ");
	append_same_key(&sql, upsert, statement);
	intake_partial_append_condition(&sql, writer, "b.place");
	statement->sql = sql.data;
	return statement;
}

/*
 * Where the transaction's snapshot lasts, rows that it does not see are there
 * all the same: ON CONFLICT DO NOTHING raises 40001 for them, a plain INSERT
 * 23505.  A row that policies hide must not go that way, which skips it.
 */
static bool
reports_unseen(const IntakeWriter *writer)
{
	return IsolationUsesXactSnapshot() &&
		check_enable_rls(RelationGetRelid(writer->rel), InvalidOid,
						 true) != RLS_ENABLED;
}

/*
 * INSERT ... WHERE NOT EXISTS: rows that are new.  OFFSET keeps the subquery
 * one: as an anti-join it could read the whole batch before the first row is
 * written (a right anti-join, from 16 on), and positions would be lost.
 */
static IntakeStatement *
make_insert(IntakeUpsert *upsert)
{
	IntakeWriter *writer = upsert->writer;
	IntakeStatement *statement = begin_statement(upsert);
	StringInfoData sql;

	initStringInfo(&sql);
	appendStringInfo(&sql, "INSERT INTO %s ",
					 intake_sql_relation(writer->rel));
	intake_insert_append_columns(&sql, writer, statement->fields,
								 statement->nfields);
	appendStringInfoString(&sql, "SELECT ");
	intake_sql_append_fields(&sql, statement);
	appendStringInfoString(&sql, " FROM ");
	intake_sql_append_source(&sql, statement);
	appendStringInfo(&sql, " WHERE NOT EXISTS (SELECT FROM %s%s AS t WHERE ",
					 intake_sql_only(writer->rel),
					 intake_sql_relation(writer->rel));
	append_same_key(&sql, upsert, statement);
	appendStringInfoString(&sql, " OFFSET 0) AND " INTAKE_SQL_POSITION);
	if (reports_unseen(writer))
	{
		appendStringInfoString(&sql, " ON CONFLICT ");
		append_arbiter(&sql, writer, upsert->key);
		appendStringInfoString(&sql, " DO NOTHING");
	}
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
	counters->rows_skipped += Max(0, nrows - inserted - updated);
}

/* Updates what is there, then inserts what is not. */
static void
update_and_insert(IntakeUpsert *upsert, IntakeBatch *batch)
{
	int64		updated = 0;
	int64		inserted;

	if (upsert->update == NULL)
	{
		upsert->update = make_update(upsert);
		upsert->insert = make_insert(upsert);
	}
	if (upsert->writer->options->existing != INTAKE_EXISTING_KEEP)
		updated = intake_sql_run(upsert->update, batch, false);
	inserted = intake_sql_run(upsert->insert, batch, false);
	count_rows(upsert, batch->nrows, inserted, updated);
}

/* Makes statements anew once rows with steps come, which set more columns. */
static void
follow_partial(IntakeUpsert *upsert, IntakeBatch *batch)
{
	IntakePartial *partial = upsert->writer->partial;

	if (partial == NULL)
		return;
	intake_partial_restore(partial, batch);
	if (partial->has_steps && !upsert->has_steps)
		upsert->statement = upsert->update = upsert->insert = NULL;
	upsert->has_steps = partial->has_steps;
}

/* By SQL: statements live as long as the upsert does. */
static void
upsert_by_sql(IntakeUpsert *upsert, IntakeBatch *batch)
{
	MemoryContext old = MemoryContextSwitchTo(GetMemoryChunkContext(upsert));
	IntakeStatement *statement;

	if (!upsert->suits_conflict)
		update_and_insert(upsert, batch);
	else
	{
		if (upsert->statement == NULL)
			upsert->statement = make_statement(upsert->writer, upsert->key);
		statement = upsert->statement;
		statement->inserted = statement->updated = 0;
		(void) intake_sql_run(statement, batch, false);
		count_rows(upsert, batch->nrows, statement->inserted,
				   statement->updated);
	}
	MemoryContextSwitchTo(old);
}

void
intake_upsert_batch(IntakeUpsert *upsert, IntakeBatch *batch)
{
	follow_partial(upsert, batch);
	if (upsert->heap == NULL || !intake_heap_upsert_batch(upsert->heap, batch))
		upsert_by_sql(upsert, batch);
	else
		count_rows(upsert, batch->nrows, upsert->heap->inserted,
				   upsert->heap->updated);
}

void
intake_upsert_part(IntakeUpsert *upsert, IntakeBatch *batch)
{
	if (upsert->heap == NULL || batch->nrows == 1)
	{
		intake_upsert_batch(upsert, batch);
		return;
	}
	follow_partial(upsert, batch);
	intake_heap_upsert_once(upsert->heap, batch);
	count_rows(upsert, batch->nrows, upsert->heap->inserted,
			   upsert->heap->updated);
}
