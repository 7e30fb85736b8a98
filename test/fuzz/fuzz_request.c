/*-------------------------------------------------------------------------
 *
 * fuzz_request.c
 *	  A loader's reading of a request, in a stub of the server.
 *
 * The input is a frame's payload as it comes, or a path and a query that are
 * put into a good one.
 *
 *-------------------------------------------------------------------------
 */
#include "stub_server.h"

#include "mb/pg_wchar.h"

#include "worker/request.h"

#include "fuzz.h"

typedef struct Input
{
	const uint8_t *data;
	size_t		len;
} Input;

/* As a server whose encoding is UTF-8 has it. */
char *
pg_any_to_server(const char *text, int len, int encoding)
{
	FUZZ_CHECK(encoding == PG_UTF8);
	FUZZ_CHECK(fuzz_utf8_valid(text, len) == (size_t) len);
	FUZZ_CHECK(strlen(text) == (size_t) len);
	return unconstify(char *, text);
}

static void
check_text(const char *text)
{
	FUZZ_CHECK(fuzz_utf8_valid(text, strlen(text)) == strlen(text));
}

static void
check_named(const List *list)
{
	ListCell   *cell;

	foreach(cell, list)
	{
		const IntakeNamedText *named = lfirst(cell);

		check_text(named->name);
		check_text(named->value);
	}
}

static void
check_request(const IntakeHttpRequest *request)
{
	ListCell   *cell;

	check_text(request->method);
	check_text(request->path);
	check_text(request->version);
	FUZZ_CHECK(list_length(request->segments) > 0);
	foreach(cell, request->segments)
		check_text(lfirst(cell));
	check_named(request->parameters);
	check_named(request->headers);
	foreach(cell, request->parameters)
	{
		const IntakeNamedText *named = lfirst(cell);

		FUZZ_CHECK(intake_request_parameter(request, named->name) != NULL);
	}
	if (request->headers != NIL)
	{
		const IntakeNamedText *first = linitial(request->headers);

		FUZZ_CHECK(intake_request_header(request, first->name) ==
				   first->value);
		(void) intake_request_sole_header(request, first->name);
	}
}

static void
read_frame(const char *payload, size_t len)
{
	IntakeFrame frame = {INTAKE_FRAME_REQUEST, NULL, 0};
	IntakeHttpRequest *request;

	frame.payload = payload;
	frame.len = len;
	request = intake_request_read(&frame, NULL);
	intake_request_decode(request);
	check_request(request);
}

static void
read_raw(void *arg)
{
	const Input *input = arg;
	char	   *payload = palloc(input->len);

	memcpy(payload, input->data, input->len);
	read_frame(payload, input->len);
}

/* Bytes that JSON cannot hold as they are become others. */
static char *
append_quoted(char *at, const uint8_t *data, size_t len)
{
	size_t		i;

	*at++ = '"';
	for (i = 0; i < len; i++)
	{
		if (data[i] == '"' || data[i] == '\\')
			*at++ = '\\';
		*at++ = data[i] < ' ' ? '_' : (char) data[i];
	}
	*at++ = '"';
	return at;
}

static void
read_url(void *arg)
{
	static const char begin[] =
	"{\"method\":\"PUT\",\"version\":\"2\",\"path\":";
	static const char middle[] = ",\"query\":";
	const Input *input = arg;
	const uint8_t *question = memchr(input->data, '?', input->len);
	size_t		path_len = question == NULL ? input->len :
		(size_t) (question - input->data);
	char	   *payload = palloc(2 * input->len + 100);
	char	   *at = payload;

	at = (char *) memcpy(at, begin, sizeof(begin) - 1) + sizeof(begin) - 1;
	at = append_quoted(at, input->data, path_len);
	if (question != NULL)
	{
		at = (char *) memcpy(at, middle, sizeof(middle) - 1) +
			sizeof(middle) - 1;
		at = append_quoted(at, question + 1, input->len - path_len - 1);
	}
	*at++ = '}';
	read_frame(payload, at - payload);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	Input		input = {data, len};
	int			sqlstate;

	sqlstate = stub_run(read_raw, &input);
	FUZZ_CHECK(sqlstate == 0 || sqlstate == ERRCODE_PROTOCOL_VIOLATION ||
			   sqlstate == ERRCODE_INVALID_PARAMETER_VALUE);
	sqlstate = stub_run(read_url, &input);
	FUZZ_CHECK(sqlstate == 0 || sqlstate == ERRCODE_INVALID_PARAMETER_VALUE ||
			   (sqlstate == ERRCODE_PROTOCOL_VIOLATION &&
				fuzz_utf8_valid((const char *) data, len) < len));
	return 0;
}
