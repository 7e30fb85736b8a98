/*-------------------------------------------------------------------------
 *
 * keys.c
 *	  Distinct keys, and the deletion of the rows that have them.
 *
 * [keys] --(key_cache.c drops what was seen lately)--> tuplesort
 *		  --(repeats dropped)--+-> heap_delete.c --> table
 *							   +-> batches --DELETE--> relation
 *
 * Keys go by SQL where the relation asks for it, and where another session has
 * changed a row meanwhile.  IS NOT DISTINCT FROM uses no index, so there is one
 * DELETE for each pattern of NULLs that occurs among the keys: items that are
 * NULL are tested with IS NULL, the others with the equality operator of their
 * type's default btree class.  Patterns are prepared when they first occur.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "executor/tuptable.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/memutils.h"
#include "utils/sortsupport.h"
#include "utils/tuplesort.h"

#include "compat.h"
#include "registry/key.h"
#include "settings.h"
#include "write/heap_delete.h"
#include "write/key_cache.h"
#include "write/keys.h"
#include "write/write_sql.h"

/*
 * So many patterns are kept: those of six items that may be NULL.  A payload
 * may have one a key, and each takes the memory of a plan and of a batch.
 */
#define MAX_PATTERNS 64

/* The DELETE for one pattern of NULLs, and the keys that wait for it. */
typedef struct Pattern
{
	MemoryContext context;		/* of all of it */
	bool	   *nulls;			/* by item */
	IntakeStatement *statement;
	IntakeBatch *batch;
} Pattern;

struct IntakeKeys
{
	IntakeWriter *writer;
	int			nitems;
	IntakeColumnSet *columns;	/* one an item */
	TupleDesc	desc;
	Tuplesortstate *sort;
	SortSupport comparators;
	IntakeKeyCache *cache;		/* of keys that are in the sort */
	TupleTableSlot *input;
	MemoryContext context;
	List	   *patterns;		/* of Pattern */
	bool		has_keys;		/* at least one was put */
	int64		deleted;
};

/* Begins the sort, and sets up the comparators that find repeats. */
static void
begin_sort(IntakeKeys *keys)
{
	int			n = keys->nitems;
	AttrNumber *attnums = palloc(n * sizeof(AttrNumber));
	Oid		   *operators = palloc(n * sizeof(Oid));
	Oid		   *collations = palloc(n * sizeof(Oid));
	bool	   *nulls_first = palloc0(n * sizeof(bool));
	ListCell   *cell;

	keys->desc = CreateTemplateTupleDesc(n);
	keys->comparators = palloc0(n * sizeof(SortSupportData));
	foreach(cell, keys->writer->key)
	{
		const IntakeKeyItem *item = lfirst(cell);
		int			i = foreach_current_index(cell);
		SortSupport comparator = &keys->comparators[i];

		attnums[i] = i + 1;
		operators[i] = item->lt_operator;
		collations[i] = item->collation;
		TupleDescInitEntry(keys->desc, i + 1, NULL, item->type,
						   item->typmod, 0);
		comparator->ssup_cxt = CurrentMemoryContext;
		comparator->ssup_collation = item->collation;
		PrepareSortSupportFromOrderingOp(item->lt_operator, comparator);
	}
	keys->sort = intake_tuplesort_begin_heap(keys->desc, n, attnums, operators,
											 collations, nulls_first,
											 intake_stage_memory);
	keys->cache = intake_key_cache_make(keys->desc);
	keys->input = MakeSingleTupleTableSlot(keys->desc, &TTSOpsVirtual);
}

IntakeKeys *
intake_keys_make(IntakeWriter *writer)
{
	IntakeKeys *keys = palloc0(sizeof(IntakeKeys));

	keys->writer = writer;
	keys->nitems = list_length(writer->key);
	keys->columns = intake_key_as_columns(writer->key,
										  writer->columns->owner);
	keys->context = CurrentMemoryContext;
	begin_sort(keys);
	return keys;
}

void
intake_keys_put(IntakeKeys *keys, const Datum *values, const bool *nulls)
{
	TupleTableSlot *slot = keys->input;

	if (intake_key_cache_has(keys->cache, values, nulls))
		return;
	ExecClearTuple(slot);
	memcpy(slot->tts_values, values, keys->nitems * sizeof(Datum));
	memcpy(slot->tts_isnull, nulls, keys->nitems * sizeof(bool));
	ExecStoreVirtualTuple(slot);
	tuplesort_puttupleslot(keys->sort, slot);
	keys->has_keys = true;
}

/* DELETE ... USING ... WHERE, for one pattern of NULLs. */
static char *
make_delete(IntakeKeys *keys, const Pattern *pattern)
{
	Relation	rel = keys->writer->rel;
	StringInfoData sql;
	ListCell   *cell;

	initStringInfo(&sql);
	appendStringInfo(&sql, "DELETE FROM %s AS t USING ",
					 intake_sql_relation(rel));
	intake_sql_append_source(&sql, pattern->statement);
	foreach(cell, keys->writer->key)
	{
		const IntakeKeyItem *item = lfirst(cell);
		int			i = foreach_current_index(cell);

		appendStringInfo(&sql, " %s (%s) ", i == 0 ? "WHERE" : "AND",
						 intake_key_item_sql(rel, item, "t"));
		if (pattern->nulls[i])
			appendStringInfoString(&sql, "IS NULL");
		else
			appendStringInfo(&sql, "%s b.c%d%s",
							 intake_sql_operator(item->eq_operator), i + 1,
							 intake_sql_collation(item->collation));
	}
	return sql.data;
}

static Pattern *
make_pattern(IntakeKeys *keys, const bool *nulls)
{
	MemoryContext context = AllocSetContextCreate(keys->context,
												  "pg_intake key pattern",
												  ALLOCSET_SMALL_SIZES);
	MemoryContext old = MemoryContextSwitchTo(context);
	Pattern    *pattern = palloc(sizeof(Pattern));
	int		   *fields = palloc(keys->nitems * sizeof(int));
	int			i;

	pattern->context = context;
	pattern->nulls = palloc(keys->nitems * sizeof(bool));
	memcpy(pattern->nulls, nulls, keys->nitems * sizeof(bool));
	for (i = 0; i < keys->nitems; i++)
		fields[i] = i;
	pattern->statement = intake_sql_make(keys->writer, keys->columns, fields,
										 keys->nitems);
	pattern->statement->sql = make_delete(keys, pattern);
	pattern->batch = intake_batch_make(keys->nitems, INTAKE_BATCH_ROWS);
	MemoryContextSwitchTo(keys->context);
	keys->patterns = lappend(keys->patterns, pattern);
	MemoryContextSwitchTo(old);
	return pattern;
}

/* Deletes the rows of the keys that wait in a pattern. */
static void
flush_pattern(IntakeKeys *keys, Pattern *pattern)
{
	if (pattern->batch->nrows > 0)
		keys->deleted += intake_sql_run(pattern->statement, pattern->batch,
										true);
	intake_batch_clear(pattern->batch);
}

/* Is done with all patterns, and forgets them. */
static void
flush_patterns(IntakeKeys *keys)
{
	ListCell   *cell;

	foreach(cell, keys->patterns)
	{
		Pattern    *pattern = lfirst(cell);

		flush_pattern(keys, pattern);
		MemoryContextDelete(pattern->context);
	}
	list_free(keys->patterns);
	keys->patterns = NIL;
}

static Pattern *
find_pattern(IntakeKeys *keys, const bool *nulls)
{
	ListCell   *cell;

	foreach(cell, keys->patterns)
	{
		Pattern    *pattern = lfirst(cell);

		if (memcmp(pattern->nulls, nulls, keys->nitems * sizeof(bool)) == 0)
			return pattern;
	}
	if (list_length(keys->patterns) == MAX_PATTERNS)
		flush_patterns(keys);
	return make_pattern(keys, nulls);
}

/* Adds a sorted, distinct key to the batch of its pattern. */
static void
add_to_pattern(void *arg, const Datum *values, const bool *nulls)
{
	IntakeKeys *keys = arg;
	Pattern    *pattern = find_pattern(keys, nulls);
	IntakeRow  *row;
	MemoryContext old;
	int			i;

	if (intake_batch_is_full(pattern->batch))
		flush_pattern(keys, pattern);
	row = intake_batch_next(pattern->batch);
	old = MemoryContextSwitchTo(pattern->batch->context);
	memcpy(row->nulls, nulls, keys->nitems * sizeof(bool));
	for (i = 0; i < keys->nitems; i++)
	{
		Form_pg_attribute attribute = TupleDescAttr(keys->desc, i);

		if (!row->nulls[i])
			row->values[i] = datumCopy(values[i], attribute->attbyval,
									   attribute->attlen);
	}
	MemoryContextSwitchTo(old);
	row->record = row->line = 0;
	pattern->batch->nrows++;
}

/* Whether a sorted key equals the one before it, if there is one. */
static bool
is_repeat(IntakeKeys *keys, TupleTableSlot *slot, TupleTableSlot *last)
{
	int			i;

	if (TupIsNull(last))
		return false;
	for (i = 0; i < keys->nitems; i++)
	{
		if (ApplySortComparator(slot->tts_values[i], slot->tts_isnull[i],
								last->tts_values[i], last->tts_isnull[i],
								&keys->comparators[i]) != 0)
			return false;
	}
	return true;
}

/* Deletes the rows of a distinct key, or lets it wait for its DELETE. */
static void
delete_key(IntakeKeys *keys, IntakeHeapDelete *heap, TupleTableSlot *slot)
{
	if (heap == NULL)
		add_to_pattern(keys, slot->tts_values, slot->tts_isnull);
	else
		intake_heap_delete_key(heap, slot->tts_values, slot->tts_isnull);
}

/* Deletes by the keys in their order, those that the heap path serves. */
static void
delete_keys(IntakeKeys *keys, IntakeHeapDelete *heap)
{
	TupleTableSlot *slot = MakeSingleTupleTableSlot(keys->desc,
													&TTSOpsMinimalTuple);
	TupleTableSlot *last = MakeSingleTupleTableSlot(keys->desc,
													&TTSOpsMinimalTuple);

	while (tuplesort_gettupleslot(keys->sort, true, true, slot, NULL))
	{
		TupleTableSlot *swap = last;

		slot_getallattrs(slot);
		if (is_repeat(keys, slot, last))
			continue;
		delete_key(keys, heap, slot);
		last = slot;
		slot = swap;
	}
	ExecDropSingleTupleTableSlot(slot);
	ExecDropSingleTupleTableSlot(last);
}

int64
intake_keys_delete_rows(IntakeKeys *keys)
{
	MemoryContext old = MemoryContextSwitchTo(keys->context);
	IntakeHeapDelete *heap = NULL;

	tuplesort_performsort(keys->sort);
	if (keys->has_keys)
		heap = intake_heap_delete_begin(keys->writer, add_to_pattern, keys);
	delete_keys(keys, heap);
	if (heap != NULL)
		keys->deleted += intake_heap_delete_end(heap);
	flush_patterns(keys);
	MemoryContextSwitchTo(old);
	return keys->deleted;
}

void
intake_keys_end(IntakeKeys *keys)
{
	ExecDropSingleTupleTableSlot(keys->input);
	tuplesort_end(keys->sort);
}
