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

#endif							/* INTAKE_SCAN_UTF8_H */
