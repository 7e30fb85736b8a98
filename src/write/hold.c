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
 * What the relation cache does not tell of is looked at once, before anything
 * is written: the names and partition tree that the operation goes by, and
 * domains, whose new constraints ALTER DOMAIN looks for in tables that it can
 * lock, while values that were decoded before have none of them.
 *
 * What may change unseen is what the writers look at in finish(): indexes,
 * triggers, policies, partitions, statistics.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "storage/lmgr.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"

#include "registry/target.h"
#include "write/demand.h"
#include "write/hold.h"

IntakeHold *
intake_hold_make(Relation rel, Oid root, LOCKMODE mode)
{
	IntakeHold *hold = palloc0(sizeof(IntakeHold));

	hold->rel = rel;
	hold->mode = mode;
	hold->owner = CurrentResourceOwner;
	hold->desc = RelationGetDescr(rel);
	hold->rules = rel->rd_rules;
	hold->schema = RelationGetNamespace(rel);
	hold->name = rel->rd_rel->relname;
	hold->is_partition = rel->rd_rel->relispartition;
	hold->root = root;
	return hold;
}

/* Takes note, under the lock, of what settle() compares. */
static void
note_surroundings(IntakeHold *hold)
{
	MemoryContext old = MemoryContextSwitchTo(GetMemoryChunkContext(hold));

	hold->schema_name = get_namespace_name(hold->schema);
	hold->demands = intake_demands_find(hold->desc);
	hold->was_released = true;
	MemoryContextSwitchTo(old);
}

void
intake_hold_release(IntakeHold *hold)
{
	ResourceOwner old = CurrentResourceOwner;

	if (!hold->was_released)
		note_surroundings(hold);
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
				(errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
				 errmsg("table \"%s\" was dropped while its payload came",
						NameStr(hold->name)),
				 errhint("Repeat the upload once the table is there again.")));
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
	bool		needs_snapshot = !ActiveSnapshotSet();

	/* a definition that is read anew may be long, and need one for its parts */
	if (needs_snapshot)
		PushActiveSnapshot(GetTransactionSnapshot());
	CurrentResourceOwner = hold->owner;
	take_lock(hold);
	CurrentResourceOwner = old;
	if (needs_snapshot)
		PopActiveSnapshot();

	if (RelationGetDescr(rel) != hold->desc || rel->rd_rules != hold->rules ||
		RelationGetNamespace(rel) != hold->schema ||
		strcmp(RelationGetRelationName(rel), NameStr(hold->name)) != 0 ||
		rel->rd_rel->relispartition != hold->is_partition)
		intake_hold_report_changed(rel);
}

void
intake_hold_settle(IntakeHold *hold)
{
	MemoryContext old = MemoryContextSwitchTo(GetMemoryChunkContext(hold));

	if (strcmp(get_namespace_name(hold->schema), hold->schema_name) != 0 ||
		intake_target_root(hold->rel) != hold->root ||
		intake_demands_differ(hold->demands, intake_demands_find(hold->desc)))
		intake_hold_report_changed(hold->rel);
	MemoryContextSwitchTo(old);
}

void
intake_hold_exchange(IntakeHold *hold, LOCKMODE mode)
{
	intake_hold_release(hold);
	hold->mode = mode;
	intake_hold_regain(hold);
	intake_hold_settle(hold);
}
