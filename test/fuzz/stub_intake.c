/*-------------------------------------------------------------------------
 *
 * stub_intake.c
 *	  What stands around a decoder: a source, columns, conversions.
 *
 * The source shows each window in memory of its own and frees the last one,
 * so that a pointer which outlives a fill is seen.  Conversions read all of
 * the value they are given, check what convert.h promises about it, refuse
 * some, and make the Datum a hash of the value and of where it came from.
 * What decoders convert themselves (convert_fast.h) they do here, too, for
 * every other way of cutting the payload.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "mb/pg_wchar.h"

#include "convert.h"
#include "convert_arena.h"
#include "convert_fast.h"
#include "convert_internal.h"
#include "format/format.h"
#include "format/format_text.h"
#include "format/scan_json.h"
#include "settings.h"

#include "fuzz.h"
#include "stub_server.h"

/* Small limits, so that small inputs reach them. */
int			intake_max_avro_block_size = 256;
int			intake_max_nesting_depth = 20;
int			intake_max_record_size = 64;
char	   *intake_csv_delimiter = ",";
char	   *intake_csv_quote = "\"";
char	   *intake_csv_escape = "\"";
char	   *intake_csv_null = "";

/*
 * Sources
 */

typedef struct StubSource
{
	IntakeSource base;
	const char *payload;
	size_t		len;
	size_t		shown;			/* bytes of the payload at hand so far */
	char	   *window;
	uint32_t	random;
} StubSource;

/* Shows the unread bytes and len more, elsewhere. */
static void
show_more(StubSource *source, size_t len)
{
	size_t		unread = source->base.limit - source->base.cursor;
	char	   *window = malloc(unread + len);

	if (unread > 0)
		memcpy(window, source->base.cursor, unread);
	memcpy(window + unread, source->payload + source->shown, len);
	free(source->window);
	source->window = window;
	source->shown += len;
	source->base.cursor = window;
	source->base.limit = window + unread + len;
}

bool
intake_source_fill(IntakeSource *base)
{
	StubSource *source = (StubSource *) base;
	size_t		left = source->len - source->shown;
	size_t		len;

	FUZZ_CHECK(base->cursor <= base->limit);
	if (left == 0 || base->is_ended)
	{
		base->is_ended = true;
		return false;
	}
	if (base->limit - base->cursor > intake_max_record_size * 1024)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("record is too long")));
	len = 1 + fuzz_random(&source->random) % 8;
	if (fuzz_random(&source->random) % 2 == 0)
		len = 1 + fuzz_random(&source->random) % left;
	show_more(source, Min(len, left));
	return true;
}

static void
open_source(StubSource *source, const char *payload, size_t len,
			uint32_t random)
{
	memset(source, 0, sizeof(*source));
	source->payload = payload;
	source->len = len;
	source->random = random;
	source->window = malloc(0);
	source->base.cursor = source->base.limit = source->window;
	if (random == 0)
	{
		show_more(source, len);
		source->base.is_ended = true;
	}
}

void
intake_source_set_encoding(IntakeSource *source, int encoding)
{
}

/*
 * Columns: one for each kind of conversion that decoders tell apart
 */

static const struct
{
	const char *name;
	Oid			type;
	IntakeConversion conversion;
}			stub_columns[] =
{
	{"id", INT8OID, INTAKE_CONVERT_INT8},
	{"name", TEXTOID, INTAKE_CONVERT_TEXT},
	{"b", BOOLOID, INTAKE_CONVERT_BOOL},
	{"c", BPCHAROID, INTAKE_CONVERT_CHARACTER},
	{"d", DATEOID, INTAKE_CONVERT_DATE},
	{"f", FLOAT8OID, INTAKE_CONVERT_FLOAT8},
	{"j", JSONBOID, INTAKE_CONVERT_JSONB},
	{"n", NUMERICOID, INTAKE_CONVERT_NUMERIC},
	{"t", TIMESTAMPTZOID, INTAKE_CONVERT_TIMESTAMPTZ},
	{"u", UUIDOID, INTAKE_CONVERT_UUID},
	{"x", BYTEAOID, INTAKE_CONVERT_BYTEA},
	{"a", INT4ARRAYOID, INTAKE_CONVERT_ARRAY},
	{"\xc3\xa4\xe2\x82\xac", INETOID, INTAKE_CONVERT_INPUT}
};

#define NCOLUMNS ((int) lengthof(stub_columns))

static IntakeColumnSet *
make_columns(bool is_fast)
{
	IntakeColumnSet *set = intake_columns_make(NCOLUMNS, "table \"stub\"");
	int			i;

	for (i = 0; i < NCOLUMNS; i++)
	{
		set->columns[i].name = stub_columns[i].name;
		set->columns[i].attnum = i + 1;
		set->columns[i].type = stub_columns[i].type;
		set->columns[i].base_type = stub_columns[i].type;
		set->columns[i].conversion = stub_columns[i].conversion;
		set->columns[i].is_character =
			stub_columns[i].conversion == INTAKE_CONVERT_TEXT ||
			stub_columns[i].conversion == INTAKE_CONVERT_CHARACTER;
		set->columns[i].is_fast = is_fast;
		set->columns[i].typmod = set->columns[i].base_typmod = -1;
		set->columns[i].context = CurrentMemoryContext;
	}
	set->generated = lappend(NIL, "generated");
	return set;
}

/*
 * Conversions
 */

static uint64
mix_byte(uint64 hash, unsigned char byte)
{
	return (hash ^ byte) * UINT64CONST(1099511628211);
}

static uint64
mix_bytes(uint64 hash, const void *bytes, size_t len)
{
	const unsigned char *at = bytes;
	size_t		i;

	hash = mix_byte(hash, (unsigned char) len);
	for (i = 0; i < len; i++)
		hash = mix_byte(hash, at[i]);
	return hash;
}

/* Whether a column's values are in their Datums. */
static bool
is_by_value(const IntakeColumn *column)
{
	switch (column->conversion)
	{
		case INTAKE_CONVERT_INT8:
		case INTAKE_CONVERT_BOOL:
		case INTAKE_CONVERT_DATE:
		case INTAKE_CONVERT_FLOAT8:
		case INTAKE_CONVERT_TIMESTAMPTZ:
			return true;
		default:
			return false;
	}
}

/* A hash of a column's value. */
static uint64
hash_datum(const IntakeColumn *column, Datum value)
{
	if (is_by_value(column))
		return mix_bytes(0, &value, sizeof(value));
	if (column->conversion == INTAKE_CONVERT_UUID)
		return mix_bytes(0, DatumGetPointer(value), 16);
	return mix_bytes(0, VARDATA(value), VARSIZE(value) - VARHDRSZ);
}

/* The Datum of a value of some kind; values with a certain hash are bad. */
static Datum
make_datum(IntakeColumn *column, char kind, const void *bytes, size_t len)
{
	uint64		hash = mix_bytes(mix_byte(0, kind), bytes, len);

	FUZZ_CHECK(column->name != NULL);
	hash = mix_bytes(hash, column->name, strlen(column->name));
	if (hash % 1021 == 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_TEXT_REPRESENTATION),
				 errmsg("value does not fit")));
	if (is_by_value(column))
		return UInt64GetDatum(hash);
	if (column->conversion == INTAKE_CONVERT_UUID)
		return PointerGetDatum(memset(palloc(16), (int) (hash & 0xFF), 16));
	return intake_convert_make_varlena((char *) &hash, sizeof(hash));
}

static Datum
make_text_datum(IntakeColumn *column, char kind, const char *text, size_t len)
{
	FUZZ_CHECK(fuzz_utf8_valid(text, len) == len);
	FUZZ_CHECK(len == 0 || memchr(text, '\0', len) == NULL);
	return make_datum(column, kind, text, len);
}

void
intake_convert_prepare(IntakeColumn *column)
{
	column->base_type = column->type;
}

bool
intake_convert_needs_encoding(void)
{
	return false;
}

char *
intake_convert_show(const char *value, size_t len)
{
	return intake_format_show(value, len, INTAKE_MAX_SHOWN_VALUE);
}

Datum
intake_convert_null(IntakeColumn *column)
{
	return (Datum) 0;
}

Datum
intake_convert_text(IntakeColumn *column, const char *text, size_t len)
{
	Datum		value;

	if (column->is_fast &&
		intake_convert_fast_text(column, text, len, &value))
		return value;
	return make_text_datum(column, 't', text, len);
}

Datum
intake_convert_json_number(IntakeColumn *column, const char *number,
						   size_t len, bool is_strict)
{
	IntakeScanJson scan;

	intake_scan_json_begin(&scan, number, len);
	FUZZ_CHECK(intake_scan_json_next(&scan) == INTAKE_JSON_NUMBER);
	FUZZ_CHECK(scan.start == number && scan.len == len);
	return make_text_datum(column, 'n', number, len);
}

Datum
intake_convert_json_string(IntakeColumn *column, const char *text, size_t len,
						   bool is_strict)
{
	return make_text_datum(column, 's', text, len);
}

Datum
intake_convert_bool(IntakeColumn *column, bool value, bool is_strict)
{
	return make_datum(column, 'b', value ? "1" : "0", 1);
}

Datum
intake_convert_json_nested(IntakeColumn *column, const char *json, size_t len,
						   bool is_strict)
{
	IntakeScanJson scan;

	intake_scan_json_begin(&scan, json, len);
	FUZZ_CHECK(intake_scan_json_skip(&scan, INTAKE_JSON_MAX_DEPTH));
	FUZZ_CHECK(scan.start == json && scan.len == len);
	return make_text_datum(column, 'j', json, len);
}

Datum
intake_convert_int64(IntakeColumn *column, int64 value)
{
	return make_datum(column, 'i', &value, sizeof(value));
}

Datum
intake_convert_float(IntakeColumn *column, double value, bool is_single)
{
	return make_datum(column, is_single ? 'f' : 'd', &value, sizeof(value));
}

Datum
intake_convert_bytes(IntakeColumn *column, const uint8 *bytes, size_t len)
{
	return make_datum(column, 'x', bytes, len);
}

Datum
intake_convert_decimal(IntakeColumn *column, const uint8 *unscaled,
					   size_t len, int scale)
{
	FUZZ_CHECK(scale >= 0);
	return make_datum(column, (char) scale, unscaled, len);
}

Datum
intake_convert_days(IntakeColumn *column, int64 days)
{
	return make_datum(column, 'D', &days, sizeof(days));
}

Datum
intake_convert_time_of_day(IntakeColumn *column, int64 microseconds)
{
	return make_datum(column, 'T', &microseconds, sizeof(microseconds));
}

Datum
intake_convert_instant(IntakeColumn *column, int64 microseconds, bool is_local)
{
	return make_datum(column, is_local ? 'L' : 'I', &microseconds,
					  sizeof(microseconds));
}

Datum
intake_convert_duration(IntakeColumn *column, uint32 months, uint32 days,
						uint32 milliseconds)
{
	uint32		parts[3] = {months, days, milliseconds};

	return make_datum(column, 'P', parts, sizeof(parts));
}

Datum
intake_convert_uuid(IntakeColumn *column, const uint8 bytes[16])
{
	return make_datum(column, 'u', bytes, 16);
}

/*
 * Decoding
 */

typedef struct Decoding
{
	const IntakeFormatRoutine *format;
	const IntakeOptions *options;
	StubSource	source;
	IntakePosition position;
	bool		is_fast;
	IntakeColumnSet *columns;
	StubOutcome outcome;
	MemoryContext row_context;

	IntakeDecoder *decoder;
	IntakeRow	row;
	bool		has_row;
} Decoding;

/* Bad records that are passed over before an error is the end. */
#define MAX_BAD 1000

/* The position of the decoding that is running. */
static const IntakePosition *current_position;

/* Each byte of what CONTEXT would show can be read. */
static void
check_position(void)
{
	const IntakePosition *position = current_position;

	if (position->value != NULL)
		free(fuzz_copy(position->value, position->value_len));
	if (position->column != NULL)
		FUZZ_CHECK(fuzz_utf8_valid(position->column,
								   strlen(position->column)) ==
				   strlen(position->column));
}

static void
note_row(Decoding *decoding, const IntakeRow *row, const bool *given)
{
	const IntakeColumn *columns = decoding->columns->columns;
	uint64		hash = decoding->outcome.hash;
	int			i;

	FUZZ_CHECK(row->record == decoding->outcome.nrecords +
			   decoding->outcome.nbad + 1);
	hash = mix_bytes(hash, &row->line, sizeof(row->line));
	for (i = 0; i < NCOLUMNS; i++)
	{
		FUZZ_CHECK(given == NULL || given[i] == row->is_set[i]);
		if (!row->is_set[i])
			continue;
		hash = mix_byte(hash, (unsigned char) (i * 2 + row->nulls[i]));
		if (!row->nulls[i])
			hash ^= hash_datum(&columns[i], row->values[i]);
	}
	decoding->outcome.hash = hash;
	decoding->outcome.nrecords++;
}

static void
decode_next(void *arg)
{
	Decoding   *decoding = arg;

	memset(decoding->row.is_set, 0, NCOLUMNS * sizeof(bool));
	CurrentMemoryContext = decoding->row_context;
	decoding->has_row = decoding->decoder->routine->next(decoding->decoder,
														 &decoding->row);
}

/*
 * Goes behind a bad record; false when that cannot be done.  Its text can be
 * read then.
 */
static bool
pass_bad(Decoding *decoding, int sqlstate)
{
	IntakeDecoder *decoder = decoding->decoder;
	StubOutcome *outcome = &decoding->outcome;

	if (outcome->nbad == MAX_BAD ||
		!decoder->routine->skip(decoder, sqlstate))
		return false;
	outcome->nbad++;
	FUZZ_CHECK(decoding->position.record ==
			   outcome->nrecords + outcome->nbad);
	outcome->hash = mix_bytes(outcome->hash, &sqlstate, sizeof(sqlstate));
	outcome->hash = mix_bytes(outcome->hash, &decoding->position.line,
							  sizeof(decoding->position.line));
	return true;
}

static void
check_text(Decoding *decoding)
{
	IntakeDecoder *decoder = decoding->decoder;
	const char *text;
	size_t		len;

	if (decoder->routine->text == NULL)
		return;
	text = decoder->routine->text(decoder, &len);
	decoding->outcome.hash = mix_bytes(decoding->outcome.hash, text, len);
	FUZZ_CHECK(memchr(text, '\n', len) == NULL ||
			   decoder->routine == &intake_format_csv);
}

static void
decode_all(void *arg)
{
	Decoding   *decoding = arg;
	Datum		values[NCOLUMNS];
	bool		nulls[NCOLUMNS];
	bool		is_set[NCOLUMNS];
	IntakeRow	row = {values, nulls, is_set, 0, 0};
	IntakeDecoder *decoder;

	decoding->columns = make_columns(decoding->is_fast);
	decoder = decoding->format->begin(&decoding->source.base,
									  decoding->columns, decoding->options,
									  &decoding->position);
	FUZZ_CHECK(decoder->routine == decoding->format);
	decoding->decoder = decoder;
	decoding->row = row;
	do
	{
		int			sqlstate = stub_try(decode_next, decoding);

		if (sqlstate != 0)
		{
			decoding->has_row = true;
			if (!pass_bad(decoding, sqlstate))
			{
				decoding->outcome.sqlstate = sqlstate;
				return;
			}
		}
		else if (decoding->has_row)
			note_row(decoding, &decoding->row, decoder->given);
		if (decoding->has_row)
			check_text(decoding);
		stub_reset_context(decoding->row_context);
	} while (decoding->has_row);
	decoder->routine->end(decoder);
	FUZZ_CHECK(decoding->source.base.cursor == decoding->source.base.limit);
	FUZZ_CHECK(decoding->source.shown == decoding->source.len);
}

StubOutcome
stub_decode(const IntakeFormatRoutine *format, const IntakeOptions *options,
			const char *payload, size_t len, uint32_t random, bool is_fast)
{
	Decoding	decoding;
	int			sqlstate;

	memset(&decoding, 0, sizeof(decoding));
	decoding.format = format;
	decoding.options = options;
	decoding.is_fast = is_fast;
	decoding.row_context = stub_make_context();
	current_position = &decoding.position;
	stub_error_hook = check_position;
	open_source(&decoding.source, payload, len, random);
	sqlstate = stub_run(decode_all, &decoding);
	if (sqlstate != 0)
		decoding.outcome.sqlstate = sqlstate;
	decoding.outcome.line = decoding.position.line;
	stub_delete_context(decoding.row_context);
	free(decoding.source.window);
	return decoding.outcome;
}

void
stub_check_decode(const IntakeFormatRoutine *format,
				  const IntakeOptions *options, const char *payload,
				  size_t len, uint32_t random)
{
	StubOutcome whole = stub_decode(format, options, payload, len, 0,
									random % 2 == 0);
	StubOutcome pieces = stub_decode(format, options, payload, len, random,
									 random % 2 == 0);

	FUZZ_CHECK(whole.sqlstate == pieces.sqlstate);
	FUZZ_CHECK(whole.nrecords == pieces.nrecords);
	FUZZ_CHECK(whole.nbad == pieces.nbad);
	FUZZ_CHECK(whole.line == pieces.line);
	FUZZ_CHECK(whole.hash == pieces.hash);
}
