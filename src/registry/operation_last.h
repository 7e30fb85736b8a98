/*-------------------------------------------------------------------------
 *
 * operation_last.h
 *	  The session's last operation, for intake.last_upload().
 *
 * Kept is what a call was answered, a replay included, whichever door it came
 * through.  What a transaction or a subtransaction did is forgotten when that
 * is rolled back: then the operation before it is the last one again.  A
 * transaction that is prepared counts as rolled back here, since what becomes
 * of it is not this session's to know.
 *
 *-------------------------------------------------------------------------
 */
#ifndef INTAKE_OPERATION_LAST_H
#define INTAKE_OPERATION_LAST_H

#include "registry/operation.h"

/* Keeps a copy of what the session's operation was answered. */
extern void intake_operation_last_keep(const IntakeOperation *operation);

/*
 * The session's last operation, of which principal, uuid, flags, sys_cn,
 * times, counters and errors are set; NULL when there is none.  It stays until
 * the next one is kept or the transaction ends.
 */
extern const IntakeOperation *intake_operation_last(void);

/* Between transactions: a session that is somebody else's now has none. */
extern void intake_operation_last_forget(void);

#endif							/* INTAKE_OPERATION_LAST_H */
