/*-------------------------------------------------------------------------
 *
 * avro_reader.c
 *	  Reading values from the inflated bytes of one Avro block.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "common/int.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"

#include "format/avro_reader.h"
#include "format/scan_utf8.h"
#include "settings.h"

/* So many of one file. */
#define MAX_EMPTY_RECORDS 1000000

void
intake_avro_report_scan(IntakeAvroScan result)
{
	ereport(ERROR,
			(errcode(ERRCODE_BAD_COPY_FILE_FORMAT),
			 result == INTAKE_AVRO_MORE ?
			 errmsg("Avro block ends inside a record") :
			 errmsg("invalid value in Avro block"),
			 errdetail("The data is not what the file's schema says.")));
}

int64
intake_avro_read_integer(IntakeAvroReader *reader,
						 const IntakeAvroSchema *schema)
{
	if (schema->type == INTAKE_AVRO_INT)
		return intake_avro_read_int(reader);
	return intake_avro_read_long(reader);
}

bool
intake_avro_read_boolean(IntakeAvroReader *reader)
{
	int			value;
	IntakeAvroScan result;

	result = intake_scan_avro_boolean(&reader->cursor, reader->limit, &value);
	if (result != INTAKE_AVRO_OK)
		intake_avro_report_scan(result);
	return value != 0;
}

float
intake_avro_read_float(IntakeAvroReader *reader)
{
	float		value;
	IntakeAvroScan result;

	result = intake_scan_avro_float(&reader->cursor, reader->limit, &value);
	if (result != INTAKE_AVRO_OK)
		intake_avro_report_scan(result);
	return value;
}

double
intake_avro_read_double(IntakeAvroReader *reader)
{
	double		value;
	IntakeAvroScan result;

	result = intake_scan_avro_double(&reader->cursor, reader->limit, &value);
	if (result != INTAKE_AVRO_OK)
		intake_avro_report_scan(result);
	return value;
}

IntakeAvroSpan
intake_avro_read_text(IntakeAvroReader *reader)
{
	IntakeAvroSpan span;
	IntakeAvroScan result;
	size_t		valid;

	result = intake_scan_avro_bytes(&reader->cursor, reader->limit, &span);
	if (unlikely(result != INTAKE_AVRO_OK))
		intake_avro_report_scan(result);
	valid = intake_scan_utf8_valid(span.start, span.len);
	if (unlikely(valid != span.len))
		report_invalid_encoding(PG_UTF8, span.start + valid,
								(int) Min(span.len - valid, PG_INT32_MAX));
	if (unlikely(memchr(span.start, '\0', span.len) != NULL))
		ereport(ERROR,
				(errcode(ERRCODE_UNTRANSLATABLE_CHARACTER),
				 errmsg("Avro string holds a NUL byte"),
				 errdetail("A text cannot hold it.")));
	return span;
}

const char *
intake_avro_read_symbol(IntakeAvroReader *reader,
						const IntakeAvroSchema *schema)
{
	int32		symbol = intake_avro_read_int(reader);

	if (symbol < 0 || symbol >= schema->nsymbols)
		ereport(ERROR,
				(errcode(ERRCODE_BAD_COPY_FILE_FORMAT),
				 errmsg("Avro enum has no symbol %d", symbol),
				 errdetail("It has %d symbols.", schema->nsymbols)));
	return schema->symbols[symbol];
}

int64
intake_avro_read_microseconds(IntakeAvroReader *reader,
							  const IntakeAvroSchema *schema)
{
	int64		value = intake_avro_read_integer(reader, schema);
	int64		rest;

	switch (schema->logical)
	{
		case INTAKE_AVRO_TIME_MILLIS:
		case INTAKE_AVRO_TIMESTAMP_MILLIS:
		case INTAKE_AVRO_LOCAL_MILLIS:
			if (pg_mul_s64_overflow(value, 1000, &value))
				ereport(ERROR,
						(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
						 errmsg("timestamp out of range")));
			return value;
		case INTAKE_AVRO_TIMESTAMP_NANOS:
		case INTAKE_AVRO_LOCAL_NANOS:
			rest = value % 1000;
			return value / 1000 + (rest >= 500 ? 1 : rest <= -500 ? -1 : 0);
		default:
			return value;
	}
}

void
intake_avro_enter(IntakeAvroReader *reader)
{
	check_stack_depth();
	if (++reader->depth > intake_max_nesting_depth)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("Avro value is nested more than %d levels deep",
						intake_max_nesting_depth),
				 errhint("See setting \"%s\".",
						 "pg_intake.max_nesting_depth")));
}

void
intake_avro_leave(IntakeAvroReader *reader)
{
	reader->depth--;
}

/* Errors when count things of at least min_size bytes cannot be there. */
static void
check_count(IntakeAvroReader *reader, int64 count, int64 min_size,
			const char *things)
{
	bool		is_too_many;

	if (min_size > 0)
		is_too_many = count > (reader->limit - reader->cursor) / min_size;
	else
	{
		is_too_many = count > reader->free_items;
		reader->free_items -= is_too_many ? 0 : count;
	}
	if (is_too_many)
		ereport(ERROR,
				(errcode(ERRCODE_BAD_COPY_FILE_FORMAT),
				 errmsg("Avro block cannot hold %lld %s",
						(long long) count, things)));
}

/*
 * Records that take no bytes cost their writer nothing, however many they
 * are: a file of a hundred bytes would fill a disk.
 */
static void
count_empty_records(IntakeAvroReader *reader, int64 nrecords)
{
	if (nrecords > MAX_EMPTY_RECORDS - reader->empty_records)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("Avro file has more than %d records without any bytes",
						MAX_EMPTY_RECORDS)));
	reader->empty_records += nrecords;
}

void
intake_avro_reader_take(IntakeAvroReader *reader, const char *data,
						size_t len, int64 nrecords, int32 min_size)
{
	reader->cursor = data;
	reader->limit = data + len;
	reader->free_items = (int64) intake_max_avro_block_size * 1024;
	reader->depth = 0;
	check_count(reader, nrecords, min_size, "records");
	if (min_size == 0)
		count_empty_records(reader, nrecords);
}

bool
intake_avro_read_items(IntakeAvroReader *reader,
					   const IntakeAvroSchema *schema, IntakeAvroItems *items)
{
	int64_t		size;
	int64_t		count;
	IntakeAvroScan result;

	CHECK_FOR_INTERRUPTS();
	result = intake_scan_avro_items(&reader->cursor, reader->limit, &count,
									&size);
	if (result != INTAKE_AVRO_OK)
		intake_avro_report_scan(result);
	if (count == 0)
		return false;
	check_count(reader, count, schema->items->min_size +
				(schema->type == INTAKE_AVRO_MAP ? 1 : 0), "items");
	if (size > reader->limit - reader->cursor)
		intake_avro_report_scan(INTAKE_AVRO_MORE);
	items->count = count;
	items->end = size >= 0 ? reader->cursor + size : NULL;
	return true;
}

void
intake_avro_check_items(const IntakeAvroReader *reader,
						const IntakeAvroItems *items)
{
	if (items->end != NULL && items->end != reader->cursor)
		intake_avro_report_scan(INTAKE_AVRO_BAD);
}

void
intake_avro_read_duration(IntakeAvroReader *reader,
						  const IntakeAvroSchema *schema, uint32 parts[3])
{
	IntakeAvroSpan span = intake_avro_read_bytes(reader, schema);
	int			i;

	for (i = 0; i < 3; i++)
		parts[i] = (uint32) (uint8) span.start[4 * i] |
			(uint32) (uint8) span.start[4 * i + 1] << 8 |
			(uint32) (uint8) span.start[4 * i + 2] << 16 |
			(uint32) (uint8) span.start[4 * i + 3] << 24;
}

static void
skip_nothing(IntakeAvroReader *reader, const IntakeAvroSchema *schema)
{
}

static void
skip_boolean(IntakeAvroReader *reader, const IntakeAvroSchema *schema)
{
	(void) intake_avro_read_boolean(reader);
}

static void
skip_integer(IntakeAvroReader *reader, const IntakeAvroSchema *schema)
{
	(void) intake_avro_read_integer(reader, schema);
}

static void
skip_float(IntakeAvroReader *reader, const IntakeAvroSchema *schema)
{
	(void) intake_avro_read_float(reader);
}

static void
skip_double(IntakeAvroReader *reader, const IntakeAvroSchema *schema)
{
	(void) intake_avro_read_double(reader);
}

static void
skip_bytes(IntakeAvroReader *reader, const IntakeAvroSchema *schema)
{
	(void) intake_avro_read_bytes(reader, schema);
}

static void
skip_enum(IntakeAvroReader *reader, const IntakeAvroSchema *schema)
{
	(void) intake_avro_read_symbol(reader, schema);
}

static void
skip_union(IntakeAvroReader *reader, const IntakeAvroSchema *schema)
{
	const IntakeAvroSchema *branch = intake_avro_read_branch(reader, schema);

	intake_avro_find_skip(branch) (reader, branch);
}

/* A record that takes no bytes may hold very many of its kind: no walk. */
static void
skip_record(IntakeAvroReader *reader, const IntakeAvroSchema *schema)
{
	int			i;

	if (schema->min_size == 0)
		return;
	intake_avro_enter(reader);
	for (i = 0; i < schema->nfields; i++)
	{
		const IntakeAvroSchema *field = schema->fields[i].schema;

		intake_avro_find_skip(field) (reader, field);
	}
	intake_avro_leave(reader);
}

static void
skip_items(IntakeAvroReader *reader, const IntakeAvroSchema *schema)
{
	const IntakeAvroSchema *items = schema->items;
	bool		is_map = schema->type == INTAKE_AVRO_MAP;
	IntakeAvroItems block;

	intake_avro_enter(reader);
	while (intake_avro_read_items(reader, schema, &block))
	{
		if (block.end != NULL)
		{
			reader->cursor = block.end;
			continue;
		}
		if (!is_map && items->min_size == 0)
			continue;
		for (; block.count > 0; block.count--)
		{
			if (is_map)
				(void) intake_avro_read_text(reader);
			intake_avro_find_skip(items) (reader, items);
		}
	}
	intake_avro_leave(reader);
}

IntakeAvroSkip
intake_avro_find_skip(const IntakeAvroSchema *schema)
{
	static const IntakeAvroSkip functions[INTAKE_AVRO_NTYPES] = {
		[INTAKE_AVRO_NULL] = skip_nothing,
		[INTAKE_AVRO_BOOLEAN] = skip_boolean,
		[INTAKE_AVRO_INT] = skip_integer,
		[INTAKE_AVRO_LONG] = skip_integer,
		[INTAKE_AVRO_FLOAT] = skip_float,
		[INTAKE_AVRO_DOUBLE] = skip_double,
		[INTAKE_AVRO_BYTES] = skip_bytes,
		[INTAKE_AVRO_STRING] = skip_bytes,
		[INTAKE_AVRO_RECORD] = skip_record,
		[INTAKE_AVRO_ENUM] = skip_enum,
		[INTAKE_AVRO_FIXED] = skip_bytes,
		[INTAKE_AVRO_ARRAY] = skip_items,
		[INTAKE_AVRO_MAP] = skip_items,
		[INTAKE_AVRO_UNION] = skip_union
	};

	return functions[schema->type];
}
