/*-------------------------------------------------------------------------
 *
 * avro_reader.h
 *	  Reading values from the inflated bytes of one Avro block.
 *
 * The bytes are not trusted.  Every length is checked against what is left
 * of the block, every count of items against the fewest bytes that so many
 * take; items that take none are counted against a budget a block.  What
 * does not fit is an error.
 *
 *-------------------------------------------------------------------------
 */
#ifndef INTAKE_AVRO_READER_H
#define INTAKE_AVRO_READER_H

#include "compat.h"
#include "format/avro_schema.h"
#include "format/scan_avro.h"

typedef struct IntakeAvroReader
{
	const char *cursor;
	const char *limit;
	int64		free_items;		/* items without bytes that may still come */
	int64		empty_records;	/* of the file so far: those without bytes */
	int			depth;			/* of the nested value being read */
} IntakeAvroReader;

/* One block of an array or a map. */
typedef struct IntakeAvroItems
{
	int64		count;
	const char *end;			/* NULL: the writer did not say */
} IntakeAvroItems;

/*
 * Takes the inflated bytes of a block, which must stay where they are.
 * Errors when so many records, of min_size bytes or more, cannot be in them.
 */
extern void intake_avro_reader_take(IntakeAvroReader *reader,
									const char *data, size_t len,
									int64 nrecords, int32 min_size);

/* Raises the error for bytes that the scanner did not take. */
extern void intake_avro_report_scan(IntakeAvroScan result)
			pg_attribute_noreturn();

/* An int or a long, as the type says. */
extern int64 intake_avro_read_integer(IntakeAvroReader *reader,
									  const IntakeAvroSchema *schema);
extern bool intake_avro_read_boolean(IntakeAvroReader *reader);
extern float intake_avro_read_float(IntakeAvroReader *reader);
extern double intake_avro_read_double(IntakeAvroReader *reader);

/* A string or a map's key: UTF-8 without NUL bytes. */
extern IntakeAvroSpan intake_avro_read_text(IntakeAvroReader *reader);

/* An enum's symbol. */
extern const char *intake_avro_read_symbol(IntakeAvroReader *reader,
										   const IntakeAvroSchema *schema);

/* Microseconds from a time or timestamp of any unit; nanoseconds round. */
extern int64 intake_avro_read_microseconds(IntakeAvroReader *reader,
										   const IntakeAvroSchema *schema);

/* Months, days and milliseconds of a duration. */
extern void intake_avro_read_duration(IntakeAvroReader *reader,
									  const IntakeAvroSchema *schema,
									  uint32 parts[3]);

/*
 * The head of the next block of an array or map; false at its end.  When the
 * items have been read, intake_avro_check_items() checks that they took as
 * many bytes as the writer said.
 */
extern bool intake_avro_read_items(IntakeAvroReader *reader,
								   const IntakeAvroSchema *schema,
								   IntakeAvroItems *items);
extern void intake_avro_check_items(const IntakeAvroReader *reader,
									const IntakeAvroItems *items);

/* Around what is in a record, array or map: errors when nested too deep. */
extern void intake_avro_enter(IntakeAvroReader *reader);
extern void intake_avro_leave(IntakeAvroReader *reader);

/* Passes over a value. */
typedef void (*IntakeAvroSkip) (IntakeAvroReader *reader,
								const IntakeAvroSchema *schema);

/* The function that passes over values of this type. */
extern IntakeAvroSkip intake_avro_find_skip(const IntakeAvroSchema *schema);

/* Whether a timestamp is a local one, without a zone. */
static inline bool
intake_avro_is_local(const IntakeAvroSchema *schema)
{
	return schema->logical >= INTAKE_AVRO_LOCAL_MILLIS;
}

/* A long, and an int: bad when it has more than 32 bits. */
static inline int64
intake_avro_read_long(IntakeAvroReader *reader)
{
	int64_t		value;
	IntakeAvroScan result;

	result = intake_scan_avro_long(&reader->cursor, reader->limit, &value);
	if (unlikely(result != INTAKE_AVRO_OK))
		intake_avro_report_scan(result);
	return value;
}

static inline int32
intake_avro_read_int(IntakeAvroReader *reader)
{
	int32_t		value;
	IntakeAvroScan result;

	result = intake_scan_avro_int(&reader->cursor, reader->limit, &value);
	if (unlikely(result != INTAKE_AVRO_OK))
		intake_avro_report_scan(result);
	return value;
}

/* The bytes of a string, bytes or fixed. */
static inline IntakeAvroSpan
intake_avro_read_bytes(IntakeAvroReader *reader,
					   const IntakeAvroSchema *schema)
{
	IntakeAvroSpan span;
	IntakeAvroScan result;

	if (schema->type == INTAKE_AVRO_FIXED)
		result = intake_scan_avro_fixed(&reader->cursor, reader->limit,
										schema->size, &span);
	else
		result = intake_scan_avro_bytes(&reader->cursor, reader->limit, &span);
	if (unlikely(result != INTAKE_AVRO_OK))
		intake_avro_report_scan(result);
	return span;
}

/* The branch of a union that the next value has. */
static inline const IntakeAvroSchema *
intake_avro_read_branch(IntakeAvroReader *reader,
						const IntakeAvroSchema *schema)
{
	int64		branch = intake_avro_read_long(reader);

	if (unlikely(branch < 0 || branch >= schema->nbranches))
		ereport(ERROR,
				(errcode(ERRCODE_BAD_COPY_FILE_FORMAT),
				 errmsg("Avro union has no branch %lld", (long long) branch),
				 errdetail("It has %d branches.", schema->nbranches)));
	return schema->branches[branch];
}

#endif							/* INTAKE_AVRO_READER_H */
