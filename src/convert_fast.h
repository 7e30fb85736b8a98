/*-------------------------------------------------------------------------
 *
 * convert_fast.h
 *	  The texts that most values are, converted where they are decoded.
 *
 * Whatever intake_convert_fast_text() does not convert, or finds odd, goes
 * through intake_convert_text(), which gives the same value where both do
 * and the error where there is one.  Both leave a domain's constraints to be
 * checked; intake_convert_prepare() sets is_fast for a column without any.
 *
 *-------------------------------------------------------------------------
 */
#ifndef INTAKE_CONVERT_FAST_H
#define INTAKE_CONVERT_FAST_H

#include "utils/date.h"
#include "utils/timestamp.h"

#include "convert.h"
#include "convert_arena.h"
#include "format/scan_number.h"
#include "format/scan_time.h"

/* Days from 1970-01-01 to PostgreSQL's 2000-01-01. */
#define INTAKE_EPOCH_DAYS (POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE)

/* An integer in the range of the column's type; false when it is not. */
static inline bool
intake_convert_fast_integer(const IntakeColumn *column, int64 value,
							Datum *datum)
{
	switch (column->conversion)
	{
		case INTAKE_CONVERT_INT2:
			*datum = Int16GetDatum((int16) value);
			return value >= PG_INT16_MIN && value <= PG_INT16_MAX;
		case INTAKE_CONVERT_INT4:
			*datum = Int32GetDatum((int32) value);
			return value >= PG_INT32_MIN && value <= PG_INT32_MAX;
		default:
			*datum = Int64GetDatum(value);
			return true;
	}
}

/* A decimal for a float column; false when that needs the slow way. */
static inline bool
intake_convert_fast_decimal(const IntakeColumn *column,
							const IntakeDecimal *decimal, Datum *datum)
{
	double		large;
	float		small;

	if (column->conversion == INTAKE_CONVERT_FLOAT8)
	{
		if (!intake_scan_float8(decimal, &large))
			return false;
		*datum = Float8GetDatum(large);
		return true;
	}
	if (!intake_scan_float4(decimal, &small))
		return false;
	*datum = Float4GetDatum(small);
	return true;
}

static inline bool
intake_convert_fast_float(const IntakeColumn *column, const char *text,
						  size_t len, Datum *datum)
{
	const char *p = text;
	IntakeDecimal decimal;

	return intake_scan_decimal(&p, text + len, &decimal) &&
		p == text + len &&
		intake_convert_fast_decimal(column, &decimal, datum);
}

static inline bool
intake_convert_fast_bool(const char *text, size_t len, Datum *datum)
{
	if (len == 1)
	{
		*datum = BoolGetDatum(*text == 't' || *text == '1');
		return *text == 't' || *text == 'f' || *text == '1' || *text == '0';
	}
	*datum = BoolGetDatum(len == 4);
	return (len == 4 && memcmp(text, "true", 4) == 0) ||
		(len == 5 && memcmp(text, "false", 5) == 0);
}

/* timestamp and timestamptz without a precision of their own */
static inline bool
intake_convert_fast_stamp(const IntakeColumn *column, const char *text,
						  size_t len, Datum *datum)
{
	int64		microseconds;

	if (column->base_typmod >= 0 ||
		!intake_scan_time_usual_stamp(text, len, &microseconds))
		return false;
	*datum = TimestampGetDatum(microseconds -
							   INTAKE_EPOCH_DAYS * USECS_PER_DAY);
	return true;
}

/*
 * convert_numeric.c: [-]digits[.digits] into numeric, when it needs no
 * rounding; false when it needs the slow way.
 */
extern bool intake_convert_fast_numeric(const IntakeColumn *column,
										const char *text, size_t len,
										Datum *datum);

/* Of a column that is_fast; false when the value needs the slow way. */
static inline bool
intake_convert_fast_text(const IntakeColumn *column, const char *text,
						 size_t len, Datum *datum)
{
	int64		integer;
	int			days;

	switch (column->conversion)
	{
		case INTAKE_CONVERT_TEXT:
			*datum = intake_convert_make_varlena(text, len);
			return true;
		case INTAKE_CONVERT_INT2:
		case INTAKE_CONVERT_INT4:
		case INTAKE_CONVERT_INT8:
			return intake_scan_integer(text, len, &integer) &&
				intake_convert_fast_integer(column, integer, datum);
		case INTAKE_CONVERT_FLOAT4:
		case INTAKE_CONVERT_FLOAT8:
			return intake_convert_fast_float(column, text, len, datum);
		case INTAKE_CONVERT_NUMERIC:
			return intake_convert_fast_numeric(column, text, len, datum);
		case INTAKE_CONVERT_BOOL:
			return intake_convert_fast_bool(text, len, datum);
		case INTAKE_CONVERT_TIMESTAMP:
		case INTAKE_CONVERT_TIMESTAMPTZ:
			return intake_convert_fast_stamp(column, text, len, datum);
		case INTAKE_CONVERT_DATE:
			if (!intake_scan_time_usual_date(text, len, &days))
				return false;
			*datum = DateADTGetDatum(days - INTAKE_EPOCH_DAYS);
			return true;
		default:
			return false;
	}
}

#endif							/* INTAKE_CONVERT_FAST_H */
