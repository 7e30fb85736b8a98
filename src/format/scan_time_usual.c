/*-------------------------------------------------------------------------
 *
 * scan_time_usual.c
 *	  The usual forms of dates and timestamps, read fast.  Plain C.
 *
 * A usual text has its digits and separators at fixed places, so eight of
 * its bytes are checked at once: a mask takes the separators and '0' away,
 * and what is added then carries into a byte's highest bit unless the byte
 * is a digit, or the separator that it must be.
 *
 * Whatever does not fit, or fits and is no such date or time, is left to
 * scan_time.c.
 *
 *-------------------------------------------------------------------------
 */
#include "format/scan_number.h"
#include "format/scan_time.h"

#define USECS_A_SECOND	INT64_C(1000000)

#define DATE_LENGTH		10
#define STAMP_LENGTH	19

/* Days from 0000-03-01 to 1970-01-01. */
#define EPOCH_DAY		719468

/* The first byte of a text is the lowest of a word. */
#define HIGH_BITS		UINT64_C(0x8080808080808080)
#define YEAR_MONTH		UINT64_C(0x2D30302D30303030)	/* 0000-00- */
#define YEAR_MONTH_ADD	UINT64_C(0x7F76767F76767676)
#define DAY_HOUR_T		UINT64_C(0x30303A3030543030)	/* 00T00:00 */
#define DAY_HOUR_BLANK	UINT64_C(0x30303A3030203030)
#define DAY_HOUR_ADD	UINT64_C(0x76767F76767F7676)

/* Byte i of a word that holds digits, as a number. */
#define DIGIT(word, i)	((int) ((word) >> (8 * (i))) & 0x0F)
#define TWO_DIGITS(word, i) (DIGIT(word, i) * 10 + DIGIT(word, (i) + 1))

static inline bool
fits(uint64_t word, uint64_t add)
{
	return (((word + add) | word) & HIGH_BITS) == 0;
}

/* Days since 1970-01-01 of a date from year 1 on; false if there is none. */
static inline bool
count_days(int year, int month, int day, int *days)
{
	static const unsigned char month_days[] = {
		0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31, 0, 0, 0
	};
	int			shifted;		/* months since March */
	bool		is_leap_day;

	if (year == 0 || month > 12)
		return false;
	is_leap_day = month == 2 && day == 29 && year % 4 == 0 &&
		(year % 100 != 0 || year % 400 == 0);
	if (day == 0 || (day > month_days[month] && !is_leap_day))
		return false;

	if (month <= 2)
		year--;
	shifted = month <= 2 ? month + 9 : month - 3;
	*days = year * 365 + year / 4 - year / 100 + year / 400 +
		(shifted * 153 + 2) / 5 + day - 1 - EPOCH_DAY;
	return true;
}

static inline bool
read_two_digits(const char *p, int *value)
{
	unsigned	high = (unsigned char) p[0] - (unsigned) '0';
	unsigned	low = (unsigned char) p[1] - (unsigned) '0';

	*value = (int) (high * 10 + low);
	return high <= 9 && low <= 9;
}

bool
intake_scan_time_usual_date(const char *text, size_t len, int *days)
{
	uint64_t	date;
	int			day;

	if (len != DATE_LENGTH)
		return false;
	date = intake_scan_load_word(text) ^ YEAR_MONTH;
	return fits(date, YEAR_MONTH_ADD) && read_two_digits(text + 8, &day) &&
		count_days(TWO_DIGITS(date, 0) * 100 + TWO_DIGITS(date, 2),
				   TWO_DIGITS(date, 5), day, days);
}

/* Reads .1 to .123456 at *p. */
static inline bool
read_fraction(const char **p, const char *end, int64_t *microseconds)
{
	static const int units[] = {0, 100000, 10000, 1000, 100, 10, 1};
	const char *begin = *p + 1;
	const char *at = begin;
	int			fraction = 0;

	for (; at < end; at++)
	{
		unsigned	digit = (unsigned char) *at - (unsigned) '0';

		if (digit > 9)
			break;
		if (at - begin == 6)
			return false;
		fraction = fraction * 10 + (int) digit;
	}
	*p = at;
	*microseconds = (int64_t) fraction * units[at - begin];
	return at > begin;
}

/* Reads Z, +03, +0300 or +03:00, to the end; nothing is Z. */
static inline bool
read_zone(const char *p, const char *end, int *seconds)
{
	int			hour;
	int			minute = 0;
	bool		is_west;

	*seconds = 0;
	if (p == end || (*p == 'Z' && p + 1 == end))
		return true;
	is_west = *p == '-';
	if ((!is_west && *p != '+') || end - p < 3 ||
		!read_two_digits(p + 1, &hour))
		return false;
	p += 3;
	if (p < end)
	{
		if (*p == ':')
			p++;
		if (end - p != 2 || !read_two_digits(p, &minute))
			return false;
	}
	*seconds = (hour * 60 + minute) * (is_west ? -60 : 60);
	return hour < 15 && minute < 60;
}

bool
intake_scan_time_usual_stamp(const char *text, size_t len,
							 int64_t *microseconds)
{
	const char *p = text + STAMP_LENGTH;
	const char *end = text + len;
	uint64_t	date;
	uint64_t	time;
	int64_t		fraction = 0;
	int			days;
	int			second;
	int			zone;

	if (len < STAMP_LENGTH)
		return false;
	date = intake_scan_load_word(text) ^ YEAR_MONTH;
	time = intake_scan_load_word(text + 8) ^
		(text[10] == ' ' ? DAY_HOUR_BLANK : DAY_HOUR_T);
	if (!fits(date, YEAR_MONTH_ADD) || !fits(time, DAY_HOUR_ADD) ||
		text[16] != ':' || !read_two_digits(text + 17, &second) ||
		!count_days(TWO_DIGITS(date, 0) * 100 + TWO_DIGITS(date, 2),
					TWO_DIGITS(date, 5), TWO_DIGITS(time, 0), &days) ||
		TWO_DIGITS(time, 3) > 23 || TWO_DIGITS(time, 6) > 59 || second > 59)
		return false;
	if (p < end && *p == '.' && !read_fraction(&p, end, &fraction))
		return false;
	if (!read_zone(p, end, &zone))
		return false;

	second += (TWO_DIGITS(time, 3) * 60 + TWO_DIGITS(time, 6)) * 60 - zone;
	*microseconds = ((int64_t) days * 86400 + second) * USECS_A_SECOND +
		fraction;
	return true;
}
