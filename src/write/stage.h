/*-------------------------------------------------------------------------
 *
 * stage.h
 *	  Rows that wait until the whole payload is known to be good.
 *
 * A stage keeps rows in the order in which they came, in at most
 * pg_intake.stage_memory and then on disk.
 *
 *-------------------------------------------------------------------------
 */
#ifndef INTAKE_STAGE_H
#define INTAKE_STAGE_H

#include "executor/tuptable.h"
#include "utils/tuplestore.h"

#include "write/write.h"

typedef struct IntakeStage
{
	Tuplestorestate *store;
	TupleTableSlot *slot;
	Datum	   *values;
	bool	   *nulls;
} IntakeStage;

/* A descriptor for rows of a set: the columns, then record and line. */
extern TupleDesc intake_stage_desc(const IntakeColumnSet *columns);

/* Puts a row's values, record and line where the descriptor wants them. */
extern void intake_stage_form(const IntakeRow *row, int ncolumns,
							  Datum *values, bool *nulls);

/* The reverse: values point into the slot. */
extern void intake_stage_deform(TupleTableSlot *slot, int ncolumns,
								IntakeRow *row);

/* An empty stage, in the current memory context. */
extern IntakeStage *intake_stage_make(const IntakeColumnSet *columns);

/* Adds a row, or a batch's rows. */
extern void intake_stage_put_row(IntakeStage *stage, const IntakeRow *row,
								 int ncolumns);
extern void intake_stage_put(IntakeStage *stage, const IntakeBatch *batch);

/* Puts a copy of the next row into the slot; false at the end. */
extern bool intake_stage_next(IntakeStage *stage, TupleTableSlot *slot);

/*
 * Fills the batch, which is cleared first, with the next rows; false when
 * there are none left.
 */
extern bool intake_stage_get(IntakeStage *stage, IntakeBatch *batch,
							 IntakeDefaults *defaults);

/*
 * For a stage whose rows may be read twice: keeps the place where reading has
 * come to, and goes back there.  intake_stage_allow_marks() is called before
 * the first row is added.
 */
extern void intake_stage_allow_marks(IntakeStage *stage);
extern void intake_stage_mark(IntakeStage *stage);
extern void intake_stage_go_back(IntakeStage *stage);

/* Frees memory and files. */
extern void intake_stage_end(IntakeStage *stage);

#endif							/* INTAKE_STAGE_H */
