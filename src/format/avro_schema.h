/*-------------------------------------------------------------------------
 *
 * avro_schema.h
 *	  An Avro schema as a graph of nodes.
 *
 * The graph has cycles where a record names itself below a union, an array
 * or a map.  A record that cannot end (it holds itself directly) is refused.
 *
 *-------------------------------------------------------------------------
 */
#ifndef INTAKE_AVRO_SCHEMA_H
#define INTAKE_AVRO_SCHEMA_H

typedef enum IntakeAvroType
{
	INTAKE_AVRO_NULL,
	INTAKE_AVRO_BOOLEAN,
	INTAKE_AVRO_INT,
	INTAKE_AVRO_LONG,
	INTAKE_AVRO_FLOAT,
	INTAKE_AVRO_DOUBLE,
	INTAKE_AVRO_BYTES,
	INTAKE_AVRO_STRING,
	INTAKE_AVRO_RECORD,
	INTAKE_AVRO_ENUM,
	INTAKE_AVRO_FIXED,
	INTAKE_AVRO_ARRAY,
	INTAKE_AVRO_MAP,
	INTAKE_AVRO_UNION
} IntakeAvroType;

#define INTAKE_AVRO_NTYPES (INTAKE_AVRO_UNION + 1)

typedef enum IntakeAvroLogical
{
	INTAKE_AVRO_PLAIN,			/* no logical type, or one that is ignored */
	INTAKE_AVRO_DECIMAL,
	INTAKE_AVRO_UUID,
	INTAKE_AVRO_DATE,
	INTAKE_AVRO_TIME_MILLIS,
	INTAKE_AVRO_TIME_MICROS,
	INTAKE_AVRO_TIMESTAMP_MILLIS,
	INTAKE_AVRO_TIMESTAMP_MICROS,
	INTAKE_AVRO_TIMESTAMP_NANOS,
	INTAKE_AVRO_LOCAL_MILLIS,
	INTAKE_AVRO_LOCAL_MICROS,
	INTAKE_AVRO_LOCAL_NANOS,
	INTAKE_AVRO_DURATION
} IntakeAvroLogical;

#define INTAKE_AVRO_NLOGICALS (INTAKE_AVRO_DURATION + 1)

typedef struct IntakeAvroSchema IntakeAvroSchema;

typedef struct IntakeAvroField
{
	const char *name;
	int			name_len;
	IntakeAvroSchema *schema;
	int			naliases;
	const char **aliases;
} IntakeAvroField;

struct IntakeAvroSchema
{
	IntakeAvroType type;
	IntakeAvroLogical logical;
	const char *name;			/* full name of a named type, else type's */
	int32		min_size;		/* fewest bytes of a value; 0: has none */
	bool		is_measuring;	/* guards the computation of min_size */

	int			precision;		/* decimal */
	int			scale;
	int32		size;			/* fixed */

	int			nfields;		/* record */
	IntakeAvroField *fields;
	int			nsymbols;		/* enum */
	const char **symbols;
	int			nbranches;		/* union */
	IntakeAvroSchema **branches;
	IntakeAvroSchema *items;	/* array, and the values of a map */
};

/*
 * Reads a schema from its JSON text.  The graph lives in the current memory
 * context.  A schema that is not valid is an error that says why; a logical
 * type that is not valid is ignored, as the Avro specification wants it.
 */
extern IntakeAvroSchema *intake_avro_schema_parse(const char *text,
												  size_t len);

#endif							/* INTAKE_AVRO_SCHEMA_H */
