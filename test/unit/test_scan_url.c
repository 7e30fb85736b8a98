/*-------------------------------------------------------------------------
 *
 * test_scan_url.c
 *	  Paths and queries of URLs.
 *
 *-------------------------------------------------------------------------
 */
#include <stdlib.h>
#include <string.h>

#include "tap.h"
#include "worker/scan_url.h"

static IntakeUrlPart
part_of(const char *text)
{
	IntakeUrlPart part = {text, strlen(text)};

	return part;
}

static bool
is_part(IntakeUrlPart part, const char *text)
{
	return part.len == strlen(text) && memcmp(part.text, text, part.len) == 0;
}

static void
test_split(void)
{
	IntakeUrlPart rest = part_of("a//b%2Fc/");
	IntakeUrlPart piece;

	ok(intake_scan_url_next(&rest, '/', &piece) && is_part(piece, "a"),
	   "the first piece");
	ok(intake_scan_url_next(&rest, '/', &piece) && is_part(piece, ""),
	   "an empty one");
	ok(intake_scan_url_next(&rest, '/', &piece) && is_part(piece, "b%2Fc"),
	   "one with an encoded separator");
	ok(intake_scan_url_next(&rest, '/', &piece) && is_part(piece, ""),
	   "one behind the last separator");
	ok(!intake_scan_url_next(&rest, '/', &piece), "no more");
	ok(!intake_scan_url_next(&rest, '/', &piece), "still no more");
	rest = part_of("");
	ok(intake_scan_url_next(&rest, '/', &piece) && is_part(piece, "") &&
	   !intake_scan_url_next(&rest, '/', &piece), "nothing is one piece");
}

static void
test_pair(const char *text, const char *name, const char *value)
{
	IntakeUrlPart got_name;
	IntakeUrlPart got_value;

	intake_scan_url_pair(part_of(text), &got_name, &got_value);
	ok(is_part(got_name, name) && is_part(got_value, value), text);
}

/* Expected is NULL where the text is refused. */
static void
test_decode(const char *text, size_t len, bool is_query,
			const char *expected)
{
	char	   *copy = malloc(len + 1);
	char	   *out = malloc(len + 1);
	IntakeUrlPart part;
	ptrdiff_t	n;

	/* nothing behind either, so that the sanitizer sees what is too much */
	memcpy(copy, text, len);
	copy = realloc(copy, len == 0 ? 1 : len);
	out = realloc(out, len == 0 ? 1 : len);
	part.text = copy;
	part.len = len;
	n = intake_scan_url_decode(part, is_query, out);
	if (expected == NULL)
		ok(n == -1, text);
	else
		ok(n == (ptrdiff_t) strlen(expected) &&
		   memcmp(out, expected, n) == 0, text);
	free(out);
	free(copy);
}

static void
test_refused(void)
{
	static const char *const refused[] = {
		"%", "%4", "a%", "%4g", "%g4", "%%41", "%-1", "%+1", "% 1", "%00",
		"%C3", "%C3%28", "%C0%AF", "%ED%A0%80", "%F4%90%80%80", "\xC3",
		"\xFF", "%e2%82"
	};
	size_t		i;

	for (i = 0; i < sizeof(refused) / sizeof(refused[0]); i++)
		test_decode(refused[i], strlen(refused[i]), i % 2, NULL);
	test_decode("a\0b", 3, false, NULL);
}

int
main(void)
{
	test_split();
	test_pair("a=b", "a", "b");
	test_pair("a=b=c", "a", "b=c");
	test_pair("a", "a", "");
	test_pair("a=", "a", "");
	test_pair("=b", "", "b");
	test_pair("", "", "");
	test_decode("", 0, false, "");
	test_decode("a+b%20c", 7, false, "a+b c");
	test_decode("a+b%20c", 7, true, "a b c");
	test_decode("%2B%25%3d", 9, true, "+%=");
	test_decode("%d0%96\xD0\x96", 8, false, "\xD0\x96\xD0\x96");
	test_decode("%F0%9F%90%98", 12, true, "\xF0\x9F\x90\x98");
	test_refused();
	return done_testing();
}
