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
#include "catalog/pg_type.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

#include "options.h"
#include "registry/key.h"
#include "registry/key_index.h"
#include "registry/register.h"
#include "registry/registration.h"

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
read_kind_and_mode(FunctionCallInfo fcinfo, IntakeRegistration *call)
{
	char	   *kind = read_text_argument(fcinfo, ARG_KIND);
	char	   *mode = read_text_argument(fcinfo, ARG_MODE);

	intake_registration_set_kind(call, kind, !PG_ARGISNULL(ARG_REPLACING_KEY));
	if (mode != NULL)
		call->entity.mode = intake_mode_parse(mode);

	call->entity.options = PG_GETARG_JSONB_P(ARG_OPTIONS);
	call->options = intake_options_parse(call->entity.options, NULL,
										 INTAKE_DOOR_REGISTER);
}

static void
read_keys(FunctionCallInfo fcinfo, IntakeRegistration *call)
{
	if (!PG_ARGISNULL(ARG_REPLACING_KEY))
	{
		List	   *items = read_items(PG_GETARG_ARRAYTYPE_P(ARG_REPLACING_KEY),
									   "replacing key");

		intake_registration_set_replacing_key(call, items);
	}
	if (!PG_ARGISNULL(ARG_PARTITION_KEY))
	{
		List	   *items = read_items(PG_GETARG_ARRAYTYPE_P(ARG_PARTITION_KEY),
									   "partition key");

		intake_registration_set_partition_key(call, items);
	}
}

static void
read_call(FunctionCallInfo fcinfo, IntakeRegistration *call)
{
	Relation	rel = call->rel;

	call->entity.datamart =
		read_name_argument(fcinfo, ARG_DATAMART,
						   get_namespace_name(RelationGetNamespace(rel)));
	call->entity.entity = read_name_argument(fcinfo, ARG_ENTITY,
											 RelationGetRelationName(rel));
	read_kind_and_mode(fcinfo, call);
	read_keys(fcinfo, call);
	intake_registration_complete(call);
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
	IntakeRegistration call = {0};

	refuse_null_arguments(fcinfo);
	check_may_write("intake.register_table()");
	intake_registration_open(&call, PG_GETARG_OID(ARG_TARGET));
	read_call(fcinfo, &call);
	store_entity(&call.entity);

	relation_close(call.rel, NoLock);
	intake_key_index_ensure(call.entity.target, call.replacing,
							call.partition,
							PG_GETARG_BOOL(ARG_CREATE_INDEX));

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

void
intake_register_proxy(Oid relid, List *replacing_key, List *partition_key)
{
	IntakeRegistration call = {0};
	IntakeEntity *entity = &call.entity;

	intake_registration_open(&call, relid);
	if (replacing_key != NIL)
		intake_registration_set_replacing_key(&call, replacing_key);
	if (partition_key != NIL)
		intake_registration_set_partition_key(&call, partition_key);
	intake_registration_complete(&call);
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
	rel = intake_registration_open_own(PG_GETARG_OID(0));

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
