/*-------------------------------------------------------------------------
 *
 * definition_compare.c
 *	  What differs between two table definitions.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "registry/definition.h"

/* Names, types, nullable, in order; titles and keys do not count. */
static bool
has_same_schema(const IntakeDefinition *a, const IntakeDefinition *b)
{
	ListCell   *a_cell;
	ListCell   *b_cell;

	if (list_length(a->fields) != list_length(b->fields))
		return false;
	forboth(a_cell, a->fields, b_cell, b->fields)
	{
		const IntakeFieldDef *x = lfirst(a_cell);
		const IntakeFieldDef *y = lfirst(b_cell);

		if (strcmp(x->name, y->name) != 0 || x->type != y->type ||
			x->is_nullable != y->is_nullable)
			return false;
	}
	return true;
}

static bool
is_same_text(const char *a, const char *b)
{
	return strcmp(a == NULL ? "" : a, b == NULL ? "" : b) == 0;
}

/* The schemas are known to be the same. */
static bool
has_same_titles(const IntakeDefinition *a, const IntakeDefinition *b)
{
	ListCell   *a_cell;
	ListCell   *b_cell;

	forboth(a_cell, a->fields, b_cell, b->fields)
	{
		if (!is_same_text(((IntakeFieldDef *) lfirst(a_cell))->title,
						  ((IntakeFieldDef *) lfirst(b_cell))->title))
			return false;
	}
	return is_same_text(a->title, b->title);
}

bool
intake_definition_same_key(const List *a, const List *b)
{
	ListCell   *a_cell;
	ListCell   *b_cell;

	if (list_length(a) != list_length(b))
		return false;
	forboth(a_cell, a, b_cell, b)
	{
		if (strcmp(lfirst(a_cell), lfirst(b_cell)) != 0)
			return false;
	}
	return true;
}

IntakeChange
intake_definition_compare(const IntakeDefinition *old,
						  const IntakeDefinition *other)
{
	if (!has_same_schema(old, other))
		return INTAKE_DEFINITION_SCHEMA;
	if (!intake_definition_same_key(old->partition_key,
									other->partition_key) ||
		!intake_definition_same_key(old->replacing_key,
									other->replacing_key))
		return INTAKE_DEFINITION_KEYS;
	if (!has_same_titles(old, other))
		return INTAKE_DEFINITION_TITLES;
	return INTAKE_DEFINITION_SAME;
}

/* A column as messages show it. */
static char *
show_field(const List *fields, int i)
{
	const IntakeFieldDef *field;

	if (i >= list_length(fields))
		return "none";
	field = list_nth(fields, i);
	return psprintf("\"%s\" %s%s", field->name,
					intake_definition_type_name(field->type),
					field->is_nullable ? " nullable" : "");
}

/* Says where the schemas, or else the keys, part. */
static void
report_difference(const IntakeDefinition *given,
				  const IntakeDefinition *stored)
{
	int			i = 0;
	char	   *detail = "The keys are others.";

	if (!has_same_schema(given, stored))
	{
		while (strcmp(show_field(given->fields, i),
					  show_field(stored->fields, i)) == 0)
			i++;
		detail = psprintf("Column %d is %s in the table, %s in the definition.",
						  i + 1, show_field(stored->fields, i),
						  show_field(given->fields, i));
	}
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("table \"%s\" is not as the definition says",
					stored->name),
			 errdetail("%s", detail),
			 errhint("With X-DL-Allow-Alter-Table: true the table is changed, and loses its data if its schema is another.")));
}

/* What the one leaves out becomes what the other has; same schemas. */
static void
complete(IntakeDefinition *given, const IntakeDefinition *stored)
{
	ListCell   *given_cell;
	ListCell   *stored_cell;

	if (!given->has_partition_key)
		given->partition_key = stored->partition_key;
	if (!given->has_replacing_key)
		given->replacing_key = stored->replacing_key;
	if (given->title == NULL)
		given->title = stored->title;
	forboth(given_cell, given->fields, stored_cell, stored->fields)
	{
		IntakeFieldDef *field = lfirst(given_cell);

		if (field->title == NULL)
			field->title = ((IntakeFieldDef *) lfirst(stored_cell))->title;
	}
}

bool
intake_definition_is_met(IntakeDefinition *given,
						 const IntakeDefinition *stored, bool may_alter)
{
	IntakeChange change;

	if (has_same_schema(given, stored))
		complete(given, stored);
	change = intake_definition_compare(stored, given);
	if (may_alter)
		return change == INTAKE_DEFINITION_SAME;
	if (change > INTAKE_DEFINITION_TITLES)
		report_difference(given, stored);
	return true;
}
