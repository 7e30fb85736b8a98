/*-------------------------------------------------------------------------
 *
 * fuzz_scan_time.c
 *	  The ISO 8601 scanner: what it takes is a moment that there is, and the
 *	  same moment in every other way to write it.
 *
 *-------------------------------------------------------------------------
 */
#include "format/scan_time.h"

#include "fuzz.h"

#define USECS_A_SECOND	INT64_C(1000000)
#define USECS_A_DAY		(86400 * USECS_A_SECOND)

/* The farthest year that can be written, see scan_time.h. */
#define MAX_YEAR 999999

static bool
is_leap(int year)
{
	return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static int
month_days(int year, int month)
{
	if (month == 2)
		return is_leap(year) ? 29 : 28;
	return month == 4 || month == 6 || month == 9 || month == 11 ? 30 : 31;
}

static int
day_of_year(int year, int month, int day)
{
	int			i;

	for (i = 1; i < month; i++)
		day += month_days(year, i);
	return day;
}

/* Monday is 1; Sakamoto's congruence on a year that is not negative. */
static int
weekday(int year, int month, int day)
{
	static const int shift[] = {0, 3, 2, 5, 0, 3, 5, 1, 4, 6, 2, 4};
	int			y = (year % 400 + 400) % 400 + 400 - (month < 3);
	int			sunday_is_0;

	sunday_is_0 = (y + y / 4 - y / 100 + y / 400 + shift[month - 1] + day) % 7;
	return sunday_is_0 == 0 ? 7 : sunday_is_0;
}

/* The ISO week and the year that it belongs to: those of its Thursday. */
static void
week_of(const IntakeScannedTime *time, int *year, int *week)
{
	int			thursday = day_of_year(time->year, time->month, time->day) +
		4 - weekday(time->year, time->month, time->day);

	*year = time->year;
	if (thursday < 1)
	{
		(*year)--;
		thursday += is_leap(*year) ? 366 : 365;
	}
	else if (thursday > (is_leap(*year) ? 366 : 365))
	{
		thursday -= is_leap(*year) ? 366 : 365;
		(*year)++;
	}
	*week = (thursday - 1) / 7 + 1;
}

/* A year as it is written; false when it cannot be. */
static bool
print_year(char *out, size_t size, int year)
{
	if (year < -MAX_YEAR || year > MAX_YEAR)
		return false;
	snprintf(out, size, year >= 0 && year <= 9999 ? "%04d" : "%+06d", year);
	return true;
}

/* The clock and the zone, as they are written. */
static void
print_clock(char *out, size_t size, const IntakeScannedTime *time)
{
	int64_t		usecs = time->microseconds;
	int			zone = time->zone < 0 ? -time->zone : time->zone;
	int			seconds = (int) (usecs / USECS_A_SECOND);
	int			used;

	if (usecs <= USECS_A_DAY)
		used = snprintf(out, size, "%02d:%02d:%02d.%06d", seconds / 3600,
						seconds / 60 % 60, seconds % 60,
						(int) (usecs % USECS_A_SECOND));
	else if (usecs < USECS_A_DAY + USECS_A_SECOND)
		used = snprintf(out, size, "23:59:60.%06d",
						(int) (usecs % USECS_A_SECOND));
	else
		used = snprintf(out, size, "23:59:60.9999999");
	if (time->has_zone)
		snprintf(out + used, size - used, "%c%02d:%02d:%02d",
				 time->zone < 0 ? '-' : '+', zone / 3600, zone / 60 % 60,
				 zone % 60);
}

static void
check_range(const IntakeScannedTime *time)
{
	FUZZ_CHECK(time->microseconds >= 0);
	FUZZ_CHECK(time->microseconds <= USECS_A_DAY + USECS_A_SECOND);
	FUZZ_CHECK(time->has_time ||
			   (time->microseconds == 0 && !time->has_zone));
	FUZZ_CHECK(time->has_zone || time->zone == 0);
	FUZZ_CHECK(time->zone > -16 * 3600 && time->zone < 16 * 3600);
}

static void
check_same(const IntakeScannedTime *a, const IntakeScannedTime *b)
{
	FUZZ_CHECK(a->year == b->year);
	FUZZ_CHECK(a->month == b->month);
	FUZZ_CHECK(a->day == b->day);
	FUZZ_CHECK(a->microseconds == b->microseconds);
	FUZZ_CHECK(a->has_time == b->has_time);
	FUZZ_CHECK(a->has_zone == b->has_zone);
	FUZZ_CHECK(a->zone == b->zone);
}

/* Scans another way to write a moment. */
static void
check_rescan(const char *date, const IntakeScannedTime *time)
{
	IntakeScannedTime again;
	char		clock[64];
	char		text[128];

	if (time->has_time)
		print_clock(clock, sizeof(clock), time);
	snprintf(text, sizeof(text), "%s%s%s", date, time->has_time ? "T" : "",
			 time->has_time ? clock : "");
	FUZZ_CHECK(intake_scan_time_stamp(text, strlen(text), &again) ==
			   INTAKE_TIME_FINE);
	check_same(time, &again);
}

/* Writes the moment with a calendar, an ordinal and a week date. */
static void
check_stamp(const IntakeScannedTime *time)
{
	char		year[16];
	char		date[64];
	int			week_year;
	int			week;

	check_range(time);
	FUZZ_CHECK(time->month >= 1 && time->month <= 12);
	FUZZ_CHECK(time->day >= 1);
	FUZZ_CHECK(time->day <= month_days(time->year, time->month));

	if (print_year(year, sizeof(year), time->year))
	{
		snprintf(date, sizeof(date), "%s-%02d-%02d", year, time->month,
				 time->day);
		check_rescan(date, time);
		snprintf(date, sizeof(date), "%s-%03d", year,
				 day_of_year(time->year, time->month, time->day));
		check_rescan(date, time);
	}
	week_of(time, &week_year, &week);
	if (print_year(year, sizeof(year), week_year))
	{
		snprintf(date, sizeof(date), "%s-W%02d-%d", year, week,
				 weekday(time->year, time->month, time->day));
		check_rescan(date, time);
	}
}

static void
check_time_of_day(const IntakeScannedTime *time)
{
	IntakeScannedTime again;
	char		clock[64];

	check_range(time);
	FUZZ_CHECK(time->has_time);
	FUZZ_CHECK(time->year == 0 && time->month == 0 && time->day == 0);
	print_clock(clock, sizeof(clock), time);
	FUZZ_CHECK(intake_scan_time_of_day(clock, strlen(clock), &again) ==
			   INTAKE_TIME_FINE);
	check_same(time, &again);
}

/* Days since 1970-01-01, counted by years and days of the year. */
static int64_t
count_days(const IntakeScannedTime *time)
{
	int64_t		cycles = time->year >= 0 ? time->year / 400 :
		-((399 - (int64_t) time->year) / 400);
	int			years = (int) (time->year - cycles * 400);
	int64_t		days = cycles * 146097 - 719528;
	int			i;

	for (i = 0; i < years; i++)
		days += is_leap(i) ? 366 : 365;
	return days + day_of_year(time->year, time->month, time->day) - 1;
}

/* What the fast functions read, the others read as well, and as the same. */
static void
check_usual(const char *text, size_t len)
{
	IntakeScannedTime time;
	int			days;
	int64_t		usecs;

	if (intake_scan_time_usual_date(text, len, &days))
	{
		FUZZ_CHECK(intake_scan_time_stamp(text, len, &time) ==
				   INTAKE_TIME_FINE);
		FUZZ_CHECK(!time.has_time && count_days(&time) == days);
	}
	if (intake_scan_time_usual_stamp(text, len, &usecs))
	{
		FUZZ_CHECK(intake_scan_time_stamp(text, len, &time) ==
				   INTAKE_TIME_FINE);
		FUZZ_CHECK(time.has_time);
		FUZZ_CHECK(count_days(&time) * USECS_A_DAY + time.microseconds -
				   time.zone * USECS_A_SECOND == usecs);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	char	   *text = fuzz_copy(data, len);
	IntakeScannedTime time;

	if (intake_scan_time_stamp(text, len, &time) == INTAKE_TIME_FINE)
		check_stamp(&time);
	if (intake_scan_time_of_day(text, len, &time) == INTAKE_TIME_FINE)
		check_time_of_day(&time);
	check_usual(text, len);
	free(text);
	return 0;
}
