/*-------------------------------------------------------------------------
 *
 * write_append.c
 *	  Mode append: rows are inserted.
 *
 * Batches go into the target as they come, under the shared table lock.
 * With option truncate they are staged: the target is emptied, under the
 * exclusive lock, when the payload is known to be good.  They are staged, too,
 * where bad rows are tolerated: the batches are larger then, and each is an
 * INSERT of its own.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "write/insert.h"
#include "write/lock.h"
#include "write/stage.h"
#include "write/tolerate.h"
#include "write/truncate.h"
#include "write/write.h"

typedef struct AppendWork
{
	IntakeInsert *insert;
	IntakeStage *stage;			/* NULL: batches go in as they come */
	bool		is_locked;
} AppendWork;

static void
begin_append(IntakeWriter *writer)
{
	AppendWork *state = palloc0(sizeof(AppendWork));

	state->insert = intake_insert_make(writer);
	if (writer->options->truncate != INTAKE_TRUNCATE_NO ||
		writer->rejects != NULL)
		state->stage = intake_stage_make(writer->columns);
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
	if (!state->is_locked)
		intake_table_lock(writer->target, false);
	state->is_locked = true;
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

/* Inserts the stage but for its bad rows. */
static void
insert_tolerantly(IntakeWriter *writer, AppendWork *state)
{
	IntakeTolerance *tolerance = intake_tolerance_make(writer,
													   &tolerance_routine,
													   state->insert);
	IntakeBatch *batch = intake_batch_make(writer->columns->ncolumns,
										   INTAKE_MERGE_ROWS);

	intake_table_lock(writer->target, false);
	while (intake_stage_get(state->stage, batch, writer->defaults))
		intake_tolerance_write(tolerance, batch);
	intake_batch_clear(batch);
	intake_tolerance_finish(tolerance);
	intake_stage_end(state->stage);
}

static void
finish_append(IntakeWriter *writer)
{
	AppendWork *state = writer->state;

	if (writer->rejects != NULL)
	{
		insert_tolerantly(writer, state);
		return;
	}
	if (state->stage != NULL)
	{
		intake_table_lock(writer->target, true);
		intake_truncate(writer);
		intake_insert_stage(state->insert, state->stage);
		intake_stage_end(state->stage);
	}
	intake_insert_end(state->insert);
}

const IntakeWriteRoutine intake_write_append = {
	"append", begin_append, take_append, finish_append
};
