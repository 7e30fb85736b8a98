/*-------------------------------------------------------------------------
 *
 * combine.h
 *	  Several records of one key become one, for partial.h's merges.
 *
 *-------------------------------------------------------------------------
 */
#ifndef INTAKE_COMBINE_H
#define INTAKE_COMBINE_H

#include "executor/tuptable.h"

#include "write/partial.h"

typedef struct IntakeCombiner IntakeCombiner;

/* For staged rows of this descriptor; in the current memory context. */
extern IntakeCombiner *intake_combiner_make(const IntakePartial *partial,
											TupleDesc desc);

/*
 * Takes the first record of a key, then the others in the order in which they
 * came.  All values of the slots are at hand.
 */
extern void intake_combiner_begin(IntakeCombiner *combiner,
								  TupleTableSlot *slot);
extern void intake_combiner_add(IntakeCombiner *combiner,
								TupleTableSlot *slot);

/* The row that does what the records do in turn; good until the next begin. */
extern TupleTableSlot *intake_combiner_end(IntakeCombiner *combiner);

extern void intake_combiner_free(IntakeCombiner *combiner);

#endif							/* INTAKE_COMBINE_H */
