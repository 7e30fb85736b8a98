/*-------------------------------------------------------------------------
 *
 * heap_delete.c
 *	  DELETE without a plan: the rows of given keys, through an index.
 *
 * A row that another session has deleted meanwhile is gone, as it is for a
 * DELETE in READ COMMITTED.  One that was updated may have a successor with
 * the key, or none: a DELETE by SQL, with a snapshot of its own, finds out.
 *
 * As in any DELETE the snapshot is older than what BEFORE STATEMENT triggers
 * do.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/stratnum.h"
#include "access/sysattr.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "commands/trigger.h"
#include "executor/executor.h"
#include "miscadmin.h"
#include "parser/parse_relation.h"
#include "utils/lsyscache.h"
#include "utils/snapmgr.h"

#include "compat.h"
#include "registry/key_index.h"
#include "write/direct.h"
#include "write/heap_delete.h"
#include "write/heap_state.h"

struct IntakeHeapDelete
{
	IntakeHeapState state;
	int			nitems;
	int		   *items;			/* of the index's columns */
	Relation	index;
	ScanKeyData *keys;
	IndexScanDesc scan;
	TupleTableSlot *slot;
	CommandId	command;
	Snapshot	snapshot;
};

static bool
applies(Relation rel)
{
	TriggerDesc *triggers = rel->trigdesc;

	/* Where snapshots last, PostgreSQL's own DELETE knows 40001. */
	if (IsolationUsesXactSnapshot())
		return false;
	if (rel->rd_rel->relkind != RELKIND_RELATION || rel->rd_rules != NULL ||
		rel->rd_rel->relhassubclass)
		return false;
	if (triggers != NULL && (triggers->trig_delete_before_row ||
							 triggers->trig_delete_old_table))
		return false;
	return intake_direct_applies(rel);
}

/* Checks DELETE, and SELECT on the columns of the key. */
static void
check_privileges(IntakeHeapDelete *heap)
{
	IntakeHeapState *state = &heap->state;
	Bitmapset  *selected = NULL;
	ListCell   *cell;

	foreach(cell, intake_key_columns(state->writer->key))
		selected = bms_add_member(selected, lfirst_int(cell) -
								  FirstLowInvalidHeapAttributeNumber);
	intake_check_rights(state->estate, state->entry, ACL_SELECT | ACL_DELETE,
						selected, NULL, NULL);
}

/* Sets up the scan keys; their arguments come with each key. */
static void
make_keys(IntakeHeapDelete *heap)
{
	List	   *key = heap->state.writer->key;
	int			i;

	heap->keys = palloc0(heap->nitems * sizeof(ScanKeyData));
	for (i = 0; i < heap->nitems; i++)
	{
		const IntakeKeyItem *item = list_nth(key, heap->items[i]);

		ScanKeyEntryInitialize(&heap->keys[i], 0, i + 1,
							   BTEqualStrategyNumber, InvalidOid,
							   item->collation, get_opcode(item->eq_operator),
							   (Datum) 0);
	}
}

IntakeHeapDelete *
intake_heap_delete_begin(IntakeWriter *writer)
{
	IntakeHeapDelete *heap;
	Oid			index;
	int		   *items;

	if (!applies(writer->rel))
		return NULL;
	index = intake_key_index_find(writer->rel, writer->key, &items);
	if (!OidIsValid(index))
		return NULL;
	heap = palloc0(sizeof(IntakeHeapDelete));
	heap->nitems = list_length(writer->key);
	heap->items = items;
	AfterTriggerBeginQuery();
	intake_heap_state_begin(&heap->state, writer, CMD_DELETE);
	check_privileges(heap);
	make_keys(heap);
	heap->slot = table_slot_create(writer->rel, NULL);

	CommandCounterIncrement();
	heap->command = GetCurrentCommandId(true);
	heap->snapshot = RegisterSnapshot(GetLatestSnapshot());
	ExecBSDeleteTriggers(heap->state.estate, heap->state.result);
	heap->index = index_open(index, RowExclusiveLock);
	heap->scan = intake_begin_index_scan(writer->rel, heap->index,
										 heap->snapshot, heap->nitems);
	return heap;
}

/* Deletes the row in the slot; false when it was changed meanwhile. */
static bool
delete_row(IntakeHeapDelete *heap, int64 *deleted)
{
	IntakeHeapState *state = &heap->state;
	ItemPointer tid = &heap->slot->tts_tid;
	TM_FailureData failure;
	TM_Result	result;

	result = table_tuple_delete(state->writer->rel, tid, heap->command,
								heap->snapshot, InvalidSnapshot, true,
								&failure, false);
	if (result == TM_Deleted)
		return true;
	if (result == TM_SelfModified)
		ereport(ERROR,
				(errcode(ERRCODE_TRIGGERED_DATA_CHANGE_VIOLATION),
				 errmsg("tuple to be deleted was already modified by an operation triggered by the current command"),
				 errhint("Consider using an AFTER trigger instead of a BEFORE trigger to propagate changes to other rows.")));
	if (result != TM_Ok)
		return false;
	intake_after_row_delete(state->estate, state->result, tid);
	(*deleted)++;
	return true;
}

/* Sets the scan keys to the key. */
static void
set_keys(IntakeHeapDelete *heap, const Datum *values, const bool *nulls)
{
	int			i;

	for (i = 0; i < heap->nitems; i++)
	{
		int			item = heap->items[i];

		heap->keys[i].sk_flags = nulls[item] ? SK_ISNULL | SK_SEARCHNULL : 0;
		heap->keys[i].sk_argument = values[item];
	}
}

bool
intake_heap_delete_key(IntakeHeapDelete *heap, const Datum *values,
					   const bool *nulls, int64 *deleted)
{
	bool		is_done = true;

	CHECK_FOR_INTERRUPTS();
	set_keys(heap, values, nulls);
	index_rescan(heap->scan, heap->keys, heap->nitems, NULL, 0);
	while (index_getnext_slot(heap->scan, ForwardScanDirection, heap->slot))
	{
		CHECK_FOR_INTERRUPTS();
		ResetPerTupleExprContext(heap->state.estate);
		if (!delete_row(heap, deleted))
			is_done = false;
	}
	return is_done;
}

void
intake_heap_delete_end(IntakeHeapDelete *heap)
{
	IntakeHeapState *state = &heap->state;

	index_endscan(heap->scan);
	index_close(heap->index, NoLock);
	UnregisterSnapshot(heap->snapshot);
	ExecASDeleteTriggers(state->estate, state->result, NULL);
	AfterTriggerEndQuery(state->estate);
	ExecDropSingleTupleTableSlot(heap->slot);
	intake_heap_state_end(state);
	CommandCounterIncrement();
}
