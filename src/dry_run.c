/*-------------------------------------------------------------------------
 *
 * dry_run.c
 *	  An operation that is done and undone.
 *
 * Everything happens in a subtransaction that is rolled back, the claim of
 * the UUID included.  What no rollback undoes is what it never does: values
 * taken from sequences.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "commands/trigger.h"

#include "dry_run.h"
#include "subtransaction.h"

/*
 * Runs what deferred constraints have left for the commit: that of the
 * transaction, so what went before the dry run is checked with it.
 */
static void
check_deferred(void)
{
	ConstraintsSetStmt *statement = makeNode(ConstraintsSetStmt);

	statement->constraints = NIL;
	statement->deferred = false;
	AfterTriggerSetState(statement);
}

/* What is done and undone. */
typedef struct Rehearsal
{
	IntakeWork	work;
	const IntakeRequest *request;
	IntakeOperation *operation;
} Rehearsal;

/* Never keeps what it does. */
static bool
rehearse(void *arg)
{
	Rehearsal  *it = arg;

	it->work(it->request, it->operation);
	check_deferred();
	return false;
}

void
intake_dry_run(IntakeWork work, const IntakeRequest *request,
			   IntakeOperation *operation)
{
	Rehearsal	rehearsal = {work, request, operation};
	ErrorData  *error = intake_subtransaction_run(rehearse, &rehearsal);

	if (error != NULL)
		ReThrowError(error);
	if (operation->is_replayed)
		return;
	operation->sys_cn = 0;
	operation->expires_at = 0;
	ereport(NOTICE,
			(errmsg("dry run: nothing has been kept")));
}
