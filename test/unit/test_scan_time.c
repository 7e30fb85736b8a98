/*-------------------------------------------------------------------------
 *
 * test_scan_time.c
 *	  ISO 8601 dates and times: the values are those of the standard's own
 *	  examples, of calendars, and of arithmetic done here in another way.
 *
 *-------------------------------------------------------------------------
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "format/scan_time.h"
#include "tap.h"

typedef enum Kind
{
	STAMP,
	TIME_OF_DAY
} Kind;

/* The scanner's answer as a text; the input lies at the end of its memory. */
static const char *
scan(Kind kind, const char *text, size_t len)
{
	static char answer[100];
	char	   *exact = malloc(len > 0 ? len : 1);
	IntakeScannedTime t;
	IntakeTimeScan result;
	int			n = 0;

	memcpy(exact, text, len);
	result = kind == STAMP ? intake_scan_time_stamp(exact, len, &t)
		: intake_scan_time_of_day(exact, len, &t);
	free(exact);

	if (result != INTAKE_TIME_FINE)
		return result == INTAKE_TIME_BAD_SYNTAX ? "syntax" : "field";
	if (kind == STAMP)
		n = snprintf(answer, sizeof(answer), "%d-%d-%d",
					 t.year, t.month, t.day);
	if (t.has_time)
		n += snprintf(answer + n, sizeof(answer) - n, " %lld",
					  (long long) t.microseconds);
	if (t.has_zone)
		snprintf(answer + n, sizeof(answer) - n, " zone %d", t.zone);
	return answer;
}

/* Days since 1970-01-01, by counting. */
static int64_t
count_days(int year, int month, int day)
{
	static const int month_days[] = {
		31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31
	};
	int64_t		past = year - 1;
	int64_t		days = year > 0 ?
		past * 365 + past / 4 - past / 100 + past / 400 : -366;
	bool		is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
	int			i;

	for (i = 1; i < month; i++)
		days += month_days[i - 1] + (i == 2 && is_leap);
	return days + day - 1 - 719162;
}

static void
check(Kind kind, const char *text, const char *expected)
{
	const char *answer = scan(kind, text, strlen(text));
	char		name[300];

	snprintf(name, sizeof(name), "\"%s\" is %s", text, expected);
	ok(strcmp(answer, expected) == 0, name);
	if (strcmp(answer, expected) != 0)
		printf("# got %s\n", answer);
}

static void
test_dates(void)
{
	/* calendar */
	check(STAMP, "1985-04-12", "1985-4-12");
	check(STAMP, "19850412", "1985-4-12");
	check(STAMP, "2000-02-29", "2000-2-29");
	check(STAMP, "1900-02-29", "field");
	check(STAMP, "2100-02-29", "field");
	check(STAMP, "2004-02-30", "field");
	check(STAMP, "2021-02-29", "field");
	check(STAMP, "2020-04-31", "field");
	check(STAMP, "2020-00-01", "field");
	check(STAMP, "2020-13-01", "field");
	check(STAMP, "2020-01-00", "field");
	check(STAMP, "0000-01-01", "0-1-1");
	check(STAMP, "0000-02-29", "0-2-29");
	check(STAMP, "9999-12-31", "9999-12-31");

	/* ordinal */
	check(STAMP, "1985-102", "1985-4-12");
	check(STAMP, "1985102", "1985-4-12");
	check(STAMP, "1981-095", "1981-4-5");
	check(STAMP, "2004-366", "2004-12-31");
	check(STAMP, "2004366", "2004-12-31");
	check(STAMP, "2005-366", "field");
	check(STAMP, "2005-000", "field");
	check(STAMP, "2005-367", "field");
	check(STAMP, "2008-060", "2008-2-29");

	/* week: the table of years that begin on each weekday */
	check(STAMP, "1985-W15-5", "1985-4-12");
	check(STAMP, "1985W155", "1985-4-12");
	check(STAMP, "2004-W53-6", "2005-1-1");
	check(STAMP, "2004W537", "2005-1-2");
	check(STAMP, "2005-W52-6", "2005-12-31");
	check(STAMP, "2005-W52-7", "2006-1-1");
	check(STAMP, "2006-W01-1", "2006-1-2");
	check(STAMP, "2007-W01-1", "2007-1-1");
	check(STAMP, "2007-W52-7", "2007-12-30");
	check(STAMP, "2008-W01-1", "2007-12-31");
	check(STAMP, "2008-W39-6", "2008-9-27");
	check(STAMP, "2008-W52-7", "2008-12-28");
	check(STAMP, "2009-W01-1", "2008-12-29");
	check(STAMP, "2009-W01-3", "2008-12-31");
	check(STAMP, "2009-W53-4", "2009-12-31");
	check(STAMP, "2009-W53-7", "2010-1-3");
	check(STAMP, "2010-W01-1", "2010-1-4");
	check(STAMP, "2020-W53-5", "2021-1-1");
	check(STAMP, "2005-W53-1", "field");
	check(STAMP, "2008-W53-1", "field");
	check(STAMP, "2008-W00-1", "field");
	check(STAMP, "2008-W39-0", "field");
	check(STAMP, "2008-W39-8", "field");

	/* expanded years */
	check(STAMP, "+001985-04-12", "1985-4-12");
	check(STAMP, "+12020-02-29", "12020-2-29");
	check(STAMP, "-00043-03-15", "-43-3-15");
	check(STAMP, "-000004-02-29", "-4-2-29");
	check(STAMP, "+001985-102", "1985-4-12");
	check(STAMP, "+001985-W15-5", "1985-4-12");
	check(STAMP, "+000000-01-01", "0-1-1");
	check(STAMP, "-000000-01-01", "syntax");
	check(STAMP, "+1985-04-12", "syntax");
	check(STAMP, "-0043-03-15", "syntax");
	check(STAMP, "+0019850-04-12", "syntax");
	check(STAMP, "+0019850412", "syntax");
	check(STAMP, "12020-02-29", "syntax");
}

static void
test_bad_dates(void)
{
	static const char *const bad[] = {
		"", " ", "-", "+", "2", "20", "2020", "2020-", "2020-01", "2020-01-",
		"202001", "2020-01-1", "2020-1-01", "2020-1-1", "20-01-01", "200101",
		"2020-0101", "202001-01", "2020-W01", "2020W01", "2020-W011",
		"2020W01-1", "2020-W1-1", "2020-w01-1", "2020/01/01", "01.02.2020",
		"01/02/2020", "2020-01-01x", " 2020-01-01", "2020-01-01 ",
		"2020-01-01T", "2020-01-01  12:00", "2020-01-01Z", "2020-01-01+03",
		"2020-01-01_12:00", "2020-01-01T12:00 Z", "2020-01-01 12:00 +03",
		"now", "today", "yesterday", "tomorrow", "epoch", "infinity",
		"Jan 1 2020", "2020-Jan-01", "J2451545", "2020-01-01 BC", "202001011",
		"2020-01-01T12:00:00+3", "2020-01-01T12:00:00+030",
		"2020-01-01T12:00:00UTC", "2020-01-01T12:00:00 PM", "2020-1", "2020W",
		"2020-01-01T12:00:00+03:0", "2020-01-01T12:00:00+03:00:0",
		"2020-01-01T12:00:00+030000", "2020-01-01T12:00:00+",
		"\xe2\x88\x92" "00043-03-15"
	};
	size_t		i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		check(STAMP, bad[i], "syntax");
	ok(strcmp(scan(STAMP, "2020-01-01\0", 11), "syntax") == 0,
	   "a NUL byte behind a date is bad");
}

static void
test_times(void)
{
	check(TIME_OF_DAY, "23:20:50", " 84050000000");
	check(TIME_OF_DAY, "232050", " 84050000000");
	check(TIME_OF_DAY, "23:20", " 84000000000");
	check(TIME_OF_DAY, "2320", " 84000000000");
	check(TIME_OF_DAY, "23", " 82800000000");
	check(TIME_OF_DAY, "00:00:00", " 0");
	check(TIME_OF_DAY, "24:00:00", " 86400000000");
	check(TIME_OF_DAY, "240000", " 86400000000");
	check(TIME_OF_DAY, "24:00", " 86400000000");
	check(TIME_OF_DAY, "24", " 86400000000");
	check(TIME_OF_DAY, "24:00:00.0", " 86400000000");
	check(TIME_OF_DAY, "24:00:01", "field");
	check(TIME_OF_DAY, "24:00:00.1", "field");
	check(TIME_OF_DAY, "24:01", "field");
	check(TIME_OF_DAY, "24.5", "field");
	check(TIME_OF_DAY, "25:00", "field");
	check(TIME_OF_DAY, "12:60", "field");
	check(TIME_OF_DAY, "12:30:60", " 45060000000");
	check(TIME_OF_DAY, "23:59:60", " 86400000000");
	check(TIME_OF_DAY, "23:59:60.5", " 86400500000");
	check(TIME_OF_DAY, "12:30:61", "field");

	/* fractions of each component, of the standard's examples */
	check(TIME_OF_DAY, "23:20:50.5", " 84050500000");
	check(TIME_OF_DAY, "23:20:50,5", " 84050500000");
	check(TIME_OF_DAY, "232050,5", " 84050500000");
	check(TIME_OF_DAY, "23:20.8", " 84048000000");
	check(TIME_OF_DAY, "2320,8", " 84048000000");
	check(TIME_OF_DAY, "23.3", " 83880000000");
	check(TIME_OF_DAY, "23,3", " 83880000000");
	check(TIME_OF_DAY, "00:00:00.000001", " 1");
	check(TIME_OF_DAY, "00:00:00.0000005", " 0");
	check(TIME_OF_DAY, "00:00:00.0000015", " 2");
	check(TIME_OF_DAY, "00:00:00.9999999", " 1000000");
	check(TIME_OF_DAY, "23:59:59.9999999", " 86400000000");
	check(TIME_OF_DAY, "00:00:00.12345678901234567890", " 123457");
	check(TIME_OF_DAY, "00.333333333333333", " 1200000000");
	check(TIME_OF_DAY, "00.999999999999999", " 3600000000");
	check(TIME_OF_DAY, "00.000000000138889", " 1");
	check(TIME_OF_DAY, "00.000000000138888", " 0");
	check(TIME_OF_DAY, "00:00.00000001", " 1");
	check(TIME_OF_DAY, "00:00.000000025", " 2");
	check(TIME_OF_DAY, "12:30:15.", "syntax");
	check(TIME_OF_DAY, "12.", "syntax");
	check(TIME_OF_DAY, "12.5:30", "syntax");
	check(TIME_OF_DAY, "12:30.5:15", "syntax");

	check(TIME_OF_DAY, "", "syntax");
	check(TIME_OF_DAY, "1", "syntax");
	check(TIME_OF_DAY, "1:00", "syntax");
	check(TIME_OF_DAY, "123", "syntax");
	check(TIME_OF_DAY, "12345", "syntax");
	check(TIME_OF_DAY, "12:", "syntax");
	check(TIME_OF_DAY, "12:3", "syntax");
	check(TIME_OF_DAY, "12:3015", "syntax");
	check(TIME_OF_DAY, "1230:15", "syntax");
	check(TIME_OF_DAY, "12:30:", "syntax");
	check(TIME_OF_DAY, "12:30:1", "syntax");
	check(TIME_OF_DAY, "-12:30", "syntax");
	check(TIME_OF_DAY, "T12:30", "syntax");
	check(TIME_OF_DAY, "12:30:15 PM", "syntax");
	check(TIME_OF_DAY, "2020-01-01T12:30", "syntax");
}

static void
test_zones(void)
{
	check(STAMP, "1985-04-12T10:15:30Z", "1985-4-12 36930000000 zone 0");
	check(STAMP, "1985-04-12t10:15:30z", "1985-4-12 36930000000 zone 0");
	check(STAMP, "19850412T101530Z", "1985-4-12 36930000000 zone 0");
	check(STAMP, "19850412T101530+0400",
		  "1985-4-12 36930000000 zone 14400");
	check(STAMP, "1985-04-12T10:15:30+04",
		  "1985-4-12 36930000000 zone 14400");
	check(STAMP, "1985-04-12T10:15:30+04:00",
		  "1985-4-12 36930000000 zone 14400");
	check(STAMP, "1985-W15-5T10:15:30-03:30",
		  "1985-4-12 36930000000 zone -12600");
	check(STAMP, "1985-102 10:15:30-00:00",
		  "1985-4-12 36930000000 zone 0");
	check(STAMP, "1880-01-01 00:00:00+02:30:17",
		  "1880-1-1 0 zone 9017");
	check(STAMP, "1985-04-12T10:15:30", "1985-4-12 36930000000");
	check(STAMP, "1985-04-12T1015Z", "1985-4-12 36900000000 zone 0");
	check(STAMP, "19850412 10:15", "1985-4-12 36900000000");
	check(STAMP, "1985-04-12T24:00", "1985-4-12 86400000000");
	check(STAMP, "1985-04-12T24:00Z", "1985-4-12 86400000000 zone 0");
	check(STAMP, "2020-01-01T00:00+15:59",
		  "2020-1-1 0 zone 57540");
	check(STAMP, "2020-01-01T00:00+16:00", "field");
	check(STAMP, "2020-01-01T00:00+10:60", "field");
	check(STAMP, "2020-01-01T00:00+10:00:60", "field");
	check(TIME_OF_DAY, "10:15:30Z", " 36930000000 zone 0");
	check(TIME_OF_DAY, "10,5-05", " 37800000000 zone -18000");

	/* syntax comes before fields */
	check(STAMP, "2020-13-01x", "syntax");
	check(STAMP, "2020-13-01T25:00", "field");
}

/*
 * Walks every day of a range of years, counting weeks by the rule "a week
 * belongs to the year of its Thursday", and compares all six forms.
 */
static void
test_calendar(int first_year, int last_year, int weekday)
{
	static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	int			year;
	int			wrong = 0;
	char		text[40];
	char		expected[40];

	for (year = first_year; year <= last_year; year++)
	{
		int			leap = (year % 4 == 0 && year % 100 != 0) ||
			year % 400 == 0;
		int			ordinal = 0;
		int			month;

		for (month = 1; month <= 12; month++)
		{
			int			day;

			for (day = 1; day <= days[month - 1] + (month == 2 && leap); day++)
			{
				/* the Thursday of this week, as a day of this year */
				int			thursday = ++ordinal + 4 - weekday;
				int			week_year = year;
				int			before = (year - 1) % 4 == 0 &&
					((year - 1) % 100 != 0 || (year - 1) % 400 == 0);

				if (thursday < 1)
				{
					week_year--;
					thursday += 365 + before;
				}
				else if (thursday > 365 + leap)
				{
					week_year++;
					thursday -= 365 + leap;
				}

				snprintf(expected, sizeof(expected), "%d-%d-%d",
						 year, month, day);
				snprintf(text, sizeof(text), "%04d-%02d-%02d",
						 year, month, day);
				wrong += strcmp(scan(STAMP, text, strlen(text)), expected) != 0;
				snprintf(text, sizeof(text), "%04d%02d%02d",
						 year, month, day);
				wrong += strcmp(scan(STAMP, text, strlen(text)), expected) != 0;
				snprintf(text, sizeof(text), "%04d-%03d", year, ordinal);
				wrong += strcmp(scan(STAMP, text, strlen(text)), expected) != 0;
				snprintf(text, sizeof(text), "%04d%03d", year, ordinal);
				wrong += strcmp(scan(STAMP, text, strlen(text)), expected) != 0;
				snprintf(text, sizeof(text), "%04d-W%02d-%d",
						 week_year, (thursday - 1) / 7 + 1, weekday);
				wrong += strcmp(scan(STAMP, text, strlen(text)), expected) != 0;
				snprintf(text, sizeof(text), "%04dW%02d%d",
						 week_year, (thursday - 1) / 7 + 1, weekday);
				wrong += strcmp(scan(STAMP, text, strlen(text)), expected) != 0;
				weekday = weekday % 7 + 1;
			}
		}
	}
	snprintf(text, sizeof(text), "each day of %d to %d", first_year, last_year);
	ok(wrong == 0, text);
}

/* Texts made of the bytes that matter: nothing but an answer is expected. */
static void
test_noise(void)
{
	static const char bytes[] = "0123456789-+:.,TtZzW 0101";
	char		text[32];
	unsigned	seed = 1;
	int			i;

	for (i = 0; i < 200000; i++)
	{
		size_t		len;
		size_t		j;

		seed = seed * 1103515245 + 12345;
		len = (seed >> 16) % sizeof(text);
		for (j = 0; j < len; j++)
		{
			seed = seed * 1103515245 + 12345;
			text[j] = bytes[(seed >> 16) % (sizeof(bytes) - 1)];
		}
		scan(STAMP, text, len);
		scan(TIME_OF_DAY, text, len);
	}
	ok(true, "noise is survived");
}

/*
 * What the usual ways read, the general one reads, and as the same; days and
 * microseconds are counted from what that one says.
 */
static bool
is_usual_right(const char *text, size_t len, int *usual)
{
	char	   *exact = malloc(len > 0 ? len : 1);
	IntakeScannedTime t;
	bool		is_fine;
	bool		is_right = true;
	int			days;
	int64_t		microseconds;

	memcpy(exact, text, len);
	is_fine = intake_scan_time_stamp(exact, len, &t) == INTAKE_TIME_FINE;
	if (intake_scan_time_usual_date(exact, len, &days))
	{
		(*usual)++;
		is_right = is_fine && !t.has_time &&
			days == count_days(t.year, t.month, t.day);
	}
	if (intake_scan_time_usual_stamp(exact, len, &microseconds))
	{
		(*usual)++;
		is_right = is_right && is_fine && t.has_time &&
			microseconds == t.microseconds - t.zone * INT64_C(1000000) +
			count_days(t.year, t.month, t.day) * INT64_C(86400000000);
	}
	free(exact);
	return is_right;
}

/* Usual texts with one or two bytes changed, cut anywhere. */
static void
test_usual(void)
{
	static const char bytes[] = "0123456789-+:.,TtZz /;";
	static const char *const texts[] = {
		"2004-02-29T12:30:15.123456Z", "1969-12-31 23:59:59+03:30",
		"0001-01-01T00:00:00.1-1445", "9999-12-31T23:59:59.999999+14",
		"1900-02-28T00:00:00", "2000-02-29", "2023-11-30T24:00:00Z"
	};
	bool		is_right = true;
	int			usual = 0;
	unsigned	seed = 7;
	int			i;

	for (i = 0; i < 700000; i++)
	{
		char		text[40];
		size_t		len = strlen(texts[i % 7]);
		int			changes;

		memcpy(text, texts[i % 7], len);
		for (changes = i % 4; changes > 0; changes--)
		{
			seed = seed * 1103515245 + 12345;
			text[(seed >> 16) % len] = bytes[(seed >> 8) % 22];
		}
		seed = seed * 1103515245 + 12345;
		if ((seed >> 16) % 4 == 0)
			len = (seed >> 20) % (len + 1);
		if (!is_usual_right(text, len, &usual))
		{
			is_right = false;
			printf("# %.*s\n", (int) len, text);
		}
	}
	ok(is_right, "the usual forms are read as the general way reads them");
	ok(usual > 100000, "many of them are read by the usual ways");
}

/* Every day of some years, and the days around it that are none. */
static void
test_usual_days(void)
{
	bool		is_right = true;
	int			usual = 0;
	int			year;
	int			day;

	for (year = 0; year <= 9999; year += year < 405 || year > 1890 ? 1 : 97)
	{
		for (day = 0; day < 13 * 32; day++)
		{
			char		text[40];

			snprintf(text, sizeof(text), "%04d-%02d-%02d", year, day / 32,
					 day % 32);
			is_right = is_usual_right(text, 10, &usual) && is_right;
		}
	}
	ok(is_right, "the days of the usual way are the general way's");
	ok(usual > 365 * 8000, "all of them are read");
}

int
main(void)
{
	test_usual();
	test_usual_days();
	test_dates();
	test_bad_dates();
	test_times();
	test_zones();
	test_calendar(1, 405, 1);	/* 0001-01-01 was a Monday */
	test_calendar(1970, 2040, 4);	/* 1970-01-01 was a Thursday */
	test_noise();
	return done_testing();
}
