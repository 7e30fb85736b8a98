/*-------------------------------------------------------------------------
 *
 * registration.c
 *	  What a table is to be registered as, checked step by step.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/relation.h"
#include "access/xact.h"
#include "catalog/catalog.h"
#include "catalog/pg_class.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/syscache.h"

#include "columns.h"
#include "compat.h"
#include "convert.h"
#include "registry/key.h"
#include "registry/key_index.h"
#include "registry/registration.h"

static void
check_owner(Oid relid)
{
	if (!SearchSysCacheExists1(RELOID, ObjectIdGetDatum(relid)))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE),
				 errmsg("relation with OID %u does not exist", relid)));
	if (!intake_is_owner(relid, GetUserId()))
		aclcheck_error(ACLCHECK_NOT_OWNER,
					   get_relkind_objtype(get_rel_relkind(relid)),
					   get_rel_name(relid));
}

Relation
intake_registration_open_own(Oid relid)
{
	Relation	rel;

	check_owner(relid);
	rel = try_relation_open(relid, ShareUpdateExclusiveLock);
	if (rel == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE),
				 errmsg("relation with OID %u does not exist", relid)));
	check_owner(relid);

	return rel;
}

static void
check_relation(Relation rel)
{
	const char *name = RelationGetRelationName(rel);

	switch (rel->rd_rel->relkind)
	{
		case RELKIND_RELATION:
		case RELKIND_PARTITIONED_TABLE:
		case RELKIND_VIEW:
		case RELKIND_FOREIGN_TABLE:
			break;
		default:
			ereport(ERROR,
					(errcode(ERRCODE_WRONG_OBJECT_TYPE),
					 errmsg("cannot register \"%s\"", name),
					 errdetail("Only tables, partitioned tables, views and foreign tables can be registered.")));
	}
	if (IsSystemRelation(rel))
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("cannot register system catalog \"%s\"", name)));
	if (rel->rd_rel->relpersistence == RELPERSISTENCE_TEMP)
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("cannot register temporary table \"%s\"", name)));
}

void
intake_registration_open(IntakeRegistration *call, Oid relid)
{
	call->rel = intake_registration_open_own(relid);
	check_relation(call->rel);
}

static IntakeKind
parse_kind(const char *name)
{
	IntakeKind	kind;
	int			len = strlen(name);

	for (kind = INTAKE_KIND_LOGICAL; kind <= INTAKE_KIND_STANDALONE; kind++)
	{
		if (strcmp(intake_kind_name(kind), name) == 0)
			return kind;
	}
	if (len > INTAKE_MAX_SHOWN_VALUE)
		len = pg_mbcliplen(name, len, INTAKE_MAX_SHOWN_VALUE);
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("invalid kind \"%.*s\"", len, name),
			 errhint("Valid kinds are \"logical\", \"proxy\" and \"standalone\".")));
}

static void
check_logical(const IntakeRegistration *call, bool has_replacing_key)
{
	const char *name = RelationGetRelationName(call->rel);

	if (has_replacing_key)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("a logical table takes no replacing key"),
				 errdetail("Rows of a logical table are replaced by its primary key."),
				 errhint("Register the table as kind \"proxy\" to replace rows by another key.")));
	if (!intake_key_index_has_primary(call->rel))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_TABLE_DEFINITION),
				 errmsg("logical table \"%s\" has no primary key", name),
				 errhint("Add a primary key that is not deferrable, or register the table as kind \"proxy\".")));
	if (get_attnum(RelationGetRelid(call->rel), INTAKE_SYS_OP) != 0)
		ereport(ERROR,
				(errcode(ERRCODE_RESERVED_NAME),
				 errmsg("logical table \"%s\" has a column \"%s\"",
						name, INTAKE_SYS_OP),
				 errdetail("The name is that of a record's operation field."),
				 errhint("Rename the column, or register the table as kind \"proxy\".")));
}

void
intake_registration_set_kind(IntakeRegistration *call, const char *kind,
							 bool has_replacing_key)
{
	if (kind != NULL)
		call->entity.kind = parse_kind(kind);
	else if (!has_replacing_key && intake_key_index_has_primary(call->rel))
		call->entity.kind = INTAKE_KIND_LOGICAL;
	else
		call->entity.kind = INTAKE_KIND_PROXY;

	if (call->entity.kind == INTAKE_KIND_LOGICAL)
		check_logical(call, has_replacing_key);
}

/*
 * The replacing key is looked up in staged rows, which have no values for
 * columns that the server fills in.
 */
static void
check_has_values(Relation rel, List *key)
{
	ListCell   *cell;

	foreach(cell, intake_key_columns(key))
	{
		Form_pg_attribute column = TupleDescAttr(RelationGetDescr(rel),
												 lfirst_int(cell) - 1);

		if (column->attgenerated != '\0')
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_OBJECT_DEFINITION),
					 errmsg("replacing key uses generated column \"%s\"",
							NameStr(column->attname)),
					 errdetail("A payload gives no value for it."),
					 errhint("Use the column's expression instead.")));
		if (column->attidentity == ATTRIBUTE_IDENTITY_ALWAYS)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_OBJECT_DEFINITION),
					 errmsg("replacing key uses identity column \"%s\"",
							NameStr(column->attname)),
					 errdetail("The column is GENERATED ALWAYS: a payload gives no value for it.")));
	}
}

void
intake_registration_set_replacing_key(IntakeRegistration *call, List *items)
{
	call->replacing = intake_key_resolve(call->rel, items, "replacing key");
	check_has_values(call->rel, call->replacing);
}

void
intake_registration_set_partition_key(IntakeRegistration *call, List *items)
{
	call->partition = intake_key_resolve(call->rel, items, "partition key");
}

static void
check_mode(const IntakeRegistration *call)
{
	Relation	rel = call->rel;
	char		relkind = rel->rd_rel->relkind;

	if (call->entity.mode == INTAKE_MODE_REPLACE && call->replacing == NIL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("mode \"replace\" needs a replacing key")));
	if (call->entity.mode != INTAKE_MODE_MERGE)
		return;
	if (relkind == RELKIND_VIEW || relkind == RELKIND_FOREIGN_TABLE)
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("mode \"merge\" cannot be used with %s \"%s\"",
						relkind == RELKIND_VIEW ? "view" : "foreign table",
						RelationGetRelationName(rel))));
	if (call->options->key == NIL && !intake_key_index_has_primary(rel))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("mode \"merge\" needs a primary key"),
				 errhint("Add one, or name the columns of a unique index in option \"key\".")));
}

static void
set_stored_key(List *key, List **names, List **sql)
{
	ListCell   *cell;

	foreach(cell, key)
	{
		IntakeKeyItem *item = lfirst(cell);

		*names = lappend(*names, unconstify(char *, item->name));
		*sql = lappend(*sql, unconstify(char *, item->sql));
	}
}

void
intake_registration_complete(IntakeRegistration *call)
{
	IntakeEntity *entity = &call->entity;

	entity->target = RelationGetRelid(call->rel);
	entity->row_type = call->rel->rd_rel->reltype;
	entity->registered_at = GetCurrentTransactionStartTimestamp();
	entity->registered_by = GetUserNameFromId(GetUserId(), false);
	set_stored_key(call->replacing, &entity->replacing_key,
				   &entity->replacing_sql);
	set_stored_key(call->partition, &entity->partition_key,
				   &entity->partition_sql);
	check_mode(call);
}
