/*-------------------------------------------------------------------------
 *
 * stream_upload.c
 *	  For a test of memory: a payload of any length that nobody holds.
 *
 * A module of its own, which nothing but the test loads.  It opens a source
 * whose bytes are made as they are read, and gives it to the engine of
 * pg_intake as a door does.  The engine's functions are found because modules
 * are loaded with RTLD_GLOBAL: pg_intake must have been loaded before.
 *
 *		LOAD 'pg_intake';
 *		CREATE FUNCTION stream_upload(target regclass, records bigint,
 *									  multiplier bigint, mode text,
 *									  options jsonb, OUT bytes bigint,
 *									  OUT inserted bigint, OUT updated bigint,
 *									  OUT deleted bigint)
 *		STRICT LANGUAGE c AS '.../stream_upload';
 *
 * Record i, from 0 on, is an NDJSON array row [id, "k<id>", "<500 letters>"],
 * where id is i * multiplier modulo records: 1 gives the order of the ids, a
 * number without a common divisor with records another one.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "fmgr.h"
#include "funcapi.h"
#include "mb/pg_wchar.h"
#include "utils/builtins.h"

#include "ingest.h"

PG_MODULE_MAGIC;

#define NOTE_LENGTH 500
#define MAX_RECORD (NOTE_LENGTH + 64)

typedef struct Generator
{
	int64 records;
	int64 multiplier;
	int64 next; /* the record to be made */
	char record[MAX_RECORD];
	size_t length;
	size_t used; /* bytes of the record that are read */
} Generator;

/* Makes the next record. */
static void
make_record(Generator *generator)
{
	int64 id;
	int length;

	id = generator->next * generator->multiplier % generator->records;
	length = snprintf(generator->record, MAX_RECORD,
					  "[" INT64_FORMAT ", \"k" INT64_FORMAT "\", \"", id, id);
	memset(generator->record + length, 'a' + id % 26, NOTE_LENGTH);
	length += NOTE_LENGTH;
	memcpy(generator->record + length, "\"]\n", 3);
	generator->length = length + 3;
	generator->used = 0;
	generator->next++;
}

/* The source's routine. */
static size_t
read_records(IntakeSource *source, char *buffer, size_t len)
{
	Generator *generator = source->state;
	size_t done = 0;

	while (done < len)
	{
		size_t part;

		if (generator->used == generator->length)
		{
			if (generator->next == generator->records)
				break;
			make_record(generator);
		}
		part = Min(len - done, generator->length - generator->used);
		memcpy(buffer + done, generator->record + generator->used, part);
		generator->used += part;
		done += part;
	}
	return done;
}

static const IntakeSourceRoutine generator_routine = {
	"generator", read_records};

PG_FUNCTION_INFO_V1(stream_upload);

/* Uploads the records; returns the operation's counters. */
Datum
stream_upload(PG_FUNCTION_ARGS)
{
	Generator *generator = palloc0(sizeof(Generator));
	IntakeRequest request = {0};
	IntakeOperation operation = {0};
	TupleDesc desc;
	Datum values[4];
	bool nulls[4] = {false};

	generator->records = PG_GETARG_INT64(1);
	generator->multiplier = PG_GETARG_INT64(2);
	request.relid = PG_GETARG_OID(0);
	request.source = intake_source_open(&generator_routine, generator,
										PG_UTF8);
	request.format = "ndjson";
	request.mode = intake_mode_parse(text_to_cstring(PG_GETARG_TEXT_PP(3)));
	request.sys_op = INTAKE_NO_SYS_OP;
	request.options = PG_GETARG_JSONB_P(4);
	request.door = "sql";
	if (!pg_strong_random(request.uuid.data, UUID_LEN))
		elog(ERROR, "could not generate random values");

	intake_ingest(&request, &operation);

	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	values[0] = Int64GetDatum(operation.counters.bytes_received);
	values[1] = Int64GetDatum(operation.counters.rows_inserted);
	values[2] = Int64GetDatum(operation.counters.rows_updated);
	values[3] = Int64GetDatum(operation.counters.rows_deleted);
	return HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(desc), values,
											 nulls));
}
