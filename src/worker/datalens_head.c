/*-------------------------------------------------------------------------
 *
 * datalens_head.c
 *	  What the head of a DataLens write says.
 *
 * The definition in X-DL-Table-Definition is JSON; other than in ASCII
 * with \u escapes, as the protocol has it, it may be in UTF-8, which is all
 * that the HTTP program lets through.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "utils/builtins.h"

#include "convert.h"
#include "worker/datalens_head.h"
#include "worker/request_options.h"
#include "worker/route_datalens.h"

#define MEDIA_TYPE "application/x-ndjson"

static void
report_missing(const char *name, const char *hint)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("header %s is missing", name),
			 errhint("%s", hint)));
}

static void
report_value(const char *name, const char *value, const char *hint)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("invalid value for header %s: \"%s\"", name,
					intake_convert_show(value, strlen(value))),
			 errhint("%s", hint)));
}

/*
 * A header that is true or false; the latter when it is not there.  Clients in
 * Python write True.
 */
static bool
read_flag(const IntakeHttpRequest *request, const char *header,
		  const char *name)
{
	const char *value = intake_request_sole_header(request, header);

	if (value == NULL || pg_strcasecmp(value, "false") == 0)
		return false;
	if (pg_strcasecmp(value, "true") != 0)
		report_value(name, value, "It must be true or false.");
	return true;
}

/* Rows are arrays: there is no other form. */
static void
check_data_format(const IntakeHttpRequest *request)
{
	static const char name[] = "X-DL-Data-Format";
	static const char hint[] = "It must be \"array\": each line of the body is a JSON array.";
	const char *value = intake_request_sole_header(request,
												   "x-dl-data-format");

	if (value == NULL)
		report_missing(name, hint);
	if (strcmp(value, "array") != 0)
		report_value(name, value, hint);
}

IntakeDefinition *
intake_datalens_head_definition(const IntakeDatalensHead *head)
{
	return intake_route_datalens_definition(head->table, head->definition,
											"header X-DL-Table-Definition");
}

IntakeDatalensHead *
intake_datalens_head_read(const IntakeHttpRequest *request)
{
	IntakeDatalensHead *head = palloc0(sizeof(IntakeDatalensHead));

	intake_media_type_check(request, MEDIA_TYPE,
							"The body is NDJSON, " MEDIA_TYPE ", in UTF-8.");
	check_data_format(request);
	if (!intake_request_key(request, "x-dl-operation-uuid", &head->uuid))
		report_missing("X-DL-Operation-UUID",
					   "Each write has a UUID of its own; a repeat has the same.");
	head->truncates = read_flag(request, "x-dl-force-truncate",
								"X-DL-Force-Truncate");
	head->may_alter = read_flag(request, "x-dl-allow-alter-table",
								"X-DL-Allow-Alter-Table");
	head->table = intake_route_datalens_table(request);
	head->definition = intake_request_sole_header(request,
												  "x-dl-table-definition");
	/* to see that it can be read */
	if (head->definition != NULL)
		(void) intake_datalens_head_definition(head);
	return head;
}

static const char *
flag_text(bool value)
{
	return value ? "true" : "false";
}

/* The same for equal JSON, however it is written. */
static void
append_definition(StringInfo text, const char *definition)
{
	Jsonb	   *json;

	if (definition == NULL)
	{
		appendStringInfoString(text, "null");
		return;
	}
	json = DatumGetJsonbP(DirectFunctionCall1(jsonb_in,
											  CStringGetDatum(definition)));
	(void) JsonbToCString(text, &json->root, VARSIZE(json));
}

char *
intake_datalens_head_identity(const IntakeDatalensHead *head)
{
	StringInfoData text;

	initStringInfo(&text);
	appendStringInfo(&text,
					 "{\"datalens\": \"write\", \"force_truncate\": %s, \"allow_alter_table\": %s, \"table_definition\": ",
					 flag_text(head->truncates), flag_text(head->may_alter));
	append_definition(&text, head->definition);
	appendStringInfoChar(&text, '}');
	return text.data;
}
