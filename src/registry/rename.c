/*-------------------------------------------------------------------------
 *
 * rename.c
 *	  Keys follow the renames of their columns.
 *
 * The function of an event trigger that fires after each ALTER TABLE and its
 * like.  The new name stands in the catalogs when it runs, the registry still
 * holds the old one.  It raises no error of its own: a registration that
 * cannot follow is suspended, the rename goes on.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "catalog/pg_inherits.h"
#include "commands/event_trigger.h"
#include "fmgr.h"
#include "nodes/parsenodes.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

#include "registry/entity.h"
#include "registry/key.h"

PG_FUNCTION_INFO_V1(intake_on_rename);

/* The tables whose columns are those of a composite type (CREATE TABLE OF). */
static List *
find_typed_tables(Oid type)
{
	Relation	classes = table_open(RelationRelationId, AccessShareLock);
	List	   *relids = NIL;
	ScanKeyData key;
	SysScanDesc scan;
	HeapTuple	row;

	ScanKeyInit(&key, Anum_pg_class_reloftype, BTEqualStrategyNumber,
				F_OIDEQ, ObjectIdGetDatum(type));
	scan = systable_beginscan(classes, InvalidOid, false, NULL, 1, &key);
	while (HeapTupleIsValid(row = systable_getnext(scan)))
		relids = lappend_oid(relids, ((Form_pg_class) GETSTRUCT(row))->oid);
	systable_endscan(scan);
	table_close(classes, AccessShareLock);

	return relids;
}

/* The relations in which the statement renamed the column. */
static List *
find_renamed_relations(const RenameStmt *statement)
{
	Oid			relid = RangeVarGetRelid(statement->relation, NoLock, true);
	List	   *parents;
	List	   *relids = NIL;
	ListCell   *cell;

	if (!OidIsValid(relid))
		return NIL;

	if (statement->renameType == OBJECT_ATTRIBUTE)
		parents = find_typed_tables(get_rel_type_id(relid));
	else
		parents = list_make1_oid(relid);
	foreach(cell, parents)
		relids = list_concat_unique_oid(relids,
										find_all_inheritors(lfirst_oid(cell),
															NoLock, NULL));
	return relids;
}

/* Rewrites both texts of each item of a key. */
static void
rename_in_key(List *names, List *sql, const RenameStmt *statement)
{
	ListCell   *name;
	ListCell   *text;

	forboth(name, names, text, sql)
	{
		bool		is_column = intake_key_is_column(lfirst(name),
													 lfirst(text));

		lfirst(name) = intake_key_rename(lfirst(name), is_column,
										 statement->subname,
										 statement->newname);
		lfirst(text) = intake_key_rename(lfirst(text), false,
										 statement->subname,
										 statement->newname);
	}
}

static void
rename_in_entity(Relation table, Oid relid, const RenameStmt *statement)
{
	HeapTuple	row = intake_entity_find(table, relid);
	IntakeEntity *entity;

	if (row == NULL)
		return;
	entity = intake_entity_read(table, row);
	if (!intake_entity_is_current(entity))
		return;

	rename_in_key(entity->replacing_key, entity->replacing_sql, statement);
	rename_in_key(entity->partition_key, entity->partition_sql, statement);
	intake_entity_store(table, row, entity);
}

/*
 * intake.on_rename(): for ddl_command_end.
 */
Datum
intake_on_rename(PG_FUNCTION_ARGS)
{
	EventTriggerData *event = (EventTriggerData *) fcinfo->context;
	RenameStmt *statement;
	Relation	table;
	ListCell   *cell;

	if (!CALLED_AS_EVENT_TRIGGER(fcinfo))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_EVENT_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("function can only be called as an event trigger")));

	statement = (RenameStmt *) event->parsetree;
	if (!IsA(statement, RenameStmt) || statement->relation == NULL ||
		(statement->renameType != OBJECT_COLUMN &&
		 statement->renameType != OBJECT_ATTRIBUTE))
		PG_RETURN_NULL();

	table = intake_entity_open(RowExclusiveLock);
	if (table == NULL)
		PG_RETURN_NULL();
	foreach(cell, find_renamed_relations(statement))
		rename_in_entity(table, lfirst_oid(cell), statement);
	intake_entity_close(table);

	PG_RETURN_NULL();
}
