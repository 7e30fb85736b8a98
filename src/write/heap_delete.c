/*-------------------------------------------------------------------------
 *
 * heap_delete.c
 *	  DELETE without a plan: the rows of given keys, through an index.
 *
 * key --(partition_find.c, or the target itself)--> table --index--> rows
 *
 * Of a partitioned table, keys are served that lead to one partition.
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
#include "access/table.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "commands/trigger.h"
#include "executor/executor.h"
#include "miscadmin.h"
#include "parser/parse_relation.h"
#include "utils/hsearch.h"
#include "utils/lsyscache.h"
#include "utils/snapmgr.h"

#include "compat.h"
#include "registry/key.h"
#include "registry/key_index.h"
#include "write/direct.h"
#include "write/heap_delete.h"
#include "write/heap_state.h"
#include "write/partition_find.h"
#include "write/row_places.h"

/* So many partitions have their scans open, of some 30 kB each. */
#define MAX_SCANS 128

/* The target, or a partition of it. */
typedef struct DeleteTable
{
	Oid			relid;			/* of the hash table */
	ResultRelInfo *result;
	bool		is_served;		/* else by SQL */
	Oid			index_oid;
	Relation	index;			/* NULL: no scan is open */
	IndexScanDesc scan;
	TupleTableSlot *slot;
} DeleteTable;

struct IntakeHeapDelete
{
	IntakeHeapState state;
	Oid			index;			/* of the target */
	int			nitems;
	int		   *items;			/* of the index's columns */
	ScanKeyData *keys;
	IntakeHeapMissed missed;	/* takes keys that are left to SQL */
	void	   *missed_arg;
	CommandId	command;
	Snapshot	snapshot;
	int64		deleted;

	DeleteTable target;			/* where it is not partitioned */
	IntakeRowPlaces *places;	/* of its rows; NULL: partitioned */
	IntakePartitionFinder *finder;	/* NULL: not partitioned */
	HTAB	   *partitions;		/* of DeleteTable */
	List	   *scanned;		/* those with an open scan */
};

static bool
has_before_row_trigger(TriggerDesc *triggers)
{
	return triggers != NULL && triggers->trig_delete_before_row;
}

static bool
applies(Relation rel)
{
	TriggerDesc *triggers = rel->trigdesc;

	/* Where snapshots last, PostgreSQL's own DELETE knows 40001. */
	if (IsolationUsesXactSnapshot())
		return false;
	if (rel->rd_rules != NULL || (rel->rd_rel->relkind == RELKIND_RELATION &&
								  rel->rd_rel->relhassubclass))
		return false;
	if (has_before_row_trigger(triggers) ||
		(triggers != NULL && triggers->trig_delete_old_table))
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

/* No partitions yet; they are opened when keys lead there. */
static HTAB *
make_partitions(void)
{
	HASHCTL		control = {0};

	control.keysize = sizeof(Oid);
	control.entrysize = sizeof(DeleteTable);
	control.hcxt = CurrentMemoryContext;
	return hash_create("pg_intake delete", 64, &control,
					   HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
}

/* Begins to delete from a table. */
static void
enter_table(DeleteTable *table, ResultRelInfo *result, Oid index)
{
	table->result = result;
	table->index_oid = index;
	table->index = NULL;
	table->is_served = !has_before_row_trigger(result->ri_TrigDesc);
	table->slot = table_slot_create(result->ri_RelationDesc, NULL);
}

/* Opens a partition as the executor would. */
static void
open_partition(IntakeHeapDelete *heap, DeleteTable *table)
{
	MemoryContext old = MemoryContextSwitchTo(heap->state.context);
	Relation	rel = table_open(table->relid, RowExclusiveLock);
	ResultRelInfo *result = makeNode(ResultRelInfo);

	InitResultRelInfo(result, rel, 0, heap->state.result, 0);
	intake_check_result(result, CMD_DELETE);
	enter_table(table, result, intake_partition_index(rel, heap->index));
	MemoryContextSwitchTo(old);
}

/* How the key is served; NULL when it is not. */
static IntakeHeapDelete *
make_delete(Relation rel, List *key)
{
	IntakeHeapDelete *heap = palloc0(sizeof(IntakeHeapDelete));

	heap->index = intake_key_index_find(rel, key, &heap->items);
	heap->nitems = list_length(key);
	if (!OidIsValid(heap->index))
		return NULL;
	if (rel->rd_rel->relkind != RELKIND_PARTITIONED_TABLE)
		return heap;
	heap->finder = intake_partition_finder_make(rel, key);
	heap->partitions = make_partitions();
	return heap->finder != NULL ? heap : NULL;
}

IntakeHeapDelete *
intake_heap_delete_begin(IntakeWriter *writer, IntakeHeapMissed missed,
						 void *arg)
{
	IntakeHeapDelete *heap;

	if (!applies(writer->rel))
		return NULL;
	heap = make_delete(writer->rel, writer->key);
	if (heap == NULL)
		return NULL;
	heap->missed = missed;
	heap->missed_arg = arg;
	AfterTriggerBeginQuery();
	intake_heap_state_begin(&heap->state, writer, CMD_DELETE);
	check_privileges(heap);
	make_keys(heap);

	CommandCounterIncrement();
	heap->command = GetCurrentCommandId(true);
	heap->snapshot = RegisterSnapshot(GetLatestSnapshot());
	ExecBSDeleteTriggers(heap->state.estate, heap->state.result);
	if (heap->finder == NULL)
	{
		enter_table(&heap->target, heap->state.result, heap->index);
		heap->places = intake_row_places_make(writer->rel, heap->snapshot);
	}
	return heap;
}

/*
 * The table that rows with the key are in.  NULL when there is none; false
 * when the key does not tell.
 */
static bool
find_table(IntakeHeapDelete *heap, const Datum *values, const bool *nulls,
		   DeleteTable **table)
{
	EState	   *estate = heap->state.estate;
	MemoryContext old;
	Oid			relid;
	bool		is_told;
	bool		is_open;

	*table = &heap->target;
	if (heap->finder == NULL)
		return true;
	*table = NULL;
	ResetPerTupleExprContext(estate);
	old = MemoryContextSwitchTo(GetPerTupleMemoryContext(estate));
	is_told = intake_partition_find(heap->finder, values, nulls, &relid);
	MemoryContextSwitchTo(old);
	if (!is_told || !OidIsValid(relid))
		return is_told;
	*table = hash_search(heap->partitions, &relid, HASH_ENTER, &is_open);
	if (!is_open)
		open_partition(heap, *table);
	return true;
}

static void
end_scans(IntakeHeapDelete *heap)
{
	ListCell   *cell;

	foreach(cell, heap->scanned)
	{
		DeleteTable *table = lfirst(cell);

		index_endscan(table->scan);
		index_close(table->index, NoLock);
		table->index = NULL;
	}
	list_free(heap->scanned);
	heap->scanned = NIL;
}

static void
begin_scan(IntakeHeapDelete *heap, DeleteTable *table)
{
	MemoryContext old;

	if (list_length(heap->scanned) == MAX_SCANS)
		end_scans(heap);
	old = MemoryContextSwitchTo(heap->state.context);
	table->index = index_open(table->index_oid, RowExclusiveLock);
	table->scan = intake_begin_index_scan(table->result->ri_RelationDesc,
										  table->index, heap->snapshot,
										  heap->nitems);
	heap->scanned = lappend(heap->scanned, table);
	MemoryContextSwitchTo(old);
}

/* Deletes the row at a place; false when it was changed meanwhile. */
static bool
delete_row(IntakeHeapDelete *heap, DeleteTable *table, ItemPointer tid)
{
	TM_FailureData failure;
	TM_Result	result;

	result = table_tuple_delete(table->result->ri_RelationDesc, tid,
								heap->command, heap->snapshot, InvalidSnapshot,
								true, &failure, false);
	if (result == TM_Deleted)
		return true;
	if (result == TM_SelfModified)
		ereport(ERROR,
				(errcode(ERRCODE_TRIGGERED_DATA_CHANGE_VIOLATION),
				 errmsg("tuple to be deleted was already modified by an operation triggered by the current command"),
				 errhint("Consider using an AFTER trigger instead of a BEFORE trigger to propagate changes to other rows.")));
	if (result != TM_Ok)
		return false;
	intake_after_row_delete(heap->state.estate, table->result, tid);
	heap->deleted++;
	return true;
}

/* Many partitions would keep many pages pinned. */
static void
release_pages(DeleteTable *table)
{
	ExecClearTuple(table->slot);
	table_index_fetch_reset(table->scan->xs_heapfetch);
	if (table->result->ri_TrigOldSlot != NULL)
		ExecClearTuple(table->result->ri_TrigOldSlot);
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

/* Leaves the key of the row at the place to SQL. */
static void
miss_row(IntakeHeapDelete *heap, ItemPointer tid)
{
	TupleTableSlot *slot = heap->target.slot;
	EState	   *estate = heap->state.estate;
	ExprContext *context = GetPerTupleExprContext(estate);
	Datum	   *values = palloc(heap->nitems * sizeof(Datum));
	bool	   *nulls = palloc(heap->nitems * sizeof(bool));
	ListCell   *cell;

	if (!table_tuple_fetch_row_version(heap->state.writer->rel, tid,
									   heap->snapshot, slot))
		elog(ERROR, "could not find the row that was to be deleted");
	context->ecxt_scantuple = slot;
	foreach(cell, heap->state.writer->key)
	{
		const IntakeKeyItem *item = lfirst(cell);
		int			i = foreach_current_index(cell);
		ExprState  *state = ExecPrepareExpr(copyObject(item->expr), estate);

		values[i] = ExecEvalExprSwitchContext(state, context, &nulls[i]);
	}
	heap->missed(heap->missed_arg, values, nulls);
	ExecClearTuple(slot);
	pfree(values);
	pfree(nulls);
}

/* Deletes the rows whose places were collected. */
static void
delete_places(IntakeHeapDelete *heap)
{
	ItemPointerData tid;

	while (intake_row_places_next(heap->places, &tid))
	{
		CHECK_FOR_INTERRUPTS();
		ResetPerTupleExprContext(heap->state.estate);
		if (!delete_row(heap, &heap->target, &tid))
			miss_row(heap, &tid);
	}
}

/* Collects the places of the scan's rows. */
static void
collect_places(IntakeHeapDelete *heap, IndexScanDesc scan)
{
	ItemPointer tid;

	while ((tid = index_getnext_tid(scan, ForwardScanDirection)) != NULL)
	{
		if (!intake_row_places_add(heap->places, tid))
			delete_places(heap);
	}
}

/* Deletes the rows of the scan; false when one was changed meanwhile. */
static bool
delete_rows(IntakeHeapDelete *heap, DeleteTable *table)
{
	bool		is_done = true;

	while (index_getnext_tid(table->scan, ForwardScanDirection) != NULL)
	{
		bool		is_visible = index_fetch_heap(table->scan, table->slot);

		CHECK_FOR_INTERRUPTS();
		if (heap->places != NULL)
			intake_row_places_note(heap->places, is_visible);
		if (!is_visible)
			continue;
		ResetPerTupleExprContext(heap->state.estate);
		if (!delete_row(heap, table, &table->slot->tts_tid))
			is_done = false;
	}
	return is_done;
}

/* Deletes the rows of a table that have the key, or collects their places. */
static bool
delete_from(IntakeHeapDelete *heap, DeleteTable *table, const Datum *values,
			const bool *nulls)
{
	bool		is_done = true;

	if (table->index == NULL)
		begin_scan(heap, table);
	set_keys(heap, values, nulls);
	index_rescan(table->scan, heap->keys, heap->nitems, NULL, 0);
	if (heap->places != NULL && intake_row_places_pay(heap->places))
		collect_places(heap, table->scan);
	else
		is_done = delete_rows(heap, table);
	if (heap->finder != NULL)
		release_pages(table);
	return is_done;
}

void
intake_heap_delete_key(IntakeHeapDelete *heap, const Datum *values,
					   const bool *nulls)
{
	DeleteTable *table;

	CHECK_FOR_INTERRUPTS();
	if (find_table(heap, values, nulls, &table) &&
		(table == NULL || (table->is_served &&
						   delete_from(heap, table, values, nulls))))
		return;
	heap->missed(heap->missed_arg, values, nulls);
}

static void
close_partitions(IntakeHeapDelete *heap)
{
	HASH_SEQ_STATUS status;
	DeleteTable *table;

	hash_seq_init(&status, heap->partitions);
	while ((table = hash_seq_search(&status)) != NULL)
	{
		ExecDropSingleTupleTableSlot(table->slot);
		table_close(table->result->ri_RelationDesc, NoLock);
	}
	intake_partition_finder_end(heap->finder);
}

int64
intake_heap_delete_end(IntakeHeapDelete *heap)
{
	IntakeHeapState *state = &heap->state;

	if (heap->places != NULL)
	{
		delete_places(heap);
		intake_row_places_end(heap->places);
	}
	end_scans(heap);
	UnregisterSnapshot(heap->snapshot);
	ExecASDeleteTriggers(state->estate, state->result, NULL);
	AfterTriggerEndQuery(state->estate);
	if (heap->finder != NULL)
		close_partitions(heap);
	else
		ExecDropSingleTupleTableSlot(heap->target.slot);
	intake_heap_state_end(state);
	CommandCounterIncrement();
	return heap->deleted;
}
