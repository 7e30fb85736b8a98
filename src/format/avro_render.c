/*-------------------------------------------------------------------------
 *
 * avro_render.c
 *	  Nested Avro values as JSON text.
 *
 * Decimals become numbers, bytes the hex form of bytea, dates and times what
 * ISO 8601 writes, enums their symbol; a union's value is that of its branch.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "common/shortest_dec.h"
#include "utils/builtins.h"
#include "utils/date.h"
#include "utils/datetime.h"
#include "utils/json.h"

#include "convert.h"
#include "format/avro_render.h"
#include "format/format_text.h"
#include "settings.h"

#define FIRST_KEYS 16

typedef void (*RenderFunction) (IntakeAvroRender *render,
								const IntakeAvroSchema *schema);

struct IntakeAvroRender
{
	IntakeAvroReader *reader;
	StringInfoData json;
	bool		is_json;		/* goes into json or jsonb */

	int			nkeys;			/* of the maps that are open */
	int			max_keys;
	IntakeAvroSpan *keys;

	/* columns of no table, for what convert.c does better */
	IntakeColumn numeric;
	IntakeColumn date;
	IntakeColumn time;
	IntakeColumn timestamp;
};

static RenderFunction find_render(const IntakeAvroSchema *schema);

/* A string in quotes, escaped. */
static void
append_quoted(StringInfo json, const char *text, size_t len)
{
	const char *end = text + len;
	const char *run = text;

	appendStringInfoCharMacro(json, '"');
	for (; text < end; text++)
	{
		if ((unsigned char) *text >= ' ' && *text != '"' && *text != '\\')
			continue;
		appendBinaryStringInfo(json, run, text - run);
		run = text + 1;
		if ((unsigned char) *text >= ' ')
		{
			appendStringInfoCharMacro(json, '\\');
			appendStringInfoCharMacro(json, *text);
		}
		else
			appendStringInfo(json, "\\u%04x", (unsigned char) *text);
	}
	appendBinaryStringInfo(json, run, text - run);
	appendStringInfoCharMacro(json, '"');
}

/* Renders a nested value and watches the length of the text. */
static void
render_value(IntakeAvroRender *render, const IntakeAvroSchema *schema)
{
	find_render(schema) (render, schema);
	if (render->json.len > (int64) intake_max_record_size * 1024)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("Avro value has more than %d kB as JSON",
						intake_max_record_size),
				 errhint("See setting \"%s\".",
						 "pg_intake.max_record_size")));
}

static void
render_null(IntakeAvroRender *render, const IntakeAvroSchema *schema)
{
	appendBinaryStringInfo(&render->json, "null", 4);
}

static void
render_boolean(IntakeAvroRender *render, const IntakeAvroSchema *schema)
{
	appendStringInfoString(&render->json,
						   intake_avro_read_boolean(render->reader) ? "true" : "false");
}

static void
render_integer(IntakeAvroRender *render, const IntakeAvroSchema *schema)
{
	int64		value = intake_avro_read_integer(render->reader, schema);
	char		digits[MAXINT8LEN + 1];
	int			len = pg_lltoa(value, digits);

	appendBinaryStringInfo(&render->json, digits, len);
}

/* NaN and the infinities, which JSON does not have: strings, if at all. */
static void
render_special(IntakeAvroRender *render, double value)
{
	const char *name = isnan(value) ? "NaN" :
		value < 0 ? "-Infinity" : "Infinity";

	if (render->is_json)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_TEXT_REPRESENTATION),
				 errmsg("JSON has no number %s", name)));
	append_quoted(&render->json, name, strlen(name));
}

static void
render_float(IntakeAvroRender *render, const IntakeAvroSchema *schema)
{
	float		value = intake_avro_read_float(render->reader);
	char		digits[FLOAT_SHORTEST_DECIMAL_LEN];

	if (isfinite(value))
		appendBinaryStringInfo(&render->json, digits,
							   float_to_shortest_decimal_buf(value, digits));
	else
		render_special(render, value);
}

static void
render_double(IntakeAvroRender *render, const IntakeAvroSchema *schema)
{
	double		value = intake_avro_read_double(render->reader);
	char		digits[DOUBLE_SHORTEST_DECIMAL_LEN];

	if (isfinite(value))
		appendBinaryStringInfo(&render->json, digits,
							   double_to_shortest_decimal_buf(value, digits));
	else
		render_special(render, value);
}

/* As bytea's hex form, the backslash escaped. */
static void
render_bytes(IntakeAvroRender *render, const IntakeAvroSchema *schema)
{
	IntakeAvroSpan span = intake_avro_read_bytes(render->reader, schema);

	/* Longer ones are refused by render_value(); no need to write them. */
	if (span.len > (size_t) intake_max_record_size * 1024)
		span.len = (size_t) intake_max_record_size * 1024;
	appendStringInfoString(&render->json, "\"\\\\x");
	enlargeStringInfo(&render->json, span.len * 2 + 1);
	render->json.len += hex_encode(span.start, span.len,
								 render->json.data + render->json.len);
	appendStringInfoCharMacro(&render->json, '"');
}

static void
render_string(IntakeAvroRender *render, const IntakeAvroSchema *schema)
{
	IntakeAvroSpan span = intake_avro_read_text(render->reader);

	append_quoted(&render->json, span.start, span.len);
}

static void
render_enum(IntakeAvroRender *render, const IntakeAvroSchema *schema)
{
	const char *symbol = intake_avro_read_symbol(render->reader, schema);

	append_quoted(&render->json, symbol, strlen(symbol));
}

static void
render_decimal(IntakeAvroRender *render, const IntakeAvroSchema *schema)
{
	IntakeAvroSpan span = intake_avro_read_bytes(render->reader, schema);
	Datum		value = intake_convert_decimal(&render->numeric,
											   (const uint8 *) span.start,
											   span.len, schema->scale);
	char	   *digits = DatumGetCString(DirectFunctionCall1(numeric_out,
															 value));

	appendStringInfoString(&render->json, digits);
	pfree(digits);
}

static void
render_uuid(IntakeAvroRender *render, const IntakeAvroSchema *schema)
{
	IntakeAvroSpan span;
	size_t		i;

	if (schema->type == INTAKE_AVRO_STRING)
	{
		render_string(render, schema);
		return;
	}
	span = intake_avro_read_bytes(render->reader, schema);
	appendStringInfoCharMacro(&render->json, '"');
	for (i = 0; i < span.len; i++)
		appendStringInfo(&render->json, i >= 4 && i <= 10 && i % 2 == 0 ?
						 "-%02x" : "%02x", (uint8) span.start[i]);
	appendStringInfoCharMacro(&render->json, '"');
}

/* A date, time or timestamp as ISO 8601 writes it. */
static void
append_datetime(StringInfo json, Datum value, Oid type, const char *zone)
{
	char		buffer[MAXDATELEN + 1];

	(void) JsonEncodeDateTime(buffer, value, type, NULL);
	appendStringInfo(json, "\"%s%s\"", buffer, zone);
}

static void
render_date(IntakeAvroRender *render, const IntakeAvroSchema *schema)
{
	int32		days = intake_avro_read_int(render->reader);

	append_datetime(&render->json, intake_convert_days(&render->date, days),
					DATEOID, "");
}

static void
render_time(IntakeAvroRender *render, const IntakeAvroSchema *schema)
{
	int64		value = intake_avro_read_microseconds(render->reader, schema);

	append_datetime(&render->json,
					intake_convert_time_of_day(&render->time, value),
					TIMEOID, "");
}

static void
render_instant(IntakeAvroRender *render, const IntakeAvroSchema *schema)
{
	int64		value = intake_avro_read_microseconds(render->reader, schema);

	append_datetime(&render->json,
					intake_convert_instant(&render->timestamp, value,
										   intake_avro_is_local(schema)),
					TIMESTAMPOID, intake_avro_is_local(schema) ? "" : "Z");
}

static void
render_duration(IntakeAvroRender *render, const IntakeAvroSchema *schema)
{
	uint32		parts[3];

	intake_avro_read_duration(render->reader, schema, parts);
	appendStringInfo(&render->json, "\"P%uM%uDT%u.%03uS\"", parts[0], parts[1],
					 parts[2] / 1000, parts[2] % 1000);
}

static void
render_union(IntakeAvroRender *render, const IntakeAvroSchema *schema)
{
	const IntakeAvroSchema *branch;

	branch = intake_avro_read_branch(render->reader, schema);
	find_render(branch) (render, branch);
}

static void
render_record(IntakeAvroRender *render, const IntakeAvroSchema *schema)
{
	int			i;

	intake_avro_enter(render->reader);
	appendStringInfoCharMacro(&render->json, '{');
	for (i = 0; i < schema->nfields; i++)
	{
		const IntakeAvroField *field = &schema->fields[i];

		if (i > 0)
			appendStringInfoCharMacro(&render->json, ',');
		append_quoted(&render->json, field->name, field->name_len);
		appendStringInfoCharMacro(&render->json, ':');
		render_value(render, field->schema);
	}
	appendStringInfoCharMacro(&render->json, '}');
	intake_avro_leave(render->reader);
}

static void
render_array(IntakeAvroRender *render, const IntakeAvroSchema *schema)
{
	bool		is_first = true;
	IntakeAvroItems block;

	intake_avro_enter(render->reader);
	appendStringInfoCharMacro(&render->json, '[');
	while (intake_avro_read_items(render->reader, schema, &block))
	{
		for (; block.count > 0; block.count--)
		{
			if (!is_first)
				appendStringInfoCharMacro(&render->json, ',');
			is_first = false;
			render_value(render, schema->items);
		}
		intake_avro_check_items(render->reader, &block);
	}
	appendStringInfoCharMacro(&render->json, ']');
	intake_avro_leave(render->reader);
}

static void
note_key(IntakeAvroRender *render, IntakeAvroSpan key)
{
	if (render->nkeys == render->max_keys)
	{
		render->max_keys *= 2;
		render->keys = repalloc_huge(render->keys, render->max_keys *
								   sizeof(IntakeAvroSpan));
	}
	render->keys[render->nkeys++] = key;
}

static int
compare_keys(const void *a, const void *b)
{
	const IntakeAvroSpan *left = a;
	const IntakeAvroSpan *right = b;

	if (left->len != right->len)
		return left->len < right->len ? -1 : 1;
	return memcmp(left->start, right->start, left->len);
}

/* Errors when the map whose keys start at first has one of them twice. */
static void
check_keys(IntakeAvroRender *render, int first)
{
	int			i;

	qsort(render->keys + first, render->nkeys - first, sizeof(IntakeAvroSpan),
		  compare_keys);
	for (i = first + 1; i < render->nkeys; i++)
	{
		if (compare_keys(&render->keys[i - 1], &render->keys[i]) == 0)
			ereport(ERROR,
					(errcode(ERRCODE_BAD_COPY_FILE_FORMAT),
					 errmsg("Avro map has the key \"%s\" twice",
							intake_format_show(render->keys[i].start,
											   render->keys[i].len,
											   INTAKE_MAX_SHOWN_VALUE))));
	}
	render->nkeys = first;
}

static void
render_map(IntakeAvroRender *render, const IntakeAvroSchema *schema)
{
	int			first = render->nkeys;
	IntakeAvroItems block;

	intake_avro_enter(render->reader);
	appendStringInfoCharMacro(&render->json, '{');
	while (intake_avro_read_items(render->reader, schema, &block))
	{
		for (; block.count > 0; block.count--)
		{
			IntakeAvroSpan key = intake_avro_read_text(render->reader);

			if (render->nkeys > first)
				appendStringInfoCharMacro(&render->json, ',');
			note_key(render, key);
			append_quoted(&render->json, key.start, key.len);
			appendStringInfoCharMacro(&render->json, ':');
			render_value(render, schema->items);
		}
		intake_avro_check_items(render->reader, &block);
	}
	check_keys(render, first);
	appendStringInfoCharMacro(&render->json, '}');
	intake_avro_leave(render->reader);
}

static RenderFunction
find_render(const IntakeAvroSchema *schema)
{
	static const RenderFunction by_type[INTAKE_AVRO_NTYPES] = {
		[INTAKE_AVRO_NULL] = render_null,
		[INTAKE_AVRO_BOOLEAN] = render_boolean,
		[INTAKE_AVRO_INT] = render_integer,
		[INTAKE_AVRO_LONG] = render_integer,
		[INTAKE_AVRO_FLOAT] = render_float,
		[INTAKE_AVRO_DOUBLE] = render_double,
		[INTAKE_AVRO_BYTES] = render_bytes,
		[INTAKE_AVRO_STRING] = render_string,
		[INTAKE_AVRO_RECORD] = render_record,
		[INTAKE_AVRO_ENUM] = render_enum,
		[INTAKE_AVRO_FIXED] = render_bytes,
		[INTAKE_AVRO_ARRAY] = render_array,
		[INTAKE_AVRO_MAP] = render_map,
		[INTAKE_AVRO_UNION] = render_union
	};
	static const RenderFunction by_logical[INTAKE_AVRO_NLOGICALS] = {
		[INTAKE_AVRO_DECIMAL] = render_decimal,
		[INTAKE_AVRO_UUID] = render_uuid,
		[INTAKE_AVRO_DATE] = render_date,
		[INTAKE_AVRO_TIME_MILLIS] = render_time,
		[INTAKE_AVRO_TIME_MICROS] = render_time,
		[INTAKE_AVRO_TIMESTAMP_MILLIS] = render_instant,
		[INTAKE_AVRO_TIMESTAMP_MICROS] = render_instant,
		[INTAKE_AVRO_TIMESTAMP_NANOS] = render_instant,
		[INTAKE_AVRO_LOCAL_MILLIS] = render_instant,
		[INTAKE_AVRO_LOCAL_MICROS] = render_instant,
		[INTAKE_AVRO_LOCAL_NANOS] = render_instant,
		[INTAKE_AVRO_DURATION] = render_duration
	};

	if (schema->logical != INTAKE_AVRO_PLAIN)
		return by_logical[schema->logical];
	return by_type[schema->type];
}

static void
prepare_column(IntakeColumn *column, Oid type)
{
	column->name = "";
	column->type = type;
	column->typmod = -1;
	intake_convert_prepare(column);
}

IntakeAvroRender *
intake_avro_render_make(IntakeAvroReader *reader)
{
	IntakeAvroRender *render = palloc0(sizeof(IntakeAvroRender));

	render->reader = reader;
	initStringInfo(&render->json);
	render->max_keys = FIRST_KEYS;
	render->keys = palloc(FIRST_KEYS * sizeof(IntakeAvroSpan));
	prepare_column(&render->numeric, NUMERICOID);
	prepare_column(&render->date, DATEOID);
	prepare_column(&render->time, TIMEOID);
	prepare_column(&render->timestamp, TIMESTAMPOID);
	return render;
}

StringInfo
intake_avro_render_run(IntakeAvroRender *render,
					   const IntakeAvroSchema *schema, bool is_json)
{
	resetStringInfo(&render->json);
	render->nkeys = 0;
	render->is_json = is_json;
	render->reader->depth = 0;
	render_value(render, schema);
	return &render->json;
}
