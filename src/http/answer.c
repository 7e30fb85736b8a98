/*-------------------------------------------------------------------------
 *
 * answer.c
 *	  The head of an answer, and the bodies of those that we give ourselves.
 *
 *-------------------------------------------------------------------------
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "http/answer.h"
#include "http/chars.h"

/* Whose form an error has, by the beginnings of paths. */
#define PROSTORE_PATHS	"/api/v1/"
#define PARTNER_PATHS	"/provider/v1/"
#define PARTNER_TOKENS	"/iam/v1/"

typedef struct Phrase
{
	int			status;
	const char *text;
} Phrase;

static const Phrase phrases[] = {
	{200, "OK"}, {201, "Created"}, {202, "Accepted"}, {204, "No Content"},
	{304, "Not Modified"}, {400, "Bad Request"}, {401, "Unauthorized"},
	{403, "Forbidden"}, {404, "Not Found"}, {405, "Method Not Allowed"},
	{406, "Not Acceptable"}, {408, "Request Timeout"}, {409, "Conflict"},
	{410, "Gone"}, {412, "Precondition Failed"}, {413, "Content Too Large"},
	{414, "URI Too Long"}, {415, "Unsupported Media Type"},
	{417, "Expectation Failed"}, {421, "Misdirected Request"},
	{422, "Unprocessable Content"}, {423, "Locked"},
	{429, "Too Many Requests"}, {431, "Request Header Fields Too Large"},
	{500, "Internal Server Error"}, {501, "Not Implemented"},
	{503, "Service Unavailable"}, {504, "Gateway Timeout"},
	{505, "HTTP Version Not Supported"}
};

/* Fields that only the protocol writes. */
static const char *const own_fields[] = {
	"connection", "transfer-encoding", "keep-alive", "upgrade", "date",
	"proxy-connection", "te", "trailer"
};

void
intake_answer_init(Answer *answer, int status)
{
	memset(answer, 0, sizeof(*answer));
	answer->status = status;
	answer->is_bodiless = status == 204 || status == 304;
}

void
intake_answer_clear(Answer *answer)
{
	for (size_t i = 0; i < answer->nfields; i++)
		free(answer->fields[i].name);
	answer->nfields = 0;
}

static bool
is_own(const char *name)
{
	for (size_t i = 0; i < sizeof(own_fields) / sizeof(char *); i++)
	{
		if (strcmp(name, own_fields[i]) == 0)
			return true;
	}
	return false;
}

void
intake_answer_add(Answer *answer, const char *name, const char *value)
{
	Field	   *field = &answer->fields[answer->nfields];
	size_t		name_len = strlen(name);

	if (answer->nfields == ANSWER_MAX_FIELDS ||
		!intake_chars_are_token(name, name_len) ||
		!intake_chars_are_value(value, strlen(value)))
		return;
	field->name = malloc(name_len + strlen(value) + 2);
	if (field->name == NULL)
		abort();
	for (size_t i = 0; i <= name_len; i++)
		field->name[i] = name[i] >= 'A' && name[i] <= 'Z' ?
			name[i] - 'A' + 'a' : name[i];
	field->value = strcpy(field->name + name_len + 1, value);
	if (is_own(field->name))
	{
		free(field->name);
		return;
	}
	if (strcmp(field->name, "content-length") == 0)
		answer->has_length = true;
	answer->nfields++;
}

void
intake_answer_add_number(Answer *answer, const char *name, long long value)
{
	char		text[32];

	snprintf(text, sizeof(text), "%lld", value);
	intake_answer_add(answer, name, text);
}

void
intake_answer_add_list(Answer *answer, const json_t *list)
{
	for (size_t i = 0; i < json_array_size(list); i++)
	{
		json_t	   *pair = json_array_get(list, i);
		const char *name = json_string_value(json_array_get(pair, 0));
		const char *value = json_string_value(json_array_get(pair, 1));

		if (name != NULL && value != NULL)
			intake_answer_add(answer, name, value);
	}
}

const char *
intake_answer_get(const Answer *answer, const char *name)
{
	for (size_t i = 0; i < answer->nfields; i++)
	{
		if (strcmp(answer->fields[i].name, name) == 0)
			return answer->fields[i].value;
	}
	return NULL;
}

const char *
intake_answer_phrase(int status)
{
	for (size_t i = 0; i < sizeof(phrases) / sizeof(Phrase); i++)
	{
		if (phrases[i].status == status)
			return phrases[i].text;
	}
	return "Unknown";
}

const char *
intake_answer_date(void)
{
	static char text[40];
	static time_t written;
	time_t		now = time(NULL);
	struct tm	parts;

	if (now != written && gmtime_r(&now, &parts) != NULL)
	{
		strftime(text, sizeof(text), "%a, %d %b %Y %H:%M:%S GMT", &parts);
		written = now;
	}
	return text;
}

static bool
has_beginning(const char *path, const char *beginning)
{
	return path != NULL && strncmp(path, beginning, strlen(beginning)) == 0;
}

/* As a loader does, with the status for a code. */
static json_t *
make_partner_error(const Answer *answer, const char *detail)
{
	const char *id = intake_answer_get(answer, "x-request-id");
	char		code[16];
	json_t	   *object;

	snprintf(code, sizeof(code), "IN%d", answer->status);
	object = json_pack("{s:s, s:s, s:{}}", "code", code, "message",
					   detail ? detail :
					   intake_answer_phrase(answer->status), "details");
	if (id != NULL)
		json_object_set_new(object, "request_id", json_string(id));
	return object;
}

static json_t *
make_problem(const Answer *answer, const char *detail)
{
	const char *id = intake_answer_get(answer, "x-request-id");
	json_t	   *object = json_pack("{s:s, s:s, s:i}", "type", "about:blank",
								   "title",
								   intake_answer_phrase(answer->status),
								   "status", answer->status);

	if (detail != NULL)
		json_object_set_new(object, "detail", json_string(detail));
	if (id != NULL)
		json_object_set_new(object, "request_id", json_string(id));
	return object;
}

void
intake_answer_problem(Answer *answer, struct evbuffer *body, const char *path,
					  const char *detail)
{
	const char *type = "application/json";
	json_t	   *object;
	char	   *text;

	if (has_beginning(path, PROSTORE_PATHS))
		object = json_pack("{s:s}", "exceptionMessage", detail ? detail :
						   intake_answer_phrase(answer->status));
	else if (has_beginning(path, PARTNER_PATHS) ||
			 has_beginning(path, PARTNER_TOKENS))
		object = make_partner_error(answer, detail);
	else
	{
		object = make_problem(answer, detail);
		type = "application/problem+json";
	}
	text = json_dumps(object, JSON_COMPACT);
	if (text == NULL || evbuffer_add(body, text, strlen(text)) != 0)
		abort();
	intake_answer_add(answer, "content-type", type);
	intake_answer_add_number(answer, "content-length",
							 (long long) strlen(text));
	free(text);
	json_decref(object);
}
