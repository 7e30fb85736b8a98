/*-------------------------------------------------------------------------
 *
 * loader_start.c
 *	  The gateway's view of its loaders.
 *
 * Loaders are dynamic background workers.  Their socket lies below the data
 * directory under a relative path, since an absolute one may be too long, and
 * in pg_stat_tmp, which base backups leave out.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "miscadmin.h"
#include "postmaster/bgworker.h"
#include "utils/timestamp.h"

#include "worker/loader_start.h"
#include "worker/shared.h"
#include "worker/worker_settings.h"

/* After a loader that could not start, the next one waits so long, ms. */
#define RETRY_DELAY 1000

static BackgroundWorkerHandle *handles[INTAKE_MAX_LOADERS];
static TimestampTz next_start = 0;

pgsocket
intake_loader_listen(void)
{
	struct sockaddr_un address = {0};
	pgsocket	listener = socket(AF_UNIX, SOCK_STREAM, 0);

	address.sun_family = AF_UNIX;
	strlcpy(address.sun_path, INTAKE_LOADER_SOCKET, sizeof(address.sun_path));
	(void) unlink(INTAKE_LOADER_SOCKET);
	if (listener == PGINVALID_SOCKET ||
		bind(listener, (struct sockaddr *) &address, sizeof(address)) != 0 ||
		chmod(INTAKE_LOADER_SOCKET, S_IRUSR | S_IWUSR) != 0 ||
		listen(listener, INTAKE_MAX_LOADERS) != 0)
		ereport(ERROR,
				(errcode_for_socket_access(),
				 errmsg("could not listen on \"%s\": %m",
						INTAKE_LOADER_SOCKET)));
	return listener;
}

int
intake_loaders_count(void)
{
	int			count = 0;
	int			i;

	for (i = 0; i < INTAKE_MAX_LOADERS; i++)
		count += handles[i] != NULL;
	return count;
}

/* The next start waits. */
static void
put_off(void)
{
	next_start = TimestampTzPlusMilliseconds(GetCurrentTimestamp(),
											 RETRY_DELAY);
}

/* Starts the loader of a slot; false when there is no process for it. */
static bool
start_loader(int slot)
{
	BackgroundWorker worker = {0};

	LWLockAcquire(intake_shared->lock, LW_EXCLUSIVE);
	memset(&intake_shared->loaders[slot], 0, sizeof(IntakeLoaderSlot));
	LWLockRelease(intake_shared->lock);

	worker.bgw_flags = BGWORKER_SHMEM_ACCESS |
		BGWORKER_BACKEND_DATABASE_CONNECTION;
	worker.bgw_start_time = BgWorkerStart_ConsistentState;
	worker.bgw_restart_time = BGW_NEVER_RESTART;
	worker.bgw_notify_pid = MyProcPid;
	strlcpy(worker.bgw_library_name, "pg_intake", BGW_MAXLEN);
	strlcpy(worker.bgw_function_name, "intake_loader_main", BGW_MAXLEN);
	strlcpy(worker.bgw_name, "pg_intake loader", BGW_MAXLEN);
	strlcpy(worker.bgw_type, "pg_intake loader", BGW_MAXLEN);
	worker.bgw_main_arg = Int32GetDatum(slot);
	if (RegisterDynamicBackgroundWorker(&worker, &handles[slot]))
		return true;
	handles[slot] = NULL;
	return false;
}

void
intake_loaders_start(int wanted)
{
	int			allowed = Min(intake_max_loaders, INTAKE_MAX_LOADERS) -
		intake_loaders_count();
	int			i;

	if (GetCurrentTimestamp() < next_start)
		return;
	for (i = 0; i < INTAKE_MAX_LOADERS && wanted > 0 && allowed > 0; i++)
	{
		if (handles[i] != NULL)
			continue;
		if (!start_loader(i))
		{
			ereport(LOG,
					(errmsg("could not start a loader: no slot is free"),
					 errhint("Raise max_worker_processes.")));
			put_off();
			return;
		}
		wanted--;
		allowed--;
	}
}

/* Whether the loader of the slot had come as far as to wait for requests. */
static bool
has_connected(int slot)
{
	bool		result;

	LWLockAcquire(intake_shared->lock, LW_SHARED);
	result = intake_shared->loaders[slot].has_connected;
	LWLockRelease(intake_shared->lock);
	return result;
}

bool
intake_loaders_reap(void)
{
	bool		has_failed = false;
	int			i;

	for (i = 0; i < INTAKE_MAX_LOADERS; i++)
	{
		pid_t		pid;

		if (handles[i] == NULL ||
			GetBackgroundWorkerPid(handles[i], &pid) != BGWH_STOPPED)
			continue;
		pfree(handles[i]);
		handles[i] = NULL;
		has_failed = has_failed || !has_connected(i);
	}
	if (has_failed)
		put_off();
	return has_failed;
}

void
intake_loaders_terminate(void)
{
	int			i;

	for (i = 0; i < INTAKE_MAX_LOADERS; i++)
	{
		if (handles[i] != NULL)
			TerminateBackgroundWorker(handles[i]);
	}
}
