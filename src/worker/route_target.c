/*-------------------------------------------------------------------------
 *
 * route_target.c
 *	  The registered target that a path names.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/namespace.h"
#include "catalog/pg_namespace.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/lsyscache.h"

#include "compat.h"
#include "worker/route_target.h"
#include "worker/status.h"

/* Whoever may not call intake.upload() may not upload here. */
static void
check_usage(void)
{
	Oid			schema = get_namespace_oid("intake", false);

	if (!intake_may_use_schema(schema, GetUserId()))
		aclcheck_error(ACLCHECK_NO_PRIV, OBJECT_SCHEMA, "intake");
}

static void
report_nothing(const char *one, const char *other)
{
	ereport(ERROR,
			(errcode(ERRCODE_INTAKE_STATUS('4', '0', '4')),
			 errmsg("there is no table \"%s\".\"%s\" to upload into", one,
					other),
			 errhint("Tables are opened to uploads by intake.register_table().")));
}

/* The entity that is current and within reach, or NULL. */
static const IntakeEntity *
read_entity(Relation table, HeapTuple row)
{
	const IntakeEntity *entity;

	if (row == NULL)
		return NULL;
	entity = intake_entity_read(table, row);
	if (!intake_entity_is_current(entity) ||
		!intake_may_use_schema(get_rel_namespace(entity->target),
							   GetUserId()))
		return NULL;
	return entity;
}

static const IntakeEntity *
find_entity(Oid relid, const char *datamart, const char *name)
{
	Relation	table = intake_entity_open(AccessShareLock);
	const IntakeEntity *entity;

	if (table == NULL)
		return NULL;
	entity = read_entity(table, OidIsValid(relid) ?
						 intake_entity_find(table, relid) :
						 intake_entity_find_name(table, datamart, name));
	intake_entity_close(table);
	return entity;
}

const IntakeEntity *
intake_route_table(const char *schema, const char *table)
{
	Oid			namespace = get_namespace_oid(schema, true);
	Oid			relid = InvalidOid;
	const IntakeEntity *found = NULL;

	check_usage();
	if (OidIsValid(namespace))
		relid = get_relname_relid(table, namespace);
	if (OidIsValid(relid))
		found = find_entity(relid, NULL, NULL);
	if (found == NULL)
		report_nothing(schema, table);
	return found;
}

const IntakeEntity *
intake_route_entity(const char *datamart, const char *entity)
{
	const IntakeEntity *found;

	check_usage();
	found = find_entity(InvalidOid, datamart, entity);
	if (found == NULL)
		report_nothing(datamart, entity);
	return found;
}

void
intake_route_append_warnings(StringInfo json, const IntakeEntity *entity,
							 const char *name, int sys_op)
{
	if (sys_op != 1 || entity->kind == INTAKE_KIND_LOGICAL)
		return;
	appendStringInfo(json,
					 ", \"warnings\": [\"%s is ignored because the target is a %s table\"]",
					 name, intake_kind_name(entity->kind));
}
