/*-------------------------------------------------------------------------
 *
 * convert_time.c
 *	  Dates and times: ISO 8601 texts, and Avro's logical types.
 *
 * A text means the same in every session: it is ISO 8601, read by
 * format/scan_time.c and not by PostgreSQL's input functions, which heed
 * TimeZone and DateStyle.  What has no zone is UTC; what has one is turned
 * into UTC, for timestamp columns too.  The words infinity and -infinity are
 * taken besides ISO 8601, since PostgreSQL itself writes them and they do
 * not depend on anything; now, today and the like do, and are errors.
 *
 * Nothing is dropped: a time of day is an error for a date column, and so
 * are a date or a zone for a time column.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "common/int.h"
#include "utils/builtins.h"
#include "utils/date.h"
#include "utils/datetime.h"
#include "utils/timestamp.h"

#include "compat.h"
#include "convert.h"
#include "convert_fast.h"
#include "convert_internal.h"
#include "format/scan_time.h"

/* Room for a date and a time of any year. */
#define ISO_TEXT_SIZE 64

static void report_range(const char *what, const char *text, size_t len)
			pg_attribute_noreturn();

/* ---------- errors ---------- */

/* How a value of the column's type is to be written. */
static const char *
find_example(const IntakeColumn *column)
{
	switch (column->base_type)
	{
		case DATEOID:
			return "2024-02-29";
		case TIMEOID:
			return "23:59:59.999";
		case TIMETZOID:
			return "23:59:59.999+03:00";
		case TIMESTAMPOID:
			return "2024-02-29T23:59:59.999";
		case TIMESTAMPTZOID:
			return "2024-02-29T23:59:59.999Z";
		default:
			return "P1DT12H";
	}
}

void
intake_convert_report_time(const IntakeColumn *column, const char *text,
						   size_t len, const char *detail)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_DATETIME_FORMAT),
			 errmsg("invalid input syntax for type %s: \"%s\"",
					intake_convert_type_name(column),
					intake_convert_show(text, len)),
			 detail ? errdetail_internal("%s", detail) : 0,
			 errhint("Write it in ISO 8601, as in \"%s\".",
					 find_example(column))));
}

static void
report_field(const char *text, size_t len)
{
	ereport(ERROR,
			(errcode(ERRCODE_DATETIME_FIELD_OVERFLOW),
			 errmsg("date/time field value out of range: \"%s\"",
					intake_convert_show(text, len))));
}

/* what: date, timestamp */
static void
report_range(const char *what, const char *text, size_t len)
{
	ereport(ERROR,
			(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
			 errmsg("%s out of range: \"%s\"",
					what, intake_convert_show(text, len))));
}

static void
report_number_range(const char *what, int64 value)
{
	char		letters[MAXINT8LEN + 1];

	report_range(what, letters, pg_lltoa(value, letters));
}

/* ---------- texts ---------- */

/* 1: infinity, -1: -infinity, 0: neither */
static int
read_infinity(const char *text, size_t len)
{
	if (len == 8 && memcmp(text, "infinity", 8) == 0)
		return 1;
	if (len == 9 && memcmp(text, "-infinity", 9) == 0)
		return -1;
	return 0;
}

static void
check_scan(const IntakeColumn *column, IntakeTimeScan result,
		   const char *text, size_t len)
{
	if (result == INTAKE_TIME_BAD_SYNTAX)
		intake_convert_report_time(column, text, len, NULL);
	if (result == INTAKE_TIME_BAD_FIELD)
		report_field(text, len);
}

/* Days since 2000-01-01; false when PostgreSQL has no such date. */
static bool
compute_date(const IntakeScannedTime *scanned, DateADT *date)
{
	if (!IS_VALID_JULIAN(scanned->year, scanned->month, scanned->day))
		return false;
	*date = date2j(scanned->year, scanned->month, scanned->day) -
		POSTGRES_EPOCH_JDATE;
	return IS_VALID_DATE(*date);
}

/* Microseconds since 2000-01-01 UTC; false when out of range. */
static bool
compute_timestamp(int64 days, int64 microseconds, Timestamp *timestamp)
{
	return !pg_mul_s64_overflow(days, USECS_PER_DAY, timestamp) &&
		!pg_add_s64_overflow(*timestamp, microseconds, timestamp) &&
		IS_VALID_TIMESTAMP(*timestamp);
}

static Datum
convert_text_date(IntakeColumn *column, const char *text, size_t len)
{
	IntakeScannedTime scanned;
	DateADT		date;
	int			infinity = read_infinity(text, len);

	if (infinity != 0)
	{
		if (infinity > 0)
			DATE_NOEND(date);
		else
			DATE_NOBEGIN(date);
		return DateADTGetDatum(date);
	}

	check_scan(column, intake_scan_time_stamp(text, len, &scanned),
			   text, len);
	if (scanned.has_time)
		intake_convert_report_time(column, text, len,
								   "A date has no time of day.");
	if (!compute_date(&scanned, &date))
		report_range("date", text, len);
	return DateADTGetDatum(date);
}

/* timestamp and timestamptz */
static Datum
convert_text_timestamp(IntakeColumn *column, const char *text, size_t len)
{
	IntakeScannedTime scanned;
	DateADT		date;
	Timestamp	timestamp;
	int			infinity = read_infinity(text, len);

	if (infinity != 0)
	{
		if (infinity > 0)
			TIMESTAMP_NOEND(timestamp);
		else
			TIMESTAMP_NOBEGIN(timestamp);
		return TimestampGetDatum(timestamp);
	}

	check_scan(column, intake_scan_time_stamp(text, len, &scanned),
			   text, len);
	if (!compute_date(&scanned, &date) ||
		!compute_timestamp(date, scanned.microseconds -
						   scanned.zone * USECS_PER_SEC, &timestamp))
		report_range("timestamp", text, len);
	intake_round_timestamp(&timestamp, column->base_typmod);
	return TimestampGetDatum(timestamp);
}

/* time and timetz; a timetz without a zone is UTC */
static Datum
convert_text_time(IntakeColumn *column, const char *text, size_t len)
{
	bool		takes_zone = column->base_type == TIMETZOID;
	IntakeScannedTime scanned;
	TimeADT		time;
	TimeTzADT  *timetz;

	check_scan(column, intake_scan_time_of_day(text, len, &scanned),
			   text, len);
	if (scanned.has_zone && !takes_zone)
		intake_convert_report_time(column, text, len,
								   "A time without time zone has no zone.");
	if (scanned.microseconds > USECS_PER_DAY)
		report_field(text, len);

	time = scanned.microseconds;
	AdjustTimeForTypmod(&time, column->base_typmod);
	if (!takes_zone)
		return TimeADTGetDatum(time);

	timetz = palloc(sizeof(TimeTzADT));
	timetz->time = time;
	timetz->zone = -scanned.zone;
	return TimeTzADTPGetDatum(timetz);
}

Datum
intake_convert_time_datum(IntakeColumn *column, const char *text, size_t len)
{
	intake_convert_trim(&text, &len);
	switch (column->conversion)
	{
		case INTAKE_CONVERT_DATE:
			return convert_text_date(column, text, len);
		case INTAKE_CONVERT_TIMESTAMP:
		case INTAKE_CONVERT_TIMESTAMPTZ:
			return convert_text_timestamp(column, text, len);
		default:
			return convert_text_time(column, text, len);
	}
}

/* ---------- Avro's logical types ---------- */

/* 2024-02-29, -000043-03-15; days since 2000-01-01 */
static int
format_date(char *buffer, int days)
{
	int			year;
	int			month;
	int			day;

	j2date(days + POSTGRES_EPOCH_JDATE, &year, &month, &day);
	return snprintf(buffer, ISO_TEXT_SIZE,
					year >= 0 && year <= 9999 ? "%04d-%02d-%02d"
					: "%+07d-%02d-%02d", year, month, day);
}

/* 23:59:59.999999, the fraction only where there is one */
static int
format_time(char *buffer, int64 microseconds)
{
	int			seconds = (int) (microseconds / USECS_PER_SEC);
	int			fraction = (int) (microseconds % USECS_PER_SEC);
	int			len;

	len = sprintf(buffer, "%02d:%02d:%02d", seconds / SECS_PER_HOUR,
				  seconds / SECS_PER_MINUTE % MINS_PER_HOUR,
				  seconds % SECS_PER_MINUTE);
	if (fraction == 0)
		return len;

	len += sprintf(buffer + len, ".%06d", fraction);
	while (buffer[len - 1] == '0')
		len--;
	buffer[len] = '\0';
	return len;
}

/* 2024-02-29T23:59:59.999Z */
static void
format_timestamp(char *buffer, Timestamp timestamp, bool is_local)
{
	int64		days = timestamp / USECS_PER_DAY;
	int64		microseconds = timestamp % USECS_PER_DAY;
	int			len;

	if (microseconds < 0)
	{
		microseconds += USECS_PER_DAY;
		days--;
	}
	len = format_date(buffer, (int) days);
	buffer[len++] = 'T';
	len += format_time(buffer + len, microseconds);
	strcpy(buffer + len, is_local ? "" : "Z");
}

/* A timestamp goes into timestamp and timestamptz columns. */
static Datum
convert_timestamp(IntakeColumn *column, Timestamp timestamp)
{
	intake_round_timestamp(&timestamp, column->base_typmod);
	return intake_convert_finish(column, TimestampGetDatum(timestamp));
}

Datum
intake_convert_days(IntakeColumn *column, int64 days)
{
	char		text[ISO_TEXT_SIZE];
	Timestamp	timestamp;

	if (days < (int64) DATETIME_MIN_JULIAN - UNIX_EPOCH_JDATE ||
		days >= (int64) DATE_END_JULIAN - UNIX_EPOCH_JDATE)
		report_number_range("date", days);
	days -= INTAKE_EPOCH_DAYS;

	switch (column->conversion)
	{
		case INTAKE_CONVERT_DATE:
			return intake_convert_finish(column, DateADTGetDatum((int) days));
		case INTAKE_CONVERT_TIMESTAMP:
		case INTAKE_CONVERT_TIMESTAMPTZ:
			if (!compute_timestamp(days, 0, &timestamp))
				report_number_range("timestamp", days + INTAKE_EPOCH_DAYS);
			return convert_timestamp(column, timestamp);
		default:
			format_date(text, (int) days);
			return intake_convert_string_form(column, text, "an Avro date");
	}
}

Datum
intake_convert_time_of_day(IntakeColumn *column, int64 microseconds)
{
	char		text[ISO_TEXT_SIZE];
	TimeADT		time = microseconds;

	if (microseconds < 0 || microseconds > USECS_PER_DAY)
		report_number_range("time", microseconds);

	if (column->conversion == INTAKE_CONVERT_TIME)
	{
		AdjustTimeForTypmod(&time, column->base_typmod);
		return intake_convert_finish(column, TimeADTGetDatum(time));
	}
	format_time(text, microseconds);
	return intake_convert_string_form(column, text, "an Avro time");
}

/* A date column takes the instants that are midnights. */
static Datum
convert_instant_date(IntakeColumn *column, Timestamp timestamp, bool is_local)
{
	char		text[ISO_TEXT_SIZE];

	if (timestamp % USECS_PER_DAY != 0)
	{
		format_timestamp(text, timestamp, is_local);
		intake_convert_report_time(column, text, strlen(text),
								   "A date has no time of day.");
	}
	return DateADTGetDatum((DateADT) (timestamp / USECS_PER_DAY));
}

Datum
intake_convert_instant(IntakeColumn *column, int64 microseconds,
					   bool is_local)
{
	char		text[ISO_TEXT_SIZE];
	Timestamp	timestamp;

	if (pg_sub_s64_overflow(microseconds, INTAKE_EPOCH_DAYS * USECS_PER_DAY,
							&timestamp) ||
		!IS_VALID_TIMESTAMP(timestamp))
		report_number_range("timestamp", microseconds);

	switch (column->conversion)
	{
		case INTAKE_CONVERT_TIMESTAMP:
		case INTAKE_CONVERT_TIMESTAMPTZ:
			return convert_timestamp(column, timestamp);
		case INTAKE_CONVERT_DATE:
			return intake_convert_finish(column,
										 convert_instant_date(column,
															  timestamp,
															  is_local));
		default:
			format_timestamp(text, timestamp, is_local);
			return intake_convert_string_form(column, text,
											  "an Avro timestamp");
	}
}

/* P1M2DT3.004S */
static Datum
convert_duration_text(IntakeColumn *column, uint32 months, uint32 days,
					  uint32 milliseconds)
{
	char		text[ISO_TEXT_SIZE];

	snprintf(text, sizeof(text), "P%uM%uDT%u.%03uS", months, days,
			 milliseconds / 1000, milliseconds % 1000);
	return intake_convert_string_form(column, text, "an Avro duration");
}

Datum
intake_convert_duration(IntakeColumn *column, uint32 months, uint32 days,
						uint32 milliseconds)
{
	Interval   *interval;
	Datum		datum;

	if (column->conversion != INTAKE_CONVERT_INTERVAL)
		return convert_duration_text(column, months, days, milliseconds);

	if (months > PG_INT32_MAX || days > PG_INT32_MAX)
		ereport(ERROR,
				(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
				 errmsg("interval out of range: %u months, %u days",
						months, days)));

	interval = palloc(sizeof(Interval));
	interval->month = (int32) months;
	interval->day = (int32) days;
	interval->time = milliseconds * INT64CONST(1000);

	datum = IntervalPGetDatum(interval);
	if (column->base_typmod >= 0)
		datum = DirectFunctionCall2(interval_scale, datum,
									Int32GetDatum(column->base_typmod));
	return intake_convert_finish(column, datum);
}
