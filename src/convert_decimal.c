/*-------------------------------------------------------------------------
 *
 * convert_decimal.c
 *	  Avro's decimals: integers of any length, and a scale.
 *
 * A decimal becomes letters, which any column of numbers or texts reads as it
 * reads those of a payload of text.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "utils/builtins.h"

#include "convert.h"
#include "convert_fast.h"
#include "convert_internal.h"

/* The longest Avro decimal in bytes, and the largest scale (numeric's). */
#define MAX_DECIMAL_BYTES 8192
#define MAX_DECIMAL_SCALE 16383

/* The largest scale of a decimal that is formatted on the stack. */
#define MAX_SMALL_SCALE 40

/*
 * Divides the big-endian magnitude of nwords by 10^9, in place, and returns
 * the rest.
 */
static uint32
divide_words(uint32 *words, int nwords)
{
	uint64		rest = 0;
	int			i;

	for (i = 0; i < nwords; i++)
	{
		rest = rest << 32 | words[i];
		words[i] = (uint32) (rest / 1000000000);
		rest %= 1000000000;
	}
	return (uint32) rest;
}

/* The magnitude of a two's-complement integer as big-endian words. */
static uint32 *
read_magnitude(const uint8 *bytes, size_t len, bool is_negative, int *nwords)
{
	uint32	   *words;
	uint32		carry = is_negative ? 1 : 0;
	size_t		i;

	*nwords = (len + 3) / 4;
	words = palloc0(sizeof(uint32) * Max(*nwords, 1));
	for (i = 0; i < len; i++)
	{
		/* the byte i-th from the end */
		uint32		byte = bytes[len - 1 - i];

		if (is_negative)
		{
			byte = (byte ^ 0xFF) + carry;
			carry = byte >> 8;
			byte &= 0xFF;
		}
		words[*nwords - 1 - i / 4] |= byte << (8 * (i % 4));
	}
	return words;
}

/*
 * The integer in decimal digits, without a sign, padded with zeros in front
 * to more than scale digits.  The result is palloc'd; *ndigits is its length.
 */
static char *
format_magnitude(uint32 *words, int nwords, int scale, int *ndigits)
{
	int			size = Max(nwords * 10, 0) + scale + 20;
	char	   *digits = palloc(size);
	int			at = size;
	int			first = 0;

	while (first < nwords && words[first] == 0)
		first++;
	while (first < nwords)
	{
		uint32		group = divide_words(words + first, nwords - first);
		int			i;

		for (i = 0; i < 9; i++, group /= 10)
			digits[--at] = '0' + group % 10;
		while (first < nwords && words[first] == 0)
			first++;
	}

	while (at < size && digits[at] == '0')
		at++;
	while (size - at <= scale)
		digits[--at] = '0';

	*ndigits = size - at;
	memmove(digits, digits + at, *ndigits);
	return digits;
}

/* -123.45: JSON's grammar, and PostgreSQL's. */
static char *
format_decimal(const uint8 *unscaled, size_t len, int scale, int *nletters)
{
	bool		is_negative = len > 0 && (unscaled[0] & 0x80) != 0;
	uint32	   *words;
	char	   *digits;
	char	   *letters;
	int			nwords;
	int			ndigits;
	int			at = 0;

	words = read_magnitude(unscaled, len, is_negative, &nwords);
	digits = format_magnitude(words, nwords, scale, &ndigits);
	letters = palloc(ndigits + 2);

	if (is_negative)
		letters[at++] = '-';
	memcpy(letters + at, digits, ndigits - scale);
	at += ndigits - scale;
	if (scale > 0)
	{
		letters[at++] = '.';
		memcpy(letters + at, digits + ndigits - scale, scale);
		at += scale;
	}
	*nletters = at;

	pfree(words);
	pfree(digits);
	return letters;
}

/*
 * A decimal of up to eight bytes into numeric, by way of its letters, which
 * have room here; false when it needs the slow way.
 */
static bool
convert_small_decimal(IntakeColumn *column, const uint8 *unscaled, size_t len,
					  int scale, Datum *datum)
{
	char		letters[MAXINT8LEN + MAX_SMALL_SCALE + 3];
	char	   *end = letters + sizeof(letters);
	char	   *at = end;
	int64		value;
	uint64		left;
	size_t		i;

	if (len == 0 || len > sizeof(value) || scale > MAX_SMALL_SCALE)
		return false;
	value = (int8) unscaled[0];
	for (i = 1; i < len; i++)
		value = (int64) ((uint64) value << 8 | unscaled[i]);

	left = value < 0 ? -(uint64) value : (uint64) value;
	for (i = 0; left > 0 || i <= (size_t) scale; left /= 10, i++)
	{
		if (i == (size_t) scale && scale > 0)
			*--at = '.';
		*--at = '0' + left % 10;
	}
	if (value < 0)
		*--at = '-';
	return intake_convert_fast_numeric(column, at, end - at, datum);
}

Datum
intake_convert_decimal(IntakeColumn *column, const uint8 *unscaled,
					   size_t len, int scale)
{
	char	   *letters;
	int			nletters;
	Datum		datum;

	if (scale < 0 || scale > MAX_DECIMAL_SCALE)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("scale %d of an Avro decimal is out of range", scale),
				 errdetail("A scale is from 0 to %d.", MAX_DECIMAL_SCALE)));
	if (len > MAX_DECIMAL_BYTES)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("an Avro decimal of %zu bytes is too long", len),
				 errdetail("At most %d bytes are taken.", MAX_DECIMAL_BYTES)));

	if (column->conversion == INTAKE_CONVERT_NUMERIC &&
		convert_small_decimal(column, unscaled, len, scale, &datum))
		return intake_convert_finish(column, datum);
	letters = format_decimal(unscaled, len, scale, &nletters);
	datum = intake_convert_letters_datum(column, letters, nletters,
										 "an Avro decimal");
	pfree(letters);
	return intake_convert_finish(column, datum);
}
