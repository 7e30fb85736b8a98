/*-------------------------------------------------------------------------
 *
 * scan_avro.h
 *	  The binary encoding and the container file of Avro.  Plain C.
 *
 * Each function reads one thing at *cursor, never at or past limit, and
 * moves the cursor behind it when it answers INTAKE_AVRO_OK.  Otherwise the
 * cursor stays: INTAKE_AVRO_MORE says that the bytes end inside the thing,
 * INTAKE_AVRO_BAD that no further byte would help.
 *
 *-------------------------------------------------------------------------
 */
#ifndef INTAKE_SCAN_AVRO_H
#define INTAKE_SCAN_AVRO_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "format/scan_number.h"

#define INTAKE_AVRO_SYNC_LENGTH 16

typedef enum IntakeAvroScan
{
	INTAKE_AVRO_OK,
	INTAKE_AVRO_BAD,
	INTAKE_AVRO_MORE
} IntakeAvroScan;

/* Some bytes of the text that was scanned. */
typedef struct IntakeAvroSpan
{
	const char *start;			/* NULL: not there */
	size_t		len;
} IntakeAvroSpan;

/* A container file's header. */
typedef struct IntakeAvroHeader
{
	IntakeAvroSpan schema;		/* avro.schema */
	IntakeAvroSpan codec;		/* avro.codec */
	IntakeAvroSpan sync;		/* the 16 bytes of the sync marker */
	const char *problem;		/* when bad: what is, for a message's detail */
} IntakeAvroHeader;

/*
 * The part of intake_scan_avro_long() for numbers of two bytes and more.
 */
extern IntakeAvroScan intake_scan_avro_long_slow(const char **cursor,
												 const char *limit,
												 int64_t *value);

/* A long: a zig-zag varint of up to ten bytes. */
static inline IntakeAvroScan
intake_scan_avro_long(const char **cursor, const char *limit, int64_t *value)
{
	uint8_t		byte;

	if (*cursor == limit)
		return INTAKE_AVRO_MORE;
	byte = (uint8_t) **cursor;
	if (byte >= 0x80)
		return intake_scan_avro_long_slow(cursor, limit, value);
	*value = (int64_t) (byte >> 1) ^ -(int64_t) (byte & 1);
	(*cursor)++;
	return INTAKE_AVRO_OK;
}

/*
 * A long of up to eight bytes with as many at hand, which most are; false,
 * and the cursor stays, for all else.
 */
static inline bool
intake_scan_avro_usual_long(const char **cursor, const char *limit,
							int64_t *value)
{
	uint64_t	word;
	uint64_t	last;

	if (limit - *cursor < 8)
		return false;
	word = intake_scan_load_word(*cursor);

	/* the first byte without the bit that says that more follow */
	last = ~word & UINT64_C(0x8080808080808080);
	if (last == 0)
		return false;
	last &= ~last + 1;
	*cursor += __builtin_ctzll(last) / 8 + 1;

	/* its bytes alone, and of each the seven bits that count, joined */
	word &= (last ^ (last - 1)) & UINT64_C(0x7F7F7F7F7F7F7F7F);
	word = (word & UINT64_C(0x007F007F007F007F)) |
		(word & UINT64_C(0x7F007F007F007F00)) >> 1;
	word = (word & UINT64_C(0x00003FFF00003FFF)) |
		(word & UINT64_C(0x3FFF00003FFF0000)) >> 2;
	word = (word & UINT64_C(0x000000000FFFFFFF)) |
		(word & UINT64_C(0x0FFFFFFF00000000)) >> 4;
	*value = (int64_t) (word >> 1) ^ -(int64_t) (word & 1);
	return true;
}

/* An int: bad when the number has more than 32 bits. */
static inline IntakeAvroScan
intake_scan_avro_int(const char **cursor, const char *limit, int32_t *value)
{
	const char *here = *cursor;
	int64_t		wide;
	IntakeAvroScan result = intake_scan_avro_long(&here, limit, &wide);

	if (result != INTAKE_AVRO_OK)
		return result;
	if (wide < INT32_MIN || wide > INT32_MAX)
		return INTAKE_AVRO_BAD;
	*value = (int32_t) wide;
	*cursor = here;
	return INTAKE_AVRO_OK;
}

/* A boolean: one byte, 0 or 1. */
extern IntakeAvroScan intake_scan_avro_boolean(const char **cursor,
											   const char *limit, int *value);

/* A float and a double: 4 and 8 bytes, little-endian. */
extern IntakeAvroScan intake_scan_avro_float(const char **cursor,
											 const char *limit, float *value);
extern IntakeAvroScan intake_scan_avro_double(const char **cursor,
											  const char *limit,
											  double *value);

/* A fixed: len bytes. */
static inline IntakeAvroScan
intake_scan_avro_fixed(const char **cursor, const char *limit, size_t len,
					   IntakeAvroSpan *span)
{
	if ((size_t) (limit - *cursor) < len)
		return INTAKE_AVRO_MORE;
	span->start = *cursor;
	span->len = len;
	*cursor += len;
	return INTAKE_AVRO_OK;
}

/* Bytes or a string: a long, and as many bytes.  Bad when negative. */
static inline IntakeAvroScan
intake_scan_avro_bytes(const char **cursor, const char *limit,
					   IntakeAvroSpan *span)
{
	const char *here = *cursor;
	int64_t		len;
	IntakeAvroScan result = intake_scan_avro_long(&here, limit, &len);

	if (result != INTAKE_AVRO_OK)
		return result;
	if (len < 0)
		return INTAKE_AVRO_BAD;
	if ((uint64_t) len > (uint64_t) (limit - here))
		return INTAKE_AVRO_MORE;
	span->start = here;
	span->len = (size_t) len;
	*cursor = here + len;
	return INTAKE_AVRO_OK;
}

/*
 * The head of one block of an array or map: how many items follow (0: the
 * end) and, when the block says it, how many bytes they take, else -1.
 */
extern IntakeAvroScan intake_scan_avro_items(const char **cursor,
											 const char *limit,
											 int64_t *count, int64_t *size);

/*
 * A container file's header, from the magic to the sync marker.  The spans
 * point into the text.
 */
extern IntakeAvroScan intake_scan_avro_header(const char **cursor,
											  const char *limit,
											  IntakeAvroHeader *header);

/*
 * The head of a container file's block: the number of records in it and the
 * number of bytes that they take as stored.  Bad when one is negative.
 */
extern IntakeAvroScan intake_scan_avro_block(const char **cursor,
											 const char *limit,
											 int64_t *count, int64_t *size);

#endif							/* INTAKE_SCAN_AVRO_H */
