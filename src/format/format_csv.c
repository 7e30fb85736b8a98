/*-------------------------------------------------------------------------
 *
 * format_csv.c
 *	  The decoder of CSV.
 *
 * A record is split where it lies in the source's window, and a field that
 * needs no unquoting is converted from there.  Every record gives the same
 * columns, so which field goes where is settled once, from the header or
 * from the order of the columns.
 *
 * Reads what COPY ... CSV reads, with three differences: blanks around an
 * unquoted value that is not for a character type are ignored, any of the
 * three line ends may end any record, and the line \. is data.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "utils/memutils.h"

#include "convert_fast.h"
#include "format/format.h"
#include "format/format_text.h"
#include "format/scan_csv.h"
#include "format/scan_utf8.h"
#include "settings.h"

/* What delimiter 'auto' tries, in this order. */
static const char candidates[] = {';', ',', '\t', '|'};

typedef struct CsvDecoder
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
} CsvDecoder;

/* Room for len bytes, until the next call. */
static char *
reserve_scratch(CsvDecoder *csv, size_t len)
{
	if (csv->scratch_size < len)
	{
		if (csv->scratch != NULL)
			pfree(csv->scratch);
		csv->scratch = NULL;
		csv->scratch_size = 0;
		csv->scratch = MemoryContextAllocHuge(csv->context, len + len / 2);
		csv->scratch_size = len + len / 2;
	}
	return csv->scratch;
}

/* Room for n fields; what they held is lost. */
static void
reserve_fields(CsvDecoder *csv, size_t n)
{
	if (csv->max_fields >= n)
		return;
	if (csv->fields != NULL)
		pfree(csv->fields);
	csv->fields = MemoryContextAllocHuge(csv->context,
										 n * sizeof(IntakeCsvField));
	csv->max_fields = n;
}

/*
 * The one character that an option gives.  "\t" may come as two letters.
 */
static char
parse_character(const char *option, const char *value)
{
	if (strcmp(value, "\\t") == 0)
		return '\t';
	if (strlen(value) != 1 || (unsigned char) value[0] >= 0x80 ||
		value[0] == '\n' || value[0] == '\r')
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("invalid value for option \"%s\": \"%s\"", option,
						intake_format_show(value, strlen(value),
										   INTAKE_MAX_SHOWN_VALUE)),
				 errdetail("It must be one ASCII character other than a line end.")));
	return value[0];
}

/* Does the option leave the delimiter to be found out? */
static inline bool
is_auto(const IntakeOptions *options)
{
	return options->delimiter == NULL ||
		strcmp(options->delimiter, "auto") == 0;
}

/* Sets the scanner from the options; with 'auto' to the first candidate. */
static void
begin_scan(CsvDecoder *csv)
{
	const IntakeOptions *options = csv->options;
	char		quote = '"';
	char		escape;
	char		delimiter = candidates[0];

	if (options->quote != NULL)
		quote = parse_character("quote", options->quote);
	escape = quote;
	if (options->escape != NULL)
		escape = parse_character("escape", options->escape);
	if (!is_auto(options))
	{
		delimiter = parse_character("delimiter", options->delimiter);
		if (delimiter == quote)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("options \"delimiter\" and \"quote\" must differ")));
	}
	intake_scan_csv_begin(&csv->scan, delimiter, quote, escape);
}

/*
 * Finds the next record and splits it.  It then lies at source->cursor and
 * is scan.len bytes long.  Returns false at the end of the payload.
 */
static bool
fetch_record(CsvDecoder *csv)
{
	IntakeSource *source = csv->base.source;
	size_t		max_len = (size_t) intake_max_record_size * 1024;

	for (;;)
	{
		size_t		len = (size_t) (source->limit - source->cursor);

		switch (intake_scan_csv_next(&csv->scan, source->cursor, len,
									 source->is_ended, csv->fields,
									 csv->max_fields))
		{
			case INTAKE_CSV_RECORD:
				if (csv->scan.len > max_len)
					intake_format_report_long_record();
				return true;
			case INTAKE_CSV_END:
				return false;
			case INTAKE_CSV_MORE:
				if (len > max_len)
					intake_format_report_long_record();
				(void) intake_source_fill(source);
				break;
			case INTAKE_CSV_UNTERMINATED:
				ereport(ERROR,
						(errcode(ERRCODE_BAD_COPY_FILE_FORMAT),
						 errmsg("unterminated quoted field"),
						 errdetail("The payload ends inside quotes, in a record that begins on line " UINT64_FORMAT ".",
								   csv->line)));
		}
	}
}

/* Names the column that the byte at offset belongs to, for CONTEXT. */
static void
locate_column(CsvDecoder *csv, size_t offset)
{
	int			i;

	for (i = 0; i < csv->nfields && i < csv->scan.nfields; i++)
	{
		if (offset < csv->fields[i].start + csv->fields[i].len)
		{
			if (csv->numbers[i] >= 0)
				csv->base.position->column =
					csv->base.columns->columns[csv->numbers[i]].name;
			return;
		}
	}
}

/* Errors unless the record is UTF-8 without NUL bytes. */
static void
check_encoding(CsvDecoder *csv, const char *record)
{
	size_t		len = csv->scan.len;

	if (csv->scan.may_hold_nul)
	{
		const char *nul = memchr(record, '\0', len);

		if (nul != NULL)
		{
			locate_column(csv, nul - record);
			ereport(ERROR,
					(errcode(ERRCODE_UNTRANSLATABLE_CHARACTER),
					 errmsg("payload holds a NUL byte"),
					 errdetail("No text value can hold one.")));
		}
	}
	if (csv->scan.may_hold_high)
	{
		size_t		valid = intake_scan_utf8_valid(record, len);

		if (valid < len)
		{
			locate_column(csv, valid);
			intake_format_report_utf8(record + valid, len - valid);
		}
	}
}

static inline bool
is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* Takes the blanks off both ends. */
static inline void
trim_blanks(const char **text, size_t *len)
{
	while (*len > 0 && is_blank((*text)[*len - 1]))
		(*len)--;
	while (*len > 0 && is_blank((*text)[0]))
	{
		(*text)++;
		(*len)--;
	}
}

/*
 * The value of a quoted field: of one that is not as it stands until the
 * next call.
 */
static void
unquote_field(CsvDecoder *csv, const IntakeCsvField *field,
			  const char **text, size_t *len)
{
	if (field->quoting == INTAKE_CSV_QUOTED)
	{
		(*text)++;
		*len -= 2;
	}
	else
	{
		char	   *out = reserve_scratch(csv, *len);

		*len = intake_scan_csv_unquote(&csv->scan, *text, *len, out);
		*text = out;
	}
}

/*
 * The name in a header field, in *name and *len.  It is good until the next
 * call.
 */
static void
read_name(CsvDecoder *csv, const char *record, const IntakeCsvField *field,
		  const char **name, size_t *len)
{
	*name = record + field->start;
	*len = field->len;
	if (field->quoting == INTAKE_CSV_PLAIN)
		trim_blanks(name, len);
	else
		unquote_field(csv, field, name, len);
}

/*
 * How many fields of the header name columns; in *unknown the first field
 * that does not, or the number of fields.
 */
static int
count_matches(CsvDecoder *csv, const char *record, int *unknown)
{
	int			nfields = (int) csv->scan.nfields;
	int			nmatches = 0;
	int			i;

	*unknown = nfields;
	for (i = 0; i < nfields; i++)
	{
		const char *name;
		size_t		len;

		read_name(csv, record, &csv->fields[i], &name, &len);
		if (intake_columns_find(csv->base.columns, name, len) >= 0)
			nmatches++;
		else if (*unknown == nfields)
			*unknown = i;
	}
	return nmatches;
}

/*
 * Splits the record at hand again, with another delimiter.  Afterwards
 * fields holds all of its fields.
 */
static void
split_record(CsvDecoder *csv, char delimiter)
{
	const char *record = csv->base.source->cursor;
	size_t		len = csv->scan.len;

	csv->scan.delimiter = delimiter;
	(void) intake_scan_csv_next(&csv->scan, record, len, true,
								csv->fields, csv->max_fields);
	if (csv->scan.nfields > csv->max_fields)
	{
		reserve_fields(csv, csv->scan.nfields);
		(void) intake_scan_csv_next(&csv->scan, record, len, true,
									csv->fields, csv->max_fields);
	}
}

/* The names of the columns, for a hint. */
static char *
list_columns(const IntakeColumnSet *columns)
{
	StringInfoData list;
	int			i;

	initStringInfo(&list);
	for (i = 0; i < columns->ncolumns; i++)
		appendStringInfo(&list, "%s\"%s\"", i > 0 ? ", " : "",
						 columns->columns[i].name);
	return list.data;
}

static const char *
name_delimiter(char delimiter)
{
	switch (delimiter)
	{
		case ';':
			return "\";\"";
		case ',':
			return "\",\"";
		case '\t':
			return "TAB";
		default:
			return "\"|\"";
	}
}

/* No candidate makes every header field a column; best comes nearest. */
static void
report_header(CsvDecoder *csv, char best)
{
	const char *record = csv->base.source->cursor;
	const char *name;
	size_t		len;
	int			unknown;

	split_record(csv, best);
	(void) count_matches(csv, record, &unknown);
	read_name(csv, record, &csv->fields[unknown], &name, &len);
	ereport(ERROR,
			(errcode(ERRCODE_UNDEFINED_COLUMN),
			 errmsg("no delimiter makes every header field a column of %s",
					csv->base.columns->owner),
			 errdetail("Delimiter %s comes nearest, but no column has the name \"%s\".",
					   name_delimiter(best),
					   intake_format_show(name, len, INTAKE_MAX_SHOWN_VALUE)),
			 errhint("The columns are %s. Option delimiter says how fields are separated.",
					 list_columns(csv->base.columns))));
}

/*
 * Finds the delimiter of the header at hand and splits it.  Where several
 * delimiters split it and none fits, that is an error, unless unknown names
 * are ignored.
 */
static void
find_header_delimiter(CsvDecoder *csv)
{
	const char *record = csv->base.source->cursor;
	char		best = '\0';
	int			best_matches = -1;
	int			nsplits = 0;
	char		split = '\0';
	int			i;

	for (i = 0; i < lengthof(candidates); i++)
	{
		int			nmatches;
		int			unknown;

		if (candidates[i] == csv->scan.quote)
			continue;
		split_record(csv, candidates[i]);
		nmatches = count_matches(csv, record, &unknown);
		if (nmatches == csv->scan.nfields)
			return;
		if (nmatches > best_matches)
		{
			best = candidates[i];
			best_matches = nmatches;
		}
		if (csv->scan.nfields > 1)
		{
			nsplits++;
			split = candidates[i];
		}
	}

	if (csv->options->unknown != INTAKE_UNKNOWN_IGNORE)
	{
		if (nsplits > 1)
			report_header(csv, best);
		if (nsplits == 1)
			best = split;
	}
	split_record(csv, best);
}

/*
 * Finds the delimiter that splits the first record, at hand, into as many
 * fields as there are columns.
 */
static void
find_delimiter(CsvDecoder *csv)
{
	int			i;

	for (i = 0; i < lengthof(candidates); i++)
	{
		if (candidates[i] == csv->scan.quote)
			continue;
		split_record(csv, candidates[i]);
		if (csv->scan.nfields == csv->nfields)
			return;
	}
	ereport(ERROR,
			(errcode(ERRCODE_BAD_COPY_FILE_FORMAT),
			 errmsg_plural("no delimiter splits the first record into %d field",
						   "no delimiter splits the first record into %d fields",
						   csv->nfields, csv->nfields),
			 errdetail("Delimiters \";\", \",\", TAB and \"|\" have been tried."),
			 errhint("Option delimiter says how fields are separated.")));
}

/* Settles which column each field of the header at hand goes into. */
static void
match_header(CsvDecoder *csv)
{
	IntakeColumnSet *columns = csv->base.columns;
	const char *record = csv->base.source->cursor;
	bool		is_any = false;
	int			i;

	csv->nfields = (int) csv->scan.nfields;
	csv->numbers = palloc(csv->nfields * sizeof(int));
	for (i = 0; i < csv->nfields; i++)
	{
		const char *name;
		size_t		len;
		int			number;

		read_name(csv, record, &csv->fields[i], &name, &len);
		number = intake_columns_find(columns, name, len);
		csv->numbers[i] = number;
		if (number >= 0)
		{
			if (csv->base.given[number])
				intake_columns_report_repeated(columns, number);
			csv->base.given[number] = true;
			is_any = true;
		}
		else if (csv->options->unknown != INTAKE_UNKNOWN_IGNORE)
			intake_columns_report_unknown(columns, name, len);
	}
	if (!is_any)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_COLUMN),
				 errmsg("header names no column of %s", columns->owner),
				 errhint("The columns are %s.", list_columns(columns))));
}

/* Settles the columns from their order, not from a header. */
static void
match_order(CsvDecoder *csv)
{
	int			i;

	csv->numbers = intake_columns_in_order(csv->base.columns,
										   csv->options->columns,
										   &csv->nfields);
	for (i = 0; i < csv->nfields; i++)
		csv->base.given[csv->numbers[i]] = true;
}

/* Errors unless the record at hand has as many fields as it must. */
static inline void
check_count(CsvDecoder *csv, const char *what)
{
	int			have = (int) csv->scan.nfields;

	if (likely(have == csv->nfields))
		return;
	ereport(ERROR,
			(errcode(ERRCODE_BAD_COPY_FILE_FORMAT),
			 errmsg_plural("%s has %d field, %d expected",
						   "%s has %d fields, %d expected",
						   have, what, have, csv->nfields),
			 have == 1 && csv->fields[0].len == 0 ?
			 errdetail("The line is empty.") : 0));
}

/*
 * Reads the header line.  With option columns its names do not count, only
 * how many they are.
 */
static void
read_header(CsvDecoder *csv)
{
	IntakeSource *source = csv->base.source;

	if (!fetch_record(csv))
		ereport(ERROR,
				(errcode(ERRCODE_BAD_COPY_FILE_FORMAT),
				 errmsg("payload is empty"),
				 errdetail("A header line that names the columns was expected.")));
	check_encoding(csv, source->cursor);

	if (csv->options->columns != NIL)
	{
		match_order(csv);
		if (is_auto(csv->options))
			find_delimiter(csv);
		check_count(csv, "header");
	}
	else
	{
		if (is_auto(csv->options))
			find_header_delimiter(csv);
		else
			split_record(csv, csv->scan.delimiter);
		match_header(csv);
	}
	source->cursor += csv->scan.len;
	csv->line += csv->scan.nlines;
}

static IntakeDecoder *
begin_csv(IntakeSource *source, IntakeColumnSet *columns,
		  const IntakeOptions *options, IntakePosition *position)
{
	CsvDecoder *csv = palloc0(sizeof(CsvDecoder));

	csv->base.routine = &intake_format_csv;
	csv->base.source = source;
	csv->base.columns = columns;
	csv->base.position = position;
	csv->base.given = palloc0(columns->ncolumns * sizeof(bool) + 1);
	csv->options = options;
	csv->null = options->null;
	csv->null_len = options->null != NULL ? strlen(options->null) : 0;
	csv->line = 1;
	csv->context = CurrentMemoryContext;

	memset(position, 0, sizeof(*position));
	position->line = 1;
	begin_scan(csv);
	reserve_fields(csv, columns->ncolumns + 1);
	intake_format_skip_bom(source);

	if (options->header)
		read_header(csv);
	else
	{
		position->record = 1;
		match_order(csv);
		if (is_auto(options) && fetch_record(csv))
			find_delimiter(csv);
	}
	reserve_fields(csv, csv->nfields);
	return &csv->base;
}

/* Is this unquoted value, not trimmed yet, the one that stands for NULL? */
static inline bool
is_null_text(const CsvDecoder *csv, const char *text, size_t len)
{
	return len == csv->null_len &&
		(len == 0 || memcmp(text, csv->null, len) == 0);
}

/* Converts one field into its column of the row. */
static inline void
convert_field(CsvDecoder *csv, const char *record,
			  const IntakeCsvField *field, int number, IntakeRow *row)
{
	IntakeColumn *column = &csv->base.columns->columns[number];
	IntakePosition *position = csv->base.position;
	const char *text = record + field->start;
	size_t		len = field->len;
	bool		is_null = false;

	position->column = column->name;
	position->value = text;
	position->value_len = len;

	if (field->quoting == INTAKE_CSV_PLAIN)
	{
		/* with null_len 0 this is the default, too */
		is_null = is_null_text(csv, text, len);
		if (!is_null && !column->is_character)
		{
			trim_blanks(&text, &len);
			is_null = is_null_text(csv, text, len);
		}
	}
	else
		unquote_field(csv, field, &text, &len);

	row->nulls[number] = is_null;
	if (is_null)
		row->values[number] = intake_convert_null(column);
	else if (!column->is_fast ||
			 !intake_convert_fast_text(column, text, len,
									   &row->values[number]))
		row->values[number] = intake_convert_text(column, text, len);
}

static bool
next_csv(IntakeDecoder *decoder, IntakeRow *row)
{
	CsvDecoder *csv = (CsvDecoder *) decoder;
	IntakePosition *position = decoder->position;
	const char *record;
	int			i;

	if ((csv->record & 1023) == 0)
		CHECK_FOR_INTERRUPTS();

	position->record = csv->record + 1;
	position->line = csv->line;
	position->column = NULL;
	position->value = NULL;
	position->value_len = 0;
	if (!fetch_record(csv))
		return false;

	record = decoder->source->cursor;
	check_count(csv, "record");
	check_encoding(csv, record);
	row->record = ++csv->record;
	row->line = csv->line;
	memcpy(row->is_set, decoder->given,
		   decoder->columns->ncolumns * sizeof(bool));
	for (i = 0; i < csv->nfields; i++)
	{
		if (csv->numbers[i] >= 0)
			convert_field(csv, record, &csv->fields[i], csv->numbers[i],
						  row);
	}

	position->column = NULL;
	position->value = NULL;
	decoder->source->cursor += csv->scan.len;
	csv->line += csv->scan.nlines;
	return true;
}

static void
end_csv(IntakeDecoder *decoder)
{
	/* all memory is in contexts */
}

const IntakeFormatRoutine intake_format_csv = {
	.name = "csv",
	.is_binary = false,
	.begin = begin_csv,
	.next = next_csv,
	.end = end_csv
};
