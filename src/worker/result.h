/*-------------------------------------------------------------------------
 *
 * result.h
 *	  What an operation did, as JSON.
 *
 *-------------------------------------------------------------------------
 */
#ifndef INTAKE_RESULT_H
#define INTAKE_RESULT_H

#include "lib/stringinfo.h"
#include "registry/operation.h"

/* Appends the members of intake.upload_result, without braces. */
extern void intake_result_append(StringInfo json,
								 const IntakeOperation *operation);

/* Appends a time in ISO 8601, UTC, quoted; null for 0. */
extern void intake_result_append_time(StringInfo json, TimestampTz time);

/* The UUID as text. */
extern char *intake_result_uuid(const pg_uuid_t *uuid);

#endif							/* INTAKE_RESULT_H */
