/*-------------------------------------------------------------------------
 *
 * fuzz_scan_json.c
 *	  The JSON scanner against a parser that takes a byte at a time.
 *
 * The input's first byte chooses the depth that is allowed.  The rest must be
 * a value, or none, alike for the parser, for intake_scan_json_skip() and for
 * a parser of tokens, with SSE2 and without; and whatever is taken must be
 * "cut" when it is cut.
 *
 *-------------------------------------------------------------------------
 */
#include <stdbool.h>

#include "format/scan_json.h"

#include "fuzz.h"

#define INTAKE_SCAN_PLAIN
#define intake_scan_json_begin plain_json_begin
#define intake_scan_json_next plain_json_next
#define intake_scan_json_skip plain_json_skip
#define intake_scan_json_string plain_json_string
#define intake_scan_json_unescape plain_json_unescape
#define intake_scan_json_reason_text plain_json_reason_text
#include "format/scan_json.c"
#undef intake_scan_json_begin
#undef intake_scan_json_next
#undef intake_scan_json_skip
#undef intake_scan_json_string
#undef intake_scan_json_unescape
#undef intake_scan_json_reason_text

/* The parser's text. */
typedef struct Text
{
	const char *at;
	const char *limit;
	int			depth;			/* levels still allowed */
} Text;

static bool parse_value(Text *text);
static bool parse_tokens(IntakeScanJson *scan, IntakeJsonToken token,
						 int depth);

static bool
is_next(const Text *text, const char *set)
{
	return text->at < text->limit && *text->at != '\0' &&
		strchr(set, *text->at) != NULL;
}

static bool
take(Text *text, const char *set)
{
	if (!is_next(text, set))
		return false;
	text->at++;
	return true;
}

static void
pass_blanks(Text *text)
{
	while (take(text, " \t\r\n"))
		;
}

/* Four hexadecimal digits, or -1. */
static int
parse_hex(Text *text)
{
	char		digits[5] = "";
	int			i;

	for (i = 0; i < 4; i++)
	{
		if (!is_next(text, "0123456789abcdefABCDEF"))
			return -1;
		digits[i] = *text->at++;
	}
	return (int) strtol(digits, NULL, 16);
}

/* What follows a backslash; half pairs and NUL are refused. */
static bool
parse_escape(Text *text)
{
	int			code;

	if (take(text, "\"\\/bfnrt"))
		return true;
	if (!take(text, "u"))
		return false;
	code = parse_hex(text);
	if (code <= 0 || (code >= 0xDC00 && code <= 0xDFFF))
		return false;
	if (code < 0xD800 || code > 0xDBFF)
		return true;
	if (!take(text, "\\") || !take(text, "u"))
		return false;
	code = parse_hex(text);
	return code >= 0xDC00 && code <= 0xDFFF;
}

static bool
parse_string(Text *text)
{
	size_t		step;

	if (!take(text, "\""))
		return false;
	while (!take(text, "\""))
	{
		if (take(text, "\\"))
		{
			if (!parse_escape(text))
				return false;
			continue;
		}
		step = fuzz_utf8_length((const unsigned char *) text->at,
								(size_t) (text->limit - text->at));
		if (step == 0 || (unsigned char) *text->at < 0x20)
			return false;
		text->at += step;
	}
	return true;
}

static bool
parse_digits(Text *text)
{
	if (!take(text, "0123456789"))
		return false;
	while (take(text, "0123456789"))
		;
	return true;
}

static bool
parse_number(Text *text)
{
	(void) take(text, "-");
	if (!take(text, "0") && !parse_digits(text))
		return false;
	if (take(text, ".") && !parse_digits(text))
		return false;
	if (take(text, "eE"))
	{
		(void) take(text, "+-");
		return parse_digits(text);
	}
	return true;
}

static bool
parse_word(Text *text, const char *word)
{
	for (; *word != '\0'; word++)
	{
		if (text->at == text->limit || *text->at != *word)
			return false;
		text->at++;
	}
	return true;
}

/* What stands between the brackets or braces, and the closing one. */
static bool
parse_inside(Text *text, bool is_object)
{
	const char *close = is_object ? "}" : "]";

	pass_blanks(text);
	if (take(text, close))
		return true;
	do
	{
		pass_blanks(text);
		if (is_object)
		{
			if (!parse_string(text))
				return false;
			pass_blanks(text);
			if (!take(text, ":"))
				return false;
		}
		if (!parse_value(text))
			return false;
		pass_blanks(text);
	} while (take(text, ","));
	return take(text, close);
}

static bool
parse_value(Text *text)
{
	bool		is_object;
	bool		is_good;

	pass_blanks(text);
	if (is_next(text, "\""))
		return parse_string(text);
	if (is_next(text, "-0123456789"))
		return parse_number(text);
	if (is_next(text, "t"))
		return parse_word(text, "true");
	if (is_next(text, "f"))
		return parse_word(text, "false");
	if (is_next(text, "n"))
		return parse_word(text, "null");

	is_object = is_next(text, "{");
	if (!take(text, "{["))
		return false;
	if (text->depth == 0)
		return false;
	text->depth--;
	is_good = parse_inside(text, is_object);
	text->depth++;
	return is_good;
}

/* Whether all of the text is one value. */
static bool
is_value(const char *json, size_t len, int depth)
{
	Text		text = {json, json + len, depth};

	if (!parse_value(&text))
		return false;
	pass_blanks(&text);
	return text.at == text.limit;
}

/* Unescapes the string read last, checks it and says whether it is good. */
static bool
check_string_value(const IntakeScanJson *scan)
{
	char	   *raw = fuzz_copy(scan->start, scan->len);
	char	   *out = malloc(scan->len);
	ptrdiff_t	len = intake_scan_json_unescape(raw, scan->len, out);

	FUZZ_CHECK(len <= (ptrdiff_t) scan->len);
	if (len >= 0)
	{
		FUZZ_CHECK(fuzz_utf8_valid(out, (size_t) len) == (size_t) len);
		FUZZ_CHECK(scan->has_escapes || len == (ptrdiff_t) scan->len);
		FUZZ_CHECK(len == plain_json_unescape(raw, scan->len, raw));
		FUZZ_CHECK(memcmp(raw, out, (size_t) len) == 0);
	}
	else
	{
		FUZZ_CHECK(scan->has_escapes);
		FUZZ_CHECK(plain_json_unescape(raw, scan->len, out) == len);
	}
	free(raw);
	free(out);
	return len >= 0;
}

/* The next token, which must lie in the text. */
static IntakeJsonToken
next_token(IntakeScanJson *scan)
{
	const char *before = scan->cursor;
	IntakeJsonToken token = intake_scan_json_next(scan);

	FUZZ_CHECK(scan->cursor >= before && scan->cursor <= scan->limit);
	if (token == INTAKE_JSON_BAD)
	{
		FUZZ_CHECK(scan->reason != INTAKE_JSON_FINE);
		FUZZ_CHECK(scan->fault >= before && scan->fault <= scan->limit);
	}
	else
	{
		FUZZ_CHECK(scan->start >= before);
		FUZZ_CHECK(scan->start + scan->len <= scan->cursor);
		FUZZ_CHECK(token == INTAKE_JSON_END || scan->cursor > before);
	}
	return token;
}

/* The tokens of an array or object behind the opening one. */
static bool
parse_tokens_inside(IntakeScanJson *scan, bool is_object, int depth)
{
	IntakeJsonToken close = is_object ? INTAKE_JSON_OBJECT_END :
		INTAKE_JSON_ARRAY_END;
	IntakeJsonToken token = next_token(scan);

	if (token == close)
		return true;
	for (;;)
	{
		if (is_object)
		{
			if (token != INTAKE_JSON_STRING || !check_string_value(scan) ||
				next_token(scan) != INTAKE_JSON_COLON)
				return false;
			token = next_token(scan);
		}
		if (!parse_tokens(scan, token, depth))
			return false;
		token = next_token(scan);
		if (token == close)
			return true;
		if (token != INTAKE_JSON_COMMA)
			return false;
		token = next_token(scan);
	}
}

/* The tokens of a value whose first one has been read. */
static bool
parse_tokens(IntakeScanJson *scan, IntakeJsonToken token, int depth)
{
	switch (token)
	{
		case INTAKE_JSON_STRING:
			return check_string_value(scan);
		case INTAKE_JSON_NUMBER:
		case INTAKE_JSON_TRUE:
		case INTAKE_JSON_FALSE:
		case INTAKE_JSON_NULL:
			return true;
		case INTAKE_JSON_OBJECT_BEGIN:
		case INTAKE_JSON_ARRAY_BEGIN:
			if (depth == 0)
				return false;
			return parse_tokens_inside(scan,
									   token == INTAKE_JSON_OBJECT_BEGIN,
									   depth - 1);
		default:
			return false;
	}
}

/* Skips the value at the start of a text, in both forms of the scanner. */
static bool
skip_value(const char *text, size_t len, int depth, IntakeScanJson *scan)
{
	IntakeScanJson plain;
	bool		is_good;

	intake_scan_json_begin(scan, text, len);
	plain_json_begin(&plain, text, len);
	is_good = intake_scan_json_skip(scan, depth);
	FUZZ_CHECK(plain_json_skip(&plain, depth) == is_good);
	FUZZ_CHECK(plain.cursor == scan->cursor);
	if (is_good)
	{
		FUZZ_CHECK(plain.start == scan->start && plain.len == scan->len);
		FUZZ_CHECK(scan->start >= text);
		FUZZ_CHECK(scan->start + scan->len == scan->cursor);
	}
	else
	{
		FUZZ_CHECK(plain.reason == scan->reason);
		FUZZ_CHECK(plain.fault == scan->fault);
		FUZZ_CHECK(scan->fault >= text && scan->fault <= scan->limit);
		FUZZ_CHECK(scan->reason != INTAKE_JSON_FINE);
		FUZZ_CHECK(scan->reason != INTAKE_JSON_TOO_DEEP ||
				   depth < INTAKE_JSON_MAX_DEPTH);
	}
	return is_good;
}

/* A value that is cut short is cut, or a shorter number. */
static void
check_cut(const char *text, size_t len, int depth)
{
	IntakeScanJson scan;
	char	   *part = fuzz_copy(text, len);

	if (!skip_value(part, len, depth, &scan))
		FUZZ_CHECK(scan.reason == INTAKE_JSON_CUT);
	free(part);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	IntakeScanJson scan;
	IntakeScanJson tokens;
	char	   *text;
	int			depth;
	bool		is_good;
	size_t		i;

	if (len < 1)
		return 0;
	depth = data[0];
	len--;
	text = fuzz_copy(data + 1, len);

	is_good = skip_value(text, len, depth, &scan);
	intake_scan_json_begin(&tokens, text, len);
	FUZZ_CHECK(parse_tokens(&tokens, next_token(&tokens), depth) == is_good);
	FUZZ_CHECK(!is_good || tokens.cursor == scan.cursor);
	is_good = is_good && next_token(&scan) == INTAKE_JSON_END;
	FUZZ_CHECK(is_good == is_value(text, len, depth));
	if (is_good)
	{
		for (i = 0; i < len; i += 1 + len / 16)
			check_cut(text, i, depth);
	}

	/* and all of it as the inside of a string, which it seldom is */
	scan.start = text;
	scan.len = len;
	scan.has_escapes = true;
	(void) check_string_value(&scan);
	free(text);
	return 0;
}
