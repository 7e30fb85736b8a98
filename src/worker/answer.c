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
intake_answer_make(IntakeLink *link)
{
	IntakeAnswer *answer = palloc0(sizeof(IntakeAnswer));

	answer->link = link;
	answer->status = 200;
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

/* Puts a text of the database's encoding, as UTF-8. */
static bool
put_text(IntakeLink *link, char type, const char *text, int len)
{
	char	   *utf8 = pg_server_to_any(text, len, PG_UTF8);
	int			utf8_len = utf8 == text ? len : (int) strlen(utf8);
	int			sent = 0;

	do
	{
		int			piece = Min(utf8_len - sent, INTAKE_FRAME_BODY);

		if (type != INTAKE_FRAME_ANSWER_BODY)
			piece = utf8_len;
		if (!intake_link_put(link, type, utf8 + sent, piece, SEND_TIMEOUT))
			return false;
		sent += piece;
	} while (sent < utf8_len);
	return true;
}

/* The length of the text in UTF-8. */
static int
utf8_length(const char *text, int len)
{
	char	   *utf8 = pg_server_to_any(text, len, PG_UTF8);

	return utf8 == text ? len : (int) strlen(utf8);
}

/* The head: status and headers; with length < 0 the body's is not known. */
static bool
put_head(const IntakeAnswer *answer, int length)
{
	StringInfoData json;
	ListCell   *cell;

	initStringInfo(&json);
	appendStringInfo(&json, "{\"status\": %d, \"route\": ", answer->status);
	escape_json(&json, answer->route == NULL ? "none" : answer->route);
	appendStringInfoString(&json, ", \"headers\": [");
	if (answer->content_type != NULL)
		append_header(&json, "content-type", answer->content_type);
	if (length >= 0)
		append_header(&json, "content-length", psprintf("%d", length));
	if (answer->is_retryable)
		append_header(&json, "retry-after", psprintf("%d", RETRY_AFTER));
	foreach(cell, answer->headers)
	{
		const IntakeNamedText *header = lfirst(cell);

		append_header(&json, header->name, header->value);
	}
	appendStringInfoString(&json, "]}");
	return put_text(answer->link, INTAKE_FRAME_ANSWER, json.data, json.len);
}

void
intake_answer_stream(IntakeAnswer *answer, const char *text)
{
	if (!answer->has_begun && !put_head(answer, -1))
		return;
	answer->has_begun = true;
	(void) (put_text(answer->link, INTAKE_FRAME_ANSWER_BODY, text,
					 strlen(text)) &&
			intake_link_flush(answer->link, SEND_TIMEOUT));
}

/* The end, with the status that the head could not tell. */
static bool
send_end(const IntakeAnswer *answer)
{
	StringInfoData json;

	initStringInfo(&json);
	appendStringInfoString(&json, "{\"trailers\": [");
	if (answer->has_begun)
		append_header(&json, "x-intake-status",
					  psprintf("%d", answer->status));
	appendStringInfo(&json, "], \"rows\": " INT64_FORMAT ", \"logged\": %s}",
					 answer->rows, answer->is_logged ? "true" : "false");
	return intake_link_send(answer->link, INTAKE_FRAME_ANSWER_END, json.data,
							json.len, SEND_TIMEOUT);
}

bool
intake_answer_send(IntakeAnswer *answer)
{
	const StringInfo body = &answer->body;

	if (answer->is_preflight)
		return intake_link_send(answer->link, INTAKE_FRAME_GO_ON, "{}", 2,
								SEND_TIMEOUT);
	/* 204 has no length, not even 0 (RFC 9110, section 8.6). */
	if (!answer->has_begun &&
		!put_head(answer, answer->status == 204 ? -1 :
				  utf8_length(body->data, body->len)))
		return false;
	return (body->len == 0 ||
			put_text(answer->link, INTAKE_FRAME_ANSWER_BODY, body->data,
					  body->len)) && send_end(answer);
}
