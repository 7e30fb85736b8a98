/*-------------------------------------------------------------------------
 *
 * definition_fit.c
 *	  Whether a partner's table still is what its definition says.
 *
 * Its users can drop or rename its columns by SQL, and register it with keys
 * of their own.  A request that went on all the same would write by a key, or
 * delete by one, that the partner has never given.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/relation.h"
#include "utils/lsyscache.h"

#include "registry/definition_fit.h"
#include "registry/entity.h"
#include "registry/key.h"

/* The first column of the definition that the table has not; NULL: none. */
static const char *
find_missing(Oid relid, const IntakeDefinition *definition)
{
	ListCell   *cell;

	foreach(cell, definition->fields)
	{
		const IntakeFieldDef *field = lfirst(cell);

		if (get_attnum(relid, field->name) == InvalidAttrNumber)
			return field->name;
	}
	return NULL;
}

/* Are the items those of the canonical SQL, however they are written? */
static bool
are_same_items(Oid relid, List *items, const List *sql)
{
	Relation	rel = try_relation_open(relid, AccessShareLock);
	List	   *resolved = NIL;
	ListCell   *cell;

	/* one that is gone is missed by whoever locks it */
	if (rel == NULL)
		return true;
	foreach(cell, intake_key_resolve(rel, items, "key"))
	{
		const IntakeKeyItem *item = lfirst(cell);

		resolved = lappend(resolved, unconstify(char *, item->sql));
	}
	relation_close(rel, AccessShareLock);
	return intake_definition_same_key(resolved, sql);
}

/* Is the key of the definition the registered one, of these names and SQL? */
static bool
is_registered_key(Oid relid, const IntakeDefinition *definition,
				  const List *key, const List *names, const List *sql)
{
	List	   *items = NIL;
	ListCell   *cell;

	foreach(cell, key)
		items = lappend(items, intake_definition_key_item(definition,
														  lfirst(cell)));
	if (intake_definition_same_key(items, names))
		return true;
	return list_length(items) == list_length(names) &&
		are_same_items(relid, items, sql);
}

/* One that is not registered is none of the connection's: that is told. */
static bool
has_registered_keys(Oid relid, const IntakeDefinition *definition)
{
	Relation	table = intake_entity_open(AccessShareLock);
	HeapTuple	row = table == NULL ? NULL : intake_entity_find(table, relid);
	const IntakeEntity *entity;
	bool		result = true;

	if (row != NULL)
	{
		entity = intake_entity_read(table, row);
		result = is_registered_key(relid, definition,
								   definition->replacing_key,
								   entity->replacing_key,
								   entity->replacing_sql) &&
			is_registered_key(relid, definition, definition->partition_key,
							  entity->partition_key, entity->partition_sql);
	}
	if (table != NULL)
		intake_entity_close(table);
	return result;
}

IntakeChange
intake_definition_fit_check(Oid relid, const IntakeDefinition *stored)
{
	if (find_missing(relid, stored) != NULL)
		return INTAKE_DEFINITION_SCHEMA;
	if (!has_registered_keys(relid, stored))
		return INTAKE_DEFINITION_KEYS;
	return INTAKE_DEFINITION_SAME;
}

void
intake_definition_fit_require(Oid relid, const IntakeDefinition *stored)
{
	const char *missing = find_missing(relid, stored);

	if (missing == NULL && has_registered_keys(relid, stored))
		return;
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("table \"%s\" is no longer as its definition says",
					stored->name),
			 missing == NULL ?
			 errdetail("It was registered with other keys by its users.") :
			 errdetail("Column \"%s\" was dropped or renamed by its users.",
					   missing),
			 missing == NULL ?
			 errhint("Update the table by the same definition, which keeps its data.") :
			 errhint("Ask them to undo that, or delete the table and define it anew.")));
}
