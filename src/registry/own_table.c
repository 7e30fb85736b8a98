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
#include "access/relation.h"
#include "access/xact.h"
#include "catalog/dependency.h"
#include "catalog/indexing.h"
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "catalog/pg_extension.h"
#include "commands/extension.h"
#include "storage/lmgr.h"
#include "utils/builtins.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/syscache.h"

#include "registry/own_table.h"

/* More than the extension has. */
#define KNOWN_TABLES 32

/*
 * Tables that have been found to be ours.  The catalogs that tell it are not
 * cached by the server, and each upload asks a few times.
 */
typedef struct KnownTable
{
	NameData	name;
	Oid			relid;
} KnownTable;

static KnownTable known[KNOWN_TABLES];
static int	nknown = 0;
static Oid	known_extension = InvalidOid;	/* whose they are */
static bool is_watching = false;
static uint64 changes = 0;		/* that were heard of */

/* A table is not what it was: it may be dropped, renamed or moved. */
static void
forget_table(Datum arg, Oid relid)
{
	int			i;

	changes++;
	for (i = 0; i < nknown; i++)
	{
		if (relid == InvalidOid || known[i].relid == relid)
			known[i--] = known[--nknown];
	}
}

/* A schema is not what it was. */
static void
forget_tables(Datum arg, int cache, uint32 hash)
{
	forget_table(arg, InvalidOid);
}

static Oid
recall_table(const char *name)
{
	int			i;

	if (!is_watching)
	{
		CacheRegisterRelcacheCallback(forget_table, (Datum) 0);
		CacheRegisterSyscacheCallback(NAMESPACEOID, forget_tables, (Datum) 0);
		is_watching = true;
	}
	for (i = 0; i < nknown; i++)
	{
		if (strcmp(NameStr(known[i].name), name) == 0)
			return known[i].relid;
	}
	return InvalidOid;
}

/*
 * A table of that name which is not the extension's is none of ours: its
 * columns may be anything, and anybody may have written it.
 */
static Oid
look_up_table(const char *name)
{
	Oid			extension = get_extension_oid("pg_intake", true);
	Oid			schema = get_namespace_oid("intake", true);
	Oid			relid = InvalidOid;

	if (OidIsValid(extension) && OidIsValid(schema))
		relid = get_relname_relid(name, schema);
	if (!OidIsValid(relid) ||
		getExtensionOfObject(RelationRelationId, relid) != extension)
		return InvalidOid;
	known_extension = extension;
	return relid;
}

static Oid
find_table(const char *name)
{
	Oid			relid = recall_table(name);
	uint64		before = changes;

	if (OidIsValid(relid))
		return relid;
	relid = look_up_table(name);
	/* what changed while we looked may be this */
	if (OidIsValid(relid) && changes == before && nknown < KNOWN_TABLES)
	{
		namestrcpy(&known[nknown].name, name);
		known[nknown++].relid = relid;
	}
	return relid;
}

/*
 * While we wait for the lock the extension may be dropped and created anew:
 * then what we have found is not what we have locked.
 */
bool
intake_own_table_hold(const char *name)
{
	while (OidIsValid(find_table(name)))
	{
		Oid			extension = known_extension;

		LockDatabaseObject(ExtensionRelationId, extension, 0,
						   AccessShareLock);
		if (OidIsValid(find_table(name)) && known_extension == extension)
			return true;
		UnlockDatabaseObject(ExtensionRelationId, extension, 0,
							 AccessShareLock);
	}
	return false;
}

/* One that is dropped while we wait for its lock is looked up once more. */
Relation
intake_own_table_open(const char *name, LOCKMODE lockmode)
{
	Relation	table = NULL;
	Oid			relid;

	while (table == NULL && OidIsValid(relid = find_table(name)))
		table = try_relation_open(relid, lockmode);
	return table;
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
