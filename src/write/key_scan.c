/*-------------------------------------------------------------------------
 *
 * key_scan.c
 *	  Walks a unique index beside keys that come sorted.
 *
 * A key of one column is looked up by "the first entry not below it".  When
 * that entry is above the key, the key is not there, and neither are the keys
 * that follow up to the entry: they need no look-up at all.  When it is the
 * key, the walk steps on to the next entry.  Where the table has many entries
 * between two keys, a few steps are followed by a new descent.  So keys that
 * are new behind the last entry cost nothing, and a table that is replaced as
 * a whole costs one walk over its index.
 *
 * A key of several columns, or of an index in another order, takes a descent
 * each.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/itup.h"
#include "access/relscan.h"
#include "access/stratnum.h"
#include "utils/lsyscache.h"

#include "compat.h"
#include "write/key_scan.h"

/* Entries to step over before a new descent is cheaper. */
#define MAX_STEPS 16

struct IntakeKeyScan
{
	const IntakeMergeKey *key;
	const int  *columns;
	SortSupport comparators;
	Relation	index;
	bool		is_walkable;	/* so is the key, and this very index */
	IndexScanDesc scan;
	ScanKeyData *keys;

	/* the walk */
	bool		has_entry;		/* the scan is at an entry */
	bool		is_ended;		/* no entry is behind the last key */
	Datum		entry;			/* its key */
};

/* Sets up the scan keys; their arguments come with each look-up. */
static void
make_keys(IntakeKeyScan *scan)
{
	const IntakeMergeKey *key = scan->key;
	int			i;

	scan->keys = palloc0(key->ncolumns * sizeof(ScanKeyData));
	for (i = 0; i < key->ncolumns; i++)
	{
		StrategyNumber strategy = BTEqualStrategyNumber;
		Oid			comparison = key->eq_operators[i];

		if (scan->is_walkable)
		{
			strategy = BTGreaterEqualStrategyNumber;
			comparison = key->ge_operator;
		}
		ScanKeyEntryInitialize(&scan->keys[i], 0, i + 1, strategy, InvalidOid,
							   key->collations[i], get_opcode(comparison),
							   (Datum) 0);
	}
}

IntakeKeyScan *
intake_key_scan_begin(Relation rel, Oid index, const IntakeMergeKey *key,
					  const int *columns, SortSupport comparators,
					  Snapshot snapshot)
{
	IntakeKeyScan *scan = palloc0(sizeof(IntakeKeyScan));

	scan->key = key;
	scan->columns = columns;
	scan->comparators = comparators;
	scan->index = index_open(index, RowExclusiveLock);
	/* a partition's index may be in another order than the key's */
	scan->is_walkable = key->is_walkable && scan->index->rd_indoption[0] == 0;
	make_keys(scan);
	scan->scan = intake_begin_index_scan(rel, scan->index, snapshot,
										 key->ncolumns);
	scan->scan->xs_want_itup = scan->is_walkable;
	return scan;
}

/* Starts the index scan at the row's key. */
static void
descend(IntakeKeyScan *scan, const IntakeRow *row)
{
	int			i;

	for (i = 0; i < scan->key->ncolumns; i++)
		scan->keys[i].sk_argument = row->values[scan->columns[i]];
	index_rescan(scan->scan, scan->keys, scan->key->ncolumns, NULL, 0);
}

/* Steps to the next entry of the walk. */
static void
step(IntakeKeyScan *scan)
{
	bool		is_null = true;

	scan->has_entry = index_getnext_tid(scan->scan,
										ForwardScanDirection) != NULL;
	if (scan->has_entry)
		scan->entry = index_getattr(scan->scan->xs_itup, 1,
									scan->scan->xs_itupdesc, &is_null);
	/* NULLs are behind all keys */
	if (is_null)
	{
		scan->has_entry = false;
		scan->is_ended = true;
	}
}

/* Walks to the key; true when the snapshot sees a row that has it. */
static bool
walk(IntakeKeyScan *scan, const IntakeRow *row, TupleTableSlot *slot)
{
	Datum		key = row->values[scan->columns[0]];
	int			nsteps = 0;

	while (!scan->is_ended)
	{
		int			order = -1;

		if (scan->has_entry)
			order = ApplySortComparator(scan->entry, false, key, false,
										&scan->comparators[0]);
		if (order > 0)
			return false;
		if (order == 0 && index_fetch_heap(scan->scan, slot))
			return true;
		if (!scan->has_entry || nsteps++ == MAX_STEPS)
			descend(scan, row);
		step(scan);
	}
	return false;
}

bool
intake_key_scan_find(IntakeKeyScan *scan, const IntakeRow *row,
					 TupleTableSlot *slot)
{
	if (scan->is_walkable)
		return walk(scan, row, slot);
	descend(scan, row);
	return index_getnext_slot(scan->scan, ForwardScanDirection, slot);
}

void
intake_key_scan_end(IntakeKeyScan *scan)
{
	index_endscan(scan->scan);
	index_close(scan->index, NoLock);
}
