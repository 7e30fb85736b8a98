/*-------------------------------------------------------------------------
 *
 * avro_plan.h
 *	  How the records of one Avro file become rows of one column set.
 *
 * A plan is made once, from the writer's schema and the columns; it is given
 * a block's inflated bytes and run once a record.
 *
 *-------------------------------------------------------------------------
 */
#ifndef INTAKE_AVRO_PLAN_H
#define INTAKE_AVRO_PLAN_H

#include "format/avro_schema.h"
#include "format/format.h"

typedef struct IntakeAvroPlan IntakeAvroPlan;

/*
 * Makes the plan in the current memory context.  Errors when the schema is
 * not a record, names a column twice or, unless the options say to ignore
 * that, has a field which is no column.  *given gets the columns that every
 * record has.  The plan keeps position's column and value current.
 */
extern IntakeAvroPlan *intake_avro_plan_make(const IntakeAvroSchema *schema,
											 IntakeColumnSet *columns,
											 const IntakeOptions *options,
											 IntakePosition *position,
											 bool **given);

/*
 * Takes the inflated bytes of a block, which must stay where they are.
 * Errors when so many records cannot be in them.
 */
extern void intake_avro_plan_take_block(IntakeAvroPlan *plan,
										const char *data, size_t len,
										int64 nrecords);

/* Decodes the next record of the block into row. */
extern void intake_avro_plan_run(IntakeAvroPlan *plan, IntakeRow *row);

/*
 * Passes over the record that was being decoded when an error was raised.
 * Errors when it is not what the schema says.
 */
extern void intake_avro_plan_skip(IntakeAvroPlan *plan);

/* How many bytes of the block no record has used yet. */
extern size_t intake_avro_plan_rest(const IntakeAvroPlan *plan);

#endif							/* INTAKE_AVRO_PLAN_H */
