/*-------------------------------------------------------------------------
 *
 * scan_utf8.c
 *	  Is it UTF-8?  Plain C.
 *
 * Payloads are ASCII for the most part, so runs of it are passed over in
 * blocks; everything else goes one character at a time.  Both paths give the
 * same answers; with INTAKE_SCAN_PLAIN defined only the plain one is built.
 *
 *-------------------------------------------------------------------------
 */
#include <stdint.h>
#include <string.h>

#if defined(__SSE2__) && !defined(INTAKE_SCAN_PLAIN)
#include <emmintrin.h>
#define USE_SSE2 1
#endif

#include "format/scan_utf8.h"

/* Passes over ASCII at p, but for less than 8 bytes at its end. */
static const unsigned char *
skip_ascii(const unsigned char *p, const unsigned char *limit)
{
#ifdef USE_SSE2
	while (limit - p >= 16)
	{
		__m128i		block = _mm_loadu_si128((const __m128i *) p);
		int			high = _mm_movemask_epi8(block);

		if (high != 0)
			return p + __builtin_ctz((unsigned) high);
		p += 16;
	}
#endif
	while (limit - p >= 8)
	{
		uint64_t	word;

		memcpy(&word, p, sizeof(word));
		if ((word & UINT64_C(0x8080808080808080)) != 0)
			return p;
		p += 8;
	}
	return p;
}

/*
 * How many bytes of the character that starts at p are right, and in *need
 * how many it must have.  It is valid when both are equal.
 */
static inline int
match_character(const unsigned char *p, const unsigned char *limit, int *need)
{
	unsigned char low = 0x80;
	unsigned char high = 0xBF;
	int			have;

	if (p[0] < 0x80)
		*need = 1;
	else if (p[0] >= 0xC2 && p[0] <= 0xDF)
		*need = 2;
	else if (p[0] >= 0xE0 && p[0] <= 0xEF)
		*need = 3;
	else if (p[0] >= 0xF0 && p[0] <= 0xF4)
		*need = 4;
	else
	{
		*need = 2;
		return 1;
	}

	/* the second byte shuts out overlong forms, surrogates and > U+10FFFF */
	if (p[0] == 0xE0)
		low = 0xA0;
	else if (p[0] == 0xED)
		high = 0x9F;
	else if (p[0] == 0xF0)
		low = 0x90;
	else if (p[0] == 0xF4)
		high = 0x8F;

	for (have = 1; have < *need && p + have < limit; have++)
	{
		if (p[have] < low || p[have] > high)
			break;
		low = 0x80;
		high = 0xBF;
	}
	return have;
}

size_t
intake_scan_utf8_valid(const char *text, size_t len)
{
	const unsigned char *start = (const unsigned char *) text;
	const unsigned char *limit = start + len;
	const unsigned char *p = start;

	while (p < limit)
	{
		int			need;

		if (p[0] < 0x80)
		{
			const unsigned char *next = skip_ascii(p, limit);

			p = next > p ? next : p + 1;
			continue;
		}

		/* two-byte letters make up most of what is not ASCII */
		if (p[0] >= 0xC2 && p[0] <= 0xDF && limit - p >= 2 &&
			(p[1] & 0xC0) == 0x80)
		{
			p += 2;
			continue;
		}
		if (match_character(p, limit, &need) != need)
			break;
		p += need;
	}
	return (size_t) (p - start);
}

size_t
intake_scan_utf8_broken(const char *text, size_t len)
{
	const unsigned char *p = (const unsigned char *) text;
	int			need;

	if (len == 0)
		return 0;
	return (size_t) match_character(p, p + len, &need);
}
