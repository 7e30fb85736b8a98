/*-------------------------------------------------------------------------
 *
 * fuzz_scan_jws.c
 *	  Tokens and their base64: split against a plain search for the points,
 *	  decoded against what encoding makes of it.
 *
 *-------------------------------------------------------------------------
 */
#include "worker/scan_base64url.h"
#include "worker/scan_jws.h"

#include "fuzz.h"

static const char alphabet[] =
	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/* How many characters at the start are of the alphabet. */
static size_t
plain_length(const char *text, size_t len)
{
	size_t		i;

	for (i = 0; i < len; i++)
	{
		if (memchr(alphabet, text[i], sizeof(alphabet) - 1) == NULL)
			break;
	}
	return i;
}

/* Whether some bytes are written so, by the rules and not by decoding. */
static bool
is_canonical(const char *text, size_t len)
{
	static const unsigned int unused[4] = {0, 0, 0x0F, 0x03};
	const char *last;

	if (plain_length(text, len) < len || len % 4 == 1)
		return false;
	if (len == 0)
		return true;
	last = memchr(alphabet, text[len - 1], sizeof(alphabet) - 1);
	return ((unsigned int) (last - alphabet) & unused[len % 4]) == 0;
}

/* What is decoded is written as it was. */
static void
check_base64url(const char *text, size_t len)
{
	size_t		size = INTAKE_BASE64URL_BYTES(len);
	char	   *copy = fuzz_copy(text, len);
	uint8_t    *bytes = malloc(size + 1);
	ptrdiff_t	nbytes = intake_scan_base64url_decode(copy, len, bytes);

	FUZZ_CHECK((nbytes >= 0) == is_canonical(text, len));
	if (nbytes >= 0)
	{
		size_t		length = INTAKE_BASE64URL_LENGTH(nbytes);
		char	   *again = malloc(length + 1);

		FUZZ_CHECK((size_t) nbytes == size && length == len);
		again[length] = 'x';
		intake_scan_base64url_encode(bytes, nbytes, again);
		FUZZ_CHECK(memcmp(again, text, len) == 0 && again[length] == 'x');
		free(again);
	}
	free(bytes);
	free(copy);
}

/* Any bytes can be written, and read again. */
static void
check_bytes(const uint8_t *data, size_t len)
{
	size_t		length = INTAKE_BASE64URL_LENGTH(len);
	char	   *text = malloc(length + 1);
	uint8_t    *bytes = malloc(len + 1);

	intake_scan_base64url_encode(data, len, text);
	FUZZ_CHECK(plain_length(text, length) == length);
	FUZZ_CHECK(intake_scan_base64url_decode(text, length, bytes) ==
			   (ptrdiff_t) len);
	FUZZ_CHECK(len == 0 || memcmp(bytes, data, len) == 0);
	free(bytes);
	free(text);
}

static bool
plain_split(const char *token, size_t len, IntakeJws *jws)
{
	IntakeJwsPart *parts[] = {&jws->header, &jws->claims, &jws->signature};
	size_t		at = 0;
	int			i;

	for (i = 0; i < 3; i++)
	{
		if (i > 0 && (at == len || token[at++] != '.'))
			return false;
		parts[i]->text = token + at;
		parts[i]->len = plain_length(token + at, len - at);
		at += parts[i]->len;
	}
	return at == len && jws->header.len > 0 && jws->claims.len > 0;
}

static bool
is_same_part(IntakeJwsPart a, IntakeJwsPart b)
{
	return a.text == b.text && a.len == b.len;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	char	   *token = fuzz_copy(data, len);
	IntakeJws	jws;
	IntakeJws	plain;
	bool		is_token = intake_scan_jws_split(token, len, &jws);

	FUZZ_CHECK(is_token == plain_split(token, len, &plain));
	if (is_token)
	{
		FUZZ_CHECK(is_same_part(jws.header, plain.header));
		FUZZ_CHECK(is_same_part(jws.claims, plain.claims));
		FUZZ_CHECK(is_same_part(jws.signature, plain.signature));
		FUZZ_CHECK(jws.content.text == token &&
				   token + jws.content.len + 1 == jws.signature.text);
		check_base64url(jws.header.text, jws.header.len);
		check_base64url(jws.claims.text, jws.claims.len);
		check_base64url(jws.signature.text, jws.signature.len);
	}
	check_base64url(token, len);
	check_bytes(data, len);
	free(token);
	return 0;
}
