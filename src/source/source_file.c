/*-------------------------------------------------------------------------
 *
 * source_file.c
 *	  Payloads that the server reads: files and the output of programs.
 *
 * Both are streams of fd.c, which closes what an error leaves open, in the
 * same way and with the same rights as those of COPY.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <sys/stat.h>

#include "catalog/pg_authid.h"
#include "miscadmin.h"
#include "storage/fd.h"
#include "utils/acl.h"

#include "source/source_file.h"

typedef struct FileState
{
	char	   *name;			/* path or command */
	FILE	   *file;			/* NULL: not opened yet, or closed */
	bool		is_ended;
} FileState;

static FILE *
open_file(const char *path)
{
	FILE	   *file = AllocateFile(path, PG_BINARY_R);
	struct stat st;

	if (file == NULL)
	{
		bool		is_elsewhere = (errno == ENOENT || errno == EACCES);

		ereport(ERROR,
				(errcode_for_file_access(),
				 errmsg("could not open file \"%s\" for reading: %m", path),
				 is_elsewhere ?
				 errhint("The PostgreSQL server reads this file. For a file of the client there is psql's \\copy.") : 0));
	}
	if (fstat(fileno(file), &st) != 0)
		ereport(ERROR,
				(errcode_for_file_access(),
				 errmsg("could not stat file \"%s\": %m", path)));
	if (S_ISDIR(st.st_mode))
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("\"%s\" is a directory", path)));
	return file;
}

/* The next bytes of the stream; 0 at its end. */
static size_t
read_stream(FileState *state, char *out, size_t len)
{
	size_t		n = fread(out, 1, len, state->file);

	if (ferror(state->file))
		ereport(ERROR,
				(errcode_for_file_access(),
				 errmsg("could not read from \"%s\": %m", state->name)));
	return n;
}

static size_t
read_file(IntakeSource *source, char *out, size_t len)
{
	FileState  *state = source->state;
	size_t		n;

	if (state->is_ended)
		return 0;
	if (state->file == NULL)
		state->file = open_file(state->name);
	n = read_stream(state, out, len);
	if (n == 0)
	{
		state->is_ended = true;
		FreeFile(state->file);
		state->file = NULL;
	}
	return n;
}

/* Ends a program whose output has been read, and asks what became of it. */
static void
close_program(FileState *state)
{
	int			status = ClosePipeStream(state->file);

	state->file = NULL;
	if (status == -1)
		ereport(ERROR,
				(errcode_for_file_access(),
				 errmsg("could not close pipe to external command: %m")));
	if (status != 0)
		ereport(ERROR,
				(errcode(ERRCODE_EXTERNAL_ROUTINE_EXCEPTION),
				 errmsg("program \"%s\" failed", state->name),
				 errdetail_internal("%s", wait_result_to_str(status))));
}

static size_t
read_program(IntakeSource *source, char *out, size_t len)
{
	FileState  *state = source->state;
	size_t		n;

	if (state->is_ended)
		return 0;
	if (state->file == NULL)
		state->file = OpenPipeStream(state->name, PG_BINARY_R);
	if (state->file == NULL)
		ereport(ERROR,
				(errcode_for_file_access(),
				 errmsg("could not execute command \"%s\": %m",
						state->name)));
	n = read_stream(state, out, len);
	if (n == 0)
	{
		state->is_ended = true;
		close_program(state);
	}
	return n;
}

static const IntakeSourceRoutine file_routine = {"file", read_file};
static const IntakeSourceRoutine program_routine = {"program", read_program};

static IntakeSource *
open_stream(const IntakeSourceRoutine *routine, const char *name,
			int encoding)
{
	FileState  *state = palloc0(sizeof(FileState));

	state->name = pstrdup(name);
	return intake_source_open(routine, state, encoding);
}

IntakeSource *
intake_source_open_file(const char *path, int encoding)
{
	if (!has_privs_of_role(GetUserId(), ROLE_PG_READ_SERVER_FILES))
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("permission denied to read a file of the server"),
				 errdetail("Only roles with privileges of the \"%s\" role may do so.",
						   "pg_read_server_files"),
				 errhint("Anyone can COPY from stdin. psql's \\copy command also works for anyone.")));
	return open_stream(&file_routine, path, encoding);
}

IntakeSource *
intake_source_open_program(const char *command, int encoding)
{
	if (!has_privs_of_role(GetUserId(), ROLE_PG_EXECUTE_SERVER_PROGRAM))
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("permission denied to run a program on the server"),
				 errdetail("Only roles with privileges of the \"%s\" role may do so.",
						   "pg_execute_server_program"),
				 errhint("Anyone can COPY from stdin. psql's \\copy command also works for anyone.")));
	return open_stream(&program_routine, command, encoding);
}
