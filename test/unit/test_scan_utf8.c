/*-------------------------------------------------------------------------
 *
 * test_scan_utf8.c
 *	  UTF-8: the borders of RFC 3629, every code point, every two bytes, and
 *	  the fast path against the plain one.
 *
 *-------------------------------------------------------------------------
 */
#include <stdlib.h>
#include <string.h>

#include "format/scan_utf8.h"
#include "tap.h"

/* The scanner once more, without SSE2. */
#define INTAKE_SCAN_PLAIN
#undef USE_SSE2
#define intake_scan_utf8_valid plain_valid
#define intake_scan_utf8_broken plain_broken
extern size_t plain_valid(const char *text, size_t len);
extern size_t plain_broken(const char *text, size_t len);
#include "format/scan_utf8.c"
#undef intake_scan_utf8_valid
#undef intake_scan_utf8_broken

typedef struct Sample
{
	const char *bytes;
	size_t		len;
	size_t		valid;			/* bytes at the start */
	size_t		broken;			/* length of the bad sequence behind */
	const char *name;
} Sample;

#define SAMPLE(bytes, valid, broken, name) \
	{bytes, sizeof(bytes) - 1, valid, broken, name}

static const Sample samples[] = {
	SAMPLE("", 0, 0, "nothing"),
	SAMPLE("abc", 3, 0, "ASCII"),
	SAMPLE("a\0b", 3, 0, "NUL is a character"),
	SAMPLE("\x7F", 1, 0, "U+007F"),
	SAMPLE("\xC2\x80", 2, 0, "U+0080"),
	SAMPLE("\xDF\xBF", 2, 0, "U+07FF"),
	SAMPLE("\xE0\xA0\x80", 3, 0, "U+0800"),
	SAMPLE("\xED\x9F\xBF", 3, 0, "U+D7FF"),
	SAMPLE("\xEE\x80\x80", 3, 0, "U+E000"),
	SAMPLE("\xEF\xBF\xBF", 3, 0, "U+FFFF"),
	SAMPLE("\xF0\x90\x80\x80", 4, 0, "U+10000"),
	SAMPLE("\xF4\x8F\xBF\xBF", 4, 0, "U+10FFFF"),

	SAMPLE("a\x80", 1, 1, "continuation alone"),
	SAMPLE("a\xBFz", 1, 1, "last continuation alone"),
	SAMPLE("\xC0\x80", 0, 1, "overlong NUL"),
	SAMPLE("\xC1\xBF", 0, 1, "overlong U+007F"),
	SAMPLE("\xE0\x80\x80", 0, 1, "overlong in three"),
	SAMPLE("\xE0\x9F\xBF", 0, 1, "overlong U+07FF"),
	SAMPLE("\xF0\x80\x80\x80", 0, 1, "overlong in four"),
	SAMPLE("\xF0\x8F\xBF\xBF", 0, 1, "overlong U+FFFF"),
	SAMPLE("\xED\xA0\x80", 0, 1, "U+D800"),
	SAMPLE("\xED\xBF\xBF", 0, 1, "U+DFFF"),
	SAMPLE("\xED\xA0\xBD\xED\xB8\x80", 0, 1, "a pair as two characters"),
	SAMPLE("\xF4\x90\x80\x80", 0, 1, "U+110000"),
	SAMPLE("\xF5\x80\x80\x80", 0, 1, "first byte F5"),
	SAMPLE("\xF8\x88\x80\x80\x80", 0, 1, "five bytes"),
	SAMPLE("\xFC\x84\x80\x80\x80\x80", 0, 1, "six bytes"),
	SAMPLE("\xFE", 0, 1, "FE"),
	SAMPLE("\xFF", 0, 1, "FF"),
	SAMPLE("abc\xC3", 3, 1, "cut in two"),
	SAMPLE("abc\xE2\x82", 3, 2, "cut in three"),
	SAMPLE("abc\xF0\x9F\x98", 3, 3, "cut in four"),
	SAMPLE("\xE2\x82z", 0, 2, "broken off in three"),
	SAMPLE("\xF0\x9F\x98z", 0, 3, "broken off in four"),
	SAMPLE("\xC3(", 0, 1, "no continuation")
};

/* Each sample at every distance from a block's start, exactly allocated. */
static void
test_samples(void)
{
	size_t		i;
	size_t		pad;

	for (i = 0; i < sizeof(samples) / sizeof(samples[0]); i++)
	{
		const Sample *s = &samples[i];
		bool		fine = true;

		for (pad = 0; pad < 40; pad++)
		{
			char	   *text = malloc(pad + s->len + 1);
			size_t		len = pad + s->len;

			memset(text, 'x', pad);
			memcpy(text + pad, s->bytes, s->len);
			text = realloc(text, len > 0 ? len : 1);
			fine &= intake_scan_utf8_valid(text, len) == pad + s->valid;
			fine &= plain_valid(text, len) == pad + s->valid;
			if (s->broken > 0)
				fine &= intake_scan_utf8_broken(text + pad + s->valid,
												s->len - s->valid) ==
					s->broken;
			free(text);
		}
		ok(fine, s->name);
	}
}

static size_t
encode(char *out, unsigned c)
{
	if (c < 0x80)
	{
		out[0] = (char) c;
		return 1;
	}
	if (c < 0x800)
	{
		out[0] = (char) (0xC0 + c / 64);
		out[1] = (char) (0x80 + c % 64);
		return 2;
	}
	if (c < 0x10000)
	{
		out[0] = (char) (0xE0 + c / 4096);
		out[1] = (char) (0x80 + c / 64 % 64);
		out[2] = (char) (0x80 + c % 64);
		return 3;
	}
	out[0] = (char) (0xF0 + c / 262144);
	out[1] = (char) (0x80 + c / 4096 % 64);
	out[2] = (char) (0x80 + c / 64 % 64);
	out[3] = (char) (0x80 + c % 64);
	return 4;
}

static void
test_code_points(void)
{
	bool		fine = true;
	unsigned	c;
	char		text[4];

	for (c = 0; c < 0x118000; c++)
	{
		size_t		len = encode(text, c);
		bool		is_valid = c < 0xD800 || (c > 0xDFFF && c < 0x110000);

		fine &= (intake_scan_utf8_valid(text, len) == len) == is_valid;
	}
	ok(fine, "every code point");
}

/*
 * Every sequence of two and three bytes: valid when it is made of what
 * encode() makes.
 */
static void
test_sequences(void)
{
	static unsigned char is_code[1 << 24 >> 3];
	char		text[4];
	bool		fine = true;
	unsigned	c;
	unsigned	i;

	for (c = 0; c < 0x10000; c++)
	{
		if (c >= 0xD800 && c <= 0xDFFF)
			continue;
		if (encode(text, c) == 3)
		{
			i = (unsigned) (unsigned char) text[0] << 16 |
				(unsigned) (unsigned char) text[1] << 8 |
				(unsigned char) text[2];
			is_code[i >> 3] |= (unsigned char) (1 << (i & 7));
		}
	}
	for (i = 0xE00000; i < 0x1000000; i++)
	{
		bool		is_valid = (is_code[i >> 3] >> (i & 7)) & 1;

		text[0] = (char) (i >> 16);
		text[1] = (char) (i >> 8);
		text[2] = (char) i;
		fine &= (intake_scan_utf8_valid(text, 3) == 3) == is_valid;
	}
	ok(fine, "every three bytes from E0 on");

	fine = true;
	for (i = 0x8000; i < 0x10000; i++)
	{
		bool		is_valid = (i >> 8) >= 0xC2 && (i >> 8) <= 0xDF &&
			(i & 0xC0) == 0x80;

		text[0] = (char) (i >> 8);
		text[1] = (char) i;
		fine &= (intake_scan_utf8_valid(text, 2) == 2) == is_valid;
	}
	ok(fine, "every two bytes from 80 on");
}

static void
test_noise(void)
{
	bool		fine = true;
	int			round;

	srand(1);
	for (round = 0; round < 20000; round++)
	{
		size_t		len = (size_t) rand() % 100;
		char	   *text = malloc(len + 4);
		size_t		used = 0;

		while (used < len)
		{
			int			kind = rand() % 20;
			unsigned	top = rand() % 2 ? 0x800 : 0xD000;

			if (kind < 12)
				text[used++] = (char) (rand() % 128);
			else if (kind < 19)
				used += encode(text + used, (unsigned) rand() % top);
			else if (rand() % 8 == 0)
				text[used++] = (char) rand();
		}
		if (used > len)
			used = len;
		text = realloc(text, used > 0 ? used : 1);
		fine &= intake_scan_utf8_valid(text, used) == plain_valid(text, used);
		free(text);
	}
	ok(fine, "noise: both paths agree");
}

/* Every byte in every place of short texts. */
static void
test_ascii(void)
{
	bool		fine = true;
	size_t		len;
	size_t		at;
	int			byte;

	for (len = 0; len < 20; len++)
	{
		char	   *text = malloc(len > 0 ? len : 1);

		memset(text, 1, len);
		fine &= intake_scan_utf8_is_ascii_text(text, len);
		for (at = 0; at < len; at++)
		{
			for (byte = 0; byte < 256; byte++)
			{
				text[at] = (char) byte;
				fine &= intake_scan_utf8_is_ascii_text(text, len) ==
					(byte > 0 && byte < 0x80);
			}
			text[at] = 0x7F;
		}
		free(text);
	}
	ok(fine, "ASCII without NUL is told from all else");
}

int
main(void)
{
	test_ascii();
	test_samples();
	test_code_points();
	test_sequences();
	test_noise();
	return done_testing();
}
