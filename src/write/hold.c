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

#include "catalog/pg_type.h"
#include "nodes/execnodes.h"
#include "storage/lmgr.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/typcache.h"

#include "registry/target.h"
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

/* What a domain demands now; keeps it in the current memory context. */
static DomainConstraintRef *
refer_to_domain(Oid type)
{
	DomainConstraintRef *domain = palloc(sizeof(DomainConstraintRef));

	InitDomainConstraintRef(type, domain, CurrentMemoryContext, false);
	return domain;
}

/* Takes note, under the lock, of what settle() compares. */
static void
note_surroundings(IntakeHold *hold)
{
	MemoryContext old = MemoryContextSwitchTo(GetMemoryChunkContext(hold));
	int			i;

	hold->schema_name = get_namespace_name(hold->schema);
	for (i = 0; i < hold->desc->natts; i++)
	{
		Form_pg_attribute attribute = TupleDescAttr(hold->desc, i);

		if (!attribute->attisdropped &&
			get_typtype(attribute->atttypid) == TYPTYPE_DOMAIN)
			hold->domains = lappend(hold->domains,
									refer_to_domain(attribute->atttypid));
	}
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

/* Whether a domain had the constraint. */
static bool
had_constraint(const DomainConstraintRef *domain,
			   const DomainConstraintState *constraint)
{
	ListCell   *cell;

	foreach(cell, domain->constraints)
	{
		const DomainConstraintState *one = lfirst(cell);

		if (one->constrainttype == constraint->constrainttype &&
			equal(one->check_expr, constraint->check_expr))
			return true;
	}
	return false;
}

/* Whether values that the domain took may be some that it takes no more. */
static bool
is_stricter(const DomainConstraintRef *before)
{
	const DomainConstraintRef *now = refer_to_domain(before->tcache->type_id);
	ListCell   *cell;

	foreach(cell, now->constraints)
	{
		if (!had_constraint(before, lfirst(cell)))
			return true;
	}
	return false;
}

static bool
has_stricter_domain(const IntakeHold *hold)
{
	ListCell   *cell;

	foreach(cell, hold->domains)
	{
		if (is_stricter(lfirst(cell)))
			return true;
	}
	return false;
}

void
intake_hold_settle(IntakeHold *hold)
{
	MemoryContext old = MemoryContextSwitchTo(GetMemoryChunkContext(hold));

	if (strcmp(get_namespace_name(hold->schema), hold->schema_name) != 0 ||
		intake_target_root(hold->rel) != hold->root ||
		has_stricter_domain(hold))
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
