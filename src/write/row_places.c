/*-------------------------------------------------------------------------
 *
 * row_places.c
 *	  Rows that an index led to, visited in the order in which they lie.
 *
 * places --sorted--> those of one page --(one lock)--> visible rows
 *
 * Of a heap all places of a page are looked at under one lock, as a bitmap
 * scan does; of other tables each row is fetched.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/heapam.h"
#include "access/htup_details.h"
#include "access/tableam.h"
#include "storage/bufmgr.h"
#include "storage/itemptr.h"

#include "write/row_places.h"

/* So many places are collected. */
#define MAX_PLACES (128 * 1024)

/* It takes so many visits to know how many entries are dead. */
#define MIN_VISITS 100

/* So many of a hundred may be, which is one dead entry a row and some more. */
#define MAX_DEAD 60

#define ST_SORT sort_places
#define ST_ELEMENT_TYPE uint64
#define ST_COMPARE(a, b) (*(a) < *(b) ? -1 : *(a) > *(b))
#define ST_SCOPE static
#define ST_DEFINE
#include "lib/sort_template.h"

struct IntakeRowPlaces
{
	MemoryContext context;
	Relation	rel;
	Snapshot	snapshot;
	uint64	   *places;			/* block and offset; NULL: none yet */
	int			nplaces;
	int			next;			/* 0: not sorted yet */
	int64		visits;			/* of entries lately, and how many of them */
	int64		rows;			/* led to a visible row */

	/* a heap */
	bool		is_heap;
	Buffer		buffer;			/* the page, or InvalidBuffer */
	int			nvisible;		/* rows of the page */
	int			nreturned;
	ItemPointerData visible[MaxHeapTuplesPerPage];

	/* another table */
	IndexFetchTableData *fetch;
	TupleTableSlot *slot;
};

IntakeRowPlaces *
intake_row_places_make(Relation rel, Snapshot snapshot)
{
	IntakeRowPlaces *places = palloc0(sizeof(IntakeRowPlaces));

	places->context = CurrentMemoryContext;
	places->rel = rel;
	places->snapshot = snapshot;
	places->buffer = InvalidBuffer;
	places->is_heap = rel->rd_tableam == GetHeapamTableAmRoutine();
	if (!places->is_heap)
	{
		places->fetch = table_index_fetch_begin(rel);
		places->slot = table_slot_create(rel, NULL);
	}
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
		places->rows * 100 >= places->visits * (100 - MAX_DEAD);
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

static BlockNumber
block_of_place(uint64 place)
{
	return (BlockNumber) (place >> 16);
}

static void
set_tid(ItemPointer tid, uint64 place)
{
	ItemPointerSet(tid, block_of_place(place), (OffsetNumber) (place & 0xFFFF));
}

/* Finds the visible rows at the next places, which are on one page. */
static void
look_at_page(IntakeRowPlaces *places)
{
	BlockNumber block = block_of_place(places->places[places->next]);

	places->nvisible = places->nreturned = 0;
	places->buffer = ReleaseAndReadBuffer(places->buffer, places->rel, block);
	heap_page_prune_opt(places->rel, places->buffer);
	LockBuffer(places->buffer, BUFFER_LOCK_SHARE);
	while (places->next < places->nplaces &&
		   block_of_place(places->places[places->next]) == block)
	{
		ItemPointerData tid;
		HeapTupleData tuple;
		bool		is_visible;

		set_tid(&tid, places->places[places->next++]);
		is_visible = heap_hot_search_buffer(&tid, places->rel, places->buffer,
											places->snapshot, &tuple, NULL,
											true);
		intake_row_places_note(places, is_visible);
		if (is_visible)
			places->visible[places->nvisible++] = tid;
	}
	LockBuffer(places->buffer, BUFFER_LOCK_UNLOCK);
}

static bool
next_of_heap(IntakeRowPlaces *places, ItemPointer tid)
{
	while (places->nreturned == places->nvisible &&
		   places->next < places->nplaces)
		look_at_page(places);
	if (places->nreturned == places->nvisible)
		return false;
	*tid = places->visible[places->nreturned++];
	return true;
}

static bool
next_of_other(IntakeRowPlaces *places, ItemPointer tid)
{
	while (places->next < places->nplaces)
	{
		bool		has_more = false;
		bool		is_visible;

		set_tid(tid, places->places[places->next++]);
		is_visible = table_index_fetch_tuple(places->fetch, tid,
											 places->snapshot, places->slot,
											 &has_more, NULL);
		intake_row_places_note(places, is_visible);
		if (is_visible)
		{
			*tid = places->slot->tts_tid;
			return true;
		}
	}
	return false;
}

/* Lets go of the page that was looked at last. */
static void
release_page(IntakeRowPlaces *places)
{
	if (!places->is_heap)
	{
		ExecClearTuple(places->slot);
		table_index_fetch_reset(places->fetch);
	}
	else if (BufferIsValid(places->buffer))
	{
		ReleaseBuffer(places->buffer);
		places->buffer = InvalidBuffer;
	}
}

bool
intake_row_places_next(IntakeRowPlaces *places, ItemPointer tid)
{
	bool		is_found;

	if (places->next == 0 && places->nplaces > 0)
	{
		sort_places(places->places, places->nplaces);
		places->visits = places->rows = 0;
	}
	is_found = places->is_heap ? next_of_heap(places, tid) :
		next_of_other(places, tid);
	if (!is_found)
	{
		release_page(places);
		places->next = places->nplaces = 0;
	}
	return is_found;
}

void
intake_row_places_end(IntakeRowPlaces *places)
{
	release_page(places);
	if (places->is_heap)
		return;
	table_index_fetch_end(places->fetch);
	ExecDropSingleTupleTableSlot(places->slot);
}
