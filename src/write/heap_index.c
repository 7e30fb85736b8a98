/*-------------------------------------------------------------------------
 *
 * heap_index.c
 *	  Index entries of rows that are in their table already.
 *
 * row --(predicate, key columns)--> queues, one an index --(sorted)--> index
 *
 * What a row's entries are is computed while its slot is at hand.  Only the
 * entries of btrees wait; others are written at once, which their access
 * methods make the best of themselves.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "catalog/index.h"
#include "catalog/pg_am.h"
#include "executor/executor.h"
#include "miscadmin.h"
#include "nodes/nodes.h"
#include "optimizer/optimizer.h"
#include "utils/datum.h"
#include "utils/memutils.h"

#include "write/heap_index.h"
#include "write/index_order.h"

/* So many bytes or rows of a queue wait, of all tables together. */
#define MAX_BYTES (16 * 1024 * 1024)
#define MAX_ROWS (128 * 1024)

/* Rows of a queue's first allocation. */
#define FIRST_ROWS 128

typedef struct WaitingRow
{
	ItemPointerData tid;
	uint64		record;
	uint64		line;
} WaitingRow;

/* The entries of one index. */
typedef struct EntryQueue
{
	Relation	index;
	IndexInfo  *info;
	IntakeIndexOrder *order;	/* NULL: in the order of the rows */
	IndexUniqueCheck check;
	bool		is_unchanged;	/* an update leaves its columns alone */
	bool		waits;			/* else written at once */
	int			natts;
	int			nentries;
	int			capacity;
	uint32	   *rows;			/* of the entries */
	Datum	   *values;
	bool	   *nulls;
} EntryQueue;

struct IntakeIndexQueue
{
	IntakeHeapIndexes *indexes;
	ResultRelInfo *result;
	int			nrows;
	int			capacity;
	WaitingRow *rows;
	int			nindexes;
	EntryQueue *entries;
};

struct IntakeHeapIndexes
{
	EState	   *estate;
	IntakeWritePosition *position;
	MemoryContext context;		/* of this and the queues */
	MemoryContext values;		/* of what waits in them */
	List	   *queues;			/* of IntakeIndexQueue */
};

IntakeHeapIndexes *
intake_heap_indexes_make(EState *estate, IntakeWritePosition *position)
{
	IntakeHeapIndexes *indexes = palloc0(sizeof(IntakeHeapIndexes));

	indexes->estate = estate;
	indexes->position = position;
	indexes->context =
		AllocSetContextCreate(CurrentMemoryContext,
							  "pg_intake index queues",
							  ALLOCSET_DEFAULT_SIZES);
	indexes->values =
		AllocSetContextCreate(CurrentMemoryContext,
							  "pg_intake index entries",
							  ALLOCSET_DEFAULT_SIZES);
	return indexes;
}

/* Whether an expression, as a catalog keeps it, uses a volatile function. */
static bool
is_volatile(const char *expression)
{
	return contain_volatile_functions(stringToNode(expression));
}

/*
 * Whether a function of a constraint or of a trigger's condition may look at
 * the table, which it does between two rows.
 */
static bool
may_look(const ResultRelInfo *result)
{
	TupleConstr *constraints =
		RelationGetDescr(result->ri_RelationDesc)->constr;
	TriggerDesc *triggers = result->ri_TrigDesc;
	int			i;

	for (i = 0; constraints != NULL && i < constraints->num_check; i++)
	{
		if (is_volatile(constraints->check[i].ccbin))
			return true;
	}
	for (i = 0; triggers != NULL && i < triggers->numtriggers; i++)
	{
		if (triggers->triggers[i].tgqual != NULL &&
			is_volatile(triggers->triggers[i].tgqual))
			return true;
	}
	return false;
}

/* Whether the entries of all indexes of the table can wait. */
static bool
can_wait(const ResultRelInfo *result)
{
	int			i;

	for (i = 0; i < result->ri_NumIndices; i++)
	{
		Relation	index = result->ri_IndexRelationDescs[i];

		if (index == NULL || !index->rd_index->indimmediate ||
			result->ri_IndexRelationInfo[i]->ii_ExclusionOps != NULL)
			return false;
	}
	return result->ri_NumIndices > 0 && !may_look(result);
}

/*
 * Whether an update sets no column of the index, nor what may be generated
 * from one; a hint for btree.
 */
static bool
is_unchanged(const EntryQueue *queue, Relation rel, Bitmapset *updated)
{
	int			i;

	if (queue->info->ii_Expressions != NIL)
		return false;
	for (i = 0; i < queue->info->ii_NumIndexKeyAttrs; i++)
	{
		AttrNumber	attnum = queue->info->ii_IndexAttrNumbers[i];

		if (bms_is_member(attnum - FirstLowInvalidHeapAttributeNumber,
						  updated) ||
			TupleDescAttr(RelationGetDescr(rel), attnum - 1)->attgenerated)
			return false;
	}
	return true;
}

static void
init_entries(EntryQueue *queue, Relation index, IndexInfo *info)
{
	queue->index = index;
	queue->info = info;
	queue->natts = info->ii_NumIndexAttrs;
	queue->check = index->rd_index->indisunique ? UNIQUE_CHECK_YES :
		UNIQUE_CHECK_NO;
	queue->waits = index->rd_rel->relam == BTREE_AM_OID;
	if (queue->waits)
		queue->order = intake_index_order_make(index);
}

IntakeIndexQueue *
intake_index_queue_make(IntakeHeapIndexes *indexes, ResultRelInfo *result,
						bool is_update)
{
	IntakeIndexQueue *queue;
	MemoryContext old = MemoryContextSwitchTo(indexes->context);
	int			i;

	if (!can_wait(result))
	{
		MemoryContextSwitchTo(old);
		return NULL;
	}
	queue = palloc0(sizeof(IntakeIndexQueue));
	queue->indexes = indexes;
	queue->result = result;
	queue->nindexes = result->ri_NumIndices;
	queue->entries = palloc0(queue->nindexes * sizeof(EntryQueue));
	for (i = 0; i < queue->nindexes; i++)
	{
		EntryQueue *entries = &queue->entries[i];

		init_entries(entries, result->ri_IndexRelationDescs[i],
					 result->ri_IndexRelationInfo[i]);
		entries->is_unchanged = is_update &&
			is_unchanged(entries, result->ri_RelationDesc,
						 ExecGetUpdatedCols(result, indexes->estate));
	}
	indexes->queues = lappend(indexes->queues, queue);
	MemoryContextSwitchTo(old);
	return queue;
}

/* Whether the row in the expression context has an entry in the index. */
static bool
has_entry(IntakeIndexQueue *queue, IndexInfo *info)
{
	EState	   *estate = queue->indexes->estate;

	if (!info->ii_ReadyForInserts)
		return false;
	if (info->ii_Predicate == NIL)
		return true;
	if (info->ii_PredicateState == NULL)
		info->ii_PredicateState = ExecPrepareQual(info->ii_Predicate, estate);
	return ExecQual(info->ii_PredicateState, GetPerTupleExprContext(estate));
}

/* Makes an array longer, or allocates it. */
static void *
grow(void *array, size_t size, int capacity)
{
	return array == NULL ? palloc(size * capacity) :
		repalloc_huge(array, size * capacity);
}

/* Makes room for one more entry. */
static void
reserve_entry(EntryQueue *entries)
{
	int			capacity = Max(FIRST_ROWS, 2 * entries->capacity);

	if (entries->nentries < entries->capacity)
		return;
	entries->rows = grow(entries->rows, sizeof(uint32), capacity);
	entries->values = grow(entries->values, entries->natts * sizeof(Datum),
						   capacity);
	entries->nulls = grow(entries->nulls, entries->natts * sizeof(bool),
						  capacity);
	entries->capacity = capacity;
}

/* Lets an entry wait; its values are copied. */
static void
add_entry(EntryQueue *entries, uint32 row, const Datum *values,
		  const bool *nulls)
{
	TupleDesc	desc = RelationGetDescr(entries->index);
	size_t		at;
	int			i;

	reserve_entry(entries);
	at = (size_t) entries->nentries * entries->natts;
	for (i = 0; i < entries->natts; i++)
	{
		Form_pg_attribute attribute = TupleDescAttr(desc, i);

		entries->nulls[at + i] = nulls[i];
		entries->values[at + i] = nulls[i] ? (Datum) 0 :
			datumCopy(values[i], attribute->attbyval, attribute->attlen);
	}
	entries->rows[entries->nentries++] = row;
}

/* Writes one entry. */
static void
write_entry(const IntakeIndexQueue *queue, EntryQueue *entries,
			Datum *values, bool *nulls, ItemPointer tid)
{
	(void) index_insert(entries->index, values, nulls, tid,
						queue->result->ri_RelationDesc, entries->check,
						entries->is_unchanged, entries->info);
}

/* Adds the row's entries, or writes those that do not wait. */
static void
add_entries(IntakeIndexQueue *queue, TupleTableSlot *slot)
{
	EState	   *estate = queue->indexes->estate;
	Datum		values[INDEX_MAX_KEYS];
	bool		nulls[INDEX_MAX_KEYS];
	MemoryContext old;
	int			i;

	GetPerTupleExprContext(estate)->ecxt_scantuple = slot;
	for (i = 0; i < queue->nindexes; i++)
	{
		EntryQueue *entries = &queue->entries[i];

		old = MemoryContextSwitchTo(GetPerTupleMemoryContext(estate));
		if (has_entry(queue, entries->info))
		{
			FormIndexDatum(entries->info, slot, estate, values, nulls);
			if (entries->waits)
			{
				MemoryContextSwitchTo(queue->indexes->values);
				add_entry(entries, queue->nrows, values, nulls);
			}
			else
				write_entry(queue, entries, values, nulls, &slot->tts_tid);
		}
		MemoryContextSwitchTo(old);
	}
}

void
intake_index_queue_add(IntakeIndexQueue *queue, TupleTableSlot *slot,
					   uint64 record, uint64 line)
{
	IntakeHeapIndexes *indexes = queue->indexes;
	WaitingRow *row;

	if (queue->nrows == MAX_ROWS ||
		MemoryContextMemAllocated(indexes->values, false) >= MAX_BYTES)
		intake_heap_indexes_flush(indexes);
	if (queue->nrows == queue->capacity)
	{
		MemoryContext old = MemoryContextSwitchTo(indexes->values);

		queue->capacity = Max(FIRST_ROWS, 2 * queue->capacity);
		queue->rows = grow(queue->rows, sizeof(WaitingRow), queue->capacity);
		MemoryContextSwitchTo(old);
	}
	add_entries(queue, slot);
	row = &queue->rows[queue->nrows++];
	row->tid = slot->tts_tid;
	row->record = record;
	row->line = line;
}

/* Writes the entries of one index. */
static void
flush_entries(const IntakeIndexQueue *queue, EntryQueue *entries)
{
	IntakeHeapIndexes *indexes = queue->indexes;
	MemoryContext context = GetPerTupleMemoryContext(indexes->estate);
	uint32	   *sorted = NULL;
	int			i;

	if (entries->order != NULL && entries->nentries > 1)
		sorted = intake_index_order_sort(entries->order, entries->values,
										 entries->nulls, entries->natts,
										 entries->nentries);
	for (i = 0; i < entries->nentries; i++)
	{
		uint32		n = sorted == NULL ? i : sorted[i];
		size_t		at = (size_t) n * entries->natts;
		WaitingRow *row = &queue->rows[entries->rows[n]];
		MemoryContext old;

		CHECK_FOR_INTERRUPTS();
		ResetPerTupleExprContext(indexes->estate);
		indexes->position->record = row->record;
		indexes->position->line = row->line;
		old = MemoryContextSwitchTo(context);
		write_entry(queue, entries, entries->values + at,
					entries->nulls + at, &row->tid);
		MemoryContextSwitchTo(old);
	}
}

static void
flush_queue(IntakeIndexQueue *queue)
{
	int			i;

	for (i = 0; i < queue->nindexes; i++)
	{
		EntryQueue *entries = &queue->entries[i];

		flush_entries(queue, entries);
		entries->nentries = entries->capacity = 0;
		entries->rows = NULL;
		entries->values = NULL;
		entries->nulls = NULL;
	}
	queue->nrows = queue->capacity = 0;
	queue->rows = NULL;
}

void
intake_heap_indexes_flush(IntakeHeapIndexes *indexes)
{
	IntakeWritePosition position = *indexes->position;
	MemoryContext old = MemoryContextSwitchTo(indexes->values);
	ListCell   *cell;

	foreach(cell, indexes->queues)
		flush_queue(lfirst(cell));
	MemoryContextSwitchTo(old);
	MemoryContextReset(indexes->values);
	*indexes->position = position;
}

void
intake_heap_indexes_reset(IntakeHeapIndexes *indexes)
{
	indexes->queues = NIL;
	MemoryContextReset(indexes->context);
}
