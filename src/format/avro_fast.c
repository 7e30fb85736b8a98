/*-------------------------------------------------------------------------
 *
 * avro_fast.c
 *	  Which fields of Avro records become Datums in a few instructions.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "format/avro_fast.h"

static bool
is_integer(const IntakeColumn *column)
{
	return column->conversion == INTAKE_CONVERT_INT2 ||
		column->conversion == INTAKE_CONVERT_INT4 ||
		column->conversion == INTAKE_CONVERT_INT8;
}

/* A timestamp without a precision of its own. */
static bool
is_stamp(const IntakeColumn *column)
{
	return column->base_typmod < 0 &&
		(column->conversion == INTAKE_CONVERT_TIMESTAMP ||
		 column->conversion == INTAKE_CONVERT_TIMESTAMPTZ);
}

static IntakeAvroFastKind
choose_logical(const IntakeAvroSchema *schema, const IntakeColumn *column)
{
	switch (schema->logical)
	{
		case INTAKE_AVRO_DATE:
			return column->conversion == INTAKE_CONVERT_DATE ?
				INTAKE_AVRO_FAST_DATE : INTAKE_AVRO_FAST_NONE;
		case INTAKE_AVRO_TIMESTAMP_MILLIS:
		case INTAKE_AVRO_LOCAL_MILLIS:
			return is_stamp(column) ? INTAKE_AVRO_FAST_MILLIS :
				INTAKE_AVRO_FAST_NONE;
		case INTAKE_AVRO_TIMESTAMP_MICROS:
		case INTAKE_AVRO_LOCAL_MICROS:
			return is_stamp(column) ? INTAKE_AVRO_FAST_MICROS :
				INTAKE_AVRO_FAST_NONE;
		default:
			return INTAKE_AVRO_FAST_NONE;
	}
}

static IntakeAvroFastKind
choose_kind(const IntakeAvroSchema *schema, const IntakeColumn *column)
{
	if (schema->logical != INTAKE_AVRO_PLAIN)
		return choose_logical(schema, column);
	switch (schema->type)
	{
		case INTAKE_AVRO_INT:
			return is_integer(column) ? INTAKE_AVRO_FAST_INT :
				INTAKE_AVRO_FAST_NONE;
		case INTAKE_AVRO_LONG:
			return is_integer(column) ? INTAKE_AVRO_FAST_LONG :
				INTAKE_AVRO_FAST_NONE;
		case INTAKE_AVRO_DOUBLE:
			return column->conversion == INTAKE_CONVERT_FLOAT8 &&
				FLOAT8PASSBYVAL ? INTAKE_AVRO_FAST_DOUBLE :
				INTAKE_AVRO_FAST_NONE;
		case INTAKE_AVRO_STRING:
			return column->conversion == INTAKE_CONVERT_TEXT ?
				INTAKE_AVRO_FAST_STRING : INTAKE_AVRO_FAST_NONE;
		case INTAKE_AVRO_BOOLEAN:
			return column->conversion == INTAKE_CONVERT_BOOL ?
				INTAKE_AVRO_FAST_BOOLEAN : INTAKE_AVRO_FAST_NONE;
		default:
			return INTAKE_AVRO_FAST_NONE;
	}
}

IntakeAvroFast
intake_avro_fast_choose(const IntakeAvroSchema *schema,
						const IntakeColumn *column)
{
	IntakeAvroFast fast = {INTAKE_AVRO_FAST_NONE, false, 0, 0};
	const IntakeAvroSchema *value = schema;

	if (!column->is_fast)
		return fast;
	if (schema->type == INTAKE_AVRO_UNION)
	{
		int			null_branch;

		if (schema->nbranches != 2)
			return fast;
		null_branch = schema->branches[0]->type == INTAKE_AVRO_NULL ? 0 : 1;
		value = schema->branches[1 - null_branch];
		if (schema->branches[null_branch]->type != INTAKE_AVRO_NULL)
			return fast;

		/* zig-zag: 0 is 0, 1 is 2 */
		fast.is_union = true;
		fast.null_byte = (char) (null_branch * 2);
		fast.value_byte = (char) ((1 - null_branch) * 2);
	}
	fast.kind = choose_kind(value, column);
	return fast;
}
