/*-------------------------------------------------------------------------
 *
 * fuzz_scan_number.c
 *	  The fast scanner of numbers against the C library's.
 *
 * The input is read as the text of a number; and its bytes are the digits
 * and the exponent of a decimal, so that all of them are reached.  What is
 * read must be what strtoll(), strtod() and strtof() read, to the last bit.
 *
 *-------------------------------------------------------------------------
 */
#include <ctype.h>
#include <inttypes.h>
#include <math.h>

#include "format/scan_number.h"

#include "fuzz.h"

#define MAX_SHOWN 64

/* Both functions either say nothing or what the C library says. */
static void
check_floats(const IntakeDecimal *decimal, const char *text)
{
	double		wide = strtod(text, NULL);
	float		narrow = strtof(text, NULL);
	double		wide_result;
	float		narrow_result;

	if (intake_scan_float8(decimal, &wide_result))
		FUZZ_CHECK(memcmp(&wide, &wide_result, sizeof(wide)) == 0);
	if (intake_scan_float4(decimal, &narrow_result))
		FUZZ_CHECK(memcmp(&narrow, &narrow_result, sizeof(narrow)) == 0);
}

/* A decimal in its canonical form. */
static void
check_decimal(const IntakeDecimal *decimal)
{
	char		text[MAX_SHOWN];

	snprintf(text, sizeof(text), "%s%" PRIu64 "e%d",
			 decimal->is_negative ? "-" : "", decimal->digits,
			 decimal->exponent);
	check_floats(decimal, text);
}

/* Passes over [-]digits[.digits][e[+-]digits]; NULL when it is not there. */
static const char *
pass_decimal(const char *at, const char *limit)
{
	const char *digits;

	if (at < limit && *at == '-')
		at++;
	for (digits = at; at < limit && isdigit((unsigned char) *at);)
		at++;
	if (at == digits)
		return NULL;
	if (at < limit && *at == '.')
	{
		for (digits = ++at; at < limit && isdigit((unsigned char) *at);)
			at++;
		if (at == digits)
			return NULL;
	}
	if (at < limit && (*at == 'e' || *at == 'E'))
	{
		at++;
		if (at < limit && (*at == '-' || *at == '+'))
			at++;
		for (digits = at; at < limit && isdigit((unsigned char) *at);)
			at++;
		if (at == digits)
			return NULL;
	}
	return at;
}

static void
check_decimal_text(const char *text, size_t len)
{
	const char *cursor = text;
	const char *end = pass_decimal(text, text + len);
	IntakeDecimal decimal;
	char	   *shown;
	size_t		shown_len;

	if (!intake_scan_decimal(&cursor, text + len, &decimal))
	{
		FUZZ_CHECK(cursor == text);
		/* seventeen bytes have neither too many digits nor exponents */
		FUZZ_CHECK(end == NULL || len > 17 || memchr(text, 'e', len) ||
				   memchr(text, 'E', len));
		return;
	}
	FUZZ_CHECK(cursor == end);
	shown_len = (size_t) (cursor - text);
	shown = malloc(shown_len + 1);
	memcpy(shown, text, shown_len);
	shown[shown_len] = '\0';

	FUZZ_CHECK(decimal.is_negative == (*text == '-'));
	FUZZ_CHECK(decimal.is_plain == (strpbrk(shown, ".eE") == NULL));
	check_floats(&decimal, shown);
	check_decimal(&decimal);
	if (decimal.is_plain && shown_len <= 18)
		FUZZ_CHECK((int64_t) decimal.digits *
				   (decimal.is_negative ? -1 : 1) ==
				   strtoll(shown, NULL, 10));
	free(shown);
}

static void
check_integer_text(const char *text, size_t len)
{
	char		shown[MAX_SHOWN] = "";
	int64_t		value;
	size_t		sign = len > 0 && (*text == '-' || *text == '+') ? 1 : 0;
	size_t		i = sign;

	while (i < len && isdigit((unsigned char) text[i]))
		i++;
	if (i < len || i == sign || len - sign > INTAKE_INTEGER_DIGITS)
	{
		FUZZ_CHECK(!intake_scan_integer(text, len, &value));
		return;
	}
	memcpy(shown, text, len);
	FUZZ_CHECK(intake_scan_integer(text, len, &value));
	FUZZ_CHECK(value == strtoll(shown, NULL, 10));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	char	   *text = fuzz_copy(data, len);
	IntakeDecimal decimal = {0, 0, false, false, false};
	int16_t		exponent;

	check_decimal_text(text, len);
	check_integer_text(text, len);
	free(text);

	if (len >= sizeof(decimal.digits) + sizeof(exponent))
	{
		memcpy(&decimal.digits, data, sizeof(decimal.digits));
		memcpy(&exponent, data + sizeof(decimal.digits), sizeof(exponent));
		decimal.exponent = exponent % 100;
		check_decimal(&decimal);
		decimal.is_negative = true;
		decimal.digits >>= exponent & 63;
		check_decimal(&decimal);
	}
	return 0;
}
