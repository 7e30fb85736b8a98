/*-------------------------------------------------------------------------
 *
 * avro_logical.h
 *	  The logical types of an Avro schema.
 *
 *-------------------------------------------------------------------------
 */
#ifndef INTAKE_AVRO_LOGICAL_H
#define INTAKE_AVRO_LOGICAL_H

#include "format/avro_json.h"
#include "format/avro_schema.h"

/*
 * Takes over the logical type that an object names, if it names a valid one.
 * The object is the type's own or, in Prostore's form, the field's beside a
 * primitive type or a union of such.
 */
extern void intake_avro_logical_set(IntakeAvroSchema *schema,
									const IntakeAvroObject *object);

#endif							/* INTAKE_AVRO_LOGICAL_H */
