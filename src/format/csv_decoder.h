/*-------------------------------------------------------------------------
 *
 * csv_decoder.h
 *	  The state of the decoder of CSV, and what its parts share.
 *
 * For format_csv.c and csv_header.c alone.
 *
 *-------------------------------------------------------------------------
 */
#ifndef INTAKE_CSV_DECODER_H
#define INTAKE_CSV_DECODER_H

#include "format/format.h"
#include "format/scan_csv.h"

typedef struct IntakeCsv
{
	IntakeDecoder base;			/* must be first */
	IntakeScanCsv scan;
	const IntakeOptions *options;
	const char *null;			/* NULL: an unquoted empty field is NULL */
	size_t		null_len;

	uint64		record;			/* the last one read */
	uint64		line;			/* the one the next record starts on */

	int			nfields;		/* in every record */
	int		   *numbers;		/* column number of each, -1: ignored */
	IntakeCsvField *fields;
	size_t		max_fields;

	char	   *scratch;		/* for unquoted values */
	size_t		scratch_size;
	MemoryContext context;		/* of all of this */
} IntakeCsv;

/* format_csv.c */

/*
 * Finds the next record and splits it.  It then lies at source->cursor and
 * is scan.len bytes long.  Returns false at the end of the payload.
 */
extern bool intake_csv_fetch(IntakeCsv *csv);

/* Errors unless the record is UTF-8 without NUL bytes. */
extern void intake_csv_check_encoding(IntakeCsv *csv, const char *record);

/* Room for n fields; what they held is lost. */
extern void intake_csv_reserve_fields(IntakeCsv *csv, size_t n);

/*
 * The value of a quoted field: of one that is not as it stands until the
 * next call.
 */
extern void intake_csv_unquote(IntakeCsv *csv, const IntakeCsvField *field,
							   const char **text, size_t *len);

/* Errors unless the record at hand has as many fields as it must. */
extern void intake_csv_check_count(IntakeCsv *csv, const char *what);

/* csv_header.c */

/*
 * Reads the header line.  With option columns its names do not count, only
 * how many they are.  Of a payload that was cut inside it there is no record,
 * and none of the columns is given.
 */
extern void intake_csv_read_header(IntakeCsv *csv);

/* Settles the columns from their order, not from a header. */
extern void intake_csv_match_order(IntakeCsv *csv);

/*
 * Finds the delimiter that splits the first record, at hand, into as many
 * fields as there are columns.
 */
extern void intake_csv_find_delimiter(IntakeCsv *csv);

/* The first of the delimiters that 'auto' tries. */
#define INTAKE_CSV_FIRST_DELIMITER ';'

/* Does the option leave the delimiter to be found out? */
static inline bool
intake_csv_is_auto(const IntakeOptions *options)
{
	return options->delimiter == NULL ||
		strcmp(options->delimiter, "auto") == 0;
}

static inline bool
intake_csv_is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* Takes the blanks off both ends. */
static inline void
intake_csv_trim(const char **text, size_t *len)
{
	while (*len > 0 && intake_csv_is_blank((*text)[*len - 1]))
		(*len)--;
	while (*len > 0 && intake_csv_is_blank((*text)[0]))
	{
		(*text)++;
		(*len)--;
	}
}

#endif							/* INTAKE_CSV_DECODER_H */
