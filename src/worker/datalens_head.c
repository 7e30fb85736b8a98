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
#include "worker/status.h"

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

/* A header that is true or false; the latter when it is not there. */
static bool
read_flag(const IntakeHttpRequest *request, const char *header,
		  const char *name)
{
	const char *value = intake_request_sole_header(request, header);

	if (value == NULL || strcmp(value, "false") == 0)
		return false;
	if (strcmp(value, "true") != 0)
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

static void
report_media_type(const char *what, const char *hint)
{
	ereport(ERROR,
			(errcode(ERRCODE_INTAKE_STATUS('4', '1', '5')),
			 errmsg("%s is not supported here", what),
			 errhint("%s", hint)));
}

/* Raises IN415 unless the body is NDJSON in UTF-8. */
static void
check_media_type(const IntakeHttpRequest *request)
{
	static const char hint[] = "The body is NDJSON, " MEDIA_TYPE ", in UTF-8.";
	const char *type = intake_request_sole_header(request, "content-type");
	size_t		len = type == NULL ? 0 : strcspn(type, "; \t");
	List	   *parameters;
	ListCell   *cell;

	if (type == NULL)
		report_media_type("a body without content type", hint);
	if (len != strlen(MEDIA_TYPE) ||
		pg_strncasecmp(type, MEDIA_TYPE, len) != 0)
		report_media_type(psprintf("content type \"%s\"",
								   intake_convert_show(type, strlen(type))),
						  hint);
	(void) intake_media_type_of(request, &parameters);
	foreach(cell, parameters)
	{
		const IntakeNamedText *it = lfirst(cell);

		if (strcmp(it->name, "charset") == 0 &&
			pg_strcasecmp(it->value, "utf-8") != 0)
			report_media_type(psprintf("charset \"%s\"",
									   intake_convert_show(it->value,
														   strlen(it->value))),
							  hint);
	}
}

/* A definition is read here to see that it can be. */
static const char *
read_definition(const IntakeHttpRequest *request)
{
	const char *text = intake_request_sole_header(request,
												  "x-dl-table-definition");

	if (text != NULL)
		(void) intake_datalens_head_definition(text);
	return text;
}

IntakeDefinition *
intake_datalens_head_definition(const char *text)
{
	return intake_route_datalens_definition(text,
											"header X-DL-Table-Definition");
}

IntakeDatalensHead *
intake_datalens_head_read(const IntakeHttpRequest *request)
{
	IntakeDatalensHead *head = palloc0(sizeof(IntakeDatalensHead));

	check_media_type(request);
	check_data_format(request);
	if (!intake_request_key(request, "x-dl-operation-uuid", &head->uuid))
		report_missing("X-DL-Operation-UUID",
					   "Each write has a UUID of its own; a repeat has the same.");
	head->truncates = read_flag(request, "x-dl-force-truncate",
								"X-DL-Force-Truncate");
	head->may_alter = read_flag(request, "x-dl-allow-alter-table",
								"X-DL-Allow-Alter-Table");
	head->definition = read_definition(request);
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
