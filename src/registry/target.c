/*-------------------------------------------------------------------------
 *
 * target.c
 *	  What the registry knows about a relation that uploads go into.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/relation.h"
#include "catalog/partition.h"
#include "mb/pg_wchar.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

#include "convert.h"
#include "registry/entity.h"
#include "registry/target.h"
#include "view.h"

static const char *const kind_names[] = {
	[INTAKE_KIND_NONE] = NULL,
	[INTAKE_KIND_LOGICAL] = "logical",
	[INTAKE_KIND_PROXY] = "proxy",
	[INTAKE_KIND_STANDALONE] = "standalone"
};

static const char *const mode_names[] = {
	[INTAKE_MODE_DEFAULT] = NULL,
	[INTAKE_MODE_APPEND] = "append",
	[INTAKE_MODE_REPLACE] = "replace",
	[INTAKE_MODE_MERGE] = "merge",
	[INTAKE_MODE_DELETE] = "delete"
};

const char *
intake_kind_name(IntakeKind kind)
{
	return kind_names[kind];
}

const char *
intake_mode_name(IntakeMode mode)
{
	return mode_names[mode];
}

IntakeMode
intake_mode_parse(const char *name)
{
	IntakeMode	mode;
	int			len = strlen(name);

	for (mode = INTAKE_MODE_APPEND; mode <= INTAKE_MODE_MERGE; mode++)
	{
		if (strcmp(mode_names[mode], name) == 0)
			return mode;
	}
	if (len > INTAKE_MAX_SHOWN_VALUE)
		len = pg_mbcliplen(name, len, INTAKE_MAX_SHOWN_VALUE);
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("invalid mode \"%.*s\"", len, name),
			 errhint("Valid modes are \"append\", \"replace\" and \"merge\".")));
}

Oid
intake_target_root(Relation rel)
{
	List	   *ancestors;
	Oid			base = intake_view_base(rel, 0, NULL);

	if (OidIsValid(base))
	{
		Relation	base_rel = relation_open(base, AccessShareLock);
		Oid			root = intake_target_root(base_rel);

		relation_close(base_rel, AccessShareLock);
		return root;
	}
	if (!rel->rd_rel->relispartition)
		return RelationGetRelid(rel);

	/* A partition that is being detached has none. */
	ancestors = get_partition_ancestors(RelationGetRelid(rel));
	return ancestors == NIL ? RelationGetRelid(rel) : llast_oid(ancestors);
}

static void
fill_from_entity(IntakeTarget *target, const IntakeEntity *entity)
{
	target->kind = entity->kind;
	target->mode = entity->mode;
	target->replacing_key = entity->replacing_key;
	target->replacing_sql = entity->replacing_sql;
	target->partition_key = entity->partition_key;
	target->partition_sql = entity->partition_sql;
	target->options = entity->options;
}

IntakeTarget *
intake_target_lookup(Relation rel)
{
	IntakeTarget *target = palloc0(sizeof(IntakeTarget));
	char	   *schema = get_namespace_name(RelationGetNamespace(rel));
	Relation	table = intake_entity_open(AccessShareLock);
	HeapTuple	row;

	target->relid = RelationGetRelid(rel);
	target->root = intake_target_root(rel);
	target->name = quote_qualified_identifier(schema,
											  RelationGetRelationName(rel));
	if (table == NULL)
		return target;

	row = intake_entity_find(table, target->relid);
	if (row != NULL)
	{
		IntakeEntity *entity = intake_entity_read(table, row);

		if (intake_entity_is_current(entity))
			fill_from_entity(target, entity);
	}
	intake_entity_close(table);

	return target;
}
