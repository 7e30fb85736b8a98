/*-------------------------------------------------------------------------
 *
 * heap_route.c
 *	  The partition that takes a row.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/tableam.h"
#include "executor/execPartition.h"
#include "executor/executor.h"

#include "compat.h"
#include "write/heap_route.h"

struct IntakeHeapRoute
{
	IntakeHeapState *state;
	ModifyTableState *modify;
	PartitionTupleRouting *routing;

	/* by key */
	const IntakeMergeKey *key;
	int		   *columns;		/* column numbers of the key */
	TupleTableSlot *slot;		/* the key in the target's shape, else NULLs */
};

IntakeHeapRoute *
intake_heap_route_begin(IntakeHeapState *state,
						TransitionCaptureState *capture)
{
	Relation	rel = state->writer->rel;
	IntakeHeapRoute *route;
	ModifyTableState *modify;

	if (rel->rd_rel->relkind != RELKIND_PARTITIONED_TABLE)
		return NULL;
	modify = makeNode(ModifyTableState);
	modify->ps.plan = NULL;
	modify->ps.state = state->estate;
	modify->operation = CMD_INSERT;
	modify->mt_nrels = 1;
	modify->resultRelInfo = state->result;
	modify->rootResultRelInfo = state->result;
	modify->mt_transition_capture = capture;
	route = palloc0(sizeof(IntakeHeapRoute));
	route->state = state;
	route->modify = modify;
	route->routing = ExecSetupPartitionTupleRouting(state->estate, rel);
	return route;
}

ResultRelInfo *
intake_heap_route_slot(IntakeHeapRoute *route, TupleTableSlot *slot)
{
	EState	   *estate = route->state->estate;
	ResultRelInfo *result;
	MemoryContext old;

	result = ExecFindPartition(route->modify, route->state->result,
							   route->routing, slot, estate);
	/* The map to the root is made when first asked for: not in the batch. */
	if (route->modify->mt_transition_capture != NULL)
	{
		old = MemoryContextSwitchTo(estate->es_query_cxt);
		(void) ExecGetChildToRootMap(result);
		MemoryContextSwitchTo(old);
	}
	return result;
}

void
intake_heap_route_by_key(IntakeHeapRoute *route, const IntakeMergeKey *key)
{
	IntakeWriter *writer = route->state->writer;
	TupleTableSlot *slot = table_slot_create(writer->rel, NULL);
	int			i;

	route->key = key;
	route->columns = palloc(key->ncolumns * sizeof(int));
	for (i = 0; i < key->ncolumns; i++)
		route->columns[i] = intake_columns_of_attnum(writer->columns,
													 key->attnums[i]);
	memset(slot->tts_isnull, true,
		   slot->tts_tupleDescriptor->natts * sizeof(bool));
	route->slot = slot;
}

ResultRelInfo *
intake_heap_route_row(IntakeHeapRoute *route, const IntakeRow *row)
{
	TupleTableSlot *slot = route->slot;
	int			i;

	ExecClearTuple(slot);
	for (i = 0; i < route->key->ncolumns; i++)
	{
		int			n = route->key->attnums[i] - 1;

		slot->tts_values[n] = row->values[route->columns[i]];
		slot->tts_isnull[n] = row->nulls[route->columns[i]];
	}
	ExecStoreVirtualTuple(slot);
	return intake_heap_route_slot(route, slot);
}

TupleTableSlot *
intake_heap_route_shape(EState *estate, ResultRelInfo *result,
						TupleTableSlot *row, TupleTableSlot *slot)
{
	TupleConversionMap *map = intake_root_to_partition_map(result, estate);

	if (map != NULL)
		return execute_attr_map_slot(map->attrMap, row, slot);
	return ExecCopySlot(slot, row);
}

void
intake_heap_route_end(IntakeHeapRoute *route)
{
	ExecCleanupTupleRouting(route->modify, route->routing);
	if (route->slot != NULL)
		ExecDropSingleTupleTableSlot(route->slot);
}
