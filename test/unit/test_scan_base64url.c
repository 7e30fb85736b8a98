/*-------------------------------------------------------------------------
 *
 * test_scan_base64url.c
 *	  Base64 for URLs: the vectors of RFC 4648 and RFC 7515, and that a text
 *	  is the only one for its bytes.
 *
 *-------------------------------------------------------------------------
 */
#include <stdlib.h>
#include <string.h>

#include "tap.h"
#include "worker/scan_base64url.h"

typedef struct Sample
{
	const char *bytes;
	size_t		len;
	const char *text;
} Sample;

#define SAMPLE(bytes, text) {bytes, sizeof(bytes) - 1, text}

/* RFC 4648, section 10, without the padding; RFC 7515, appendix C. */
static const Sample samples[] = {
	SAMPLE("", ""),
	SAMPLE("f", "Zg"),
	SAMPLE("fo", "Zm8"),
	SAMPLE("foo", "Zm9v"),
	SAMPLE("foob", "Zm9vYg"),
	SAMPLE("fooba", "Zm9vYmE"),
	SAMPLE("foobar", "Zm9vYmFy"),
	SAMPLE("\x03\xEC\xFF\xE0\xC1", "A-z_4ME"),
	SAMPLE("\xFF\xFF\xFF", "____"),
	SAMPLE("\xFB\xEF\xBE", "----"),
	SAMPLE("\0", "AA"),
};

static const char *const refused[] = {
	"Z", "Zm9vY", "Zg==", "Zm8=", "Z g", "Zg\n", " Zg", "Zm9+", "Zm9/",
	"Zm9.", "Zm\x80v", "Zh", "Zo", "Zm9", "Zm-", "Z===", "="
};

/* Decodes from a copy of the exact size into one of the exact size. */
static ptrdiff_t
decode(const char *text, size_t len, uint8_t **bytes)
{
	char	   *copy = malloc(len + 1);
	ptrdiff_t	result;

	memcpy(copy, text, len);
	copy = realloc(copy, len == 0 ? 1 : len);
	*bytes = malloc(INTAKE_BASE64URL_BYTES(len) + 1);
	result = intake_scan_base64url_decode(copy, len, *bytes);
	free(copy);
	return result;
}

static void
test_samples(void)
{
	size_t		i;

	for (i = 0; i < sizeof(samples) / sizeof(samples[0]); i++)
	{
		const Sample *sample = &samples[i];
		size_t		text_len = strlen(sample->text);
		char		text[16];
		uint8_t    *bytes;
		ptrdiff_t	len = decode(sample->text, text_len, &bytes);

		ok(len == (ptrdiff_t) sample->len &&
			   memcmp(bytes, sample->bytes, sample->len) == 0,
		   sample->text);
		ok(INTAKE_BASE64URL_BYTES(text_len) == sample->len, "its size");
		free(bytes);
		intake_scan_base64url_encode((const uint8_t *) sample->bytes,
									 sample->len, text);
		ok(INTAKE_BASE64URL_LENGTH(sample->len) == text_len &&
			   memcmp(text, sample->text, text_len) == 0,
		   "and back");
	}
}

static void
test_refused(void)
{
	size_t		i;

	for (i = 0; i < sizeof(refused) / sizeof(refused[0]); i++)
	{
		uint8_t    *bytes;

		ok(decode(refused[i], strlen(refused[i]), &bytes) == -1, refused[i]);
		free(bytes);
	}
	{
		uint8_t    *bytes;

		ok(decode("Zm9\0", 4, &bytes) == -1, "a NUL");
		free(bytes);
	}
}

/* Every text of two or three characters: one for each byte or two. */
static void
test_all(void)
{
	int			found[3] = {0, 0, 0};
	int			a;
	int			b;
	int			c;

	for (a = 0; a < 256; a++)
	{
		for (b = 0; b < 256; b++)
		{
			char		text[3] = {(char) a, (char) b, 'A'};
			uint8_t		bytes[4];

			found[1] += intake_scan_base64url_decode(text, 2, bytes) == 1;
			for (c = 0; c < 256; c += 1)
			{
				text[2] = (char) c;
				found[2] += intake_scan_base64url_decode(text, 3, bytes) == 2;
			}
		}
	}
	ok(found[1] == 256, "256 texts of two characters");
	ok(found[2] == 65536, "65536 texts of three");
}

int
main(void)
{
	test_samples();
	test_refused();
	test_all();
	return done_testing();
}
