/*-------------------------------------------------------------------------
 *
 * scan_escape.h
 *	  The escapes of JSON strings.  Plain C.
 *
 *-------------------------------------------------------------------------
 */
#ifndef INTAKE_SCAN_ESCAPE_H
#define INTAKE_SCAN_ESCAPE_H

#include "format/scan_json.h"

/* By the byte behind the backslash: what it stands for, or 0. */
extern const char intake_scan_escape_letters[256];

/*
 * Reads the escape at *p (on the backslash), moves *p behind it, writes what
 * it stands for to out (at most four bytes of UTF-8) and its length to *put.
 * Takes those with a letter, too, but the table does that faster.
 */
extern IntakeJsonReason intake_scan_escape(const char **p, const char *limit,
										   char *out, size_t *put);

#endif							/* INTAKE_SCAN_ESCAPE_H */
