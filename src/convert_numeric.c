/*-------------------------------------------------------------------------
 *
 * convert_numeric.c
 *	  Decimals into numeric, as PostgreSQL stores it.
 *
 * This is the one file that knows how a numeric lies on disk, which has not
 * changed since 9.1 and cannot without a new one for everybody's tables:
 *
 *		varlena header
 *		uint16	1 0 S DDDDDD W WWWWWW: short form, sign, digits behind the
 *				point to show, weight of the first digit (sign and six bits)
 *		int16[]	digits to the base 10000, neither first nor last being 0
 *
 * The weight is the power of 10000 of the first digit.  Zero has no digits,
 * no sign and weight 0.  The long form is for what does not fit here, so for
 * numeric_in(); so are exponents, NaN, infinities, blanks and all that must
 * be rounded or is out of range.  t/060 compares both over many texts.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "convert_fast.h"

/* The header's parts. */
#define SHORT_FORM		0x8000
#define SHORT_NEGATIVE	0x2000
#define SCALE_SHIFT		7
#define WEIGHT_MASK		0x007F

/* What the short form can show behind the point. */
#define MAX_SCALE		63

/* More digits in front of the point are left to numeric_in(). */
#define MAX_INTEGER		120

/* Digits of numeric's base in decimal digits, and the most of them here. */
#define BASE_DIGITS		4
#define MAX_DIGITS		((MAX_INTEGER + MAX_SCALE) / BASE_DIGITS + 2)

/* typmod's scale has eleven bits from PostgreSQL 15 on, the sign included. */
#define TYPMOD_SCALE_MASK 0x7FF
#define TYPMOD_SCALE_SIGN 0x400

/* A decimal in its letters; neither part has a sign. */
typedef struct Letters
{
	bool		is_negative;
	const char *integer;		/* without zeros in front, maybe none */
	int			ninteger;
	const char *fraction;
	int			nfraction;
} Letters;

/* Passes over digits. */
static inline const char *
skip_digits(const char *p, const char *limit)
{
	while (p < limit && *p >= '0' && *p <= '9')
		p++;
	return p;
}

/* Reads [-]digits[.digits]; false for all else. */
static inline bool
read_letters(const char *p, size_t len, Letters *letters)
{
	const char *limit = p + len;
	const char *end;

	letters->is_negative = len > 0 && *p == '-';
	p += letters->is_negative;
	end = skip_digits(p, limit);
	if (end == p)
		return false;
	while (p < end && *p == '0')
		p++;
	letters->integer = p;
	letters->ninteger = (int) Min(end - p, MAX_INTEGER + 1);
	letters->fraction = end;
	letters->nfraction = 0;
	if (end < limit)
	{
		if (*end != '.')
			return false;
		letters->fraction = end + 1;
		end = skip_digits(end + 1, limit);
		letters->nfraction = (int) Min(end - letters->fraction, MAX_SCALE + 1);
		if (end < limit || letters->nfraction == 0)
			return false;
	}
	return letters->ninteger <= MAX_INTEGER && letters->nfraction <= MAX_SCALE;
}

/*
 * The digits behind the point to show: by the column's typmod, else those
 * that are given.  -1 when numeric_in() has to judge.
 */
static inline int
choose_scale(int32 typmod, const Letters *letters)
{
	int			precision;
	int			scale;

	if (typmod < (int32) VARHDRSZ)
		return letters->nfraction;
	typmod -= VARHDRSZ;
	precision = (typmod >> 16) & 0xFFFF;
	scale = typmod & TYPMOD_SCALE_MASK;
	if ((scale & TYPMOD_SCALE_SIGN) != 0 || scale > MAX_SCALE ||
		letters->nfraction > scale ||
		letters->ninteger > precision - scale)
		return -1;
	return scale;
}

/* n (1 to 4) letters as a number. */
static inline int16
join_letters(const char *p, int n)
{
	int			value = 0;

	for (; n > 0; n--)
		value = value * 10 + (*p++ - '0');
	return (int16) value;
}

/*
 * Makes the digits to the base 10000, which are counted from the point to
 * both sides.
 */
static inline int
make_digits(const Letters *letters, int16 *digits)
{
	static const int16 powers[] = {1, 10, 100, 1000};
	const char *p = letters->integer;
	int			left = letters->ninteger;
	int			first = left % BASE_DIGITS;
	int			ndigits = 0;

	if (first > 0)
		digits[ndigits++] = join_letters(p, first);
	p += first;
	for (left -= first; left > 0; left -= BASE_DIGITS, p += BASE_DIGITS)
		digits[ndigits++] = join_letters(p, BASE_DIGITS);

	p = letters->fraction;
	left = letters->nfraction;
	for (; left >= BASE_DIGITS; left -= BASE_DIGITS, p += BASE_DIGITS)
		digits[ndigits++] = join_letters(p, BASE_DIGITS);
	if (left > 0)
		digits[ndigits++] = join_letters(p, left) * powers[BASE_DIGITS - left];
	return ndigits;
}

bool
intake_convert_fast_numeric(const IntakeColumn *column, const char *text,
							size_t len, Datum *datum)
{
	Letters		letters;
	int16		buffer[MAX_DIGITS];
	int16	   *digits = buffer;
	int			scale;
	int			ndigits;
	int			weight;
	uint16		header;
	char	   *result;
	size_t		size;

	if (!read_letters(text, len, &letters))
		return false;
	scale = choose_scale(column->base_typmod, &letters);
	if (scale < 0)
		return false;

	ndigits = make_digits(&letters, digits);
	weight = (letters.ninteger + BASE_DIGITS - 1) / BASE_DIGITS - 1;
	for (; ndigits > 0 && *digits == 0; digits++, ndigits--)
		weight--;
	while (ndigits > 0 && digits[ndigits - 1] == 0)
		ndigits--;

	header = SHORT_FORM | scale << SCALE_SHIFT;
	if (ndigits > 0)
		header |= (weight & WEIGHT_MASK) |
			(letters.is_negative ? SHORT_NEGATIVE : 0);
	size = VARHDRSZ + sizeof(header) + ndigits * sizeof(int16);
	result = intake_convert_alloc(size);
	SET_VARSIZE(result, size);
	memcpy(result + VARHDRSZ, &header, sizeof(header));
	memcpy(result + VARHDRSZ + sizeof(header), digits,
		   ndigits * sizeof(int16));
	*datum = PointerGetDatum(result);
	return true;
}
