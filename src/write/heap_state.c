/*-------------------------------------------------------------------------
 *
 * heap_state.c
 *	  What the executor's routines need to write into one table without a
 *	  plan.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/sysattr.h"
#include "executor/executor.h"
#include "executor/nodeModifyTable.h"
#include "nodes/makefuncs.h"
#include "optimizer/optimizer.h"
#include "parser/parse_coerce.h"
#include "parser/parse_relation.h"
#include "rewrite/rewriteHandler.h"
#include "utils/lsyscache.h"

#include "compat.h"
#include "write/heap_state.h"

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

void
intake_heap_state_begin(IntakeHeapState *state, IntakeWriter *writer,
						CmdType command)
{
	state->writer = writer;
	state->context = CurrentMemoryContext;
	state->nmentioned = -1;
	state->estate = CreateExecutorState();
	state->entry = make_range_entry(writer->rel);
	state->result = makeNode(ResultRelInfo);
	intake_init_range_table(state->estate, state->entry);
	ExecInitResultRelation(state->estate, state->result, 1);
	intake_check_result(state->result, command);
	ExecOpenIndices(state->result, false);
}

/* Which columns come from the payload, by column number. */
static void
find_fields(IntakeHeapState *state)
{
	const IntakeColumnSet *columns = state->writer->columns;
	int			i;

	state->nfields = 0;
	state->fields = palloc(Max(columns->ncolumns, 1) * sizeof(int));
	for (i = 0; i < columns->ncolumns; i++)
	{
		if (columns->columns[i].attnum != 0 &&
			state->writer->defaults->mentioned[i])
			state->fields[state->nfields++] = i;
	}
}

Bitmapset *
intake_heap_state_columns(const IntakeHeapState *state)
{
	const IntakeColumnSet *columns = state->writer->columns;
	Bitmapset  *result = NULL;
	int			i;

	for (i = 0; i < state->nfields; i++)
	{
		AttrNumber	attnum = columns->columns[state->fields[i]].attnum;

		result = bms_add_member(result,
								attnum - FirstLowInvalidHeapAttributeNumber);
	}
	return result;
}

/*
 * What a column gets that the payload does not give: its default, or NULL,
 * which a domain may refuse.
 */
static Expr *
missing_value(Relation rel, Form_pg_attribute attribute)
{
	Node	   *value = build_column_default(rel, attribute->attnum);
	int32		typmod = attribute->atttypmod;
	Oid			base = getBaseTypeAndTypmod(attribute->atttypid, &typmod);
	Const	   *null;

	if (value != NULL)
		return (Expr *) value;
	null = makeNullConst(base, typmod, attribute->attcollation);
	if (base == attribute->atttypid)
		return (Expr *) null;
	return (Expr *) coerce_to_domain((Node *) null, base, typmod,
									 attribute->atttypid, COERCION_IMPLICIT,
									 COERCE_IMPLICIT_CAST, -1, false);
}

/* Adds a column that the payload does not mention. */
static void
add_computed(IntakeHeapState *state, Form_pg_attribute attribute)
{
	IntakeComputed *computed = &state->computed[state->ncomputed++];
	Expr	   *value = missing_value(state->writer->rel, attribute);

	if (contain_volatile_functions_not_nextval((Node *) value))
		state->is_volatile = true;
	computed->attnum = attribute->attnum;
	computed->expression = NULL;
	if (!IsA(value, Const) || !((Const *) value)->constisnull)
		computed->expression = ExecPrepareExpr(value, state->estate);
}

/* Compiles what the columns get that the payload does not mention. */
static void
find_computed(IntakeHeapState *state, Bitmapset *fields)
{
	TupleDesc	desc = RelationGetDescr(state->writer->rel);
	int			i;

	state->ncomputed = 0;
	state->is_volatile = false;
	state->computed = palloc(Max(desc->natts, 1) * sizeof(IntakeComputed));
	for (i = 0; i < desc->natts; i++)
	{
		Form_pg_attribute attribute = TupleDescAttr(desc, i);
		int			bit = i + 1 - FirstLowInvalidHeapAttributeNumber;

		if (!attribute->attisdropped && attribute->attgenerated == '\0' &&
			!bms_is_member(bit, fields))
			add_computed(state, attribute);
	}
}

bool
intake_heap_state_follow(IntakeHeapState *state)
{
	MemoryContext old;

	if (state->nmentioned == state->writer->defaults->nmentioned)
		return false;
	old = MemoryContextSwitchTo(state->context);
	state->nmentioned = state->writer->defaults->nmentioned;
	find_fields(state);
	find_computed(state, intake_heap_state_columns(state));
	MemoryContextSwitchTo(old);
	return true;
}

void
intake_heap_state_fill(IntakeHeapState *state, const IntakeRow *row,
					   TupleTableSlot *slot)
{
	const IntakeColumn *columns = state->writer->columns->columns;
	ExprContext *context = GetPerTupleExprContext(state->estate);
	int			i;

	for (i = 0; i < state->nfields; i++)
	{
		int			column = state->fields[i];
		AttrNumber	attnum = columns[column].attnum;

		slot->tts_values[attnum - 1] = row->values[column];
		slot->tts_isnull[attnum - 1] = row->nulls[column];
	}
	for (i = 0; i < state->ncomputed; i++)
	{
		const IntakeComputed *computed = &state->computed[i];
		int			n = computed->attnum - 1;

		slot->tts_isnull[n] = true;
		if (computed->expression != NULL)
			slot->tts_values[n] = ExecEvalExpr(computed->expression, context,
											   &slot->tts_isnull[n]);
	}
}

/* Sets the columns of the slot that the row sets in one of that version. */
static void
fill_some(IntakeHeapState *state, const IntakeRow *row, TupleTableSlot *slot,
		  Datum version, bool is_null)
{
	const IntakeColumnSet *columns = state->writer->columns;
	int			i;

	for (i = 0; i < columns->ncolumns; i++)
	{
		int			n = columns->columns[i].attnum - 1;

		if (n < 0 || !intake_partial_sets(state->writer->partial, row, i,
										  version, is_null))
			continue;
		slot->tts_values[n] = row->values[i];
		slot->tts_isnull[n] = row->nulls[i];
		if (!row->is_set[i])
			slot->tts_values[n] =
				intake_defaults_value(state->writer->defaults, i,
									  &slot->tts_isnull[n]);
	}
}

bool
intake_heap_state_overlay(IntakeHeapState *state, const IntakeRow *row,
						  TupleTableSlot *slot)
{
	IntakePartial *partial = state->writer->partial;
	Datum		version = (Datum) 0;
	bool		is_null = true;

	if (partial->newer_by >= 0)
	{
		version = slot->tts_values[partial->newer_attnum - 1];
		is_null = slot->tts_isnull[partial->newer_attnum - 1];
	}
	if (!intake_partial_replaces(partial, row, version, is_null))
		return false;
	if (partial->is_present)
		fill_some(state, row, slot, version, is_null);
	else
		intake_heap_state_fill(state, row, slot);
	return true;
}

void
intake_heap_state_check(IntakeHeapState *state, ResultRelInfo *result,
						TupleTableSlot *slot, CmdType command,
						bool needs_partition_check)
{
	Relation	rel = result->ri_RelationDesc;
	TupleConstr *constraints = RelationGetDescr(rel)->constr;

	if (constraints != NULL && constraints->has_generated_stored)
		ExecComputeStoredGenerated(result, state->estate, slot, command);
	if (constraints != NULL)
		ExecConstraints(result, slot, state->estate);
	if (rel->rd_rel->relispartition && needs_partition_check)
		ExecPartitionCheck(result, slot, state->estate, true);
}

void
intake_heap_state_end(IntakeHeapState *state)
{
	ExecResetTupleTable(state->estate->es_tupleTable, false);
	ExecCloseResultRelations(state->estate);
	ExecCloseRangeTableRelations(state->estate);
	FreeExecutorState(state->estate);
}
