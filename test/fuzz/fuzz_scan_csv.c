/*-------------------------------------------------------------------------
 *
 * fuzz_scan_csv.c
 *	  The CSV scanner against a reader that takes a byte at a time.
 *
 * The input's first byte chooses delimiter, quote and escape, the second how
 * the rest is cut into pieces.  The rest is scanned whole and in pieces, with
 * SSE2 and without; records, fields and values must be those of the reader.
 *
 *-------------------------------------------------------------------------
 */
#include "format/scan_csv.h"

#include "fuzz.h"

#define INTAKE_SCAN_PLAIN
#define intake_scan_csv_begin plain_csv_begin
#define intake_scan_csv_next plain_csv_next
#define intake_scan_csv_unquote plain_csv_unquote
#include "format/scan_csv.c"
#undef intake_scan_csv_begin
#undef intake_scan_csv_next
#undef intake_scan_csv_unquote

/* Fields behind these are counted only. */
#define MAX_FIELDS 32

typedef struct Dialect
{
	char		delimiter;
	char		quote;
	char		escape;
} Dialect;

static const Dialect dialects[] = {
	{',', '"', '"'},
	{';', '"', '\\'},
	{'\t', '\'', '\''},
	{'|', '\'', '\\'},
	{',', '\\', '"'},
	{'a', 'b', 'c'}
};

/* The scanner in one of its two forms. */
typedef struct Form
{
	void		(*begin) (IntakeScanCsv *scan, char delimiter, char quote,
						  char escape);
	IntakeCsvResult (*next) (IntakeScanCsv *scan, const char *text,
							 size_t len, bool is_final,
							 IntakeCsvField *fields, size_t max_fields);
	size_t		(*unquote) (const IntakeScanCsv *scan, const char *text,
							size_t len, char *out);
} Form;

static const Form forms[] = {
	{intake_scan_csv_begin, intake_scan_csv_next, intake_scan_csv_unquote},
	{plain_csv_begin, plain_csv_next, plain_csv_unquote}
};

/*
 * The reader's record: where fields lie and what they hold, all values in
 * one array.
 */
typedef struct Record
{
	size_t		len;
	size_t		nfields;
	size_t		nlines;
	bool		is_terminated;	/* does not end inside quotes */
	struct
	{
		size_t		start;
		size_t		len;
		size_t		value;		/* where in values */
		size_t		value_len;
	}			fields[MAX_FIELDS];
	char	   *values;
	size_t		used;
} Record;

/* The field that starts at start ends before end. */
static void
end_field(Record *record, size_t start, size_t end, size_t value)
{
	if (record->nfields < MAX_FIELDS)
	{
		record->fields[record->nfields].start = start;
		record->fields[record->nfields].len = end - start;
		record->fields[record->nfields].value = value;
		record->fields[record->nfields].value_len = record->used - value;
	}
	record->nfields++;
}

/* Whether text[at] begins a line end; *len gets the bytes it has. */
static bool
is_line_end(const char *text, size_t text_len, size_t at, size_t *len)
{
	*len = 1;
	if (text[at] == '\r' && at + 1 < text_len && text[at + 1] == '\n')
		*len = 2;
	return text[at] == '\r' || text[at] == '\n';
}

/* Reads the record at the start of text, which is not empty. */
static void
read_record(const Dialect *dialect, const char *text, size_t len,
			Record *record)
{
	bool		is_quoted = false;
	size_t		start = 0;
	size_t		value = 0;
	size_t		end_len;
	size_t		at = 0;

	record->nfields = record->used = 0;
	record->nlines = 1;
	for (; at < len; at++)
	{
		bool		is_end = is_line_end(text, len, at, &end_len);

		if (is_quoted && text[at] == dialect->escape && at + 1 < len &&
			(text[at + 1] == dialect->quote ||
			 text[at + 1] == dialect->escape))
			record->values[record->used++] = text[++at];
		else if (text[at] == dialect->quote)
			is_quoted = !is_quoted;
		else if (!is_quoted && text[at] == dialect->delimiter)
		{
			end_field(record, start, at, value);
			start = at + 1;
			value = record->used;
		}
		else if (!is_quoted && is_end)
			break;
		else
		{
			record->values[record->used++] = text[at];
			/* of CR and LF the second counts */
			if (is_end && end_len == 1)
				record->nlines++;
		}
	}
	record->is_terminated = !is_quoted;
	end_field(record, start, at, value);
	record->len = at < len ? at + end_len : at;
}

/* Compares a field of the scanner's with the reader's. */
static void
check_field(const Form *form, const IntakeScanCsv *scan, const char *text,
			const IntakeCsvField *field, const Record *record, size_t number)
{
	const char *value = record->values + record->fields[number].value;
	size_t		value_len = record->fields[number].value_len;
	const char *raw = text + field->start;
	char	   *out;

	FUZZ_CHECK(field->start == record->fields[number].start);
	FUZZ_CHECK(field->len == record->fields[number].len);
	FUZZ_CHECK(field->start + field->len <= record->len);

	out = malloc(field->len);
	FUZZ_CHECK(form->unquote(scan, raw, field->len, out) == value_len);
	FUZZ_CHECK(memcmp(out, value, value_len) == 0);
	free(out);

	if (field->quoting == INTAKE_CSV_PLAIN)
	{
		FUZZ_CHECK(field->len == value_len);
		FUZZ_CHECK(memcmp(raw, value, value_len) == 0);
	}
	else if (field->quoting == INTAKE_CSV_QUOTED)
	{
		FUZZ_CHECK(field->len == value_len + 2);
		FUZZ_CHECK(raw[0] == scan->quote);
		FUZZ_CHECK(raw[field->len - 1] == scan->quote);
		FUZZ_CHECK(memcmp(raw + 1, value, value_len) == 0);
	}
}

static void
check_record(const Form *form, const IntakeScanCsv *scan, const char *text,
			 const IntakeCsvField *fields, const Record *record)
{
	size_t		i;

	FUZZ_CHECK(scan->len == record->len);
	FUZZ_CHECK(scan->nfields == record->nfields);
	FUZZ_CHECK(scan->nlines == record->nlines);
	for (i = 0; i < record->len; i++)
	{
		FUZZ_CHECK(scan->may_hold_nul || text[i] != '\0');
		FUZZ_CHECK(scan->may_hold_high || (unsigned char) text[i] < 0x80);
	}
	for (i = 0; i < record->nfields && i < MAX_FIELDS; i++)
		check_field(form, scan, text, &fields[i], record, i);
}

/* The length of the next piece: mostly short, so that there are many. */
static size_t
take_piece(size_t left, uint32_t *random)
{
	if (fuzz_random(random) % 4 == 0)
		return 1 + fuzz_random(random) % left;
	return 1 + fuzz_random(random) % (1 + left / 32);
}

/*
 * Scans one record at text, piece by piece when there is a state for random
 * numbers, each time at another place.
 */
static IntakeCsvResult
scan_record(const Form *form, IntakeScanCsv *scan, char **text,
			const char *all, size_t len, IntakeCsvField *fields,
			uint32_t *random)
{
	size_t		have = random == NULL ? len : 0;
	IntakeCsvResult result = INTAKE_CSV_MORE;

	*text = NULL;
	for (;;)
	{
		bool		is_final = have == len &&
			(random == NULL || fuzz_random(random) % 2 == 0);

		free(*text);
		*text = fuzz_copy(all, have);
		result = form->next(scan, *text, have, is_final, fields, MAX_FIELDS);
		if (result != INTAKE_CSV_MORE)
			return result;
		FUZZ_CHECK(!is_final);
		if (have < len)
			have += take_piece(len - have, random);
	}
}

static void
check_text(const Form *form, const Dialect *dialect, const char *all,
		   size_t len, Record *record, uint32_t *random)
{
	IntakeScanCsv scan;
	IntakeCsvField fields[MAX_FIELDS];
	IntakeCsvResult result;
	char	   *text;
	size_t		at = 0;

	form->begin(&scan, dialect->delimiter, dialect->quote, dialect->escape);
	do
	{
		result = scan_record(form, &scan, &text, all + at, len - at, fields,
							 random);
		if (at == len)
			FUZZ_CHECK(result == INTAKE_CSV_END);
		else
		{
			read_record(dialect, all + at, len - at, record);
			if (record->is_terminated)
			{
				FUZZ_CHECK(result == INTAKE_CSV_RECORD);
				check_record(form, &scan, text, fields, record);
			}
			else
				FUZZ_CHECK(result == INTAKE_CSV_UNTERMINATED);
			at += record->len;
		}
		free(text);
	} while (result == INTAKE_CSV_RECORD);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	Record		record;
	const Dialect *dialect;
	uint32_t	random;
	size_t		i;

	if (len < 2)
		return 0;
	dialect = &dialects[data[0] % (sizeof(dialects) / sizeof(dialects[0]))];
	random = data[1] + 1;
	data += 2;
	len -= 2;
	record.values = malloc(len + 1);
	for (i = 0; i < sizeof(forms) / sizeof(forms[0]); i++)
	{
		check_text(&forms[i], dialect, (const char *) data, len, &record,
				   NULL);
		check_text(&forms[i], dialect, (const char *) data, len, &record,
				   &random);
	}
	free(record.values);
	return 0;
}
