/*-------------------------------------------------------------------------
 *
 * ndjson_decoder.h
 *	  The state of the decoder of NDJSON, and the errors of a line.
 *
 * For format_ndjson.c and ndjson_report.c alone.
 *
 *-------------------------------------------------------------------------
 */
#ifndef INTAKE_NDJSON_DECODER_H
#define INTAKE_NDJSON_DECODER_H

#include "compat.h"
#include "format/format.h"
#include "format/ndjson_key.h"
#include "format/scan_json.h"

typedef struct IntakeNdjson
{
	IntakeDecoder base;			/* must be first */
	IntakeScanJson scan;		/* of the line at hand */
	const char *text;			/* the line */
	size_t		text_len;
	size_t		line_len;		/* with its line end */
	bool		is_strict;
	bool		ignore_unknown;
	bool		takes_objects;

	uint64		record;			/* the last one read */
	uint64		line;			/* the last one read */

	int			nvalues;		/* of an array row */
	int		   *numbers;		/* column number of each */

	/* by column number: may convert_fast() read it from a ...? */
	bool	   *takes_string;
	bool	   *takes_number;
	IntakeNdjsonKeys keys;

	char	   *scratch;		/* for unescaped strings */
	size_t		scratch_size;
	MemoryContext context;		/* of all of this */
} IntakeNdjson;

/* Raises the error for what the scanner found to be bad. */
extern void intake_ndjson_report_fault(IntakeNdjson *json)
			pg_attribute_noreturn();

/* Raises the error for what stands at the cursor where it may not. */
extern void intake_ndjson_report_unexpected(IntakeNdjson *json,
											const char *expected)
			pg_attribute_noreturn();

/* Raises the error for an array row that has not as many values as it must. */
extern void intake_ndjson_report_count(IntakeNdjson *json, int have)
			pg_attribute_noreturn();

/*
 * A payload that is one JSON array of records begins with a line that is
 * either cut or a row of another length, but its first value may also not
 * fit the first column, which would be the lesser news: raises the error for
 * such a line, or returns.
 */
extern void intake_ndjson_check_first(IntakeNdjson *json);

#endif							/* INTAKE_NDJSON_DECODER_H */
