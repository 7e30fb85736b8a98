/*-------------------------------------------------------------------------
 *
 * scan_avro.c
 *	  The binary encoding and the container file of Avro.  Plain C.
 *
 * What is more than a few instructions; the rest is in the header, so that
 * decoders have it inline.
 *
 *-------------------------------------------------------------------------
 */
#include "format/scan_avro.h"

/* The longest varint of 64 bits. */
#define MAX_VARINT_LENGTH 10

IntakeAvroScan
intake_scan_avro_long_slow(const char **cursor, const char *limit,
						   int64_t *value)
{
	const char *here = *cursor;
	uint64_t	bits = 0;
	int			i;

	for (i = 0; i < MAX_VARINT_LENGTH; i++)
	{
		uint8_t		byte;

		if (here == limit)
			return INTAKE_AVRO_MORE;
		byte = (uint8_t) *here++;

		/* The tenth byte has room for the last bit only. */
		if (i == MAX_VARINT_LENGTH - 1 && byte > 1)
			return INTAKE_AVRO_BAD;
		bits |= (uint64_t) (byte & 0x7f) << (7 * i);
		if (byte < 0x80)
		{
			*value = (int64_t) ((bits >> 1) ^ (~(bits & 1) + 1));
			*cursor = here;
			return INTAKE_AVRO_OK;
		}
	}
	return INTAKE_AVRO_BAD;
}

IntakeAvroScan
intake_scan_avro_boolean(const char **cursor, const char *limit, int *value)
{
	if (*cursor == limit)
		return INTAKE_AVRO_MORE;
	if (**cursor != 0 && **cursor != 1)
		return INTAKE_AVRO_BAD;
	*value = **cursor;
	(*cursor)++;
	return INTAKE_AVRO_OK;
}

/* Reads len (at most 8) bytes as an unsigned little-endian number. */
static IntakeAvroScan
scan_little_endian(const char **cursor, const char *limit, int len,
				   uint64_t *bits)
{
	int			i;

	if (limit - *cursor < len)
		return INTAKE_AVRO_MORE;
	*bits = 0;
	for (i = 0; i < len; i++)
		*bits |= (uint64_t) (uint8_t) (*cursor)[i] << (8 * i);
	*cursor += len;
	return INTAKE_AVRO_OK;
}

IntakeAvroScan
intake_scan_avro_float(const char **cursor, const char *limit, float *value)
{
	uint64_t	bits;
	uint32_t	narrow;
	IntakeAvroScan result = scan_little_endian(cursor, limit, 4, &bits);

	if (result == INTAKE_AVRO_OK)
	{
		narrow = (uint32_t) bits;
		memcpy(value, &narrow, sizeof(narrow));
	}
	return result;
}

IntakeAvroScan
intake_scan_avro_double(const char **cursor, const char *limit, double *value)
{
	uint64_t	bits;
	IntakeAvroScan result = scan_little_endian(cursor, limit, 8, &bits);

	if (result == INTAKE_AVRO_OK)
		memcpy(value, &bits, sizeof(bits));
	return result;
}

IntakeAvroScan
intake_scan_avro_items(const char **cursor, const char *limit, int64_t *count,
					   int64_t *size)
{
	const char *here = *cursor;
	IntakeAvroScan result = intake_scan_avro_long(&here, limit, count);

	if (result != INTAKE_AVRO_OK)
		return result;
	*size = -1;
	if (*count < 0)
	{
		if (*count == INT64_MIN)
			return INTAKE_AVRO_BAD;
		*count = -*count;
		result = intake_scan_avro_long(&here, limit, size);
		if (result != INTAKE_AVRO_OK)
			return result;
		if (*size < 0)
			return INTAKE_AVRO_BAD;
	}
	*cursor = here;
	return INTAKE_AVRO_OK;
}

/* Notes a known entry of the metadata map.  Bad when it is there already. */
static IntakeAvroScan
note_metadata(IntakeAvroHeader *header, const IntakeAvroSpan *key,
			  const IntakeAvroSpan *value)
{
	IntakeAvroSpan *place = NULL;

	if (key->len == 11 && memcmp(key->start, "avro.schema", 11) == 0)
		place = &header->schema;
	else if (key->len == 10 && memcmp(key->start, "avro.codec", 10) == 0)
		place = &header->codec;

	if (place == NULL)
		return INTAKE_AVRO_OK;
	if (place->start != NULL)
	{
		header->problem = "the metadata gives the schema or the codec twice";
		return INTAKE_AVRO_BAD;
	}
	*place = *value;
	return INTAKE_AVRO_OK;
}

/* Reads count entries of the metadata map. */
static IntakeAvroScan
scan_metadata(const char **cursor, const char *limit, int64_t count,
			  IntakeAvroHeader *header)
{
	IntakeAvroSpan key;
	IntakeAvroSpan value;
	IntakeAvroScan result;

	for (; count > 0; count--)
	{
		header->problem = "the length of a metadata entry is not valid";
		result = intake_scan_avro_bytes(cursor, limit, &key);
		if (result == INTAKE_AVRO_OK)
			result = intake_scan_avro_bytes(cursor, limit, &value);
		if (result == INTAKE_AVRO_OK)
			result = note_metadata(header, &key, &value);
		if (result != INTAKE_AVRO_OK)
			return result;
	}
	return INTAKE_AVRO_OK;
}

/* Reads the metadata map, block by block. */
static IntakeAvroScan
scan_metadata_map(const char **cursor, const char *limit,
				  IntakeAvroHeader *header)
{
	int64_t		count;
	int64_t		size;
	const char *first;
	IntakeAvroScan result;

	for (;;)
	{
		header->problem = "the number of metadata entries is not valid";
		result = intake_scan_avro_items(cursor, limit, &count, &size);
		if (result != INTAKE_AVRO_OK || count == 0)
			return result;
		first = *cursor;
		result = scan_metadata(cursor, limit, count, header);
		if (result != INTAKE_AVRO_OK)
			return result;
		if (size >= 0 && size != *cursor - first)
		{
			header->problem = "the size of the metadata is not valid";
			return INTAKE_AVRO_BAD;
		}
	}
}

IntakeAvroScan
intake_scan_avro_header(const char **cursor, const char *limit,
						IntakeAvroHeader *header)
{
	static const char magic[4] = {'O', 'b', 'j', 1};
	const char *here = *cursor;
	size_t		len = limit - here;
	IntakeAvroScan result;

	memset(header, 0, sizeof(*header));
	if (len > 0 &&
		memcmp(here, magic, len < sizeof(magic) ? len : sizeof(magic)) != 0)
	{
		header->problem = "the first four bytes are not those of a container file";
		return INTAKE_AVRO_BAD;
	}
	if (len < sizeof(magic))
		return INTAKE_AVRO_MORE;
	here += sizeof(magic);

	result = scan_metadata_map(&here, limit, header);
	if (result == INTAKE_AVRO_OK)
		result = intake_scan_avro_fixed(&here, limit, INTAKE_AVRO_SYNC_LENGTH,
										&header->sync);
	if (result != INTAKE_AVRO_OK)
		return result;
	header->problem = NULL;
	*cursor = here;
	return INTAKE_AVRO_OK;
}

IntakeAvroScan
intake_scan_avro_block(const char **cursor, const char *limit, int64_t *count,
					   int64_t *size)
{
	const char *here = *cursor;
	IntakeAvroScan result = intake_scan_avro_long(&here, limit, count);

	if (result == INTAKE_AVRO_OK && *count < 0)
		return INTAKE_AVRO_BAD;
	if (result == INTAKE_AVRO_OK)
		result = intake_scan_avro_long(&here, limit, size);
	if (result != INTAKE_AVRO_OK)
		return result;
	if (*size < 0)
		return INTAKE_AVRO_BAD;
	*cursor = here;
	return INTAKE_AVRO_OK;
}
