/*-------------------------------------------------------------------------
 *
 * combine.c
 *	  Several records of one key become one, for partial.h's merges.
 *
 * The outcome is that of the records written one after the other, whatever
 * version the row in the table has, which is not known here:
 *
 *	- a record that is older than one before it is never applied;
 *	- of the others, those apply that are not older than the row: the last
 *	  ones.  So each version is a step, and the columns that it sets are set
 *	  when the row is not above it; the values are those given last.
 *	- a record that deletes ends all that was before it.  What follows starts
 *	  from an empty row, even where it is older than the deletion; but a row
 *	  that is above the deletion sees none of both.
 *
 * A step whose columns are all set by later ones says nothing, so that there
 * are never more steps than columns.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "utils/datum.h"
#include "utils/memutils.h"

#include "write/combine.h"

struct IntakeCombiner
{
	const IntakePartial *partial;
	TupleTableSlot *row;		/* the last record that counts; all values */
	TupleTableSlot *scratch;
	bool		is_delete;		/* so is that record */
	bool	   *given;			/* columns of the row */
	bool	   *added;			/* columns that a record gives */
	IntakeStep *steps;
	int			nsteps;
	MemoryContext context;		/* of the steps */
};

IntakeCombiner *
intake_combiner_make(const IntakePartial *partial, TupleDesc desc)
{
	IntakeCombiner *combiner = palloc0(sizeof(IntakeCombiner));
	int			n = partial->columns->ncolumns;

	combiner->partial = partial;
	combiner->row = MakeSingleTupleTableSlot(desc, &TTSOpsMinimalTuple);
	combiner->scratch = MakeSingleTupleTableSlot(desc, &TTSOpsVirtual);
	combiner->given = palloc(n * sizeof(bool));
	combiner->added = palloc(n * sizeof(bool));
	combiner->steps = palloc((n + 2) * sizeof(IntakeStep));
	combiner->context = AllocSetContextCreate(CurrentMemoryContext,
											  "pg_intake combiner",
											  ALLOCSET_DEFAULT_SIZES);
	return combiner;
}

static bool
is_delete(const IntakeCombiner *combiner, TupleTableSlot *slot)
{
	IntakeRow	row = {0};

	row.values = slot->tts_values;
	row.nulls = slot->tts_isnull;
	return intake_columns_is_delete(combiner->partial->columns,
									combiner->partial->sys_op, &row);
}

static void
free_step(const IntakeCombiner *combiner, IntakeStep *step)
{
	if (!combiner->partial->is_by_value && !step->guard.is_always &&
		!step->guard.is_null)
		pfree(DatumGetPointer(step->guard.value));
	pfree(step->sets);
}

static void
free_steps(IntakeCombiner *combiner)
{
	while (combiner->nsteps > 0)
		free_step(combiner, &combiner->steps[--combiner->nsteps]);
}

/* Takes columns that a later step sets from the others. */
static void
trim_steps(IntakeCombiner *combiner, const bool *sets)
{
	int			n = combiner->partial->columns->ncolumns;
	int			kept = 0;
	int			i;

	for (i = 0; i < combiner->nsteps; i++)
	{
		IntakeStep *step = &combiner->steps[i];
		bool		is_empty = !step->is_whole;
		int			j;

		for (j = 0; j < n; j++)
		{
			step->sets[j] = step->sets[j] && !sets[j];
			is_empty = is_empty && !step->sets[j];
		}
		if (is_empty)
			free_step(combiner, step);
		else
			combiner->steps[kept++] = *step;
	}
	combiner->nsteps = kept;
}

/* Adds a step that sets the given columns, or all. */
static void
add_step(IntakeCombiner *combiner, const IntakeGuard *guard, const bool *sets,
		 bool is_whole)
{
	const IntakePartial *partial = combiner->partial;
	int			n = partial->columns->ncolumns;
	MemoryContext old = MemoryContextSwitchTo(combiner->context);
	IntakeStep	step = {.guard = *guard, .is_whole = is_whole};

	if (!guard->is_always && !guard->is_null)
		step.guard.value = datumCopy(guard->value, partial->is_by_value,
									 partial->length);
	step.sets = palloc(n * sizeof(bool));
	memcpy(step.sets, sets, n * sizeof(bool));
	if (is_whole)
		free_steps(combiner);
	else
		trim_steps(combiner, sets);
	combiner->steps[combiner->nsteps++] = step;
	MemoryContextSwitchTo(old);
}

/* The record replaces what was before. */
static void
take_row(IntakeCombiner *combiner, TupleTableSlot *slot)
{
	ExecCopySlot(combiner->row, slot);
	slot_getallattrs(combiner->row);
	combiner->is_delete = is_delete(combiner, slot);
	memcpy(combiner->given, combiner->added,
		   combiner->partial->columns->ncolumns * sizeof(bool));
}

/* Copies the row's values into the scratch slot. */
static void
begin_scratch(IntakeCombiner *combiner)
{
	TupleTableSlot *scratch = combiner->scratch;
	int			natts = scratch->tts_tupleDescriptor->natts;

	ExecClearTuple(scratch);
	memcpy(scratch->tts_values, combiner->row->tts_values,
		   natts * sizeof(Datum));
	memcpy(scratch->tts_isnull, combiner->row->tts_isnull,
		   natts * sizeof(bool));
}

static void
end_scratch(IntakeCombiner *combiner)
{
	ExecStoreVirtualTuple(combiner->scratch);
	ExecCopySlot(combiner->row, combiner->scratch);
	slot_getallattrs(combiner->row);
	ExecClearTuple(combiner->scratch);
}

/* The record goes over what was before: its columns, and its position. */
static void
overlay_row(IntakeCombiner *combiner, TupleTableSlot *slot)
{
	TupleTableSlot *scratch = combiner->scratch;
	int			n = combiner->partial->columns->ncolumns;
	int			natts = scratch->tts_tupleDescriptor->natts;
	int			i;

	begin_scratch(combiner);
	for (i = 0; i < natts; i++)
	{
		if (i < n && !combiner->added[i])
			continue;
		scratch->tts_values[i] = slot->tts_values[i];
		scratch->tts_isnull[i] = slot->tts_isnull[i];
		if (i < n)
			combiner->given[i] = true;
	}
	end_scratch(combiner);
}

void
intake_combiner_begin(IntakeCombiner *combiner, TupleTableSlot *slot)
{
	const IntakePartial *partial = combiner->partial;
	IntakeGuard version;

	MemoryContextReset(combiner->context);
	combiner->nsteps = 0;
	version = intake_partial_version(partial, slot->tts_values,
									 slot->tts_isnull);
	intake_partial_given(partial, slot->tts_values, slot->tts_isnull,
						 combiner->added);
	take_row(combiner, slot);
	add_step(combiner, &version, combiner->added,
			 combiner->is_delete || !partial->is_present);
}

/* A record that does not delete, and is not older than those before it. */
static void
add_upsert(IntakeCombiner *combiner, TupleTableSlot *slot,
		   const IntakeGuard *version, bool is_above)
{
	const IntakePartial *partial = combiner->partial;
	IntakeStep *last = &combiner->steps[combiner->nsteps - 1];
	int			i;

	if (combiner->is_delete || !partial->is_present)
		take_row(combiner, slot);
	else
		overlay_row(combiner, slot);
	if (is_above)
		add_step(combiner, version, combiner->added, !partial->is_present);
	else
	{
		for (i = 0; i < partial->columns->ncolumns; i++)
			last->sets[i] = last->sets[i] || combiner->added[i];
	}
}

void
intake_combiner_add(IntakeCombiner *combiner, TupleTableSlot *slot)
{
	const IntakePartial *partial = combiner->partial;
	const IntakeStep *last = &combiner->steps[combiner->nsteps - 1];
	IntakeGuard guard = last->guard;
	IntakeGuard version;
	IntakeGuard own;
	bool		is_above;

	version = intake_partial_version(partial, slot->tts_values,
									 slot->tts_isnull);
	own = intake_partial_version(partial, combiner->row->tts_values,
								 combiner->row->tts_isnull);
	if (!combiner->is_delete &&
		intake_partial_compare(partial, &version, &own) < 0)
		return;
	is_above = intake_partial_compare(partial, &version, &guard) > 0;
	intake_partial_given(partial, slot->tts_values, slot->tts_isnull,
						 combiner->added);
	if (!is_delete(combiner, slot))
		add_upsert(combiner, slot, &version, is_above);
	else
	{
		take_row(combiner, slot);
		add_step(combiner, is_above ? &version : &guard, combiner->added, true);
	}
}

TupleTableSlot *
intake_combiner_end(IntakeCombiner *combiner)
{
	const IntakePartial *partial = combiner->partial;
	MemoryContext old = MemoryContextSwitchTo(combiner->context);
	TupleTableSlot *scratch = combiner->scratch;

	begin_scratch(combiner);
	scratch->tts_values[partial->change] =
		intake_partial_change(partial, combiner->given, combiner->steps,
							  combiner->nsteps);
	scratch->tts_isnull[partial->change] = false;
	MemoryContextSwitchTo(old);
	end_scratch(combiner);
	return combiner->row;
}

void
intake_combiner_free(IntakeCombiner *combiner)
{
	ExecDropSingleTupleTableSlot(combiner->row);
	ExecDropSingleTupleTableSlot(combiner->scratch);
	MemoryContextDelete(combiner->context);
}
