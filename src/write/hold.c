/*-------------------------------------------------------------------------
 *
 * hold.c
 *	  The lock on the target, which is let go while its payload is waited for.
 *
 * The relation stays open without its lock.  Nobody looks at it then, and no
 * invalidation is processed before the lock is taken again; where that brings
 * another definition, the relation cache puts it into the open relation and
 * keeps the old descriptor until the transaction ends.  It keeps the pointers
 * of what has not changed, so that comparing them is enough.
 *
 * What may change unseen is what the writers look at in finish(): indexes,
 * triggers, policies, partitions, statistics.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "storage/lmgr.h"
#include "utils/memutils.h"

#include "write/hold.h"

IntakeHold *
intake_hold_make(Relation rel, LOCKMODE mode)
{
	IntakeHold *hold = palloc(sizeof(IntakeHold));

	hold->rel = rel;
	hold->mode = mode;
	hold->owner = CurrentResourceOwner;
	hold->desc = RelationGetDescr(rel);
	hold->rules = rel->rd_rules;
	hold->schema = RelationGetNamespace(rel);
	hold->name = rel->rd_rel->relname;
	hold->is_partition = rel->rd_rel->relispartition;
	return hold;
}

void
intake_hold_release(IntakeHold *hold)
{
	ResourceOwner old = CurrentResourceOwner;

	CurrentResourceOwner = hold->owner;
	UnlockRelationOid(RelationGetRelid(hold->rel), hold->mode);
	CurrentResourceOwner = old;
}

/*
 * Takes the lock, which brings in what others have done.  The relation cache
 * does not like a relation that is open and gone: that is an internal error
 * of its own, for which the true one is raised.
 */
static void
take_lock(IntakeHold *hold)
{
	MemoryContext context = CurrentMemoryContext;

	PG_TRY();
	{
		LockRelationOid(RelationGetRelid(hold->rel), hold->mode);
	}
	PG_CATCH();
	{
		ErrorData  *error;

		MemoryContextSwitchTo(context);
		error = CopyErrorData();
		if (error->sqlerrcode != ERRCODE_INTERNAL_ERROR)
			PG_RE_THROW();
		FlushErrorState();
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE),
				 errmsg("table \"%s\" was dropped while its payload came",
						NameStr(hold->name))));
	}
	PG_END_TRY();
}

void
intake_hold_report_changed(Relation rel)
{
	ereport(ERROR,
			(errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
			 errmsg("the definition of table \"%s\" was changed while its payload came",
					RelationGetRelationName(rel)),
			 errhint("Repeat the upload.")));
}

void
intake_hold_regain(IntakeHold *hold)
{
	ResourceOwner old = CurrentResourceOwner;
	Relation	rel = hold->rel;

	CurrentResourceOwner = hold->owner;
	take_lock(hold);
	CurrentResourceOwner = old;

	if (RelationGetDescr(rel) != hold->desc || rel->rd_rules != hold->rules ||
		RelationGetNamespace(rel) != hold->schema ||
		strcmp(RelationGetRelationName(rel), NameStr(hold->name)) != 0 ||
		rel->rd_rel->relispartition != hold->is_partition)
		intake_hold_report_changed(rel);
}

void
intake_hold_exchange(IntakeHold *hold, LOCKMODE mode)
{
	intake_hold_release(hold);
	hold->mode = mode;
	intake_hold_regain(hold);
}
