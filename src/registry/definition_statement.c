/*-------------------------------------------------------------------------
 *
 * definition_statement.c
 *	  The statements that make a table what its definition says.
 *
 * A table keeps its OID, and each column that keeps its name keeps its number:
 * a change of type is ALTER TYPE ... USING NULL of a table that was emptied
 * before, so that grants on the column, indexes and comments stay.  Nothing
 * says CASCADE: what depends on a column that has to go makes an error.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/table.h"
#include "catalog/pg_class.h"
#include "commands/comment.h"
#include "executor/spi.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

#include "registry/definition_statement.h"

/* An ALTER TABLE in the making. */
typedef struct Alteration
{
	StringInfoData sql;
	Relation	rel;
	const IntakeDefinition *old;
	int			added;			/* columns */
	bool		has_actions;
} Alteration;

/* PostgreSQL's hint is CASCADE, which is not the partner's to say. */
static void
replace_hint(void *argument)
{
	if (geterrcode() == ERRCODE_DEPENDENT_OBJECTS_STILL_EXIST ||
		geterrcode() == ERRCODE_FEATURE_NOT_SUPPORTED)
		errhint("What depends on it has to be dropped or changed first, by its owner.");
}

/* Runs a command, whose names are qualified, on relations not open. */
static void
run(const char *command)
{
	ErrorContextCallback callback;

	callback.callback = replace_hint;
	callback.arg = NULL;
	callback.previous = error_context_stack;
	error_context_stack = &callback;
	if (SPI_connect() != SPI_OK_CONNECT ||
		SPI_execute(command, false, 0) != SPI_OK_UTILITY ||
		SPI_finish() != SPI_OK_FINISH)
		ereport(ERROR,
				(errcode(ERRCODE_INTERNAL_ERROR),
				 errmsg("could not run \"%s\"", command)));
	error_context_stack = callback.previous;
}

/* The relation's name, qualified and quoted. */
static char *
name_relation(Oid relid)
{
	return quote_qualified_identifier(
		get_namespace_name(get_rel_namespace(relid)), get_rel_name(relid));
}

/* "name" type [NOT NULL] */
static void
append_column(StringInfo sql, const IntakeFieldDef *field)
{
	appendStringInfo(sql, "%s %s%s", quote_identifier(field->name),
					 intake_definition_type_sql(field->type),
					 field->is_nullable ? "" : " NOT NULL");
}

void
intake_definition_create(const char *schema, const char *name,
						 const IntakeDefinition *definition)
{
	StringInfoData sql;
	ListCell   *cell;

	initStringInfo(&sql);
	appendStringInfo(&sql, "CREATE TABLE %s (",
					 quote_qualified_identifier(schema, name));
	foreach(cell, definition->fields)
	{
		if (foreach_current_index(cell) > 0)
			appendStringInfoString(&sql, ", ");
		append_column(&sql, lfirst(cell));
	}
	appendStringInfoChar(&sql, ')');
	run(sql.data);
}

/* The table's column of that name; NULL if it has none. */
static Form_pg_attribute
find_column(Relation rel, const char *name)
{
	AttrNumber	attnum = get_attnum(RelationGetRelid(rel), name);

	if (attnum == InvalidAttrNumber)
		return NULL;
	return TupleDescAttr(RelationGetDescr(rel), attnum - 1);
}

static StringInfo
begin_action(Alteration *alteration)
{
	if (alteration->has_actions)
		appendStringInfoString(&alteration->sql, ", ");
	alteration->has_actions = true;
	return &alteration->sql;
}

/* Drops the old definition's columns that the new one does not have. */
static void
drop_columns(Alteration *alteration, const IntakeDefinition *definition)
{
	ListCell   *cell;

	foreach(cell, alteration->old->fields)
	{
		const IntakeFieldDef *field = lfirst(cell);

		if (intake_definition_find_field(definition->fields,
										 field->name) == NULL &&
			find_column(alteration->rel, field->name) != NULL)
			appendStringInfo(begin_action(alteration), "DROP COLUMN %s",
							 quote_identifier(field->name));
	}
}

/* The definition cannot have what the user has added for himself. */
static void
check_is_ours(const Alteration *alteration, const IntakeFieldDef *field)
{
	if (intake_definition_find_field(alteration->old->fields,
									 field->name) == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_DUPLICATE_COLUMN),
				 errmsg("column \"%s\" of table \"%s\" is there already",
						field->name,
						RelationGetRelationName(alteration->rel)),
				 errdetail("It is none of the definition's: somebody has added it to the table.")));
}

/* Makes a column that is there what the field says. */
static void
change_column(Alteration *alteration, Form_pg_attribute column,
			  const IntakeFieldDef *field)
{
	const char *name = quote_identifier(field->name);
	const char *type = intake_definition_type_sql(field->type);

	check_is_ours(alteration, field);
	if (column->atttypid != intake_definition_type_oid(field->type) ||
		column->atttypmod != -1)
		appendStringInfo(begin_action(alteration),
						 "ALTER COLUMN %s TYPE %s USING NULL::%s", name, type,
						 type);
	if (column->attnotnull == field->is_nullable)
		appendStringInfo(begin_action(alteration),
						 "ALTER COLUMN %s %s NOT NULL", name,
						 field->is_nullable ? "DROP" : "SET");
}

/*
 * Dropped columns keep their numbers for ever.  PostgreSQL's own error would
 * say that the table has too many columns, which nobody can see.
 */
static void
check_numbers(const Alteration *alteration)
{
	int			used = RelationGetNumberOfAttributes(alteration->rel);

	if (used + alteration->added <= MaxHeapAttributeNumber)
		return;
	ereport(ERROR,
			(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
			 errmsg("table \"%s\" cannot have %d more columns",
					RelationGetRelationName(alteration->rel),
					alteration->added),
			 errdetail("Of %d columns that a table can have, %d are used: dropped ones count.",
					   MaxHeapAttributeNumber, used),
			 errhint("Delete the table's definition and define it again.")));
}

static void
set_columns(Alteration *alteration, const IntakeDefinition *definition)
{
	ListCell   *cell;

	foreach(cell, definition->fields)
	{
		const IntakeFieldDef *field = lfirst(cell);
		Form_pg_attribute column = find_column(alteration->rel, field->name);

		if (column != NULL)
			change_column(alteration, column, field);
		else
		{
			appendStringInfoString(begin_action(alteration), "ADD COLUMN ");
			append_column(&alteration->sql, field);
			alteration->added++;
		}
	}
	check_numbers(alteration);
}

void
intake_definition_alter(Oid relid, const IntakeDefinition *old,
						const IntakeDefinition *definition)
{
	char	   *table = name_relation(relid);
	Alteration	alteration = {.old = old};

	run(psprintf("TRUNCATE TABLE %s", table));

	alteration.rel = table_open(relid, AccessExclusiveLock);
	initStringInfo(&alteration.sql);
	appendStringInfo(&alteration.sql, "ALTER TABLE %s ", table);
	drop_columns(&alteration, definition);
	set_columns(&alteration, definition);
	table_close(alteration.rel, NoLock);

	if (alteration.has_actions)
		run(alteration.sql.data);
}

void
intake_definition_drop(Oid relid)
{
	run(psprintf("DROP TABLE %s", name_relation(relid)));
}

/* One comment; number is a column's, or 0 for the table. */
static void
set_comment(Oid relid, int number, const char *old, const char *title)
{
	if (strcmp(old == NULL ? "" : old, title == NULL ? "" : title) != 0)
		CreateComments(relid, RelationRelationId, number, title);
}

void
intake_definition_comment(Oid relid, const IntakeDefinition *old,
						  const IntakeDefinition *definition)
{
	Relation	rel = table_open(relid, ShareUpdateExclusiveLock);
	ListCell   *cell;

	set_comment(relid, 0, old == NULL ? NULL : old->title, definition->title);
	foreach(cell, definition->fields)
	{
		const IntakeFieldDef *field = lfirst(cell);
		const IntakeFieldDef *before = old == NULL ? NULL :
			intake_definition_find_field(old->fields, field->name);
		Form_pg_attribute column = find_column(rel, field->name);

		if (column != NULL)
			set_comment(relid, column->attnum,
						before == NULL ? NULL : before->title, field->title);
	}
	table_close(rel, NoLock);
}
