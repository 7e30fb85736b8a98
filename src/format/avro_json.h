/*-------------------------------------------------------------------------
 *
 * avro_json.h
 *	  Reading the JSON of an Avro schema, value by value.
 *
 * No tree is made: an object's members are noted as pieces of its text, which
 * must stay where it is.
 *
 *-------------------------------------------------------------------------
 */
#ifndef INTAKE_AVRO_JSON_H
#define INTAKE_AVRO_JSON_H

#include "compat.h"
#include "format/scan_json.h"

/* The text of one JSON value. */
typedef struct IntakeAvroText
{
	const char *start;			/* NULL: not there */
	size_t		len;
} IntakeAvroText;

/* The members of an object that mean something in a schema. */
typedef enum IntakeAvroMember
{
	INTAKE_MEMBER_TYPE,
	INTAKE_MEMBER_NAME,
	INTAKE_MEMBER_NAMESPACE,
	INTAKE_MEMBER_FIELDS,
	INTAKE_MEMBER_SYMBOLS,
	INTAKE_MEMBER_ITEMS,
	INTAKE_MEMBER_VALUES,
	INTAKE_MEMBER_SIZE,
	INTAKE_MEMBER_ALIASES,
	INTAKE_MEMBER_LOGICAL_TYPE,
	INTAKE_MEMBER_PRECISION,
	INTAKE_MEMBER_SCALE
} IntakeAvroMember;

#define INTAKE_NMEMBERS (INTAKE_MEMBER_SCALE + 1)

typedef struct IntakeAvroObject
{
	IntakeAvroText	members[INTAKE_NMEMBERS];
} IntakeAvroObject;

/*
 * Raises the error for a schema that is not valid.  The detail is a
 * sentence, the shown text, if any, takes the place of its %s, cut.
 */
extern void intake_avro_json_report(const char *detail, const char *shown)
			pg_attribute_noreturn();

/* Reads the next value as text, or errors. */
extern IntakeAvroText intake_avro_json_take(IntakeScanJson *scan);

/* The value of a string, terminated, or NULL when the text is no string. */
extern char *intake_avro_json_string(IntakeAvroText text);

/* A whole number of at most nine digits; false when the text is none. */
extern bool intake_avro_json_integer(IntakeAvroText text, int *value);

/* Opens the inside of an array or object. */
extern void intake_avro_json_begin(IntakeScanJson *scan, IntakeAvroText text);

/* Finds the next element of an array, or name of an object. */
extern bool intake_avro_json_iterate(IntakeScanJson *scan,
									 IntakeAvroText *element);

/* Finds the members of an object; its text is known to be valid JSON. */
extern void intake_avro_json_object(IntakeAvroText text,
									IntakeAvroObject *object);

#endif							/* INTAKE_AVRO_JSON_H */
