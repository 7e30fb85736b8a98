/*-------------------------------------------------------------------------
 *
 * convert_interval.c
 *	  Intervals: the forms in which nearly all payloads write them.
 *
 * These are PostgreSQL's own ("1 year 2 mons -3 days +04:05:06.789", any part
 * of it) and ISO 8601 durations ("P1Y2M3DT4H5M6.789S"), with whole numbers
 * but for the seconds.  All others, bad ones too, are left to interval_in()
 * under IntervalStyle postgres.
 *
 * Numbers here have so few digits that nothing can overflow.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "datatype/timestamp.h"
#include "utils/timestamp.h"

#include "convert_arena.h"
#include "convert_internal.h"

/* Numbers with more digits are left to interval_in(). */
#define MAX_NUMBER_DIGITS 6
#define FRACTION_DIGITS 6

/* Parts of an interval in the order in which they must stand. */
typedef enum IntervalPart
{
	PART_NONE,
	PART_YEAR,
	PART_MONTH,
	PART_DAY,
	PART_HOUR,
	PART_MINUTE,
	PART_SECOND
} IntervalPart;

/* A text on its way into an interval. */
typedef struct IntervalReader
{
	const char *cursor;
	const char *limit;
	IntervalPart last;			/* read so far */
	Interval	interval;
} IntervalReader;

static inline bool
take_byte(IntervalReader *reader, char byte)
{
	if (reader->cursor == reader->limit || *reader->cursor != byte)
		return false;
	reader->cursor++;
	return true;
}

/* Reads up to max_digits digits; returns how many there were. */
static int
read_digits(IntervalReader *reader, int max_digits, int *value)
{
	int			ndigits = 0;

	*value = 0;
	while (ndigits < max_digits && reader->cursor < reader->limit &&
		   *reader->cursor >= '0' && *reader->cursor <= '9')
	{
		*value = *value * 10 + (*reader->cursor++ - '0');
		ndigits++;
	}
	return ndigits;
}

/* Reads a point and digits, if they are there, as microseconds. */
static bool
read_fraction(IntervalReader *reader, int *microseconds)
{
	int			ndigits;

	*microseconds = 0;
	if (!take_byte(reader, '.'))
		return true;
	ndigits = read_digits(reader, FRACTION_DIGITS, microseconds);
	if (ndigits == 0)
		return false;
	for (; ndigits < FRACTION_DIGITS; ndigits++)
		*microseconds *= 10;
	return true;
}

/* Parts stand in their order, each at most once. */
static bool
add_part(IntervalReader *reader, IntervalPart part, int value)
{
	Interval   *interval = &reader->interval;

	if (part <= reader->last)
		return false;
	reader->last = part;
	switch (part)
	{
		case PART_YEAR:
			interval->month += value * MONTHS_PER_YEAR;
			break;
		case PART_MONTH:
			interval->month += value;
			break;
		case PART_DAY:
			interval->day += value;
			break;
		case PART_HOUR:
			interval->time += value * USECS_PER_HOUR;
			break;
		case PART_MINUTE:
			interval->time += value * USECS_PER_MINUTE;
			break;
		default:
			interval->time += value * USECS_PER_SEC;
			break;
	}
	return true;
}

/* ---------- PostgreSQL's own ---------- */

/* Reads what follows the hours of a time, and the end. */
static bool
read_time(IntervalReader *reader, int hours, bool is_negative)
{
	int			minutes;
	int			seconds = 0;
	int			fraction = 0;
	int64		time;

	if (read_digits(reader, 2, &minutes) != 2 || minutes > 59)
		return false;
	if (take_byte(reader, ':') &&
		(read_digits(reader, 2, &seconds) != 2 || seconds > 59 ||
		 !read_fraction(reader, &fraction)))
		return false;

	time = hours * USECS_PER_HOUR + minutes * USECS_PER_MINUTE +
		seconds * USECS_PER_SEC + fraction;
	reader->interval.time = is_negative ? -time : time;
	return reader->cursor == reader->limit;
}

/* Reads a word, up to a blank or the end. */
static bool
read_unit(IntervalReader *reader, IntervalPart *part)
{
	static const struct
	{
		const char *word;
		int			len;
		IntervalPart part;
	}			units[] = {
		{"day", 3, PART_DAY}, {"days", 4, PART_DAY},
		{"mon", 3, PART_MONTH}, {"mons", 4, PART_MONTH},
		{"year", 4, PART_YEAR}, {"years", 5, PART_YEAR}
	};
	const char *word = reader->cursor;
	int			len;
	int			i;

	while (reader->cursor < reader->limit && *reader->cursor != ' ')
		reader->cursor++;
	len = (int) Min(reader->cursor - word, 6);
	for (i = 0; i < lengthof(units); i++)
	{
		*part = units[i].part;
		if (len == units[i].len && memcmp(word, units[i].word, len) == 0)
			return true;
	}
	return false;
}

/* 1 year 2 mons -3 days +04:05:06.789 */
static bool
read_usual(IntervalReader *reader)
{
	do
	{
		bool		is_negative = take_byte(reader, '-');
		IntervalPart part;
		int			value;

		if (!is_negative)
			(void) take_byte(reader, '+');
		if (read_digits(reader, MAX_NUMBER_DIGITS, &value) == 0)
			return false;
		if (take_byte(reader, ':'))
			return read_time(reader, value, is_negative);
		if (!take_byte(reader, ' ') || !read_unit(reader, &part) ||
			!add_part(reader, part, is_negative ? -value : value))
			return false;
	} while (take_byte(reader, ' '));

	return reader->cursor == reader->limit;
}

/* ---------- ISO 8601 ---------- */

/* The part that a letter names, behind the T or before it. */
static IntervalPart
find_part(char letter, bool is_time)
{
	switch (letter)
	{
		case 'Y':
			return is_time ? PART_NONE : PART_YEAR;
		case 'M':
			return is_time ? PART_MINUTE : PART_MONTH;
		case 'D':
			return is_time ? PART_NONE : PART_DAY;
		case 'H':
			return is_time ? PART_HOUR : PART_NONE;
		case 'S':
			return is_time ? PART_SECOND : PART_NONE;
		default:
			return PART_NONE;
	}
}

/* Reads 1Y, -6.5S: a number and the letter of its part. */
static bool
read_designated(IntervalReader *reader, bool is_time)
{
	bool		is_negative = take_byte(reader, '-');
	IntervalPart part;
	int			value;
	int			fraction;
	bool		has_fraction;

	if (read_digits(reader, MAX_NUMBER_DIGITS, &value) == 0)
		return false;
	has_fraction = reader->cursor < reader->limit && *reader->cursor == '.';
	if (!read_fraction(reader, &fraction) || reader->cursor == reader->limit)
		return false;

	part = find_part(*reader->cursor++, is_time);
	if (has_fraction && part != PART_SECOND)
		return false;
	reader->interval.time += is_negative ? -fraction : fraction;
	return add_part(reader, part, is_negative ? -value : value);
}

/* P1Y2M3DT4H5M6.789S, behind the P */
static bool
read_duration(IntervalReader *reader)
{
	bool		is_time = false;

	do
	{
		if (!is_time)
			is_time = take_byte(reader, 'T');
		if (!read_designated(reader, is_time))
			return false;
	} while (reader->cursor < reader->limit);
	return true;
}

Datum
intake_convert_interval_datum(IntakeColumn *column, const char *text,
							  size_t len)
{
	IntervalReader reader = {text, text + len, PART_NONE, {0, 0, 0}};
	Interval   *result;

	if (column->base_typmod >= 0 ||
		!(take_byte(&reader, 'P') ? read_duration(&reader)
		  : read_usual(&reader)))
		return intake_convert_input_datum(column, text, len);

	result = intake_convert_alloc(sizeof(Interval));
	*result = reader.interval;
	return IntervalPGetDatum(result);
}
