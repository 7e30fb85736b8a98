/*-------------------------------------------------------------------------
 *
 * shared.c
 *	  What gateway, loaders and other sessions know of each other.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "miscadmin.h"
#include "storage/ipc.h"
#include "storage/shmem.h"

#include "compat.h"
#include "worker/shared.h"

#define TRANCHE_NAME "pg_intake"

IntakeShared *intake_shared = NULL;

static intake_request_hook_type previous_request_hook = NULL;
static shmem_startup_hook_type previous_startup_hook = NULL;

static void
startup(void)
{
	bool		is_found;

	if (previous_startup_hook != NULL)
		previous_startup_hook();
	LWLockAcquire(AddinShmemInitLock, LW_EXCLUSIVE);
	intake_shared = ShmemInitStruct("pg_intake", sizeof(IntakeShared),
									&is_found);
	if (!is_found)
	{
		memset(intake_shared, 0, sizeof(IntakeShared));
		intake_shared->lock = &GetNamedLWLockTranche(TRANCHE_NAME)->lock;
	}
	LWLockRelease(AddinShmemInitLock);
}

static void
request(void)
{
	if (previous_request_hook != NULL)
		previous_request_hook();
	RequestAddinShmemSpace(MAXALIGN(sizeof(IntakeShared)));
	RequestNamedLWLockTranche(TRANCHE_NAME, 1);
}

void
intake_shared_request(void)
{
	intake_request_shared_memory(request);
	previous_startup_hook = shmem_startup_hook;
	shmem_startup_hook = startup;
}

static void
leave_at_exit(int code, Datum slot)
{
	LWLockAcquire(intake_shared->lock, LW_EXCLUSIVE);
	intake_shared->loaders[DatumGetInt32(slot)].pid = 0;
	LWLockRelease(intake_shared->lock);
}

bool
intake_shared_enter(int slot)
{
	IntakeLoaderSlot *it = &intake_shared->loaders[slot];
	bool		is_free;

	LWLockAcquire(intake_shared->lock, LW_EXCLUSIVE);
	is_free = it->pid == 0;
	if (is_free)
	{
		it->pid = MyProcPid;
		it->database = MyDatabaseId;
		it->latch = MyLatch;
		it->is_busy = it->must_retire = it->must_end = false;
	}
	LWLockRelease(intake_shared->lock);
	if (is_free)
		before_shmem_exit(leave_at_exit, Int32GetDatum(slot));
	return is_free;
}

int
intake_shared_retire(Oid database, bool is_forced)
{
	int			left = 0;
	int			i;

	LWLockAcquire(intake_shared->lock, LW_EXCLUSIVE);
	for (i = 0; i < INTAKE_MAX_LOADERS; i++)
	{
		IntakeLoaderSlot *it = &intake_shared->loaders[i];

		if (it->pid == 0 || it->database != database)
			continue;
		it->must_retire = true;
		it->must_end = it->must_end || is_forced;
		SetLatch(it->latch);
		left += is_forced || !it->is_busy;
	}
	LWLockRelease(intake_shared->lock);
	return left;
}
