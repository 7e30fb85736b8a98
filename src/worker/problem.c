/*-------------------------------------------------------------------------
 *
 * problem.c
 *	  An error as an answer.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "utils/builtins.h"
#include "utils/json.h"

#include "fault.h"
#include "worker/problem.h"
#include "worker/result.h"

/* What tells a client that its tool has joined the lines (curl -d). */
#define LINES_HINT "The body has no line ends: send it as it is, with curl -T or --data-binary."

/* What tells one that forgot a header. */
#define PACKED_HINT "The body is compressed: header Content-Encoding, gzip or zstd, has to say so."

static void
append_name(StringInfo json, const char *name)
{
	appendStringInfo(json, "%s\"%s\": ",
					 json->data[json->len - 1] == '{' ? "" : ", ", name);
}

static void
append_text(StringInfo json, const char *name, const char *value)
{
	if (value == NULL || value[0] == '\0')
		return;
	append_name(json, name);
	escape_json(json, value);
}

static void
append_number(StringInfo json, const char *name, uint64 value)
{
	if (value == 0)
		return;
	append_name(json, name);
	appendStringInfo(json, UINT64_FORMAT, value);
}

/* Where it happened. */
static void
append_position(StringInfo json, const ErrorData *error,
				const char *record_name)
{
	const IntakeFault *fault = intake_fault_last();

	append_number(json, record_name, fault->record);
	append_number(json, "line", fault->line);
	append_text(json, "column", fault->column[0] != '\0' ? fault->column :
				error->column_name);
	if (fault->has_value)
	{
		append_name(json, "value");
		escape_json(json, fault->value);
	}
	append_text(json, "constraint", error->constraint_name);
}

Jsonb *
intake_problem_describe(const ErrorData *error)
{
	StringInfoData json;

	initStringInfo(&json);
	appendStringInfoChar(&json, '{');
	append_text(&json, "sqlstate", unpack_sql_state(error->sqlerrcode));
	append_text(&json, "message", error->message);
	append_text(&json, "detail", error->detail);
	append_text(&json, "hint", error->hint);
	append_position(&json, error, "record");
	appendStringInfoChar(&json, '}');
	return DatumGetJsonbP(DirectFunctionCall1(jsonb_in,
											  CStringGetDatum(json.data)));
}

/* Whether the error is that of a body which was compressed in silence. */
static bool
is_packed(const IntakeCall *call, const ErrorData *error)
{
	return call->body != NULL && intake_body_is_packed(call->body) &&
		(ERRCODE_TO_CATEGORY(error->sqlerrcode) == ERRCODE_DATA_EXCEPTION ||
		 error->sqlerrcode == ERRCODE_UNDEFINED_COLUMN);
}

/* The error's hint, and whether the body has lost its lines. */
static const char *
find_hint(const IntakeCall *call, const ErrorData *error)
{
	bool		is_ndjson;

	if (is_packed(call, error))
		return PACKED_HINT;
	if (call->body == NULL || call->format == NULL ||
		strcmp(call->format, "avro") == 0)
		return error->hint;
	is_ndjson = strcmp(call->format, "ndjson") == 0;
	if (!intake_body_is_flattened(call->body, is_ndjson))
		return error->hint;
	return error->hint == NULL ? LINES_HINT :
		psprintf("%s %s", error->hint, LINES_HINT);
}

/* Message and detail as one text. */
static char *
whole_message(const ErrorData *error)
{
	return error->detail == NULL ? error->message :
		psprintf("%s. %s", error->message, error->detail);
}

/* RFC 9457. */
static void
append_problem(StringInfo json, const IntakeHttpRequest *request,
			   const IntakeCall *call, const ErrorData *error, int status)
{
	appendStringInfo(json, "{\"type\": \"about:blank\", \"title\": \"%s\", \"status\": %d",
					 intake_status_phrase(status), status);
	append_text(json, "detail", whole_message(error));
	append_text(json, "sqlstate", unpack_sql_state(error->sqlerrcode));
	append_text(json, "hint", find_hint(call, error));
	append_position(json, error, "record");
	if (call->operation.door != NULL)
		append_text(json, "operation",
					intake_result_uuid(&call->operation.uuid));
	append_text(json, "request_id",
				request == NULL ? NULL : request->request_id);
	appendStringInfoString(json, "}\n");
}

/* Prostore's form, with more members behind its one. */
static void
append_exception(StringInfo json, const IntakeCall *call,
				 const ErrorData *error)
{
	appendStringInfoChar(json, '{');
	append_text(json, "exceptionMessage", whole_message(error));
	append_text(json, "sqlState", unpack_sql_state(error->sqlerrcode));
	append_text(json, "hint", find_hint(call, error));
	append_position(json, error, "row");
	appendStringInfoString(json, "}\n");
}

/* The partner API's form. */
static void
append_partner_error(StringInfo json, const IntakeHttpRequest *request,
					 const IntakeCall *call, const ErrorData *error)
{
	appendStringInfoChar(json, '{');
	append_text(json, "code", unpack_sql_state(error->sqlerrcode));
	append_text(json, "message", error->message);
	append_name(json, "details");
	appendStringInfoChar(json, '{');
	append_text(json, "detail", error->detail);
	append_text(json, "hint", find_hint(call, error));
	append_position(json, error, "record");
	if (call->operation.door != NULL)
		append_text(json, "operation",
					intake_result_uuid(&call->operation.uuid));
	appendStringInfoChar(json, '}');
	append_text(json, "request_id",
				request == NULL ? NULL : request->request_id);
	appendStringInfoString(json, "}\n");
}

/* The body, in the family's form. */
static void
append_body(IntakeFamily family, const IntakeHttpRequest *request,
			const IntakeCall *call, const ErrorData *error,
			IntakeAnswer *answer)
{
	answer->content_type = "application/json";
	switch (family)
	{
		case INTAKE_FAMILY_PROSTORE:
			append_exception(&answer->body, call, error);
			break;
		case INTAKE_FAMILY_DATALENS:
			append_partner_error(&answer->body, request, call, error);
			break;
		case INTAKE_FAMILY_V1:
		case INTAKE_FAMILIES:
			answer->content_type = "application/problem+json";
			append_problem(&answer->body, request, call, error,
						   answer->status);
			break;
	}
}

void
intake_problem_answer(const IntakeRoute *route,
					  const IntakeHttpRequest *request,
					  const IntakeCall *call, const ErrorData *error,
					  IntakeAnswer *answer)
{
	IntakeFamily family = INTAKE_FAMILY_V1;
	IntakeStatus status;

	if (route != NULL)
		family = route->family;
	else if (request != NULL)
		family = intake_status_family(request->path);
	status = intake_status_of(error->sqlerrcode, family);
	answer->status = status.status;
	answer->is_retryable = status.is_retryable;
	answer->route = route == NULL ? "none" : route->name;
	append_body(family, request, call, error, answer);
	if (status.status == 401)
		intake_answer_add_header(answer, "www-authenticate", "Bearer");
	if (status.status == 405)
		intake_answer_add_header(answer, "allow",
								 intake_route_methods(request));
}
