/*-------------------------------------------------------------------------
 *
 * test_scan_request.c
 *	  Heads of requests, as a program sends them that may be hostile.
 *
 *-------------------------------------------------------------------------
 */
#include <stdlib.h>
#include <string.h>

#include "tap.h"
#include "worker/scan_request.h"

/* The rest of what a head must have. */
#define REST "\"method\":\"PUT\",\"path\":\"/\",\"version\":\"2\""

static char *out = NULL;

static bool
scan(const char *json, size_t len, IntakeScanRequest *request)
{
	char	   *copy = malloc(len + 1);
	bool		result;

	memcpy(copy, json, len);
	copy = realloc(copy, len == 0 ? 1 : len);
	free(out);
	out = malloc(len == 0 ? 1 : len);
	result = intake_scan_request(copy, len, out, request);
	free(copy);
	return result;
}

static bool
is_text(const char *text, const char *expected)
{
	return text != NULL && strcmp(text, expected) == 0;
}

static void
test_whole(void)
{
	static const char json[] = " {\"method\": \"PUT\", \"path\": \"/v1\\u002f\","
	" \"query\": \"\", \"version\": \"1.1\", \"tls\": false,"
	" \"peer\": \"127.0.0.1:1\", \"request_id\": \"\\u0416\\n\","
	" \"headers\": [[\"a\", \"b\"], [\"\", \"\\ud83d\\udc18\"]],"
	" \"preflight\": true, \"body\": \"all\", \"content_length\": null,"
	" \"more\": [{\"method\": [1]}]} ";
	IntakeScanRequest request;
	const char *header;

	ok(scan(json, sizeof(json) - 1, &request), "a whole head");
	ok(is_text(request.method, "PUT"), "method");
	ok(is_text(request.path, "/v1/"), "path");
	ok(is_text(request.query, ""), "query");
	ok(is_text(request.version, "1.1"), "version");
	ok(is_text(request.peer, "127.0.0.1:1"), "peer");
	ok(is_text(request.request_id, "\xD0\x96\n"), "request_id");
	ok(is_text(request.body, "all"), "body");
	ok(request.is_preflight, "preflight");
	header = request.headers;
	ok(request.nheaders == 2 && is_text(header, "a") &&
	   is_text(header + 2, "b") && is_text(header + 4, "") &&
	   is_text(header + 5, "\xF0\x9F\x90\x98"), "headers");
}

static void
test_smallest(void)
{
	IntakeScanRequest request;

	ok(scan("{" REST "}", strlen("{" REST "}"), &request),
	   "the least of a head");
	ok(request.query == NULL && request.body == NULL &&
	   request.headers == NULL && request.nheaders == 0 &&
	   !request.is_preflight, "has no more");
	ok(scan("{" REST ",\"\\u0062ody\":\"none\"}",
			strlen("{" REST ",\"\\u0062ody\":\"none\"}"), &request) &&
	   is_text(request.body, "none"), "a name with an escape");
}

static void
test_refused(void)
{
	static const char *const refused[] = {
		"", " ", "null", "1", "\"a\"", "[]", "{}", "[" REST "]",
		"{" REST, "{" REST "}}", "{" REST "}x", "{" REST ",}", "{," REST "}",
		"{\"method\":\"PUT\",\"path\":\"/\"}",
		"{\"path\":\"/\",\"version\":\"2\"}",
		"{\"method\":\"PUT\",\"version\":\"2\"}",
		"{" REST ",\"method\":\"PUT\"}", "{" REST ",\"m\\u0065thod\":\"PUT\"}",
		"{" REST ",\"body\":1}", "{" REST ",\"body\":null}",
		"{" REST ",\"body\":[\"all\"]}", "{" REST ",\"body\":\"a\\u0000\"}",
		"{" REST ",\"body\":\"\\ud800\"}", "{" REST ",\"body\":\"\xFF\"}",
		"{" REST ",\"body\":\"\\q\"}", "{" REST ",\"body\":\"\n\"}",
		"{" REST ",\"preflight\":1}", "{" REST ",\"preflight\":\"true\"}",
		"{" REST ",\"preflight\":true,\"preflight\":true}",
		"{" REST ",\"headers\":{}}", "{" REST ",\"headers\":null}",
		"{" REST ",\"headers\":[\"a\"]}", "{" REST ",\"headers\":[[]]}",
		"{" REST ",\"headers\":[[\"a\"]]}", "{" REST ",\"headers\":[[\"a\",1]]}",
		"{" REST ",\"headers\":[[\"a\",\"b\",\"c\"]]}",
		"{" REST ",\"headers\":[{\"a\":\"b\"}]}",
		"{" REST ",\"headers\":[[\"a\",\"b\"],]}",
		"{" REST ",\"headers\":[[\"a\",\"b\"]", "{" REST ",\"headers\":[",
		"{" REST ",\"headers\":[],\"headers\":[]}",
		"{" REST ",\"x\":[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]}",
		"{" REST ",\"x\":tru}", "{" REST ",\"x\"}", "{" REST ",\"x\":}",
		"{" REST ",x:1}", "{" REST ",1:1}", "{" REST " \"x\":1}",
		"{" REST ",\"\\u0000\":1}", "{" REST ",\"\xC3\":1}"
	};
	IntakeScanRequest request;
	size_t		i;

	for (i = 0; i < sizeof(refused) / sizeof(refused[0]); i++)
		ok(!scan(refused[i], strlen(refused[i]), &request), refused[i]);
	ok(!scan("{" REST "}\0", strlen("{" REST "}") + 1, &request), "a NUL");
}

int
main(void)
{
	test_whole();
	test_smallest();
	test_refused();
	free(out);
	return done_testing();
}
