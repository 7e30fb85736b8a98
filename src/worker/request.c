/*-------------------------------------------------------------------------
 *
 * request.c
 *	  An HTTP request, as a loader gets it.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "mb/pg_wchar.h"
#include "utils/memutils.h"

#include "format/scan_json.h"
#include "worker/request.h"
#include "worker/scan_request.h"
#include "worker/scan_url.h"

static void
report_encoding(const char *what)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("the %s of the URL is not well encoded", what),
			 errdetail("It must be UTF-8, with %% and two hexadecimal digits for each byte that is no plain character.")));
}

/* A text of the database's encoding; NULL stays NULL. */
static char *
own_text(char *text)
{
	return text == NULL ? NULL :
		pg_any_to_server(text, strlen(text), PG_UTF8);
}

static IntakeNamedText *
make_named(char *name, char *value)
{
	IntakeNamedText *named = palloc(sizeof(IntakeNamedText));

	named->name = name;
	named->value = value;
	return named;
}

static List *
make_headers(const IntakeScanRequest *head)
{
	List	   *headers = NIL;
	char	   *name = head->headers;
	size_t		i;

	for (i = 0; i < head->nheaders; i++)
	{
		char	   *value = name + strlen(name) + 1;
		char	   *next = value + strlen(value) + 1;

		headers = lappend(headers, make_named(own_text(name),
											  own_text(value)));
		name = next;
	}
	return headers;
}

static char *
decode(IntakeUrlPart part, bool is_query)
{
	char	   *text = palloc(part.len + 1);
	ptrdiff_t	len = intake_scan_url_decode(part, is_query, text);

	if (len < 0)
		report_encoding(is_query ? "query" : "path");
	text[len] = '\0';
	return own_text(text);
}

static List *
read_segments(const char *path)
{
	IntakeUrlPart rest = {path, strlen(path)};
	IntakeUrlPart segment;
	List	   *segments = NIL;

	if (path[0] == '/')
	{
		rest.text++;
		rest.len--;
	}
	while (intake_scan_url_next(&rest, '/', &segment))
		segments = lappend(segments, decode(segment, false));
	return segments;
}

static List *
read_parameters(const char *query)
{
	IntakeUrlPart rest = {query, strlen(query)};
	IntakeUrlPart pair;
	List	   *parameters = NIL;

	while (intake_scan_url_next(&rest, '&', &pair))
	{
		IntakeUrlPart name;
		IntakeUrlPart value;

		if (pair.len == 0)
			continue;
		intake_scan_url_pair(pair, &name, &value);
		parameters = lappend(parameters, make_named(decode(name, true),
													decode(value, true)));
	}
	return parameters;
}

typedef struct Secret
{
	MemoryContextCallback callback;
	size_t		len;
	char		text[FLEXIBLE_ARRAY_MEMBER];
} Secret;

static void
wipe_secret(void *argument)
{
	Secret	   *secret = argument;

	explicit_bzero(secret->text, secret->len);
}

/* The only copy of the text, which goes when the memory context does. */
static const char *
take_secret(char *text, size_t len)
{
	Secret	   *secret = palloc0(offsetof(Secret, text) + len + 1);

	secret->len = len;
	memcpy(secret->text, text, len);
	memset(text, ' ', len);
	secret->callback.func = wipe_secret;
	secret->callback.arg = secret;
	MemoryContextRegisterResetCallback(CurrentMemoryContext,
									   &secret->callback);
	return secret->text;
}

/*
 * The value of the first header of that name, ["name", "value"], as it is in
 * the JSON; no good value has an escape.  It is taken out before the JSON is
 * read, which makes copies of everything.
 */
static const char *
take_secret_header(const IntakeFrame *frame, const char *name)
{
	IntakeScanJson scan;
	IntakeJsonToken token;
	int			matched = 0;

	intake_scan_json_begin(&scan, frame->payload, frame->len);
	do
	{
		token = intake_scan_json_next(&scan);
		if (matched == 3 && token == INTAKE_JSON_STRING)
			return take_secret(unconstify(char *, scan.start), scan.len);
		if (token == INTAKE_JSON_ARRAY_BEGIN)
			matched = 1;
		else if (matched == 1 && token == INTAKE_JSON_STRING &&
				 scan.len == strlen(name) &&
				 memcmp(scan.start, name, scan.len) == 0)
			matched = 2;
		else
			matched = matched == 2 && token == INTAKE_JSON_COMMA ? 3 : 0;
	} while (token != INTAKE_JSON_END && token != INTAKE_JSON_BAD);
	return NULL;
}

IntakeHttpRequest *
intake_request_read(const IntakeFrame *frame, IntakeLink *link)
{
	IntakeHttpRequest *request = palloc0(sizeof(IntakeHttpRequest));
	IntakeScanRequest head;

	request->authorization = take_secret_header(frame, "authorization");
	if (!intake_scan_request(frame->payload, frame->len, palloc(frame->len),
							 &head))
		ereport(ERROR,
				(errcode(ERRCODE_PROTOCOL_VIOLATION),
				 errmsg("the HTTP program sent a request that is none")));
	request->method = own_text(head.method);
	request->path = own_text(head.path);
	request->query = own_text(head.query);
	request->version = own_text(head.version);
	request->peer = own_text(head.peer);
	request->request_id = own_text(head.request_id);
	request->is_preflight = head.is_preflight;
	request->has_body = head.body != NULL && strcmp(head.body, "none") != 0;
	request->headers = make_headers(&head);
	request->link = link;
	return request;
}

void
intake_request_decode(IntakeHttpRequest *request)
{
	request->segments = read_segments(request->path);
	if (request->query != NULL)
		request->parameters = read_parameters(request->query);
}

static const char *
find_named(const List *list, const char *name)
{
	ListCell   *cell;

	foreach(cell, list)
	{
		const IntakeNamedText *named = lfirst(cell);

		if (strcmp(named->name, name) == 0)
			return named->value;
	}
	return NULL;
}

const char *
intake_request_header(const IntakeHttpRequest *request, const char *name)
{
	return find_named(request->headers, name);
}

const char *
intake_request_sole_header(const IntakeHttpRequest *request, const char *name)
{
	int			count = 0;
	ListCell   *cell;

	foreach(cell, request->headers)
		count += strcmp(((IntakeNamedText *) lfirst(cell))->name, name) == 0;
	if (count > 1)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("header \"%s\" is given more than once", name)));
	return intake_request_header(request, name);
}

const char *
intake_request_parameter(const IntakeHttpRequest *request, const char *name)
{
	return find_named(request->parameters, name);
}
