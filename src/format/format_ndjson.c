/*-------------------------------------------------------------------------
 *
 * format_ndjson.c
 *	  The decoder of NDJSON: one JSON array or object a line.
 *
 * A line is brought into the source's window whole before it is looked at.
 * Its values are converted as the scanner comes upon them; nothing of the
 * record is built in between.  What most values are is read and converted at
 * once; what that does not take is read token by token.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "miscadmin.h"
#include "utils/memutils.h"

#include "convert_fast.h"
#include "format/format_text.h"
#include "format/ndjson_decoder.h"
#include "settings.h"

/* Room for len bytes, until the next call. */
static char *
reserve_scratch(IntakeNdjson *json, size_t len)
{
	if (json->scratch_size < len)
	{
		if (json->scratch != NULL)
			pfree(json->scratch);
		json->scratch = NULL;
		json->scratch_size = 0;
		json->scratch = MemoryContextAllocHuge(json->context, len + len / 2);
		json->scratch_size = len + len / 2;
	}
	return json->scratch;
}

/*
 * The value of the string read last: a slice of the line, or of the scratch
 * buffer until the next call.
 */
static inline const char *
read_string(IntakeNdjson *json, size_t *len)
{
	const char *raw = json->scan.start;
	ptrdiff_t	out_len;
	char	   *out;

	*len = json->scan.len;
	if (likely(!json->scan.has_escapes))
		return raw;
	out = reserve_scratch(json, *len);
	out_len = intake_scan_json_unescape(raw, *len, out);
	if (out_len < 0)
	{
		json->scan.reason = (IntakeJsonReason) -out_len;
		json->scan.fault = raw;
		intake_ndjson_report_fault(json);
	}
	*len = (size_t) out_len;
	return out;
}

/* Passes over a value that goes nowhere. */
static void
skip_value(IntakeNdjson *json)
{
	if (!intake_scan_json_skip(&json->scan, intake_max_nesting_depth))
		intake_ndjson_report_fault(json);
}

/* Converts an array or object whose first byte has been read. */
static Datum
convert_nested(IntakeNdjson *json, IntakeColumn *column)
{
	json->base.position->value = NULL;
	json->scan.cursor = json->scan.start;
	skip_value(json);
	json->base.position->value = json->scan.start;
	json->base.position->value_len = json->scan.len;
	return intake_convert_json_nested(column, json->scan.start,
									  json->scan.len, json->is_strict);
}

/* Converts the value at the cursor into a column of the row. */
static void
convert_value(IntakeNdjson *json, int number, IntakeRow *row)
{
	IntakeScanJson *scan = &json->scan;
	IntakePosition *position = json->base.position;
	IntakeColumn *column = &json->base.columns->columns[number];
	bool		is_strict = json->is_strict;
	IntakeJsonToken token;
	const char *text;
	size_t		len;
	Datum		value;

	position->column = column->name;
	position->value = NULL;
	token = intake_scan_json_next(scan);
	position->value = scan->start;
	position->value_len = scan->len;

	row->nulls[number] = false;
	row->is_set[number] = true;
	switch (token)
	{
		case INTAKE_JSON_STRING:
			text = read_string(json, &len);
			value = intake_convert_json_string(column, text, len, is_strict);
			break;
		case INTAKE_JSON_NUMBER:
			value = intake_convert_json_number(column, scan->start,
											   scan->len, is_strict);
			break;
		case INTAKE_JSON_TRUE:
		case INTAKE_JSON_FALSE:
			value = intake_convert_bool(column, token == INTAKE_JSON_TRUE,
										is_strict);
			break;
		case INTAKE_JSON_NULL:
			row->nulls[number] = true;
			value = intake_convert_null(column);
			break;
		case INTAKE_JSON_ARRAY_BEGIN:
		case INTAKE_JSON_OBJECT_BEGIN:
			value = convert_nested(json, column);
			break;
		default:
			position->value = NULL;
			if (token == INTAKE_JSON_BAD)
				intake_ndjson_report_fault(json);
			scan->cursor = scan->start;
			intake_ndjson_report_unexpected(json, "a value");
	}
	row->values[number] = value;
}

/*
 * Reads the number at the cursor into a column of numbers; false, and the
 * cursor stays, when it is not of the usual forms.
 */
static inline bool
convert_fast_number(IntakeNdjson *json, const IntakeColumn *column,
					Datum *value)
{
	IntakeScanJson *scan = &json->scan;
	const char *p = scan->cursor;
	IntakeDecimal decimal;

	if (!intake_scan_decimal(&p, scan->limit, &decimal) ||
		decimal.has_zeros || p == scan->limit ||
		(*p != ',' && *p != ']' && *p != '}'))
		return false;
	if (column->conversion == INTAKE_CONVERT_FLOAT4 ||
		column->conversion == INTAKE_CONVERT_FLOAT8)
	{
		if (!intake_convert_fast_decimal(column, &decimal, value))
			return false;
	}
	else if (column->conversion == INTAKE_CONVERT_NUMERIC)
	{
		if (!intake_convert_fast_numeric(column, scan->cursor,
										 (size_t) (p - scan->cursor), value))
			return false;
	}
	else
	{
		int64		integer = (int64) decimal.digits;

		if (!decimal.is_plain || integer < 0 ||
			!intake_convert_fast_integer(column, decimal.is_negative ?
										 -integer : integer, value))
			return false;
	}
	scan->start = scan->cursor;
	scan->len = (size_t) (p - scan->cursor);
	scan->cursor = p;
	return true;
}

/*
 * Reads the string at the cursor into a column; false, and the cursor stays,
 * when it is not of the usual forms.
 */
static inline bool
convert_fast_string(IntakeNdjson *json, IntakeColumn *column, Datum *value)
{
	IntakeScanJson *scan = &json->scan;
	IntakePosition *position = json->base.position;
	const char *before = scan->cursor;
	const char *text;
	size_t		len;

	if (intake_scan_json_string(scan) == INTAKE_JSON_STRING)
	{
		if (!scan->has_escapes)
		{
			if (intake_convert_fast_text(column, scan->start, scan->len, value))
				return true;
		}
		else
		{
			position->column = column->name;
			position->value = scan->start;
			position->value_len = scan->len;
			text = read_string(json, &len);
			*value = intake_convert_json_string(column, text, len,
												json->is_strict);
			return true;
		}
	}
	scan->cursor = before;
	return false;
}

/* true, false and null; true only where the column is a boolean. */
static inline bool
convert_fast_word(IntakeNdjson *json, const IntakeColumn *column,
				  Datum *value, bool *is_null)
{
	IntakeScanJson *scan = &json->scan;
	const char *p = scan->cursor;
	size_t		len = *p == 'f' ? 5 : 4;
	const char *word = *p == 'f' ? "false" : *p == 't' ? "true" : "null";

	*is_null = *p == 'n';
	if ((size_t) (scan->limit - p) <= len || memcmp(p, word, len) != 0 ||
		(p[len] != ',' && p[len] != ']' && p[len] != '}') ||
		(!*is_null && column->conversion != INTAKE_CONVERT_BOOL))
		return false;
	*value = *is_null ? (Datum) 0 : BoolGetDatum(*p == 't');
	scan->start = p;
	scan->len = len;
	scan->cursor += len;
	return true;
}

/*
 * Converts the value at the cursor into a column of the row, when it is one
 * of those that are read and converted at once.  Otherwise nothing has
 * happened.
 */
static inline bool
convert_fast(IntakeNdjson *json, int number, IntakeRow *row)
{
	IntakeScanJson *scan = &json->scan;
	IntakePosition *position = json->base.position;
	IntakeColumn *column = &json->base.columns->columns[number];
	Datum		value;
	bool		is_null = false;
	bool		is_done;

	intake_scan_json_skip_blanks(scan);
	if (!column->is_fast || scan->cursor == scan->limit)
		return false;
	switch (*scan->cursor)
	{
		case '"':
			is_done = json->takes_string[number] &&
				convert_fast_string(json, column, &value);
			break;
		case 't':
		case 'f':
		case 'n':
			is_done = convert_fast_word(json, column, &value, &is_null);
			break;
		default:
			is_done = json->takes_number[number] &&
				convert_fast_number(json, column, &value);
			break;
	}
	if (!is_done)
		return false;

	/* for what may be wrong behind the value */
	position->column = column->name;
	position->value = scan->start;
	position->value_len = scan->len;
	row->nulls[number] = is_null;
	row->is_set[number] = true;
	row->values[number] = value;
	return true;
}

/* A row whose values come in the columns' order; behind its "[". */
static void
read_array(IntakeNdjson *json, IntakeRow *row)
{
	IntakeScanJson *scan = &json->scan;
	int			have = 0;

	if (!intake_scan_json_take(scan, ']'))
	{
		do
		{
			if (unlikely(have >= json->nvalues))
				skip_value(json);
			else if (!convert_fast(json, json->numbers[have], row))
				convert_value(json, json->numbers[have], row);
			have++;
		} while (intake_scan_json_take(scan, ','));
		if (!intake_scan_json_take(scan, ']'))
			intake_ndjson_report_unexpected(json, "\",\" or \"]\" after an array's value");
	}
	if (have != json->nvalues)
		intake_ndjson_report_count(json, have);
}

/* Reads a key that is not the expected one. */
static int
read_other_key(IntakeNdjson *json)
{
	IntakeScanJson *scan = &json->scan;
	const char *name;
	size_t		len;

	if (scan->cursor == scan->limit || *scan->cursor != '"')
		intake_ndjson_report_unexpected(json, "a key");
	if (intake_scan_json_next(scan) == INTAKE_JSON_BAD)
		intake_ndjson_report_fault(json);
	name = read_string(json, &len);
	return intake_ndjson_keys_find(&json->keys, name, len, !scan->has_escapes,
								   json->ignore_unknown);
}

/*
 * Reads a member's key and its colon.  Returns the number of the key, that of
 * a column when it is below ncolumns, or -1 for one that is ignored.
 */
static inline int
read_key(IntakeNdjson *json, int expected)
{
	IntakeScanJson *scan = &json->scan;
	int			number;

	intake_scan_json_skip_blanks(scan);
	if (likely(expected >= 0 &&
			   intake_ndjson_key_match(&json->keys.keys[expected],
									   &scan->cursor, scan->limit)))
		number = expected;
	else
		number = read_other_key(json);
	if (unlikely(!intake_scan_json_take(scan, ':')))
		intake_ndjson_report_unexpected(json, "\":\" after a key");
	return number;
}

/* A row whose values have keys; behind its "{". */
static void
read_object(IntakeNdjson *json, IntakeRow *row)
{
	IntakeScanJson *scan = &json->scan;
	IntakePosition *position = json->base.position;
	int			ncolumns = json->base.columns->ncolumns;
	int		   *expected = &json->keys.first;

	if (intake_scan_json_take(scan, '}'))
		return;
	do
	{
		int			number;

		position->column = NULL;
		position->value = NULL;
		number = read_key(json, *expected);
		if (number >= 0)
		{
			*expected = number;
			expected = &json->keys.keys[number].follower;
		}

		if (number < 0 || number >= ncolumns)
			skip_value(json);
		else if (unlikely(row->is_set[number]))
			intake_columns_report_repeated(json->base.columns, number);
		else if (!convert_fast(json, number, row))
			convert_value(json, number, row);
	} while (intake_scan_json_take(scan, ','));
	if (!intake_scan_json_take(scan, '}'))
		intake_ndjson_report_unexpected(json, "\",\" or \"}\" after a member");
}

/*
 * Brings the next line into the window and sets what describes it.
 * Returns false at the end of the payload.
 */
static bool
fetch_line(IntakeNdjson *json)
{
	IntakeSource *source = json->base.source;
	size_t		max_len = (size_t) intake_max_record_size * 1024;
	size_t		searched = 0;

	json->line++;
	json->base.position->line = json->line;
	for (;;)
	{
		size_t		len = (size_t) (source->limit - source->cursor);
		const char *end = NULL;

		if (len > searched)
			end = memchr(source->cursor + searched, '\n', len - searched);
		if (end != NULL)
		{
			json->line_len = (size_t) (end + 1 - source->cursor);
			break;
		}
		if (len > max_len)
			intake_format_report_long_record();
		searched = len;
		if (source->is_ended || !intake_source_fill(source))
		{
			json->line_len = len;
			if (source->is_cut)
				source->cursor = source->limit;
			if (len == 0 || source->is_cut)
				return false;
			break;
		}
	}
	if (json->line_len > max_len)
		intake_format_report_long_record();
	json->text = source->cursor;
	json->text_len = json->line_len;
	if (json->text_len > 0 && json->text[json->text_len - 1] == '\n')
		json->text_len--;
	if (json->text_len > 0 && json->text[json->text_len - 1] == '\r')
		json->text_len--;
	return true;
}

/* Decodes the record on the line at hand. */
static void
read_record(IntakeNdjson *json, IntakeRow *row)
{
	IntakeScanJson *scan = &json->scan;

	if (*scan->cursor == '[')
	{
		if (unlikely(json->record == 1))
			intake_ndjson_check_first(json);
		scan->cursor++;
		read_array(json, row);
	}
	else if (*scan->cursor == '{' && json->takes_objects)
	{
		scan->cursor++;
		read_object(json, row);
	}
	else
		intake_ndjson_report_unexpected(json, json->takes_objects ?
										"a record, which is a JSON array or object" :
										"a record, which is a JSON array");

	json->base.position->column = NULL;
	json->base.position->value = NULL;
	intake_scan_json_skip_blanks(scan);
	if (scan->cursor < scan->limit)
		intake_ndjson_report_unexpected(json, "the end of the line after a record");
}

static bool
next_ndjson(IntakeDecoder *decoder, IntakeRow *row)
{
	IntakeNdjson *json = (IntakeNdjson *) decoder;
	IntakePosition *position = decoder->position;

	position->column = NULL;
	position->value = NULL;
	position->value_len = 0;
	position->record = json->record + 1;
	for (;;)
	{
		/* blank lines may be many */
		if ((json->line & 1023) == 0)
			CHECK_FOR_INTERRUPTS();
		if (!fetch_line(json))
			return false;
		intake_scan_json_begin(&json->scan, json->text, json->text_len);
		intake_scan_json_skip_blanks(&json->scan);
		if (json->scan.cursor < json->scan.limit)
			break;
		decoder->source->cursor += json->line_len;
	}

	row->record = ++json->record;
	row->line = json->line;
	memset(row->is_set, 0, decoder->columns->ncolumns * sizeof(bool));
	read_record(json, row);
	decoder->source->cursor += json->line_len;
	return true;
}

/* A line that has been counted as a record lies whole at the cursor. */
static bool
skip_ndjson(IntakeDecoder *decoder, int sqlstate)
{
	IntakeNdjson *json = (IntakeNdjson *) decoder;

	if (json->record != decoder->position->record)
		return false;
	decoder->source->cursor += json->line_len;
	return true;
}

static const char *
text_ndjson(const IntakeDecoder *decoder, size_t *len)
{
	const IntakeNdjson *json = (const IntakeNdjson *) decoder;

	*len = json->text_len;
	return json->text;
}

/* Settles which values of which columns are converted at once. */
static void
begin_fast(IntakeNdjson *json)
{
	IntakeColumnSet *columns = json->base.columns;
	int			i;

	json->takes_string = palloc0(Max(columns->ncolumns, 1) * sizeof(bool));
	json->takes_number = palloc0(Max(columns->ncolumns, 1) * sizeof(bool));
	for (i = 0; i < columns->ncolumns; i++)
	{
		switch (columns->columns[i].conversion)
		{
			case INTAKE_CONVERT_INT2:
			case INTAKE_CONVERT_INT4:
			case INTAKE_CONVERT_INT8:
			case INTAKE_CONVERT_FLOAT4:
			case INTAKE_CONVERT_FLOAT8:
			case INTAKE_CONVERT_NUMERIC:
				json->takes_number[i] = true;
				json->takes_string[i] = !json->is_strict;
				break;
			case INTAKE_CONVERT_BOOL:
				json->takes_string[i] = !json->is_strict;
				break;
			case INTAKE_CONVERT_TEXT:
			case INTAKE_CONVERT_DATE:
			case INTAKE_CONVERT_TIMESTAMP:
			case INTAKE_CONVERT_TIMESTAMPTZ:
				json->takes_string[i] = true;
				break;
			default:
				break;
		}
	}
}

static IntakeDecoder *
begin_ndjson(IntakeSource *source, IntakeColumnSet *columns,
			 const IntakeOptions *options, IntakePosition *position)
{
	IntakeNdjson *json = palloc0(sizeof(IntakeNdjson));

	json->base.routine = &intake_format_ndjson;
	json->base.source = source;
	json->base.columns = columns;
	json->base.position = position;
	json->base.given = NULL;
	json->is_strict = options->types == INTAKE_TYPES_STRICT;
	json->ignore_unknown = options->unknown == INTAKE_UNKNOWN_IGNORE;
	json->takes_objects = options->rows != INTAKE_ROWS_ARRAY;
	json->context = CurrentMemoryContext;
	json->numbers = intake_columns_in_order(columns, options->columns,
											&json->nvalues);
	begin_fast(json);
	intake_ndjson_keys_make(&json->keys, columns);

	memset(position, 0, sizeof(*position));
	position->line = 1;
	intake_format_skip_bom(source);
	return &json->base;
}

static void
end_ndjson(IntakeDecoder *decoder)
{
	/* all memory is in contexts */
}

const IntakeFormatRoutine intake_format_ndjson = {
	.name = "ndjson",
	.is_binary = false,
	.begin = begin_ndjson,
	.next = next_ndjson,
	.skip = skip_ndjson,
	.text = text_ndjson,
	.end = end_ndjson
};
