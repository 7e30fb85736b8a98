/*-------------------------------------------------------------------------
 *
 * merge_older.c
 *	  Records of a merge that others of their key replace.
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
	bool		is_combined;	/* one row stands for all records of a key */
	int			nstaged;		/* attributes of a staged row */
	Tuplestorestate *store;		/* staged rows, and their key's number */
	TupleTableSlot *slot;
	Datum	   *values;
	bool	   *nulls;
	MemoryContext context;

	uint64	   *refused;		/* record numbers */
	size_t		nrefused;
	size_t		capacity;

	/* while rows are read */
	bool		is_reading;
	size_t		nsorted;		/* numbers of keys to look at, in front */
	uint64		number;			/* of the key at hand */
	uint64		tried;			/* the key's record returned last */
	bool		is_open;		/* the key's rows are wanted */
};

IntakeMergeOlder *
intake_merge_older_make(const IntakeColumnSet *columns, bool is_combined)
{
	IntakeMergeOlder *older = palloc0(sizeof(IntakeMergeOlder));
	TupleDesc	staged = intake_stage_desc(columns);
	TupleDesc	desc = CreateTemplateTupleDesc(staged->natts + 1);
	int			i;

	for (i = 1; i <= staged->natts; i++)
		TupleDescCopyEntry(desc, i, staged, i);
	TupleDescInitEntry(desc, i, "number", INT8OID, -1, 0);
	older->is_combined = is_combined;
	older->nstaged = staged->natts;
	older->store = tuplestore_begin_heap(is_combined, false,
										 intake_stage_memory);
	older->slot = MakeSingleTupleTableSlot(desc, &TTSOpsMinimalTuple);
	older->values = palloc(desc->natts * sizeof(Datum));
	older->nulls = palloc(desc->natts * sizeof(bool));
	older->context = CurrentMemoryContext;
	return older;
}

void
intake_merge_older_put(IntakeMergeOlder *older, uint64 number,
					   TupleTableSlot *staged)
{
	int			n = older->nstaged;

	slot_getallattrs(staged);
	memcpy(older->values, staged->tts_values, n * sizeof(Datum));
	memcpy(older->nulls, staged->tts_isnull, n * sizeof(bool));
	older->values[n] = Int64GetDatum((int64) number);
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
sort_numbers(IntakeMergeOlder *older)
{
	if (older->nrefused > 0)
		qsort(older->refused, older->nrefused, sizeof(uint64),
			  compare_numbers);
	older->nsorted = older->nrefused;
}

/* Whether the number is one of those in front. */
static bool
has_number(const IntakeMergeOlder *older, uint64 number)
{
	return older->nsorted > 0 &&
		bsearch(&number, older->refused, older->nsorted, sizeof(uint64),
				compare_numbers) != NULL;
}

static bool
read_row(IntakeMergeOlder *older)
{
	CHECK_FOR_INTERRUPTS();
	if (!tuplestore_gettupleslot(older->store, true, false, older->slot))
		return false;
	slot_getallattrs(older->slot);
	return true;
}

static uint64
number_of_key(const IntakeMergeOlder *older)
{
	return DatumGetInt64(older->slot->tts_values[older->nstaged]);
}

/* The record of a staged row; its line is behind it. */
static uint64
record_of(const IntakeMergeOlder *older)
{
	return DatumGetInt64(older->slot->tts_values[older->nstaged - 2]);
}

/*
 * A row that stands for all records of its key has the number of one of them:
 * replaces such numbers by those of the keys.
 */
static void
find_keys(IntakeMergeOlder *older)
{
	size_t		nkeys = 0;
	uint64	   *keys = palloc(Max(older->nsorted, 1) * sizeof(uint64));

	while (nkeys < older->nsorted && read_row(older))
	{
		if (has_number(older, record_of(older)))
			keys[nkeys++] = number_of_key(older);
	}
	tuplestore_rescan(older->store);
	memcpy(older->refused, keys, nkeys * sizeof(uint64));
	older->nrefused = nkeys;
	pfree(keys);
	sort_numbers(older);
}

static void
begin_reading(IntakeMergeOlder *older)
{
	older->is_reading = true;
	sort_numbers(older);
	if (older->is_combined && older->nsorted > 0)
		find_keys(older);
}

/* Whether the row at hand is to be written. */
static bool
is_needed(IntakeMergeOlder *older)
{
	uint64		number = number_of_key(older);

	if (number != older->number)
	{
		older->number = number;
		older->is_open = has_number(older, number);
	}
	else if (older->is_open && !older->is_combined)
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
	while (read_row(older))
	{
		if (!is_needed(older))
			continue;
		ExecClearTuple(staged);
		memcpy(staged->tts_values, older->slot->tts_values,
			   n * sizeof(Datum));
		memcpy(staged->tts_isnull, older->slot->tts_isnull,
			   n * sizeof(bool));
		ExecStoreVirtualTuple(staged);
		older->tried = record_of(older);
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
