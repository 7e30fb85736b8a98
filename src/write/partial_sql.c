/*-------------------------------------------------------------------------
 *
 * partial_sql.c
 *	  The SQL of merges that set some columns, or only when they are newer.
 *
 * A statement serves all rows of a batch, whatever columns they give: where
 * that differs it asks the functions below, by the row's place in the batch.
 * Columns that all records give need no such question, nor SELECT on them.
 *
 * The functions answer nothing secret, but only to a statement of ours; they
 * are called in rechecks of rows that other sessions have changed too, hence
 * with other memory contexts than intake.batch_at().
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "fmgr.h"
#include "utils/builtins.h"

#include "write/partial_sql.h"

PG_FUNCTION_INFO_V1(intake_batch_replaces);
PG_FUNCTION_INFO_V1(intake_batch_sets);
PG_FUNCTION_INFO_V1(intake_batch_value);

void
intake_partial_append_value(StringInfo sql, const IntakeStatement *statement,
							int field)
{
	const IntakePartial *partial = statement->writer->partial;
	int			column = statement->fields[field];

	if (partial != NULL && partial->is_present && partial->is_left_out[column])
		appendStringInfo(sql, "intake.batch_value(b.place, %d, b.c%d)", column,
						 field + 1);
	else
		appendStringInfo(sql, "b.c%d", field + 1);
}

const char *
intake_partial_default(const IntakeWriter *writer, int column)
{
	const IntakeColumn *field = &writer->columns->columns[column];
	const char *type;

	if (writer->partial == NULL || !writer->partial->is_present)
		return "DEFAULT";
	type = format_type_extended(field->type, field->typmod,
								FORMAT_TYPE_TYPEMOD_GIVEN |
								FORMAT_TYPE_FORCE_QUALIFY);
	return psprintf("intake.batch_value(b.place, %d, NULL::%s)", column, type);
}

/* The version of the row that is there, or anything where none counts. */
static const char *
name_version(const IntakeWriter *writer)
{
	const IntakePartial *partial = writer->partial;

	if (partial->newer_by < 0)
		return "0";
	return psprintf("t.%s", intake_sql_column(writer->rel,
											  partial->newer_attnum));
}

void
intake_partial_append_set(StringInfo sql, const IntakeWriter *writer,
						  int column, const char *value, const char *place)
{
	AttrNumber	attnum = writer->columns->columns[column].attnum;
	const char *name = intake_sql_column(writer->rel, attnum);

	if (!intake_partial_may_keep(writer, column))
		appendStringInfo(sql, "%s = %s", name, value);
	else
		appendStringInfo(sql,
						 "%s = CASE WHEN intake.batch_sets(%s, %d, %s)"
						 " THEN %s ELSE t.%s END",
						 name, place, column, name_version(writer), value,
						 name);
}

void
intake_partial_append_condition(StringInfo sql, const IntakeWriter *writer,
								const char *place)
{
	if (writer->partial != NULL && writer->partial->newer_by >= 0)
		appendStringInfo(sql, " AND intake.batch_replaces(%s, %s)", place,
						 name_version(writer));
}

/*
 * The row that a function's first argument names; argument version must be of
 * the type of versions, or nothing is compared.
 */
static const IntakeRow *
find_row(FunctionCallInfo fcinfo, const char *function, int version,
		 IntakeWriter **writer)
{
	const IntakeRow *row = NULL;
	const IntakePartial *partial;

	if (!PG_ARGISNULL(0))
		row = intake_sql_row(PG_GETARG_INT32(0), function, writer);
	partial = row == NULL ? NULL : (*writer)->partial;
	if (partial == NULL ||
		(version >= 0 && partial->newer_by >= 0 &&
		 get_fn_expr_argtype(fcinfo->flinfo, version) !=
		 partial->columns->columns[partial->newer_by].type))
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("%s may only be called by pg_intake itself",
						function)));
	return row;
}

/* The column that a function's second argument names. */
static int
find_column(FunctionCallInfo fcinfo, const IntakeWriter *writer)
{
	int			column = PG_ARGISNULL(1) ? -1 : PG_GETARG_INT32(1);

	if (column < 0 || column >= writer->columns->ncolumns)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("there is no column %d", column)));
	return column;
}

/*
 * intake.batch_replaces(place int, version anyelement) RETURNS bool
 *
 * Whether the record at that place may replace or delete a row that has this
 * version.
 */
Datum
intake_batch_replaces(PG_FUNCTION_ARGS)
{
	IntakeWriter *writer;
	const IntakeRow *row = find_row(fcinfo, "intake.batch_replaces()", 1,
									&writer);

	PG_RETURN_BOOL(intake_partial_replaces(writer->partial, row,
										   PG_GETARG_DATUM(1),
										   PG_ARGISNULL(1)));
}

/*
 * intake.batch_sets(place int, column int, version anyelement) RETURNS bool
 *
 * Whether the record sets the column of such a row.
 */
Datum
intake_batch_sets(PG_FUNCTION_ARGS)
{
	IntakeWriter *writer;
	const IntakeRow *row = find_row(fcinfo, "intake.batch_sets()", 2, &writer);

	PG_RETURN_BOOL(intake_partial_sets(writer->partial, row,
									   find_column(fcinfo, writer),
									   PG_GETARG_DATUM(2), PG_ARGISNULL(2)));
}

/*
 * intake.batch_value(place int, column int, value anyelement)
 * RETURNS anyelement
 *
 * The value, or the column's default where the record does not give one.
 */
Datum
intake_batch_value(PG_FUNCTION_ARGS)
{
	IntakeWriter *writer;
	const IntakeRow *row = find_row(fcinfo, "intake.batch_value()", -1,
									&writer);
	int			column = find_column(fcinfo, writer);
	bool		is_null = PG_ARGISNULL(2);
	Datum		value = PG_GETARG_DATUM(2);

	if (!row->is_set[column])
	{
		if (get_fn_expr_argtype(fcinfo->flinfo, 2) !=
			writer->columns->columns[column].type)
			ereport(ERROR,
					(errcode(ERRCODE_DATATYPE_MISMATCH),
					 errmsg("column %d has another type", column)));
		value = intake_defaults_value(writer->defaults, column, &is_null);
	}
	if (is_null)
		PG_RETURN_NULL();
	PG_RETURN_DATUM(value);
}
