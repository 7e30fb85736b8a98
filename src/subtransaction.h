/*-------------------------------------------------------------------------
 *
 * subtransaction.h
 *	  Work whose errors are caught and whose effects are undone then.
 *
 *-------------------------------------------------------------------------
 */
#ifndef INTAKE_SUBTRANSACTION_H
#define INTAKE_SUBTRANSACTION_H

/* False: what was done is to be undone. */
typedef bool (*IntakeSubtransactionWork) (void *arg);

/*
 * Runs work(arg) in a subtransaction.  Returns NULL when it came to its end,
 * else the error, in the current memory context: everything that the work did
 * to the database has been undone then.  Memory is not: the work begins in
 * the current memory context, and what it allocates stays.
 *
 * A subtransaction that writes nothing takes no transaction id and costs
 * next to nothing.
 */
extern ErrorData *intake_subtransaction_run(IntakeSubtransactionWork work,
											void *arg);

#endif							/* INTAKE_SUBTRANSACTION_H */
