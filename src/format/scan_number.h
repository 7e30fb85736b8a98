/*-------------------------------------------------------------------------
 *
 * scan_number.h
 *	  Numbers in the forms that nearly all payloads have.  Plain C.
 *
 * Each function either reads a number exactly or says that it did not: the
 * caller then has a slower way, which also judges what is wrong.  So nothing
 * here decides that a text is bad.
 *
 * What is small and called for each value is inline.
 *
 *-------------------------------------------------------------------------
 */
#ifndef INTAKE_SCAN_NUMBER_H
#define INTAKE_SCAN_NUMBER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* Digits that an int64 holds whatever they are. */
#define INTAKE_INTEGER_DIGITS 18

/* Digits that a uint64 holds whatever they are. */
#define INTAKE_DECIMAL_DIGITS 19

/* [-]digits * 10^exponent */
typedef struct IntakeDecimal
{
	uint64_t	digits;
	int			exponent;
	bool		is_negative;
	bool		is_plain;		/* neither point nor exponent was given */
	bool		has_zeros;		/* in front, as 007 has */
} IntakeDecimal;

/* The 8 bytes at p, the first as the lowest. */
static inline uint64_t
intake_scan_load_word(const char *p)
{
	uint64_t	word;

	memcpy(&word, p, sizeof(word));
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
	word = __builtin_bswap64(word);
#endif
	return word;
}

/*
 * The bytes of a word of 8 digits, '0' taken away from each by XOR, that are
 * no digits: their highest bits.  Only the first of them is sure, since the
 * sum may carry from there on.
 */
static inline uint64_t
intake_scan_find_letters(uint64_t word)
{
	return ((word + UINT64_C(0x7676767676767676)) | word) &
		UINT64_C(0x8080808080808080);
}

/*
 * The number of 8 digits, '0' taken away from each.  All are done at once:
 * neighbours are joined to numbers of two digits, and these are summed up
 * with their powers of ten, two of them by each multiplication.
 */
static inline uint64_t
intake_scan_join_digits(uint64_t word)
{
	const uint64_t every = UINT64_C(0x000000FF000000FF);
	const uint64_t first = UINT64_C(0x000F424000000064);
	const uint64_t second = UINT64_C(0x0000271000000001);

	word = word * 10 + (word >> 8);
	word = (word & every) * first + ((word >> 16) & every) * second;
	return word >> 32;
}

/* Reads the 8 digits at p; false when one is none. */
static inline bool
intake_scan_eight_digits(const char *p, uint64_t *value)
{
	uint64_t	word = intake_scan_load_word(p) ^
		UINT64_C(0x3030303030303030);

	if (intake_scan_find_letters(word) != 0)
		return false;
	*value = intake_scan_join_digits(word);
	return true;
}

/* Passes over digits and adds them to *number, which may overflow. */
static inline const char *
intake_scan_digits(const char *p, const char *limit, uint64_t *number)
{
	static const uint32_t powers[] = {
		1, 10, 100, 1000, 10000, 100000, 1000000, 10000000
	};
	uint64_t	sum = *number;

	while (limit - p >= 8)
	{
		uint64_t	word = intake_scan_load_word(p) ^
			UINT64_C(0x3030303030303030);
		uint64_t	letters = intake_scan_find_letters(word);
		int			ndigits;

		if (letters != 0)
		{
			/* zeros in front make 8 of them */
			ndigits = __builtin_ctzll(letters) / 8;
			if (ndigits > 0)
				sum = sum * powers[ndigits] +
					intake_scan_join_digits(word << (64 - 8 * ndigits));
			*number = sum;
			return p + ndigits;
		}
		sum = sum * 100000000 + intake_scan_join_digits(word);
		p += 8;
	}
	while (p < limit)
	{
		unsigned	digit = (unsigned char) *p - (unsigned) '0';

		if (digit > 9)
			break;
		sum = sum * 10 + digit;
		p++;
	}
	*number = sum;
	return p;
}

/* Reads [+-]digits of up to INTAKE_INTEGER_DIGITS digits. */
static inline bool
intake_scan_integer(const char *text, size_t len, int64_t *value)
{
	const char *end = text + len;
	bool		is_negative = false;
	uint64_t	number = 0;

	if (len > 0 && (*text == '-' || *text == '+'))
		is_negative = *text++ == '-';
	if (text == end || end - text > INTAKE_INTEGER_DIGITS)
		return false;
	while (end - text >= 8)
	{
		uint64_t	part;

		if (!intake_scan_eight_digits(text, &part))
			return false;
		number = number * 100000000 + part;
		text += 8;
	}
	for (; text < end; text++)
	{
		unsigned	digit = (unsigned char) *text - (unsigned) '0';

		if (digit > 9)
			return false;
		number = number * 10 + digit;
	}
	*value = is_negative ? -(int64_t) number : (int64_t) number;
	return true;
}

/*
 * Reads [-]digits[.digits][e[+-]digits] at *cursor and moves that behind it.
 * False when nothing of that form is there, or when it has more digits that
 * count than INTAKE_DECIMAL_DIGITS or an exponent of more than five.
 */
extern bool intake_scan_decimal(const char **cursor, const char *limit,
								IntakeDecimal *decimal);

/*
 * The nearest double and float, ties to even: false when that cannot be told
 * from 128 bits of the power of ten, or for a power beyond the usual.
 */
extern bool intake_scan_float8(const IntakeDecimal *decimal, double *result);
extern bool intake_scan_float4(const IntakeDecimal *decimal, float *result);

#endif							/* INTAKE_SCAN_NUMBER_H */
