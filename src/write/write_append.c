/*-------------------------------------------------------------------------
 *
 * write_append.c
 *	  Mode append: rows are inserted.
 *
 * Batches go into the target as they come, under the shared table lock.
 * With option truncate they are staged: the target is emptied, under the
 * exclusive lock, when the payload is known to be good.  Staged, too, are rows
 * whose decoding may look at the target.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "write/insert.h"
#include "write/lock.h"
#include "write/stage.h"
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
		writer->needs_stage)
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
finish_append(IntakeWriter *writer)
{
	AppendWork *state = writer->state;
	bool		truncates = writer->options->truncate != INTAKE_TRUNCATE_NO;

	if (state->stage != NULL)
	{
		intake_table_lock(writer->target, truncates);
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
