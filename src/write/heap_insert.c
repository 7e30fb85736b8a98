/*-------------------------------------------------------------------------
 *
 * heap_insert.c
 *	  INSERT without a plan: batches straight into a table or its partitions.
 *
 * row --(defaults)--> slot --partition routing--> BEFORE ROW triggers -->
 *		generated columns --> constraints --> heap_buffer.c: many rows at
 *		once into table, indexes and the queue of AFTER triggers
 *
 * The executor's own routines do each step.  Where a trigger or a default may
 * look at the table while rows come in, rows go in one by one.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/heapam.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "commands/trigger.h"
#include "executor/execPartition.h"
#include "executor/executor.h"
#include "executor/nodeModifyTable.h"
#include "nodes/makefuncs.h"
#include "optimizer/optimizer.h"
#include "parser/parse_coerce.h"
#include "parser/parse_relation.h"
#include "rewrite/rewriteHandler.h"
#include "utils/lsyscache.h"

#include "compat.h"
#include "write/heap_buffer.h"
#include "write/heap_insert.h"

/* A column of the table that the payload does not mention. */
typedef struct Computed
{
	AttrNumber	attnum;
	ExprState  *expression;
} Computed;

struct IntakeHeapInsert
{
	IntakeWriter *writer;
	EState	   *estate;
	RangeTblEntry *entry;		/* of the target */
	ModifyTableState *modify;
	ResultRelInfo *root;
	PartitionTupleRouting *routing; /* NULL: not partitioned */
	TupleTableSlot *slot;		/* a row in the shape of the target */
	IntakeHeapBuffers *buffers;
	bool		has_captured_partitions;	/* by a transition table */
	bool		is_single;		/* rows go in one by one */
	MemoryContext context;

	/* for the columns mentioned so far */
	int			nmentioned;
	int			nfields;
	int		   *fields;			/* column numbers */
	int			ncomputed;
	Computed   *computed;
};

/* The range table's one entry. */
static RangeTblEntry *
make_range_entry(Relation rel)
{
	RangeTblEntry *entry = makeNode(RangeTblEntry);

	entry->rtekind = RTE_RELATION;
	entry->relid = RelationGetRelid(rel);
	entry->relkind = rel->rd_rel->relkind;
	entry->rellockmode = RowExclusiveLock;
	return entry;
}

/* Checks INSERT on the columns that the payload mentions. */
static void
check_privileges(IntakeHeapInsert *insert)
{
	const IntakeColumnSet *columns = insert->writer->columns;
	Bitmapset  *inserted = NULL;
	int			i;

	for (i = 0; i < insert->nfields; i++)
	{
		AttrNumber	attnum = columns->columns[insert->fields[i]].attnum;

		inserted = bms_add_member(inserted,
								  attnum - FirstLowInvalidHeapAttributeNumber);
	}
	intake_check_insert(insert->estate, insert->entry, inserted);
}

/* Which columns come from the payload, by column number. */
static void
find_fields(IntakeHeapInsert *insert)
{
	const IntakeColumnSet *columns = insert->writer->columns;
	int			i;

	insert->nfields = 0;
	insert->fields = palloc(Max(columns->ncolumns, 1) * sizeof(int));
	for (i = 0; i < columns->ncolumns; i++)
	{
		if (columns->columns[i].attnum != 0 &&
			insert->writer->defaults->mentioned[i])
			insert->fields[insert->nfields++] = i;
	}
}

/* Whether the payload gives the column with this attribute number. */
static bool
is_field(const IntakeHeapInsert *insert, AttrNumber attnum)
{
	const IntakeColumnSet *columns = insert->writer->columns;
	int			i;

	for (i = 0; i < insert->nfields; i++)
	{
		if (columns->columns[insert->fields[i]].attnum == attnum)
			return true;
	}
	return false;
}

/*
 * What a column gets that the payload does not give: its default, or NULL,
 * which a domain may refuse.  Returns NULL for a plain NULL.
 */
static Expr *
missing_value(Relation rel, Form_pg_attribute attribute)
{
	Node	   *value = build_column_default(rel, attribute->attnum);
	int32		typmod = attribute->atttypmod;
	Oid			base = getBaseTypeAndTypmod(attribute->atttypid, &typmod);
	Const	   *null;

	if (value != NULL || base == attribute->atttypid)
		return (Expr *) value;
	null = makeNullConst(base, typmod, attribute->attcollation);
	return (Expr *) coerce_to_domain((Node *) null, base, typmod,
									 attribute->atttypid, COERCION_IMPLICIT,
									 COERCE_IMPLICIT_CAST, -1, false);
}

/* Compiles what the columns get that the payload does not give. */
static void
find_computed(IntakeHeapInsert *insert)
{
	Relation	rel = insert->writer->rel;
	TupleDesc	desc = RelationGetDescr(rel);
	int			i;

	insert->ncomputed = 0;
	insert->is_single = insert->has_captured_partitions;
	insert->computed = palloc(Max(desc->natts, 1) * sizeof(Computed));
	for (i = 0; i < desc->natts; i++)
	{
		Form_pg_attribute attribute = TupleDescAttr(desc, i);
		Expr	   *value;

		if (attribute->attisdropped || attribute->attgenerated != '\0' ||
			is_field(insert, i + 1))
			continue;
		value = missing_value(rel, attribute);
		if (value == NULL)
			continue;
		/* such a function may look at the rows that are in the table */
		if (contain_volatile_functions_not_nextval((Node *) value))
			insert->is_single = true;
		insert->computed[insert->ncomputed].attnum = i + 1;
		insert->computed[insert->ncomputed].expression =
			ExecPrepareExpr(value, insert->estate);
		insert->ncomputed++;
	}
}

/* Takes note of the columns that are mentioned by now. */
static void
follow_mentioned(IntakeHeapInsert *insert)
{
	MemoryContext old;

	if (insert->nmentioned == insert->writer->defaults->nmentioned)
		return;
	old = MemoryContextSwitchTo(insert->context);
	insert->nmentioned = insert->writer->defaults->nmentioned;
	find_fields(insert);
	check_privileges(insert);
	find_computed(insert);
	MemoryContextSwitchTo(old);
}

/* The executor's state for an INSERT into the target. */
static void
begin_executor(IntakeHeapInsert *insert)
{
	Relation	rel = insert->writer->rel;
	EState	   *estate = CreateExecutorState();
	ResultRelInfo *root = makeNode(ResultRelInfo);
	ModifyTableState *modify = makeNode(ModifyTableState);

	insert->estate = estate;
	insert->root = root;
	insert->modify = modify;
	insert->entry = make_range_entry(rel);
	intake_init_range_table(estate, insert->entry);
	ExecInitResultRelation(estate, root, 1);
	CheckValidResultRel(root, CMD_INSERT);
	ExecOpenIndices(root, false);

	modify->ps.plan = NULL;
	modify->ps.state = estate;
	modify->operation = CMD_INSERT;
	modify->mt_nrels = 1;
	modify->resultRelInfo = root;
	modify->rootResultRelInfo = root;
	modify->mt_transition_capture =
		MakeTransitionCaptureState(rel->trigdesc, RelationGetRelid(rel),
								   CMD_INSERT);
	if (rel->rd_rel->relkind == RELKIND_PARTITIONED_TABLE)
		insert->routing = ExecSetupPartitionTupleRouting(estate, rel);
}

IntakeHeapInsert *
intake_heap_begin(IntakeWriter *writer)
{
	IntakeHeapInsert *insert = palloc0(sizeof(IntakeHeapInsert));
	TriggerDesc *triggers = writer->rel->trigdesc;

	insert->writer = writer;
	insert->context = CurrentMemoryContext;
	insert->nmentioned = -1;
	AfterTriggerBeginQuery();
	begin_executor(insert);
	insert->slot = table_slot_create(writer->rel, NULL);

	/*
	 * A transition table of a partitioned table collects rows by the root's
	 * triggers, which the buffers of its partitions do not know.
	 */
	insert->has_captured_partitions = insert->routing != NULL &&
		triggers != NULL && triggers->trig_insert_new_table;

	CommandCounterIncrement();
	insert->buffers =
		intake_heap_buffers_make(insert->estate,
								 insert->modify->mt_transition_capture,
								 GetCurrentCommandId(true), writer->position);
	ExecBSInsertTriggers(insert->estate, insert->root);
	return insert;
}

/* Puts the row into a slot of the target's shape. */
static void
fill_slot(IntakeHeapInsert *insert, const IntakeRow *row,
		  TupleTableSlot *slot)
{
	const IntakeColumn *columns = insert->writer->columns->columns;
	ExprContext *context = GetPerTupleExprContext(insert->estate);
	int			i;

	ExecClearTuple(slot);
	memset(slot->tts_isnull, true, slot->tts_tupleDescriptor->natts);
	for (i = 0; i < insert->nfields; i++)
	{
		int			column = insert->fields[i];
		AttrNumber	attnum = columns[column].attnum;

		slot->tts_values[attnum - 1] = row->values[column];
		slot->tts_isnull[attnum - 1] = row->nulls[column];
	}
	for (i = 0; i < insert->ncomputed; i++)
	{
		AttrNumber	attnum = insert->computed[i].attnum;

		slot->tts_values[attnum - 1] =
			ExecEvalExpr(insert->computed[i].expression, context,
						 &slot->tts_isnull[attnum - 1]);
	}
	ExecStoreVirtualTuple(slot);
}

/* Generated columns and constraints of the table that takes the row. */
static void
complete_slot(IntakeHeapInsert *insert, ResultRelInfo *result,
			  TupleTableSlot *slot, bool has_before_trigger)
{
	Relation	rel = result->ri_RelationDesc;
	TupleConstr *constraints = RelationGetDescr(rel)->constr;

	if (constraints != NULL && constraints->has_generated_stored)
		ExecComputeStoredGenerated(result, insert->estate, slot, CMD_INSERT);
	if (constraints != NULL)
		ExecConstraints(result, slot, insert->estate);
	if (rel->rd_rel->relispartition &&
		(insert->routing == NULL || has_before_trigger))
		ExecPartitionCheck(result, slot, insert->estate, true);
}

static bool
has_before_row_trigger(const ResultRelInfo *result)
{
	return result->ri_TrigDesc != NULL &&
		result->ri_TrigDesc->trig_insert_before_row;
}

/* The partition that takes the row of insert->slot. */
static ResultRelInfo *
route_row(IntakeHeapInsert *insert)
{
	return ExecFindPartition(insert->modify, insert->root, insert->routing,
							 insert->slot, insert->estate);
}

/* Puts the target's row into the shape of the partition. */
static TupleTableSlot *
shape_row(IntakeHeapInsert *insert, ResultRelInfo *result,
		  TupleTableSlot *slot)
{
	TupleConversionMap *map = intake_root_to_partition_map(result,
														   insert->estate);

	if (map != NULL)
		return execute_attr_map_slot(map->attrMap, insert->slot, slot);
	return ExecCopySlot(slot, insert->slot);
}

/*
 * What a transition table gets: the row as it was routed, unless a trigger
 * may change it.
 */
static void
set_captured_row(IntakeHeapInsert *insert, bool has_before_trigger)
{
	TransitionCaptureState *capture = insert->modify->mt_transition_capture;

	if (capture != NULL)
		capture->tcs_original_insert_tuple =
			insert->routing != NULL && !has_before_trigger ?
			insert->slot : NULL;
}

/* Inserts one row at once; false when a trigger leaves it out. */
static bool
insert_single(IntakeHeapInsert *insert, ResultRelInfo *result,
			  TupleTableSlot *slot)
{
	bool		has_before_trigger = has_before_row_trigger(result);

	intake_heap_buffers_flush(insert->buffers);
	set_captured_row(insert, has_before_trigger);
	if (has_before_trigger &&
		!ExecBRInsertTriggers(insert->estate, result, slot))
		return false;
	complete_slot(insert, result, slot, has_before_trigger);
	intake_heap_buffers_insert_now(insert->buffers, result, slot);
	return true;
}

/* Inserts one row, or leaves it in the buffer of its table. */
static bool
insert_row(IntakeHeapInsert *insert, const IntakeRow *row)
{
	ResultRelInfo *result = insert->root;
	TupleTableSlot *slot = insert->slot;

	if (insert->routing == NULL && !insert->is_single &&
		!has_before_row_trigger(result))
	{
		slot = intake_heap_buffers_next(insert->buffers, result, row);
		fill_slot(insert, row, slot);
	}
	else
	{
		fill_slot(insert, row, slot);
		if (insert->routing != NULL)
			result = route_row(insert);
		if (insert->is_single || has_before_row_trigger(result))
		{
			slot = intake_heap_buffers_single(insert->buffers, result);
			slot = shape_row(insert, result, slot);
			slot->tts_tableOid = RelationGetRelid(result->ri_RelationDesc);
			return insert_single(insert, result, slot);
		}
		slot = intake_heap_buffers_next(insert->buffers, result, row);
		shape_row(insert, result, slot);
	}
	slot->tts_tableOid = RelationGetRelid(result->ri_RelationDesc);
	complete_slot(insert, result, slot, false);
	intake_heap_buffers_keep(insert->buffers, result);
	return true;
}

int64
intake_heap_insert(IntakeHeapInsert *insert, IntakeBatch *batch)
{
	MemoryContext old = MemoryContextSwitchTo(batch->context);
	int64		inserted = 0;
	int			i;

	follow_mentioned(insert);
	for (i = 0; i < batch->nrows; i++)
	{
		insert->writer->position->record = batch->rows[i].record;
		insert->writer->position->line = batch->rows[i].line;
		ResetPerTupleExprContext(insert->estate);
		if (insert_row(insert, &batch->rows[i]))
			inserted++;
	}
	intake_heap_buffers_flush(insert->buffers);
	insert->writer->position->record = 0;
	MemoryContextSwitchTo(old);
	return inserted;
}

void
intake_heap_end(IntakeHeapInsert *insert)
{
	EState	   *estate = insert->estate;

	intake_heap_buffers_end(insert->buffers);
	ExecASInsertTriggers(estate, insert->root,
						 insert->modify->mt_transition_capture);
	AfterTriggerEndQuery(estate);
	if (insert->routing != NULL)
		ExecCleanupTupleRouting(insert->modify, insert->routing);
	ExecDropSingleTupleTableSlot(insert->slot);
	ExecResetTupleTable(estate->es_tupleTable, false);
	ExecCloseResultRelations(estate);
	ExecCloseRangeTableRelations(estate);
	FreeExecutorState(estate);
	CommandCounterIncrement();
}
