/*-------------------------------------------------------------------------
 *
 * test_scan_json.c
 *	  JSON: the grammar of RFC 8259, production by production, and escapes.
 *
 *-------------------------------------------------------------------------
 */
#include <stdlib.h>
#include <string.h>

#include "format/scan_json.h"
#include "tap.h"

/* The scanner once more, without SSE2. */
#define INTAKE_SCAN_PLAIN
#undef USE_SSE2
#define intake_scan_json_begin plain_begin
#define intake_scan_json_next plain_next
#define intake_scan_json_skip plain_skip
#define intake_scan_json_string plain_string
#define intake_scan_json_unescape plain_unescape
#define intake_scan_json_reason_text plain_reason_text
extern void plain_begin(IntakeScanJson *scan, const char *text, size_t len);
extern IntakeJsonToken plain_next(IntakeScanJson *scan);
extern IntakeJsonToken plain_string(IntakeScanJson *scan);
extern bool plain_skip(IntakeScanJson *scan, int max_depth);
extern ptrdiff_t plain_unescape(const char *raw, size_t len, char *out);
extern const char *plain_reason_text(IntakeJsonReason reason);
#include "format/scan_json.c"
#undef intake_scan_json_begin
#undef intake_scan_json_next
#undef intake_scan_json_skip
#undef intake_scan_json_string
#undef intake_scan_json_unescape
#undef intake_scan_json_reason_text

#define DEPTH 20

/* A copy that ends where its memory ends. */
static char *
copy_exactly(const char *text, size_t len)
{
	char	   *copy = malloc(len > 0 ? len : 1);

	memcpy(copy, text, len);
	return copy;
}

/*
 * Why the text is not one value with blanks around: INTAKE_JSON_FINE when it
 * is.  Both paths must say the same, also at the same byte.
 */
static IntakeJsonReason
judge(const char *text, size_t len)
{
	char	   *copy = copy_exactly(text, len);
	IntakeScanJson scan;
	IntakeScanJson plain;
	IntakeJsonReason reason = INTAKE_JSON_FINE;
	bool		fine;

	intake_scan_json_begin(&scan, copy, len);
	intake_scan_json_begin(&plain, copy, len);
	fine = intake_scan_json_skip(&scan, DEPTH);
	if (fine != plain_skip(&plain, DEPTH) || scan.cursor != plain.cursor ||
		scan.reason != plain.reason || scan.fault != plain.fault)
	{
		ok(false, "both paths say the same");
		abort();
	}
	if (!fine)
	{
		reason = scan.reason;
		if (scan.fault < copy || scan.fault > copy + len)
			ok(false, "the fault lies in the text");
	}
	else if (intake_scan_json_next(&scan) != INTAKE_JSON_END)
		reason = INTAKE_JSON_UNEXPECTED;
	free(copy);
	return reason;
}

static void
check(IntakeJsonReason expected, const char *text)
{
	IntakeJsonReason reason = judge(text, strlen(text));

	if (!ok(reason == expected, text))
		printf("# got %s\n", intake_scan_json_reason_text(reason));
}

static void
test_values(void)
{
	static const char *const valid[] = {
		"null", "true", "false", "0", "-0", "1", "-1", "10", "1.5", "-0.0",
		"1e5", "1E5", "1e+5", "1e-5", "1.25E+07", "0e0", "0.0001",
		"123456789012345678901234567890", "\"\"", "\"a\"", "[]", "[ ]",
		"{}", "{ }", "[1]", "[1,2]", "[[],{}]", "{\"a\":1}",
		" { \"a\" : 1 , \"b\" : [ true , false ] } ", "\t\r\n 1 \t\r\n",
		"{\"a\":{\"a\":{\"a\":[{}]}},\"a\":2}", "[\"[\",\"]\",\"{\"]",
		"\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\\uD83D\\uDE00\"",
		"\"\x7F\"", "\"\xD0\x96\xE2\x82\xAC\xF0\x9F\x98\x80\"",
		"{\"\":0}", "\"\\u0001\"", "\"\\uFFFF\"", "\"\\uABCD\\uabcd\"",
		"[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]"
	};
	size_t		i;

	for (i = 0; i < sizeof(valid) / sizeof(valid[0]); i++)
		check(INTAKE_JSON_FINE, valid[i]);
}

static void
test_faults(void)
{
	check(INTAKE_JSON_CUT, "");
	check(INTAKE_JSON_CUT, "  ");
	check(INTAKE_JSON_CUT, "[");
	check(INTAKE_JSON_CUT, "[1");
	check(INTAKE_JSON_CUT, "[1,");
	check(INTAKE_JSON_CUT, "{");
	check(INTAKE_JSON_CUT, "{\"a\"");
	check(INTAKE_JSON_CUT, "{\"a\":");
	check(INTAKE_JSON_CUT, "{\"a\":1");
	check(INTAKE_JSON_CUT, "{\"a\":1,");
	check(INTAKE_JSON_CUT, "\"");
	check(INTAKE_JSON_CUT, "\"a");
	check(INTAKE_JSON_CUT, "\"a\\");
	check(INTAKE_JSON_CUT, "\"a\\\"");
	check(INTAKE_JSON_CUT, "tru");
	check(INTAKE_JSON_CUT, "-");
	check(INTAKE_JSON_CUT, "1.");
	check(INTAKE_JSON_CUT, "1e");
	check(INTAKE_JSON_CUT, "1e+");

	check(INTAKE_JSON_UNEXPECTED, "]");
	check(INTAKE_JSON_UNEXPECTED, "}");
	check(INTAKE_JSON_UNEXPECTED, ",");
	check(INTAKE_JSON_UNEXPECTED, ":");
	check(INTAKE_JSON_UNEXPECTED, "[,]");
	check(INTAKE_JSON_UNEXPECTED, "[1,]");
	check(INTAKE_JSON_UNEXPECTED, "[1 2]");
	check(INTAKE_JSON_UNEXPECTED, "[1}");
	check(INTAKE_JSON_UNEXPECTED, "[1:2]");
	check(INTAKE_JSON_UNEXPECTED, "{1:2}");
	check(INTAKE_JSON_UNEXPECTED, "{\"a\" 1}");
	check(INTAKE_JSON_UNEXPECTED, "{\"a\",1}");
	check(INTAKE_JSON_UNEXPECTED, "{\"a\":}");
	check(INTAKE_JSON_UNEXPECTED, "{\"a\":1,}");
	check(INTAKE_JSON_UNEXPECTED, "{\"a\":1]");
	check(INTAKE_JSON_UNEXPECTED, "{,}");
	check(INTAKE_JSON_UNEXPECTED, "{\"a\":1 \"b\":2}");
	check(INTAKE_JSON_UNEXPECTED, "1 2");
	check(INTAKE_JSON_UNEXPECTED, "[] []");
	check(INTAKE_JSON_UNEXPECTED, "'a'");
	check(INTAKE_JSON_UNEXPECTED, "+1");
	check(INTAKE_JSON_UNEXPECTED, ".5");
	check(INTAKE_JSON_UNEXPECTED, "/* */ 1");
	check(INTAKE_JSON_UNEXPECTED, "\f1");
	check(INTAKE_JSON_UNEXPECTED, "\xC2\xA0" "1");

	check(INTAKE_JSON_BAD_LITERAL, "True");
	check(INTAKE_JSON_BAD_LITERAL, "nul,");
	check(INTAKE_JSON_BAD_LITERAL, "nullx");
	check(INTAKE_JSON_BAD_LITERAL, "true1");
	check(INTAKE_JSON_BAD_LITERAL, "NaN");
	check(INTAKE_JSON_BAD_LITERAL, "[Infinity]");
	check(INTAKE_JSON_BAD_LITERAL, "{a:1}");

	check(INTAKE_JSON_BAD_NUMBER, "01");
	check(INTAKE_JSON_BAD_NUMBER, "-01");
	check(INTAKE_JSON_BAD_NUMBER, "1.e5");
	check(INTAKE_JSON_BAD_NUMBER, "1.2.3");
	check(INTAKE_JSON_BAD_NUMBER, "-a");
	check(INTAKE_JSON_BAD_NUMBER, "--1");
	check(INTAKE_JSON_BAD_NUMBER, "-Infinity");
	check(INTAKE_JSON_BAD_NUMBER, "1ex");
	check(INTAKE_JSON_BAD_NUMBER, "0x1F");
	check(INTAKE_JSON_BAD_NUMBER, "[1-2]");
	check(INTAKE_JSON_BAD_NUMBER, "[-]");

	check(INTAKE_JSON_TOO_DEEP,
		  "[[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]]");
}

static void
test_strings(void)
{
	check(INTAKE_JSON_BAD_CONTROL, "\"a\nb\"");
	check(INTAKE_JSON_BAD_CONTROL, "\"a\tb\"");
	check(INTAKE_JSON_BAD_CONTROL, "\"0123456789012345678\x1F\"");
	check(INTAKE_JSON_BAD_CONTROL, "{\"a\x01\":1}");
	check(INTAKE_JSON_BAD_ESCAPE, "\"\\x41\"");
	check(INTAKE_JSON_BAD_ESCAPE, "\"\\'\"");
	check(INTAKE_JSON_BAD_ESCAPE, "\"\\u12\"");
	check(INTAKE_JSON_BAD_ESCAPE, "\"\\u12g4\"");
	check(INTAKE_JSON_BAD_ESCAPE, "\"\\u\"");
	check(INTAKE_JSON_BAD_ESCAPE, "\"\\U0041\"");
	check(INTAKE_JSON_BAD_SURROGATE, "\"\\uD800\"");
	check(INTAKE_JSON_BAD_SURROGATE, "\"\\uDFFF\"");
	check(INTAKE_JSON_BAD_SURROGATE, "\"\\uD83Dx\"");
	check(INTAKE_JSON_BAD_SURROGATE, "\"\\uD83D\\n\"");
	check(INTAKE_JSON_BAD_SURROGATE, "\"\\uD83D\\uD83D\"");
	check(INTAKE_JSON_BAD_SURROGATE, "\"\\uDE00\\uD83D\"");
	check(INTAKE_JSON_BAD_SURROGATE, "\"\\uD83D\\u0041\"");
	check(INTAKE_JSON_BAD_SURROGATE, "{\"\\uD83D\":1}");
	check(INTAKE_JSON_BAD_NUL, "\"\\u0000\"");
	check(INTAKE_JSON_BAD_NUL, "[\"a\\u0000b\"]");
	check(INTAKE_JSON_BAD_UTF8, "\"\x80\"");
	check(INTAKE_JSON_BAD_UTF8, "\"\xC0\x80\"");
	check(INTAKE_JSON_BAD_UTF8, "\"\xED\xA0\x80\"");
	check(INTAKE_JSON_BAD_UTF8, "\"\xF4\x90\x80\x80\"");
	check(INTAKE_JSON_BAD_UTF8, "\"abc\xC3\"");
	check(INTAKE_JSON_BAD_UTF8, "\"\xC3\\n\xA9\"");
	check(INTAKE_JSON_BAD_UTF8, "\"01234567890123456789\xFF 012345678901\"");
	check(INTAKE_JSON_BAD_UTF8, "[\xFF]");
	ok(judge("\"a\0b\"", 5) == INTAKE_JSON_BAD_CONTROL, "a NUL in a string");
	ok(judge("[\0]", 3) == INTAKE_JSON_UNEXPECTED, "a NUL outside strings");
}

static void
unescape(const char *raw, const char *expected, ptrdiff_t expected_len)
{
	size_t		len = strlen(raw);
	char	   *copy = copy_exactly(raw, len);
	char	   *out = malloc(len > 0 ? len : 1);
	ptrdiff_t	out_len = intake_scan_json_unescape(copy, len, out);
	bool		fine = out_len == expected_len;

	if (fine && out_len >= 0)
	{
		fine = memcmp(out, expected, (size_t) out_len) == 0;
		/* and where it lies */
		fine &= intake_scan_json_unescape(copy, len, copy) == out_len &&
			memcmp(copy, expected, (size_t) out_len) == 0;
	}
	ok(fine, raw);
	free(copy);
	free(out);
}

static void
test_unescape(void)
{
	unescape("", "", 0);
	unescape("abc", "abc", 3);
	unescape("\\\"\\\\\\/\\b\\f\\n\\r\\t", "\"\\/\b\f\n\r\t", 8);
	unescape("a\\u0041b", "aAb", 3);
	unescape("\\u007F\\u0080", "\x7F\xC2\x80", 3);
	unescape("\\u07ff\\u0800", "\xDF\xBF\xE0\xA0\x80", 5);
	unescape("\\u20AC", "\xE2\x82\xAC", 3);
	unescape("\\uD7FF\\uE000", "\xED\x9F\xBF\xEE\x80\x80", 6);
	unescape("\\uD800\\uDC00", "\xF0\x90\x80\x80", 4);
	unescape("\\ud83d\\ude00!", "\xF0\x9F\x98\x80!", 5);
	unescape("\\uDBFF\\uDFFF", "\xF4\x8F\xBF\xBF", 4);
	unescape("\xD0\x96\\n\xD0\x96", "\xD0\x96\n\xD0\x96", 5);
	unescape("\\u0000", NULL, -INTAKE_JSON_BAD_NUL);
	unescape("a\\", NULL, -INTAKE_JSON_BAD_ESCAPE);
	unescape("\\u004", NULL, -INTAKE_JSON_BAD_ESCAPE);
	unescape("\\a", NULL, -INTAKE_JSON_BAD_ESCAPE);
	unescape("\\uD800", NULL, -INTAKE_JSON_BAD_SURROGATE);
	unescape("\\uDC00", NULL, -INTAKE_JSON_BAD_SURROGATE);
	unescape("\\uD800\\u", NULL, -INTAKE_JSON_BAD_SURROGATE);
	unescape("a\nb", NULL, -INTAKE_JSON_BAD_CONTROL);
	unescape("a\"b", NULL, -INTAKE_JSON_UNEXPECTED);
	unescape("a\xFF", NULL, -INTAKE_JSON_BAD_UTF8);
}

static void
test_tokens(void)
{
	static const IntakeJsonToken expected[] = {
		INTAKE_JSON_OBJECT_BEGIN, INTAKE_JSON_STRING, INTAKE_JSON_COLON,
		INTAKE_JSON_ARRAY_BEGIN, INTAKE_JSON_NUMBER, INTAKE_JSON_COMMA,
		INTAKE_JSON_TRUE, INTAKE_JSON_COMMA, INTAKE_JSON_FALSE,
		INTAKE_JSON_COMMA, INTAKE_JSON_NULL, INTAKE_JSON_ARRAY_END,
		INTAKE_JSON_OBJECT_END, INTAKE_JSON_END
	};
	const char *text = " {\"a\\n\": [-1.5e3, true,false , null]}\r\n";
	IntakeScanJson scan;
	bool		fine = true;
	size_t		i;

	intake_scan_json_begin(&scan, text, strlen(text));
	for (i = 0; i < sizeof(expected) / sizeof(expected[0]); i++)
	{
		fine &= intake_scan_json_next(&scan) == expected[i];
		if (expected[i] == INTAKE_JSON_STRING)
			fine &= scan.len == 3 && memcmp(scan.start, "a\\n", 3) == 0 &&
				scan.has_escapes;
		else
			fine &= !scan.has_escapes;
		if (expected[i] == INTAKE_JSON_NUMBER)
			fine &= scan.len == 6 && memcmp(scan.start, "-1.5e3", 6) == 0;
	}
	ok(fine, "every token");

	intake_scan_json_begin(&scan, text, strlen(text));
	ok(!intake_scan_json_take(&scan, '[') &&
	   intake_scan_json_take(&scan, '{') && *scan.cursor == '"',
	   "a byte is taken only when it is next");
	ok(intake_scan_json_skip(&scan, 0) && scan.len == 5 &&
	   intake_scan_json_take(&scan, ':') &&
	   !intake_scan_json_skip(&scan, 0) &&
	   scan.reason == INTAKE_JSON_TOO_DEEP && *scan.cursor == '[' &&
	   intake_scan_json_skip(&scan, 1) && scan.len == 27 &&
	   intake_scan_json_take(&scan, '}'),
	   "a nested value is skipped within its depth");
}

/* A text cut at any byte but those of a number is cut. */
static void
test_cuts(void)
{
	const char *text =
		"{\"name\\u00e9\":[\"\\uD83D\\uDE00\",true,null,{\"a\":\"0123456789abcdef\"}]}";
	bool		fine = true;
	size_t		len;

	for (len = 0; len < strlen(text); len++)
	{
		IntakeJsonReason reason = judge(text, len);

		fine &= reason == INTAKE_JSON_CUT;
	}
	ok(fine, "cut at every byte");
}

/* Nests as deeply as can be, and one level more. */
static void
test_depth(void)
{
	const size_t depth = INTAKE_JSON_MAX_DEPTH;
	char	   *text = malloc(depth * 2 + 2);
	IntakeScanJson scan;

	memset(text, '[', depth);
	memset(text + depth, ']', depth);
	intake_scan_json_begin(&scan, text, depth * 2);
	ok(intake_scan_json_skip(&scan, 1 << 30), "the deepest nesting");
	memset(text, '[', depth + 1);
	memset(text + depth + 1, ']', depth + 1);
	intake_scan_json_begin(&scan, text, depth * 2 + 2);
	ok(!intake_scan_json_skip(&scan, 1 << 30) &&
	   scan.reason == INTAKE_JSON_TOO_DEEP, "one level more");
	free(text);
}

/* Changes a valid text at random: judge() compares both paths. */
static void
test_noise(void)
{
	static const char letters[] = "{}[]:,\"\\u0dD8eE+-.tfn \n\x80\xC3\xA9\xFF";
	const char *text =
		"{\"id\": 17, \"names\": [\"a\\n\", \"\xD0\x96\xD0\x96 long enough for a block\"],"
		" \"x\": -1.5e-3, \"ok\": [true, false, null], \"o\": {\"k\": {}}}";
	size_t		len = strlen(text);
	int			round;
	int			nvalid = 0;

	srand(3);
	for (round = 0; round < 50000; round++)
	{
		char		copy[200];
		int			changes = rand() % 3;

		memcpy(copy, text, len);
		while (changes-- > 0)
			copy[(size_t) rand() % len] =
				letters[(size_t) rand() % (sizeof(letters) - 1)];
		if (judge(copy, len) == INTAKE_JSON_FINE)
			nvalid++;
	}
	ok(nvalid > 15000 && nvalid < 50000, "noise: both paths agree");
}

int
main(void)
{
	test_values();
	test_faults();
	test_strings();
	test_unescape();
	test_tokens();
	test_cuts();
	test_depth();
	test_noise();
	return done_testing();
}
