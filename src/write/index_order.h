/*-------------------------------------------------------------------------
 *
 * index_order.h
 *	  An order of rows that is close to the order of an index.
 *
 * Entries that go into a btree in its own order find its pages in the
 * processor's cache; a nearly sorted order does as well.  So values are not
 * compared but turned into numbers that (nearly) ascend with them, and the
 * numbers are sorted by their bytes.
 *
 *-------------------------------------------------------------------------
 */
#ifndef INTAKE_INDEX_ORDER_H
#define INTAKE_INDEX_ORDER_H

#include "utils/rel.h"

typedef struct IntakeIndexOrder IntakeIndexOrder;

/* For a btree index, in the current memory context; NULL when unknown. */
extern IntakeIndexOrder *intake_index_order_make(Relation index);

/*
 * The rows' numbers 0 .. count - 1 in the order of their keys, rows of equal
 * place as they were; values and nulls have natts of each row, one row after
 * the other.  In the current memory context.
 */
extern uint32 *intake_index_order_sort(const IntakeIndexOrder *order,
									   const Datum *values, const bool *nulls,
									   int natts, int count);

#endif							/* INTAKE_INDEX_ORDER_H */
