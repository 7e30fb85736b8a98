/*-------------------------------------------------------------------------
 *
 * request.c
 *	  An HTTP request, as a loader gets it.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "mb/pg_wchar.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"

#include "worker/request.h"

/* The text of a member, or NULL when it is none. */
static char *
text_member(JsonbContainer *object, const char *name)
{
	JsonbValue	value;

	if (getKeyJsonValueFromContainer(object, name, strlen(name),
									 &value) == NULL ||
		value.type != jbvString)
		return NULL;
	return pnstrdup(value.val.string.val, value.val.string.len);
}

static bool
bool_member(JsonbContainer *object, const char *name)
{
	JsonbValue	value;

	return getKeyJsonValueFromContainer(object, name, strlen(name),
										&value) != NULL &&
		value.type == jbvBool && value.val.boolean;
}

/* The text of an element of an array; empty when it is none. */
static char *
text_element(JsonbContainer *array, int i)
{
	JsonbValue *value = getIthJsonbValueFromContainer(array, i);

	if (value == NULL || value->type != jbvString)
		return pstrdup("");
	return pnstrdup(value->val.string.val, value->val.string.len);
}

static IntakeNamedText *
make_named(char *name, char *value)
{
	IntakeNamedText *named = palloc(sizeof(IntakeNamedText));

	named->name = name;
	named->value = value;
	return named;
}

/* [["name", "value"], ...] */
static List *
read_headers(JsonbContainer *object)
{
	JsonbContainer *list;
	JsonbValue	value;
	List	   *headers = NIL;
	int			i;

	if (getKeyJsonValueFromContainer(object, "headers", strlen("headers"),
									 &value) == NULL ||
		value.type != jbvBinary)
		return NIL;
	list = value.val.binary.data;
	for (i = 0; i < JsonContainerSize(list); i++)
	{
		JsonbValue *pair = getIthJsonbValueFromContainer(list, i);
		JsonbContainer *texts = pair->val.binary.data;

		if (pair->type == jbvBinary)
			headers = lappend(headers, make_named(text_element(texts, 0),
												  text_element(texts, 1)));
	}
	return headers;
}

static int
hex_value(char digit)
{
	if (digit >= '0' && digit <= '9')
		return digit - '0';
	digit = pg_tolower((unsigned char) digit);
	return digit >= 'a' && digit <= 'f' ? digit - 'a' + 10 : -1;
}

static void
report_encoding(const char *what)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("the %s of the URL is not well encoded", what),
			 errdetail("It must be UTF-8, with %% and two hexadecimal digits for each byte that is no plain character.")));
}

/*
 * Undoes percent-encoding, and in a query "+" for a blank, of len bytes; the
 * result is a text of the database's encoding.
 */
static char *
decode(const char *text, size_t len, bool is_query)
{
	const char *what = is_query ? "query" : "path";
	char	   *result = palloc(len + 1);
	size_t		n = 0;
	size_t		i;

	for (i = 0; i < len; i++)
	{
		char		c = text[i];

		if (c == '%')
		{
			if (len - i < 3)
				report_encoding(what);
			if (hex_value(text[i + 1]) < 0 || hex_value(text[i + 2]) < 0)
				report_encoding(what);
			c = (char) (hex_value(text[i + 1]) * 16 + hex_value(text[i + 2]));
			i += 2;
		}
		else if (c == '+' && is_query)
			c = ' ';
		if (c == '\0')
			report_encoding(what);
		result[n++] = c;
	}
	result[n] = '\0';
	if (!pg_verify_mbstr(PG_UTF8, result, n, true))
		report_encoding(what);
	return pg_any_to_server(result, n, PG_UTF8);
}

/* The pieces of the text between separators. */
static List *
split(const char *text, char separator)
{
	List	   *pieces = NIL;

	for (;;)
	{
		const char *end = strchr(text, separator);
		size_t		len = end == NULL ? strlen(text) : (size_t) (end - text);

		pieces = lappend(pieces, pnstrdup(text, len));
		if (end == NULL)
			return pieces;
		text = end + 1;
	}
}

static List *
read_segments(const char *path)
{
	List	   *segments = NIL;
	ListCell   *cell;

	if (path[0] == '/')
		path++;
	foreach(cell, split(path, '/'))
		segments = lappend(segments, decode(lfirst(cell),
											strlen(lfirst(cell)), false));
	return segments;
}

static List *
read_parameters(const char *query)
{
	List	   *parameters = NIL;
	ListCell   *cell;

	if (query == NULL || query[0] == '\0')
		return NIL;
	foreach(cell, split(query, '&'))
	{
		const char *pair = lfirst(cell);
		const char *equals = strchr(pair, '=');
		size_t		len = equals == NULL ? strlen(pair) :
			(size_t) (equals - pair);

		if (pair[0] == '\0')
			continue;
		parameters = lappend(parameters,
							 make_named(decode(pair, len, true),
										equals == NULL ? pstrdup("") :
										decode(equals + 1, strlen(equals + 1),
											   true)));
	}
	return parameters;
}

IntakeHttpRequest *
intake_request_read(const IntakeFrame *frame, IntakeLink *link)
{
	IntakeHttpRequest *request = palloc0(sizeof(IntakeHttpRequest));
	char	   *text = pg_any_to_server(pnstrdup(frame->payload, frame->len),
										frame->len, PG_UTF8);
	Datum		object = DirectFunctionCall1(jsonb_in, CStringGetDatum(text));
	Jsonb	   *json = DatumGetJsonbP(object);
	JsonbContainer *root = &json->root;
	char	   *body = text_member(root, "body");

	request->method = text_member(root, "method");
	request->path = text_member(root, "path");
	request->version = text_member(root, "version");
	request->peer = text_member(root, "peer");
	request->request_id = text_member(root, "request_id");
	request->is_preflight = bool_member(root, "preflight");
	request->has_body = body != NULL && strcmp(body, "none") != 0;
	request->headers = read_headers(root);
	request->link = link;
	if (request->method == NULL || request->path == NULL ||
		request->version == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_PROTOCOL_VIOLATION),
				 errmsg("a request without method, path or version")));
	request->query = text_member(root, "query");
	return request;
}

void
intake_request_decode(IntakeHttpRequest *request)
{
	request->segments = read_segments(request->path);
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
