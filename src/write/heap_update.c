/*-------------------------------------------------------------------------
 *
 * heap_update.c
 *	  UPDATE without a plan: whole rows, by where they lie.
 *
 * row --(defaults)--> slot in the target's shape --> slot in the shape of the
 *		partition --> BEFORE ROW triggers --> generated columns -->
 *		constraints --> table --> queue of index entries, AFTER ROW triggers
 *
 * One table is written at a time: the target, or a partition after another,
 * whose index entries are all in when the next one is turned to.
 *
 * The rows are not locked beforehand: an update that meets a row which
 * another session has changed since it was found gives up with
 * ERRCODE_T_R_SERIALIZATION_FAILURE, and the caller does the batch anew by
 * SQL.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/sysattr.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "commands/trigger.h"
#include "executor/executor.h"
#include "parser/parse_relation.h"
#include "utils/snapmgr.h"

#include "compat.h"
#include "write/heap_index.h"
#include "write/heap_route.h"
#include "write/heap_state.h"
#include "write/heap_update.h"

struct IntakeHeapUpdate
{
	IntakeHeapState state;
	IntakeHeapRoute *route;		/* NULL: not partitioned */
	EPQState	epq;			/* for BEFORE ROW triggers */
	TupleTableSlot *shaped;		/* in the target's shape, for partitions */

	/* the table that is written */
	ResultRelInfo *result;		/* NULL: none yet */
	TupleTableSlot *row;		/* in the target's shape; new, or shaped */
	TupleTableSlot *old;
	TupleTableSlot *new;
	IntakeHeapIndexes *indexes;
	IntakeIndexQueue *queue;	/* NULL: the executor writes index entries */
	bool		has_before_trigger;

	CommandId	command;
	bool		keeps_values;	/* some columns keep theirs */
};

/*
 * Checks SELECT on the key, and UPDATE on all columns that are set.  SELECT
 * too on what a partial merge compares and keeps, as SQL would.
 */
static void
check_privileges(IntakeHeapUpdate *update, const IntakeMergeKey *key)
{
	IntakeHeapState *state = &update->state;
	const IntakeColumnSet *columns = state->writer->columns;
	const IntakePartial *partial = state->writer->partial;
	Bitmapset  *selected = NULL;
	Bitmapset  *updated = NULL;
	int			i;

	for (i = 0; i < key->ncolumns; i++)
		selected = bms_add_member(selected, key->attnums[i] -
								  FirstLowInvalidHeapAttributeNumber);
	for (i = 0; i < columns->ncolumns; i++)
	{
		AttrNumber	attnum = columns->columns[i].attnum;
		int			bit = attnum - FirstLowInvalidHeapAttributeNumber;

		if (partial != NULL && i == partial->newer_by)
			selected = bms_add_member(selected, bit);
		if (!intake_merge_key_sets(key, attnum) ||
			!intake_partial_may_set(state->writer, i))
			continue;
		updated = bms_add_member(updated, bit);
		if (intake_partial_may_keep(state->writer, i))
			selected = bms_add_member(selected, bit);
	}
	intake_check_rights(state->estate, state->entry, ACL_SELECT | ACL_UPDATE,
						selected, NULL, updated);
}

/* Whether the table has columns that take no value but keep theirs. */
static bool
has_kept_columns(Relation rel)
{
	TupleDesc	desc = RelationGetDescr(rel);
	int			i;

	for (i = 0; i < desc->natts; i++)
	{
		if (TupleDescAttr(desc, i)->attidentity == ATTRIBUTE_IDENTITY_ALWAYS)
			return true;
	}
	return false;
}

/*
 * Index entries wait, unless a trigger or a default may look at the table
 * between two rows.
 */
static void
begin_queue(IntakeHeapUpdate *update)
{
	IntakeHeapState *state = &update->state;

	if (update->has_before_trigger || state->is_volatile)
		return;
	if (update->indexes == NULL)
		update->indexes = intake_heap_indexes_make(state->estate,
												   state->writer->position);
	update->queue = intake_index_queue_make(update->indexes, update->result,
											true);
}

/* Begins to write a table. */
static void
enter_table(IntakeHeapUpdate *update, ResultRelInfo *result)
{
	Relation	rel = result->ri_RelationDesc;
	TriggerDesc *triggers = result->ri_TrigDesc;
	bool		is_mapped;

	is_mapped = intake_root_to_partition_map(result,
											 update->state.estate) != NULL;
	update->result = result;
	update->old = table_slot_create(rel, NULL);
	update->new = table_slot_create(rel, NULL);
	update->row = is_mapped ? update->shaped : update->new;
	update->has_before_trigger = triggers != NULL &&
		triggers->trig_update_before_row;
	begin_queue(update);
}

/* Has written a table: its index entries go in. */
static void
leave_table(IntakeHeapUpdate *update)
{
	ResultRelInfo *result = update->result;

	if (result == NULL)
		return;
	if (update->indexes != NULL)
	{
		intake_heap_indexes_flush(update->indexes);
		intake_heap_indexes_reset(update->indexes);
	}
	update->queue = NULL;
	/* Many partitions would keep many pages pinned. */
	if (result->ri_TrigOldSlot != NULL)
		ExecClearTuple(result->ri_TrigOldSlot);
	ExecDropSingleTupleTableSlot(update->old);
	ExecDropSingleTupleTableSlot(update->new);
	update->result = NULL;
}

IntakeHeapUpdate *
intake_heap_update_begin(IntakeWriter *writer, const IntakeMergeKey *key)
{
	IntakeHeapUpdate *update = palloc0(sizeof(IntakeHeapUpdate));
	IntakeHeapState *state = &update->state;

	AfterTriggerBeginQuery();
	intake_heap_state_begin(state, writer, CMD_UPDATE);
	(void) intake_heap_state_follow(state);
	check_privileges(update, key);
	intake_epq_init(&update->epq, state->estate);
	update->command = GetCurrentCommandId(true);
	state->estate->es_output_cid = update->command; /* triggers lock by it */
	update->keeps_values = writer->partial != NULL ||
		has_kept_columns(writer->rel);
	update->route = intake_heap_route_begin(state, NULL);
	if (update->route != NULL)
	{
		intake_heap_route_by_key(update->route, key);
		update->shaped = table_slot_create(writer->rel, NULL);
	}
	else
		enter_table(update, state->result);
	ExecBSUpdateTriggers(state->estate, state->result);
	return update;
}

/*
 * Gives the batch up: another session was at the row, or a trigger of this
 * very UPDATE, which is an error as it is in PostgreSQL's own.
 */
static void
report_changed(const IntakeHeapUpdate *update, TM_Result result,
			   const TM_FailureData *failure)
{
	if (result == TM_SelfModified && failure->cmax != update->command)
		ereport(ERROR,
				(errcode(ERRCODE_TRIGGERED_DATA_CHANGE_VIOLATION),
				 errmsg("row to be updated was already modified by an operation triggered by the current command"),
				 errhint("Consider using an AFTER trigger instead of a BEFORE trigger to propagate changes to other rows.")));
	ereport(ERROR,
			(errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
			 errmsg("row was changed by another session")));
}

void
intake_heap_update_turn(IntakeHeapUpdate *update, Oid relid,
						const IntakeRow *row)
{
	ResultRelInfo *result;

	if (update->route == NULL)
		return;
	leave_table(update);
	ResetPerTupleExprContext(update->state.estate);
	result = intake_heap_route_row(update->route, row);
	/* partitions have been attached or detached since the look-up */
	if (RelationGetRelid(result->ri_RelationDesc) != relid)
		report_changed(update, TM_Deleted, NULL);
	intake_check_result(result, CMD_UPDATE);
	enter_table(update, result);
}

/* Puts the values of the row at tid into a slot of the target's shape. */
static void
keep_values(IntakeHeapUpdate *update, ItemPointer tid, TupleTableSlot *slot)
{
	TupleTableSlot *old = update->old;
	TupleConversionMap *map = ExecGetChildToRootMap(update->result);
	int			natts = slot->tts_tupleDescriptor->natts;
	int			i;

	if (!table_tuple_fetch_row_version(update->result->ri_RelationDesc, tid,
									   SnapshotAny, old))
		report_changed(update, TM_Deleted, NULL);
	slot_getallattrs(old);
	for (i = 0; i < natts; i++)
	{
		AttrNumber	attnum = map == NULL ? i + 1 : map->attrMap->attnums[i];

		if (attnum == 0)
			continue;
		slot->tts_values[i] = old->tts_values[attnum - 1];
		slot->tts_isnull[i] = old->tts_isnull[attnum - 1];
	}
}

/*
 * The new row: what the payload says, and what the old row keeps.  False when
 * the old one is newer.
 */
static bool
fill_new(IntakeHeapUpdate *update, ItemPointer tid, const IntakeRow *row)
{
	TupleTableSlot *slot = update->row;
	int			natts = slot->tts_tupleDescriptor->natts;

	ExecClearTuple(slot);
	memset(slot->tts_isnull, true, natts * sizeof(bool));
	if (update->keeps_values)
		keep_values(update, tid, slot);
	if (update->state.writer->partial == NULL)
		intake_heap_state_fill(&update->state, row, slot);
	else if (!intake_heap_state_overlay(&update->state, row, slot))
		return false;
	ExecStoreVirtualTuple(slot);
	if (slot != update->new)
		intake_heap_route_shape(update->state.estate, update->result, slot,
								update->new);
	return true;
}

/*
 * BEFORE ROW triggers; they want the row locked.  False when one of them
 * leaves the row alone.
 */
static bool
fire_before_row(IntakeHeapUpdate *update, ItemPointer tid)
{
	IntakeHeapState *state = &update->state;
	TM_FailureData failure;
	TM_Result	result;

	result = table_tuple_lock(update->result->ri_RelationDesc, tid,
							  GetActiveSnapshot(), update->old,
							  update->command,
							  ExecUpdateLockMode(state->estate,
												 update->result),
							  LockWaitBlock, 0, &failure);
	if (result != TM_Ok)
		report_changed(update, result, &failure);
	return intake_before_row_update(state->estate, &update->epq,
									update->result, tid, update->new);
}

/* Writes the new row and its index entries, or lets these wait. */
static List *
write_new(IntakeHeapUpdate *update, ItemPointer tid, const IntakeRow *row)
{
	IntakeHeapState *state = &update->state;
	TM_FailureData failure;
	LockTupleMode lockmode;
	IntakeUpdateIndexes indexes;
	TM_Result	result;

	result = table_tuple_update(update->result->ri_RelationDesc, tid,
								update->new, update->command,
								GetActiveSnapshot(), InvalidSnapshot, true,
								&failure, &lockmode, &indexes);
	if (result != TM_Ok)
		report_changed(update, result, &failure);
	if (update->result->ri_NumIndices == 0)
		return NIL;
	if (update->queue != NULL && intake_updates_all_indexes(indexes))
	{
		intake_index_queue_add(update->queue, update->new, row->record,
							   row->line);
		return NIL;
	}
	return intake_update_index_tuples(update->result, update->new,
									  state->estate, indexes);
}

/* A trigger has changed the key that the row came by. */
static void
report_moved(const IntakeHeapUpdate *update)
{
	Relation	rel = update->result->ri_RelationDesc;

	ereport(ERROR,
			(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
			 errmsg("moving row to another partition during a BEFORE FOR EACH ROW trigger is not supported"),
			 errdetail("The row was in partition \"%s\".",
					   RelationGetRelationName(rel))));
}

/* Generated columns and constraints of the table that the row is in. */
static void
check_new(IntakeHeapUpdate *update)
{
	IntakeHeapState *state = &update->state;
	bool		is_routed = update->route != NULL;

	if (is_routed && update->has_before_trigger &&
		!ExecPartitionCheck(update->result, update->new, state->estate, false))
		report_moved(update);
	intake_heap_state_check(state, update->result, update->new, CMD_UPDATE,
							!is_routed);
}

bool
intake_heap_update_row(IntakeHeapUpdate *update, ItemPointer tid,
					   const IntakeRow *row)
{
	IntakeHeapState *state = &update->state;
	List	   *recheck;

	ResetPerTupleExprContext(state->estate);
	if (!fill_new(update, tid, row))
		return false;
	if (update->has_before_trigger && !fire_before_row(update, tid))
		return false;
	update->new->tts_tableOid =
		RelationGetRelid(update->result->ri_RelationDesc);
	check_new(update);
	recheck = write_new(update, tid, row);
	intake_after_row_update(state->estate, update->result, tid, update->new,
							recheck);
	list_free(recheck);
	return true;
}

void
intake_heap_update_end(IntakeHeapUpdate *update)
{
	IntakeHeapState *state = &update->state;

	leave_table(update);
	ExecASUpdateTriggers(state->estate, state->result, NULL);
	AfterTriggerEndQuery(state->estate);
	EvalPlanQualEnd(&update->epq);
	if (update->route != NULL)
	{
		intake_heap_route_end(update->route);
		ExecDropSingleTupleTableSlot(update->shaped);
	}
	intake_heap_state_end(state);
	CommandCounterIncrement();
}
