/*-------------------------------------------------------------------------
 *
 * test_scan_avro.c
 *	  Tests of scan_avro.c.
 *
 * Every text is scanned from a heap copy of just its length, so that the
 * address sanitizer sees a read behind it.
 *
 *-------------------------------------------------------------------------
 */
#include <inttypes.h>
#include <stdlib.h>

#include "format/scan_avro.h"
#include "tap.h"

#define TEXT(literal) literal, sizeof(literal) - 1

#define SYNC "0123456789abcdef"

/* The parts of a header: magic, one map block of two entries, its end. */
#define SCHEMA_ENTRY "\x16" "avro.schema" "\x0c" "\"long\""
#define CODEC_ENTRY "\x14" "avro.codec" "\x08" "null"
#define HEADER "Obj\x01" "\x04" SCHEMA_ENTRY CODEC_ENTRY "\x00" SYNC

typedef IntakeAvroScan (*ScanFunction) (const char **cursor,
										const char *limit, void *result);

static IntakeAvroScan
scan_long(const char **cursor, const char *limit, void *result)
{
	return intake_scan_avro_long(cursor, limit, result);
}

static IntakeAvroScan
scan_int(const char **cursor, const char *limit, void *result)
{
	return intake_scan_avro_int(cursor, limit, result);
}

static IntakeAvroScan
scan_boolean(const char **cursor, const char *limit, void *result)
{
	return intake_scan_avro_boolean(cursor, limit, result);
}

static IntakeAvroScan
scan_bytes(const char **cursor, const char *limit, void *result)
{
	return intake_scan_avro_bytes(cursor, limit, result);
}

static IntakeAvroScan
scan_header(const char **cursor, const char *limit, void *result)
{
	return intake_scan_avro_header(cursor, limit, result);
}

static IntakeAvroScan
scan_block(const char **cursor, const char *limit, void *result)
{
	int64_t    *pair = result;

	return intake_scan_avro_block(cursor, limit, &pair[0], &pair[1]);
}

static IntakeAvroScan
scan_items(const char **cursor, const char *limit, void *result)
{
	int64_t    *pair = result;

	return intake_scan_avro_items(cursor, limit, &pair[0], &pair[1]);
}

/*
 * Scans a copy of the text; *used gets how far the cursor went.  The copy is
 * left to the caller, since spans point into it.
 */
static char *
scan_copy(ScanFunction scan, const char *text, size_t len, void *result,
		  IntakeAvroScan *answer, size_t *used)
{
	char	   *copy = malloc(len == 0 ? 1 : len);
	const char *cursor = copy;

	memcpy(copy, text, len);
	*answer = scan(&cursor, copy + len, result);
	*used = cursor - copy;
	return copy;
}

/*
 * Tests that the text is scanned whole, that what lies behind it is left
 * alone, and that each of its beginnings needs more.
 */
static void
test_good(ScanFunction scan, const char *text, size_t len, void *result,
		  const char *name)
{
	IntakeAvroScan answer;
	char	   *longer = malloc(len + 1);
	size_t		used;
	size_t		i;
	bool		passed = true;

	for (i = 0; i < len; i++)
	{
		free(scan_copy(scan, text, i, result, &answer, &used));
		passed = passed && answer == INTAKE_AVRO_MORE && used == 0;
	}
	memcpy(longer, text, len);
	longer[len] = '\x7f';
	free(scan_copy(scan, longer, len + 1, result, &answer, &used));
	free(longer);
	ok(passed && answer == INTAKE_AVRO_OK && used == len, name);
}

static void
test_bad(ScanFunction scan, const char *text, size_t len, const char *name)
{
	union
	{
		int64_t		pair[2];
		IntakeAvroHeader header;
		IntakeAvroSpan span;
	}			result;
	IntakeAvroScan answer;
	size_t		used;

	free(scan_copy(scan, text, len, &result, &answer, &used));
	ok(answer == INTAKE_AVRO_BAD && used == 0, name);
}

static void
test_long(const char *text, size_t len, int64_t expected)
{
	int64_t		value = 42;
	char		name[64];

	snprintf(name, sizeof(name), "long %" PRId64, expected);
	test_good(scan_long, text, len, &value, name);
	ok(value == expected, name);
}

/* The values of the specification's table, and the ends of the range. */
static void
test_numbers(void)
{
	int32_t		narrow = 42;
	int			truth = 42;

	test_long(TEXT("\x00"), 0);
	test_long(TEXT("\x01"), -1);
	test_long(TEXT("\x02"), 1);
	test_long(TEXT("\x03"), -2);
	test_long(TEXT("\x04"), 2);
	test_long(TEXT("\x7f"), -64);
	test_long(TEXT("\x80\x01"), 64);
	test_long(TEXT("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"), INT64_MIN);
	test_long(TEXT("\xfe\xff\xff\xff\xff\xff\xff\xff\xff\x01"), INT64_MAX);
	test_long(TEXT("\x80\x80\x80\x80\x80\x80\x80\x80\x80\x00"), 0);
	test_bad(scan_long, TEXT("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02"),
			 "a long of 65 bits is bad");
	test_bad(scan_long, TEXT("\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"),
			 "a varint of eleven bytes is bad");

	test_good(scan_int, TEXT("\xff\xff\xff\xff\x0f"), &narrow, "int minimum");
	ok(narrow == INT32_MIN, "int minimum's value");
	test_good(scan_int, TEXT("\xfe\xff\xff\xff\x0f"), &narrow, "int maximum");
	ok(narrow == INT32_MAX, "int maximum's value");
	test_bad(scan_int, TEXT("\x80\x80\x80\x80\x10"), "an int of 33 bits is bad");

	test_good(scan_boolean, TEXT("\x00"), &truth, "boolean false");
	ok(truth == 0, "false's value");
	test_good(scan_boolean, TEXT("\x01"), &truth, "boolean true");
	ok(truth == 1, "true's value");
	test_bad(scan_boolean, TEXT("\x02"), "a boolean of 2 is bad");
}

static void
test_floats(void)
{
	static const char half[] = "\x00\x00\x00\x3f";
	static const char pi[] = "\x18\x2d\x44\x54\xfb\x21\x09\x40";
	const char *cursor = half;
	float		single = 0;
	double		wide = 0;

	ok(intake_scan_avro_float(&cursor, half + 3, &single) == INTAKE_AVRO_MORE &&
	   cursor == half, "three bytes of a float need more");
	ok(intake_scan_avro_float(&cursor, half + 4, &single) == INTAKE_AVRO_OK &&
	   cursor == half + 4 && single == 0.5f, "a float");
	cursor = pi;
	ok(intake_scan_avro_double(&cursor, pi + 7, &wide) == INTAKE_AVRO_MORE &&
	   cursor == pi, "seven bytes of a double need more");
	ok(intake_scan_avro_double(&cursor, pi + 8, &wide) == INTAKE_AVRO_OK &&
	   cursor == pi + 8 && wide == 3.141592653589793, "a double");
}

static void
test_lengths(void)
{
	IntakeAvroSpan span = {NULL, 42};
	int64_t		pair[2];

	test_good(scan_bytes, TEXT("\x00"), &span, "empty bytes");
	ok(span.len == 0, "empty bytes' length");
	test_good(scan_bytes, TEXT("\x06" "foo"), &span, "bytes");
	ok(span.len == 3, "bytes' length");
	test_bad(scan_bytes, TEXT("\x01"), "a negative length is bad");
	test_bad(scan_bytes, TEXT("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"),
			 "the most negative length is bad");
	{
		static const char huge[] =
			"\xfe\xff\xff\xff\xff\xff\xff\xff\xff\x01" "rest";
		const char *cursor = huge;

		ok(intake_scan_avro_bytes(&cursor, huge + sizeof(huge) - 1,
								  &span) == INTAKE_AVRO_MORE &&
		   cursor == huge, "a huge length needs more");
	}

	test_good(scan_items, TEXT("\x06"), pair, "items without a size");
	ok(pair[0] == 3 && pair[1] == -1, "their count");
	test_good(scan_items, TEXT("\x05\x14"), pair, "items with a size");
	ok(pair[0] == 3 && pair[1] == 10, "their count and size");
	test_bad(scan_items, TEXT("\x05\x01"), "items with a negative size are bad");
	test_bad(scan_items,
			 TEXT("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01\x02"),
			 "the most negative count is bad");

	test_good(scan_block, TEXT("\x04\x80\x01"), pair, "a block's head");
	ok(pair[0] == 2 && pair[1] == 64, "its count and size");
	test_bad(scan_block, TEXT("\x03\x02"), "a negative number of records is bad");
	test_bad(scan_block, TEXT("\x04\x03"), "a negative size is bad");
}

static bool
is_span(IntakeAvroSpan span, const char *expected)
{
	return span.start != NULL && span.len == strlen(expected) &&
		memcmp(span.start, expected, span.len) == 0;
}

static void
test_header(void)
{
	static const char sized[] = "Obj\x01" "\x01\x26" SCHEMA_ENTRY
		"\x01\x20" CODEC_ENTRY "\x00" SYNC;
	IntakeAvroHeader header;
	IntakeAvroScan answer;
	size_t		used;
	char	   *copy;

	test_good(scan_header, TEXT(HEADER), &header, "a header");
	test_good(scan_header, TEXT(sized), &header,
			  "a header with sizes, in two blocks");
	copy = scan_copy(scan_header, TEXT(HEADER), &header, &answer, &used);
	ok(is_span(header.schema, "\"long\""), "its schema");
	ok(is_span(header.codec, "null"), "its codec");
	ok(is_span(header.sync, SYNC), "its sync marker");
	free(copy);
	copy = scan_copy(scan_header, TEXT("Obj\x01" "\x00" SYNC), &header,
					 &answer, &used);
	ok(answer == INTAKE_AVRO_OK && header.schema.start == NULL &&
	   header.codec.start == NULL, "a header without metadata");
	free(copy);

	test_bad(scan_header, TEXT("Obj\x02"), "another magic is bad");
	test_bad(scan_header, TEXT("id,"), "what is no magic is bad at once");
	test_bad(scan_header, TEXT("Obj\x01" "\x04" SCHEMA_ENTRY SCHEMA_ENTRY),
			 "the schema twice is bad");
	test_bad(scan_header, TEXT("Obj\x01" "\x01\x24" SCHEMA_ENTRY),
			 "a wrong size of the metadata is bad");
	test_bad(scan_header, TEXT("Obj\x01" "\x02\x01"),
			 "a negative key length is bad");
}

/* Every single-byte change of a header is scanned without a fault. */
static void
test_changed_headers(void)
{
	char		text[] = HEADER;
	IntakeAvroHeader header;
	IntakeAvroScan answer;
	size_t		used;
	size_t		i;
	int			byte;

	for (i = 0; i < sizeof(text) - 1; i++)
	{
		char		kept = text[i];

		for (byte = 0; byte < 256; byte++)
		{
			text[i] = (char) byte;
			free(scan_copy(scan_header, text, sizeof(text) - 1, &header,
						   &answer, &used));
		}
		text[i] = kept;
	}
	ok(true, "changed headers are scanned");
}

/* What the usual way reads, the general one reads, and as the same. */
static void
test_usual_numbers(void)
{
	uint64_t	seed = 1;
	bool		is_right = true;
	int			usual = 0;
	int			i;

	for (i = 0; i < 300000; i++)
	{
		size_t		len = (size_t) (i % 12);
		char	   *bytes = malloc(len > 0 ? len : 1);
		const char *cursor = bytes;
		const char *expected = bytes;
		int64_t		value;
		int64_t		wanted;
		size_t		j;

		for (j = 0; j < len; j++)
		{
			seed = seed * UINT64_C(6364136223846793005) + 1;
			bytes[j] = (char) (seed >> 40 | (seed >> 33) % 3 << 7);
		}
		if (intake_scan_avro_usual_long(&cursor, bytes + len, &value))
		{
			usual++;
			is_right = is_right &&
				intake_scan_avro_long(&expected, bytes + len, &wanted) ==
				INTAKE_AVRO_OK && value == wanted && cursor == expected;
		}
		else if (cursor != bytes)
			is_right = false;
		free(bytes);
	}
	ok(is_right, "the usual way reads longs as the general way does");
	ok(usual > 50000, "many of them are read by it");
}

int
main(void)
{
	test_numbers();
	test_usual_numbers();
	test_floats();
	test_lengths();
	test_header();
	test_changed_headers();
	return done_testing();
}
