/*-------------------------------------------------------------------------
 *
 * tolerate.c
 *	  Batches whose bad rows are set aside.
 *
 * A batch is tried as a whole first.  When it fails, its rows are gone
 * through in order, in parts: of a part that fails, the first half is tried,
 * down to one row, which is at fault then.  Two things make that cheap where
 * bad rows are few or many:
 *
 *	- Most errors name the row (writer->position).  Then the rows in front of
 *	  it are a part, and the row itself is the next.  A part that fails
 *	  although it was to be good shows that rows do not fail in their order:
 *	  names are not believed then until the next bad row has been found.
 *	- A part has as many rows as good ones were found since the last bad row,
 *	  times two: a part that fails has cost no more than what is done.
 *
 * Each part that stays has a transaction id.  A session shows no more than 64
 * of them to others at hand, so where there are many parts all of them are
 * undone, and the batch is written anew without its bad rows.
 *
 * A table that refers to itself takes rows of one command in any order, but
 * parts are commands of their own.  So rows that a foreign key of such a table
 * refuses wait until all others are in, and are tried again as long as that
 * brings any in.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "miscadmin.h"
#include "utils/memutils.h"
#include "utils/relcache.h"

#include "subtransaction.h"
#include "write/refused_row.h"
#include "write/stage.h"
#include "write/tolerate.h"

/* How often rows that wait are tried. */
#define MAX_TRIES 20

/* So many parts of an operation may stay beside its batches. */
#define MAX_PARTS 24

struct IntakeTolerance
{
	IntakeWriter *writer;
	const IntakeToleranceRoutine *routine;
	void	   *arg;
	int			nparts;			/* that have stayed */
	MemoryContext context;		/* of one try */

	/* where the target refers to itself */
	bool		may_wait;		/* rows that a foreign key refuses */
	IntakeStage *waiting;		/* such rows; NULL until a batch fails */
	int64		nwaiting;
};

/* A batch on its way. */
typedef struct Work
{
	IntakeTolerance *tolerance;
	IntakeBatch rest;			/* the rows not refused so far */
	bool	   *is_refused;		/* by row of the rest */
	int			nrefused;

	/* the part being tried */
	IntakeBatch part;

	/* going through the rest */
	int			at;				/* rows before it are done with */
	int			failed;			/* the rows up to here fail; 0: not known */
	bool		is_named;		/* the error says that it is the last of them */
	bool		believes;		/* such errors */
	int			good;			/* rows since the last bad one */
	int			reach;			/* so many are tried at once */
	int			nparts;
} Work;

/* Whether a foreign key of the target refers to the target. */
static bool
refers_to_itself(const IntakeWriter *writer)
{
	List	   *keys = RelationGetFKeyList(writer->rel);
	ListCell   *cell;

	foreach(cell, keys)
	{
		const ForeignKeyCacheInfo *key = lfirst(cell);

		if (key->confrelid == RelationGetRelid(writer->rel) ||
			key->confrelid == writer->target->root)
			return true;
	}
	return false;
}

IntakeTolerance *
intake_tolerance_make(IntakeWriter *writer,
					  const IntakeToleranceRoutine *routine, void *arg)
{
	IntakeTolerance *tolerance = palloc0(sizeof(IntakeTolerance));

	tolerance->writer = writer;
	tolerance->routine = routine;
	tolerance->arg = arg;
	tolerance->may_wait = refers_to_itself(writer);
	tolerance->context = AllocSetContextCreate(CurrentMemoryContext,
											   "pg_intake tolerance",
											   ALLOCSET_DEFAULT_SIZES);
	return tolerance;
}

static bool
write_part(void *arg)
{
	Work	   *work = arg;

	work->tolerance->routine->write(work->tolerance->arg, &work->part);
	return true;
}

/*
 * Writes n rows of the rest; returns the error when they are refused, which
 * is good until the next try.  One that does not go away when fewer rows are
 * written is raised.
 */
static ErrorData *
try_rows(Work *work, int from, int n)
{
	IntakeWriter *writer = work->tolerance->writer;
	IntakeCounters counters = *writer->counters;
	MemoryContext old = MemoryContextSwitchTo(work->tolerance->context);
	ErrorData  *error;

	CHECK_FOR_INTERRUPTS();
	MemoryContextReset(work->tolerance->context);
	work->part = work->rest;
	work->part.rows += from;
	work->part.nrows = n;
	writer->position->record = 0;
	error = intake_subtransaction_run(write_part, work);
	MemoryContextSwitchTo(old);
	if (error == NULL)
		return NULL;
	/* a merge says so of a row that another session has changed */
	if (!intake_rejects_tolerates(error) &&
		(n == 1 || error->sqlerrcode != ERRCODE_T_R_SERIALIZATION_FAILURE))
		ReThrowError(error);
	*writer->counters = counters;
	return error;
}

/* The number of the row that the last error has named; -1: none of the n. */
static int
named_row(const Work *work, int from, int n)
{
	uint64		record = work->tolerance->writer->position->record;
	int			i;

	for (i = from; record != 0 && i < from + n; i++)
	{
		if (work->rest.rows[i].record == record)
			return i;
	}
	return -1;
}

/* The rows from at on, n of them, have failed. */
static void
note_failure(Work *work, int n)
{
	int			named;

	if (work->failed > 0 && work->is_named)
		work->believes = false;
	named = work->believes ? named_row(work, work->at, n) : -1;
	work->is_named = named >= 0;
	work->failed = work->is_named ? named + 1 : work->at + n;
}

/* Lets a row wait until the others are in. */
static void
let_wait(IntakeTolerance *tolerance, const IntakeRow *row)
{
	intake_stage_put_row(tolerance->waiting, row,
						 tolerance->writer->columns->ncolumns);
	tolerance->nwaiting++;
}

/* Sets a row aside. */
static void
set_aside(IntakeTolerance *tolerance, const IntakeRow *row,
		  const ErrorData *error)
{
	MemoryContext old = MemoryContextSwitchTo(tolerance->context);

	if (tolerance->routine->note == NULL ||
		tolerance->routine->note(tolerance->arg, row))
		intake_refused_row_add(tolerance->writer, row, error);
	MemoryContextSwitchTo(old);
}

/* A foreign key's error; since PostgreSQL 18 RESTRICT has one of its own. */
static bool
is_of_reference(const ErrorData *error)
{
	return error->sqlerrcode == ERRCODE_FOREIGN_KEY_VIOLATION ||
		error->sqlerrcode == ERRCODE_RESTRICT_VIOLATION;
}

/* The row at is to blame. */
static void
refuse_row(Work *work, const ErrorData *error)
{
	IntakeTolerance *tolerance = work->tolerance;
	const IntakeRow *row = &work->rest.rows[work->at];

	tolerance->writer->position->record = 0;
	if (tolerance->may_wait && is_of_reference(error))
		let_wait(tolerance, row);
	else
		set_aside(tolerance, row, error);
	work->is_refused[work->at] = true;
	work->nrefused++;
	work->at++;
	work->failed = 0;
	work->believes = true;
	work->reach = Max(1, 2 * work->good);
	work->good = 0;
}

/* How many rows to try next. */
static int
choose_part(const Work *work)
{
	int			left = work->rest.nrows - work->at;

	if (work->failed == 0)
		return Min(work->reach, left);
	if (work->is_named)
		return Max(1, work->failed - 1 - work->at);
	return Max(1, (work->failed - work->at) / 2);
}

/* The rows from at on, n of them, are in. */
static void
pass_rows(Work *work, int n)
{
	work->at += n;
	work->good += n;
	work->nparts++;
	if (work->failed > work->at)
		return;
	work->failed = 0;
	work->reach = Min(work->reach, work->rest.nrows) * 2;
}

/* Whether the parts may stay as they were written. */
static bool
may_stay(const Work *work)
{
	return work->nrefused == 0 ||
		work->tolerance->nparts + work->nparts <= MAX_PARTS;
}

/*
 * Goes through the rest, of which the whole has failed.  False when what was
 * written is to be undone, and written anew without the bad rows.
 */
static bool
search_rows(void *arg)
{
	Work	   *work = arg;

	while (work->at < work->rest.nrows)
	{
		int			n = choose_part(work);
		ErrorData  *error = try_rows(work, work->at, n);

		if (error == NULL)
			pass_rows(work, n);
		else if (n == 1)
			refuse_row(work, error);
		else
			note_failure(work, n);
	}
	return may_stay(work);
}

/* Begins to go through the rest, after its failure. */
static void
begin_search(Work *work)
{
	work->at = 0;
	work->failed = 0;
	work->is_named = false;
	work->believes = true;
	work->good = 0;
	work->reach = Max(1, work->rest.nrows / 2);
	work->nparts = 0;
	work->nrefused = 0;
	memset(work->is_refused, false, work->rest.nrows * sizeof(bool));
	note_failure(work, work->rest.nrows);
}

/* Takes the refused rows out of the rest. */
static void
drop_refused(Work *work)
{
	int			n = 0;
	int			i;

	for (i = 0; i < work->rest.nrows; i++)
	{
		if (!work->is_refused[i])
			work->rest.rows[n++] = work->rest.rows[i];
	}
	work->rest.nrows = n;
}

/*
 * Finds and sets aside the bad rows of the rest.  True when the others have
 * been written.
 */
static bool
search_rest(Work *work)
{
	IntakeTolerance *tolerance = work->tolerance;
	IntakeCounters counters = *tolerance->writer->counters;
	ErrorData  *error;

	begin_search(work);
	error = intake_subtransaction_run(search_rows, work);
	if (error != NULL)
		ReThrowError(error);
	if (may_stay(work))
	{
		tolerance->nparts += work->nparts;
		return true;
	}
	*tolerance->writer->counters = counters;
	drop_refused(work);
	return work->rest.nrows == 0;
}

void
intake_tolerance_write(IntakeTolerance *tolerance, IntakeBatch *batch)
{
	Work		work = {
		.tolerance = tolerance,
		.rest = *batch
	};
	bool		is_done = batch->nrows == 0 ||
		try_rows(&work, 0, batch->nrows) == NULL;

	if (is_done)
		return;
	/* not in the search's subtransaction, which would own its file */
	if (tolerance->may_wait && tolerance->waiting == NULL)
		tolerance->waiting = intake_stage_make(tolerance->writer->columns);
	work.rest.rows = palloc(batch->nrows * sizeof(IntakeRow));
	memcpy(work.rest.rows, batch->rows, batch->nrows * sizeof(IntakeRow));
	work.is_refused = palloc(batch->nrows * sizeof(bool));
	while (!is_done)
		is_done = search_rest(&work) ||
			try_rows(&work, 0, work.rest.nrows) == NULL;
	pfree(work.rest.rows);
	pfree(work.is_refused);
	MemoryContextReset(tolerance->context);
}

/* Turns the order of a batch's rows round. */
static void
reverse_rows(IntakeBatch *batch)
{
	int			i;

	for (i = 0; i < batch->nrows / 2; i++)
	{
		IntakeRow	row = batch->rows[i];

		batch->rows[i] = batch->rows[batch->nrows - 1 - i];
		batch->rows[batch->nrows - 1 - i] = row;
	}
}

/*
 * Tries all rows that wait once; those that a key refuses again wait again.
 * Rows may have come children first: each try goes the other way round.
 */
static void
retry_waiting(IntakeTolerance *tolerance, IntakeBatch *batch)
{
	IntakeStage *stage = tolerance->waiting;

	tolerance->waiting = NULL;
	tolerance->nwaiting = 0;
	while (intake_stage_get(stage, batch, tolerance->writer->defaults))
	{
		if (!tolerance->routine->is_ordered)
			reverse_rows(batch);
		intake_tolerance_write(tolerance, batch);
	}
	intake_stage_end(stage);
}

/* Two tries that bring nothing in are the end, or too many tries. */
void
intake_tolerance_finish(IntakeTolerance *tolerance)
{
	IntakeBatch *batch = NULL;
	int			tries = 0;
	int			vain = 0;

	if (tolerance->nwaiting > 0)
		batch = intake_batch_make(tolerance->writer->columns->ncolumns,
								  INTAKE_MERGE_ROWS);
	while (tolerance->nwaiting > 0)
	{
		int64		before = tolerance->nwaiting;

		tolerance->may_wait = tries < MAX_TRIES && vain < 2;
		retry_waiting(tolerance, batch);
		vain = tolerance->nwaiting < before ? 0 : vain + 1;
		tries++;
	}
	if (batch != NULL)
		MemoryContextDelete(batch->context);
	if (tolerance->waiting != NULL)
		intake_stage_end(tolerance->waiting);
	tolerance->waiting = NULL;
}
