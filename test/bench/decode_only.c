/*-------------------------------------------------------------------------
 *
 * decode_only.c
 *	  For measurements: a payload through decoder and conversion alone.
 *
 * A module of its own, which nothing but the bench loads.  It calls the
 * decoders of pg_intake the way ingest.c's loop does, batch by batch, but
 * drops the rows.  They are found because modules are loaded with
 * RTLD_GLOBAL: pg_intake must have been loaded before.
 *
 *		LOAD 'pg_intake';
 *		CREATE FUNCTION bench_decode(target regclass, payload bytea,
 *									 format text, options jsonb)
 *		RETURNS bigint STRICT LANGUAGE c AS '.../decode_only';
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/relation.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "portability/instr_time.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/rel.h"

#include "columns.h"
#include "format/format.h"
#include "options.h"
#include "write/batch.h"

PG_MODULE_MAGIC;

/* Decodes all records; the batch is emptied when it is full. */
static int64
drop_rows(IntakeDecoder *decoder, IntakeBatch *batch)
{
	int64		nrows = 0;
	bool		has_more = true;

	while (has_more)
	{
		MemoryContext old = MemoryContextSwitchTo(batch->context);

		while (has_more && !intake_batch_is_full(batch))
		{
			has_more = decoder->routine->next(decoder,
											  intake_batch_next(batch));
			batch->nrows += has_more ? 1 : 0;
		}
		MemoryContextSwitchTo(old);
		nrows += batch->nrows;
		intake_batch_clear(batch);
		CHECK_FOR_INTERRUPTS();
	}
	return nrows;
}

/* Decodes the payload that the arguments give; *seconds is what it took. */
static int64
decode_payload(FunctionCallInfo fcinfo, double *seconds)
{
	Relation	rel = relation_open(PG_GETARG_OID(0), AccessShareLock);
	bytea	   *payload = PG_GETARG_BYTEA_PP(1);
	char	   *format = text_to_cstring(PG_GETARG_TEXT_PP(2));
	IntakeOptions *options;
	IntakeColumnSet *columns;
	IntakePosition position;
	IntakeSource *source;
	IntakeDecoder *decoder;
	instr_time	begun;
	instr_time	took;
	int64		nrows;

	options = intake_options_parse(PG_GETARG_JSONB_P(3), NULL,
								   INTAKE_DOOR_UPLOAD);
	columns = intake_columns_of_relation(rel, false);
	source = intake_source_open_bytes(VARDATA_ANY(payload),
									  VARSIZE_ANY_EXHDR(payload),
									  options->encoding);
	INSTR_TIME_SET_CURRENT(begun);
	decoder = intake_format_find(format)->begin(source, columns, options,
												&position);
	nrows = drop_rows(decoder, intake_batch_make(columns->ncolumns,
												 INTAKE_BATCH_ROWS));
	decoder->routine->end(decoder);
	INSTR_TIME_SET_CURRENT(took);
	INSTR_TIME_SUBTRACT(took, begun);
	*seconds = INSTR_TIME_GET_DOUBLE(took);
	relation_close(rel, AccessShareLock);
	return nrows;
}

PG_FUNCTION_INFO_V1(bench_decode);

/* How many records the payload has. */
Datum
bench_decode(PG_FUNCTION_ARGS)
{
	double		seconds;

	PG_RETURN_INT64(decode_payload(fcinfo, &seconds));
}

PG_FUNCTION_INFO_V1(bench_decode_seconds);

/*
 * How long decoding takes, without the fetching of the payload from
 * wherever the query has it.
 */
Datum
bench_decode_seconds(PG_FUNCTION_ARGS)
{
	double		seconds;

	(void) decode_payload(fcinfo, &seconds);
	PG_RETURN_FLOAT8(seconds);
}
