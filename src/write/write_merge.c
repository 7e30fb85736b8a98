/*-------------------------------------------------------------------------
 *
 * write_merge.c
 *	  Mode merge: rows are inserted, replaced or deleted by a unique key.
 *
 * [rows] --merge_order.c--> last record of each key --+-> delete batches
 *													   +-> upsert batches
 *
 * All deletes go before all upserts, so that a row may take over a value that
 * a second unique index had from a deleted one: where there are both, the
 * upserts wait in a stage.
 *
 * Records of one key come last one first, and the others are dropped.  In a
 * partial merge (partial.h) they come as they came, and combine.c makes one of
 * them.
 *
 * Where bad rows are tolerated, the records of a key that a later one replaces
 * wait in merge_older.c until it is known whether that one is good.
 *
 * Locks: a merge of one batch that only upserts by the primary key, where that
 * is the only unique index, by ON CONFLICT, locks its rows in the order of the
 * key and shares the table lock: two of them cannot deadlock, nor meet in
 * another index.
 * Every other merge takes the table lock exclusively, as does one that may
 * come back to a key.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "lib/stringinfo.h"

#include "write/combine.h"
#include "write/hold.h"
#include "write/lock.h"
#include "write/merge_key.h"
#include "write/merge_older.h"
#include "write/merge_order.h"
#include "write/partial_sql.h"
#include "write/stage.h"
#include "write/tolerate.h"
#include "write/truncate.h"
#include "write/upsert.h"
#include "write/write_sql.h"

typedef struct MergeState
{
	IntakeMergeKey *key;
	IntakeMergeOrder *order;
	int			nbatches;		/* taken */
	bool		has_upserts;
	bool		has_deletes;
	bool		is_shared;		/* so is the table lock */

	/* phase 2 */
	TupleTableSlot *output;
	IntakeStage *waiting;		/* upserts, while there are deletes; or NULL */
	IntakeBatch *upserts;
	IntakeBatch *deletes;
	IntakeUpsert *upsert;
	IntakeStatement *delete;
	IntakeStatement *look;		/* for rows that a delete has left alone */

	/* where bad rows are tolerated, else NULL */
	IntakeTolerance *upsert_tolerance;
	IntakeTolerance *delete_tolerance;
	IntakeMergeOlder *older;
	IntakePartial *partial;		/* the writer's */
} MergeState;

static void
begin_merge(IntakeWriter *writer)
{
	MergeState *state = palloc0(sizeof(MergeState));

	state->key = intake_merge_key(writer->rel, writer->options->key);
	state->order = intake_merge_order_make(writer->columns, state->key,
										   writer->partial != NULL);
	writer->state = state;
	writer->is_staged = true;
}

/* Notes what each row gives, where that counts. */
static void
note_rows(IntakePartial *partial, IntakeBatch *batch)
{
	MemoryContext old;
	int			i;

	if (partial == NULL)
		return;
	old = MemoryContextSwitchTo(batch->context);
	for (i = 0; i < batch->nrows; i++)
		intake_partial_note(partial, &batch->rows[i]);
	MemoryContextSwitchTo(old);
}

static void
take_merge(IntakeWriter *writer, IntakeBatch *batch)
{
	MergeState *state = writer->state;
	int			i;

	state->nbatches++;
	note_rows(writer->partial, batch);
	for (i = 0; i < batch->nrows; i++)
	{
		if (intake_columns_is_delete(writer->columns, writer->sys_op,
									 &batch->rows[i]))
			state->has_deletes = true;
		else
			state->has_upserts = true;
	}
	intake_merge_order_put(state->order, batch);
}

/* A statement over the rows that have the keys of the batch. */
static IntakeStatement *
make_by_key(IntakeWriter *writer, MergeState *state, const char *command,
			const char *using, bool is_guarded)
{
	const int  *columns = intake_merge_order_columns(state->order);
	IntakeStatement *statement = intake_sql_make(writer, writer->columns,
												 columns,
												 state->key->ncolumns);
	StringInfoData sql;
	int			i;

	initStringInfo(&sql);
	appendStringInfo(&sql, "%s FROM %s%s AS t%s ", command,
					 intake_sql_only(writer->rel),
					 intake_sql_relation(writer->rel), using);
	intake_sql_append_source(&sql, statement);
	for (i = 0; i < state->key->ncolumns; i++)
		appendStringInfo(&sql, " %s t.%s %s b.c%d%s",
						 i == 0 ? "WHERE" : "AND",
						 intake_sql_column(writer->rel, state->key->attnums[i]),
						 intake_sql_operator(state->key->eq_operators[i]),
						 i + 1,
						 intake_sql_collation(state->key->collations[i]));
	if (is_guarded)
		intake_partial_append_condition(&sql, writer, "b.place");
	statement->sql = sql.data;
	return statement;
}

static void
upsert_rows(void *arg, IntakeBatch *batch)
{
	MergeState *state = arg;

	intake_upsert_part(state->upsert, batch);
}

/* Deletes, and counts the rows that are left alone, being newer. */
static void
delete_rows(void *arg, IntakeBatch *batch)
{
	MergeState *state = arg;
	IntakeCounters *counters = state->delete->writer->counters;
	int64		deleted = intake_sql_run(state->delete, batch, true);

	counters->rows_deleted += deleted;
	if (state->look != NULL && deleted < batch->nrows)
		counters->rows_skipped += intake_sql_run(state->look, batch, false);
}

/*
 * A row was refused.  One that stands for several records is no bad record:
 * they are written one by one.
 */
static bool
note_refused(void *arg, const IntakeRow *row)
{
	MergeState *state = arg;

	intake_merge_older_refuse(state->older, row->record);
	return state->partial == NULL ||
		!intake_partial_is_combined(state->partial, row);
}

static const IntakeToleranceRoutine upsert_routine = {
	upsert_rows, note_refused, true
};

static const IntakeToleranceRoutine delete_routine = {
	delete_rows, note_refused, true
};

/* Bad rows are to be set aside. */
static void
begin_tolerance(IntakeWriter *writer, MergeState *state)
{
	state->upsert_tolerance = intake_tolerance_make(writer, &upsert_routine,
													state);
	state->delete_tolerance = intake_tolerance_make(writer, &delete_routine,
													state);
	state->older = intake_merge_older_make(writer->columns,
										   writer->partial != NULL);
	state->partial = writer->partial;
}

/* Writes the rows that wait to be upserted. */
static void
flush_upserts(IntakeWriter *writer, MergeState *state)
{
	if (state->upserts->nrows == 0)
		return;
	if (state->upsert == NULL)
		state->upsert =
			intake_upsert_make(writer, state->key,
							   intake_merge_order_columns(state->order),
							   intake_merge_order_comparators(state->order),
							   !state->is_shared);
	if (state->upsert_tolerance != NULL)
		intake_tolerance_write(state->upsert_tolerance, state->upserts);
	else
		intake_upsert_batch(state->upsert, state->upserts);
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

/* Whether rows may be newer than the record that deletes them. */
static bool
counts_left_alone(const IntakeWriter *writer)
{
	return writer->partial != NULL && writer->partial->newer_by >= 0;
}

/* Deletes the rows whose keys wait to be deleted. */
static void
flush_deletes(IntakeWriter *writer, MergeState *state)
{
	if (state->deletes->nrows == 0)
		return;
	if (state->delete == NULL)
		state->delete = make_by_key(writer, state, "DELETE", " USING", true);
	if (state->look == NULL && counts_left_alone(writer))
		state->look = make_by_key(writer, state, "SELECT", ",", false);
	if (state->delete_tolerance != NULL)
		intake_tolerance_write(state->delete_tolerance, state->deletes);
	else
		delete_rows(state, state->deletes);
	intake_batch_clear(state->deletes);
}

/* For a sorted row. */
static TupleTableSlot *
make_sorted_slot(const MergeState *state)
{
	return MakeSingleTupleTableSlot(intake_merge_order_desc(state->order),
									&TTSOpsMinimalTuple);
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

/* Adds the row that a key comes to to the batch that it belongs to. */
static void
apply_row(IntakeWriter *writer, MergeState *state, TupleTableSlot *sorted)
{
	IntakeRow	row = {0};
	IntakeBatch *batch;

	row.values = sorted->tts_values;
	row.nulls = sorted->tts_isnull;
	batch = intake_columns_is_delete(writer->columns, writer->sys_op, &row) ?
		state->deletes : state->upserts;
	add_row(writer, batch, sorted);
	batch->nrows++;
	if (intake_batch_is_full(state->upserts))
		pass_upserts(writer, state);
	if (intake_batch_is_full(state->deletes))
		flush_deletes(writer, state);
}

/* Keeps a record that the last one of its key replaces. */
static void
keep_older(IntakeWriter *writer, MergeState *state, TupleTableSlot *last,
		   TupleTableSlot *slot)
{
	int			n = writer->columns->ncolumns;

	if (state->older != NULL)
		intake_merge_older_put(state->older,
							   DatumGetInt64(last->tts_values[n]), slot);
}

/*
 * Applies, one by one, the records whose key's later ones were refused; in a
 * partial merge, those of keys whose one row was refused.
 */
static void
apply_older(IntakeWriter *writer, MergeState *state)
{
	TupleTableSlot *slot =
		MakeSingleTupleTableSlot(intake_merge_order_desc(state->order),
								 &TTSOpsVirtual);

	while (intake_merge_older_next(state->older, slot))
	{
		apply_row(writer, state, slot);
		flush_upserts(writer, state);
		flush_deletes(writer, state);
		intake_tolerance_finish(state->delete_tolerance);
		intake_tolerance_finish(state->upsert_tolerance);
	}
	intake_merge_older_end(state->older);
	ExecDropSingleTupleTableSlot(slot);
}

/* Applies the last record of each key. */
static void
apply_last(IntakeWriter *writer, MergeState *state)
{
	TupleTableSlot *slot = make_sorted_slot(state);
	TupleTableSlot *last = make_sorted_slot(state);

	while (intake_merge_order_next(state->order, slot))
	{
		TupleTableSlot *other = last;

		slot_getallattrs(slot);
		if (!TTS_EMPTY(last) &&
			intake_merge_order_compare(state->order, last->tts_values,
									   slot->tts_values) == 0)
		{
			keep_older(writer, state, last, slot);
			continue;
		}
		apply_row(writer, state, slot);
		last = slot;
		slot = other;
	}
	ExecDropSingleTupleTableSlot(slot);
	ExecDropSingleTupleTableSlot(last);
}

/* Applies the only record of a key, or what all of them come to. */
static void
apply_key(IntakeWriter *writer, MergeState *state, TupleTableSlot *first,
		  IntakeCombiner *combiner, bool is_combined)
{
	if (is_combined)
		apply_row(writer, state, intake_combiner_end(combiner));
	else if (!TTS_EMPTY(first))
		apply_row(writer, state, first);
}

/* Applies what the records of each key come to. */
static void
apply_combined(IntakeWriter *writer, MergeState *state)
{
	IntakeCombiner *combiner =
		intake_combiner_make(writer->partial,
							 intake_merge_order_desc(state->order));
	TupleTableSlot *slot = make_sorted_slot(state);
	TupleTableSlot *first = make_sorted_slot(state);
	bool		is_combined = false;

	while (intake_merge_order_next(state->order, slot))
	{
		TupleTableSlot *other = first;

		slot_getallattrs(slot);
		if (!TTS_EMPTY(first) &&
			intake_merge_order_compare(state->order, first->tts_values,
									   slot->tts_values) == 0)
		{
			if (!is_combined)
			{
				intake_combiner_begin(combiner, first);
				keep_older(writer, state, first, first);
			}
			intake_combiner_add(combiner, slot);
			keep_older(writer, state, first, slot);
			is_combined = true;
			continue;
		}
		apply_key(writer, state, first, combiner, is_combined);
		is_combined = false;
		first = slot;
		slot = other;
	}
	apply_key(writer, state, first, combiner, is_combined);
	intake_combiner_free(combiner);
	ExecDropSingleTupleTableSlot(slot);
	ExecDropSingleTupleTableSlot(first);
}

/* Applies the staged rows, in the order of the key. */
static void
apply_sorted(IntakeWriter *writer, MergeState *state)
{
	if (writer->partial != NULL)
		apply_combined(writer, state);
	else
		apply_last(writer, state);
	pass_upserts(writer, state);
	flush_deletes(writer, state);
	if (state->delete_tolerance != NULL)
		intake_tolerance_finish(state->delete_tolerance);
	if (state->waiting != NULL)
		flush_waiting(writer, state);
	if (state->older != NULL)
	{
		intake_tolerance_finish(state->upsert_tolerance);
		apply_older(writer, state);
	}
}

/*
 * The key as the target's indexes are now, which may have changed while the
 * payload came: rows are staged by what the new one must still be.
 */
static void
renew_key(IntakeWriter *writer, MergeState *state)
{
	IntakeMergeKey *key = intake_merge_key(writer->rel, writer->options->key);

	if (!intake_merge_key_sorts_alike(key, state->key))
		intake_hold_report_changed(writer->rel);
	state->key = key;
}

static void
finish_merge(IntakeWriter *writer)
{
	MergeState *state = writer->state;
	bool		is_truncating;

	renew_key(writer, state);
	is_truncating = writer->options->truncate != INTAKE_TRUNCATE_NO;
	state->is_shared = state->nbatches <= 1 && state->key->is_primary &&
		state->key->is_only && !state->key->is_deferrable &&
		!intake_upsert_has_insert_trigger(writer->rel) &&
		intake_partial_suits_conflict(writer, state->key) &&
		!state->has_deletes && !is_truncating && writer->rejects == NULL;
	intake_table_lock(writer->target,
					  writer->is_exclusive || !state->is_shared);
	if (is_truncating)
		intake_truncate(writer);

	state->output = make_sorted_slot(state);
	if (state->has_deletes && state->has_upserts)
		state->waiting = intake_stage_make(writer->columns);
	state->upserts = intake_batch_make(writer->columns->ncolumns,
									   INTAKE_MERGE_ROWS);
	state->deletes = intake_batch_make(writer->columns->ncolumns,
									   INTAKE_BATCH_ROWS);
	if (writer->rejects != NULL)
		begin_tolerance(writer, state);
	intake_merge_order_begin(state->order);
	apply_sorted(writer, state);

	ExecDropSingleTupleTableSlot(state->output);
	intake_merge_order_end(state->order);
}

const IntakeWriteRoutine intake_write_merge = {
	"merge", begin_merge, take_merge, finish_merge
};
