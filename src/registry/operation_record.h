/*-------------------------------------------------------------------------
 *
 * operation_record.h
 *	  The stored record of an operation.
 *
 * Whoever calls these holds the operation's claim.
 *
 *-------------------------------------------------------------------------
 */
#ifndef INTAKE_OPERATION_RECORD_H
#define INTAKE_OPERATION_RECORD_H

#include "registry/operation.h"

typedef enum IntakeOperationState
{
	INTAKE_OPERATION_UNKNOWN,	/* no record */
	INTAKE_OPERATION_FAILED,
	INTAKE_OPERATION_SUCCEEDED
} IntakeOperationState;

/* The OID of a relation in schema intake; an error if it is not there. */
extern Oid	intake_record_relation(const char *name);

/*
 * Looks for the record of (principal, uuid) and, when it is of a success,
 * sets the rest of operation from it; of a failure, failure and its kin.
 */
extern IntakeOperationState intake_record_find(IntakeOperation *operation);

/*
 * Writes the record into the current slice; the record of an earlier
 * failure goes.  error may be NULL.  Returns the slice's number.
 */
extern int	intake_record_write(const IntakeOperation *operation,
								IntakeOperationState state, Jsonb *error);

/*
 * Deletes the records of successes and failures with this UUID, and their
 * rejects, whose target the current user owns, or, when the target is gone,
 * that the user made.
 * Each claim is taken first, without waiting.  Returns how many there were.
 */
extern int	intake_record_forget(const pg_uuid_t *uuid);

#endif							/* INTAKE_OPERATION_RECORD_H */
