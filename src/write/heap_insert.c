/*-------------------------------------------------------------------------
 *
 * heap_insert.c
 *	  INSERT without a plan: batches straight into a table or its partitions.
 *
 * row --(defaults)--> slot --partition routing--> BEFORE ROW triggers -->
 *		generated columns --> constraints --> heap_buffer.c: many rows at
 *		once into table, indexes and the queue of AFTER triggers
 *
 * The executor's own routines do each step.  Where a trigger or a default may
 * look at the table while rows come in, rows go in one by one.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/heapam.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "commands/trigger.h"
#include "executor/executor.h"

#include "compat.h"
#include "write/heap_buffer.h"
#include "write/heap_insert.h"
#include "write/heap_route.h"
#include "write/heap_state.h"

struct IntakeHeapInsert
{
	IntakeHeapState state;
	TransitionCaptureState *capture;
	IntakeHeapRoute *route;		/* NULL: not partitioned */
	TupleTableSlot *slot;		/* a row in the shape of the target */
	IntakeHeapBuffers *buffers;
	bool		has_capture;	/* of partitions' rows, by a transition table */
	bool		is_single;		/* rows go in one by one */
};

/* Takes note of the columns that are mentioned by now, and checks rights. */
static void
follow_mentioned(IntakeHeapInsert *insert)
{
	IntakeHeapState *state = &insert->state;
	MemoryContext old;

	if (!intake_heap_state_follow(state))
		return;
	/* the executor keeps the columns, beyond the batch */
	old = MemoryContextSwitchTo(state->context);
	intake_check_rights(state->estate, state->entry, ACL_INSERT, NULL,
						intake_heap_state_columns(state), NULL);
	MemoryContextSwitchTo(old);
	/* such a default may look at the rows that are in the table */
	insert->is_single = insert->has_capture || state->is_volatile;
}

IntakeHeapInsert *
intake_heap_begin(IntakeWriter *writer)
{
	IntakeHeapInsert *insert = palloc0(sizeof(IntakeHeapInsert));
	TriggerDesc *triggers = writer->rel->trigdesc;

	AfterTriggerBeginQuery();
	intake_heap_state_begin(&insert->state, writer, CMD_INSERT);
	insert->capture = MakeTransitionCaptureState(triggers,
												 RelationGetRelid(writer->rel),
												 CMD_INSERT);
	insert->route = intake_heap_route_begin(&insert->state, insert->capture);
	insert->slot = table_slot_create(writer->rel, NULL);

	/*
	 * A transition table of a partitioned table collects rows by the root's
	 * triggers, which the buffers of its partitions do not know.
	 */
	insert->has_capture = insert->route != NULL &&
		triggers != NULL && triggers->trig_insert_new_table;

	CommandCounterIncrement();
	insert->buffers =
		intake_heap_buffers_make(insert->state.estate, insert->capture,
								 GetCurrentCommandId(true), writer->position);
	ExecBSInsertTriggers(insert->state.estate, insert->state.result);
	return insert;
}

/* Puts the row into a slot of the target's shape. */
static void
fill_slot(IntakeHeapInsert *insert, const IntakeRow *row,
		  TupleTableSlot *slot)
{
	ExecClearTuple(slot);
	memset(slot->tts_isnull, true, slot->tts_tupleDescriptor->natts);
	intake_heap_state_fill(&insert->state, row, slot);
	ExecStoreVirtualTuple(slot);
}

static bool
has_before_row_trigger(const ResultRelInfo *result)
{
	return result->ri_TrigDesc != NULL &&
		result->ri_TrigDesc->trig_insert_before_row;
}

/*
 * What a transition table gets: the row as it was routed, unless a trigger
 * may change it.
 */
static void
set_captured_row(IntakeHeapInsert *insert, bool has_before_trigger)
{
	if (insert->capture != NULL)
		insert->capture->tcs_original_insert_tuple =
			insert->route != NULL && !has_before_trigger ?
			insert->slot : NULL;
}

/* Inserts one row at once; false when a trigger leaves it out. */
static bool
insert_single(IntakeHeapInsert *insert, ResultRelInfo *result,
			  TupleTableSlot *slot)
{
	bool		has_before_trigger = has_before_row_trigger(result);

	intake_heap_buffers_settle(insert->buffers);
	set_captured_row(insert, has_before_trigger);
	if (has_before_trigger &&
		!ExecBRInsertTriggers(insert->state.estate, result, slot))
		return false;
	intake_heap_state_check(&insert->state, result, slot, CMD_INSERT,
							insert->route == NULL || has_before_trigger);
	intake_heap_buffers_insert_now(insert->buffers, result, slot);
	return true;
}

/* Inserts one row, or leaves it in the buffer of its table. */
static bool
insert_row(IntakeHeapInsert *insert, const IntakeRow *row)
{
	ResultRelInfo *result = insert->state.result;
	TupleTableSlot *slot = insert->slot;

	if (insert->route == NULL && !insert->is_single &&
		!has_before_row_trigger(result))
	{
		slot = intake_heap_buffers_next(insert->buffers, result, row);
		fill_slot(insert, row, slot);
	}
	else
	{
		fill_slot(insert, row, slot);
		if (insert->route != NULL)
			result = intake_heap_route_slot(insert->route, slot);
		if (insert->is_single || has_before_row_trigger(result))
		{
			slot = intake_heap_buffers_single(insert->buffers, result);
			slot = intake_heap_route_shape(insert->state.estate, result,
										   insert->slot, slot);
			slot->tts_tableOid = RelationGetRelid(result->ri_RelationDesc);
			return insert_single(insert, result, slot);
		}
		slot = intake_heap_buffers_next(insert->buffers, result, row);
		intake_heap_route_shape(insert->state.estate, result, insert->slot,
								slot);
	}
	slot->tts_tableOid = RelationGetRelid(result->ri_RelationDesc);
	intake_heap_state_check(&insert->state, result, slot, CMD_INSERT,
							insert->route == NULL);
	intake_heap_buffers_keep(insert->buffers, result);
	return true;
}

int64
intake_heap_insert(IntakeHeapInsert *insert, IntakeBatch *batch)
{
	MemoryContext old = MemoryContextSwitchTo(batch->context);
	int64		inserted = 0;
	int			i;

	follow_mentioned(insert);
	for (i = 0; i < batch->nrows; i++)
	{
		insert->state.writer->position->record = batch->rows[i].record;
		insert->state.writer->position->line = batch->rows[i].line;
		ResetPerTupleExprContext(insert->state.estate);
		if (insert_row(insert, &batch->rows[i]))
			inserted++;
	}
	intake_heap_buffers_flush(insert->buffers);
	insert->state.writer->position->record = 0;
	MemoryContextSwitchTo(old);
	return inserted;
}

void
intake_heap_end(IntakeHeapInsert *insert)
{
	EState	   *estate = insert->state.estate;

	intake_heap_buffers_end(insert->buffers);
	ExecASInsertTriggers(estate, insert->state.result, insert->capture);
	AfterTriggerEndQuery(estate);
	if (insert->route != NULL)
		intake_heap_route_end(insert->route);
	ExecDropSingleTupleTableSlot(insert->slot);
	intake_heap_state_end(&insert->state);
	CommandCounterIncrement();
}
