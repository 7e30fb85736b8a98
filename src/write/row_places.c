/*-------------------------------------------------------------------------
 *
 * row_places.c
 *	  Rows that an index led to, visited in the order in which they lie.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/tableam.h"
#include "storage/itemptr.h"

#include "write/row_places.h"

/* So many places are collected. */
#define MAX_PLACES (128 * 1024)

/* It takes so many visits to know how many entries are dead. */
#define MIN_VISITS 100

#define ST_SORT sort_places
#define ST_ELEMENT_TYPE uint64
#define ST_COMPARE(a, b) (*(a) < *(b) ? -1 : *(a) > *(b))
#define ST_SCOPE static
#define ST_DEFINE
#include "lib/sort_template.h"

struct IntakeRowPlaces
{
	MemoryContext context;
	IndexFetchTableData *fetch;
	Snapshot	snapshot;
	uint64	   *places;			/* block and offset; NULL: none yet */
	int			nplaces;
	int			next;			/* 0: not sorted yet */
	int64		visits;			/* of entries lately, and how many of them */
	int64		rows;			/* led to a visible row */
};

IntakeRowPlaces *
intake_row_places_make(Relation rel, Snapshot snapshot)
{
	IntakeRowPlaces *places = palloc0(sizeof(IntakeRowPlaces));

	places->context = CurrentMemoryContext;
	places->fetch = table_index_fetch_begin(rel);
	places->snapshot = snapshot;
	return places;
}

void
intake_row_places_note(IntakeRowPlaces *places, bool is_visible)
{
	places->visits++;
	places->rows += is_visible;
}

bool
intake_row_places_pay(const IntakeRowPlaces *places)
{
	return places->visits >= MIN_VISITS &&
		places->rows * 10 >= places->visits * 9;
}

bool
intake_row_places_add(IntakeRowPlaces *places, ItemPointer tid)
{
	if (places->places == NULL)
		places->places = MemoryContextAlloc(places->context,
											MAX_PLACES * sizeof(uint64));
	places->places[places->nplaces++] =
		((uint64) ItemPointerGetBlockNumber(tid) << 16) |
		ItemPointerGetOffsetNumber(tid);
	return places->nplaces < MAX_PLACES;
}

/* Whether there is a visible row at the place, which goes into the slot. */
static bool
fetch_row(IntakeRowPlaces *places, uint64 place, TupleTableSlot *slot)
{
	ItemPointerData tid;
	bool		has_more = false;

	ItemPointerSet(&tid, (BlockNumber) (place >> 16),
				   (OffsetNumber) (place & 0xFFFF));
	return table_index_fetch_tuple(places->fetch, &tid, places->snapshot,
								   slot, &has_more, NULL);
}

bool
intake_row_places_next(IntakeRowPlaces *places, TupleTableSlot *slot)
{
	if (places->next == 0 && places->nplaces > 0)
	{
		sort_places(places->places, places->nplaces);
		places->visits = places->rows = 0;
	}
	while (places->next < places->nplaces)
	{
		bool		is_visible = fetch_row(places,
										   places->places[places->next++],
										   slot);

		intake_row_places_note(places, is_visible);
		if (is_visible)
			return true;
	}
	table_index_fetch_reset(places->fetch);
	places->next = places->nplaces = 0;
	return false;
}

void
intake_row_places_end(IntakeRowPlaces *places)
{
	table_index_fetch_end(places->fetch);
}
