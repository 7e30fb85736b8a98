/*-------------------------------------------------------------------------
 *
 * scan_json.c
 *	  JSON (RFC 8259) tokens of a text in memory.  Plain C.
 *
 * Nearly all bytes of a payload's strings need nothing but passing over:
 * find_special() does that, in blocks where the processor has SSE2.  With
 * INTAKE_SCAN_PLAIN defined only the plain path is built; both give the same
 * answers.
 *
 * No byte at or behind limit is ever read.
 *
 *-------------------------------------------------------------------------
 */
#include <stdint.h>
#include <string.h>

#if defined(__SSE2__) && !defined(INTAKE_SCAN_PLAIN)
#include <emmintrin.h>
#define USE_SSE2 1
#endif

#include "format/scan_escape.h"
#include "format/scan_json.h"
#include "format/scan_utf8.h"

void
intake_scan_json_begin(IntakeScanJson *scan, const char *text, size_t len)
{
	memset(scan, 0, sizeof(*scan));
	scan->cursor = text;
	scan->limit = text + len;
	scan->start = text;
}

const char *
intake_scan_json_reason_text(IntakeJsonReason reason)
{
	switch (reason)
	{
		case INTAKE_JSON_FINE:
			break;
		case INTAKE_JSON_CUT:
			return "text ends inside a value";
		case INTAKE_JSON_UNEXPECTED:
			return "unexpected character";
		case INTAKE_JSON_BAD_LITERAL:
			return "word other than true, false and null";
		case INTAKE_JSON_BAD_NUMBER:
			return "malformed number";
		case INTAKE_JSON_BAD_CONTROL:
			return "unescaped control character in a string";
		case INTAKE_JSON_BAD_ESCAPE:
			return "invalid escape in a string";
		case INTAKE_JSON_BAD_SURROGATE:
			return "half of a surrogate pair in a string";
		case INTAKE_JSON_BAD_NUL:
			return "\\u0000 in a string";
		case INTAKE_JSON_BAD_UTF8:
			return "invalid UTF-8";
		case INTAKE_JSON_TOO_DEEP:
			return "values nested too deeply";
	}
	return "no fault";
}

/*
 * Returns the first quote, backslash or control character, or limit.  Sets
 * *is_high when a byte before it is not ASCII (never clears it).
 */
static inline const char *
find_special(const char *p, const char *limit, bool *is_high)
{
	unsigned char high = 0;

#ifdef USE_SSE2
	const __m128i quote = _mm_set1_epi8('"');
	const __m128i backslash = _mm_set1_epi8('\\');
	const __m128i control = _mm_set1_epi8(0x1F);

	while (limit - p >= 16)
	{
		__m128i		block = _mm_loadu_si128((const __m128i *) p);
		__m128i		special;
		unsigned	mask;
		unsigned	mask_high = (unsigned) _mm_movemask_epi8(block);

		special = _mm_or_si128(_mm_cmpeq_epi8(block, quote),
							   _mm_cmpeq_epi8(block, backslash));
		special = _mm_or_si128(special,
							   _mm_cmpeq_epi8(_mm_min_epu8(block, control),
											  block));
		mask = (unsigned) _mm_movemask_epi8(special);
		if (mask != 0)
		{
			/* the bits below the lowest one of mask */
			if ((mask_high & (mask - 1) & ~mask) != 0)
				*is_high = true;
			return p + __builtin_ctz(mask);
		}
		if (mask_high != 0)
			*is_high = true;
		p += 16;
	}
#endif
	for (; p < limit; p++)
	{
		unsigned char c = (unsigned char) *p;

		if (c == '"' || c == '\\' || c < 0x20)
			break;
		high |= c;
	}
	if (high & 0x80)
		*is_high = true;
	return p;
}

/* Notes why the text is bad and returns the token that says so. */
static IntakeJsonToken
set_fault(IntakeScanJson *scan, IntakeJsonReason reason, const char *fault)
{
	scan->reason = reason;
	scan->fault = fault;
	return INTAKE_JSON_BAD;
}

/* The fault of a byte that no token starts with. */
static IntakeJsonToken
set_fault_byte(IntakeScanJson *scan, const char *fault)
{
	size_t		len = (size_t) (scan->limit - fault);

	if (len == 0)
		return set_fault(scan, INTAKE_JSON_CUT, fault);

	/* a wrong character may be shown, a broken one must not */
	if ((unsigned char) *fault >= 0x80 &&
		intake_scan_utf8_valid(fault, len > 4 ? 4 : len) == 0)
		return set_fault(scan, INTAKE_JSON_BAD_UTF8, fault);
	return set_fault(scan, INTAKE_JSON_UNEXPECTED, fault);
}

IntakeJsonToken
intake_scan_json_string(IntakeScanJson *scan)
{
	const char *start = scan->cursor + 1;
	const char *p = start;
	bool		is_high = false;
	bool		has_escapes = false;

	for (;;)
	{
		p = find_special(p, scan->limit, &is_high);
		if (p == scan->limit)
			return set_fault(scan, INTAKE_JSON_CUT, p);
		if (*p == '"')
			break;
		if (*p != '\\')
			return set_fault(scan, INTAKE_JSON_BAD_CONTROL, p);
		has_escapes = true;
		if (scan->limit - p < 2)
			return set_fault(scan, INTAKE_JSON_CUT, scan->limit);

		/* only a quote or a backslash could be taken for another thing */
		p += (p[1] == '"' || p[1] == '\\') ? 2 : 1;
	}

	scan->start = start;
	scan->len = (size_t) (p - start);
	scan->has_escapes = has_escapes;
	if (is_high)
	{
		size_t		valid = intake_scan_utf8_valid(start, scan->len);

		if (valid < scan->len)
			return set_fault(scan, INTAKE_JSON_BAD_UTF8, start + valid);
	}
	scan->cursor = p + 1;
	return INTAKE_JSON_STRING;
}

static inline bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/*
 * Moves *p over digits; false, with the fault noted, when there is none.
 */
static inline bool
scan_digits(IntakeScanJson *scan, const char **p)
{
	if (*p == scan->limit)
	{
		(void) set_fault(scan, INTAKE_JSON_CUT, *p);
		return false;
	}
	if (!is_digit(**p))
	{
		(void) set_fault(scan, INTAKE_JSON_BAD_NUMBER, *p);
		return false;
	}
	while (*p < scan->limit && is_digit(**p))
		(*p)++;
	return true;
}

/* A number; the cursor stands on its first byte. */
static IntakeJsonToken
scan_number(IntakeScanJson *scan)
{
	const char *p = scan->cursor;

	if (*p == '-')
		p++;
	if (p < scan->limit && *p == '0')
		p++;
	else if (!scan_digits(scan, &p))
		return INTAKE_JSON_BAD;
	if (p < scan->limit && *p == '.')
	{
		p++;
		if (!scan_digits(scan, &p))
			return INTAKE_JSON_BAD;
	}
	if (p < scan->limit && (*p == 'e' || *p == 'E'))
	{
		p++;
		if (p < scan->limit && (*p == '+' || *p == '-'))
			p++;
		if (!scan_digits(scan, &p))
			return INTAKE_JSON_BAD;
	}

	/* 012, 1.2.3 and 12x are one bad number rather than a missing comma */
	if (p < scan->limit &&
		(is_digit(*p) || *p == '.' || *p == '+' || *p == '-' ||
		 (*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z')))
		return set_fault(scan, INTAKE_JSON_BAD_NUMBER, p);

	scan->start = scan->cursor;
	scan->len = (size_t) (p - scan->cursor);
	scan->cursor = p;
	return INTAKE_JSON_NUMBER;
}

/* true, false or null. */
static IntakeJsonToken
scan_literal(IntakeScanJson *scan, const char *word, size_t len,
			 IntakeJsonToken token)
{
	size_t		left = (size_t) (scan->limit - scan->cursor);
	char		next;

	if (left < len)
	{
		if (memcmp(scan->cursor, word, left) == 0)
			return set_fault(scan, INTAKE_JSON_CUT, scan->limit);
		return set_fault(scan, INTAKE_JSON_BAD_LITERAL, scan->cursor);
	}
	next = left > len ? scan->cursor[len] : ' ';
	if (memcmp(scan->cursor, word, len) != 0 ||
		is_digit(next) || next == '_' ||
		(next >= 'a' && next <= 'z') || (next >= 'A' && next <= 'Z'))
		return set_fault(scan, INTAKE_JSON_BAD_LITERAL, scan->cursor);

	scan->start = scan->cursor;
	scan->len = len;
	scan->cursor += len;
	return token;
}

/* A token of one byte. */
static inline IntakeJsonToken
scan_punctuation(IntakeScanJson *scan, IntakeJsonToken token)
{
	scan->start = scan->cursor++;
	scan->len = 1;
	return token;
}

IntakeJsonToken
intake_scan_json_next(IntakeScanJson *scan)
{
	intake_scan_json_skip_blanks(scan);
	scan->has_escapes = false;
	if (scan->cursor == scan->limit)
	{
		scan->start = scan->cursor;
		scan->len = 0;
		return INTAKE_JSON_END;
	}

	switch (*scan->cursor)
	{
		case '"':
			return intake_scan_json_string(scan);
		case '-':
		case '0': case '1': case '2': case '3': case '4':
		case '5': case '6': case '7': case '8': case '9':
			return scan_number(scan);
		case '{':
			return scan_punctuation(scan, INTAKE_JSON_OBJECT_BEGIN);
		case '}':
			return scan_punctuation(scan, INTAKE_JSON_OBJECT_END);
		case '[':
			return scan_punctuation(scan, INTAKE_JSON_ARRAY_BEGIN);
		case ']':
			return scan_punctuation(scan, INTAKE_JSON_ARRAY_END);
		case ':':
			return scan_punctuation(scan, INTAKE_JSON_COLON);
		case ',':
			return scan_punctuation(scan, INTAKE_JSON_COMMA);
		case 't':
			return scan_literal(scan, "true", 4, INTAKE_JSON_TRUE);
		case 'f':
			return scan_literal(scan, "false", 5, INTAKE_JSON_FALSE);
		case 'n':
			return scan_literal(scan, "null", 4, INTAKE_JSON_NULL);
		default:
			break;
	}
	if ((*scan->cursor >= 'a' && *scan->cursor <= 'z') ||
		(*scan->cursor >= 'A' && *scan->cursor <= 'Z'))
		return set_fault(scan, INTAKE_JSON_BAD_LITERAL, scan->cursor);
	return set_fault_byte(scan, scan->cursor);
}

/*
 * Unescapes a string into out, or only checks it when out is NULL.  Sets
 * *out_len, or *fault when the reason is not fine.
 */
static IntakeJsonReason
unescape_string(const char *raw, size_t len, char *out, size_t *out_len,
				const char **fault)
{
	const char *p = raw;
	const char *limit = raw + len;
	size_t		used = 0;

	while (p < limit)
	{
		bool		is_high = false;
		const char *run = p;
		size_t		run_len;
		char		small[4];
		size_t		put = 0;
		char		letter;
		IntakeJsonReason reason;

		p = find_special(run, limit, &is_high);
		run_len = (size_t) (p - run);
		if (is_high)
		{
			size_t		valid = intake_scan_utf8_valid(run, run_len);

			*fault = run + valid;
			if (valid < run_len)
				return INTAKE_JSON_BAD_UTF8;
		}
		if (out != NULL && run_len > 0)
			memmove(out + used, run, run_len);
		used += run_len;
		if (p == limit)
			break;

		*fault = p;
		if (*p != '\\')
			return *p == '"' ? INTAKE_JSON_UNEXPECTED :
				INTAKE_JSON_BAD_CONTROL;
		letter = limit - p < 2 ? '\0' :
			intake_scan_escape_letters[(unsigned char) p[1]];
		if (letter != '\0')
		{
			if (out != NULL)
				out[used] = letter;
			used++;
			p += 2;
			continue;
		}
		reason = intake_scan_escape(&p, limit, small, &put);
		if (reason != INTAKE_JSON_FINE)
			return reason;
		if (out != NULL)
			memcpy(out + used, small, put);
		used += put;
	}
	*out_len = used;
	return INTAKE_JSON_FINE;
}

ptrdiff_t
intake_scan_json_unescape(const char *raw, size_t len, char *out)
{
	size_t		out_len = 0;
	const char *fault = raw;
	IntakeJsonReason reason;

	reason = unescape_string(raw, len, out, &out_len, &fault);
	if (reason != INTAKE_JSON_FINE)
		return -(ptrdiff_t) reason;
	return (ptrdiff_t) out_len;
}

/* Checks the escapes of the string read last. */
static bool
check_string(IntakeScanJson *scan)
{
	size_t		out_len;
	const char *fault = scan->start;
	IntakeJsonReason reason;

	if (!scan->has_escapes)
		return true;
	reason = unescape_string(scan->start, scan->len, NULL, &out_len, &fault);
	if (reason == INTAKE_JSON_FINE)
		return true;
	(void) set_fault(scan, reason, fault);
	return false;
}

/* Which of the open values are objects, one bit a level. */
typedef struct OpenValues
{
	int			depth;
	unsigned char is_object[INTAKE_JSON_MAX_DEPTH / 8 + 1];
} OpenValues;

static inline bool
is_in_object(const OpenValues *open)
{
	int			level = open->depth - 1;

	return (open->is_object[level / 8] >> (level % 8)) & 1;
}

static inline void
push_value(OpenValues *open, bool is_object)
{
	int			level = open->depth++;
	unsigned char bit = (unsigned char) (1 << (level % 8));

	if (is_object)
		open->is_object[level / 8] |= bit;
	else
		open->is_object[level / 8] &= (unsigned char) ~bit;
}

/* Reads a member's name and its colon. */
static bool
skip_name(IntakeScanJson *scan)
{
	IntakeJsonToken token = intake_scan_json_next(scan);

	if (token == INTAKE_JSON_BAD)
		return false;
	if (token != INTAKE_JSON_STRING)
	{
		(void) set_fault_byte(scan, scan->start);
		return false;
	}
	if (!check_string(scan))
		return false;
	if (!intake_scan_json_take(scan, ':'))
	{
		(void) set_fault_byte(scan, scan->cursor);
		return false;
	}
	return true;
}

/*
 * Reads a scalar, an empty array or object, or the beginning of one that is
 * not empty.  Sets *is_open for the latter.
 */
static bool
skip_value_begin(IntakeScanJson *scan, OpenValues *open, int max_depth,
				 bool *is_open)
{
	IntakeJsonToken token = intake_scan_json_next(scan);
	bool		is_object = token == INTAKE_JSON_OBJECT_BEGIN;

	*is_open = false;
	switch (token)
	{
		case INTAKE_JSON_NUMBER:
		case INTAKE_JSON_TRUE:
		case INTAKE_JSON_FALSE:
		case INTAKE_JSON_NULL:
			return true;
		case INTAKE_JSON_STRING:
			return check_string(scan);
		case INTAKE_JSON_OBJECT_BEGIN:
		case INTAKE_JSON_ARRAY_BEGIN:
			break;
		case INTAKE_JSON_BAD:
			return false;
		default:
			(void) set_fault_byte(scan, scan->start);
			return false;
	}

	if (open->depth >= max_depth)
	{
		(void) set_fault(scan, INTAKE_JSON_TOO_DEEP, scan->start);
		return false;
	}
	if (intake_scan_json_take(scan, is_object ? '}' : ']'))
		return true;
	push_value(open, is_object);
	*is_open = true;
	return !is_object || skip_name(scan);
}

/*
 * Behind a value: reads what closes the values around it, up to a comma
 * (and the name behind it) or until none is open.
 */
static bool
skip_value_end(IntakeScanJson *scan, OpenValues *open)
{
	while (open->depth > 0)
	{
		bool		is_object = is_in_object(open);

		if (intake_scan_json_take(scan, ','))
			return !is_object || skip_name(scan);
		if (!intake_scan_json_take(scan, is_object ? '}' : ']'))
		{
			(void) set_fault_byte(scan, scan->cursor);
			return false;
		}
		open->depth--;
	}
	return true;
}

bool
intake_scan_json_skip(IntakeScanJson *scan, int max_depth)
{
	OpenValues	open;
	const char *begin;
	bool		is_open;

	open.depth = 0;
	if (max_depth > INTAKE_JSON_MAX_DEPTH)
		max_depth = INTAKE_JSON_MAX_DEPTH;
	intake_scan_json_skip_blanks(scan);
	begin = scan->cursor;
	do
	{
		if (!skip_value_begin(scan, &open, max_depth, &is_open) ||
			(!is_open && !skip_value_end(scan, &open)))
		{
			scan->cursor = begin;
			return false;
		}
	} while (open.depth > 0);

	scan->start = begin;
	scan->len = (size_t) (scan->cursor - begin);
	scan->has_escapes = false;
	return true;
}
