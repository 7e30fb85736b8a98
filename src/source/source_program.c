/*-------------------------------------------------------------------------
 *
 * source_program.c
 *	  What a program on the server prints, as COPY FROM PROGRAM reads it.
 *
 * The pipe is a stream of fd.c, which closes what an error leaves open.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_authid.h"
#include "miscadmin.h"
#include "storage/fd.h"
#include "utils/acl.h"

#include "source/source_program.h"

typedef struct ProgramState
{
	char	   *command;
	FILE	   *pipe;			/* NULL: not started yet, or ended */
	bool		is_ended;
} ProgramState;

/* Ends a program whose output has been read, and asks what became of it. */
static void
close_program(ProgramState *state)
{
	int			status = ClosePipeStream(state->pipe);

	state->pipe = NULL;
	if (status == -1)
		ereport(ERROR,
				(errcode_for_file_access(),
				 errmsg("could not close pipe to external command: %m")));
	if (status != 0)
		ereport(ERROR,
				(errcode(ERRCODE_EXTERNAL_ROUTINE_EXCEPTION),
				 errmsg("program \"%s\" failed", state->command),
				 errdetail_internal("%s", wait_result_to_str(status))));
}

static void
start_program(ProgramState *state)
{
	state->pipe = OpenPipeStream(state->command, PG_BINARY_R);
	if (state->pipe == NULL)
		ereport(ERROR,
				(errcode_for_file_access(),
				 errmsg("could not execute command \"%s\": %m",
						state->command)));
}

static size_t
read_program(IntakeSource *source, char *out, size_t len)
{
	ProgramState *state = source->state;
	size_t		n;

	if (state->is_ended)
		return 0;
	if (state->pipe == NULL)
		start_program(state);
	n = fread(out, 1, len, state->pipe);
	if (ferror(state->pipe))
		ereport(ERROR,
				(errcode_for_file_access(),
				 errmsg("could not read from \"%s\": %m", state->command)));
	if (n == 0)
	{
		state->is_ended = true;
		close_program(state);
	}
	return n;
}

static const IntakeSourceRoutine program_routine = {"program", read_program};

IntakeSource *
intake_source_open_program(const char *command, int encoding)
{
	ProgramState *state;
	IntakeSource *source;

	if (!has_privs_of_role(GetUserId(), ROLE_PG_EXECUTE_SERVER_PROGRAM))
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("permission denied to run a program on the server"),
				 errdetail("Only roles with privileges of the \"%s\" role may do so.",
						   "pg_execute_server_program"),
				 errhint("Anyone can COPY from stdin. psql's \\copy command also works for anyone.")));
	state = palloc0(sizeof(ProgramState));
	state->command = pstrdup(command);
	source = intake_source_open(&program_routine, state, encoding);
	source->kind = INTAKE_SOURCE_PROGRAM;
	return source;
}
