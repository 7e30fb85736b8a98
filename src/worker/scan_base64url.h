/*-------------------------------------------------------------------------
 *
 * scan_base64url.h
 *	  Base64 with the URL-safe alphabet and without padding (RFC 4648,
 *	  section 5, as RFC 7515 uses it).  Plain C.
 *
 * Reading is strict: a text is the only one that decodes to its bytes, so
 * that one signature has one form.
 *
 *-------------------------------------------------------------------------
 */
#ifndef INTAKE_SCAN_BASE64URL_H
#define INTAKE_SCAN_BASE64URL_H

#include <stddef.h>
#include <stdint.h>

/* How many bytes a text of that length decodes to, if it does. */
#define INTAKE_BASE64URL_BYTES(len) ((len) / 4 * 3 + (len) % 4 * 3 / 4)

/* How many characters so many bytes take; no NUL is counted. */
#define INTAKE_BASE64URL_LENGTH(len) ((len) / 3 * 4 + ((len) % 3 * 4 + 2) / 3)

/*
 * Decodes text to out, where INTAKE_BASE64URL_BYTES(len) bytes suffice.
 * Returns how many there are, or -1 where a character is none of the
 * alphabet's (padding and white space are not), the length cannot be, or bits
 * that stand for nothing are not zero.
 */
extern ptrdiff_t intake_scan_base64url_decode(const char *text, size_t len,
											  uint8_t *out);

/* Writes INTAKE_BASE64URL_LENGTH(len) characters to out, and no NUL. */
extern void intake_scan_base64url_encode(const uint8_t *bytes, size_t len,
										 char *out);

#endif							/* INTAKE_SCAN_BASE64URL_H */
