/*-------------------------------------------------------------------------
 *
 * operation.h
 *	  Operations: claim, replay, finish, failure.
 *
 * One transaction holds the rows and the operation's record.  A claim is a
 * transaction-level lock on (principal, UUID), taken without waiting; under
 * it the record is looked for.  So a crash frees a claim at once and no
 * state can go stale.
 *
 *-------------------------------------------------------------------------
 */
#ifndef INTAKE_OPERATION_H
#define INTAKE_OPERATION_H

#include "datatype/timestamp.h"
#include "registry/rejects.h"
#include "source/source.h"
#include "utils/jsonb.h"
#include "utils/uuid.h"

/* SQLSTATEs of our own. */
#define ERRCODE_INTAKE_RUNNING	MAKE_SQLSTATE('I', 'N', '4', '2', '3')
#define ERRCODE_INTAKE_REUSED	MAKE_SQLSTATE('I', 'N', '4', '2', '2')

typedef struct IntakeCounters
{
	int64		bytes_received;
	int64		rows_received;
	int64		rows_inserted;
	int64		rows_updated;
	int64		rows_deleted;	/* -1: unknown (truncate => 'fast') */
	int64		rows_skipped;
	int64		rows_rejected;
} IntakeCounters;

/* What the client asked for; a repeat must ask for the same. */
typedef struct IntakeRequestIdentity
{
	const char *target;			/* qualified name */
	const char *request;		/* mode, sys_op, format and options as given */
} IntakeRequestIdentity;

typedef struct IntakeOperation
{
	pg_uuid_t	uuid;
	Oid			principal;
	const char *door;			/* 'sql', 'file', 'query', 'copy', 'http' */
	IntakeRequestIdentity identity;
	const char *mode;			/* the mode that was used */
	const char *query_id;		/* or NULL */
	const char *request_id;		/* or NULL */
	const char *subject;		/* of the token that was shown, or NULL */

	bool		is_replayed;
	bool		has_failed;		/* an earlier run's failure is on record */
	bool		is_partial;
	const char *cut_reason;		/* of a partial one, in words; or NULL */
	int64		sys_cn;
	TimestampTz started_at;
	TimestampTz finished_at;
	TimestampTz expires_at;		/* 0: never */
	IntakeCounters counters;
	Jsonb	   *errors;			/* of tolerated records, or NULL */
	Jsonb	   *answer;			/* what a door's answer tells beyond the
								 * counters, or NULL */
	IntakeRejects *rejects;		/* to be stored with the record, or NULL */
	Oid			relid;			/* of the target, for them */
	uint8		digest[INTAKE_DIGEST_LENGTH];

	/* of the failure that is on record */
	const char *failed_target;
	TimestampTz failed_at;
	TimestampTz failure_expires_at; /* 0: never */
	Jsonb	   *failure;		/* or NULL */
} IntakeOperation;

/* Rows inserted, updated and deleted, as far as that is known. */
extern int64 intake_operation_affected(const IntakeOperation *operation);

/* A random (version 4) UUID, for a client that names none. */
extern pg_uuid_t intake_operation_make_uuid(void);

/*
 * Claims operation->uuid for the current user and looks for its record.
 * Returns false when there is none that succeeded: started_at is set and the
 * caller goes on.  Returns true on a repeat: everything else is
 * set from the record, is_replayed is true, and the caller has to call
 * intake_operation_check_repeat() with the repeat's digest before it answers.
 * Raises ERRCODE_INTAKE_RUNNING when the claim is held, by another session
 * or further up in this one.
 */
extern bool intake_operation_claim(IntakeOperation *operation);

/*
 * Sets sys_cn of a claimed operation, when it begins to write: the number is
 * of a sequence, which may take an XID.
 */
extern void intake_operation_number(IntakeOperation *operation);

/*
 * Raises ERRCODE_INTAKE_REUSED unless target, request and digest of the
 * repeat are those of the stored operation.  digest may be NULL: then request
 * says all of the payload.
 */
extern void intake_operation_check_repeat(const IntakeOperation *operation,
										  const IntakeRequestIdentity *identity,
										  const uint8 *digest);

/*
 * Writes the record of a success and its rejects; finished_at and expires_at
 * are set.
 */
extern void intake_operation_finish(IntakeOperation *operation);

/*
 * Records a failure, for a door whose rows have been rolled back, and returns
 * true; does nothing and returns false when the operation has succeeded
 * meanwhile.  uuid, door, identity, mode, query_id, request_id and subject are
 * set by the caller.
 */
extern bool intake_operation_fail(IntakeOperation *operation, Jsonb *error);

/*
 * Takes the claim's lock, without waiting; raises ERRCODE_INTAKE_RUNNING when
 * it is held.
 */
extern void intake_operation_lock(Oid principal, const pg_uuid_t *uuid);

/* Whether the claim is held, here or elsewhere, now. */
extern bool intake_operation_is_running(Oid principal, const pg_uuid_t *uuid);

/* Raises ERRCODE_INTAKE_RUNNING when it is; takes nothing. */
extern void intake_operation_check_idle(Oid principal,
										const pg_uuid_t *uuid);

/*
 * Ends this session's note that the claim's work is going on; the lock stays
 * until the transaction ends.  Must be called on every way out.
 */
extern void intake_operation_leave(const IntakeOperation *operation);

#endif							/* INTAKE_OPERATION_H */
