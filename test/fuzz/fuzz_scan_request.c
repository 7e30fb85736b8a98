/*-------------------------------------------------------------------------
 *
 * fuzz_scan_request.c
 *	  Heads of requests, against jansson's reading of the same JSON.
 *
 *-------------------------------------------------------------------------
 */
#include <jansson.h>

#include "worker/scan_request.h"

#include "fuzz.h"

/* Of what jansson reads and we need not: see may_be_refused(). */
#define SURE_DEPTH 12

static void
check_text(const char *text, const char *out, size_t len)
{
	if (text == NULL)
		return;
	FUZZ_CHECK(text >= out && text < out + len);
	FUZZ_CHECK(memchr(text, '\0', out + len - text) != NULL);
	FUZZ_CHECK(fuzz_utf8_valid(text, strlen(text)) == strlen(text));
}

/* All texts are where they may be and are what they must be. */
static void
check_promises(const IntakeScanRequest *request, const char *out, size_t len)
{
	const char *text = request->headers;

	FUZZ_CHECK(request->method != NULL && request->path != NULL &&
			   request->version != NULL);
	check_text(request->method, out, len);
	check_text(request->path, out, len);
	check_text(request->query, out, len);
	check_text(request->version, out, len);
	check_text(request->peer, out, len);
	check_text(request->request_id, out, len);
	check_text(request->body, out, len);
	for (size_t i = 0; i < 2 * request->nheaders; i++)
	{
		check_text(text, out, len);
		text += strlen(text) + 1;
	}
}

static void
compare_text(const char *text, const json_t *object, const char *name)
{
	const json_t *member = json_object_get(object, name);

	FUZZ_CHECK((text == NULL) == (member == NULL));
	FUZZ_CHECK(text == NULL || (json_is_string(member) &&
								strcmp(text, json_string_value(member)) == 0));
}

static void
compare_headers(const IntakeScanRequest *request, const json_t *headers)
{
	const char *text = request->headers;

	FUZZ_CHECK(request->nheaders == json_array_size(headers));
	for (size_t i = 0; i < 2 * request->nheaders; i++)
	{
		const json_t *pair = json_array_get(headers, i / 2);

		FUZZ_CHECK(json_array_size(pair) == 2);
		FUZZ_CHECK(strcmp(text, json_string_value(
							  json_array_get(pair, i % 2))) == 0);
		text += strlen(text) + 1;
	}
}

static void
compare(const IntakeScanRequest *request, const json_t *object)
{
	compare_text(request->method, object, "method");
	compare_text(request->path, object, "path");
	compare_text(request->query, object, "query");
	compare_text(request->version, object, "version");
	compare_text(request->peer, object, "peer");
	compare_text(request->request_id, object, "request_id");
	compare_text(request->body, object, "body");
	compare_headers(request, json_object_get(object, "headers"));
	FUZZ_CHECK(request->is_preflight ==
			   json_is_true(json_object_get(object, "preflight")));
}

static bool
is_missing_or_text(const json_t *object, const char *name)
{
	const json_t *member = json_object_get(object, name);

	return member == NULL || json_is_string(member);
}

static bool
are_headers(const json_t *headers)
{
	if (headers == NULL)
		return true;
	if (!json_is_array(headers))
		return false;
	for (size_t i = 0; i < json_array_size(headers); i++)
	{
		const json_t *pair = json_array_get(headers, i);

		if (json_array_size(pair) != 2 ||
			!json_is_string(json_array_get(pair, 0)) ||
			!json_is_string(json_array_get(pair, 1)))
			return false;
	}
	return true;
}

/* Is it a head by the rules, as far as jansson's tree tells? */
static bool
is_head(const json_t *object)
{
	const json_t *preflight = json_object_get(object, "preflight");

	return json_object_get(object, "method") != NULL &&
		json_object_get(object, "path") != NULL &&
		json_object_get(object, "version") != NULL &&
		is_missing_or_text(object, "method") &&
		is_missing_or_text(object, "path") &&
		is_missing_or_text(object, "query") &&
		is_missing_or_text(object, "version") &&
		is_missing_or_text(object, "peer") &&
		is_missing_or_text(object, "request_id") &&
		is_missing_or_text(object, "body") &&
		are_headers(json_object_get(object, "headers")) &&
		(preflight == NULL || json_is_boolean(preflight));
}

/* What is passed over may be nested too deeply for us. */
static bool
may_be_refused(const char *text, size_t len)
{
	size_t		nopen = 0;

	for (size_t i = 0; i < len; i++)
		nopen += text[i] == '[' || text[i] == '{';
	return nopen > SURE_DEPTH;
}

/*
 * jansson refuses numbers that it cannot hold, and here members that are
 * there twice, known or not: of these only what is read counts.  A NUL behind
 * a number or a word it overlooks (lex_unget_unsave() of 2.14): with one it is
 * not asked, and no head is good.
 */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	char	   *text = fuzz_copy(data, len);
	char	   *out = malloc(len);
	IntakeScanRequest request;
	bool		is_good = intake_scan_request(text, len, out, &request);
	bool		has_nul = len > 0 && memchr(text, '\0', len) != NULL;
	json_t	   *object = has_nul ? NULL :
		json_loadb(text, len, JSON_REJECT_DUPLICATES, NULL);

	FUZZ_CHECK(!(is_good && has_nul));
	if (is_good)
		check_promises(&request, out, len);
	if (json_is_object(object))
	{
		if (is_good)
			compare(&request, object);
		FUZZ_CHECK(is_good ? is_head(object) :
				   !is_head(object) || may_be_refused(text, len));
	}
	json_decref(object);
	free(out);
	free(text);
	return 0;
}
