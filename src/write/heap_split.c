/*-------------------------------------------------------------------------
 *
 * heap_split.c
 *	  A batch's rows by the table that takes them.
 *
 * A unique key of a partitioned table has all columns that its partitions are
 * made by: the partition that takes a row is the only one that can have its
 * key.  So each partition's rows, still in the order of the key, can be
 * looked up in that partition's own index, and written before the next one is
 * turned to.  Partitions that no row goes to are not opened.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "executor/executor.h"
#include "miscadmin.h"

#include "write/heap_route.h"
#include "write/heap_split.h"
#include "write/heap_state.h"
#include "write/partition_find.h"

struct IntakeHeapSplit
{
	IntakeHeapState state;
	IntakeHeapRoute *route;		/* NULL: not partitioned, nothing is open */
	List	   *parts;			/* of IntakeHeapPart */
};

static IntakeHeapPart *
add_part(IntakeHeapSplit *split, Relation rel, Oid index)
{
	IntakeHeapPart *part = palloc0(sizeof(IntakeHeapPart));

	part->relid = RelationGetRelid(rel);
	part->rel = rel;
	part->index = index;
	split->parts = lappend(split->parts, part);
	return part;
}

/*
 * The part of a partition.  The member of ResultRelInfo that COPY keeps its
 * own buffer in is free here, since no COPY uses this one.
 */
static IntakeHeapPart *
find_part(IntakeHeapSplit *split, ResultRelInfo *result, Oid key_index)
{
	struct CopyMultiInsertBuffer **place = &result->ri_CopyMultiInsertBuffer;
	IntakeHeapPart *part = (IntakeHeapPart *) *place;

	if (unlikely(part == NULL))
	{
		part = add_part(split, result->ri_RelationDesc,
						intake_partition_index(result->ri_RelationDesc,
											   key_index));
		*place = (struct CopyMultiInsertBuffer *) part;
	}
	return part;
}

/* Routes all rows: the part of each; parts know how many rows they have. */
static IntakeHeapPart **
route_rows(IntakeHeapSplit *split, const IntakeMergeKey *key,
		   const IntakeBatch *batch)
{
	IntakeWritePosition *position = split->state.writer->position;
	IntakeHeapPart **takers = palloc(batch->nrows * sizeof(IntakeHeapPart *));
	int			i;

	for (i = 0; i < batch->nrows; i++)
	{
		const IntakeRow *row = &batch->rows[i];

		CHECK_FOR_INTERRUPTS();
		ResetPerTupleExprContext(split->state.estate);
		position->record = row->record;
		position->line = row->line;
		takers[i] = find_part(split, intake_heap_route_row(split->route, row),
							  key->index);
		takers[i]->nrows++;
	}
	position->record = 0;
	return takers;
}

/* Gives each part its rows. */
static void
deal_rows(IntakeHeapSplit *split, IntakeHeapPart **takers,
		  const IntakeBatch *batch)
{
	IntakeRow  *rows = palloc(batch->nrows * sizeof(IntakeRow));
	ListCell   *cell;
	int			i;

	foreach(cell, split->parts)
	{
		IntakeHeapPart *part = lfirst(cell);

		part->rows = rows;
		rows += part->nrows;
		part->nrows = 0;
	}
	for (i = 0; i < batch->nrows; i++)
		takers[i]->rows[takers[i]->nrows++] = batch->rows[i];
}

/* Space for where the rows are. */
static void
make_tids(IntakeHeapSplit *split, int nrows)
{
	ItemPointerData *tids = palloc(nrows * sizeof(ItemPointerData));
	ListCell   *cell;

	foreach(cell, split->parts)
	{
		IntakeHeapPart *part = lfirst(cell);

		part->tids = tids;
		tids += part->nrows;
	}
}

IntakeHeapSplit *
intake_heap_split(IntakeWriter *writer, const IntakeMergeKey *key,
				  const IntakeBatch *batch)
{
	IntakeHeapSplit *split = palloc0(sizeof(IntakeHeapSplit));

	if (writer->rel->rd_rel->relkind != RELKIND_PARTITIONED_TABLE)
	{
		IntakeHeapPart *part = add_part(split, writer->rel, key->index);

		part->nrows = batch->nrows;
		part->rows = batch->rows;
	}
	else
	{
		intake_heap_state_begin(&split->state, writer, CMD_INSERT);
		split->route = intake_heap_route_begin(&split->state, NULL);
		intake_heap_route_by_key(split->route, key);
		deal_rows(split, route_rows(split, key, batch), batch);
	}
	make_tids(split, batch->nrows);
	return split;
}

List *
intake_heap_split_parts(IntakeHeapSplit *split)
{
	return split->parts;
}

void
intake_heap_split_end(IntakeHeapSplit *split)
{
	ListCell   *cell;

	foreach(cell, split->parts)
		((IntakeHeapPart *) lfirst(cell))->rel = NULL;
	if (split->route == NULL)
		return;
	intake_heap_route_end(split->route);
	intake_heap_state_end(&split->state);
}
