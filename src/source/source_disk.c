/*-------------------------------------------------------------------------
 *
 * source_disk.c
 *	  A file on the server, as COPY FROM 'file' reads one.
 *
 * The descriptor is one of fd.c's transient ones, which every way out of a
 * (sub)transaction closes.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "catalog/pg_authid.h"
#include "miscadmin.h"
#include "storage/fd.h"
#include "utils/acl.h"
#include "utils/wait_event.h"

#include "source/source_disk.h"
#include "source/source_inflate.h"

typedef struct DiskFile
{
	char	   *path;
	int			fd;				/* -1: closed, at its end */
	int64		size;
} DiskFile;

static void
check_rights(void)
{
	if (has_privs_of_role(GetUserId(), ROLE_PG_READ_SERVER_FILES))
		return;
	ereport(ERROR,
			(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
			 errmsg("permission denied to upload a file of the server"),
			 errdetail("Only roles with privileges of the role \"%s\" may do that.",
					   "pg_read_server_files"),
			 errhint("Anyone can upload what the client sends: psql's \\copy, or intake.upload().")));
}

static void
report_not_opened(const char *path)
{
	bool		is_misplaced = (errno == ENOENT || errno == EACCES);

	ereport(ERROR,
			(errcode_for_file_access(),
			 errmsg("could not open file \"%s\" for reading: %m", path),
			 is_misplaced ?
			 errhint("The PostgreSQL server reads this file. For a file of the client there is psql's \\copy.") : 0));
}

/*
 * Refuses directories, and what is not a regular file unless any will do: a
 * FIFO would be waited for, and neither it nor a device can be read again by
 * a retry.  Sets the size of a regular file.
 */
static void
check_kind(DiskFile *file, bool takes_any)
{
	struct stat status;

	if (fstat(file->fd, &status) != 0)
		ereport(ERROR,
				(errcode_for_file_access(),
				 errmsg("could not stat file \"%s\": %m", file->path)));
	if (S_ISDIR(status.st_mode))
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("\"%s\" is a directory", file->path)));
	if (!S_ISREG(status.st_mode) && !takes_any)
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("\"%s\" is not a regular file", file->path)));
	file->size = S_ISREG(status.st_mode) ? status.st_size : 0;
}

static DiskFile *
open_file(const char *path, bool takes_any)
{
	DiskFile   *file = palloc(sizeof(DiskFile));
	int			flags = O_RDONLY | O_NOCTTY | PG_BINARY;

	/* What is refused must not make the opening wait, either. */
	if (!takes_any)
		flags |= O_NONBLOCK;
	file->path = pstrdup(path);
	file->fd = OpenTransientFile(path, flags);
	if (file->fd < 0)
		report_not_opened(path);
	check_kind(file, takes_any);
	return file;
}

static void
close_file(DiskFile *file)
{
	int			fd = file->fd;

	file->fd = -1;
	if (CloseTransientFile(fd) != 0)
		ereport(ERROR,
				(errcode_for_file_access(),
				 errmsg("could not close file \"%s\": %m", file->path)));
}

static size_t
read_disk(IntakeSource *source, char *out, size_t len)
{
	DiskFile   *file = source->state;
	ssize_t		n;

	if (file->fd < 0)
		return 0;
	do
	{
		CHECK_FOR_INTERRUPTS();
		pgstat_report_wait_start(WAIT_EVENT_COPY_FILE_READ);
		n = read(file->fd, out, len);
		pgstat_report_wait_end();
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		ereport(ERROR,
				(errcode_for_file_access(),
				 errmsg("could not read file \"%s\": %m", file->path)));
	if (n == 0)
		close_file(file);
	return (size_t) n;
}

static const IntakeSourceRoutine disk_routine = {"disk", read_disk};

IntakeSource *
intake_source_open_disk(const char *path, int encoding, bool takes_any)
{
	DiskFile   *file;
	IntakeSource *source;

	check_rights();
	file = open_file(path, takes_any);
	source = intake_source_open_inflated(&disk_routine, file, encoding, 0);
	source->kind = INTAKE_SOURCE_FILE;
	if (!intake_source_inflates(source))
		source->total = file->size;
	return source;
}
