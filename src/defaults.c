/*-------------------------------------------------------------------------
 *
 * defaults.c
 *	  Defaults for records that leave a mentioned column out.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/relation.h"
#include "executor/executor.h"
#include "optimizer/optimizer.h"
#include "rewrite/rewriteHandler.h"

#include "convert.h"
#include "defaults.h"
#include "view.h"

IntakeDefaults *
intake_defaults_make(IntakeColumnSet *columns, Relation rel, int sys_op)
{
	IntakeDefaults *defaults = palloc0(sizeof(IntakeDefaults));
	int			n = columns->ncolumns;

	defaults->columns = columns;
	defaults->rel = rel;
	defaults->sys_op = sys_op;
	defaults->mentioned = palloc0(n * sizeof(bool));
	defaults->staged_before = palloc0(n * sizeof(uint64));
	defaults->expressions = palloc0(n * sizeof(ExprState *));
	defaults->is_prepared = palloc0(n * sizeof(bool));
	return defaults;
}

void
intake_defaults_mention_all(IntakeDefaults *defaults, const bool *given)
{
	int			i;

	for (i = 0; i < defaults->columns->ncolumns; i++)
	{
		defaults->mentioned[i] = given[i];
		defaults->nmentioned += given[i];
	}
}

/*
 * The default of a column; of an updatable view's column without one, that
 * of the column that it shows.
 */
static Expr *
find_default(Relation rel, AttrNumber attnum)
{
	Expr	   *expr = (Expr *) build_column_default(rel, attnum);
	AttrNumber	base_attnum;
	Oid			base;

	if (expr != NULL)
		return expr;
	base = intake_view_base(rel, attnum, &base_attnum);
	if (OidIsValid(base) && base_attnum > 0)
	{
		Relation	base_rel = relation_open(base, AccessShareLock);

		expr = find_default(base_rel, base_attnum);
		relation_close(base_rel, AccessShareLock);
	}
	return expr;
}

/* Compiles a column's default expression, once. */
static ExprState *
prepare_default(IntakeDefaults *defaults, int column)
{
	AttrNumber	attnum = defaults->columns->columns[column].attnum;
	Expr	   *expr = NULL;

	if (defaults->is_prepared[column])
		return defaults->expressions[column];
	if (defaults->rel != NULL && attnum != 0)
		expr = find_default(defaults->rel, attnum);
	if (expr != NULL)
	{
		MemoryContext old =
			MemoryContextSwitchTo(GetMemoryChunkContext(defaults));

		if (defaults->estate == NULL)
			defaults->estate = CreateExecutorState();
		defaults->expressions[column] =
			ExecInitExpr(expression_planner(copyObject(expr)), NULL);
		MemoryContextSwitchTo(old);
	}
	defaults->is_prepared[column] = true;
	return defaults->expressions[column];
}

Datum
intake_defaults_value(IntakeDefaults *defaults, int column, bool *is_null)
{
	ExprState  *expression = prepare_default(defaults, column);

	*is_null = true;
	if (expression == NULL)
		return intake_convert_null(&defaults->columns->columns[column]);
	return ExecEvalExpr(expression, GetPerTupleExprContext(defaults->estate),
						is_null);
}

/* Sets one value of a row to the column's default. */
static void
set_default(IntakeDefaults *defaults, int column, IntakeRow *row)
{
	if (defaults->column != NULL)
		*defaults->column = defaults->columns->columns[column].name;
	row->values[column] = intake_defaults_value(defaults, column,
												&row->nulls[column]);
	if (defaults->column != NULL)
		*defaults->column = NULL;
}

/*
 * A column that nothing has mentioned may not stay out of a record when it
 * has no default and its domain does not take NULL.
 */
static void
check_left_out(IntakeDefaults *defaults, int column, IntakeRow *row)
{
	if (defaults->columns->columns[column].is_domain &&
		prepare_default(defaults, column) == NULL)
		set_default(defaults, column, row);
}

/* A record that deletes a row has no use for defaults. */
static bool
is_delete(const IntakeDefaults *defaults, const IntakeRow *row)
{
	return intake_columns_is_delete(defaults->columns, defaults->sys_op, row);
}

/*
 * A record mentions the column for the first time.  It does not count as
 * mentioned before all rows have their defaults, so that none is left without
 * where an error is not the end.
 */
static void
mention_column(IntakeDefaults *defaults, int column, IntakeBatch *batch,
			   const IntakeRow *row)
{
	int			i;

	for (i = 0; i < batch->nrows && !defaults->is_lazy; i++)
	{
		if (!is_delete(defaults, &batch->rows[i]))
			set_default(defaults, column, &batch->rows[i]);
	}
	defaults->mentioned[column] = true;
	defaults->nmentioned++;
	if (defaults->is_lazy)
		return;
	defaults->staged_before[column] =
		batch->nrows > 0 ? batch->rows[0].record : row->record;
	if (defaults->staged_before[column] > 1)
		defaults->has_late = true;
}

void
intake_defaults_complete(IntakeDefaults *defaults, IntakeBatch *batch,
						 IntakeRow *row)
{
	MemoryContext old = MemoryContextSwitchTo(batch->context);
	bool		needs_defaults = !defaults->is_lazy &&
		!is_delete(defaults, row);
	int			i;

	for (i = 0; i < defaults->columns->ncolumns; i++)
	{
		if (row->is_set[i])
		{
			if (!defaults->mentioned[i])
				mention_column(defaults, i, batch, row);
		}
		else if (needs_defaults && defaults->mentioned[i])
			set_default(defaults, i, row);
		else if (needs_defaults && defaults->is_eager)
			check_left_out(defaults, i, row);
	}
	MemoryContextSwitchTo(old);
}

void
intake_defaults_complete_late(IntakeDefaults *defaults, IntakeRow *row)
{
	int			i;

	if (!defaults->has_late || is_delete(defaults, row))
		return;
	for (i = 0; i < defaults->columns->ncolumns; i++)
	{
		if (defaults->mentioned[i] &&
			row->record < defaults->staged_before[i])
			set_default(defaults, i, row);
	}
}

void
intake_defaults_fill(IntakeDefaults *defaults, IntakeRow *row)
{
	int			i;

	for (i = 0; i < defaults->columns->ncolumns; i++)
	{
		if (defaults->mentioned[i] && !row->is_set[i])
			set_default(defaults, i, row);
	}
}
