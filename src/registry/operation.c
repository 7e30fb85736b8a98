/*-------------------------------------------------------------------------
 *
 * operation.c
 *	  Claim, replay, finish and failure of operations.
 *
 * A claim is a transaction-level lock in a lock space of our own: it shows in
 * pg_locks as an advisory lock whose objsubid is INTAKE_LOCK_OPERATION.
 * Savepoint rollback frees it and PREPARE TRANSACTION keeps it.  Whoever
 * holds it may look for the record and write it.
 *
 * The record is looked up with SnapshotSelf: a transaction snapshot would
 * not see the record of a repeat in REPEATABLE READ, and an MVCC scan would
 * make unrelated uploads fail in SERIALIZABLE.
 *
 * Records lie in time slices (intake.operation_0 and so on, children of
 * intake.operation), so that expiry truncates the oldest slice instead of
 * deleting rows; see intake.rotate_operations().  A look-up probes the index
 * of each slice that is not empty.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xlog.h"
#include "commands/sequence.h"
#include "common/hashfn.h"
#include "miscadmin.h"
#include "storage/lmgr.h"
#include "utils/builtins.h"
#include "utils/json.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "lock_space.h"
#include "registry/operation.h"
#include "registry/operation_record.h"
#include "settings.h"

/* An operation that this session works on, innermost first. */
typedef struct RunningOperation
{
	pg_uuid_t	uuid;
	Oid			principal;
	struct RunningOperation *outer;
} RunningOperation;

static RunningOperation *running = NULL;

int64
intake_operation_affected(const IntakeOperation *operation)
{
	const IntakeCounters *counters = &operation->counters;

	return counters->rows_inserted + counters->rows_updated +
		Max(counters->rows_deleted, 0);
}

pg_uuid_t
intake_operation_make_uuid(void)
{
	pg_uuid_t	uuid;

	if (!pg_strong_random(uuid.data, UUID_LEN))
		ereport(ERROR,
				(errcode(ERRCODE_INTERNAL_ERROR),
				 errmsg("could not generate random values")));
	uuid.data[6] = (uuid.data[6] & 0x0f) | 0x40;
	uuid.data[8] = (uuid.data[8] & 0x3f) | 0x80;
	return uuid;
}

/* The lock that claims an operation. */
static void
set_claim_tag(LOCKTAG *tag, Oid principal, const pg_uuid_t *uuid)
{
	uint64		hash = DatumGetUInt64(hash_any_extended(uuid->data, UUID_LEN,
														principal));

	SET_LOCKTAG_ADVISORY(*tag, MyDatabaseId, (uint32) (hash >> 32),
						 (uint32) hash, INTAKE_LOCK_OPERATION);
}

static bool
is_same(const RunningOperation *one, Oid principal, const pg_uuid_t *uuid)
{
	return one->principal == principal &&
		memcmp(one->uuid.data, uuid->data, UUID_LEN) == 0;
}

/* Whether this session is working on the operation right now. */
static bool
is_running_here(Oid principal, const pg_uuid_t *uuid)
{
	RunningOperation *one;

	for (one = running; one != NULL; one = one->outer)
	{
		if (is_same(one, principal, uuid))
			return true;
	}
	return false;
}

static void
enter_operation(const IntakeOperation *operation)
{
	RunningOperation *one = MemoryContextAlloc(TopMemoryContext,
											   sizeof(RunningOperation));

	one->uuid = operation->uuid;
	one->principal = operation->principal;
	one->outer = running;
	running = one;
}

void
intake_operation_leave(const IntakeOperation *operation)
{
	RunningOperation **link;

	for (link = &running; *link != NULL; link = &(*link)->outer)
	{
		RunningOperation *one = *link;

		if (is_same(one, operation->principal, &operation->uuid))
		{
			*link = one->outer;
			pfree(one);
			return;
		}
	}
}

/* The UUID as text. */
static char *
uuid_text(const pg_uuid_t *uuid)
{
	return DatumGetCString(DirectFunctionCall1(uuid_out, UUIDPGetDatum(uuid)));
}

static void
report_running(const pg_uuid_t *uuid)
{
	ereport(ERROR,
			(errcode(ERRCODE_INTAKE_RUNNING),
			 errmsg("operation %s is in progress", uuid_text(uuid)),
			 errhint("Repeat the request later.")));
}

void
intake_operation_lock(Oid principal, const pg_uuid_t *uuid)
{
	LOCKTAG		tag;

	if (is_running_here(principal, uuid))
		report_running(uuid);
	set_claim_tag(&tag, principal, uuid);
	if (LockAcquire(&tag, ExclusiveLock, false, true) == LOCKACQUIRE_NOT_AVAIL)
		report_running(uuid);
}

bool
intake_operation_is_running(Oid principal, const pg_uuid_t *uuid)
{
	LOCKTAG		tag;
	int			count = 0;

	if (is_running_here(principal, uuid))
		return true;
	set_claim_tag(&tag, principal, uuid);
	(void) GetLockConflicts(&tag, ExclusiveLock, &count);
	return count > 0;
}

void
intake_operation_check_idle(Oid principal, const pg_uuid_t *uuid)
{
	if (intake_operation_is_running(principal, uuid))
		report_running(uuid);
}

bool
intake_operation_claim(IntakeOperation *operation)
{
	IntakeOperationState state;

	PreventCommandIfReadOnly("a pg_intake upload");
	PreventCommandDuringRecovery("a pg_intake upload");

	operation->principal = GetUserId();
	intake_operation_lock(operation->principal, &operation->uuid);
	state = intake_record_find(operation);
	if (state == INTAKE_OPERATION_SUCCEEDED)
	{
		operation->is_replayed = true;
		return true;
	}
	operation->has_failed = (state == INTAKE_OPERATION_FAILED);
	operation->started_at = GetCurrentTimestamp();
	enter_operation(operation);
	return false;
}

void
intake_operation_number(IntakeOperation *operation)
{
	operation->sys_cn = nextval_internal(intake_record_relation("sys_cn"),
										 false);
}

/* Raises the error for a repeat that differs from what was done. */
static void
report_reused(const IntakeOperation *operation, const char *detail)
{
	ereport(ERROR,
			(errcode(ERRCODE_INTAKE_REUSED),
			 errmsg("operation %s was made with other content",
					uuid_text(&operation->uuid)),
			 errdetail_internal("%s", detail),
			 errhint("A new upload needs a UUID of its own; a repeat must be identical.")));
}

void
intake_operation_check_repeat(const IntakeOperation *operation,
							  const IntakeRequestIdentity *identity,
							  const uint8 *digest)
{
	if (strcmp(operation->identity.target, identity->target) != 0)
		report_reused(operation,
					  psprintf("It went into %s, this one would go into %s.",
							   operation->identity.target, identity->target));
	if (strcmp(operation->identity.request, identity->request) != 0)
		report_reused(operation,
					  psprintf("It was made with %s, this one with %s.",
							   operation->identity.request,
							   identity->request));
	if (digest != NULL &&
		memcmp(operation->digest, digest, INTAKE_DIGEST_LENGTH) != 0)
		report_reused(operation, "Its payload was another one.");
}

/* finished_at and, by pg_intake.operation_retention, expires_at. */
static void
set_end_times(IntakeOperation *operation)
{
	int64		retention = intake_operation_retention * USECS_PER_MINUTE;

	operation->finished_at = GetCurrentTimestamp();
	operation->expires_at = 0;
	if (retention > 0)
		operation->expires_at = operation->finished_at + retention;
}

/* Why a part is all of it, in the form that failures have. */
static Jsonb *
describe_cut(const IntakeOperation *operation)
{
	StringInfoData json;

	if (!operation->is_partial || operation->cut_reason == NULL)
		return NULL;
	initStringInfo(&json);
	appendStringInfoString(&json, "{\"message\": ");
	escape_json(&json, operation->cut_reason);
	appendStringInfoChar(&json, '}');
	return DatumGetJsonbP(DirectFunctionCall1(jsonb_in,
											  CStringGetDatum(json.data)));
}

void
intake_operation_finish(IntakeOperation *operation)
{
	int			slice;

	set_end_times(operation);
	slice = intake_record_write(operation, INTAKE_OPERATION_SUCCEEDED,
								describe_cut(operation));
	if (operation->rejects != NULL)
		intake_rejects_store(operation->rejects, slice, operation->sys_cn,
							 operation->relid);
}

bool
intake_operation_fail(IntakeOperation *operation, Jsonb *error)
{
	IntakeOperation stored = *operation;
	IntakeOperationState state;

	PreventCommandIfReadOnly("the record of a failed operation");
	PreventCommandDuringRecovery("the record of a failed operation");

	operation->principal = stored.principal = GetUserId();
	intake_operation_lock(operation->principal, &operation->uuid);
	state = intake_record_find(&stored);
	if (state == INTAKE_OPERATION_SUCCEEDED)
		return false;
	operation->has_failed = (state == INTAKE_OPERATION_FAILED);
	if (operation->started_at == 0)
		operation->started_at = GetCurrentTimestamp();
	set_end_times(operation);
	(void) intake_record_write(operation, INTAKE_OPERATION_FAILED, error);
	return true;
}
