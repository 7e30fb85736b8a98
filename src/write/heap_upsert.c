/*-------------------------------------------------------------------------
 *
 * heap_upsert.c
 *	  A merge's batch straight into a table: looked up, updated, inserted.
 *
 * sorted rows --heap_split--> those of a table --key_scan--+
 *			there: updated, in the order of the key <-------+
 *			new: inserted, many at once, in that order <----+
 *
 * It is for merges that hold the table lock exclusively.  Those that share it
 * must lock and insert in the order of the key, one after the other, so as
 * not to deadlock; here all updates go before all inserts.
 *
 * The look-up sees what was committed before the batch.  A key that another
 * session inserts meanwhile is a unique violation, a row that one changes is
 * noticed by the update: either way the subtransaction is rolled back and the
 * batch looked up anew.  After some tries it is written by INSERT ... ON
 * CONFLICT, which waits and sees.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/tableam.h"
#include "access/xact.h"
#include "executor/tuptable.h"
#include "miscadmin.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"

#include "subtransaction.h"
#include "write/direct.h"
#include "write/heap_insert.h"
#include "write/heap_split.h"
#include "write/heap_update.h"
#include "write/heap_upsert.h"
#include "write/key_scan.h"

/* How often a batch is tried. */
#define MAX_TRIES 3

/*
 * Whether a key tells where its row is.  That of a partition that has its own
 * partitions says nothing of the bounds of the partition itself.
 */
static bool
has_routable_keys(Relation rel)
{
	if (rel->rd_rel->relkind == RELKIND_PARTITIONED_TABLE)
		return !rel->rd_rel->relispartition;
	return rel->rd_rel->relkind == RELKIND_RELATION;
}

bool
intake_heap_upsert_applies(const IntakeWriter *writer)
{
	Relation	rel = writer->rel;
	TriggerDesc *triggers = rel->trigdesc;

	/* Where snapshots last, only PostgreSQL's own ON CONFLICT knows 40001. */
	if (IsolationUsesXactSnapshot())
		return false;
	if (rel->rd_rules != NULL || !has_routable_keys(rel))
		return false;
	if (triggers != NULL && (triggers->trig_update_old_table ||
							 triggers->trig_update_new_table))
		return false;
	return intake_direct_applies(rel);
}

/*
 * Finds the rows of a part that are there: their places by row number, an
 * invalid one for a row that is new.
 */
static void
find_rows(IntakeHeapUpsert *upsert, IntakeHeapPart *part)
{
	TupleTableSlot *slot = table_slot_create(part->rel, NULL);
	IntakeKeyScan *scan;
	int			i;

	scan = intake_key_scan_begin(part->rel, part->index, upsert->key,
								 upsert->columns, upsert->comparators,
								 GetActiveSnapshot());
	for (i = 0; i < part->nrows; i++)
	{
		ItemPointerSetInvalid(&part->tids[i]);
		if (!intake_key_scan_find(scan, &part->rows[i], slot))
			continue;
		part->tids[i] = slot->tts_tid;
		part->nfound++;
	}
	intake_key_scan_end(scan);
	ExecDropSingleTupleTableSlot(slot);
}

/* Splits the batch by tables and finds the rows that are there. */
static List *
find_parts(IntakeHeapUpsert *upsert, IntakeBatch *batch, int *found)
{
	IntakeHeapSplit *split = intake_heap_split(upsert->writer, upsert->key,
											   batch);
	List	   *parts = intake_heap_split_parts(split);
	ListCell   *cell;

	*found = 0;
	foreach(cell, parts)
	{
		IntakeHeapPart *part = lfirst(cell);

		find_rows(upsert, part);
		*found += part->nfound;
	}
	intake_heap_split_end(split);
	return parts;
}

/* Updates the rows of a part that are there. */
static void
update_part(IntakeHeapUpsert *upsert, IntakeHeapUpdate *update,
			IntakeHeapPart *part)
{
	IntakeWritePosition *position = upsert->writer->position;
	int			i;

	intake_heap_update_turn(update, part->relid, &part->rows[0]);
	for (i = 0; i < part->nrows; i++)
	{
		if (!ItemPointerIsValid(&part->tids[i]))
			continue;
		position->record = part->rows[i].record;
		position->line = part->rows[i].line;
		if (intake_heap_update_row(update, &part->tids[i], &part->rows[i]))
			upsert->updated++;
	}
	position->record = 0;
}

/* Updates the rows that are there. */
static void
update_rows(IntakeHeapUpsert *upsert, List *parts)
{
	IntakeHeapUpdate *update = intake_heap_update_begin(upsert->writer,
														upsert->key);
	ListCell   *cell;

	foreach(cell, parts)
	{
		IntakeHeapPart *part = lfirst(cell);

		if (part->nfound > 0)
			update_part(upsert, update, part);
	}
	intake_heap_update_end(update);
}

/* Inserts the rows of a part that are new; fresh has space for them. */
static void
insert_part(IntakeHeapUpsert *upsert, IntakeHeapInsert *insert,
			const IntakeHeapPart *part, IntakeBatch *fresh)
{
	int			i;

	fresh->nrows = 0;
	for (i = 0; i < part->nrows; i++)
	{
		if (!ItemPointerIsValid(&part->tids[i]))
			fresh->rows[fresh->nrows++] = part->rows[i];
	}
	intake_partial_complete(upsert->writer, fresh);
	upsert->inserted += intake_heap_insert(insert, fresh);
}

/*
 * Inserts the rows that are new, part by part, so that not all partitions
 * have rows waiting at once.
 */
static void
insert_rows(IntakeHeapUpsert *upsert, IntakeBatch *batch, List *parts)
{
	IntakeHeapInsert *insert = intake_heap_begin(upsert->writer);
	IntakeBatch fresh = *batch;
	ListCell   *cell;

	fresh.rows = palloc(batch->nrows * sizeof(IntakeRow));
	foreach(cell, parts)
	{
		IntakeHeapPart *part = lfirst(cell);

		if (part->nfound < part->nrows)
			insert_part(upsert, insert, part, &fresh);
	}
	intake_heap_end(insert);
}

static void
write_batch(IntakeHeapUpsert *upsert, IntakeBatch *batch)
{
	List	   *parts;
	bool		keeps;
	int			found;

	keeps = upsert->writer->options->existing == INTAKE_EXISTING_KEEP;
	CommandCounterIncrement();
	PushActiveSnapshot(GetLatestSnapshot());
	parts = find_parts(upsert, batch, &found);
	if (found > 0 && !keeps)
		update_rows(upsert, parts);
	if (found < batch->nrows)
		insert_rows(upsert, batch, parts);
	PopActiveSnapshot();
}

/* Whether the error says that another session was in the way. */
static bool
is_conflict(const ErrorData *error)
{
	return error->sqlerrcode == ERRCODE_UNIQUE_VIOLATION ||
		error->sqlerrcode == ERRCODE_EXCLUSION_VIOLATION ||
		error->sqlerrcode == ERRCODE_T_R_SERIALIZATION_FAILURE;
}

static bool
write_in_subtransaction(void *arg)
{
	IntakeHeapUpsert *upsert = arg;

	write_batch(upsert, upsert->batch);
	return true;
}

/*
 * Writes the batch in a subtransaction; false after a conflict, which is
 * raised when this was the last try.
 */
static bool
try_batch(IntakeHeapUpsert *upsert, bool is_last)
{
	ErrorData  *error;

	upsert->inserted = upsert->updated = 0;
	error = intake_subtransaction_run(write_in_subtransaction, upsert);
	if (error != NULL && (is_last || !is_conflict(error)))
		ReThrowError(error);
	return error == NULL;
}

bool
intake_heap_upsert_batch(IntakeHeapUpsert *upsert, IntakeBatch *batch)
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext,
												  "pg_intake upsert",
												  ALLOCSET_DEFAULT_SIZES);
	MemoryContext old = MemoryContextSwitchTo(context);
	bool		is_done = false;
	int			tries;

	upsert->batch = batch;
	for (tries = 1; tries <= MAX_TRIES && !is_done; tries++)
	{
		is_done = try_batch(upsert, tries == MAX_TRIES && upsert->is_final);
		MemoryContextReset(context);
	}
	MemoryContextSwitchTo(old);
	MemoryContextDelete(context);
	return is_done;
}

void
intake_heap_upsert_once(IntakeHeapUpsert *upsert, IntakeBatch *batch)
{
	upsert->inserted = upsert->updated = 0;
	write_batch(upsert, batch);
}
