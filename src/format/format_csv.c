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

#include "miscadmin.h"
#include "utils/memutils.h"

#include "convert_fast.h"
#include "format/csv_decoder.h"
#include "format/format_text.h"
#include "format/scan_utf8.h"
#include "settings.h"

/* Room for len bytes, until the next call. */
static char *
reserve_scratch(IntakeCsv *csv, size_t len)
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

void
intake_csv_reserve_fields(IntakeCsv *csv, size_t n)
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

/* Sets the scanner from the options; with 'auto' to the first candidate. */
static void
begin_scan(IntakeCsv *csv)
{
	const IntakeOptions *options = csv->options;
	char		quote = '"';
	char		escape;
	char		delimiter = INTAKE_CSV_FIRST_DELIMITER;

	if (options->quote != NULL)
		quote = parse_character("quote", options->quote);
	escape = quote;
	if (options->escape != NULL)
		escape = parse_character("escape", options->escape);
	if (!intake_csv_is_auto(options))
	{
		delimiter = parse_character("delimiter", options->delimiter);
		if (delimiter == quote)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("options \"delimiter\" and \"quote\" must differ")));
	}
	intake_scan_csv_begin(&csv->scan, delimiter, quote, escape);
}

bool
intake_csv_fetch(IntakeCsv *csv)
{
	IntakeSource *source = csv->base.source;
	size_t		max_len = (size_t) intake_max_record_size * 1024;

	for (;;)
	{
		size_t		len = (size_t) (source->limit - source->cursor);
		bool		is_last = source->is_ended && !source->is_cut;

		switch (intake_scan_csv_next(&csv->scan, source->cursor, len,
									 is_last, csv->fields, csv->max_fields))
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
				if (!intake_source_fill(source) && source->is_cut)
				{
					source->cursor = source->limit;
					return false;
				}
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
locate_column(IntakeCsv *csv, size_t offset)
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

void
intake_csv_check_encoding(IntakeCsv *csv, const char *record)
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

void
intake_csv_unquote(IntakeCsv *csv, const IntakeCsvField *field,
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

void
intake_csv_check_count(IntakeCsv *csv, const char *what)
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

static IntakeDecoder *
begin_csv(IntakeSource *source, IntakeColumnSet *columns,
		  const IntakeOptions *options, IntakePosition *position)
{
	IntakeCsv *csv = palloc0(sizeof(IntakeCsv));

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
	intake_csv_reserve_fields(csv, columns->ncolumns + 1);
	intake_format_skip_bom(source);

	if (options->header)
		intake_csv_read_header(csv);
	else
	{
		position->record = 1;
		intake_csv_match_order(csv);
		if (intake_csv_is_auto(options) && intake_csv_fetch(csv))
			intake_csv_find_delimiter(csv);
	}
	intake_csv_reserve_fields(csv, csv->nfields);
	return &csv->base;
}

/* Is this unquoted value, not trimmed yet, the one that stands for NULL? */
static inline bool
is_null_text(const IntakeCsv *csv, const char *text, size_t len)
{
	return len == csv->null_len &&
		(len == 0 || memcmp(text, csv->null, len) == 0);
}

/* Converts one field into its column of the row. */
static inline void
convert_field(IntakeCsv *csv, const char *record,
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
			intake_csv_trim(&text, &len);
			is_null = is_null_text(csv, text, len);
		}
	}
	else
		intake_csv_unquote(csv, field, &text, &len);

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
	IntakeCsv *csv = (IntakeCsv *) decoder;
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
	if (!intake_csv_fetch(csv))
		return false;

	record = decoder->source->cursor;
	row->record = ++csv->record;
	intake_csv_check_count(csv, "record");
	intake_csv_check_encoding(csv, record);
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

/*
 * A record that has been counted lies whole at the cursor.  Its end is that of
 * the grammar: where a quote is missing or one too many, lines may belong to
 * it that were meant to be records, but no line inside may be taken for one,
 * since it may be the middle of a quoted text.
 */
static bool
skip_csv(IntakeDecoder *decoder, int sqlstate)
{
	IntakeCsv  *csv = (IntakeCsv *) decoder;

	if (csv->record != decoder->position->record)
		return false;
	decoder->source->cursor += csv->scan.len;
	csv->line += csv->scan.nlines;
	return true;
}

static const char *
text_csv(const IntakeDecoder *decoder, size_t *len)
{
	const IntakeCsv *csv = (const IntakeCsv *) decoder;
	const char *record = decoder->source->cursor - csv->scan.len;

	*len = csv->scan.len;
	while (*len > 0 && (record[*len - 1] == '\n' || record[*len - 1] == '\r'))
		(*len)--;
	return record;
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
	.skip = skip_csv,
	.text = text_csv,
	.end = end_csv
};
