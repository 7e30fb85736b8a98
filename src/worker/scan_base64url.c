/*-------------------------------------------------------------------------
 *
 * scan_base64url.c
 *	  Base64 with the URL-safe alphabet and without padding.  Plain C.
 *
 *-------------------------------------------------------------------------
 */
#include "worker/scan_base64url.h"

static const char alphabet[] =
	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/* The value of a character, or -1. */
static int
digit_value(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	if (c == '-')
		return 62;
	if (c == '_')
		return 63;
	return -1;
}

ptrdiff_t
intake_scan_base64url_decode(const char *text, size_t len, uint8_t *out)
{
	uint8_t    *start = out;
	uint32_t	bits = 0;
	int			nbits = 0;		/* of bits, not yet written */
	size_t		i;

	if (len % 4 == 1)
		return -1;
	for (i = 0; i < len; i++)
	{
		int			value = digit_value(text[i]);

		if (value < 0)
			return -1;
		bits = bits << 6 | (uint32_t) value;
		nbits += 6;
		if (nbits >= 8)
		{
			nbits -= 8;
			*out++ = (uint8_t) (bits >> nbits);
			bits &= (UINT32_C(1) << nbits) - 1;
		}
	}
	return bits == 0 ? out - start : -1;
}

void
intake_scan_base64url_encode(const uint8_t *bytes, size_t len, char *out)
{
	uint32_t	bits = 0;
	int			nbits = 0;
	size_t		i;

	for (i = 0; i < len; i++)
	{
		bits = (bits << 8 | bytes[i]) & 0xFFFF;
		nbits += 8;
		while (nbits >= 6)
		{
			nbits -= 6;
			*out++ = alphabet[bits >> nbits & 0x3F];
		}
	}
	if (nbits > 0)
		*out = alphabet[bits << (6 - nbits) & 0x3F];
}
