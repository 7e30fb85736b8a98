/*-------------------------------------------------------------------------
 *
 * tolerate.h
 *	  Batches whose bad rows are set aside.
 *
 * A batch is written in a subtransaction, as a command of its own, so that
 * its immediate constraints are checked within.  When the target refuses it,
 * parts of it are tried, each in the same way, until the rows at fault are
 * found.
 *
 *-------------------------------------------------------------------------
 */
#ifndef INTAKE_TOLERATE_H
#define INTAKE_TOLERATE_H

#include "write/write.h"

/* What is done with rows, by who has them. */
typedef struct IntakeToleranceRoutine
{
	/*
	 * Writes all rows of a batch, or of a part of one, as a command that is
	 * complete on return, and counts them in writer->counters.  What it
	 * allocates in the current memory context goes with the call.
	 */
	void		(*write) (void *arg, IntakeBatch *batch);

	/*
	 * Takes note of a row that is to be set aside; false when it must not
	 * be.  May be NULL.
	 */
	bool		(*note) (void *arg, const IntakeRow *row);

	bool		is_ordered;		/* rows must come in the order they came in */
} IntakeToleranceRoutine;

typedef struct IntakeTolerance IntakeTolerance;

/* For a writer with rejects; in the current memory context. */
extern IntakeTolerance *
intake_tolerance_make(IntakeWriter *writer,
					  const IntakeToleranceRoutine *routine, void *arg);

/*
 * Writes the batch's rows but those that the target refuses, which are added
 * to writer->rejects.  Errors that are not the data's are raised.
 */
extern void intake_tolerance_write(IntakeTolerance *tolerance,
								   IntakeBatch *batch);

/*
 * Writes the rows that wait for others: where the target refers to itself, a
 * row that a foreign key refuses may refer to one that comes later.
 */
extern void intake_tolerance_finish(IntakeTolerance *tolerance);

#endif							/* INTAKE_TOLERATE_H */
