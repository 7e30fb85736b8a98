/*-------------------------------------------------------------------------
 *
 * scan_escape.c
 *	  The escapes of JSON strings.  Plain C.
 *
 * No byte at or behind limit is ever read.
 *
 *-------------------------------------------------------------------------
 */
#include "format/scan_escape.h"
#include "hex_digit.h"

const char intake_scan_escape_letters[256] = {
	['"'] = '"', ['\\'] = '\\', ['/'] = '/',
	['b'] = '\b', ['f'] = '\f', ['n'] = '\n', ['r'] = '\r', ['t'] = '\t'
};

/* The value of four hexadecimal digits at p, or -1. */
static int
read_hex(const char *p, const char *limit)
{
	int			value = 0;
	int			i;

	if (limit - p < 4)
		return -1;
	for (i = 0; i < 4; i++)
	{
		int			digit = intake_hex_digit_value(p[i]);

		if (digit < 0)
			return -1;
		value = value << 4 | digit;
	}
	return value;
}

/* Writes a code point and returns how many bytes it takes. */
static size_t
put_code_point(char *out, unsigned code)
{
	if (code < 0x80)
	{
		out[0] = (char) code;
		return 1;
	}
	if (code < 0x800)
	{
		out[0] = (char) (0xC0 | (code >> 6));
		out[1] = (char) (0x80 | (code & 0x3F));
		return 2;
	}
	if (code < 0x10000)
	{
		out[0] = (char) (0xE0 | (code >> 12));
		out[1] = (char) (0x80 | ((code >> 6) & 0x3F));
		out[2] = (char) (0x80 | (code & 0x3F));
		return 3;
	}
	out[0] = (char) (0xF0 | (code >> 18));
	out[1] = (char) (0x80 | ((code >> 12) & 0x3F));
	out[2] = (char) (0x80 | ((code >> 6) & 0x3F));
	out[3] = (char) (0x80 | (code & 0x3F));
	return 4;
}

/*
 * Reads \uXXXX, or a pair of them, at *p (on the backslash) into *code and
 * moves *p behind it.
 */
static IntakeJsonReason
read_code_point(const char **p, const char *limit, unsigned *code)
{
	int			first = read_hex(*p + 2, limit);
	int			second;

	if (first < 0)
		return INTAKE_JSON_BAD_ESCAPE;
	if (first == 0)
		return INTAKE_JSON_BAD_NUL;
	if (first < 0xD800 || first > 0xDFFF)
	{
		*code = (unsigned) first;
		*p += 6;
		return INTAKE_JSON_FINE;
	}
	if (first > 0xDBFF || limit - *p < 12 || (*p)[6] != '\\' ||
		(*p)[7] != 'u')
		return INTAKE_JSON_BAD_SURROGATE;
	second = read_hex(*p + 8, limit);
	if (second < 0xDC00 || second > 0xDFFF)
		return INTAKE_JSON_BAD_SURROGATE;
	*code = 0x10000 + (((unsigned) first - 0xD800) << 10) +
		((unsigned) second - 0xDC00);
	*p += 12;
	return INTAKE_JSON_FINE;
}

IntakeJsonReason
intake_scan_escape(const char **p, const char *limit, char *out, size_t *put)
{
	unsigned	code = 0;
	IntakeJsonReason reason;

	if (limit - *p < 2)
		return INTAKE_JSON_BAD_ESCAPE;
	if ((*p)[1] == 'u')
	{
		reason = read_code_point(p, limit, &code);
		if (reason == INTAKE_JSON_FINE)
			*put = put_code_point(out, code);
		return reason;
	}
	out[0] = intake_scan_escape_letters[(unsigned char) (*p)[1]];
	if (out[0] == '\0')
		return INTAKE_JSON_BAD_ESCAPE;
	*put = 1;
	*p += 2;
	return INTAKE_JSON_FINE;
}
