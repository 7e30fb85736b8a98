/*-------------------------------------------------------------------------
 *
 * demand.c
 *	  What the domains of a relation's columns demand of values.
 *
 * The catalogs are read, and not the cache of types: that one plans the
 * constraints, which locks tables that their functions use.  Containers are
 * left out: a domain in a column's array or row type cannot be altered so.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "catalog/indexing.h"
#include "catalog/pg_constraint.h"
#include "catalog/pg_type.h"
#include "utils/fmgroids.h"
#include "utils/rel.h"
#include "utils/syscache.h"

#include "write/demand.h"

static void
add_checks(IntakeDemands *demands, Oid domain)
{
	Relation	table = table_open(ConstraintRelationId, AccessShareLock);
	ScanKeyData key;
	SysScanDesc scan;
	HeapTuple	row;

	ScanKeyInit(&key, Anum_pg_constraint_contypid, BTEqualStrategyNumber,
				F_OIDEQ, ObjectIdGetDatum(domain));
	scan = systable_beginscan(table, ConstraintTypidIndexId, true, NULL, 1,
							  &key);
	while (HeapTupleIsValid(row = systable_getnext(scan)))
	{
		Form_pg_constraint form = (Form_pg_constraint) GETSTRUCT(row);

		if (form->contype == CONSTRAINT_CHECK)
			demands->checks = lappend_oid(demands->checks, form->oid);
	}
	systable_endscan(scan);
	table_close(table, AccessShareLock);
}

/* Adds those of the type, if it is another domain; what that is over. */
static Oid
add_domain(IntakeDemands *demands, Oid type)
{
	HeapTuple	row = SearchSysCache1(TYPEOID, ObjectIdGetDatum(type));
	Oid			base = InvalidOid;

	if (!HeapTupleIsValid(row))
		return InvalidOid;
	if (((Form_pg_type) GETSTRUCT(row))->typtype == TYPTYPE_DOMAIN &&
		!list_member_oid(demands->domains, type))
	{
		demands->domains = lappend_oid(demands->domains, type);
		base = ((Form_pg_type) GETSTRUCT(row))->typbasetype;
		if (((Form_pg_type) GETSTRUCT(row))->typnotnull)
			demands->not_null = lappend_oid(demands->not_null, type);
		add_checks(demands, type);
	}
	ReleaseSysCache(row);
	return base;
}

IntakeDemands *
intake_demands_find(TupleDesc desc)
{
	IntakeDemands *demands = palloc0(sizeof(IntakeDemands));
	int			i;

	for (i = 0; i < desc->natts; i++)
	{
		Oid			type = TupleDescAttr(desc, i)->atttypid;

		/* a dropped column has none */
		while (OidIsValid(type))
			type = add_domain(demands, type);
	}
	return demands;
}

bool
intake_demands_differ(const IntakeDemands *before, const IntakeDemands *now)
{
	return list_difference_oid(now->checks, before->checks) != NIL ||
		list_difference_oid(now->not_null, before->not_null) != NIL;
}
