/*-------------------------------------------------------------------------
 *
 * write_append.c
 *	  Mode append: rows are inserted.
 *
 * Batches go into the target as they come, under the shared table lock.
 * With option truncate they are staged: the target is emptied, under the
 * exclusive lock, when the payload is known to be good.  Staged, too, are rows
 * whose decoding may look at the target, and all rows where bad ones are
 * tolerated:
 *
 *	stage --> long runs, each an INSERT in a subtransaction
 *		  --> from the first run on that has a bad row: batches, see tolerate.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "subtransaction.h"
#include "write/insert.h"
#include "write/lock.h"
#include "write/stage.h"
#include "write/tolerate.h"
#include "write/truncate.h"
#include "write/write.h"

/* So many rows are inserted by one INSERT while none has been bad. */
#define RUN_ROWS 500000

typedef struct AppendWork
{
	IntakeInsert *insert;
	IntakeStage *stage;			/* NULL: batches go in as they come */
	bool		is_locked;
} AppendWork;

/* Takes the table lock for batches that go in as they come, once. */
static void
lock_target(IntakeWriter *writer, AppendWork *state)
{
	if (!state->is_locked)
		intake_table_lock(writer->target, writer->is_exclusive);
	state->is_locked = true;
}

static void
begin_append(IntakeWriter *writer)
{
	AppendWork *state = palloc0(sizeof(AppendWork));

	state->insert = intake_insert_make(writer);
	if (writer->options->truncate != INTAKE_TRUNCATE_NO ||
		writer->needs_stage || writer->rejects != NULL)
		state->stage = intake_stage_make(writer->columns);
	writer->is_staged = state->stage != NULL;
	if (writer->rejects != NULL)
		intake_stage_allow_marks(state->stage);
	if (writer->is_exclusive && state->stage == NULL)
		lock_target(writer, state);
	writer->state = state;
}

static void
take_append(IntakeWriter *writer, IntakeBatch *batch)
{
	AppendWork *state = writer->state;

	if (state->stage != NULL)
	{
		intake_stage_put(state->stage, batch);
		return;
	}
	lock_target(writer, state);
	intake_insert_batch(state->insert, batch);
}

static void
insert_rows(void *arg, IntakeBatch *batch)
{
	intake_insert_alone(arg, batch);
}

static const IntakeToleranceRoutine tolerance_routine = {
	insert_rows, NULL, false
};

/* Rows of the stage that are inserted at once while none has been bad. */
typedef struct AppendRun
{
	IntakeWriter *writer;
	IntakeStage *stage;
	IntakeBatch *batch;
	bool		has_more;		/* rows behind those of the run */
} AppendRun;

/* Inserts some rows of the stage as a strict append does all of them. */
static bool
insert_run(void *arg)
{
	AppendRun  *run = arg;
	IntakeInsert *insert = intake_insert_make(run->writer);
	int			nrows = 0;

	run->has_more = true;
	while (nrows < RUN_ROWS && run->has_more)
	{
		run->has_more = intake_stage_get(run->stage, run->batch,
										 run->writer->defaults);
		if (run->has_more)
			intake_insert_batch(insert, run->batch);
		nrows += run->batch->nrows;
	}
	intake_insert_end(insert);
	return true;
}

/*
 * Inserts the stage's rows up to the run that has a bad one; false when there
 * is such a run.
 */
static bool
insert_good_runs(IntakeWriter *writer, IntakeStage *stage)
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext,
												  "pg_intake append",
												  ALLOCSET_DEFAULT_SIZES);
	AppendRun	run = {writer, stage, NULL, true};
	bool		is_good = true;

	run.batch = intake_batch_make(writer->columns->ncolumns,
								  INTAKE_BATCH_ROWS);
	while (is_good && run.has_more)
	{
		MemoryContext old = MemoryContextSwitchTo(context);
		IntakeCounters counters = *writer->counters;
		ErrorData  *error;

		intake_stage_mark(stage);
		error = intake_subtransaction_run(insert_run, &run);
		if (error != NULL && !intake_rejects_tolerates(error))
			ReThrowError(error);
		is_good = error == NULL;
		if (!is_good)
		{
			*writer->counters = counters;
			writer->position->record = 0;
			intake_stage_go_back(stage);
		}
		MemoryContextSwitchTo(old);
		MemoryContextReset(context);
	}
	MemoryContextDelete(context);
	MemoryContextDelete(run.batch->context);
	return is_good;
}

/* Inserts the stage's rows but for the bad ones. */
static void
insert_tolerantly(IntakeWriter *writer, AppendWork *state)
{
	IntakeTolerance *tolerance = intake_tolerance_make(writer,
													   &tolerance_routine,
													   state->insert);
	IntakeBatch *batch;

	intake_table_lock(writer->target, writer->is_exclusive);
	if (!insert_good_runs(writer, state->stage))
	{
		batch = intake_batch_make(writer->columns->ncolumns,
								  INTAKE_MERGE_ROWS);
		while (intake_stage_get(state->stage, batch, writer->defaults))
			intake_tolerance_write(tolerance, batch);
		intake_batch_clear(batch);
		intake_tolerance_finish(tolerance);
	}
	intake_stage_end(state->stage);
}

static void
finish_append(IntakeWriter *writer)
{
	AppendWork *state = writer->state;
	bool		truncates = writer->options->truncate != INTAKE_TRUNCATE_NO;

	if (writer->rejects != NULL)
	{
		insert_tolerantly(writer, state);
		return;
	}
	if (state->stage != NULL)
	{
		intake_table_lock(writer->target, truncates || writer->is_exclusive);
		if (truncates)
			intake_truncate(writer);
		intake_insert_stage(state->insert, state->stage);
		intake_stage_end(state->stage);
	}
	intake_insert_end(state->insert);
}

const IntakeWriteRoutine intake_write_append = {
	"append", begin_append, take_append, finish_append
};
