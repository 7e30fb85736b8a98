/*-------------------------------------------------------------------------
 *
 * write_replace.c
 *	  Mode replace: the rows that share a replacing key with the payload are
 *	  deleted, then all records are inserted.
 *
 * Phase 1 stages the rows and, beside them, their keys; nothing of the
 * target is touched.  Phase 2 takes the exclusive table lock, deletes by the
 * distinct keys and inserts the stage.  So no row of the payload is deleted
 * by another one of it.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "executor/executor.h"
#include "optimizer/optimizer.h"

#include "registry/key.h"
#include "write/insert.h"
#include "write/keys.h"
#include "write/lock.h"
#include "write/stage.h"
#include "write/truncate.h"
#include "write/write.h"

typedef struct ReplaceState
{
	IntakeInsert *insert;
	IntakeStage *stage;
	IntakeKeys *keys;
	EState	   *estate;
	TupleTableSlot *slot;		/* a row in the shape of the relation */
	ExprState **items;			/* compiled key items */
	Datum	   *values;			/* of a key */
	bool	   *nulls;
} ReplaceState;

/* Compiles the key's items so that they can be computed from a row. */
static void
prepare_items(IntakeWriter *writer, ReplaceState *state)
{
	int			n = list_length(writer->key);
	ListCell   *cell;

	state->estate = CreateExecutorState();
	state->slot = MakeSingleTupleTableSlot(RelationGetDescr(writer->rel),
										   &TTSOpsVirtual);
	GetPerTupleExprContext(state->estate)->ecxt_scantuple = state->slot;
	state->items = palloc(n * sizeof(ExprState *));
	state->values = palloc(n * sizeof(Datum));
	state->nulls = palloc(n * sizeof(bool));
	foreach(cell, writer->key)
	{
		const IntakeKeyItem *item = lfirst(cell);
		Expr	   *expr = expression_planner(copyObject(item->expr));

		state->items[foreach_current_index(cell)] = ExecInitExpr(expr, NULL);
	}
}

static void
begin_replace(IntakeWriter *writer)
{
	ReplaceState *state = palloc0(sizeof(ReplaceState));

	state->insert = intake_insert_make(writer);
	state->stage = intake_stage_make(writer->columns);
	if (writer->options->truncate == INTAKE_TRUNCATE_NO)
	{
		state->keys = intake_keys_make(writer);
		prepare_items(writer, state);
	}
	writer->state = state;
	writer->is_staged = true;
}

/* Puts the row into the slot, by the relation's attribute numbers. */
static void
store_row(IntakeWriter *writer, TupleTableSlot *slot, const IntakeRow *row)
{
	int			i;

	ExecClearTuple(slot);
	memset(slot->tts_isnull, true, slot->tts_tupleDescriptor->natts);
	for (i = 0; i < writer->columns->ncolumns; i++)
	{
		AttrNumber	attnum = writer->columns->columns[i].attnum;

		if (attnum == 0)
			continue;
		slot->tts_values[attnum - 1] = row->values[i];
		slot->tts_isnull[attnum - 1] = row->nulls[i];
	}
	ExecStoreVirtualTuple(slot);
}

/* Computes the row's key and adds it to the others. */
static void
put_key(IntakeWriter *writer, ReplaceState *state, const IntakeRow *row)
{
	ExprContext *context = GetPerTupleExprContext(state->estate);
	int			n = list_length(writer->key);
	int			i;

	writer->position->record = row->record;
	writer->position->line = row->line;
	ResetExprContext(context);
	store_row(writer, state->slot, row);
	for (i = 0; i < n; i++)
		state->values[i] = ExecEvalExprSwitchContext(state->items[i], context,
													 &state->nulls[i]);
	intake_keys_put(state->keys, state->values, state->nulls);
}

static void
take_replace(IntakeWriter *writer, IntakeBatch *batch)
{
	ReplaceState *state = writer->state;
	int			i;

	intake_stage_put(state->stage, batch);
	for (i = 0; i < batch->nrows && state->keys != NULL; i++)
		put_key(writer, state, &batch->rows[i]);
	writer->position->record = 0;
}

static void
finish_replace(IntakeWriter *writer)
{
	ReplaceState *state = writer->state;

	intake_table_lock(writer->target, true);
	if (state->keys == NULL)
		intake_truncate(writer);
	else
	{
		writer->counters->rows_deleted =
			intake_keys_delete_rows(state->keys);
		intake_keys_end(state->keys);
		ExecDropSingleTupleTableSlot(state->slot);
		FreeExecutorState(state->estate);
	}
	intake_insert_stage(state->insert, state->stage);
	intake_insert_end(state->insert);
	intake_stage_end(state->stage);
}

const IntakeWriteRoutine intake_write_replace = {
	"replace", begin_replace, take_replace, finish_replace
};
