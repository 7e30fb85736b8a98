/*-------------------------------------------------------------------------
 *
 * columns.c
 *	  The columns a payload may name.
 *
 * Names are kept as a payload writes them, in UTF-8, whatever the encoding
 * of the server; messages turn them back.  A set lives in the memory context
 * in which it was made, with the caches of its conversions.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_attribute.h"
#include "catalog/pg_class.h"
#include "catalog/pg_collation.h"
#include "catalog/pg_type.h"
#include "lib/stringinfo.h"
#include "mb/pg_wchar.h"
#include "utils/formatting.h"

#include "columns.h"
#include "convert.h"
#include "convert_internal.h"

/* How many columns the detail of an error lists. */
#define MAX_LISTED_COLUMNS 60

/* table "sales", view "sales", ... */
static char *
describe_relation(Relation rel)
{
	const char *what;

	switch (RelationGetForm(rel)->relkind)
	{
		case RELKIND_VIEW:
			what = "view";
			break;
		case RELKIND_MATVIEW:
			what = "materialized view";
			break;
		case RELKIND_FOREIGN_TABLE:
			what = "foreign table";
			break;
		default:
			what = "table";
			break;
	}

	return psprintf("%s \"%s\"", what, RelationGetRelationName(rel));
}

/* A name of the server's, as a payload writes it. */
static char *
copy_name(const char *name)
{
	char	   *converted = (char *) name;

	if (intake_convert_needs_encoding())
		converted = pg_server_to_any(name, strlen(name), PG_UTF8);

	return converted == name ? pstrdup(name) : converted;
}

static bool
is_attribute_generated(Form_pg_attribute attribute)
{
	return attribute->attgenerated != '\0' ||
		attribute->attidentity == ATTRIBUTE_IDENTITY_ALWAYS;
}

static void
add_sys_op(IntakeColumnSet *set)
{
	IntakeColumn *column = &set->columns[set->ncolumns];

	column->name = INTAKE_SYS_OP;
	column->type = INT2OID;
	column->typmod = -1;
	column->is_unlisted = true;
	column->is_sys_op = true;
	intake_convert_prepare(column);
	set->sys_op = set->ncolumns++;
}

static void
add_attribute(IntakeColumnSet *set, Form_pg_attribute attribute)
{
	IntakeColumn *column = &set->columns[set->ncolumns++];

	column->name = copy_name(NameStr(attribute->attname));
	column->attnum = attribute->attnum;
	column->type = attribute->atttypid;
	column->typmod = attribute->atttypmod;
	column->collation = attribute->attcollation;
	intake_convert_prepare(column);
}

IntakeColumnSet *
intake_columns_make(int ncolumns, const char *owner)
{
	IntakeColumnSet *set = palloc0(sizeof(IntakeColumnSet));

	set->ncolumns = ncolumns;
	set->columns = palloc0(sizeof(IntakeColumn) * Max(ncolumns, 1));
	set->sys_op = -1;
	set->owner = pstrdup(owner);
	return set;
}

/*
 * A relation with a column sys_op of its own gets no pseudo-column: the
 * payload's field is that column.
 */
IntakeColumnSet *
intake_columns_of_relation(Relation rel, bool with_sys_op)
{
	TupleDesc	desc = RelationGetDescr(rel);
	IntakeColumnSet *set;
	bool		has_sys_op = false;
	int			i;

	/*
	 * Room for all of them, sys_op and a hidden one; counted again as they
	 * are added.
	 */
	set = intake_columns_make(desc->natts + 2, describe_relation(rel));
	set->ncolumns = 0;

	for (i = 0; i < desc->natts; i++)
	{
		Form_pg_attribute attribute = TupleDescAttr(desc, i);

		if (attribute->attisdropped)
			continue;
		if (strcmp(NameStr(attribute->attname), INTAKE_SYS_OP) == 0)
			has_sys_op = true;
		if (is_attribute_generated(attribute))
			set->generated = lappend(set->generated,
									 copy_name(NameStr(attribute->attname)));
		else
			add_attribute(set, attribute);
	}

	if (with_sys_op && !has_sys_op)
		add_sys_op(set);

	return set;
}

int
intake_columns_add_hidden(IntakeColumnSet *set, Oid type)
{
	IntakeColumn *column = &set->columns[set->ncolumns];

	column->name = "";
	column->type = type;
	column->typmod = -1;
	column->is_unlisted = true;
	column->is_hidden = true;
	return set->ncolumns++;
}

/* How many columns of the set a payload can name: the first ones. */
static int
count_named(const IntakeColumnSet *set)
{
	int			n = set->ncolumns;

	while (n > 0 && set->columns[n - 1].is_hidden)
		n--;
	return n;
}

int
intake_columns_find(const IntakeColumnSet *set, const char *name, size_t len)
{
	int			i;

	for (i = 0; i < set->ncolumns; i++)
	{
		const char *own = set->columns[i].name;

		if (len > 0 && own[0] == name[0] && strlen(own) == len &&
			memcmp(own, name, len) == 0)
			return i;
	}
	return -1;
}

int
intake_columns_of_attnum(const IntakeColumnSet *set, AttrNumber attnum)
{
	int			i;

	for (i = 0; i < set->ncolumns; i++)
	{
		if (set->columns[i].attnum == attnum)
			return i;
	}
	return -1;
}

bool
intake_columns_is_delete(const IntakeColumnSet *set, int sys_op,
						 const IntakeRow *row)
{
	int			column = set->sys_op;

	if (sys_op >= 0)
		return sys_op == 1;
	return column >= 0 && !row->nulls[column] &&
		DatumGetInt16(row->values[column]) == 1;
}

char *
intake_columns_list(const IntakeColumnSet *set)
{
	StringInfoData list;
	int			count = count_named(set);
	int			shown = Min(count, MAX_LISTED_COLUMNS);
	int			i;

	initStringInfo(&list);
	if (count == 0)
		appendStringInfoString(&list, "There are no columns that take a value");
	for (i = 0; i < shown; i++)
	{
		const char *name = set->columns[i].name;

		appendStringInfoString(&list, i == 0 ? "The columns are \"" : ", \"");
		appendStringInfoString(&list, intake_convert_show(name, strlen(name)));
		appendStringInfoChar(&list, '"');
	}
	if (shown < count)
		appendStringInfo(&list, " and %d more", count - shown);
	appendStringInfoChar(&list, '.');
	return list.data;
}

/*
 * The column whose name differs from the given one, in the encoding of the
 * server, only by case or by blanks around it; NULL if there is none.
 */
static char *
find_similar(const IntakeColumnSet *set, const char *shown)
{
	const char *trimmed = shown;
	size_t		len = strlen(shown);
	int			count = count_named(set);
	char	   *folded;
	int			i;

	intake_convert_trim(&trimmed, &len);
	folded = str_tolower(trimmed, len, DEFAULT_COLLATION_OID);
	for (i = 0; i < count; i++)
	{
		const char *name = set->columns[i].name;
		char	   *candidate = intake_convert_show(name, strlen(name));

		if (strcmp(str_tolower(candidate, strlen(candidate),
							   DEFAULT_COLLATION_OID), folded) == 0)
			return candidate;
	}
	return NULL;
}

static bool
is_name_generated(const IntakeColumnSet *set, const char *name, size_t len)
{
	ListCell   *cell;

	foreach(cell, set->generated)
	{
		const char *own = lfirst(cell);

		if (strlen(own) == len && memcmp(own, name, len) == 0)
			return true;
	}
	return false;
}

void
intake_columns_report_unknown(const IntakeColumnSet *set,
							  const char *name, size_t len)
{
	char	   *shown = intake_convert_show(name, len);
	char	   *similar;

	if (is_name_generated(set, name, len))
		ereport(ERROR,
				(errcode(ERRCODE_GENERATED_ALWAYS),
				 errmsg("column \"%s\" is generated and takes no value",
						shown)));

	similar = find_similar(set, shown);
	ereport(ERROR,
			(errcode(ERRCODE_UNDEFINED_COLUMN),
			 errmsg("column \"%s\" of %s does not exist", shown, set->owner),
			 errdetail_internal("%s", intake_columns_list(set)),
			 similar ? errhint("Perhaps you meant \"%s\".", similar) : 0));
}

void
intake_columns_report_repeated(const IntakeColumnSet *set, int column)
{
	const char *name = set->columns[column].name;

	ereport(ERROR,
			(errcode(ERRCODE_DUPLICATE_COLUMN),
			 errmsg("column \"%s\" is given more than once",
					intake_convert_show(name, strlen(name))),
			 errdetail_internal("%s", intake_columns_list(set))));
}

/*
 * The columns that names, in the encoding of the server, lists; an unknown
 * or repeated name is an error.
 */
static int
order_names(const IntakeColumnSet *set, List *names, int *order)
{
	bool	   *is_listed = palloc0(sizeof(bool) * Max(set->ncolumns, 1));
	int			count = 0;
	ListCell   *cell;

	foreach(cell, names)
	{
		const char *name = copy_name(lfirst(cell));
		int			column;

		column = intake_columns_find(set, name, strlen(name));
		if (column < 0)
			intake_columns_report_unknown(set, name, strlen(name));
		if (is_listed[column])
			intake_columns_report_repeated(set, column);
		is_listed[column] = true;
		order[count++] = column;
	}
	pfree(is_listed);
	return count;
}

int *
intake_columns_in_order(const IntakeColumnSet *set, List *names, int *count)
{
	int		   *order = palloc(sizeof(int) * Max(set->ncolumns, 1));
	int			i;

	if (names != NIL)
	{
		*count = order_names(set, names, order);
		return order;
	}

	*count = 0;
	for (i = 0; i < set->ncolumns; i++)
		if (!set->columns[i].is_unlisted)
			order[(*count)++] = i;
	return order;
}
