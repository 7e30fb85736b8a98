/*-------------------------------------------------------------------------
 *
 * scan_time.c
 *	  ISO 8601 dates and times.  Plain C.
 *
 * The scanner goes from left to right and never looks back.  Syntax comes
 * before meaning: a text that is not of one of the forms is bad syntax, even
 * when it also has a month 13, so the first bad field is only remembered
 * until the end of the text is reached.
 *
 *-------------------------------------------------------------------------
 */
#include <string.h>

#include "format/scan_time.h"

#define USECS_A_SECOND	INT64_C(1000000)
#define USECS_A_MINUTE	(60 * USECS_A_SECOND)
#define USECS_A_HOUR	(60 * USECS_A_MINUTE)

/* Digits of a fraction that count; 10^15 is exact in a double. */
#define FRACTION_DIGITS 15

/* The largest displacement PostgreSQL knows. */
#define MAX_ZONE_HOUR	15

typedef struct TimeCursor
{
	const char *at;
	const char *end;
	bool		is_bad_field;
} TimeCursor;

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static int
count_digits(const TimeCursor *cursor)
{
	const char *at = cursor->at;

	while (at < cursor->end && is_digit(*at))
		at++;
	return at - cursor->at;
}

/* Reads exactly count (up to 9) digits. */
static bool
read_digits(TimeCursor *cursor, int count, int *value)
{
	int			i;

	if (cursor->end - cursor->at < count)
		return false;
	*value = 0;
	for (i = 0; i < count; i++)
	{
		if (!is_digit(cursor->at[i]))
			return false;
		*value = *value * 10 + (cursor->at[i] - '0');
	}
	cursor->at += count;
	return true;
}

static bool
read_char(TimeCursor *cursor, char c)
{
	if (cursor->at == cursor->end || *cursor->at != c)
		return false;
	cursor->at++;
	return true;
}

static void
check_field(TimeCursor *cursor, int value, int least, int most)
{
	if (value < least || value > most)
		cursor->is_bad_field = true;
}

static bool
is_leap_year(int year)
{
	return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

static int
count_month_days(int year, int month)
{
	static const int month_days[] = {
		31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31
	};

	return month == 2 && is_leap_year(year) ? 29 : month_days[month - 1];
}

/* The weekday of January 1, 1 is Monday. */
static int
first_weekday(int year)
{
	int			cycle = (year % 400 + 400) % 400;
	int			before = cycle + 399;	/* years since 1 mod 400, positive */

	/* a 400-year cycle has whole weeks, and 0001-01-01 was a Monday */
	before %= 400;
	return (before * 365 + before / 4 - before / 100) % 7 + 1;
}

/* A year has week 53 if it begins, or ends, on a Thursday. */
static int
count_weeks(int year)
{
	int			weekday = first_weekday(year);

	return weekday == 4 || (weekday == 3 && is_leap_year(year)) ? 53 : 52;
}

/* Month and day from the day of the year, which may lie in its neighbours. */
static void
resolve_day_of_year(IntakeScannedTime *result, int day)
{
	if (day < 1)
	{
		result->year--;
		day += is_leap_year(result->year) ? 366 : 365;
	}
	else if (day > (is_leap_year(result->year) ? 366 : 365))
	{
		day -= is_leap_year(result->year) ? 366 : 365;
		result->year++;
	}

	result->month = 1;
	while (day > count_month_days(result->year, result->month))
		day -= count_month_days(result->year, result->month++);
	result->day = day;
}

static void
set_calendar_date(TimeCursor *cursor, IntakeScannedTime *result,
				  int month, int day)
{
	check_field(cursor, month, 1, 12);
	if (!cursor->is_bad_field)
		check_field(cursor, day, 1, count_month_days(result->year, month));
	result->month = month;
	result->day = day;
}

static void
set_ordinal_date(TimeCursor *cursor, IntakeScannedTime *result, int day)
{
	check_field(cursor, day, 1, is_leap_year(result->year) ? 366 : 365);
	if (!cursor->is_bad_field)
		resolve_day_of_year(result, day);
}

static void
set_week_date(TimeCursor *cursor, IntakeScannedTime *result,
			  int week, int weekday)
{
	int			monday;			/* of week 1, as a day of the year */

	check_field(cursor, week, 1, count_weeks(result->year));
	check_field(cursor, weekday, 1, 7);
	if (cursor->is_bad_field)
		return;

	/* week 1 is the one with January 4 in it */
	monday = 2 - first_weekday(result->year);
	if (first_weekday(result->year) > 4)
		monday += 7;
	resolve_day_of_year(result, monday + (week - 1) * 7 + weekday - 1);
}

/* What follows the year of a basic form: MMDD or DDD or WwwD. */
static bool
scan_basic_date(TimeCursor *cursor, IntakeScannedTime *result)
{
	int			first;
	int			second;

	if (read_char(cursor, 'W'))
	{
		if (!read_digits(cursor, 2, &first) ||
			!read_digits(cursor, 1, &second))
			return false;
		set_week_date(cursor, result, first, second);
		return true;
	}

	switch (count_digits(cursor))
	{
		case 3:
			if (!read_digits(cursor, 3, &first))
				return false;
			set_ordinal_date(cursor, result, first);
			return true;
		case 4:
			if (!read_digits(cursor, 2, &first) ||
				!read_digits(cursor, 2, &second))
				return false;
			set_calendar_date(cursor, result, first, second);
			return true;
		default:
			return false;
	}
}

/* What follows the year and a hyphen: MM-DD or DDD or Www-D. */
static bool
scan_extended_date(TimeCursor *cursor, IntakeScannedTime *result)
{
	int			first;
	int			second;

	if (read_char(cursor, 'W'))
	{
		if (!read_digits(cursor, 2, &first) || !read_char(cursor, '-') ||
			!read_digits(cursor, 1, &second))
			return false;
		set_week_date(cursor, result, first, second);
		return true;
	}

	if (count_digits(cursor) == 3)
	{
		if (!read_digits(cursor, 3, &first))
			return false;
		set_ordinal_date(cursor, result, first);
		return true;
	}

	if (!read_digits(cursor, 2, &first) || !read_char(cursor, '-') ||
		!read_digits(cursor, 2, &second))
		return false;
	set_calendar_date(cursor, result, first, second);
	return true;
}

static bool
scan_date(TimeCursor *cursor, IntakeScannedTime *result)
{
	bool		is_negative = read_char(cursor, '-');
	int			digits;

	if (is_negative || read_char(cursor, '+'))
	{
		digits = count_digits(cursor);
		if (digits < 5 || digits > 6 ||
			!read_digits(cursor, digits, &result->year) ||
			(is_negative && result->year == 0) || !read_char(cursor, '-'))
			return false;
		if (is_negative)
			result->year = -result->year;
		return scan_extended_date(cursor, result);
	}

	if (!read_digits(cursor, 4, &result->year))
		return false;
	if (read_char(cursor, '-'))
		return scan_extended_date(cursor, result);
	return scan_basic_date(cursor, result);
}

/*
 * The fraction of an hour or a minute in microseconds, rounded half to even:
 * fraction * unit / 10^15 without overflow.
 */
static int64_t
multiply_fraction(int64_t fraction, int64_t unit)
{
	int64_t		high = fraction / 10000000 * unit;
	int64_t		low = fraction % 10000000 * unit;
	int64_t		whole = high / 100000000;
	int64_t		rest = high % 100000000 * 10000000 + low;
	int64_t		half = INT64_C(500000000000000);

	whole += rest / (2 * half);
	rest %= 2 * half;
	if (rest > half || (rest == half && whole % 2 == 1))
		whole++;
	return whole;
}

/* Rounds half to even, without the help of libm. */
static int64_t
round_double(double value)
{
	int64_t		whole = (int64_t) value;
	double		rest = value - (double) whole;

	return whole + (rest > 0.5 || (rest == 0.5 && whole % 2 == 1));
}

/*
 * Reads a fraction of a unit (an hour, a minute, a second), if one is next.
 * Seconds are rounded as PostgreSQL rounds them, by a product of doubles.
 */
static bool
scan_fraction(TimeCursor *cursor, int64_t unit, int64_t *microseconds)
{
	int64_t		fraction = 0;
	int			digits = 0;

	*microseconds = 0;
	if (!read_char(cursor, '.') && !read_char(cursor, ','))
		return true;

	if (count_digits(cursor) == 0)
		return false;
	for (; cursor->at < cursor->end && is_digit(*cursor->at); cursor->at++)
	{
		if (digits == FRACTION_DIGITS)
			continue;
		fraction = fraction * 10 + (*cursor->at - '0');
		digits++;
	}
	for (; digits < FRACTION_DIGITS; digits++)
		fraction *= 10;

	if (unit == USECS_A_SECOND)
		*microseconds = round_double((double) fraction / 1e15 * 1e6);
	else
		*microseconds = multiply_fraction(fraction, unit);
	return true;
}

/* Reads a zone, if one is next. */
static bool
scan_zone(TimeCursor *cursor, IntakeScannedTime *result)
{
	bool		is_west;
	int			hour;
	int			minute = 0;
	int			second = 0;

	if (cursor->at == cursor->end)
		return true;

	result->has_zone = true;
	if (read_char(cursor, 'Z') || read_char(cursor, 'z'))
		return true;

	is_west = read_char(cursor, '-');
	if ((!is_west && !read_char(cursor, '+')) ||
		!read_digits(cursor, 2, &hour))
		return false;
	if (read_char(cursor, ':'))
	{
		if (!read_digits(cursor, 2, &minute) ||
			(read_char(cursor, ':') && !read_digits(cursor, 2, &second)))
			return false;
	}
	else if (count_digits(cursor) > 0 && !read_digits(cursor, 2, &minute))
		return false;

	check_field(cursor, hour, 0, MAX_ZONE_HOUR);
	check_field(cursor, minute, 0, 59);
	check_field(cursor, second, 0, 59);
	result->zone = (hour * 60 + minute) * 60 + second;
	if (is_west)
		result->zone = -result->zone;
	return true;
}

/* Reads hour, minute and second; *unit is that of the last one given. */
static bool
scan_clock(TimeCursor *cursor, int *hour, int *minute, int *second,
		   int64_t *unit)
{
	bool		is_extended;

	*minute = *second = 0;
	*unit = USECS_A_HOUR;
	if (!read_digits(cursor, 2, hour))
		return false;
	is_extended = read_char(cursor, ':');
	if (!is_extended && count_digits(cursor) == 0)
		return true;

	*unit = USECS_A_MINUTE;
	if (!read_digits(cursor, 2, minute))
		return false;
	if (is_extended ? !read_char(cursor, ':') : count_digits(cursor) == 0)
		return true;

	*unit = USECS_A_SECOND;
	return read_digits(cursor, 2, second);
}

/* Reads a time and a zone, to the end of the text. */
static bool
scan_time(TimeCursor *cursor, IntakeScannedTime *result)
{
	int			hour;
	int			minute;
	int			second;
	int64_t		unit;
	int64_t		fraction;

	if (!scan_clock(cursor, &hour, &minute, &second, &unit) ||
		!scan_fraction(cursor, unit, &fraction))
		return false;

	check_field(cursor, hour, 0, 24);
	check_field(cursor, minute, 0, 59);
	check_field(cursor, second, 0, 60);
	if (hour == 24 && (minute > 0 || second > 0 || fraction > 0))
		cursor->is_bad_field = true;
	result->has_time = true;
	result->microseconds = hour * USECS_A_HOUR + minute * USECS_A_MINUTE +
		second * USECS_A_SECOND + fraction;

	return scan_zone(cursor, result) && cursor->at == cursor->end;
}

static void
begin_scan(TimeCursor *cursor, const char *text, size_t len,
		   IntakeScannedTime *result)
{
	memset(result, 0, sizeof(*result));
	cursor->at = text;
	cursor->end = text + len;
	cursor->is_bad_field = false;
}

IntakeTimeScan
intake_scan_time_stamp(const char *text, size_t len,
					   IntakeScannedTime *result)
{
	TimeCursor	cursor;

	begin_scan(&cursor, text, len, result);
	if (!scan_date(&cursor, result))
		return INTAKE_TIME_BAD_SYNTAX;
	if (cursor.at < cursor.end)
	{
		if (!read_char(&cursor, 'T') && !read_char(&cursor, 't') &&
			!read_char(&cursor, ' '))
			return INTAKE_TIME_BAD_SYNTAX;
		if (!scan_time(&cursor, result))
			return INTAKE_TIME_BAD_SYNTAX;
	}
	return cursor.is_bad_field ? INTAKE_TIME_BAD_FIELD : INTAKE_TIME_FINE;
}

IntakeTimeScan
intake_scan_time_of_day(const char *text, size_t len,
						IntakeScannedTime *result)
{
	TimeCursor	cursor;

	begin_scan(&cursor, text, len, result);
	if (!scan_time(&cursor, result))
		return INTAKE_TIME_BAD_SYNTAX;
	return cursor.is_bad_field ? INTAKE_TIME_BAD_FIELD : INTAKE_TIME_FINE;
}
