/*-------------------------------------------------------------------------
 *
 * answer.c
 *	  The answer to an HTTP request.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "mb/pg_wchar.h"
#include "utils/json.h"

#include "worker/answer.h"
#include "worker/request.h"

/* When to repeat what was answered with a status that may pass. */
#define RETRY_AFTER 1			/* s */

/* How long the program may take to accept a frame, ms. */
#define SEND_TIMEOUT 60000

IntakeAnswer *
intake_answer_make(void)
{
	IntakeAnswer *answer = palloc0(sizeof(IntakeAnswer));

	initStringInfo(&answer->body);
	return answer;
}

void
intake_answer_add_header(IntakeAnswer *answer, const char *name,
						 const char *value)
{
	IntakeNamedText *header = palloc(sizeof(IntakeNamedText));

	header->name = pstrdup(name);
	header->value = pstrdup(value);
	answer->headers = lappend(answer->headers, header);
}

static void
append_header(StringInfo json, const char *name, const char *value)
{
	if (json->data[json->len - 1] != '[')
		appendStringInfoString(json, ", ");
	appendStringInfoChar(json, '[');
	escape_json(json, name);
	appendStringInfoString(json, ", ");
	escape_json(json, value);
	appendStringInfoChar(json, ']');
}

/* Sends a text as UTF-8. */
static bool
send_text(IntakeLink *link, char type, char *text, int len)
{
	char	   *utf8 = pg_server_to_any(text, len, PG_UTF8);

	return intake_link_send(link, type, utf8,
							utf8 == text ? len : strlen(utf8), SEND_TIMEOUT);
}

/* The head: status, headers and the length of the body. */
static bool
send_head(const IntakeAnswer *answer, IntakeLink *link, int length)
{
	StringInfoData json;
	ListCell   *cell;

	initStringInfo(&json);
	appendStringInfo(&json, "{\"status\": %d, \"route\": ", answer->status);
	escape_json(&json, answer->route == NULL ? "none" : answer->route);
	appendStringInfoString(&json, ", \"headers\": [");
	if (answer->content_type != NULL)
		append_header(&json, "content-type", answer->content_type);
	append_header(&json, "content-length", psprintf("%d", length));
	if (answer->is_retryable)
		append_header(&json, "retry-after", psprintf("%d", RETRY_AFTER));
	foreach(cell, answer->headers)
	{
		const IntakeNamedText *header = lfirst(cell);

		append_header(&json, header->name, header->value);
	}
	appendStringInfoString(&json, "]}");
	return send_text(link, INTAKE_FRAME_ANSWER, json.data, json.len);
}

bool
intake_answer_send(const IntakeAnswer *answer, IntakeLink *link)
{
	char	   *body = pg_server_to_any(answer->body.data, answer->body.len,
										PG_UTF8);
	int			length = body == answer->body.data ? answer->body.len :
		(int) strlen(body);
	char	   *end;
	int			sent;

	if (answer->is_preflight)
		return intake_link_send(link, INTAKE_FRAME_GO_ON, "{}", 2,
								SEND_TIMEOUT);
	if (!send_head(answer, link, length))
		return false;
	for (sent = 0; sent < length; sent += INTAKE_FRAME_BODY)
	{
		if (!intake_link_send(link, INTAKE_FRAME_ANSWER_BODY, body + sent,
							  Min(length - sent, INTAKE_FRAME_BODY),
							  SEND_TIMEOUT))
			return false;
	}
	end = psprintf("{\"trailers\": [], \"rows\": " INT64_FORMAT "}",
				   answer->rows);
	return intake_link_send(link, INTAKE_FRAME_ANSWER_END, end, strlen(end),
							SEND_TIMEOUT);
}
