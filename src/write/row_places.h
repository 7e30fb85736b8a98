/*-------------------------------------------------------------------------
 *
 * row_places.h
 *	  Rows that an index led to, visited in the order in which they lie.
 *
 * Rows of one key may lie anywhere: in the order of the key a page is visited
 * again and again, in the order of places once, under one lock.  But who
 * visits rows through the index marks its dead entries on the way, and the
 * next one need not visit them: so this is for keys that have not many more
 * of them than rows, as a replace leaves behind that has met none.
 *
 *-------------------------------------------------------------------------
 */
#ifndef INTAKE_ROW_PLACES_H
#define INTAKE_ROW_PLACES_H

#include "storage/itemptr.h"
#include "utils/rel.h"
#include "utils/snapshot.h"

typedef struct IntakeRowPlaces IntakeRowPlaces;

/* No places yet, in the current memory context; the snapshot is MVCC. */
extern IntakeRowPlaces *intake_row_places_make(Relation rel,
											   Snapshot snapshot);

/* Takes note of an entry that was visited through the index. */
extern void intake_row_places_note(IntakeRowPlaces *places, bool is_visible);

/* Whether it pays to collect places: enough entries, not most of them dead. */
extern bool intake_row_places_pay(const IntakeRowPlaces *places);

/* Adds a place; false when no more can be added. */
extern bool intake_row_places_add(IntakeRowPlaces *places, ItemPointer tid);

/*
 * Where the next visible row is, in the order of places; false after the last
 * one, when all places are forgotten.
 */
extern bool intake_row_places_next(IntakeRowPlaces *places, ItemPointer tid);

extern void intake_row_places_end(IntakeRowPlaces *places);

#endif							/* INTAKE_ROW_PLACES_H */
