/*-------------------------------------------------------------------------
 *
 * definition_table.c
 *	  The tables of a partner connection, made as their definitions say.
 *
 * definition's lock --> what is there? --> the table's own lock and table lock
 * --> statements --> stored definition --> comments --> registration with keys
 * and indexes
 *
 * The definition's lock serializes those who define a name, whether there is a
 * table or not; it is taken before all others.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/relation.h"
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "common/hashfn.h"
#include "miscadmin.h"
#include "storage/lmgr.h"
#include "storage/proc.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"
#include "utils/timestamp.h"

#include "lock_space.h"
#include "registry/definition_fit.h"
#include "registry/definition_record.h"
#include "registry/definition_statement.h"
#include "registry/definition_table.h"
#include "registry/entity.h"
#include "registry/register.h"
#include "settings.h"

/* Waits for the lock of a name's definition. */
static void
lock_definition(const IntakeConnection *connection, const char *table)
{
	const char *id = connection->connection_id;
	LOCKTAG		tag;
	uint64		hash;

	hash = hash_combine64(hash_bytes_extended((const unsigned char *) id,
											  strlen(id), 0),
						  hash_bytes_extended((const unsigned char *) table,
											  strlen(table), 0));
	SET_LOCKTAG_ADVISORY(tag, MyDatabaseId, (uint32) (hash >> 32),
						 (uint32) hash, INTAKE_LOCK_DEFINITION);
	(void) LockAcquire(&tag, ExclusiveLock, false, false);
	AcceptInvalidationMessages();
}

/* Is it registered, and not dropped? */
static bool
is_registered(Oid relid)
{
	Relation	table = intake_entity_open(AccessShareLock);
	HeapTuple	row;
	bool		result;

	if (table == NULL)
		return false;
	row = intake_entity_find(table, relid);
	result = row != NULL &&
		intake_entity_is_current(intake_entity_read(table, row));
	intake_entity_close(table);
	return result;
}

/* The relation of that name in the connection's schema, whatever it is. */
static Oid
find_relation(const IntakeConnection *connection, const char *table)
{
	Oid			schema = get_namespace_oid(connection->schema, false);

	return get_relname_relid(table, schema);
}

/* Is the role its owner?  Who owns the schema could drop any table in it. */
static bool
is_owner(Oid relid, Oid role)
{
	HeapTuple	tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(relid));
	bool		result;

	if (!HeapTupleIsValid(tuple))
		return false;
	result = ((Form_pg_class) GETSTRUCT(tuple))->relowner == role;
	ReleaseSysCache(tuple);
	return result;
}

/* The same if it is the connection's table, and the registry knows it. */
static Oid
find_table(const IntakeConnection *connection, const char *table)
{
	Oid			relid = find_relation(connection, table);

	if (!OidIsValid(relid) || !is_owner(relid, connection->role) ||
		!is_registered(relid))
		return InvalidOid;
	return relid;
}

Oid
intake_definition_table_find(const IntakeConnection *connection,
							 const char *table, IntakeDefinition **stored,
							 LOCKMODE lockmode)
{
	Oid			relid;

	intake_definition_check_name(table);
	if (lockmode != NoLock)
		lock_definition(connection, table);
	relid = find_table(connection, table);
	*stored = NULL;
	if (OidIsValid(relid))
		*stored = intake_definition_record_find(connection->connection_id,
												table);
	return *stored == NULL ? InvalidOid : relid;
}

List *
intake_definition_table_list(const IntakeConnection *connection)
{
	List	   *stored =
		intake_definition_record_list(connection->connection_id);
	List	   *definitions = NIL;
	ListCell   *cell;

	foreach(cell, stored)
	{
		const IntakeDefinition *definition = lfirst(cell);

		if (OidIsValid(find_table(connection, definition->name)))
			definitions = lappend(definitions, lfirst(cell));
	}
	return definitions;
}

/* A key's items as the registry takes them. */
static List *
make_key(const IntakeDefinition *definition, const List *items)
{
	List	   *key = NIL;
	ListCell   *cell;

	foreach(cell, items)
		key = lappend(key, intake_definition_key_item(definition,
													  lfirst(cell)));
	return key;
}

static void
register_table(Oid relid, const IntakeDefinition *definition)
{
	intake_register_proxy(relid,
						  make_key(definition, definition->replacing_key),
						  make_key(definition, definition->partition_key));
}

/* Does a registered table have the public name? */
static bool
is_public_name(const char *datamart, const char *name)
{
	Relation	table = intake_entity_open(AccessShareLock);
	HeapTuple	row;
	bool		result;

	if (table == NULL)
		return false;
	row = intake_entity_find_name(table, datamart, name);
	result = row != NULL &&
		intake_entity_is_current(intake_entity_read(table, row));
	intake_entity_close(table);
	return result;
}

/* What somebody else has made under the name stays as it is. */
static void
check_name_is_free(const IntakeConnection *connection, const char *table)
{
	if (OidIsValid(find_relation(connection, table)))
		ereport(ERROR,
				(errcode(ERRCODE_DUPLICATE_TABLE),
				 errmsg("relation \"%s\" is there already", table),
				 errdetail("It is no table of this connection: somebody has made it in the connection's schema, or taken the table or its registration away."),
				 errhint("Choose another name, or ask the connection's owner to drop or rename it.")));
	if (is_public_name(connection->schema, table))
		ereport(ERROR,
				(errcode(ERRCODE_DUPLICATE_OBJECT),
				 errmsg("name \"%s\" is already registered for another table",
						table),
				 errdetail("A table of the name was renamed or moved by its users."),
				 errhint("Choose another name, or ask the connection's owner to unregister that table.")));
}

/* Two that are made at once may pass the limit by one: it is no promise. */
static void
check_may_have_more(const IntakeConnection *connection)
{
	const char *id = connection->connection_id;

	if (intake_max_partner_tables == 0 ||
		intake_definition_record_count(id) < intake_max_partner_tables)
		return;
	ereport(ERROR,
			(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
			 errmsg("a connection may not have more than %d tables",
					intake_max_partner_tables),
			 errhint("Delete a table, or ask the connection's owner for a higher \"pg_intake.max_partner_tables\".")));
}

/* What is left of a table that the user dropped goes. */
static void
create_table(const IntakeConnection *connection, const char *table,
			 IntakeApplied *applied)
{
	check_name_is_free(connection, table);
	(void) intake_definition_record_remove(connection->connection_id, table);
	check_may_have_more(connection);
	intake_definition_create(connection->schema, table, applied->now);
	applied->relid = find_relation(connection, table);
	intake_definition_record_store(connection->connection_id, table,
								   applied->now);
	intake_definition_comment(applied->relid, NULL, applied->now);
	register_table(applied->relid, applied->now);
}

/* The root of the table, which is locked; raises 40001 when it has gone. */
static Oid
find_root(const IntakeConnection *connection, const char *table, Oid relid)
{
	Relation	rel;
	Oid			root;

	if (find_table(connection, table) != relid)
		ereport(ERROR,
				(errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
				 errmsg("table \"%s\" was dropped or renamed meanwhile",
						table)));
	rel = relation_open(relid, NoLock);
	root = intake_target_lookup(rel)->root;
	relation_close(rel, NoLock);
	return root;
}

/* Each wait has a limit of its own, and so have all of them. */
static void
check_waited(TimestampTz begin, const char *table)
{
	if (LockTimeout > 0 &&
		TimestampDifferenceExceeds(begin, GetCurrentTimestamp(), LockTimeout))
		ereport(ERROR,
				(errcode(ERRCODE_LOCK_NOT_AVAILABLE),
				 errmsg("another operation on table \"%s\" is under way",
						table)));
}

/*
 * Takes the table's own lock and the table lock.  Uploads take them in either
 * order: one that has begun to append regains the former with the latter in
 * hand.  So who waits for one of them here does not have the other, else each
 * would wait for the other.
 */
static void
lock_table(const IntakeConnection *connection, const char *table, Oid relid,
		   LOCKMODE lockmode)
{
	TimestampTz begin = GetCurrentTimestamp();

	for (;;)
	{
		Oid			root;

		LockRelationOid(relid, lockmode);
		root = find_root(connection, table, relid);
		if (intake_lock_try_table(root))
			return;
		UnlockRelationOid(relid, lockmode);

		intake_lock_table(root, true);
		if (ConditionalLockRelationOid(relid, lockmode))
		{
			(void) find_root(connection, table, relid);
			return;
		}
		intake_lock_release_table(root);
		check_waited(begin, table);
	}
}

/* What the statements of a change need, but for dropping an index. */
static LOCKMODE
choose_lock(IntakeChange change)
{
	switch (change)
	{
		case INTAKE_DEFINITION_SCHEMA:
			return AccessExclusiveLock;
		case INTAKE_DEFINITION_KEYS:
			return ShareRowExclusiveLock;	/* indexes are built */
		default:
			return ShareUpdateExclusiveLock;	/* comments */
	}
}

/*
 * What has to be done.  Keys that users have registered instead of the
 * definition's give way.  A column that they have dropped or renamed is not
 * made again by a definition that is what it was: that would empty the table,
 * and partners repeat their definitions.
 */
static IntakeChange
find_change(const IntakeApplied *applied, const IntakeDefinition *definition)
{
	IntakeChange change = intake_definition_compare(applied->old, definition);
	IntakeChange fit;

	if (change == INTAKE_DEFINITION_SCHEMA)
		return change;
	fit = intake_definition_fit_check(applied->relid, applied->old);
	if (fit == INTAKE_DEFINITION_SCHEMA)
		intake_definition_fit_require(applied->relid, applied->old);
	return Max(change, fit);
}

/* Changes the table that is there; others wait at its definition's lock. */
static void
alter_table(const IntakeConnection *connection, const char *table,
			IntakeChange change, IntakeApplied *applied)
{
	lock_table(connection, table, applied->relid, choose_lock(change));
	if (change == INTAKE_DEFINITION_SCHEMA)
	{
		intake_definition_alter(applied->relid, applied->old, applied->now);
		applied->was_data_dropped = true;
	}
	intake_definition_record_store(connection->connection_id, table,
								   applied->now);
	intake_definition_comment(applied->relid, applied->old, applied->now);
	if (change >= INTAKE_DEFINITION_KEYS)
		register_table(applied->relid, applied->now);
}

void
intake_definition_table_apply(const IntakeConnection *connection,
							  const char *table, IntakeDefinition *definition,
							  IntakeApplyMode mode, IntakeApplied *applied)
{
	IntakeDefinition *stored;
	IntakeChange change;

	memset(applied, 0, sizeof(IntakeApplied));
	definition->name = table;
	applied->now = definition;
	applied->relid = intake_definition_table_find(connection, table, &stored,
												  ExclusiveLock);
	applied->old = stored;
	if (stored == NULL)
	{
		create_table(connection, table, applied);
		return;
	}
	definition->uploaded_at = stored->uploaded_at;
	if (mode != INTAKE_APPLY_WHOLE)
		(void) intake_definition_is_met(definition, stored,
										mode == INTAKE_APPLY_ALTER);
	/* one that may not alter is met, or an error was raised */
	if (mode == INTAKE_APPLY_CREATE)
		return;
	change = find_change(applied, definition);
	if (change != INTAKE_DEFINITION_SAME)
		alter_table(connection, table, change, applied);
}

bool
intake_definition_table_drop(const IntakeConnection *connection,
							 const char *table)
{
	IntakeDefinition *stored;
	Oid			relid = intake_definition_table_find(connection, table,
													 &stored, ExclusiveLock);

	if (OidIsValid(relid))
	{
		lock_table(connection, table, relid, AccessExclusiveLock);
		intake_definition_drop(relid);
	}
	return intake_definition_record_remove(connection->connection_id, table);
}

void
intake_definition_table_touch(const IntakeConnection *connection,
							  const char *table)
{
	intake_definition_record_touch(connection->connection_id, table);
}
