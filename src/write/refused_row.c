/*-------------------------------------------------------------------------
 *
 * refused_row.c
 *	  What is reported of a row that the target has refused.
 *
 * The record's own text is gone by then; the row is shown as a record of
 * NDJSON, with the defaults that it got.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/sysattr.h"
#include "catalog/namespace.h"
#include "catalog/pg_constraint.h"
#include "catalog/pg_index.h"
#include "funcapi.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"

#include "write/refused_row.h"

/* The column's name in the server's encoding. */
static char *
column_name(const IntakeWriter *writer, const IntakeColumn *column)
{
	if (column->attnum == 0)
		return pstrdup(INTAKE_SYS_OP);
	return get_attname(RelationGetRelid(writer->rel), column->attnum, false);
}

/*
 * Whether the row shows the column.  What no record mentions stays out, and
 * what does not matter to a record that deletes.
 */
static bool
is_shown(const IntakeWriter *writer, const IntakeRow *row, int number)
{
	const IntakeColumn *column = &writer->columns->columns[number];

	if (column->is_hidden)
		return false;
	if (column->attnum == 0)
		return !row->nulls[number];
	if (intake_columns_is_delete(writer->columns, writer->sys_op, row))
		return column->is_key;
	if (writer->partial != NULL && writer->partial->is_present)
		return row->is_set[number];
	return writer->defaults->mentioned[number];
}

/* The row as a JSON object. */
static char *
render_row(const IntakeWriter *writer, const IntakeRow *row)
{
	const IntakeColumnSet *columns = writer->columns;
	Datum	   *values = palloc(columns->ncolumns * sizeof(Datum));
	bool	   *nulls = palloc(columns->ncolumns * sizeof(bool));
	TupleDesc	desc;
	Datum		json;
	int			n = 0;
	int			i;

	for (i = 0; i < columns->ncolumns; i++)
		n += is_shown(writer, row, i);
	desc = CreateTemplateTupleDesc(n);
	for (n = i = 0; i < columns->ncolumns; i++)
	{
		const IntakeColumn *column = &columns->columns[i];

		if (!is_shown(writer, row, i))
			continue;
		values[n] = row->values[i];
		nulls[n] = row->nulls[i];
		TupleDescInitEntry(desc, ++n, column_name(writer, column),
						   column->type, column->typmod, 0);
	}
	desc = BlessTupleDesc(desc);
	json = DirectFunctionCall1(row_to_json,
							   HeapTupleGetDatum(heap_form_tuple(desc, values,
																 nulls)));
	return TextDatumGetCString(json);
}

/* The one attribute number of a set, or 0. */
static AttrNumber
only_attnum(Bitmapset *attnums)
{
	int			member;

	if (!bms_get_singleton_member(attnums, &member))
		return 0;
	return member + FirstLowInvalidHeapAttributeNumber;
}

/* The one column of an index that is no constraint, or 0. */
static AttrNumber
index_attnum(Oid index)
{
	HeapTuple	tuple = SearchSysCache1(INDEXRELID, ObjectIdGetDatum(index));
	Form_pg_index form;
	AttrNumber	attnum = 0;

	if (!HeapTupleIsValid(tuple))
		return 0;
	form = (Form_pg_index) GETSTRUCT(tuple);
	if (form->indnkeyatts == 1)
		attnum = form->indkey.values[0];
	ReleaseSysCache(tuple);
	return attnum;
}

/*
 * The name of the column that the error is about: of a constraint, where it
 * is over one column of the target or a partition of it.
 */
static char *
find_column(const IntakeWriter *writer, const ErrorData *error)
{
	Oid			schema;
	Oid			relid;
	Oid			constraint;
	AttrNumber	attnum;

	if (error->schema_name == NULL || error->table_name == NULL)
		return NULL;
	schema = get_namespace_oid(error->schema_name, true);
	relid = get_relname_relid(error->table_name, schema);
	if (!OidIsValid(relid) ||
		(relid != RelationGetRelid(writer->rel) &&
		 !get_rel_relispartition(relid)))
		return NULL;
	if (error->column_name != NULL)
		return pstrdup(error->column_name);
	if (error->constraint_name == NULL)
		return NULL;
	attnum = only_attnum(get_relation_constraint_attnos(relid,
														error->constraint_name,
														true, &constraint));
	if (!OidIsValid(constraint))
		attnum = index_attnum(get_relname_relid(error->constraint_name,
												schema));
	return attnum > 0 ? get_attname(relid, attnum, true) : NULL;
}

/* The row's value of the column, or NULL. */
static char *
find_value(const IntakeWriter *writer, const IntakeRow *row, const char *name)
{
	const IntakeColumnSet *columns = writer->columns;
	AttrNumber	attnum = get_attnum(RelationGetRelid(writer->rel), name);
	int			column = intake_columns_of_attnum(columns, attnum);
	Oid			output;
	bool		is_varlena;

	if (attnum <= 0 || column < 0 || row->nulls[column] ||
		!is_shown(writer, row, column))
		return NULL;
	getTypeOutputInfo(columns->columns[column].type, &output, &is_varlena);
	return OidOutputFunctionCall(output, row->values[column]);
}

void
intake_refused_row_add(IntakeWriter *writer, const IntakeRow *row,
					   const ErrorData *error)
{
	char	   *column = find_column(writer, error);
	IntakeReject reject = {
		.record = row->record,
		.line = row->line,
		.text = render_row(writer, row),
		.column = column,
		.value = column != NULL ? find_value(writer, row, column) : NULL,
		.error = error
	};

	intake_rejects_add(writer->rejects, &reject);
}
