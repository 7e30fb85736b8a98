/*-------------------------------------------------------------------------
 *
 * convert_json.c
 *	  What JSON's scalars become; convert_nested.c has its arrays and objects.
 *
 * A JSON string in a json or jsonb column is a JSON string, never parsed as
 * JSON.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "mb/pg_wchar.h"
#include "parser/parse_coerce.h"
#include "utils/builtins.h"
#include "utils/json.h"

#include "convert.h"
#include "convert_internal.h"

static bool
is_numeric_conversion(const IntakeColumn *column)
{
	switch (column->conversion)
	{
		case INTAKE_CONVERT_INT2:
		case INTAKE_CONVERT_INT4:
		case INTAKE_CONVERT_INT8:
		case INTAKE_CONVERT_FLOAT4:
		case INTAKE_CONVERT_FLOAT8:
		case INTAKE_CONVERT_NUMERIC:
			return true;
		default:
			return false;
	}
}

static bool
is_time_conversion(const IntakeColumn *column)
{
	switch (column->conversion)
	{
		case INTAKE_CONVERT_DATE:
		case INTAKE_CONVERT_TIME:
		case INTAKE_CONVERT_TIMESTAMP:
		case INTAKE_CONVERT_TIMESTAMPTZ:
		case INTAKE_CONVERT_INTERVAL:
			return true;
		default:
			return column->base_type == TIMETZOID;
	}
}

/* May a number go into the column under types => 'strict'? */
static bool
is_number_strict(const IntakeColumn *column)
{
	return is_numeric_conversion(column) || intake_convert_is_json(column) ||
		(column->conversion == INTAKE_CONVERT_INPUT &&
		 TypeCategory(column->base_type) == TYPCATEGORY_NUMERIC);
}

/* 0 and 1 are false and true. */
static Datum
convert_number_bool(IntakeColumn *column, const char *number, size_t len)
{
	if (len != 1 || (*number != '0' && *number != '1'))
		intake_convert_report_syntax(column, number, len,
									 "Of all numbers, only 0 and 1 are taken.");
	return BoolGetDatum(*number == '1');
}

Datum
intake_convert_json_number(IntakeColumn *column, const char *number,
						   size_t len, bool is_strict)
{
	Datum		value;

	if (is_strict && !is_number_strict(column))
		intake_convert_report_mismatch(column, "a JSON number");
	if (is_time_conversion(column))
		intake_convert_report_time(column, number, len,
								   "A JSON number is not taken.");

	if (column->conversion == INTAKE_CONVERT_BOOL)
		value = convert_number_bool(column, number, len);
	else
		value = intake_convert_letters_datum(column, number, len,
											 "a JSON number");
	return column->is_domain ? intake_convert_finish(column, value) : value;
}

/* A word of PostgreSQL's own where a date or time is to be. */
static bool
is_infinity(const IntakeColumn *column, const char *text, size_t len)
{
	static const char word[] = "infinity";
	size_t		word_len = sizeof(word) - 1;

	return is_time_conversion(column) && len >= word_len &&
		memcmp(text + len - word_len, word, word_len) == 0;
}

/* A JSON string as a json value. */
static Datum
make_json_string(const char *text, size_t len)
{
	char	   *copy = pnstrdup(text, len);
	char	   *recoded = copy;
	StringInfoData quoted;

	if (intake_convert_needs_encoding())
		recoded = pg_any_to_server(copy, len, PG_UTF8);
	initStringInfo(&quoted);
	escape_json(&quoted, recoded);
	pfree(copy);
	return PointerGetDatum(cstring_to_text_with_len(quoted.data, quoted.len));
}

Datum
intake_convert_json_string(IntakeColumn *column, const char *text, size_t len,
						   bool is_strict)
{
	Datum		value;

	if (is_strict && is_infinity(column, text, len))
		intake_convert_report_time(column, text, len, NULL);
	if (is_strict && (is_numeric_conversion(column) ||
					  column->conversion == INTAKE_CONVERT_BOOL ||
					  column->conversion == INTAKE_CONVERT_ARRAY ||
					  column->conversion == INTAKE_CONVERT_COMPOSITE))
		intake_convert_report_mismatch(column, "a JSON string");

	if (column->conversion == INTAKE_CONVERT_JSON)
		value = make_json_string(text, len);
	else if (column->conversion == INTAKE_CONVERT_JSONB)
		value = intake_convert_jsonb_string_datum(text, len);
	else if (is_strict && column->conversion == INTAKE_CONVERT_POINT)
		value = intake_convert_json_point_datum(column, text, len);
	else
		value = intake_convert_text_datum(column, text, len);
	return column->is_domain ? intake_convert_finish(column, value) : value;
}

Datum
intake_convert_bool(IntakeColumn *column, bool value, bool is_strict)
{
	const char *letters = value ? "true" : "false";
	Datum		datum;

	switch (column->conversion)
	{
		case INTAKE_CONVERT_BOOL:
			datum = BoolGetDatum(value);
			break;
		case INTAKE_CONVERT_JSON:
		case INTAKE_CONVERT_JSONB:
			datum = intake_convert_text_datum(column, letters,
											  strlen(letters));
			break;
		case INTAKE_CONVERT_BYTEA:
		case INTAKE_CONVERT_ARRAY:
		case INTAKE_CONVERT_COMPOSITE:
			intake_convert_report_mismatch(column, "a boolean");
			break;
		default:
			if (is_strict)
				intake_convert_report_mismatch(column, "a boolean");
			datum = intake_convert_text_datum(column, letters,
											  strlen(letters));
			break;
	}
	return intake_convert_finish(column, datum);
}
