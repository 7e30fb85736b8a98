/*-------------------------------------------------------------------------
 *
 * avro_logical.c
 *	  The logical types of an Avro schema.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "format/avro_logical.h"

/* The most digits that a numeric has behind its point. */
#define MAX_DECIMAL_SCALE 16383

/* The logical types and what each may stand on; -1: see accepts_logical. */
static const struct
{
	const char *name;
	int			type;
}			logical_names[INTAKE_AVRO_NLOGICALS] =
{
	{"", -1},
	{"decimal", -1},
	{"uuid", -1},
	{"date", INTAKE_AVRO_INT},
	{"time-millis", INTAKE_AVRO_INT},
	{"time-micros", INTAKE_AVRO_LONG},
	{"timestamp-millis", INTAKE_AVRO_LONG},
	{"timestamp-micros", INTAKE_AVRO_LONG},
	{"timestamp-nanos", INTAKE_AVRO_LONG},
	{"local-timestamp-millis", INTAKE_AVRO_LONG},
	{"local-timestamp-micros", INTAKE_AVRO_LONG},
	{"local-timestamp-nanos", INTAKE_AVRO_LONG},
	{"duration", -1}
};

/* Whether so many digits fit into a fixed of size bytes. */
static bool
has_room_for_digits(int size, int precision)
{
	/* floor(log10(2^(8n - 1) - 1)) digits do, in integers */
	return precision <= ((int64) 8 * size - 1) * 30103 / 100000;
}

/* Whether the logical type may stand on the type; reads a decimal's shape. */
static bool
accepts_logical(IntakeAvroSchema *schema, IntakeAvroLogical logical,
				const IntakeAvroObject *object)
{
	int			precision;
	int			scale = 0;

	if (logical_names[logical].type >= 0)
		return logical_names[logical].type == (int) schema->type;
	if (logical == INTAKE_AVRO_UUID)
		return schema->type == INTAKE_AVRO_STRING ||
			(schema->type == INTAKE_AVRO_FIXED && schema->size == 16);
	if (logical == INTAKE_AVRO_DURATION)
		return schema->type == INTAKE_AVRO_FIXED && schema->size == 12;

	if (schema->type != INTAKE_AVRO_BYTES && schema->type != INTAKE_AVRO_FIXED)
		return false;
	if (!intake_avro_json_integer(object->members[INTAKE_MEMBER_PRECISION],
								  &precision) ||
		(object->members[INTAKE_MEMBER_SCALE].start != NULL &&
		 !intake_avro_json_integer(object->members[INTAKE_MEMBER_SCALE],
								   &scale)))
		return false;
	if (precision < 1 || scale < 0 || scale > precision ||
		scale > MAX_DECIMAL_SCALE)
		return false;
	if (schema->type == INTAKE_AVRO_FIXED &&
		!has_room_for_digits(schema->size, precision))
		return false;
	schema->precision = precision;
	schema->scale = scale;
	return true;
}

void
intake_avro_logical_set(IntakeAvroSchema *schema,
						const IntakeAvroObject *object)
{
	const IntakeAvroText *members = object->members;
	char	   *name =
		intake_avro_json_string(members[INTAKE_MEMBER_LOGICAL_TYPE]);
	int			i;

	if (name == NULL)
		return;
	if (schema->type == INTAKE_AVRO_UNION)
	{
		for (i = 0; i < schema->nbranches; i++)
		{
			if (schema->branches[i]->type <= INTAKE_AVRO_STRING)
				intake_avro_logical_set(schema->branches[i], object);
		}
		return;
	}
	if (schema->logical != INTAKE_AVRO_PLAIN)
		return;
	for (i = INTAKE_AVRO_PLAIN + 1; i < INTAKE_AVRO_NLOGICALS; i++)
	{
		if (strcmp(logical_names[i].name, name) == 0 &&
			accepts_logical(schema, (IntakeAvroLogical) i, object))
			schema->logical = (IntakeAvroLogical) i;
	}
}
