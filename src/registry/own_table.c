/*-------------------------------------------------------------------------
 *
 * own_table.c
 *	  The extension's own tables, read and written without SQL.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "access/xact.h"
#include "catalog/dependency.h"
#include "catalog/indexing.h"
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "commands/extension.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

#include "registry/own_table.h"

/*
 * A table of that name which is not the extension's is none of ours: its
 * columns may be anything, and anybody may have written it.
 */
Relation
intake_own_table_open(const char *name, LOCKMODE lockmode)
{
	Oid			extension = get_extension_oid("pg_intake", true);
	Oid			schema = get_namespace_oid("intake", true);
	Oid			relid = InvalidOid;

	if (OidIsValid(extension) && OidIsValid(schema))
		relid = get_relname_relid(name, schema);
	if (!OidIsValid(relid) ||
		getExtensionOfObject(RelationRelationId, relid) != extension)
		return NULL;

	return table_open(relid, lockmode);
}

Relation
intake_own_table_require(const char *name, LOCKMODE lockmode)
{
	Relation	table = intake_own_table_open(name, lockmode);

	if (table == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("extension pg_intake is not there"),
				 errhint("Run CREATE EXTENSION pg_intake in this database.")));
	return table;
}

HeapTuple
intake_own_table_find(Relation table, const char *index_name, int nkeys,
					  ScanKey keys)
{
	Oid			index = get_relname_relid(index_name,
										  RelationGetNamespace(table));
	SysScanDesc scan;
	HeapTuple	row;

	scan = systable_beginscan(table, index, OidIsValid(index), NULL,
							  nkeys, keys);
	row = systable_getnext(scan);
	if (HeapTupleIsValid(row))
		row = heap_copytuple(row);
	systable_endscan(scan);

	return row;
}

void
intake_own_table_insert(Relation table, const Datum *values,
						const bool *nulls)
{
	CatalogTupleInsert(table, heap_form_tuple(RelationGetDescr(table),
											  unconstify(Datum *, values),
											  unconstify(bool *, nulls)));
	CommandCounterIncrement();
}

void
intake_own_table_update(Relation table, HeapTuple row, const Datum *values,
						const bool *nulls)
{
	CatalogTupleUpdate(table, &row->t_self,
					   heap_form_tuple(RelationGetDescr(table),
									   unconstify(Datum *, values),
									   unconstify(bool *, nulls)));
	CommandCounterIncrement();
}

void
intake_own_table_delete(Relation table, HeapTuple row)
{
	CatalogTupleDelete(table, &row->t_self);
	CommandCounterIncrement();
}
