/*-------------------------------------------------------------------------
 *
 * scan_utf8.h
 *	  Is it UTF-8?  Plain C.
 *
 * As RFC 3629 defines it: no overlong forms, no surrogates, nothing above
 * U+10FFFF.  A NUL byte is valid here.
 *
 *-------------------------------------------------------------------------
 */
#ifndef INTAKE_SCAN_UTF8_H
#define INTAKE_SCAN_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/*
 * How many bytes at the start are whole, valid characters: len when all are,
 * else the offset of the first byte of the one that is bad or cut.
 */
extern size_t intake_scan_utf8_valid(const char *text, size_t len);

/*
 * The length of the invalid sequence at the start of text, to show it: 1 to
 * 4 bytes, those that a decoder would take for one broken character.
 */
extern size_t intake_scan_utf8_broken(const char *text, size_t len);

/* Is it ASCII without NUL?  Inline, for texts that are short. */
static inline bool
intake_scan_utf8_is_ascii_text(const char *text, size_t len)
{
	const uint64_t ones = UINT64_C(0x0101010101010101);
	uint64_t	found = 0;		/* its highest bits: a byte is high or NUL */
	uint64_t	word;

	for (; len >= sizeof(word); text += sizeof(word), len -= sizeof(word))
	{
		memcpy(&word, text, sizeof(word));
		found |= word | (word - ones);
	}
	for (; len > 0; text++, len--)
		found |= (*text & 0x80) | (*text == '\0' ? 0x80 : 0);
	return (found & (ones << 7)) == 0;
}

#endif							/* INTAKE_SCAN_UTF8_H */
