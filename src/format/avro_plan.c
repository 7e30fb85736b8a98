/*-------------------------------------------------------------------------
 *
 * avro_plan.c
 *	  How the records of one Avro file become rows of one column set.
 *
 * A plan is an array of steps, one a field of the writer's record, in its
 * order.  A step loads the field into a column or skips it; which function
 * does so is looked up from the field's type when the plan is made.
 *
 *		load	value --> convert.c --> Datum of a column
 *		render	value --> JSON text, for what is nested in a column's value
 *		skip	value --> nothing
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "convert.h"
#include "format/avro_fast.h"
#include "format/avro_plan.h"
#include "format/avro_reader.h"
#include "format/avro_render.h"

typedef Datum (*LoadFunction) (IntakeAvroPlan *plan,
							   const IntakeAvroSchema *schema,
							   IntakeColumn *column, bool *is_null);

/* What to do with one field of the writer's record. */
typedef struct AvroStep
{
	const IntakeAvroSchema *schema;
	LoadFunction load;			/* NULL: skip it */
	IntakeAvroFast fast;
	IntakeAvroSkip skip;
	IntakeColumn *column;
	int			number;			/* of the column */
	const char *name;			/* of the column or the field */
} AvroStep;

struct IntakeAvroPlan
{
	int			nsteps;
	AvroStep   *steps;
	bool	   *given;			/* by column number */
	int			ncolumns;
	int32		min_size;		/* of a record */
	bool		is_strict;
	IntakePosition *position;
	IntakeAvroReader reader;
	const char *record;			/* the one at hand: where it begins */
	int64		free_items;		/* of the reader, there */
	IntakeAvroRender *render;
};

static LoadFunction find_load(const IntakeAvroSchema *schema);

static Datum
load_null(IntakeAvroPlan *plan, const IntakeAvroSchema *schema,
		  IntakeColumn *column, bool *is_null)
{
	*is_null = true;
	return intake_convert_null(column);
}

static Datum
load_boolean(IntakeAvroPlan *plan, const IntakeAvroSchema *schema,
			 IntakeColumn *column, bool *is_null)
{
	bool		value = intake_avro_read_boolean(&plan->reader);

	return intake_convert_bool(column, value, plan->is_strict);
}

static Datum
load_int(IntakeAvroPlan *plan, const IntakeAvroSchema *schema,
		 IntakeColumn *column, bool *is_null)
{
	return intake_convert_int64(column, intake_avro_read_int(&plan->reader));
}

static Datum
load_long(IntakeAvroPlan *plan, const IntakeAvroSchema *schema,
		  IntakeColumn *column, bool *is_null)
{
	return intake_convert_int64(column, intake_avro_read_long(&plan->reader));
}

static Datum
load_float(IntakeAvroPlan *plan, const IntakeAvroSchema *schema,
		   IntakeColumn *column, bool *is_null)
{
	double		value = intake_avro_read_float(&plan->reader);

	return intake_convert_float(column, value, true);
}

static Datum
load_double(IntakeAvroPlan *plan, const IntakeAvroSchema *schema,
			IntakeColumn *column, bool *is_null)
{
	double		value = intake_avro_read_double(&plan->reader);

	return intake_convert_float(column, value, false);
}

static Datum
load_bytes(IntakeAvroPlan *plan, const IntakeAvroSchema *schema,
		   IntakeColumn *column, bool *is_null)
{
	IntakeAvroSpan span = intake_avro_read_bytes(&plan->reader, schema);

	return intake_convert_bytes(column, (const uint8 *) span.start, span.len);
}

static Datum
load_string(IntakeAvroPlan *plan, const IntakeAvroSchema *schema,
			IntakeColumn *column, bool *is_null)
{
	IntakeAvroSpan span = intake_avro_read_text(&plan->reader);

	plan->position->value = span.start;
	plan->position->value_len = span.len;
	/* string promotes to bytes */
	if (column->conversion == INTAKE_CONVERT_BYTEA)
		return intake_convert_bytes(column, (const uint8 *) span.start,
									span.len);
	return intake_convert_text(column, span.start, span.len);
}

static Datum
load_enum(IntakeAvroPlan *plan, const IntakeAvroSchema *schema,
		  IntakeColumn *column, bool *is_null)
{
	const char *symbol = intake_avro_read_symbol(&plan->reader, schema);

	plan->position->value = symbol;
	plan->position->value_len = strlen(symbol);
	return intake_convert_text(column, symbol, strlen(symbol));
}

static Datum
load_decimal(IntakeAvroPlan *plan, const IntakeAvroSchema *schema,
			 IntakeColumn *column, bool *is_null)
{
	IntakeAvroSpan span = intake_avro_read_bytes(&plan->reader, schema);

	return intake_convert_decimal(column, (const uint8 *) span.start,
								  span.len, schema->scale);
}

static Datum
load_uuid(IntakeAvroPlan *plan, const IntakeAvroSchema *schema,
		  IntakeColumn *column, bool *is_null)
{
	IntakeAvroSpan span;

	if (schema->type == INTAKE_AVRO_STRING)
		return load_string(plan, schema, column, is_null);
	span = intake_avro_read_bytes(&plan->reader, schema);
	return intake_convert_uuid(column, (const uint8 *) span.start);
}

static Datum
load_date(IntakeAvroPlan *plan, const IntakeAvroSchema *schema,
		  IntakeColumn *column, bool *is_null)
{
	return intake_convert_days(column, intake_avro_read_int(&plan->reader));
}

static Datum
load_time(IntakeAvroPlan *plan, const IntakeAvroSchema *schema,
		  IntakeColumn *column, bool *is_null)
{
	int64		value = intake_avro_read_microseconds(&plan->reader, schema);

	return intake_convert_time_of_day(column, value);
}

static Datum
load_instant(IntakeAvroPlan *plan, const IntakeAvroSchema *schema,
			 IntakeColumn *column, bool *is_null)
{
	int64		value = intake_avro_read_microseconds(&plan->reader, schema);

	return intake_convert_instant(column, value,
								  intake_avro_is_local(schema));
}

static Datum
load_duration(IntakeAvroPlan *plan, const IntakeAvroSchema *schema,
			  IntakeColumn *column, bool *is_null)
{
	uint32		parts[3];

	intake_avro_read_duration(&plan->reader, schema, parts);
	return intake_convert_duration(column, parts[0], parts[1], parts[2]);
}

static Datum
load_union(IntakeAvroPlan *plan, const IntakeAvroSchema *schema,
		   IntakeColumn *column, bool *is_null)
{
	const IntakeAvroSchema *branch;

	branch = intake_avro_read_branch(&plan->reader, schema);
	return find_load(branch) (plan, branch, column, is_null);
}

static Datum
load_nested(IntakeAvroPlan *plan, const IntakeAvroSchema *schema,
			IntakeColumn *column, bool *is_null)
{
	bool		is_json = (column->conversion == INTAKE_CONVERT_JSON ||
						   column->conversion == INTAKE_CONVERT_JSONB);
	StringInfo	json = intake_avro_render_run(plan->render, schema, is_json);

	plan->position->value = json->data;
	plan->position->value_len = json->len;
	return intake_convert_json_nested(column, json->data, json->len, false);
}

static LoadFunction
find_load(const IntakeAvroSchema *schema)
{
	static const LoadFunction by_type[INTAKE_AVRO_NTYPES] = {
		[INTAKE_AVRO_NULL] = load_null,
		[INTAKE_AVRO_BOOLEAN] = load_boolean,
		[INTAKE_AVRO_INT] = load_int,
		[INTAKE_AVRO_LONG] = load_long,
		[INTAKE_AVRO_FLOAT] = load_float,
		[INTAKE_AVRO_DOUBLE] = load_double,
		[INTAKE_AVRO_BYTES] = load_bytes,
		[INTAKE_AVRO_STRING] = load_string,
		[INTAKE_AVRO_RECORD] = load_nested,
		[INTAKE_AVRO_ENUM] = load_enum,
		[INTAKE_AVRO_FIXED] = load_bytes,
		[INTAKE_AVRO_ARRAY] = load_nested,
		[INTAKE_AVRO_MAP] = load_nested,
		[INTAKE_AVRO_UNION] = load_union
	};
	static const LoadFunction by_logical[INTAKE_AVRO_NLOGICALS] = {
		[INTAKE_AVRO_DECIMAL] = load_decimal,
		[INTAKE_AVRO_UUID] = load_uuid,
		[INTAKE_AVRO_DATE] = load_date,
		[INTAKE_AVRO_TIME_MILLIS] = load_time,
		[INTAKE_AVRO_TIME_MICROS] = load_time,
		[INTAKE_AVRO_TIMESTAMP_MILLIS] = load_instant,
		[INTAKE_AVRO_TIMESTAMP_MICROS] = load_instant,
		[INTAKE_AVRO_TIMESTAMP_NANOS] = load_instant,
		[INTAKE_AVRO_LOCAL_MILLIS] = load_instant,
		[INTAKE_AVRO_LOCAL_MICROS] = load_instant,
		[INTAKE_AVRO_LOCAL_NANOS] = load_instant,
		[INTAKE_AVRO_DURATION] = load_duration
	};

	if (schema->logical != INTAKE_AVRO_PLAIN)
		return by_logical[schema->logical];
	return by_type[schema->type];
}

/* The column that a field's name or else one of its aliases names, or -1. */
static int
match_field(const IntakeAvroField *field, const IntakeColumnSet *columns)
{
	int			number;
	int			i;

	number = intake_columns_find(columns, field->name, field->name_len);
	for (i = 0; number < 0 && i < field->naliases; i++)
		number = intake_columns_find(columns, field->aliases[i],
									 strlen(field->aliases[i]));
	return number;
}

/* Makes the step of one field. */
static void
make_step(IntakeAvroPlan *plan, AvroStep *step, const IntakeAvroField *field,
		  IntakeColumnSet *columns, bool is_ignoring)
{
	int			number = match_field(field, columns);

	plan->position->column = field->name;
	step->schema = field->schema;
	step->skip = intake_avro_find_skip(field->schema);
	step->name = field->name;
	step->number = number;
	if (number < 0)
	{
		if (!is_ignoring)
			intake_columns_report_unknown(columns, field->name,
										  field->name_len);
		return;
	}
	if (plan->given[number])
		intake_columns_report_repeated(columns, number);
	plan->given[number] = true;
	step->load = find_load(field->schema);
	step->column = &columns->columns[number];
	step->fast = intake_avro_fast_choose(field->schema, step->column);
	step->name = step->column->name;
}

IntakeAvroPlan *
intake_avro_plan_make(const IntakeAvroSchema *schema,
					  IntakeColumnSet *columns, const IntakeOptions *options,
					  IntakePosition *position, bool **given)
{
	IntakeAvroPlan *plan = palloc0(sizeof(IntakeAvroPlan));
	int			i;

	if (schema->type != INTAKE_AVRO_RECORD)
		ereport(ERROR,
				(errcode(ERRCODE_BAD_COPY_FILE_FORMAT),
				 errmsg("Avro schema is not a record"),
				 errdetail("The values in the file are of type \"%s\".",
						   schema->name),
				 errhint("Each value must be a record whose fields are columns.")));

	plan->nsteps = schema->nfields;
	plan->steps = palloc0(Max(plan->nsteps, 1) * sizeof(AvroStep));
	plan->ncolumns = columns->ncolumns;
	plan->given = palloc0(Max(plan->ncolumns, 1) * sizeof(bool));
	plan->min_size = schema->min_size;
	plan->is_strict = options->types == INTAKE_TYPES_STRICT;
	plan->position = position;
	plan->render = intake_avro_render_make(&plan->reader);
	for (i = 0; i < plan->nsteps; i++)
		make_step(plan, &plan->steps[i], &schema->fields[i], columns,
				  options->unknown == INTAKE_UNKNOWN_IGNORE);
	position->column = NULL;
	*given = plan->given;
	return plan;
}

void
intake_avro_plan_take_block(IntakeAvroPlan *plan, const char *data,
							size_t len, int64 nrecords)
{
	intake_avro_reader_take(&plan->reader, data, len, nrecords,
							plan->min_size);
}

/* Does what a step says, by the functions that the plan's making chose. */
static void
run_step(IntakeAvroPlan *plan, const AvroStep *step, IntakeRow *row)
{
	IntakePosition *position = plan->position;

	position->column = step->name;
	position->value = NULL;
	if (step->load == NULL)
	{
		plan->reader.depth = 0;
		step->skip(&plan->reader, step->schema);
	}
	else
	{
		row->nulls[step->number] = false;
		row->values[step->number] = step->load(plan, step->schema,
											   step->column,
											   &row->nulls[step->number]);
	}
	position->column = NULL;
	position->value = NULL;
}

void
intake_avro_plan_run(IntakeAvroPlan *plan, IntakeRow *row)
{
	const AvroStep *step = plan->steps;
	const AvroStep *end = step + plan->nsteps;

	plan->record = plan->reader.cursor;
	plan->free_items = plan->reader.free_items;
	memcpy(row->is_set, plan->given, plan->ncolumns * sizeof(bool));
	for (; step < end; step++)
	{
		if (step->fast.kind == INTAKE_AVRO_FAST_NONE ||
			!intake_avro_fast_load(&step->fast, step->column,
								   &plan->reader.cursor, plan->reader.limit,
								   &row->values[step->number],
								   &row->nulls[step->number]))
			run_step(plan, step, row);
	}
}

void
intake_avro_plan_skip(IntakeAvroPlan *plan)
{
	int			i;

	plan->reader.cursor = plan->record;
	plan->reader.free_items = plan->free_items;
	for (i = 0; i < plan->nsteps; i++)
	{
		const AvroStep *step = &plan->steps[i];

		plan->position->column = step->name;
		plan->position->value = NULL;
		plan->reader.depth = 0;
		step->skip(&plan->reader, step->schema);
	}
	plan->position->column = NULL;
}

size_t
intake_avro_plan_rest(const IntakeAvroPlan *plan)
{
	return plan->reader.limit - plan->reader.cursor;
}
