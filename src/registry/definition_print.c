/*-------------------------------------------------------------------------
 *
 * definition_print.c
 *	  A table definition as JSON: for answers, and to be stored.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "utils/builtins.h"
#include "utils/json.h"

#include "registry/definition.h"

static void
append_items(StringInfo json, const char *name, const List *items)
{
	ListCell   *cell;

	appendStringInfo(json, "\"%s\": [", name);
	foreach(cell, items)
	{
		if (foreach_current_index(cell) > 0)
			appendStringInfoString(json, ", ");
		escape_json(json, lfirst(cell));
	}
	appendStringInfoString(json, "], ");
}

static void
append_title(StringInfo json, const char *title)
{
	appendStringInfoString(json, "\"title\": ");
	escape_json(json, title == NULL ? "" : title);
}

static void
append_schema(StringInfo json, const List *fields)
{
	ListCell   *cell;

	appendStringInfoString(json, "\"schema\": [");
	foreach(cell, fields)
	{
		const IntakeFieldDef *field = lfirst(cell);

		if (foreach_current_index(cell) > 0)
			appendStringInfoString(json, ", ");
		appendStringInfoString(json, "{\"name\": ");
		escape_json(json, field->name);
		appendStringInfo(json, ", \"nullable\": %s, ",
						 field->is_nullable ? "true" : "false");
		append_title(json, field->title);
		appendStringInfo(json, ", \"type\": \"%s\"}",
						 intake_definition_type_name(field->type));
	}
	appendStringInfoString(json, "], ");
}

/* The members that a definition is read from, without braces. */
static void
append_members(StringInfo json, const IntakeDefinition *definition)
{
	append_items(json, "partition_key", definition->partition_key);
	append_items(json, "replacing_key", definition->replacing_key);
	append_schema(json, definition->fields);
	append_title(json, definition->title);
}

Jsonb *
intake_definition_make_json(const IntakeDefinition *definition)
{
	StringInfoData json;

	initStringInfo(&json);
	appendStringInfoChar(&json, '{');
	append_members(&json, definition);
	appendStringInfoChar(&json, '}');
	return DatumGetJsonbP(DirectFunctionCall1(jsonb_in,
											  CStringGetDatum(json.data)));
}

/* ISO 8601 in UTC with milliseconds; null for 0. */
static void
append_milliseconds(StringInfo json, TimestampTz time)
{
	struct pg_tm tm;
	fsec_t		fsec;

	if (time == 0 || timestamp2tm(time, NULL, &tm, &fsec, NULL, NULL) != 0)
	{
		appendStringInfoString(json, "null");
		return;
	}
	appendStringInfo(json, "\"%04d-%02d-%02dT%02d:%02d:%02d.%03dZ\"",
					 tm.tm_year, tm.tm_mon, tm.tm_mday, tm.tm_hour, tm.tm_min,
					 tm.tm_sec, (int) (fsec / 1000));
}

void
intake_definition_append(StringInfo json, const IntakeDefinition *definition)
{
	appendStringInfoString(json, "{\"name\": ");
	escape_json(json, definition->name);
	appendStringInfoString(json, ", \"meta\": {\"lastUploadTime\": ");
	append_milliseconds(json, definition->uploaded_at);
	appendStringInfoString(json, "}, ");
	append_members(json, definition);
	appendStringInfoChar(json, '}');
}
