/*-------------------------------------------------------------------------
 *
 * insert.h
 *	  Plain INSERTs of batches, for append and replace.
 *
 * The first batch decides between the direct path (heap_insert.h) and SQL
 * (write_sql.h).
 *
 *-------------------------------------------------------------------------
 */
#ifndef INTAKE_INSERT_H
#define INTAKE_INSERT_H

#include "write/heap_insert.h"
#include "write/stage.h"
#include "write/write_sql.h"

typedef struct IntakeInsert
{
	IntakeWriter *writer;
	bool		is_decided;		/* from the first batch on */
	bool		is_direct;
	IntakeHeapInsert *heap;		/* the direct path's one INSERT */
	IntakeStatement *statement; /* the SQL path's */
	int			nmentioned;		/* when the statement was made */
	MemoryContext context;
} IntakeInsert;

/* In the current memory context. */
extern IntakeInsert *intake_insert_make(IntakeWriter *writer);

/* Inserts the batch's rows and counts them. */
extern void intake_insert_batch(IntakeInsert *insert, IntakeBatch *batch);

/*
 * The same by an INSERT of the batch's own, which has ended on return.  Not to
 * be mixed with the others.  The heap path's memory is of the current memory
 * context.
 */
extern void intake_insert_alone(IntakeInsert *insert, IntakeBatch *batch);

/* Inserts all rows of a stage. */
extern void intake_insert_stage(IntakeInsert *insert, IntakeStage *stage);

/* Ends the INSERT: triggers fire, constraints are checked. */
extern void intake_insert_end(IntakeInsert *insert);

/*
 * The numbers of the columns that the payload has mentioned and the target
 * has; *count of them, in the current memory context.
 */
extern int *intake_insert_fields(const IntakeWriter *writer, int *count);

/* "(a, b)" for those columns, or nothing when there are none; appended. */
extern void intake_insert_append_columns(StringInfo sql,
										 const IntakeWriter *writer,
										 const int *fields, int nfields);

#endif							/* INTAKE_INSERT_H */
