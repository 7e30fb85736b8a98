/*-------------------------------------------------------------------------
 *
 * heap_update.c
 *	  UPDATE without a plan: whole rows, by where they lie.
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
#include "write/heap_state.h"
#include "write/heap_update.h"

struct IntakeHeapUpdate
{
	IntakeHeapState state;
	EPQState	epq;			/* for BEFORE ROW triggers */
	TupleTableSlot *old;
	TupleTableSlot *new;
	IntakeHeapIndexes *indexes;
	IntakeIndexQueue *queue;	/* NULL: the executor writes index entries */
	CommandId	command;
	bool		keeps_values;	/* some columns keep theirs */
	bool		has_before_trigger;
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
	update->indexes = intake_heap_indexes_make(state->estate,
											   state->writer->position);
	update->queue = intake_index_queue_make(update->indexes, state->result,
											true);
}

IntakeHeapUpdate *
intake_heap_update_begin(IntakeWriter *writer, const IntakeMergeKey *key)
{
	IntakeHeapUpdate *update = palloc0(sizeof(IntakeHeapUpdate));
	IntakeHeapState *state = &update->state;
	TriggerDesc *triggers = writer->rel->trigdesc;

	AfterTriggerBeginQuery();
	intake_heap_state_begin(state, writer, CMD_UPDATE);
	(void) intake_heap_state_follow(state);
	check_privileges(update, key);
	intake_epq_init(&update->epq, state->estate);
	update->command = GetCurrentCommandId(true);
	state->estate->es_output_cid = update->command; /* triggers lock by it */
	update->old = table_slot_create(writer->rel, NULL);
	update->new = table_slot_create(writer->rel, NULL);
	update->keeps_values = writer->partial != NULL ||
		has_kept_columns(writer->rel);
	update->has_before_trigger = triggers != NULL &&
		triggers->trig_update_before_row;
	begin_queue(update);
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

/*
 * The new row: what the payload says, and what the old row keeps.  False when
 * the old one is newer.
 */
static bool
fill_new(IntakeHeapUpdate *update, ItemPointer tid, const IntakeRow *row)
{
	TupleTableSlot *slot = update->new;
	int			natts = slot->tts_tupleDescriptor->natts;

	ExecClearTuple(slot);
	memset(slot->tts_isnull, true, natts * sizeof(bool));
	if (update->keeps_values)
	{
		if (!table_tuple_fetch_row_version(update->state.writer->rel, tid,
										   SnapshotAny, update->old))
			report_changed(update, TM_Deleted, NULL);
		slot_getallattrs(update->old);
		memcpy(slot->tts_values, update->old->tts_values,
			   natts * sizeof(Datum));
		memcpy(slot->tts_isnull, update->old->tts_isnull,
			   natts * sizeof(bool));
	}
	if (update->state.writer->partial == NULL)
		intake_heap_state_fill(&update->state, row, slot);
	else if (!intake_heap_state_overlay(&update->state, row, slot))
		return false;
	ExecStoreVirtualTuple(slot);
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

	result = table_tuple_lock(state->writer->rel, tid, GetActiveSnapshot(),
							  update->old, update->command,
							  ExecUpdateLockMode(state->estate, state->result),
							  LockWaitBlock, 0, &failure);
	if (result != TM_Ok)
		report_changed(update, result, &failure);
	return intake_before_row_update(state->estate, &update->epq, state->result,
									tid, update->new);
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

	result = table_tuple_update(state->writer->rel, tid, update->new,
								update->command, GetActiveSnapshot(),
								InvalidSnapshot, true, &failure, &lockmode,
								&indexes);
	if (result != TM_Ok)
		report_changed(update, result, &failure);
	if (state->result->ri_NumIndices == 0)
		return NIL;
	if (update->queue != NULL && intake_updates_all_indexes(indexes))
	{
		intake_index_queue_add(update->queue, update->new, row->record,
							   row->line);
		return NIL;
	}
	return intake_update_index_tuples(state->result, update->new,
									  state->estate, indexes);
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
	update->new->tts_tableOid = RelationGetRelid(state->writer->rel);
	intake_heap_state_check(state, state->result, update->new, CMD_UPDATE,
							true);
	recheck = write_new(update, tid, row);
	intake_after_row_update(state->estate, state->result, tid, update->new,
							recheck);
	list_free(recheck);
	return true;
}

void
intake_heap_update_end(IntakeHeapUpdate *update)
{
	IntakeHeapState *state = &update->state;

	if (update->indexes != NULL)
		intake_heap_indexes_flush(update->indexes);
	ExecASUpdateTriggers(state->estate, state->result, NULL);
	AfterTriggerEndQuery(state->estate);
	EvalPlanQualEnd(&update->epq);
	ExecDropSingleTupleTableSlot(update->old);
	ExecDropSingleTupleTableSlot(update->new);
	intake_heap_state_end(state);
	CommandCounterIncrement();
}
