/*-------------------------------------------------------------------------
 *
 * scan_time.h
 *	  ISO 8601 dates and times.  Plain C.
 *
 * Dates, all of them complete:
 *
 *		calendar	2004-02-29	20040229	+012004-02-29
 *		week		2004-W53-6	2004W536	+012004-W53-6
 *		ordinal		2004-366	2004366		+012004-366
 *
 * A year has four digits, or a sign and five or six.  Year 0000 is 1 BC.
 *
 * Times: 12, 12:30, 12:30:15, 1230, 123015; the last component may have a
 * fraction behind a point or a comma.  24:00 is the end of the day.  A
 * second 60 is taken, as PostgreSQL takes it.  Zones: Z, +03, +0300, +03:00,
 * +03:00:00.
 *
 * Date and time are parted by T, t or one blank.
 *
 *-------------------------------------------------------------------------
 */
#ifndef INTAKE_SCAN_TIME_H
#define INTAKE_SCAN_TIME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum IntakeTimeScan
{
	INTAKE_TIME_FINE,
	INTAKE_TIME_BAD_SYNTAX,		/* not one of the forms above */
	INTAKE_TIME_BAD_FIELD		/* there is no such month, day, hour, ... */
} IntakeTimeScan;

typedef struct IntakeScannedTime
{
	/* the date, of the proleptic Gregorian calendar; 0 is 1 BC */
	int			year;
	int			month;
	int			day;

	/*
	 * Since midnight, 0 without a time: 86400000000 is the next midnight, a
	 * second 60 and rounding may add up to one second to it.
	 */
	int64_t		microseconds;
	bool		has_time;
	bool		has_zone;
	int			zone;			/* seconds east of UTC */
} IntakeScannedTime;

/* A date, or a date and a time, with or without a zone. */
extern IntakeTimeScan intake_scan_time_stamp(const char *text, size_t len,
											 IntakeScannedTime *result);

/* A time of day, with or without a zone; the date is left zero. */
extern IntakeTimeScan intake_scan_time_of_day(const char *text, size_t len,
											  IntakeScannedTime *result);

/*
 * The usual forms alone, and fast: 2004-02-29, and with a time
 * 2004-02-29T12:30:15.123456Z, the T a blank, the fraction left out or of up
 * to six digits, the zone left out or of any form above without seconds.
 * Days and microseconds count from 1970-01-01 UTC.  False for all else, bad
 * or not.
 */
extern bool intake_scan_time_usual_date(const char *text, size_t len,
										int *days);
extern bool intake_scan_time_usual_stamp(const char *text, size_t len,
										 int64_t *microseconds);

#endif							/* INTAKE_SCAN_TIME_H */
