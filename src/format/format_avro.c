/*-------------------------------------------------------------------------
 *
 * format_avro.c
 *	  The decoder of Avro's object container files.
 *
 * A file is a header (magic, metadata with schema and codec, sync marker)
 * and blocks (number of records, size, data, the sync marker again).
 *
 * [source] --block--> avro_codec.c --records--> avro_plan.c --> row
 *
 * One block at a time is held.  A block that lies whole in the source's
 * window is used where it is; a larger one is gathered in a buffer of the
 * decoder's, which grows with the bytes that really come.  A block's sync
 * marker is checked before the first of its records is decoded, so that
 * records never come from a block that is cut.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "miscadmin.h"
#include "utils/memutils.h"

#include "compat.h"
#include "format/avro_codec.h"
#include "format/avro_plan.h"
#include "format/avro_schema.h"
#include "format/format.h"
#include "format/scan_avro.h"
#include "settings.h"

/* Records between two looks at interrupts, less one; a power of two. */
#define INTERRUPT_MASK 0x0fff

typedef struct AvroDecoder
{
	IntakeDecoder base;
	MemoryContext context;
	char		sync[INTAKE_AVRO_SYNC_LENGTH];
	IntakeAvroCodec *codec;
	IntakeAvroPlan *plan;

	uint64		record;			/* records so far */
	int64		nleft;			/* records of the block still to come */
	size_t		window_len;		/* bytes of the window the block uses */

	char	   *buffer;			/* of a block that the window does not hold */
	size_t		buffer_size;
	bool		has_no_header;	/* the payload was cut before its end */
} AvroDecoder;

static void
report_cut(const char *part)
			pg_attribute_noreturn();

static void
report_cut(const char *part)
{
	ereport(ERROR,
			(errcode(ERRCODE_BAD_COPY_FILE_FORMAT),
			 errmsg("Avro file ends inside %s", part)));
}

static size_t
get_window_len(const IntakeSource *source)
{
	return source->limit - source->cursor;
}

/* The payload has ended inside the part: an error unless it was cut there. */
static void
end_inside(IntakeSource *source, const char *part)
{
	if (!source->is_cut)
		report_cut(part);
	source->cursor = source->limit;
}

/*
 * Brings the whole header into the window and finds its parts.  Returns false
 * when the payload was cut inside it.
 */
static bool
read_header(IntakeSource *source, IntakeAvroHeader *header,
			const char **behind)
{
	IntakeAvroScan result;

	if (source->cursor == source->limit && !intake_source_fill(source) &&
		!source->is_cut)
		ereport(ERROR,
				(errcode(ERRCODE_BAD_COPY_FILE_FORMAT),
				 errmsg("payload is empty"),
				 errdetail("An Avro file has at least a header.")));
	for (;;)
	{
		*behind = source->cursor;
		result = intake_scan_avro_header(behind, source->limit, header);
		if (result == INTAKE_AVRO_OK)
			return true;
		if (result == INTAKE_AVRO_BAD)
			ereport(ERROR,
					(errcode(ERRCODE_BAD_COPY_FILE_FORMAT),
					 errmsg("payload is not an Avro container file"),
					 errdetail("The header is not valid: %s.",
							   header->problem)));
		if (!intake_source_fill(source))
		{
			end_inside(source, "its header");
			return false;
		}
	}
}

static IntakeDecoder *
begin_avro(IntakeSource *source, IntakeColumnSet *columns,
		   const IntakeOptions *options, IntakePosition *position)
{
	AvroDecoder *decoder = palloc0(sizeof(AvroDecoder));
	IntakeAvroHeader header;
	IntakeAvroSchema *schema;
	const char *behind;

	decoder->base.routine = &intake_format_avro;
	decoder->base.source = source;
	decoder->base.columns = columns;
	decoder->base.position = position;
	decoder->context = CurrentMemoryContext;

	if (!read_header(source, &header, &behind))
	{
		decoder->has_no_header = true;
		return &decoder->base;
	}
	if (header.schema.start == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_BAD_COPY_FILE_FORMAT),
				 errmsg("Avro file has no schema"),
				 errdetail("Its metadata has no entry \"avro.schema\".")));
	if (header.codec.start == NULL)
		decoder->codec = intake_avro_codec_open("null", 4);
	else
		decoder->codec = intake_avro_codec_open(header.codec.start,
												header.codec.len);
	memcpy(decoder->sync, header.sync.start, INTAKE_AVRO_SYNC_LENGTH);

	schema = intake_avro_schema_parse(header.schema.start, header.schema.len);
	decoder->plan = intake_avro_plan_make(schema, columns, options, position,
										  &decoder->base.given);
	source->cursor = behind;
	return &decoder->base;
}

/*
 * Reads the head of the next block and moves the cursor behind it.  Returns
 * false when the payload ends before it.
 */
static bool
read_block_head(AvroDecoder *decoder, size_t *size)
{
	IntakeSource *source = decoder->base.source;
	IntakeAvroScan result;
	int64_t		nrecords;
	int64_t		stored;

	for (;;)
	{
		result = intake_scan_avro_block(&source->cursor, source->limit,
										&nrecords, &stored);
		if (result == INTAKE_AVRO_OK)
			break;
		if (result == INTAKE_AVRO_BAD)
			ereport(ERROR,
					(errcode(ERRCODE_BAD_COPY_FILE_FORMAT),
					 errmsg("invalid head of an Avro block"),
					 errdetail("The number of records or of bytes is not valid.")));
		if (intake_source_fill(source))
			continue;
		if (source->cursor == source->limit)
			return false;
		end_inside(source, "the head of a block");
		return false;
	}
	if (stored > (int64) intake_max_avro_block_size * 1024)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("Avro block of %lld bytes is larger than %d kB",
						(long long) stored, intake_max_avro_block_size),
				 errhint("See setting \"%s\".",
						 "pg_intake.max_avro_block_size")));
	decoder->nleft = nrecords;
	*size = (size_t) stored;
	return true;
}

/* Appends bytes of the window to the decoder's buffer and uses them. */
static void
gather_bytes(AvroDecoder *decoder, size_t used, size_t len, size_t total)
{
	IntakeSource *source = decoder->base.source;

	if (len == 0)
		return;
	if (used + len > decoder->buffer_size)
	{
		size_t		size = Min(Max((used + len) * 2, 64 * 1024), total);

		size = Max(size, used + len);
		if (decoder->buffer == NULL)
			decoder->buffer = MemoryContextAllocHuge(decoder->context, size);
		else
			decoder->buffer = repalloc_huge(decoder->buffer, size);
		decoder->buffer_size = size;
	}
	memcpy(decoder->buffer + used, source->cursor, len);
	source->cursor += len;
}

/*
 * Finds a block's len bytes, sync marker included: in the window when they
 * all are there, else in the decoder's buffer.  NULL when the payload was cut
 * inside it.
 */
static const char *
hold_block(AvroDecoder *decoder, size_t len)
{
	IntakeSource *source = decoder->base.source;
	size_t		used = 0;

	decoder->window_len = 0;
	if (get_window_len(source) >= len)
	{
		decoder->window_len = len;
		return source->cursor;
	}
	while (used < len)
	{
		size_t		part = Min(get_window_len(source), len - used);

		CHECK_FOR_INTERRUPTS();
		gather_bytes(decoder, used, part, len);
		used += part;
		if (used < len && !intake_source_fill(source))
		{
			end_inside(source, used + INTAKE_AVRO_SYNC_LENGTH < len ?
					   "a block" : "a sync marker");
			return NULL;
		}
	}
	return decoder->buffer;
}

/* Reads the next block.  Returns false at the end of the payload. */
static bool
begin_block(AvroDecoder *decoder)
{
	const char *stored;
	const char *data;
	size_t		size;
	size_t		len;

	CHECK_FOR_INTERRUPTS();
	if (!read_block_head(decoder, &size))
		return false;
	stored = hold_block(decoder, size + INTAKE_AVRO_SYNC_LENGTH);
	if (stored == NULL)
	{
		decoder->nleft = 0;
		return false;
	}
	if (memcmp(stored + size, decoder->sync, INTAKE_AVRO_SYNC_LENGTH) != 0)
		ereport(ERROR,
				(errcode(ERRCODE_BAD_COPY_FILE_FORMAT),
				 errmsg("Avro block does not end with the file's sync marker")));
	data = intake_avro_codec_inflate(decoder->codec, stored, size, &len);
	intake_avro_plan_take_block(decoder->plan, data, len, decoder->nleft);
	return true;
}

/* Checks that the block's records used all of its bytes, and leaves it. */
static void
end_block(AvroDecoder *decoder)
{
	size_t		rest = intake_avro_plan_rest(decoder->plan);

	if (rest > 0)
		ereport(ERROR,
				(errcode(ERRCODE_BAD_COPY_FILE_FORMAT),
				 errmsg("Avro block has %zu bytes left over after its records",
						rest)));
	decoder->base.source->cursor += decoder->window_len;
	decoder->window_len = 0;
}

static bool
next_avro(IntakeDecoder *base, IntakeRow *row)
{
	AvroDecoder *decoder = (AvroDecoder *) base;
	IntakePosition *position = base->position;

	if (decoder->has_no_header)
		return false;
	while (decoder->nleft == 0)
	{
		end_block(decoder);
		position->record = decoder->record + 1;
		if (!begin_block(decoder))
			return false;
	}
	decoder->nleft--;
	decoder->record++;
	if ((decoder->record & INTERRUPT_MASK) == 0)
		CHECK_FOR_INTERRUPTS();

	position->record = decoder->record;
	row->record = decoder->record;
	row->line = 0;
	intake_avro_plan_run(decoder->plan, row);
	return true;
}

/*
 * A record whose values do not fit their columns is passed over by its
 * schema.  Data that is not what the schema says gives no record's end.
 */
static bool
skip_avro(IntakeDecoder *base, int sqlstate)
{
	AvroDecoder *decoder = (AvroDecoder *) base;

	if (sqlstate == ERRCODE_BAD_COPY_FILE_FORMAT ||
		decoder->record != base->position->record)
		return false;
	intake_avro_plan_skip(decoder->plan);
	return true;
}

/* The codec's memory context frees what the libraries hold. */
static void
end_avro(IntakeDecoder *base)
{
}

const IntakeFormatRoutine intake_format_avro = {
	.name = "avro",
	.is_binary = true,
	.begin = begin_avro,
	.next = next_avro,
	.skip = skip_avro,
	.text = NULL,
	.end = end_avro
};
