/*-------------------------------------------------------------------------
 *
 * convert_number.c
 *	  Integers and floats, from texts and Avro; its decimals are elsewhere.
 *
 * What format/scan_number.c does not read exactly goes through the type's own
 * input function, so the results are PostgreSQL's, bit by bit.
 *
 * A number is never rounded into an integer column: 1.0 and 1e3 are integers,
 * 1.5 is an error.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "common/int.h"
#include "common/shortest_dec.h"
#include "utils/builtins.h"
#include "utils/numeric.h"

#include "convert.h"
#include "convert_fast.h"
#include "convert_internal.h"

/* Where an exponent of ten is large enough to stop counting. */
#define EXPONENT_LIMIT 100000000

/* ---------- integers ---------- */

/* Appends a digit to a number that is kept negative; false: overflow. */
static bool
append_digit(int64 *negative, int digit)
{
	return !pg_mul_s64_overflow(*negative, 10, negative) &&
		!pg_sub_s64_overflow(*negative, digit, negative);
}

/* The sign goes last: the smallest int64 has no positive counterpart. */
static bool
apply_sign(int64 *negative, bool is_negative)
{
	if (is_negative)
		return true;
	if (*negative == PG_INT64_MIN)
		return false;
	*negative = -*negative;
	return true;
}

Datum
intake_convert_integer_datum(IntakeColumn *column, const char *text,
							 size_t len)
{
	const char *at = text;
	size_t		trimmed_len = len;
	const char *end;
	const char *digits;
	bool		is_negative = false;
	bool		is_in_range = true;
	int64		value = 0;
	Datum		datum;

	intake_convert_trim(&at, &trimmed_len);
	if (trimmed_len == 0 && column->is_sys_op)
		return Int16GetDatum(0);	/* empty, as a quoted field is */
	end = at + trimmed_len;
	if (at < end && (*at == '-' || *at == '+'))
		is_negative = *at++ == '-';

	for (digits = at; at < end && *at >= '0' && *at <= '9'; at++)
	{
		if (at - digits < INTAKE_INTEGER_DIGITS)
			value = value * 10 - (*at - '0');
		else
			is_in_range = is_in_range && append_digit(&value, *at - '0');
	}
	if (at == digits || at < end)
		intake_convert_report_syntax(column, text, len, NULL);

	if (!is_in_range || !apply_sign(&value, is_negative) ||
		!intake_convert_fast_integer(column, value, &datum))
		intake_convert_report_range(column, text, len);
	return datum;
}

/* The exponent behind e or E, cut at EXPONENT_LIMIT. */
static int
read_exponent(const char *at, const char *end)
{
	bool		is_negative = false;
	int			exponent = 0;

	if (at < end && (*at == '-' || *at == '+'))
		is_negative = *at++ == '-';
	for (; at < end; at++)
		exponent = Min(exponent * 10 + (*at - '0'), EXPONENT_LIMIT);
	return is_negative ? -exponent : exponent;
}

/*
 * Reads the digits in front of an exponent; the number is then -*value *
 * 10^*power.  Zeros wait until another digit tells that they count, so
 * *value does not end in zeros.  Returns false when it overflows.
 */
static bool
read_significand(const char **at, const char *end, int64 *value, int64 *power)
{
	bool		is_fraction = false;
	bool		is_in_range = true;
	int64		scale = 0;
	int64		zeros = 0;

	*value = 0;
	for (; *at < end && **at != 'e' && **at != 'E'; (*at)++)
	{
		if (**at == '.')
		{
			is_fraction = true;
			continue;
		}
		scale += is_fraction;
		zeros++;
		if (**at == '0')
			continue;

		for (; zeros > 1 && *value != 0 && is_in_range; zeros--)
			is_in_range = append_digit(value, 0);
		is_in_range = is_in_range && append_digit(value, **at - '0');
		zeros = 0;
	}
	*power = zeros - scale;
	return is_in_range;
}

/* The exact value of a JSON number as an integer of the column's type. */
static Datum
convert_letters_integer(IntakeColumn *column, const char *letters, size_t len)
{
	bool		is_negative = *letters == '-';
	const char *at = letters + is_negative;
	const char *end = letters + len;
	bool		is_in_range;
	int64		value;
	int64		power;
	Datum		datum;

	if (intake_scan_integer(letters, len, &value) &&
		intake_convert_fast_integer(column, value, &datum))
		return datum;

	is_in_range = read_significand(&at, end, &value, &power);
	if (at < end)
		power += read_exponent(at + 1, end);
	if (value != 0 && power < 0)
		intake_convert_report_syntax(column, letters, len,
									 "The number has a fraction.");
	for (; value != 0 && power > 0 && is_in_range; power--)
		is_in_range = append_digit(&value, 0);

	if (!is_in_range || !apply_sign(&value, is_negative) ||
		!intake_convert_fast_integer(column, value, &datum))
		intake_convert_report_range(column, letters, len);
	return datum;
}

/* ---------- floats ---------- */

Datum
intake_convert_float_datum(IntakeColumn *column, const char *text, size_t len)
{
	const char *trimmed = text;
	size_t		trimmed_len = len;
	Datum		datum;

	intake_convert_trim(&trimmed, &trimmed_len);
	if (intake_convert_fast_float(column, trimmed, trimmed_len, &datum))
		return datum;
	return intake_convert_input_datum(column, text, len);
}

float8
intake_convert_parse_float8(const char *text, size_t len)
{
	const char *p = text;
	IntakeDecimal decimal;
	float8		result;
	char	   *copy;

	if (intake_scan_decimal(&p, text + len, &decimal) && p == text + len &&
		intake_scan_float8(&decimal, &result))
		return result;

	copy = pnstrdup(text, len);
	result = DatumGetFloat8(DirectFunctionCall1(float8in,
												CStringGetDatum(copy)));
	pfree(copy);
	return result;
}

/* ---------- numbers of JSON and Avro ---------- */

Datum
intake_convert_letters_datum(IntakeColumn *column, const char *letters,
							 size_t len, const char *what)
{
	switch (column->conversion)
	{
		case INTAKE_CONVERT_INT2:
		case INTAKE_CONVERT_INT4:
		case INTAKE_CONVERT_INT8:
			return convert_letters_integer(column, letters, len);
		case INTAKE_CONVERT_FLOAT4:
		case INTAKE_CONVERT_FLOAT8:
			return intake_convert_float_datum(column, letters, len);
		case INTAKE_CONVERT_JSON:
			return intake_convert_make_text(letters, len);
		case INTAKE_CONVERT_NUMERIC:
		case INTAKE_CONVERT_TEXT:
		case INTAKE_CONVERT_CHARACTER:
		case INTAKE_CONVERT_JSONB:
			return intake_convert_text_datum(column, letters, len);
		case INTAKE_CONVERT_INPUT:
			if (column->base_type != TIMETZOID)
				return intake_convert_text_datum(column, letters, len);
			break;
		default:
			break;
	}
	intake_convert_report_mismatch(column, what);
}

/* A numeric made from an integer, to the column's precision and scale. */
static Datum
make_numeric(IntakeColumn *column, int64 value)
{
	Datum		result = NumericGetDatum(int64_to_numeric(value));

	if (column->base_typmod < 0)
		return result;
	return DirectFunctionCall2(numeric, result,
							   Int32GetDatum(column->base_typmod));
}

Datum
intake_convert_int64(IntakeColumn *column, int64 value)
{
	char		letters[MAXINT8LEN + 1];
	Datum		datum;
	int			len;

	switch (column->conversion)
	{
		case INTAKE_CONVERT_INT2:
		case INTAKE_CONVERT_INT4:
		case INTAKE_CONVERT_INT8:
			if (!intake_convert_fast_integer(column, value, &datum))
			{
				len = pg_lltoa(value, letters);
				intake_convert_report_range(column, letters, len);
			}
			break;
		case INTAKE_CONVERT_FLOAT4:
			datum = Float4GetDatum((float4) value);
			break;
		case INTAKE_CONVERT_FLOAT8:
			datum = Float8GetDatum((float8) value);
			break;
		case INTAKE_CONVERT_NUMERIC:
			datum = make_numeric(column, value);
			break;
		default:
			len = pg_lltoa(value, letters);
			datum = intake_convert_letters_datum(column, letters, len,
												 "an Avro int or long");
			break;
	}
	return intake_convert_finish(column, datum);
}

/*
 * By the number's shortest letters, where it goes into a decimal or a text:
 * an Avro float 0.1 is 0.1 then.
 */
static Datum
convert_float_letters(IntakeColumn *column, double value, bool is_single)
{
	char		letters[DOUBLE_SHORTEST_DECIMAL_LEN];
	int			len;

	if (is_single)
		len = float_to_shortest_decimal_buf((float) value, letters);
	else
		len = double_to_shortest_decimal_buf(value, letters);

	if ((isnan(value) || isinf(value)) &&
		(column->conversion == INTAKE_CONVERT_JSON ||
		 column->conversion == INTAKE_CONVERT_JSONB))
		intake_convert_report_syntax(column, letters, len,
									 "JSON has no such number.");
	return intake_convert_letters_datum(column, letters, len,
										is_single ? "an Avro float"
										: "an Avro double");
}

/* Two to the 63 is the first double beyond an int64. */
static Datum
convert_float_integer(IntakeColumn *column, double value)
{
	char		letters[DOUBLE_SHORTEST_DECIMAL_LEN];
	int			len = double_to_shortest_decimal_buf(value, letters);
	Datum		datum;

	if (value >= -9223372036854775808.0 && value < 9223372036854775808.0)
	{
		if (rint(value) != value)
			intake_convert_report_syntax(column, letters, len,
										 "The number has a fraction.");
		if (intake_convert_fast_integer(column, (int64) value, &datum))
			return datum;
	}
	intake_convert_report_range(column, letters, len);
}

/* PostgreSQL's cast: what overflows or vanishes is out of range. */
static Datum
convert_float_float4(IntakeColumn *column, double value)
{
	float4		result = (float4) value;

	if ((isinf(result) && !isinf(value)) || (result == 0 && value != 0))
	{
		char		letters[DOUBLE_SHORTEST_DECIMAL_LEN];
		int			len = double_to_shortest_decimal_buf(value, letters);

		intake_convert_report_range(column, letters, len);
	}
	return Float4GetDatum(result);
}

Datum
intake_convert_float(IntakeColumn *column, double value, bool is_single)
{
	Datum		datum;

	switch (column->conversion)
	{
		case INTAKE_CONVERT_FLOAT8:
			datum = Float8GetDatum(value);
			break;
		case INTAKE_CONVERT_FLOAT4:
			datum = convert_float_float4(column, value);
			break;
		case INTAKE_CONVERT_INT2:
		case INTAKE_CONVERT_INT4:
		case INTAKE_CONVERT_INT8:
			datum = convert_float_integer(column, value);
			break;
		default:
			datum = convert_float_letters(column, value, is_single);
			break;
	}
	return intake_convert_finish(column, datum);
}
