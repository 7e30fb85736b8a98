/*-------------------------------------------------------------------------
 *
 * definition_key.c
 *	  The grammar of a definition's key items.
 *
 * Nothing here is SQL: an item is taken apart by the grammar in the header
 * and put together again from a column's quoted name and one of the units
 * below.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <ctype.h>

#include "catalog/pg_collation.h"
#include "utils/builtins.h"
#include "utils/formatting.h"

#include "registry/definition_key.h"

/* The units of date_trunc() that make parts of a table. */
static const char *const units[] = {
	"second", "minute", "hour", "day", "week", "month", "quarter", "year",
	"decade", "century", "millennium"
};

static char *
fold(const char *name)
{
	return str_tolower(name, strlen(name), DEFAULT_COLLATION_OID);
}

/* The column of that name; NULL if there is none, or not only one. */
static const IntakeFieldDef *
find_field(const List *fields, const char *name)
{
	const IntakeFieldDef *found = intake_definition_find_field(fields, name);
	char	   *folded;
	ListCell   *cell;

	if (found != NULL || strlen(name) >= NAMEDATALEN)
		return found;
	folded = fold(name);
	foreach(cell, fields)
	{
		const IntakeFieldDef *field = lfirst(cell);

		if (strcmp(fold(field->name), folded) != 0)
			continue;
		if (found != NULL)
			return NULL;
		found = field;
	}
	return found;
}

static const char *
skip_blanks(const char *p)
{
	while (*p == ' ' || *p == '\t' || *p == '\n' || *p == '\r')
		p++;
	return p;
}

/* Behind the character and blanks around it; NULL if it is not there. */
static const char *
skip_char(const char *p, char wanted)
{
	p = skip_blanks(p);
	return *p == wanted ? skip_blanks(p + 1) : NULL;
}

/* Reads 'unit'; NULL if it is none. */
static const char *
read_unit(const char *p, const char **unit)
{
	const char *end;
	int			i;

	if (*p++ != '\'' || (end = strchr(p, '\'')) == NULL)
		return NULL;
	for (i = 0; i < lengthof(units); i++)
	{
		if (strlen(units[i]) != end - p ||
			pg_strncasecmp(units[i], p, end - p) != 0)
			continue;
		*unit = units[i];
		return end + 1;
	}
	return NULL;
}

/* Reads "identifier", in which a quote is doubled; NULL if it is none. */
static const char *
read_quoted(const char *p, char **name)
{
	StringInfoData text;

	initStringInfo(&text);
	for (p++; *p != '\0'; p++)
	{
		if (*p == '"' && *++p != '"')
		{
			*name = text.data;
			return p;
		}
		appendStringInfoChar(&text, *p);
	}
	return NULL;
}

/* Reads an identifier, quoted or not; NULL if there is none. */
static const char *
read_name(const char *p, char **name)
{
	const char *begin = p;

	if (*p == '"')
		return read_quoted(p, name);
	if (isdigit((unsigned char) *p))
		return NULL;
	while (isalnum((unsigned char) *p) || *p == '_' || *p == '$' ||
		   IS_HIGHBIT_SET(*p))
		p++;
	if (p == begin)
		return NULL;
	*name = pnstrdup(begin, p - begin);
	return p;
}

/* Reads date_trunc('unit', name); false if it is none. */
static bool
read_call(const char *p, const char **unit, char **name)
{
	static const char function[] = "date_trunc";

	p = skip_blanks(p);
	if (pg_strncasecmp(p, function, strlen(function)) != 0)
		return false;
	p = skip_char(p + strlen(function), '(');
	if (p == NULL || (p = read_unit(p, unit)) == NULL ||
		(p = skip_char(p, ',')) == NULL || (p = read_name(p, name)) == NULL ||
		(p = skip_char(p, ')')) == NULL)
		return false;
	return *p == '\0';
}

bool
intake_definition_key_parse(const List *fields, const char *item,
							IntakeDefinitionItem *result,
							const char **problem)
{
	char	   *name;

	result->unit = NULL;
	result->field = find_field(fields, item);
	if (result->field == NULL)
	{
		if (!read_call(item, &result->unit, &name))
		{
			*problem = "It is no column of the schema, and not date_trunc('unit', column).";
			return false;
		}
		result->field = find_field(fields, name);
		if (result->field == NULL)
		{
			*problem = psprintf("The schema has no column \"%s\".", name);
			return false;
		}
		if (result->field->type != INTAKE_FIELD_DATE &&
			result->field->type != INTAKE_FIELD_DATETIME)
		{
			*problem = psprintf("Column \"%s\" is no date or datetime.",
								result->field->name);
			return false;
		}
	}
	if (result->field->type == INTAKE_FIELD_GEOPOINT)
	{
		*problem = "A geopoint has no order, so it can be in no key.";
		return false;
	}
	return true;
}

char *
intake_definition_key_sql(const List *fields,
						  const IntakeDefinitionItem *item)
{
	StringInfoData sql;

	if (item->unit == NULL)
		return pstrdup(item->field->name);

	/*
	 * Qualified, as the connection's schema is in the loaders' search_path.  A
	 * column may be called like the expression; blanks do not count.
	 */
	initStringInfo(&sql);
	appendStringInfo(&sql, "pg_catalog.date_trunc('%s', %s)", item->unit,
					 quote_identifier(item->field->name));
	while (intake_definition_find_field(fields, sql.data) != NULL)
		appendStringInfoChar(&sql, ' ');
	return sql.data;
}
