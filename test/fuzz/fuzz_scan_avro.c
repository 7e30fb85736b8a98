/*-------------------------------------------------------------------------
 *
 * fuzz_scan_avro.c
 *	  The scanner of Avro's binary encoding.
 *
 * The input's first byte chooses what is read of the rest.  Whatever it is:
 * the cursor moves when the answer is "ok" and only then, and of a text that
 * is cut where the thing ends the answer is the same, cut before that "more",
 * or "bad" where the whole is.
 *
 *-------------------------------------------------------------------------
 */
#include "format/scan_avro.h"

#include "fuzz.h"

#define MAX_VARINT 10

/* What was read, as numbers and bytes that can be compared. */
typedef struct Result
{
	int64_t		first;
	int64_t		second;
	size_t		len;			/* of the bytes */
	const char *bytes;			/* in the text, or NULL */
} Result;

typedef IntakeAvroScan (*ReadFunction) (const char **cursor,
										const char *limit, Result *result);

static IntakeAvroScan
read_long(const char **cursor, const char *limit, Result *result)
{
	return intake_scan_avro_long(cursor, limit, &result->first);
}

static IntakeAvroScan
read_int(const char **cursor, const char *limit, Result *result)
{
	int32_t		value = 0;
	IntakeAvroScan answer = intake_scan_avro_int(cursor, limit, &value);

	result->first = value;
	return answer;
}

static IntakeAvroScan
read_boolean(const char **cursor, const char *limit, Result *result)
{
	int			value = 0;
	IntakeAvroScan answer = intake_scan_avro_boolean(cursor, limit, &value);

	FUZZ_CHECK(value == 0 || value == 1);
	result->first = value;
	return answer;
}

/* Little-endian, as the machines are that this runs on. */
static IntakeAvroScan
read_float(const char **cursor, const char *limit, Result *result)
{
	const char *start = *cursor;
	float		value;
	IntakeAvroScan answer = intake_scan_avro_float(cursor, limit, &value);

	if (answer == INTAKE_AVRO_OK)
		FUZZ_CHECK(memcmp(&value, start, sizeof(value)) == 0);
	return answer;
}

static IntakeAvroScan
read_double(const char **cursor, const char *limit, Result *result)
{
	const char *start = *cursor;
	double		value;
	IntakeAvroScan answer = intake_scan_avro_double(cursor, limit, &value);

	if (answer == INTAKE_AVRO_OK)
		FUZZ_CHECK(memcmp(&value, start, sizeof(value)) == 0);
	return answer;
}

static IntakeAvroScan
read_fixed(const char **cursor, const char *limit, Result *result)
{
	IntakeAvroSpan span = {NULL, 0};
	IntakeAvroScan answer = intake_scan_avro_fixed(cursor, limit, 12, &span);

	result->bytes = span.start;
	result->len = span.len;
	FUZZ_CHECK(answer != INTAKE_AVRO_OK || span.len == 12);
	return answer;
}

static IntakeAvroScan
read_bytes(const char **cursor, const char *limit, Result *result)
{
	IntakeAvroSpan span = {NULL, 0};
	IntakeAvroScan answer = intake_scan_avro_bytes(cursor, limit, &span);

	result->bytes = span.start;
	result->len = span.len;
	FUZZ_CHECK(answer != INTAKE_AVRO_OK || span.start + span.len == *cursor);
	return answer;
}

static IntakeAvroScan
read_items(const char **cursor, const char *limit, Result *result)
{
	IntakeAvroScan answer = intake_scan_avro_items(cursor, limit,
												   &result->first,
												   &result->second);

	FUZZ_CHECK(answer != INTAKE_AVRO_OK ||
			   (result->first >= 0 && result->second >= -1));
	return answer;
}

static IntakeAvroScan
read_block(const char **cursor, const char *limit, Result *result)
{
	IntakeAvroScan answer = intake_scan_avro_block(cursor, limit,
												   &result->first,
												   &result->second);

	FUZZ_CHECK(answer != INTAKE_AVRO_OK ||
			   (result->first >= 0 && result->second >= 0));
	return answer;
}

static void
check_span(const IntakeAvroSpan *span, const char *start, const char *limit)
{
	FUZZ_CHECK(span->start == NULL ||
			   (span->start >= start && span->start + span->len <= limit));
}

static IntakeAvroScan
read_header(const char **cursor, const char *limit, Result *result)
{
	const char *start = *cursor;
	IntakeAvroHeader header;
	IntakeAvroScan answer = intake_scan_avro_header(cursor, limit, &header);

	check_span(&header.schema, start, limit);
	check_span(&header.codec, start, limit);
	check_span(&header.sync, start, limit);
	FUZZ_CHECK(answer != INTAKE_AVRO_BAD || header.problem != NULL);
	if (answer == INTAKE_AVRO_OK)
	{
		FUZZ_CHECK(header.problem == NULL);
		FUZZ_CHECK(header.sync.len == INTAKE_AVRO_SYNC_LENGTH);
		FUZZ_CHECK(header.sync.start + header.sync.len == *cursor);
		result->bytes = header.sync.start;
		result->len = header.sync.len;
		result->first = (int64_t) header.schema.len;
		result->second = (int64_t) header.codec.len;
	}
	return answer;
}

static const ReadFunction functions[] = {
	read_long, read_int, read_boolean, read_float, read_double, read_fixed,
	read_bytes, read_items, read_block, read_header
};

/* Reads from a copy of the text; *used gets the bytes taken. */
static IntakeAvroScan
read_copy(ReadFunction function, const char *text, size_t len, size_t *used,
		  Result *result)
{
	char	   *copy = fuzz_copy(text, len);
	const char *cursor = copy;
	IntakeAvroScan answer;

	memset(result, 0, sizeof(*result));
	answer = function(&cursor, copy + len, result);
	FUZZ_CHECK(answer == INTAKE_AVRO_OK || answer == INTAKE_AVRO_BAD ||
			   answer == INTAKE_AVRO_MORE);
	FUZZ_CHECK(cursor >= copy && cursor <= copy + len);
	if (answer != INTAKE_AVRO_OK)
	{
		FUZZ_CHECK(cursor == copy);
		memset(result, 0, sizeof(*result));
	}
	*used = (size_t) (cursor - copy);

	/* the copy goes; the bytes are at the same place of the text */
	if (result->bytes != NULL)
		result->bytes = text + (result->bytes - copy);
	free(copy);
	return answer;
}

static void
check_cut(ReadFunction function, const char *text, size_t len)
{
	Result		whole;
	Result		part;
	size_t		used;
	size_t		part_used;
	size_t		cut;
	IntakeAvroScan answer = read_copy(function, text, len, &used, &whole);
	IntakeAvroScan part_answer;

	for (cut = 0; cut < len; cut += 1 + len / 64)
	{
		part_answer = read_copy(function, text, cut, &part_used, &part);
		if (answer == INTAKE_AVRO_OK && cut >= used)
		{
			FUZZ_CHECK(part_answer == INTAKE_AVRO_OK && part_used == used);
			FUZZ_CHECK(memcmp(&whole, &part, sizeof(whole)) == 0);
		}
		else
			FUZZ_CHECK(part_answer == INTAKE_AVRO_MORE ||
					   (answer == INTAKE_AVRO_BAD &&
						part_answer == INTAKE_AVRO_BAD));
	}
}

/* Every number there is goes through the encoding and back. */
static void
check_long(int64_t value)
{
	uint64_t	bits = ((uint64_t) value << 1) ^
		(value < 0 ? ~UINT64_C(0) : 0);
	char		text[MAX_VARINT];
	size_t		len = 0;
	Result		result;
	size_t		used;

	do
	{
		text[len++] = (char) ((bits & 0x7F) | (bits > 0x7F ? 0x80 : 0));
		bits >>= 7;
	} while (bits > 0);

	FUZZ_CHECK(read_copy(read_long, text, len, &used, &result) ==
			   INTAKE_AVRO_OK);
	FUZZ_CHECK(used == len && result.first == value);
	if (value < INT32_MIN || value > INT32_MAX)
		FUZZ_CHECK(read_copy(read_int, text, len, &used, &result) ==
				   INTAKE_AVRO_BAD);
	else
	{
		FUZZ_CHECK(read_copy(read_int, text, len, &used, &result) ==
				   INTAKE_AVRO_OK);
		FUZZ_CHECK(used == len && result.first == value);
	}
	check_cut(read_long, text, len);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	int64_t		value = 0;
	size_t		nfunctions = sizeof(functions) / sizeof(functions[0]);

	if (len < 1)
		return 0;
	check_cut(functions[data[0] % nfunctions], (const char *) data + 1,
			  len - 1);
	memcpy(&value, data + 1, len - 1 < 8 ? len - 1 : 8);
	check_long(value);
	return 0;
}
