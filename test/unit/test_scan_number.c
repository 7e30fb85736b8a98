/*-------------------------------------------------------------------------
 *
 * test_scan_number.c
 *	  Numbers: whatever is read must be what the C library reads.
 *
 * The library's strtod() rounds correctly, so every float is compared with
 * it bit by bit.  NUMBERS in the environment is how many random ones of each
 * kind are tried.
 *
 *-------------------------------------------------------------------------
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "format/scan_number.h"
#include "tap.h"

#define DEFAULT_NUMBERS 200000

static uint64_t seed = UINT64_C(88172645463325252);

static uint64_t
next_random(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed;
}

/* Reads a decimal that lies at the end of its memory. */
static bool
scan(const char *text, size_t *used, IntakeDecimal *decimal)
{
	size_t		len = strlen(text);
	char	   *exact = malloc(len > 0 ? len : 1);
	const char *cursor = exact;
	bool		is_read;

	memcpy(exact, text, len);
	is_read = intake_scan_decimal(&cursor, exact + len, decimal);
	*used = (size_t) (cursor - exact);
	free(exact);
	return is_read;
}

/*
 * Compares a number with what the library makes of it; false when they
 * differ.  *decided counts the floats that were read.
 */
static bool
agrees(const char *text, int *decided)
{
	IntakeDecimal decimal;
	size_t		used;
	double		large;
	float		small;
	double		expected = strtod(text, NULL);
	float		expected_small = strtof(text, NULL);
	bool		is_right = true;

	if (!scan(text, &used, &decimal))
		return true;
	if (used != strlen(text))
		is_right = false;
	if (intake_scan_float8(&decimal, &large))
	{
		(*decided)++;
		if (memcmp(&large, &expected, sizeof(large)) != 0)
			is_right = false;
	}
	if (intake_scan_float4(&decimal, &small) &&
		memcmp(&small, &expected_small, sizeof(small)) != 0)
		is_right = false;
	if (!is_right)
		printf("# differs: %s\n", text);
	return is_right;
}

/* A double with this exponent and random bits. */
static double
make_double(int exponent)
{
	uint64_t	bits = next_random() >> 12;
	double		value;

	bits |= (uint64_t) (exponent + 1023) << 52;
	memcpy(&value, &bits, sizeof(value));
	return value;
}

/* The middle between a float and its neighbour is an exact double. */
static double
make_middle(void)
{
	uint64_t	bits = next_random() >> 12;
	double		value;

	bits &= ~(UINT64_C(0x1FFFFFFF));
	bits |= UINT64_C(0x10000000) |
		(uint64_t) (1023 - 60 + next_random() % 120) << 52;
	memcpy(&value, &bits, sizeof(value));
	return value;
}

static void
make_text(int kind, char *text, size_t size)
{
	uint64_t	digits = next_random() % UINT64_C(10000000000000000000);

	switch (kind)
	{
		case 0:
			snprintf(text, size, "%" PRIu64 "e%d", digits,
					 (int) (next_random() % 141) - 70);
			break;
		case 1:
			snprintf(text, size, "%.17g",
					 make_double((int) (next_random() % 300) - 150));
			break;
		case 2:
			snprintf(text, size, "-%.19g",
					 make_double((int) (next_random() % 70) - 20));
			break;
		case 3:
			snprintf(text, size, "%" PRIu64 ".%0*" PRIu64,
					 digits % 100000, (int) (1 + next_random() % 14),
					 next_random() % 10);
			break;
		case 4:
			/* integers between two doubles, and their neighbours */
			digits = (UINT64_C(1) << 53 | next_random() >> 11) | 1;
			snprintf(text, size, "%" PRIu64,
					 digits + (next_random() % 3) - 1);
			break;
		case 5:
			snprintf(text, size, "%.30g", make_middle());
			break;
		case 6:
			snprintf(text, size, "%.17g",
					 make_double((int) (next_random() % 2046) - 1022));
			break;
		default:
			snprintf(text, size, "%" PRIu64 ".%" PRIu64 "e-%d",
					 digits % 10, next_random() % 1000000, 280 +
					 (int) (next_random() % 60));
			break;
	}
}

static void
test_random(int kind, const char *what, int most_undecided)
{
	const char *setting = getenv("NUMBERS");
	long		count = setting != NULL ? atol(setting) : DEFAULT_NUMBERS;
	int			decided = 0;
	long		wrong = 0;
	long		i;
	char		text[100];
	char		name[100];

	for (i = 0; i < count; i++)
	{
		make_text(kind, text, sizeof(text));
		if (!agrees(text, &decided))
			wrong++;
	}
	snprintf(name, sizeof(name), "%s are read as strtod reads them", what);
	ok(wrong == 0, name);
	snprintf(name, sizeof(name), "at most %d %% of them are left to it",
			 most_undecided);
	ok(decided >= (int) (count * (100 - most_undecided) / 100), name);
}

/* Numbers that have been hard for others, limits and zeros. */
static void
test_hard(void)
{
	static const char *const texts[] = {
		"0", "-0", "0.0", "-0.0", "0e0", "1", "-1", "1.5", "0.1", "0.2",
		"0.3", "1e22", "1e23", "1e-22", "1e-23", "8.5e22", "123456789e-9",
		"9007199254740991", "9007199254740992", "9007199254740993",
		"9007199254740994", "9007199254740995", "9007199254740993.0",
		"9007199254740992.999", "9007199254740993.001",
		"1.7976931348623157e308", "1.7976931348623159e308", "1e309",
		"2.2250738585072014e-308", "2.2250738585072011e-308",
		"4.9406564584124654e-324", "2.4703282292062327e-324", "1e-400",
		"7.3177701707893310e15", "6.2676967270508e15",
		"5e-324", "1.00000000000000011102230246251565",
		"1.00000000000000011102230246251564", "0.000000000000000000001",
		"3.4028235e38", "3.4028236e38", "3.5e38", "1.1754944e-38",
		"1.1754943e-38", "1.4e-45", "7e-46", "16777217", "16777219",
		"0.50000000000000000000000001", "12345678901234567890",
		"9999999999999999999", "18446744073709551615", "1e64", "1e65",
		"1e-64", "1e-65", "9999999999999999999e64", "1.0000000000000002",
		"179769313486231580793728971405303415079934132710037826936173",
		"8.98846567431158e307", "4503599627370496.5", "4503599627370497.5",
		"-4503599627370497.5", "0.000061035156", "9.5367431640625e-7"
	};
	int			decided = 0;
	size_t		i;
	char		name[120];

	for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
	{
		snprintf(name, sizeof(name), "%s is as strtod has it", texts[i]);
		ok(agrees(texts[i], &decided), name);
	}
}

static void
check_form(const char *text, int used, bool is_plain, bool has_zeros)
{
	IntakeDecimal decimal;
	size_t		have;
	bool		is_read = scan(text, &have, &decimal);
	char		name[100];

	snprintf(name, sizeof(name), "\"%s\": %d bytes of it are a number",
			 text, used);
	ok(used == 0 ? !is_read : is_read && (int) have == used &&
	   decimal.is_plain == is_plain && decimal.has_zeros == has_zeros, name);
}

static void
test_forms(void)
{
	check_form("", 0, true, false);
	check_form("-", 0, true, false);
	check_form("+1", 0, true, false);
	check_form(".5", 0, true, false);
	check_form("5.", 0, true, false);
	check_form("5.e1", 0, true, false);
	check_form("1e", 0, true, false);
	check_form("1e+", 0, true, false);
	check_form("1e999999", 0, true, false);
	check_form("x", 0, true, false);
	check_form("NaN", 0, true, false);
	check_form("Infinity", 0, true, false);
	check_form("12,", 2, true, false);
	check_form("12345678,", 8, true, false);
	check_form("123456789012345,x", 15, true, false);
	check_form("007", 3, true, true);
	check_form("0", 1, true, false);
	check_form("00", 2, true, true);
	check_form("0.5]", 3, false, false);
	check_form("-0.25e-3}", 8, false, false);
	check_form("1E5 ", 3, false, false);
	check_form("1.5.5", 3, false, false);
	check_form("0x10", 1, true, false);
	check_form("0.00000000000000000000000012345", 31, false, false);
	check_form("12345678901234567890", 0, true, false);
	check_form("1234567890.1234567890", 0, true, false);
}

/* The integer at the end of its memory: 0 not read, 1 right, -1 wrong. */
static int
compare_integer(const char *text, size_t len)
{
	char	   *exact = malloc(len > 0 ? len : 1);
	char		copy[64];
	char	   *end;
	int64_t		value = 0;
	bool		is_read;

	memcpy(exact, text, len);
	is_read = intake_scan_integer(exact, len, &value);
	free(exact);
	memcpy(copy, text, len);
	copy[len] = '\0';
	if (!is_read)
		return 0;
	return strtoll(copy, &end, 10) == value && *end == '\0' &&
		*copy != ' ' && *copy != '\t' ? 1 : -1;
}

static void
test_integers(void)
{
	static const char bytes[] = "0123456789/:;-+ .09";
	bool		is_right = true;
	bool		is_read = true;
	char		text[40];
	int			i;

	for (i = 0; i < 300000; i++)
	{
		size_t		len = next_random() % 24;
		int64_t		value;
		size_t		j;

		for (j = 0; j < len; j++)
			text[j] = bytes[next_random() % (sizeof(bytes) - 1)];
		if (compare_integer(text, len) < 0)
			is_right = false;

		/* 2 to the 59 has 18 digits */
		value = (int64_t) next_random() >> (5 + next_random() % 59);
		len = (size_t) snprintf(text, sizeof(text), "%" PRId64, value);
		if (compare_integer(text, len) != 1)
			is_read = false;
	}
	ok(is_right, "an integer that is read is what strtoll reads");
	ok(is_read, "integers of up to 18 digits are read");
	ok(compare_integer("1234567890123456789", 19) == 0,
	   "19 digits are left to others");
	ok(compare_integer("-999999999999999999", 19) == 1,
	   "a sign and 18 digits are read");
}

/* Every byte in every place of eight digits. */
static void
test_letters(void)
{
	bool		is_right = true;
	int			at;
	int			byte;

	for (at = 0; at < 8; at++)
	{
		for (byte = 0; byte < 256; byte++)
		{
			char		text[8];
			uint64_t	value;
			bool		is_digit = byte >= '0' && byte <= '9';

			memset(text, '9', sizeof(text));
			text[at] = (char) byte;
			if (intake_scan_eight_digits(text, &value) != is_digit)
				is_right = false;
			value = 0;
			if (intake_scan_digits(text, text + 8, &value) !=
				text + (is_digit ? 8 : at))
				is_right = false;
		}
	}
	ok(is_right, "no byte but a digit is taken for one");
}

int
main(void)
{
	test_forms();
	test_hard();
	test_random(0, "decimals of any digits and power", 25);
	test_random(1, "doubles of 17 digits", 60);
	test_random(2, "doubles of 19 digits", 5);
	test_random(3, "decimals with a point", 1);
	test_random(4, "integers between doubles", 60);
	test_random(5, "middles between floats", 100);
	test_random(6, "doubles of any size", 100);
	test_random(7, "the smallest doubles", 100);
	test_integers();
	test_letters();
	return done_testing();
}
