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

/*
 * Functions of who has rows to write.  The first writes all rows of a batch,
 * as a command that is complete when it returns; counts what it did in
 * writer->counters; may be called with any part of a batch.  What it
 * allocates in the current memory context goes with the call.  The second,
 * which may be NULL, takes note of a row that was set aside.
 */
typedef void (*IntakeWriteRows) (void *arg, IntakeBatch *batch);
typedef void (*IntakeNoteRefused) (void *arg, const IntakeRow *row);

typedef struct IntakeTolerance IntakeTolerance;

/* For a writer with rejects; in the current memory context. */
extern IntakeTolerance *intake_tolerance_make(IntakeWriter *writer,
											  IntakeNoteRefused note,
											  void *arg);

/*
 * Writes the batch's rows but those that the target refuses, which are added
 * to writer->rejects.  Errors that are not the data's are raised.
 */
extern void intake_tolerance_write(IntakeTolerance *tolerance,
								   IntakeBatch *batch, IntakeWriteRows write,
								   void *arg);

#endif							/* INTAKE_TOLERATE_H */
