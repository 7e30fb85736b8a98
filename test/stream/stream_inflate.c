/*-------------------------------------------------------------------------
 *
 * stream_inflate.c
 *	  For a test of the inflating source: bytes that come few at a time.
 *
 * A module of its own, like stream_upload.c.  It opens a compressed value as
 * a source and returns what that gives.
 *
 *		LOAD 'pg_intake';
 *		CREATE FUNCTION stream_inflate(stored bytea, chunk int,
 *									   max_bytes bigint) RETURNS bytea
 *		STRICT LANGUAGE c AS '.../stream_inflate';
 *
 * chunk is how many stored bytes are read at once, max_bytes the limit.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "fmgr.h"
#include "lib/stringinfo.h"
#include "mb/pg_wchar.h"

#include "source/source_inflate.h"

PG_MODULE_MAGIC;

typedef struct Stored
{
	const char *next;
	const char *end;
	size_t chunk;
} Stored;

/* The source's routine. */
static size_t
read_stored(IntakeSource *source, char *buffer, size_t len)
{
	Stored *stored = source->state;
	size_t n = Min(Min(len, stored->chunk), stored->end - stored->next);

	memcpy(buffer, stored->next, n);
	stored->next += n;
	return n;
}

static const IntakeSourceRoutine stored_routine = {"stored", read_stored};

PG_FUNCTION_INFO_V1(stream_inflate);

/* Returns the inflated bytes. */
Datum
stream_inflate(PG_FUNCTION_ARGS)
{
	bytea *value = PG_GETARG_BYTEA_PP(0);
	Stored stored;
	IntakeSource *source;
	StringInfoData inflated;

	stored.next = VARDATA_ANY(value);
	stored.end = stored.next + VARSIZE_ANY_EXHDR(value);
	stored.chunk = PG_GETARG_INT32(1);
	source = intake_source_open_inflated(&stored_routine, &stored, PG_UTF8,
										 (uint64) PG_GETARG_INT64(2));
	initStringInfo(&inflated);
	appendStringInfoSpaces(&inflated, VARHDRSZ);
	while (intake_source_fill(source))
	{
		appendBinaryStringInfo(&inflated, source->cursor,
							   source->limit - source->cursor);
		source->cursor = source->limit;
	}
	SET_VARSIZE(inflated.data, inflated.len);
	PG_RETURN_BYTEA_P(inflated.data);
}
