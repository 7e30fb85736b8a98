/*-------------------------------------------------------------------------
 *
 * fuzz.h
 *	  What the fuzzers share.
 *
 * A fuzzer is one LLVMFuzzerTestOneInput() that gives the input to the code
 * under test and checks what the code promises; a broken promise aborts, as
 * the sanitizers do for what they watch.
 *
 *-------------------------------------------------------------------------
 */
#ifndef INTAKE_FUZZ_H
#define INTAKE_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

extern int	LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

#define FUZZ_CHECK(condition) \
	do { \
		if (!(condition)) \
		{ \
			fprintf(stderr, "%s:%d: broken promise: %s\n", \
					__FILE__, __LINE__, #condition); \
			abort(); \
		} \
	} while (0)

/*
 * A copy with nothing behind it, so that an overread is seen.  The caller
 * frees it.
 */
static inline char *
fuzz_copy(const void *bytes, size_t len)
{
	char	   *copy = malloc(len);

	FUZZ_CHECK(copy != NULL);
	if (len > 0)
		memcpy(copy, bytes, len);
	return copy;
}

/* A small generator of numbers; state must not be 0. */
static inline uint32_t
fuzz_random(uint32_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 17;
	*state ^= *state << 5;
	return *state;
}

/*
 * The length of the UTF-8 character at the start of text, or 0 when there is
 * no whole and valid one: decoded and compared with what RFC 3629 allows.
 */
static inline size_t
fuzz_utf8_length(const unsigned char *text, size_t len)
{
	static const uint32_t least[5] = {0, 0, 0x80, 0x800, 0x10000};
	uint32_t	code;
	size_t		need;
	size_t		i;

	if (len == 0)
		return 0;
	if (text[0] < 0x80)
		return 1;
	if ((text[0] & 0xE0) == 0xC0)
		need = 2;
	else if ((text[0] & 0xF0) == 0xE0)
		need = 3;
	else if ((text[0] & 0xF8) == 0xF0)
		need = 4;
	else
		return 0;
	if (len < need)
		return 0;
	code = text[0] & (0x7F >> need);
	for (i = 1; i < need; i++)
	{
		if ((text[i] & 0xC0) != 0x80)
			return 0;
		code = code << 6 | (text[i] & 0x3F);
	}
	if (code < least[need] || code > 0x10FFFF ||
		(code >= 0xD800 && code <= 0xDFFF))
		return 0;
	return need;
}

/* How many bytes at the start are whole and valid characters. */
static inline size_t
fuzz_utf8_valid(const char *text, size_t len)
{
	const unsigned char *bytes = (const unsigned char *) text;
	size_t		at = 0;
	size_t		step;

	while (at < len && (step = fuzz_utf8_length(bytes + at, len - at)) > 0)
		at += step;
	return at;
}

#endif							/* INTAKE_FUZZ_H */
