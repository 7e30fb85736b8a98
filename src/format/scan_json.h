/*-------------------------------------------------------------------------
 *
 * scan_json.h
 *	  JSON (RFC 8259) tokens of a text in memory.  Plain C.
 *
 * The text is whole: a caller that reads a stream finds the end of its
 * record first.  Where the text ends inside a token the reason is
 * INTAKE_JSON_CUT, so that a caller may still fetch more and start the token
 * again.
 *
 * intake_scan_json_next() knows tokens, not grammar: that a comma stands
 * where one may is up to the caller.  intake_scan_json_skip() knows both.
 *
 *		IntakeScanJson scan;
 *
 *		intake_scan_json_begin(&scan, text, len);
 *		if (intake_scan_json_next(&scan) != INTAKE_JSON_ARRAY_BEGIN)
 *			...
 *		while (!intake_scan_json_take(&scan, ']'))
 *			...
 *
 *-------------------------------------------------------------------------
 */
#ifndef INTAKE_SCAN_JSON_H
#define INTAKE_SCAN_JSON_H

#include <stdbool.h>
#include <stddef.h>

/* Deeper nesting than this is refused whatever the caller allows. */
#define INTAKE_JSON_MAX_DEPTH 10000

typedef enum IntakeJsonToken
{
	INTAKE_JSON_BAD,			/* see reason and fault */
	INTAKE_JSON_END,			/* nothing but white space was left */
	INTAKE_JSON_OBJECT_BEGIN,
	INTAKE_JSON_OBJECT_END,
	INTAKE_JSON_ARRAY_BEGIN,
	INTAKE_JSON_ARRAY_END,
	INTAKE_JSON_COLON,
	INTAKE_JSON_COMMA,
	INTAKE_JSON_STRING,
	INTAKE_JSON_NUMBER,
	INTAKE_JSON_TRUE,
	INTAKE_JSON_FALSE,
	INTAKE_JSON_NULL
} IntakeJsonToken;

/* Why a text is bad. */
typedef enum IntakeJsonReason
{
	INTAKE_JSON_FINE,
	INTAKE_JSON_CUT,			/* the text ends inside a value */
	INTAKE_JSON_UNEXPECTED,		/* a byte that cannot stand here */
	INTAKE_JSON_BAD_LITERAL,	/* letters, but not true, false or null */
	INTAKE_JSON_BAD_NUMBER,
	INTAKE_JSON_BAD_CONTROL,	/* a byte below 0x20 in a string */
	INTAKE_JSON_BAD_ESCAPE,		/* \x, \u12 */
	INTAKE_JSON_BAD_SURROGATE,	/* half of a surrogate pair */
	INTAKE_JSON_BAD_NUL,		/* \u0000: no text can hold it */
	INTAKE_JSON_BAD_UTF8,
	INTAKE_JSON_TOO_DEEP
} IntakeJsonReason;

typedef struct IntakeScanJson
{
	const char *cursor;			/* first byte not yet read */
	const char *limit;			/* one past the last byte */

	/*
	 * The token or value read last: all of its bytes, but for a string only
	 * those between the quotes.
	 */
	const char *start;
	size_t		len;
	bool		has_escapes;	/* string: not its own value, unescape it */

	/* when bad */
	IntakeJsonReason reason;
	const char *fault;			/* the byte at fault, or limit */
} IntakeScanJson;

extern void intake_scan_json_begin(IntakeScanJson *scan, const char *text,
								   size_t len);

/*
 * Reads the next token, white space skipped.  A string has been checked for
 * UTF-8 and control characters, its escapes have not (unescaping does that).
 * A number is checked.  After INTAKE_JSON_BAD the cursor stands before the
 * token.
 */
extern IntakeJsonToken intake_scan_json_next(IntakeScanJson *scan);

/* The same where the cursor stands on a quote: a string, or bad. */
extern IntakeJsonToken intake_scan_json_string(IntakeScanJson *scan);

/*
 * Reads a whole value, nested ones included, checked for all of the grammar;
 * escapes are checked as intake_scan_json_unescape() checks them.  start and
 * len are then the value's text (a string's quotes belong to it).  An array
 * or object may hold others up to max_depth levels, itself counted.  Returns
 * false when bad, the cursor then stands before the value.
 */
extern bool intake_scan_json_skip(IntakeScanJson *scan, int max_depth);

/*
 * Writes the value of a string, given without its quotes, to out, where len
 * bytes suffice (out may be raw).  Checks everything.  Returns the value's
 * length, or minus the IntakeJsonReason.
 */
extern ptrdiff_t intake_scan_json_unescape(const char *raw, size_t len,
										   char *out);

/* What the reason says, for a message: "malformed number". */
extern const char *intake_scan_json_reason_text(IntakeJsonReason reason);

/* Moves the cursor over white space. */
static inline void
intake_scan_json_skip_blanks(IntakeScanJson *scan)
{
	while (scan->cursor < scan->limit &&
		   (*scan->cursor == ' ' || *scan->cursor == '\t' ||
			*scan->cursor == '\n' || *scan->cursor == '\r'))
		scan->cursor++;
}

/*
 * Reads the byte punctuation, white space before it skipped, when it is
 * next; says whether it was.
 */
static inline bool
intake_scan_json_take(IntakeScanJson *scan, char punctuation)
{
	intake_scan_json_skip_blanks(scan);
	if (scan->cursor == scan->limit || *scan->cursor != punctuation)
		return false;
	scan->cursor++;
	return true;
}

#endif							/* INTAKE_SCAN_JSON_H */
