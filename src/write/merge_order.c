/*-------------------------------------------------------------------------
 *
 * merge_order.c
 *	  Rows of a merge, staged in the order of its key.
 *
 * As long as rows come in the order of their keys, they are staged as they
 * come and need no sort; the first that does not begins it.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "utils/tuplesort.h"
#include "utils/typcache.h"

#include "compat.h"
#include "settings.h"
#include "write/merge_order.h"
#include "write/stage.h"

struct IntakeMergeOrder
{
	const IntakeMergeKey *key;
	int			ncolumns;		/* of rows */
	int		   *columns;		/* column numbers of the key */
	bool		is_complete;	/* all records of a key count */
	TupleDesc	desc;			/* of staged rows */
	IntakeStage *sorted;		/* rows that came in order; until the sort */
	TupleTableSlot *last;		/* the last of them */
	Tuplesortstate *sort;		/* NULL: all rows have come in order */
	SortSupport comparators;
	TupleTableSlot *input;
	MemoryContext context;
};

/* How sorted rows are compared by the key. */
static void
make_comparators(IntakeMergeOrder *order, const IntakeColumnSet *columns)
{
	const IntakeMergeKey *key = order->key;
	int			i;

	order->comparators = palloc0(key->ncolumns * sizeof(SortSupportData));
	for (i = 0; i < key->ncolumns; i++)
	{
		SortSupport comparator = &order->comparators[i];

		order->columns[i] = intake_columns_of_attnum(columns,
													 key->attnums[i]);
		comparator->ssup_cxt = CurrentMemoryContext;
		comparator->ssup_collation = key->collations[i];
		PrepareSortSupportFromOrderingOp(key->lt_operators[i], comparator);
	}
}

/*
 * Begins the sort by key and, within a key, by record: the last one first,
 * unless all of them count.
 */
static void
begin_sort(IntakeMergeOrder *order)
{
	int			n = order->key->ncolumns;
	AttrNumber *attnums = palloc((n + 1) * sizeof(AttrNumber));
	Oid		   *operators = palloc((n + 1) * sizeof(Oid));
	Oid		   *collations = palloc0((n + 1) * sizeof(Oid));
	bool	   *nulls_first = palloc0((n + 1) * sizeof(bool));
	TypeCacheEntry *record = lookup_type_cache(INT8OID, TYPECACHE_LT_OPR |
											   TYPECACHE_GT_OPR);
	int			i;

	for (i = 0; i < n; i++)
	{
		attnums[i] = order->columns[i] + 1;
		operators[i] = order->key->lt_operators[i];
		collations[i] = order->key->collations[i];
	}
	attnums[n] = order->ncolumns + 1;
	operators[n] = order->is_complete ? record->lt_opr : record->gt_opr;
	order->sort = intake_tuplesort_begin_heap(order->desc, n + 1, attnums,
											  operators, collations,
											  nulls_first,
											  intake_stage_memory);
}

IntakeMergeOrder *
intake_merge_order_make(const IntakeColumnSet *columns,
						const IntakeMergeKey *key, bool is_complete)
{
	IntakeMergeOrder *order = palloc0(sizeof(IntakeMergeOrder));

	order->key = key;
	order->ncolumns = columns->ncolumns;
	order->columns = palloc(key->ncolumns * sizeof(int));
	order->is_complete = is_complete;
	order->desc = intake_stage_desc(columns);
	order->input = MakeSingleTupleTableSlot(order->desc, &TTSOpsVirtual);
	order->last = MakeSingleTupleTableSlot(order->desc, &TTSOpsMinimalTuple);
	order->sorted = intake_stage_make(columns);
	order->context = CurrentMemoryContext;
	make_comparators(order, columns);
	return order;
}

const int *
intake_merge_order_columns(const IntakeMergeOrder *order)
{
	return order->columns;
}

SortSupport
intake_merge_order_comparators(const IntakeMergeOrder *order)
{
	return order->comparators;
}

TupleDesc
intake_merge_order_desc(const IntakeMergeOrder *order)
{
	return order->desc;
}

int
intake_merge_order_compare(const IntakeMergeOrder *order, const Datum *one,
						   const Datum *two)
{
	int			result = 0;
	int			i;

	for (i = 0; i < order->key->ncolumns && result == 0; i++)
	{
		int			column = order->columns[i];

		result = ApplySortComparator(one[column], false, two[column], false,
									 &order->comparators[i]);
	}
	return result;
}

/* Sorts from now on: the rows that came in order go first. */
static void
sort_from_now_on(IntakeMergeOrder *order)
{
	MemoryContext old = MemoryContextSwitchTo(order->context);
	TupleTableSlot *slot = MakeSingleTupleTableSlot(order->desc,
													&TTSOpsMinimalTuple);

	begin_sort(order);
	while (intake_stage_next(order->sorted, slot))
		tuplesort_puttupleslot(order->sort, slot);
	ExecDropSingleTupleTableSlot(slot);
	intake_stage_end(order->sorted);
	order->sorted = NULL;
	MemoryContextSwitchTo(old);
}

/* The row in the input slot, as it is staged. */
static TupleTableSlot *
store_input(IntakeMergeOrder *order, const IntakeRow *row)
{
	TupleTableSlot *slot = order->input;

	ExecClearTuple(slot);
	intake_stage_form(row, order->ncolumns, slot->tts_values, slot->tts_isnull);
	return ExecStoreVirtualTuple(slot);
}

/* Keeps the last row of a batch, to compare the next batch's first with. */
static void
keep_last(IntakeMergeOrder *order, const IntakeRow *row)
{
	MemoryContext old = MemoryContextSwitchTo(order->context);

	ExecCopySlot(order->last, store_input(order, row));
	slot_getallattrs(order->last);
	MemoryContextSwitchTo(old);
}

void
intake_merge_order_put(IntakeMergeOrder *order, const IntakeBatch *batch)
{
	const Datum *last = TTS_EMPTY(order->last) ? NULL : order->last->tts_values;
	int			i;

	for (i = 0; i < batch->nrows; i++)
	{
		const IntakeRow *row = &batch->rows[i];

		if (order->sort == NULL && last != NULL &&
			intake_merge_order_compare(order, last, row->values) >= 0)
			sort_from_now_on(order);
		if (order->sort == NULL)
			intake_stage_put_row(order->sorted, row, order->ncolumns);
		else
			tuplesort_puttupleslot(order->sort, store_input(order, row));
		last = row->values;
	}
	if (order->sort == NULL && batch->nrows > 0)
		keep_last(order, &batch->rows[batch->nrows - 1]);
}

void
intake_merge_order_begin(IntakeMergeOrder *order)
{
	if (order->sort != NULL)
		tuplesort_performsort(order->sort);
}

bool
intake_merge_order_next(IntakeMergeOrder *order, TupleTableSlot *slot)
{
	if (order->sort == NULL)
		return intake_stage_next(order->sorted, slot);
	return tuplesort_gettupleslot(order->sort, true, true, slot, NULL);
}

void
intake_merge_order_end(IntakeMergeOrder *order)
{
	ExecDropSingleTupleTableSlot(order->input);
	ExecDropSingleTupleTableSlot(order->last);
	if (order->sort != NULL)
		tuplesort_end(order->sort);
	else
		intake_stage_end(order->sorted);
}
