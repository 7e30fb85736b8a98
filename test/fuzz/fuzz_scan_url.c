/*-------------------------------------------------------------------------
 *
 * fuzz_scan_url.c
 *	  Paths and queries of URLs: split against a walk byte by byte, decoded
 *	  against what encoding makes of it.
 *
 *-------------------------------------------------------------------------
 */
#include "worker/scan_url.h"

#include "fuzz.h"

/* The pieces are what lies between separators, in order and without a gap. */
static void
check_pieces(const char *text, size_t len, char separator)
{
	IntakeUrlPart rest = {text, len};
	IntakeUrlPart piece;
	size_t		from = 0;

	for (size_t i = 0; i <= len; i++)
	{
		if (i < len && text[i] != separator)
			continue;
		FUZZ_CHECK(intake_scan_url_next(&rest, separator, &piece));
		FUZZ_CHECK(piece.text == text + from && piece.len == i - from);
		from = i + 1;
	}
	FUZZ_CHECK(!intake_scan_url_next(&rest, separator, &piece));
	FUZZ_CHECK(!intake_scan_url_next(&rest, separator, &piece));
}

static void
check_pair(const char *text, size_t len)
{
	IntakeUrlPart pair = {text, len};
	IntakeUrlPart name;
	IntakeUrlPart value;
	size_t		at = 0;

	while (at < len && text[at] != '=')
		at++;
	intake_scan_url_pair(pair, &name, &value);
	FUZZ_CHECK(name.text == text && name.len == at);
	if (at < len)
		at++;
	FUZZ_CHECK(value.text == text + at && value.len == len - at);
}

/* Two digits as the C library reads them; 0 when there are none. */
static int
read_digits(const char *text, size_t len)
{
	static const char digits[] = "0123456789abcdefABCDEF";
	char		copy[3] = "";

	if (len < 2 || text[0] == '\0' || text[1] == '\0' ||
		strchr(digits, text[0]) == NULL || strchr(digits, text[1]) == NULL)
		return 0;
	memcpy(copy, text, 2);
	return (int) strtol(copy, NULL, 16);
}

/* Decodes in the plainest way; -1 when it cannot be. */
static ptrdiff_t
plain_decode(const char *text, size_t len, bool is_query, char *out)
{
	size_t		n = 0;

	for (size_t i = 0; i < len; i++)
	{
		int			c = (unsigned char) text[i];

		if (c == '%')
		{
			c = read_digits(text + i + 1, len - i - 1);
			i += 2;
		}
		else if (is_query && c == '+')
			c = ' ';
		if (c == 0)
			return -1;
		out[n++] = (char) c;
	}
	return fuzz_utf8_valid(out, n) == n ? (ptrdiff_t) n : -1;
}

static void
check_decode(const char *text, size_t len, bool is_query)
{
	IntakeUrlPart part = {text, len};
	char	   *out = malloc(len);
	char	   *plain = malloc(len + 1);
	ptrdiff_t	n = intake_scan_url_decode(part, is_query, out);

	FUZZ_CHECK(n == plain_decode(text, len, is_query, plain));
	FUZZ_CHECK(n <= 0 || memcmp(out, plain, n) == 0);
	free(plain);
	free(out);
}

/* Any text can be written in percent signs, and read again. */
static void
check_encoded(const char *text, size_t len)
{
	char	   *encoded = malloc(3 * len + 1);
	char	   *out = malloc(3 * len);
	IntakeUrlPart part = {encoded, 3 * len};
	bool		is_text = fuzz_utf8_valid(text, len) == len &&
		(len == 0 || memchr(text, '\0', len) == NULL);
	ptrdiff_t	n;

	for (size_t i = 0; i < len; i++)
		sprintf(encoded + 3 * i, i % 2 ? "%%%02x" : "%%%02X",
				(unsigned char) text[i]);
	n = intake_scan_url_decode(part, len % 2, out);
	FUZZ_CHECK(n == (is_text ? (ptrdiff_t) len : -1));
	FUZZ_CHECK(n <= 0 || memcmp(out, text, n) == 0);
	free(out);
	free(encoded);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	char	   *text = fuzz_copy(data, len);

	check_pieces(text, len, '/');
	check_pieces(text, len, '&');
	check_pair(text, len);
	check_decode(text, len, false);
	check_decode(text, len, true);
	check_encoded(text, len);
	free(text);
	return 0;
}
