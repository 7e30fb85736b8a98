/*-------------------------------------------------------------------------
 *
 * direct.c
 *	  Which relations are written without SQL.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "catalog/pg_inherits.h"
#include "catalog/pg_namespace.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/rls.h"

#include "settings.h"
#include "write/direct.h"

/* Rules may turn an INSERT into anything. */
static bool
has_insert_rule(Relation rel)
{
	int			i;

	if (rel->rd_rules == NULL)
		return false;
	for (i = 0; i < rel->rd_rules->numLocks; i++)
	{
		if (rel->rd_rules->rules[i]->event == CMD_INSERT)
			return true;
	}
	return false;
}

/* Partitions that are no tables are written by their wrapper. */
static bool
has_foreign_partition(Relation rel)
{
	List	   *relids;
	ListCell   *cell;

	if (rel->rd_rel->relkind != RELKIND_PARTITIONED_TABLE)
		return false;
	relids = find_all_inheritors(RelationGetRelid(rel), NoLock, NULL);
	foreach(cell, relids)
	{
		if (get_rel_relkind(lfirst_oid(cell)) == RELKIND_FOREIGN_TABLE)
			return true;
	}
	return false;
}

/*
 * A table of Citus is an empty shell here; its planner hook sends statements
 * to where the rows are.  Its catalog lists such tables in the first column.
 */
static bool
is_distributed(Relation rel)
{
	Oid			catalog = get_relname_relid("pg_dist_partition",
											PG_CATALOG_NAMESPACE);
	Relation	partitions;
	SysScanDesc scan;
	ScanKeyData key;
	bool		is_found;

	if (!OidIsValid(catalog))
		return false;
	partitions = table_open(catalog, AccessShareLock);
	ScanKeyInit(&key, 1, BTEqualStrategyNumber, F_OIDEQ,
				ObjectIdGetDatum(RelationGetRelid(rel)));
	scan = systable_beginscan(partitions, InvalidOid, false, NULL, 1, &key);
	is_found = HeapTupleIsValid(systable_getnext(scan));
	systable_endscan(scan);
	table_close(partitions, AccessShareLock);
	return is_found;
}

bool
intake_direct_applies(Relation rel)
{
	char		relkind = rel->rd_rel->relkind;

	if (!intake_direct_write)
		return false;
	if (relkind != RELKIND_RELATION && relkind != RELKIND_PARTITIONED_TABLE)
		return false;
	if (check_enable_rls(RelationGetRelid(rel), InvalidOid,
						 true) == RLS_ENABLED)
		return false;
	return !has_insert_rule(rel) && !has_foreign_partition(rel) &&
		!is_distributed(rel);
}
