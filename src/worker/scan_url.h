/*-------------------------------------------------------------------------
 *
 * scan_url.h
 *	  The path and the query of a URL, taken apart and decoded.  Plain C.
 *
 * A part is split as it stands and its pieces are decoded after that, so that
 * an encoded separator separates nothing.
 *
 *		IntakeUrlPart rest = {query, strlen(query)};
 *		IntakeUrlPart piece;
 *
 *		while (intake_scan_url_next(&rest, '&', &piece))
 *			...
 *
 *-------------------------------------------------------------------------
 */
#ifndef INTAKE_SCAN_URL_H
#define INTAKE_SCAN_URL_H

#include <stdbool.h>
#include <stddef.h>

/* Points into the URL; still encoded. */
typedef struct IntakeUrlPart
{
	const char *text;
	size_t		len;
} IntakeUrlPart;

/*
 * Takes the text up to the next separator, or to the end, which may be empty:
 * "a//" has the pieces "a", "" and "".  False when there are no more; rest is
 * changed by each call.
 */
extern bool intake_scan_url_next(IntakeUrlPart *rest, char separator,
								 IntakeUrlPart *piece);

/* Splits "name=value" at the first sign; without one the value is empty. */
extern void intake_scan_url_pair(IntakeUrlPart pair, IntakeUrlPart *name,
								 IntakeUrlPart *value);

/*
 * Undoes percent-encoding, and in a query "+" for a blank.  Writes to out,
 * where part.len bytes suffice.  Returns the length of the result, which is
 * UTF-8 without NUL; -1 when it would not be, or when a percent sign is not
 * followed by two hexadecimal digits.
 */
extern ptrdiff_t intake_scan_url_decode(IntakeUrlPart part, bool is_query,
										char *out);

#endif							/* INTAKE_SCAN_URL_H */
