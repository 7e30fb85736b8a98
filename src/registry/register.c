/*-------------------------------------------------------------------------
 *
 * register.c
 *	  intake.register_table, intake.unregister_table.
 *
 * arguments --> the table, locked --> kind, keys, mode checked --> entry -->
 * indexes
 *
 * The lock is self-conflicting and conflicts with ALTER and DROP; it is held
 * until the transaction ends, so that an entry describes its table as it is.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/relation.h"
#include "access/xact.h"
#include "catalog/catalog.h"
#include "catalog/pg_class.h"
#include "catalog/pg_type.h"
#include "fmgr.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "storage/lmgr.h"
#include "utils/acl.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/syscache.h"

#include "columns.h"
#include "compat.h"
#include "convert.h"
#include "options.h"
#include "registry/entity.h"
#include "registry/key.h"
#include "registry/key_index.h"
#include "registry/register.h"

PG_FUNCTION_INFO_V1(intake_entity_state);
PG_FUNCTION_INFO_V1(intake_register_table);
PG_FUNCTION_INFO_V1(intake_unregister_table);

/* The arguments of intake.register_table, in its order. */
enum
{
	ARG_TARGET,
	ARG_KIND,
	ARG_REPLACING_KEY,
	ARG_PARTITION_KEY,
	ARG_DATAMART,
	ARG_ENTITY,
	ARG_MODE,
	ARG_CREATE_INDEX,
	ARG_OPTIONS
};

/* What a call asks for, checked step by step. */
typedef struct Registration
{
	Relation	rel;
	IntakeEntity entity;
	IntakeOptions *options;
	List	   *replacing;		/* of IntakeKeyItem */
	List	   *partition;
	bool		may_create_index;
} Registration;

static void
refuse_null(const char *argument)
{
	ereport(ERROR,
			(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
			 errmsg("argument \"%s\" must not be null", argument)));
}

/* Registrations are written: no standby, no read-only transaction. */
static void
check_may_write(const char *command)
{
	PreventCommandDuringRecovery(command);
	PreventCommandIfReadOnly(command);
	PreventCommandIfParallelMode(command);
}

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

/*
 * Opens a relation that the current user owns, locked.  The right is asked
 * for before the lock, so that others cannot block the table, and again
 * after it.
 */
static Relation
open_own_relation(Oid relid)
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

static IntakeKind
parse_kind_argument(const char *name)
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

/* The items of a key's argument, as a list of char *. */
static List *
read_items(ArrayType *array, const char *what)
{
	List	   *items = NIL;
	Datum	   *values;
	bool	   *nulls;
	int			count;
	int			i;

	if (ARR_NDIM(array) > 1)
		ereport(ERROR,
				(errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
				 errmsg("%s must be a one-dimensional array", what)));
	deconstruct_array(array, TEXTOID, -1, false, TYPALIGN_INT, &values,
					  &nulls, &count);
	for (i = 0; i < count; i++)
	{
		if (nulls[i])
			ereport(ERROR,
					(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
					 errmsg("%s has an item that is null", what)));
		items = lappend(items, TextDatumGetCString(values[i]));
	}
	return items;
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

static void
check_logical(const Registration *call, bool has_replacing_key)
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

static void
check_mode(const Registration *call)
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

/* The argument's default is NULL, and NULL stands for none. */
static char *
read_text_argument(FunctionCallInfo fcinfo, int number)
{
	if (PG_ARGISNULL(number))
		return NULL;
	return text_to_cstring(PG_GETARG_TEXT_PP(number));
}

static const char *
read_name_argument(FunctionCallInfo fcinfo, int number, const char *fallback)
{
	if (PG_ARGISNULL(number))
		return fallback;
	if (NameStr(*PG_GETARG_NAME(number))[0] == '\0')
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_NAME),
				 errmsg("%s name is empty",
						number == ARG_DATAMART ? "datamart" : "entity")));
	return pstrdup(NameStr(*PG_GETARG_NAME(number)));
}

static void
refuse_null_arguments(FunctionCallInfo fcinfo)
{
	if (PG_ARGISNULL(ARG_TARGET))
		refuse_null("target");
	if (PG_ARGISNULL(ARG_CREATE_INDEX))
		refuse_null("create_index");
	if (PG_ARGISNULL(ARG_OPTIONS))
		refuse_null("options");
}

/* Kind, default mode and options; needs the keys' presence only. */
static void
read_kind_and_mode(FunctionCallInfo fcinfo, Registration *call)
{
	char	   *kind = read_text_argument(fcinfo, ARG_KIND);
	char	   *mode = read_text_argument(fcinfo, ARG_MODE);
	bool		has_replacing_key = !PG_ARGISNULL(ARG_REPLACING_KEY);

	if (kind != NULL)
		call->entity.kind = parse_kind_argument(kind);
	else if (!has_replacing_key && intake_key_index_has_primary(call->rel))
		call->entity.kind = INTAKE_KIND_LOGICAL;
	else
		call->entity.kind = INTAKE_KIND_PROXY;

	if (call->entity.kind == INTAKE_KIND_LOGICAL)
		check_logical(call, has_replacing_key);
	if (mode != NULL)
		call->entity.mode = intake_mode_parse(mode);

	call->entity.options = PG_GETARG_JSONB_P(ARG_OPTIONS);
	call->options = intake_options_parse(call->entity.options, NULL,
										 INTAKE_DOOR_REGISTER);
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

static void
read_keys(FunctionCallInfo fcinfo, Registration *call)
{
	if (!PG_ARGISNULL(ARG_REPLACING_KEY))
	{
		List	   *items = read_items(PG_GETARG_ARRAYTYPE_P(ARG_REPLACING_KEY),
									   "replacing key");

		call->replacing = intake_key_resolve(call->rel, items,
											 "replacing key");
		check_has_values(call->rel, call->replacing);
	}
	if (!PG_ARGISNULL(ARG_PARTITION_KEY))
	{
		List	   *items = read_items(PG_GETARG_ARRAYTYPE_P(ARG_PARTITION_KEY),
									   "partition key");

		call->partition = intake_key_resolve(call->rel, items,
											 "partition key");
	}
}

/* What follows from the table, the keys and the caller. */
static void
fill_entity(Registration *call)
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
}

static void
read_call(FunctionCallInfo fcinfo, Registration *call)
{
	Relation	rel = call->rel;

	call->entity.datamart =
		read_name_argument(fcinfo, ARG_DATAMART,
						   get_namespace_name(RelationGetNamespace(rel)));
	call->entity.entity = read_name_argument(fcinfo, ARG_ENTITY,
											 RelationGetRelationName(rel));
	call->may_create_index = PG_GETARG_BOOL(ARG_CREATE_INDEX);
	read_kind_and_mode(fcinfo, call);
	read_keys(fcinfo, call);
	fill_entity(call);
	check_mode(call);
}

/* The table intake.entity; an error if the extension is not there. */
static Relation
open_registry(void)
{
	Relation	table = intake_entity_open(RowExclusiveLock);

	if (table == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("table \"intake.entity\" does not exist"),
				 errhint("CREATE EXTENSION pg_intake makes it.")));
	return table;
}

/*
 * Sees that no other target has the public name.  The entry of a dropped one
 * gives way.
 */
static void
claim_public_name(Relation table, const IntakeEntity *entity)
{
	HeapTuple	row = intake_entity_find_name(table, entity->datamart,
											  entity->entity);
	IntakeEntity *other;

	if (row == NULL)
		return;
	other = intake_entity_read(table, row);
	if (other->target == entity->target)
		return;
	if (!intake_entity_is_current(other))
	{
		intake_entity_remove(table, row);
		return;
	}
	ereport(ERROR,
			(errcode(ERRCODE_DUPLICATE_OBJECT),
			 errmsg("entity \"%s\" of datamart \"%s\" is already registered",
					entity->entity, entity->datamart),
			 errdetail("It is table \"%s.%s\".",
					   get_namespace_name(get_rel_namespace(other->target)),
					   get_rel_name(other->target)),
			 errhint("Give another name by the arguments \"datamart\" and \"entity\".")));
}

/* Writes the entry. */
static void
store_entity(const IntakeEntity *entity)
{
	Relation	table = open_registry();

	claim_public_name(table, entity);
	intake_entity_store(table, intake_entity_find(table, entity->target),
						entity);
	intake_entity_close(table);
}

/*
 * intake.register_table(): registers a relation that the caller owns.
 */
Datum
intake_register_table(PG_FUNCTION_ARGS)
{
	Registration call = {0};

	refuse_null_arguments(fcinfo);
	check_may_write("intake.register_table()");
	call.rel = open_own_relation(PG_GETARG_OID(ARG_TARGET));
	check_relation(call.rel);
	read_call(fcinfo, &call);
	store_entity(&call.entity);

	relation_close(call.rel, NoLock);
	intake_key_index_ensure(call.entity.target, call.replacing,
							call.partition, call.may_create_index);

	PG_RETURN_VOID();
}

/*
 * Takes over what the owner has said of the table by registering it himself:
 * its public name, options, and mode.
 */
static void
keep_settings(IntakeEntity *entity)
{
	Relation	table = open_registry();
	HeapTuple	row = intake_entity_find(table, entity->target);
	const IntakeEntity *old = row == NULL ? NULL :
		intake_entity_read(table, row);

	intake_entity_close(table);
	if (old == NULL || !intake_entity_is_current(old))
		return;
	entity->datamart = old->datamart;
	entity->entity = old->entity;
	entity->options = old->options;
	if (old->mode != INTAKE_MODE_REPLACE || entity->replacing_key != NIL)
		entity->mode = old->mode;
}

/* The key with its items resolved; NIL stays NIL. */
static List *
resolve_key(Relation rel, List *items, const char *what)
{
	return items == NIL ? NIL : intake_key_resolve(rel, items, what);
}

void
intake_register_proxy(Oid relid, List *replacing_key, List *partition_key)
{
	Registration call = {0};
	IntakeEntity *entity = &call.entity;

	call.rel = open_own_relation(relid);
	check_relation(call.rel);
	call.replacing = resolve_key(call.rel, replacing_key, "replacing key");
	check_has_values(call.rel, call.replacing);
	call.partition = resolve_key(call.rel, partition_key, "partition key");
	fill_entity(&call);
	entity->datamart = get_namespace_name(RelationGetNamespace(call.rel));
	entity->entity = pstrdup(RelationGetRelationName(call.rel));
	entity->kind = INTAKE_KIND_PROXY;
	entity->options =
		DatumGetJsonbP(DirectFunctionCall1(jsonb_in, CStringGetDatum("{}")));
	keep_settings(entity);
	store_entity(entity);

	relation_close(call.rel, NoLock);
	intake_key_index_drop_unused(relid, call.replacing, call.partition);
	intake_key_index_ensure(relid, call.replacing, call.partition, true);
}

/*
 * intake.unregister_table(): forgets a registration; the table stays.
 */
Datum
intake_unregister_table(PG_FUNCTION_ARGS)
{
	Relation	rel;
	Relation	table;
	HeapTuple	row;

	if (PG_ARGISNULL(0))
		refuse_null("target");
	check_may_write("intake.unregister_table()");
	rel = open_own_relation(PG_GETARG_OID(0));

	table = open_registry();
	row = intake_entity_find(table, RelationGetRelid(rel));
	if (row == NULL ||
		!intake_entity_is_current(intake_entity_read(table, row)))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("table \"%s\" is not registered",
						RelationGetRelationName(rel))));
	intake_entity_remove(table, row);
	intake_entity_close(table);
	relation_close(rel, NoLock);

	PG_RETURN_VOID();
}

/* Are the columns of a stored key there?  No key needs none. */
static bool
is_key_argument_usable(FunctionCallInfo fcinfo, int number, Oid relid)
{
	if (PG_ARGISNULL(number))
		return true;
	return intake_key_is_usable(relid,
								read_items(PG_GETARG_ARRAYTYPE_P(number),
										   "key"));
}

/*
 * intake.entity_state(target, replacing_sql, partition_sql): 'ready', or
 * 'suspended' when a column of a key is gone.
 */
Datum
intake_entity_state(PG_FUNCTION_ARGS)
{
	bool		is_ready;

	is_ready = !PG_ARGISNULL(0) &&
		is_key_argument_usable(fcinfo, 1, PG_GETARG_OID(0)) &&
		is_key_argument_usable(fcinfo, 2, PG_GETARG_OID(0));

	PG_RETURN_TEXT_P(cstring_to_text(is_ready ? "ready" : "suspended"));
}
