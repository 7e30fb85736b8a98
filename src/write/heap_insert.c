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
#include "executor/execPartition.h"
#include "executor/executor.h"

#include "compat.h"
#include "write/heap_buffer.h"
#include "write/heap_insert.h"
#include "write/heap_state.h"

struct IntakeHeapInsert
{
	IntakeHeapState state;
	ModifyTableState *modify;
	PartitionTupleRouting *routing; /* NULL: not partitioned */
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

	if (!intake_heap_state_follow(state))
		return;
	intake_check_rights(state->estate, state->entry, ACL_INSERT, NULL,
						intake_heap_state_columns(state), NULL);
	/* such a default may look at the rows that are in the table */
	insert->is_single = insert->has_capture || state->is_volatile;
}

/* What routing and transition tables need. */
static void
begin_modify(IntakeHeapInsert *insert)
{
	IntakeHeapState *state = &insert->state;
	Relation	rel = state->writer->rel;
	ModifyTableState *modify = makeNode(ModifyTableState);

	insert->modify = modify;
	modify->ps.plan = NULL;
	modify->ps.state = state->estate;
	modify->operation = CMD_INSERT;
	modify->mt_nrels = 1;
	modify->resultRelInfo = state->result;
	modify->rootResultRelInfo = state->result;
	modify->mt_transition_capture =
		MakeTransitionCaptureState(rel->trigdesc, RelationGetRelid(rel),
								   CMD_INSERT);
	if (rel->rd_rel->relkind == RELKIND_PARTITIONED_TABLE)
		insert->routing = ExecSetupPartitionTupleRouting(state->estate, rel);
}

IntakeHeapInsert *
intake_heap_begin(IntakeWriter *writer)
{
	IntakeHeapInsert *insert = palloc0(sizeof(IntakeHeapInsert));
	TriggerDesc *triggers = writer->rel->trigdesc;

	AfterTriggerBeginQuery();
	intake_heap_state_begin(&insert->state, writer, CMD_INSERT);
	begin_modify(insert);
	insert->slot = table_slot_create(writer->rel, NULL);

	/*
	 * A transition table of a partitioned table collects rows by the root's
	 * triggers, which the buffers of its partitions do not know.
	 */
	insert->has_capture = insert->routing != NULL &&
		triggers != NULL && triggers->trig_insert_new_table;

	CommandCounterIncrement();
	insert->buffers =
		intake_heap_buffers_make(insert->state.estate,
								 insert->modify->mt_transition_capture,
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

/* The partition that takes the row of insert->slot. */
static ResultRelInfo *
route_row(IntakeHeapInsert *insert)
{
	EState	   *estate = insert->state.estate;
	ResultRelInfo *result;
	MemoryContext old;

	result = ExecFindPartition(insert->modify, insert->state.result,
							   insert->routing, insert->slot, estate);
	/* The map to the root is made when first asked for: not in the batch. */
	if (insert->modify->mt_transition_capture != NULL)
	{
		old = MemoryContextSwitchTo(estate->es_query_cxt);
		(void) ExecGetChildToRootMap(result);
		MemoryContextSwitchTo(old);
	}
	return result;
}

/* Puts the target's row into the shape of the partition. */
static TupleTableSlot *
shape_row(IntakeHeapInsert *insert, ResultRelInfo *result,
		  TupleTableSlot *slot)
{
	TupleConversionMap *map;

	map = intake_root_to_partition_map(result, insert->state.estate);
	if (map != NULL)
		return execute_attr_map_slot(map->attrMap, insert->slot, slot);
	return ExecCopySlot(slot, insert->slot);
}

/*
 * What a transition table gets: the row as it was routed, unless a trigger
 * may change it.
 */
static void
set_captured_row(IntakeHeapInsert *insert, bool has_before_trigger)
{
	TransitionCaptureState *capture = insert->modify->mt_transition_capture;

	if (capture != NULL)
		capture->tcs_original_insert_tuple =
			insert->routing != NULL && !has_before_trigger ?
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
							insert->routing == NULL || has_before_trigger);
	intake_heap_buffers_insert_now(insert->buffers, result, slot);
	return true;
}

/* Inserts one row, or leaves it in the buffer of its table. */
static bool
insert_row(IntakeHeapInsert *insert, const IntakeRow *row)
{
	ResultRelInfo *result = insert->state.result;
	TupleTableSlot *slot = insert->slot;

	if (insert->routing == NULL && !insert->is_single &&
		!has_before_row_trigger(result))
	{
		slot = intake_heap_buffers_next(insert->buffers, result, row);
		fill_slot(insert, row, slot);
	}
	else
	{
		fill_slot(insert, row, slot);
		if (insert->routing != NULL)
			result = route_row(insert);
		if (insert->is_single || has_before_row_trigger(result))
		{
			slot = intake_heap_buffers_single(insert->buffers, result);
			slot = shape_row(insert, result, slot);
			slot->tts_tableOid = RelationGetRelid(result->ri_RelationDesc);
			return insert_single(insert, result, slot);
		}
		slot = intake_heap_buffers_next(insert->buffers, result, row);
		shape_row(insert, result, slot);
	}
	slot->tts_tableOid = RelationGetRelid(result->ri_RelationDesc);
	intake_heap_state_check(&insert->state, result, slot, CMD_INSERT,
							insert->routing == NULL);
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
	ExecASInsertTriggers(estate, insert->state.result,
						 insert->modify->mt_transition_capture);
	AfterTriggerEndQuery(estate);
	if (insert->routing != NULL)
		ExecCleanupTupleRouting(insert->modify, insert->routing);
	ExecDropSingleTupleTableSlot(insert->slot);
	intake_heap_state_end(&insert->state);
	CommandCounterIncrement();
}
