/*-------------------------------------------------------------------------
 *
 * write_merge.c
 *	  Mode merge: rows are inserted, replaced or deleted by a unique key.
 *
 * [rows] --tuplesort by key--> last record of each key --+-> delete batches
 *														  +-> upsert batches
 *
 * All deletes go before all upserts, so that a row may take over a value that
 * a second unique index had from a deleted one: where there are both, the
 * upserts wait in a stage.
 *
 * The sort is by the operator classes and collations of the unique index, so
 * that equal keys are just those that the index takes for equal; records of
 * one key come last one first, and the others are dropped.
 *
 * Locks: a merge of one batch that only upserts by the primary key, where that
 * is the only unique index, locks its rows in the order of the key and shares
 * the table lock: two of them cannot deadlock, nor meet in another index.
 * Every other merge takes the table lock exclusively.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/sortsupport.h"
#include "utils/tuplesort.h"
#include "utils/typcache.h"

#include "compat.h"
#include "settings.h"
#include "write/insert.h"
#include "write/lock.h"
#include "write/merge_key.h"
#include "write/stage.h"
#include "write/truncate.h"
#include "write/write_sql.h"

typedef struct MergeState
{
	IntakeMergeKey *key;
	int		   *key_columns;	/* column numbers of the key */
	TupleDesc	desc;			/* of staged rows */
	Tuplesortstate *sort;
	SortSupport comparators;
	TupleTableSlot *input;
	TupleTableSlot *output;
	int			nbatches;		/* taken */
	bool		has_upserts;
	bool		has_deletes;

	/* phase 2 */
	IntakeStage *waiting;		/* upserts, while there are deletes; or NULL */
	IntakeBatch *upserts;
	IntakeBatch *deletes;
	IntakeStatement *upsert;
	IntakeStatement *delete;
} MergeState;

/* The number of the column with this attribute number. */
static int
column_of_attnum(const IntakeColumnSet *columns, AttrNumber attnum)
{
	int			i;

	for (i = 0; i < columns->ncolumns; i++)
	{
		if (columns->columns[i].attnum == attnum)
			return i;
	}
	elog(ERROR, "attribute %d is no column of the set", attnum);
	return -1;					/* not reached */
}

/* Begins the sort by key and, within a key, by record, newest first. */
static void
begin_sort(IntakeWriter *writer, MergeState *state)
{
	int			n = state->key->ncolumns;
	AttrNumber *attnums = palloc((n + 1) * sizeof(AttrNumber));
	Oid		   *operators = palloc((n + 1) * sizeof(Oid));
	Oid		   *collations = palloc0((n + 1) * sizeof(Oid));
	bool	   *nulls_first = palloc0((n + 1) * sizeof(bool));
	int			i;

	state->comparators = palloc0(n * sizeof(SortSupportData));
	for (i = 0; i < n; i++)
	{
		SortSupport comparator = &state->comparators[i];

		state->key_columns[i] = column_of_attnum(writer->columns,
												 state->key->attnums[i]);
		attnums[i] = state->key_columns[i] + 1;
		operators[i] = state->key->lt_operators[i];
		collations[i] = state->key->collations[i];
		comparator->ssup_cxt = CurrentMemoryContext;
		comparator->ssup_collation = collations[i];
		PrepareSortSupportFromOrderingOp(operators[i], comparator);
	}
	attnums[n] = writer->columns->ncolumns + 1;
	operators[n] = lookup_type_cache(INT8OID, TYPECACHE_GT_OPR)->gt_opr;
	state->sort = intake_tuplesort_begin_heap(state->desc, n + 1, attnums,
											  operators, collations,
											  nulls_first,
											  intake_stage_memory);
}

static void
begin_merge(IntakeWriter *writer)
{
	MergeState *state = palloc0(sizeof(MergeState));

	state->key = intake_merge_key(writer->rel, writer->options->key);
	state->key_columns = palloc(state->key->ncolumns * sizeof(int));
	state->desc = intake_stage_desc(writer->columns);
	state->input = MakeSingleTupleTableSlot(state->desc, &TTSOpsVirtual);
	begin_sort(writer, state);
	writer->state = state;
}

/* What is to be done with a row: the request's sys_op, else its own. */
static bool
is_delete(const IntakeWriter *writer, const IntakeRow *row)
{
	int			column = writer->columns->sys_op;

	if (writer->sys_op >= 0)
		return writer->sys_op == 1;
	return column >= 0 && !row->nulls[column] &&
		DatumGetInt16(row->values[column]) == 1;
}

static void
take_merge(IntakeWriter *writer, IntakeBatch *batch)
{
	MergeState *state = writer->state;
	TupleTableSlot *slot = state->input;
	int			i;

	state->nbatches++;
	for (i = 0; i < batch->nrows; i++)
	{
		IntakeRow  *row = &batch->rows[i];

		if (is_delete(writer, row))
			state->has_deletes = true;
		else
			state->has_upserts = true;
		ExecClearTuple(slot);
		intake_stage_form(row, batch->ncolumns, slot->tts_values,
						  slot->tts_isnull);
		ExecStoreVirtualTuple(slot);
		tuplesort_puttupleslot(state->sort, slot);
	}
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

/*
 * Whether an update has to set the column.  A key that stays the same to the
 * byte is left alone: setting it would lock the row against foreign keys
 * that refer to it.
 */
static bool
is_set_by_update(const IntakeMergeKey *key, AttrNumber attnum)
{
	int			i;

	for (i = 0; i < key->ncolumns; i++)
	{
		if (key->attnums[i] == attnum)
			return !key->is_bitwise[i];
	}
	return attnum != 0;
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

		if (!is_set_by_update(key, columns->columns[i].attnum))
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
make_upsert(IntakeWriter *writer, MergeState *state)
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
	append_arbiter(&sql, writer, state->key);
	appendStringInfoString(&sql, " DO ");
	append_action(&sql, writer, state->key);
	appendStringInfoString(&sql,
						   " RETURNING " INTAKE_SQL_WRITTEN ")"
						   " SELECT pg_catalog.count(*) FROM w");
	statement->is_positioned = true;
	statement->sql = sql.data;
	return statement;
}

/* DELETE ... USING, by the key. */
static IntakeStatement *
make_delete(IntakeWriter *writer, MergeState *state)
{
	IntakeStatement *statement = intake_sql_make(writer, writer->columns,
												 state->key_columns,
												 state->key->ncolumns);
	StringInfoData sql;
	int			i;

	initStringInfo(&sql);
	appendStringInfo(&sql, "DELETE FROM %s AS t USING ",
					 intake_sql_relation(writer->rel));
	intake_sql_append_source(&sql, statement);
	for (i = 0; i < state->key->ncolumns; i++)
		appendStringInfo(&sql, " %s t.%s %s b.c%d%s",
						 i == 0 ? "WHERE" : "AND",
						 intake_sql_column(writer->rel, state->key->attnums[i]),
						 intake_sql_operator(state->key->eq_operators[i]),
						 i + 1,
						 intake_sql_collation(state->key->collations[i]));
	statement->sql = sql.data;
	return statement;
}

/* Writes the rows that wait to be upserted. */
static void
flush_upserts(IntakeWriter *writer, MergeState *state)
{
	IntakeCounters *counters = writer->counters;

	if (state->upserts->nrows == 0)
		return;
	if (state->upsert == NULL)
		state->upsert = make_upsert(writer, state);
	state->upsert->inserted = state->upsert->updated = 0;
	(void) intake_sql_run(state->upsert, state->upserts, false);
	counters->rows_inserted += state->upsert->inserted;
	counters->rows_updated += state->upsert->updated;
	counters->rows_skipped += state->upserts->nrows -
		state->upsert->inserted - state->upsert->updated;
	intake_batch_clear(state->upserts);
}

/* Writes the batch of upserts, or leaves it until all deletes are done. */
static void
pass_upserts(IntakeWriter *writer, MergeState *state)
{
	if (state->waiting == NULL)
	{
		flush_upserts(writer, state);
		return;
	}
	intake_stage_put(state->waiting, state->upserts);
	intake_batch_clear(state->upserts);
}

/* Writes the upserts that have waited. */
static void
flush_waiting(IntakeWriter *writer, MergeState *state)
{
	while (intake_stage_get(state->waiting, state->upserts, writer->defaults))
		flush_upserts(writer, state);
	intake_stage_end(state->waiting);
}

/* Deletes the rows whose keys wait to be deleted. */
static void
flush_deletes(IntakeWriter *writer, MergeState *state)
{
	if (state->deletes->nrows == 0)
		return;
	if (state->delete == NULL)
		state->delete = make_delete(writer, state);
	writer->counters->rows_deleted +=
		intake_sql_run(state->delete, state->deletes, true);
	intake_batch_clear(state->deletes);
}

/* Whether the sorted row has the key of the one before it. */
static bool
is_superseded(const MergeState *state, TupleTableSlot *slot,
			  const TupleTableSlot *last)
{
	int			i;

	if (TTS_EMPTY(last))
		return false;
	for (i = 0; i < state->key->ncolumns; i++)
	{
		int			column = state->key_columns[i];

		if (ApplySortComparator(slot->tts_values[column], false,
								last->tts_values[column], false,
								&state->comparators[i]) != 0)
			return false;
	}
	return true;
}

/* Copies a sorted row to the end of a batch. */
static void
add_row(IntakeWriter *writer, IntakeBatch *batch, TupleTableSlot *sorted)
{
	TupleTableSlot *slot = ((MergeState *) writer->state)->output;
	MemoryContext old = MemoryContextSwitchTo(batch->context);
	IntakeRow  *row = intake_batch_next(batch);

	ExecStoreMinimalTuple(ExecCopySlotMinimalTuple(sorted), slot, false);
	intake_stage_deform(slot, batch->ncolumns, row);
	intake_defaults_complete_late(writer->defaults, row);
	ExecClearTuple(slot);
	MemoryContextSwitchTo(old);
}

/* Adds a key's last record to the batch that it belongs to. */
static void
apply_row(IntakeWriter *writer, MergeState *state, TupleTableSlot *sorted)
{
	IntakeRow	row = {0};
	IntakeBatch *batch;

	row.values = sorted->tts_values;
	row.nulls = sorted->tts_isnull;
	batch = is_delete(writer, &row) ? state->deletes : state->upserts;
	add_row(writer, batch, sorted);
	batch->nrows++;
	if (intake_batch_is_full(state->upserts))
		pass_upserts(writer, state);
	if (intake_batch_is_full(state->deletes))
		flush_deletes(writer, state);
}

/* Applies the last record of each key. */
static void
apply_sorted(IntakeWriter *writer, MergeState *state)
{
	TupleTableSlot *slot = MakeSingleTupleTableSlot(state->desc,
													&TTSOpsMinimalTuple);
	TupleTableSlot *last = MakeSingleTupleTableSlot(state->desc,
													&TTSOpsMinimalTuple);

	while (tuplesort_gettupleslot(state->sort, true, true, slot, NULL))
	{
		TupleTableSlot *other = last;

		slot_getallattrs(slot);
		if (is_superseded(state, slot, last))
			continue;
		apply_row(writer, state, slot);
		last = slot;
		slot = other;
	}
	pass_upserts(writer, state);
	flush_deletes(writer, state);
	if (state->waiting != NULL)
		flush_waiting(writer, state);
	ExecDropSingleTupleTableSlot(slot);
	ExecDropSingleTupleTableSlot(last);
}

static void
finish_merge(IntakeWriter *writer)
{
	MergeState *state = writer->state;
	bool		is_truncating;
	bool		is_shared;

	is_truncating = writer->options->truncate != INTAKE_TRUNCATE_NO;
	is_shared = state->nbatches <= 1 && state->key->is_primary &&
		state->key->is_only && !state->has_deletes && !is_truncating;
	intake_table_lock(writer->target, !is_shared);
	if (is_truncating)
		intake_truncate(writer);

	state->output = MakeSingleTupleTableSlot(state->desc,
											 &TTSOpsMinimalTuple);
	if (state->has_deletes && state->has_upserts)
		state->waiting = intake_stage_make(writer->columns);
	state->upserts = intake_batch_make(writer->columns->ncolumns);
	state->deletes = intake_batch_make(writer->columns->ncolumns);
	tuplesort_performsort(state->sort);
	apply_sorted(writer, state);

	ExecDropSingleTupleTableSlot(state->input);
	ExecDropSingleTupleTableSlot(state->output);
	tuplesort_end(state->sort);
}

const IntakeWriteRoutine intake_write_merge = {
	"merge", begin_merge, take_merge, finish_merge
};
