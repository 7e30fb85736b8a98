/*-------------------------------------------------------------------------
 *
 * avro_fast.h
 *	  Fields of Avro records that become Datums in a few instructions.
 *
 * For the pairs of an Avro type and a column's type that make up most of any
 * file: what a plan's step would do by a call for reading and another for
 * conversion is one branch here.  Whatever is odd about a value is left to
 * the step's own way, which judges it.
 *
 *-------------------------------------------------------------------------
 */
#ifndef INTAKE_AVRO_FAST_H
#define INTAKE_AVRO_FAST_H

#include "convert_fast.h"
#include "format/avro_schema.h"
#include "format/scan_avro.h"
#include "format/scan_utf8.h"

typedef enum IntakeAvroFastKind
{
	INTAKE_AVRO_FAST_NONE,
	INTAKE_AVRO_FAST_INT,		/* to int2, int4, int8 */
	INTAKE_AVRO_FAST_LONG,
	INTAKE_AVRO_FAST_DOUBLE,	/* to float8 */
	INTAKE_AVRO_FAST_STRING,	/* to text */
	INTAKE_AVRO_FAST_BOOLEAN,
	INTAKE_AVRO_FAST_MILLIS,	/* timestamps, to timestamp or timestamptz */
	INTAKE_AVRO_FAST_MICROS,
	INTAKE_AVRO_FAST_DATE
} IntakeAvroFastKind;

typedef struct IntakeAvroFast
{
	IntakeAvroFastKind kind;
	bool		is_union;		/* of null and one other type */
	char		null_byte;		/* the branch of null, as encoded */
	char		value_byte;
} IntakeAvroFast;

/* Timestamps nearer to 1970 than this are none of PostgreSQL's limits. */
#define INTAKE_AVRO_FAST_MICROS_LIMIT INT64CONST(200000000000000000)
#define INTAKE_AVRO_FAST_DAYS_LIMIT 1000000

/* How values of this type get into this column. */
extern IntakeAvroFast intake_avro_fast_choose(const IntakeAvroSchema *schema,
											  const IntakeColumn *column);

static inline bool
intake_avro_fast_stamp(int64 microseconds, Datum *datum)
{
	*datum = TimestampGetDatum(microseconds -
							   INTAKE_EPOCH_DAYS * USECS_PER_DAY);
	return microseconds > -INTAKE_AVRO_FAST_MICROS_LIMIT &&
		microseconds < INTAKE_AVRO_FAST_MICROS_LIMIT;
}

/* A value that is stored as an int or a long. */
static inline bool
intake_avro_fast_integer(IntakeAvroFastKind kind, const IntakeColumn *column,
						 int64 value, Datum *datum)
{
	switch (kind)
	{
		case INTAKE_AVRO_FAST_INT:
			return value >= PG_INT32_MIN && value <= PG_INT32_MAX &&
				intake_convert_fast_integer(column, value, datum);
		case INTAKE_AVRO_FAST_LONG:
			return intake_convert_fast_integer(column, value, datum);
		case INTAKE_AVRO_FAST_MILLIS:
			return value > -INTAKE_AVRO_FAST_MICROS_LIMIT / 1000 &&
				value < INTAKE_AVRO_FAST_MICROS_LIMIT / 1000 &&
				intake_avro_fast_stamp(value * 1000, datum);
		case INTAKE_AVRO_FAST_MICROS:
			return intake_avro_fast_stamp(value, datum);
		default:
			*datum = DateADTGetDatum((int) value - INTAKE_EPOCH_DAYS);
			return value > -INTAKE_AVRO_FAST_DAYS_LIMIT &&
				value < INTAKE_AVRO_FAST_DAYS_LIMIT;
	}
}

/* Reads a string of ASCII without NUL. */
static inline bool
intake_avro_fast_string(const char **cursor, const char *limit, Datum *datum)
{
	const char *p = *cursor;
	int64_t		len;

	if (!intake_scan_avro_usual_long(&p, limit, &len) ||
		len < 0 || len > limit - p ||
		!intake_scan_utf8_is_ascii_text(p, (size_t) len))
		return false;
	*datum = intake_convert_make_varlena(p, (size_t) len);
	*cursor = p + len;
	return true;
}

/*
 * Reads a value and moves the cursor behind it; false, and the cursor stays,
 * when the step has to do it.
 */
static inline bool
intake_avro_fast_load(const IntakeAvroFast *fast, const IntakeColumn *column,
					  const char **cursor, const char *limit, Datum *datum,
					  bool *is_null)
{
	const char *p = *cursor;
	uint64_t	word;
	int64_t		value;

	*is_null = false;
	if (fast->is_union)
	{
		if (p == limit)
			return false;
		if (*p == fast->null_byte)
		{
			*datum = (Datum) 0;
			*is_null = true;
			*cursor = p + 1;
			return true;
		}
		if (*p++ != fast->value_byte)
			return false;
	}

	switch (fast->kind)
	{
		case INTAKE_AVRO_FAST_NONE:
			return false;
		case INTAKE_AVRO_FAST_STRING:
			if (!intake_avro_fast_string(&p, limit, datum))
				return false;
			break;
		case INTAKE_AVRO_FAST_DOUBLE:
			if (limit - p < (ptrdiff_t) sizeof(word))
				return false;
			word = intake_scan_load_word(p);
			*datum = (Datum) word;
			p += sizeof(word);
			break;
		case INTAKE_AVRO_FAST_BOOLEAN:
			if (p == limit || (*p != 0 && *p != 1))
				return false;
			*datum = BoolGetDatum(*p == 1);
			p++;
			break;
		default:
			if (!intake_scan_avro_usual_long(&p, limit, &value) ||
				!intake_avro_fast_integer(fast->kind, column, value, datum))
				return false;
			break;
	}
	*cursor = p;
	return true;
}

#endif							/* INTAKE_AVRO_FAST_H */
