/*-------------------------------------------------------------------------
 *
 * subtransaction.c
 *	  Work whose errors are caught and whose effects are undone then.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "utils/memutils.h"
#include "utils/resowner.h"

#include "progress.h"
#include "subtransaction.h"

/* What a subtransaction's end does not give back. */
typedef struct Surroundings
{
	MemoryContext context;
	ResourceOwner owner;
} Surroundings;

static void
restore_surroundings(const Surroundings *surroundings)
{
	MemoryContextSwitchTo(surroundings->context);
	CurrentResourceOwner = surroundings->owner;
}

/*
 * Undoes the subtransaction.  This is the one place where that happens: what
 * an abort ends though the operation goes on is begun anew here.
 */
static void
roll_back(const Surroundings *surroundings)
{
	RollbackAndReleaseCurrentSubTransaction();
	restore_surroundings(surroundings);
	intake_progress_resume();
}

ErrorData *
intake_subtransaction_run(IntakeSubtransactionWork work, void *arg)
{
	Surroundings surroundings = {CurrentMemoryContext, CurrentResourceOwner};
	ErrorData  *volatile error = NULL;
	volatile bool is_kept = false;

	BeginInternalSubTransaction(NULL);
	MemoryContextSwitchTo(surroundings.context);
	PG_TRY();
	{
		is_kept = work(arg);
		if (is_kept)
			ReleaseCurrentSubTransaction();
	}
	PG_CATCH();
	{
		MemoryContextSwitchTo(surroundings.context);
		error = CopyErrorData();
		FlushErrorState();
		is_kept = false;
	}
	PG_END_TRY();

	if (is_kept)
		restore_surroundings(&surroundings);
	else
		roll_back(&surroundings);
	return error;
}
