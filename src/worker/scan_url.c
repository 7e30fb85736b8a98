/*-------------------------------------------------------------------------
 *
 * scan_url.c
 *	  The path and the query of a URL, taken apart and decoded.  Plain C.
 *
 *-------------------------------------------------------------------------
 */
#include <string.h>

#include "format/scan_utf8.h"
#include "hex_digit.h"
#include "worker/scan_url.h"

bool
intake_scan_url_next(IntakeUrlPart *rest, char separator,
					 IntakeUrlPart *piece)
{
	const char *end;

	if (rest->text == NULL)
		return false;
	*piece = *rest;
	end = rest->len == 0 ? NULL : memchr(rest->text, separator, rest->len);
	if (end == NULL)
	{
		rest->text = NULL;
		rest->len = 0;
		return true;
	}
	piece->len = end - piece->text;
	rest->text = end + 1;
	rest->len -= piece->len + 1;
	return true;
}

void
intake_scan_url_pair(IntakeUrlPart pair, IntakeUrlPart *name,
					 IntakeUrlPart *value)
{
	IntakeUrlPart rest = pair;

	(void) intake_scan_url_next(&rest, '=', name);
	value->text = rest.text == NULL ? pair.text + pair.len : rest.text;
	value->len = rest.len;
}

/* The byte that "%xx" stands for, or -1. */
static int
read_escape(const char *text, size_t len)
{
	int			high = len < 3 ? -1 : intake_hex_digit_value(text[1]);
	int			low = len < 3 ? -1 : intake_hex_digit_value(text[2]);

	return high < 0 || low < 0 ? -1 : high * 16 + low;
}

ptrdiff_t
intake_scan_url_decode(IntakeUrlPart part, bool is_query, char *out)
{
	size_t		n = 0;
	size_t		i;

	for (i = 0; i < part.len; i++)
	{
		char		c = part.text[i];

		if (c == '%')
		{
			int			byte = read_escape(part.text + i, part.len - i);

			if (byte < 0)
				return -1;
			c = (char) byte;
			i += 2;
		}
		else if (c == '+' && is_query)
			c = ' ';
		if (c == '\0')
			return -1;
		out[n++] = c;
	}
	return intake_scan_utf8_valid(out, n) == n ? (ptrdiff_t) n : -1;
}
