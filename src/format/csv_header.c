/*-------------------------------------------------------------------------
 *
 * csv_header.c
 *	  Which field of a CSV payload is which column, and what parts fields.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "lib/stringinfo.h"

#include "convert.h"
#include "format/csv_decoder.h"
#include "format/format_text.h"

/* What a header may have: each field takes memory, and a byte of payload. */
#define MAX_HEADER_FIELDS 100000

/* What delimiter 'auto' tries, in this order. */
static const char candidates[] = {
	INTAKE_CSV_FIRST_DELIMITER, ',', '\t', '|'
};

/*
 * The name in a header field, in *name and *len.  It is good until the next
 * call.
 */
static void
read_name(IntakeCsv *csv, const char *record, const IntakeCsvField *field,
		  const char **name, size_t *len)
{
	*name = record + field->start;
	*len = field->len;
	if (field->quoting == INTAKE_CSV_PLAIN)
		intake_csv_trim(name, len);
	else
		intake_csv_unquote(csv, field, name, len);
}

/*
 * How many fields of the header name columns; in *unknown the first field
 * that does not, or the number of fields.
 */
static int
count_matches(IntakeCsv *csv, const char *record, int *unknown)
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
 * Splits the record at hand again, with another delimiter.  Of more fields
 * than there is room for only the number is right.
 */
static void
count_fields(IntakeCsv *csv, char delimiter)
{
	csv->scan.delimiter = delimiter;
	(void) intake_scan_csv_next(&csv->scan, csv->base.source->cursor,
								csv->scan.len, true, csv->fields,
								csv->max_fields);
}

/* The same of a header; afterwards fields holds all of its fields. */
static void
split_record(IntakeCsv *csv, char delimiter)
{
	const char *record = csv->base.source->cursor;
	size_t		len = csv->scan.len;

	count_fields(csv, delimiter);
	if (csv->scan.nfields > MAX_HEADER_FIELDS)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("header has more than %d fields", MAX_HEADER_FIELDS)));
	if (csv->scan.nfields > csv->max_fields)
	{
		intake_csv_reserve_fields(csv, csv->scan.nfields);
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
report_header(IntakeCsv *csv, char best)
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
find_header_delimiter(IntakeCsv *csv)
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

void
intake_csv_find_delimiter(IntakeCsv *csv)
{
	int			i;

	for (i = 0; i < lengthof(candidates); i++)
	{
		if (candidates[i] == csv->scan.quote)
			continue;
		count_fields(csv, candidates[i]);
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
match_header(IntakeCsv *csv)
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

void
intake_csv_match_order(IntakeCsv *csv)
{
	int			i;

	csv->numbers = intake_columns_in_order(csv->base.columns,
										   csv->options->columns,
										   &csv->nfields);
	for (i = 0; i < csv->nfields; i++)
		csv->base.given[csv->numbers[i]] = true;
}

void
intake_csv_read_header(IntakeCsv *csv)
{
	IntakeSource *source = csv->base.source;
	bool		has_header = intake_csv_fetch(csv);

	if (!has_header && source->is_cut)
	{
		csv->base.given = NULL;
		return;
	}
	if (!has_header)
		ereport(ERROR,
				(errcode(ERRCODE_BAD_COPY_FILE_FORMAT),
				 errmsg("payload is empty"),
				 errdetail("A header line that names the columns was expected.")));
	intake_csv_check_encoding(csv, source->cursor);

	if (csv->options->columns != NIL)
	{
		intake_csv_match_order(csv);
		if (intake_csv_is_auto(csv->options))
			intake_csv_find_delimiter(csv);
		intake_csv_check_count(csv, "header");
	}
	else
	{
		if (intake_csv_is_auto(csv->options))
			find_header_delimiter(csv);
		else
			split_record(csv, csv->scan.delimiter);
		match_header(csv);
	}
	source->cursor += csv->scan.len;
	csv->line += csv->scan.nlines;
}
