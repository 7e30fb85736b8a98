/*-------------------------------------------------------------------------
 *
 * key_scan.h
 *	  Walks a unique index beside keys that come sorted.
 *
 *-------------------------------------------------------------------------
 */
#ifndef INTAKE_KEY_SCAN_H
#define INTAKE_KEY_SCAN_H

#include "executor/tuptable.h"
#include "utils/snapshot.h"
#include "utils/sortsupport.h"

#include "write/batch.h"
#include "write/merge_key.h"

typedef struct IntakeKeyScan IntakeKeyScan;

/*
 * Begins a walk over the key's index on the table: key->index, or a
 * partition's own part of it.  columns are the column numbers of the key.  In
 * the current memory context.
 */
extern IntakeKeyScan *intake_key_scan_begin(Relation rel, Oid index,
											const IntakeMergeKey *key,
											const int *columns,
											SortSupport comparators,
											Snapshot snapshot);

/*
 * Looks for the row that has the given row's key and that the snapshot sees;
 * it is put into the slot (of the table's own kind).  Keys must come in the
 * order of the index, none twice.
 */
extern bool intake_key_scan_find(IntakeKeyScan *scan, const IntakeRow *row,
								 TupleTableSlot *slot);

extern void intake_key_scan_end(IntakeKeyScan *scan);

#endif							/* INTAKE_KEY_SCAN_H */
