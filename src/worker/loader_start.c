/*-------------------------------------------------------------------------
 *
 * loader_start.c
 *	  The gateway's view of its loaders.
 *
 * Loaders are dynamic background workers.  Their socket lies below the data
 * directory under a relative path, since an absolute one may be too long, and
 * in pg_stat_tmp, which base backups leave out.
 *
 * One that ends before it has reached the HTTP program could not do its work
 * (the database is missing, say): the next one is started a little later, and
 * again later each time, until one does.
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
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "worker/loader_start.h"
#include "worker/shared.h"
#include "worker/worker_settings.h"

#define MIN_DELAY 500			/* ms */
#define MAX_DELAY 10000

#define NO_SLOT "no background worker is free for a loader"
#define NO_START "loaders cannot start, see the server's log"

static BackgroundWorkerHandle *handles[INTAKE_MAX_LOADERS];
static TimestampTz next_start = 0;
static int	delay = MIN_DELAY;
static const char *problem = NULL;

pgsocket
intake_loaders_listen(void)
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

/* The next start waits. */
static void
put_off(const char *reason)
{
	problem = reason;
	next_start = TimestampTzPlusMilliseconds(GetCurrentTimestamp(), delay);
	delay = Min(2 * delay, MAX_DELAY);
}

/* Whether a loader has the slot, be it one of a gateway before this one. */
static bool
is_taken(int i)
{
	bool		result;

	LWLockAcquire(intake_shared->lock, LW_SHARED);
	result = handles[i] != NULL || intake_shared->loaders[i].pid != 0;
	LWLockRelease(intake_shared->lock);
	return result;
}

/* Starts the loader of a slot; false when there is no process for it. */
static bool
start_loader(int slot)
{
	MemoryContext old = MemoryContextSwitchTo(TopMemoryContext);
	BackgroundWorker worker = {0};
	bool		is_started;

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
	is_started = RegisterDynamicBackgroundWorker(&worker, &handles[slot]);
	if (!is_started)
		handles[slot] = NULL;
	MemoryContextSwitchTo(old);
	return is_started;
}

/* Whether there is a loader, or one that is on its way. */
static bool
has_loader(void)
{
	int			i;

	for (i = 0; i < INTAKE_MAX_LOADERS; i++)
	{
		if (is_taken(i))
			return true;
	}
	return false;
}

void
intake_loaders_start(int wanted)
{
	int			i;

	if (GetCurrentTimestamp() < next_start)
		return;
	if (problem != NULL)
		wanted = 1;
	for (i = 0; i < intake_max_loaders && wanted > 0; i++)
	{
		if (is_taken(i))
			continue;
		if (!start_loader(i))
		{
			ereport(LOG,
					(errmsg("could not start a loader: no background worker is free"),
					 errhint("You may need to increase max_worker_processes.")));
			/* requests wait for those that there are */
			put_off(has_loader() ? NULL : NO_SLOT);
			return;
		}
		wanted--;
	}
}

void
intake_loaders_retry(void)
{
	next_start = 0;
	delay = MIN_DELAY;
}

/* Whether the loader of the slot has come as far as to wait for requests. */
static bool
has_connected(int i)
{
	bool		result;

	LWLockAcquire(intake_shared->lock, LW_SHARED);
	result = intake_shared->loaders[i].has_connected;
	LWLockRelease(intake_shared->lock);
	return result;
}

const char *
intake_loaders_look(void)
{
	bool		has_some = false;
	bool		has_failed = false;
	int			i;

	for (i = 0; i < INTAKE_MAX_LOADERS; i++)
	{
		pid_t		pid;

		if (handles[i] == NULL)
			continue;
		has_some = has_some || has_connected(i);
		if (GetBackgroundWorkerPid(handles[i], &pid) != BGWH_STOPPED)
			continue;
		has_failed = has_failed || !has_connected(i);
		pfree(handles[i]);
		handles[i] = NULL;
	}
	if (has_some)
	{
		problem = NULL;
		delay = MIN_DELAY;
	}
	else if (has_failed)
		put_off(NO_START);
	return problem;
}
