/*-------------------------------------------------------------------------
 *
 * source.c
 *	  The buffered reader: window, growth, encoding, count and digest.
 *
 * [routine->read] --raw--> (count, digest) --convert encoding--> window
 *
 * A UTF-8 payload that is in memory needs no buffer: its window is the whole
 * payload.  Everything else goes through a buffer that holds the unread
 * bytes and grows to the longest record, up to pg_intake.max_record_size.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <xxhash.h>

#include "catalog/namespace.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/memutils.h"

#include "settings.h"
#include "source/source.h"

/* How much is read at once. */
#define CHUNK_SIZE (64 * 1024)

typedef struct IntakeSourceBuffer
{
	char	   *data;			/* the window lies in it */
	size_t		size;
	XXH3_state_t *digest;		/* of the raw bytes */

	/* only when the payload is not UTF-8 */
	Oid			conversion;		/* function to UTF-8, or InvalidOid */
	int			encoding;
	char	   *raw;			/* not yet converted; CHUNK_SIZE */
	size_t		raw_len;
} IntakeSourceBuffer;

typedef struct BytesState
{
	const char *next;
	const char *end;
} BytesState;

static void
free_digest(void *digest)
{
	XXH3_freeState(digest);
}

/* A digest state that goes when the current memory context does. */
static XXH3_state_t *
make_digest(void)
{
	MemoryContextCallback *callback = palloc0(sizeof(MemoryContextCallback));
	XXH3_state_t *digest = XXH3_createState();

	if (digest == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_OUT_OF_MEMORY),
				 errmsg("out of memory")));
	callback->func = free_digest;
	callback->arg = digest;
	MemoryContextRegisterResetCallback(CurrentMemoryContext, callback);
	XXH3_128bits_reset(digest);
	return digest;
}

/* The function that converts the encoding to UTF-8; InvalidOid: none needed. */
static Oid
find_conversion(int encoding)
{
	Oid			conversion;

	if (encoding == PG_UTF8 || encoding == PG_SQL_ASCII)
		return InvalidOid;
	conversion = FindDefaultConversionProc(encoding, PG_UTF8);
	if (!OidIsValid(conversion))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_FUNCTION),
				 errmsg("there is no conversion from encoding \"%s\" to \"%s\"",
						pg_encoding_to_char(encoding),
						pg_encoding_to_char(PG_UTF8))));
	return conversion;
}

/* Gives the source a buffer, in the current memory context. */
static void
make_buffer(IntakeSource *source)
{
	IntakeSourceBuffer *buffer = palloc0(sizeof(IntakeSourceBuffer));

	buffer->size = CHUNK_SIZE * 2;
	buffer->data = palloc(buffer->size);
	buffer->digest = make_digest();
	source->buffer = buffer;
	source->cursor = source->limit = buffer->data;
	source->received = 0;
	source->is_ended = false;
}

IntakeSource *
intake_source_open(const IntakeSourceRoutine *routine, void *state,
				   int encoding)
{
	IntakeSource *source = palloc0(sizeof(IntakeSource));

	source->routine = routine;
	source->state = state;
	source->has_lines = true;
	make_buffer(source);
	intake_source_set_encoding(source, encoding);
	return source;
}

static size_t
read_bytes(IntakeSource *source, char *out, size_t len)
{
	BytesState *state = source->state;
	size_t		n = Min(len, (size_t) (state->end - state->next));

	memcpy(out, state->next, n);
	state->next += n;
	return n;
}

static const IntakeSourceRoutine bytes_routine = {"bytes", read_bytes};

/* Makes a payload that is at hand a stream, so that it can be converted. */
static void
make_stream(IntakeSource *source)
{
	BytesState *state = palloc(sizeof(BytesState));

	state->next = source->bytes;
	state->end = source->bytes + source->received;
	source->routine = &bytes_routine;
	source->state = state;
	make_buffer(source);
}

void
intake_source_set_encoding(IntakeSource *source, int encoding)
{
	Oid			conversion = find_conversion(encoding);

	if (!OidIsValid(conversion))
		return;
	if (source->buffer == NULL)
		make_stream(source);
	source->buffer->encoding = encoding;
	source->buffer->conversion = conversion;
	source->buffer->raw = palloc(CHUNK_SIZE);
}

IntakeSource *
intake_source_open_bytes(const char *bytes, size_t len, int encoding)
{
	IntakeSource *source = palloc0(sizeof(IntakeSource));

	source->bytes = bytes;
	source->cursor = bytes;
	source->limit = bytes + len;
	source->received = len;
	source->total = (int64) len;
	source->is_ended = true;
	source->has_lines = true;
	intake_source_set_encoding(source, encoding);
	return source;
}

/* Makes room for CHUNK_SIZE more bytes behind the unread ones. */
static void
make_room(IntakeSource *source)
{
	IntakeSourceBuffer *buffer = source->buffer;
	size_t		unread = source->limit - source->cursor;
	size_t		needed = unread + CHUNK_SIZE;

	if (unread >= (size_t) intake_max_record_size * 1024)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("record is longer than pg_intake.max_record_size (%d kB)",
						intake_max_record_size)));
	if (needed > buffer->size)
	{
		size_t		size = Max(buffer->size * 2, needed);
		char	   *data = MemoryContextAllocHuge(GetMemoryChunkContext(buffer),
												  size);

		memcpy(data, source->cursor, unread);
		pfree(buffer->data);
		buffer->data = data;
		buffer->size = size;
	}
	else
		memmove(buffer->data, source->cursor, unread);
	source->cursor = buffer->data;
	source->limit = buffer->data + unread;
}

/* Raw bytes from the routine, counted and digested. */
static size_t
read_raw(IntakeSource *source, char *out, size_t len)
{
	size_t		n = source->routine->read(source, out, len);
	size_t		digested = n;

	if (source->digest_limit > 0)
		digested = source->received >= source->digest_limit ? 0 :
			Min(n, source->digest_limit - source->received);
	source->received += n;
	XXH3_128bits_update(source->buffer->digest, out, digested);
	return n;
}

/*
 * Reads raw bytes and puts them behind limit as UTF-8.  A character that the
 * read cut in two waits in raw for its rest.  The room suffices: a converted
 * chunk is at most MAX_CONVERSION_GROWTH times as long, so a quarter of it is
 * taken at once.
 */
static size_t
read_converted(IntakeSource *source)
{
	IntakeSourceBuffer *buffer = source->buffer;
	char	   *out = unconstify(char *, source->limit);
	size_t		n;
	int			used;

	n = read_raw(source, buffer->raw + buffer->raw_len,
				 CHUNK_SIZE / MAX_CONVERSION_GROWTH - buffer->raw_len);
	buffer->raw_len += n;
	if (buffer->raw_len == 0)
		return 0;

	used = pg_do_encoding_conversion_buf(buffer->conversion, buffer->encoding,
										 PG_UTF8,
										 (unsigned char *) buffer->raw,
										 buffer->raw_len,
										 (unsigned char *) out,
										 CHUNK_SIZE, true);
	if (used == 0 && (n == 0 || buffer->raw_len >= MAX_MULTIBYTE_CHAR_LEN))
		report_invalid_encoding(buffer->encoding, buffer->raw,
								buffer->raw_len);
	buffer->raw_len -= used;
	memmove(buffer->raw, buffer->raw + used, buffer->raw_len);
	return strlen(out);
}

bool
intake_source_fill(IntakeSource *source)
{
	size_t		n;

	if (source->is_ended)
		return false;
	CHECK_FOR_INTERRUPTS();
	make_room(source);
	do
	{
		if (!OidIsValid(source->buffer->conversion))
			n = read_raw(source, unconstify(char *, source->limit),
						 CHUNK_SIZE);
		else
			n = read_converted(source);
	} while (n == 0 && source->buffer->raw_len > 0);
	source->limit += n;
	source->is_ended = (n == 0);
	return n > 0;
}

void
intake_source_drain(IntakeSource *source)
{
	while (!source->is_ended)
	{
		source->cursor = source->limit;
		intake_source_fill(source);
	}
	source->cursor = source->limit;
}

void
intake_source_begin_wait(IntakeSource *source)
{
	if (source->hold.release != NULL)
		source->hold.release(source->hold.argument);
}

void
intake_source_end_wait(IntakeSource *source)
{
	if (source->hold.regain != NULL)
		source->hold.regain(source->hold.argument);
}

uint64
intake_source_received(const IntakeSource *source)
{
	return source->received;
}

uint64
intake_source_consumed(const IntakeSource *source)
{
	if (source->buffer == NULL)
		return source->cursor - source->bytes;
	if (OidIsValid(source->buffer->conversion))
		return source->received;
	return source->received - (source->limit - source->cursor);
}

void
intake_source_limit_digest(IntakeSource *source, uint64 len)
{
	source->digest_limit = len;
}

void
intake_source_digest(const IntakeSource *source,
					 uint8 digest[INTAKE_DIGEST_LENGTH])
{
	XXH128_hash_t hash;
	XXH128_canonical_t canonical;

	if (source->buffer != NULL)
		hash = XXH3_128bits_digest(source->buffer->digest);
	else
		hash = XXH3_128bits(source->bytes, source->digest_limit == 0 ?
							source->received :
							Min(source->digest_limit, source->received));
	XXH128_canonicalFromHash(&canonical, hash);
	memcpy(digest, canonical.digest, INTAKE_DIGEST_LENGTH);
}
