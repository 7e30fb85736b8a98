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

#include "access/xact.h"
#include "commands/trigger.h"
#include "utils/memutils.h"
#include "utils/resowner.h"

#include "dry_run.h"

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

static void
undo(MemoryContext context, ResourceOwner owner)
{
	RollbackAndReleaseCurrentSubTransaction();
	MemoryContextSwitchTo(context);
	CurrentResourceOwner = owner;
}

void
intake_dry_run(IntakeWork work, const IntakeRequest *request,
			   const IntakeOptions *options, IntakeOperation *operation)
{
	MemoryContext context = CurrentMemoryContext;
	ResourceOwner owner = CurrentResourceOwner;

	BeginInternalSubTransaction(NULL);
	MemoryContextSwitchTo(context);
	PG_TRY();
	{
		work(request, options, operation);
		check_deferred();
	}
	PG_CATCH();
	{
		ErrorData  *error;

		MemoryContextSwitchTo(context);
		error = CopyErrorData();
		FlushErrorState();
		undo(context, owner);
		ReThrowError(error);
	}
	PG_END_TRY();
	undo(context, owner);

	if (operation->is_replayed)
		return;
	operation->sys_cn = 0;
	operation->expires_at = 0;
	ereport(NOTICE,
			(errmsg("dry run: nothing has been kept")));
}
