/*-------------------------------------------------------------------------
 *
 * merge_older.c
 *	  The records of a merge that a later one of their key replaces.
 *
 * A merge that tolerates bad records comes to what it would have come to
 * without them in the payload.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/memutils.h"
#include "utils/tuplestore.h"

#include "settings.h"
#include "write/merge_older.h"
#include "write/stage.h"

/* Numbers of the first allocation. */
#define FIRST_NUMBERS 64

struct IntakeMergeOlder
{
	int			nstaged;		/* attributes of a staged row */
	Tuplestorestate *store;		/* staged rows, and their key's last record */
	TupleTableSlot *slot;
	Datum	   *values;
	bool	   *nulls;
	MemoryContext context;

	uint64	   *refused;		/* record numbers */
	size_t		nrefused;
	size_t		capacity;

	/* while rows are read */
	bool		is_reading;
	size_t		nsorted;		/* refused before */
	uint64		last;			/* of the key at hand */
	uint64		tried;			/* the key's record returned last */
	bool		is_open;		/* all later records were refused */
};

IntakeMergeOlder *
intake_merge_older_make(const IntakeColumnSet *columns)
{
	IntakeMergeOlder *older = palloc0(sizeof(IntakeMergeOlder));
	TupleDesc	staged = intake_stage_desc(columns);
	TupleDesc	desc = CreateTemplateTupleDesc(staged->natts + 1);
	int			i;

	for (i = 1; i <= staged->natts; i++)
		TupleDescCopyEntry(desc, i, staged, i);
	TupleDescInitEntry(desc, i, "last", INT8OID, -1, 0);
	older->nstaged = staged->natts;
	older->store = tuplestore_begin_heap(false, false, intake_stage_memory);
	older->slot = MakeSingleTupleTableSlot(desc, &TTSOpsMinimalTuple);
	older->values = palloc(desc->natts * sizeof(Datum));
	older->nulls = palloc(desc->natts * sizeof(bool));
	older->context = CurrentMemoryContext;
	return older;
}

void
intake_merge_older_put(IntakeMergeOlder *older, uint64 last,
					   TupleTableSlot *staged)
{
	int			n = older->nstaged;

	slot_getallattrs(staged);
	memcpy(older->values, staged->tts_values, n * sizeof(Datum));
	memcpy(older->nulls, staged->tts_isnull, n * sizeof(bool));
	older->values[n] = Int64GetDatum((int64) last);
	older->nulls[n] = false;
	tuplestore_putvalues(older->store, older->slot->tts_tupleDescriptor,
						 older->values, older->nulls);
}

void
intake_merge_older_refuse(IntakeMergeOlder *older, uint64 record)
{
	if (older->nrefused == older->capacity)
	{
		older->capacity = Max(FIRST_NUMBERS, older->capacity * 2);
		if (older->refused == NULL)
			older->refused = MemoryContextAlloc(older->context,
												older->capacity *
												sizeof(uint64));
		else
			older->refused = repalloc_huge(older->refused,
										   older->capacity * sizeof(uint64));
	}
	older->refused[older->nrefused++] = record;
}

static int
compare_numbers(const void *one, const void *two)
{
	uint64		a = *(const uint64 *) one;
	uint64		b = *(const uint64 *) two;

	return a < b ? -1 : a > b;
}

static void
begin_reading(IntakeMergeOlder *older)
{
	older->is_reading = true;
	older->nsorted = older->nrefused;
	if (older->nsorted > 0)
		qsort(older->refused, older->nsorted, sizeof(uint64),
			  compare_numbers);
}

/* Whether the next row, of the key with this last record, is to be written. */
static bool
is_needed(IntakeMergeOlder *older, uint64 last)
{
	if (last != older->last)
	{
		older->last = last;
		older->is_open = older->nsorted > 0 &&
			bsearch(&last, older->refused, older->nsorted, sizeof(uint64),
					compare_numbers) != NULL;
	}
	else if (older->is_open)
		older->is_open = older->nrefused > older->nsorted &&
			older->refused[older->nrefused - 1] == older->tried;
	return older->is_open;
}

bool
intake_merge_older_next(IntakeMergeOlder *older, TupleTableSlot *staged)
{
	int			n = older->nstaged;

	if (!older->is_reading)
		begin_reading(older);
	while (tuplestore_gettupleslot(older->store, true, false, older->slot))
	{
		CHECK_FOR_INTERRUPTS();
		slot_getallattrs(older->slot);
		if (!is_needed(older, DatumGetInt64(older->slot->tts_values[n])))
			continue;
		ExecClearTuple(staged);
		memcpy(staged->tts_values, older->slot->tts_values,
			   n * sizeof(Datum));
		memcpy(staged->tts_isnull, older->slot->tts_isnull,
			   n * sizeof(bool));
		ExecStoreVirtualTuple(staged);
		older->tried = DatumGetInt64(staged->tts_values[n - 2]);
		return true;
	}
	return false;
}

void
intake_merge_older_end(IntakeMergeOlder *older)
{
	ExecDropSingleTupleTableSlot(older->slot);
	tuplestore_end(older->store);
}
