/*-------------------------------------------------------------------------
 *
 * problem.c
 *	  An error as an answer's body.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "utils/json.h"

#include "ingest.h"
#include "worker/problem.h"

static void
append_text(StringInfo json, const char *name, const char *value)
{
	if (value == NULL)
		return;
	appendStringInfo(json, "%s\"%s\": ", json->len > 0 ? ", " : "", name);
	escape_json(json, value);
}

static void
append_number(StringInfo json, const char *name, uint64 value)
{
	if (value > 0)
		appendStringInfo(json, "%s\"%s\": " UINT64_FORMAT,
						 json->len > 0 ? ", " : "", name, value);
}

void
intake_problem_append_members(StringInfo json, const ErrorData *error)
{
	const IntakeFault *fault = intake_ingest_fault();

	append_text(json, "sqlstate", unpack_sql_state(error->sqlerrcode));
	append_text(json, "message", error->message);
	append_text(json, "detail", error->detail);
	append_text(json, "hint", error->hint);
	append_text(json, "constraint", error->constraint_name);
	append_number(json, "record", fault->record);
	append_number(json, "line", fault->line);
	append_text(json, "column", fault->column[0] != '\0' ? fault->column :
				error->column_name);
	append_text(json, "value", fault->has_value ? fault->value : NULL);
}

/* RFC 9457, with the members above beside its own. */
static void
append_problem(StringInfo body, const ErrorData *error, int status,
			   const IntakeHttpRequest *request)
{
	StringInfoData members;

	initStringInfo(&members);
	appendStringInfo(body, "{\"type\": \"about:blank\", \"title\": \"%s\", \"status\": %d, ",
					 intake_status_phrase(status), status);
	intake_problem_append_members(&members, error);
	appendStringInfoString(body, members.data);
	if (request != NULL && request->request_id != NULL)
	{
		appendStringInfoString(body, ", \"request_id\": ");
		escape_json(body, request->request_id);
	}
	appendStringInfoString(body, "}\n");
}

void
intake_problem_answer(const IntakeRoute *route,
					  const IntakeHttpRequest *request,
					  const ErrorData *error, IntakeAnswer *answer)
{
	IntakeFamily family = route == NULL ? INTAKE_FAMILY_V1 : route->family;
	IntakeStatus status = intake_status_of(error->sqlerrcode, family);

	answer->status = status.status;
	answer->is_retryable = status.is_retryable;
	answer->route = route == NULL ? "none" : route->name;
	answer->content_type = "application/problem+json";
	append_problem(&answer->body, error, status.status, request);
	if (status.status == 401)
		intake_answer_add_header(answer, "www-authenticate", "Bearer");
}
