/*-------------------------------------------------------------------------
 *
 * scan_csv.h
 *	  CSV records and their fields.  Plain C.
 *
 * Reads what COPY ... CSV reads: a quote toggles quoting wherever it stands
 * in a field; inside quotes an escape before a quote or an escape makes that
 * one data, and delimiters and line ends are data; outside of them LF, CR
 * and CRLF each end the record.  An empty line is a record of one empty
 * field; nothing behind the last line end is no record.
 *
 * A record is scanned where it lies.  When the text ends inside it the
 * answer is "more", and the call is repeated with the same record, however
 * moved, and more text behind it: what has been scanned is not scanned
 * again.  All positions are offsets from the record's first byte.
 *
 *-------------------------------------------------------------------------
 */
#ifndef INTAKE_SCAN_CSV_H
#define INTAKE_SCAN_CSV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum IntakeCsvResult
{
	INTAKE_CSV_RECORD,
	INTAKE_CSV_MORE,			/* the text ends inside the record */
	INTAKE_CSV_END,				/* no further record */
	INTAKE_CSV_UNTERMINATED		/* the payload ends inside quotes */
} IntakeCsvResult;

typedef enum IntakeCsvQuoting
{
	INTAKE_CSV_PLAIN,			/* no quote: the bytes are the value */
	INTAKE_CSV_QUOTED,			/* quotes around, between them the value */
	INTAKE_CSV_MIXED			/* intake_scan_csv_unquote() it */
} IntakeCsvQuoting;

typedef struct IntakeCsvField
{
	size_t		start;
	size_t		len;			/* quotes included */
	IntakeCsvQuoting quoting;
} IntakeCsvField;

typedef struct IntakeScanCsv
{
	/* set by intake_scan_csv_begin() */
	char		delimiter;
	char		quote;
	char		escape;

	/* the record, once it is found */
	size_t		len;			/* with its line end */
	size_t		nfields;		/* may be more than fit into the array */
	size_t		nlines;			/* line ends in it, the last included */
	bool		may_hold_nul;	/* false: there is none in it */
	bool		may_hold_high;	/* false: it is pure ASCII */

	/* how far scanning has come */
	bool		is_inside;		/* of a record that has begun */
	bool		is_quoted;		/* inside quotes */
	bool		is_escaped;		/* an escape has been used in the field */
	bool		has_line_end;	/* there is one inside quotes */
	size_t		scanned;
	size_t		field_start;
	size_t		nquotes;		/* toggles in the field so far */
} IntakeScanCsv;

/* The three characters are ASCII; escape may be quote. */
extern void intake_scan_csv_begin(IntakeScanCsv *scan, char delimiter,
								  char quote, char escape);

/*
 * Finds the end of the record that starts at text and splits it.  The first
 * max_fields fields are put into fields, all are counted.  is_final says
 * that nothing follows text[len].
 */
extern IntakeCsvResult intake_scan_csv_next(IntakeScanCsv *scan,
											const char *text, size_t len,
											bool is_final,
											IntakeCsvField *fields,
											size_t max_fields);

/*
 * Writes the value of a field to out, where len bytes suffice, and returns
 * its length.
 */
extern size_t intake_scan_csv_unquote(const IntakeScanCsv *scan,
									  const char *text, size_t len,
									  char *out);

#endif							/* INTAKE_SCAN_CSV_H */
