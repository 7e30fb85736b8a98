/*-------------------------------------------------------------------------
 *
 * chars.h
 *	  Which bytes may stand where in a head (RFC 9110, RFC 3986), UTF-8.
 *
 *-------------------------------------------------------------------------
 */
#ifndef INTAKE_HTTP_CHARS_H
#define INTAKE_HTTP_CHARS_H

#ifdef POSTGRES_H
#error "the HTTP program knows nothing of PostgreSQL"
#endif

#include <stdbool.h>
#include <stddef.h>

extern bool intake_chars_is_token(char c);

/* A token of at least a byte. */
extern bool intake_chars_are_token(const char *text, size_t len);

/* A field's value: no control characters but the tab, valid UTF-8. */
extern bool intake_chars_are_value(const char *text, size_t len);

/*
 * Path and query: what RFC 3986 lets stand there, each "%" followed by two
 * digits, and no encoded zero byte.  It is pure ASCII then.
 */
extern bool intake_chars_are_path(const char *text, size_t len);
extern bool intake_chars_are_query(const char *text, size_t len);

/* A host's name or address and perhaps a port; no user. */
extern bool intake_chars_are_authority(const char *text, size_t len);

extern bool intake_chars_are_utf8(const char *text, size_t len);

#endif							/* INTAKE_HTTP_CHARS_H */
