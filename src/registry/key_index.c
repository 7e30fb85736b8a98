/*-------------------------------------------------------------------------
 *
 * key_index.c
 *	  The indexes that serve a target's keys.
 *
 * The items of a key have no order of their own, so an index may hold them
 * in any.  One that we make begins with the items that the other key has
 * too: it then serves both when one key is a part of the other.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/table.h"
#include "catalog/pg_am.h"
#include "catalog/pg_inherits.h"
#include "catalog/pg_namespace.h"
#include "commands/defrem.h"
#include "executor/spi.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/optimizer.h"
#include "storage/bufmgr.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

#include "compat.h"
#include "registry/key_index.h"
#include "registry/key_text.h"

/* Does column i of the index, with its expression if any, hold the item? */
static bool
is_index_column(Relation index, int i, Node *expression,
				const IntakeKeyItem *item)
{
	AttrNumber	attnum = index->rd_index->indkey.values[i];
	Oid			opclass = GetDefaultOpClass(item->type, BTREE_AM_OID);

	if (index->rd_opfamily[i] != get_opclass_family(opclass) ||
		index->rd_indcollation[i] != item->collation)
		return false;
	if (attnum != 0)
		return attnum == item->attnum;

	/* The relation cache keeps index expressions with constants folded. */
	return equal(expression,
				 eval_const_expressions(NULL, copyObject((Node *) item->expr)));
}

/* The number of the item that column i of the index holds, or -1. */
static int
find_item(Relation index, int i, Node *expression, List *key)
{
	ListCell   *cell;

	foreach(cell, key)
	{
		if (is_index_column(index, i, expression, lfirst(cell)))
			return foreach_current_index(cell);
	}
	return -1;
}

/*
 * Whether the leading columns of the index are the items of the key, whose
 * numbers go into the array.
 */
static bool
holds_items(Relation index, List *key, int *items)
{
	List	   *expressions = RelationGetIndexExpressions(index);
	ListCell   *expression = list_head(expressions);
	Bitmapset  *found = NULL;
	int			i;

	for (i = 0; i < list_length(key); i++)
	{
		Node	   *node = NULL;

		if (index->rd_index->indkey.values[i] == 0)
		{
			node = lfirst(expression);
			expression = lnext(expressions, expression);
		}
		items[i] = find_item(index, i, node, key);
		if (items[i] < 0 || bms_is_member(items[i], found))
			return false;
		found = bms_add_member(found, items[i]);
	}
	return true;
}

static bool
is_serving_index(Relation index, List *key, int *items)
{
	return index->rd_rel->relam == BTREE_AM_OID &&
		index->rd_index->indisvalid &&
		RelationGetIndexPredicate(index) == NIL &&
		index->rd_index->indnkeyatts >= list_length(key) &&
		holds_items(index, key, items);
}

Oid
intake_key_index_find(Relation rel, List *key, int **items)
{
	ListCell   *cell;

	*items = palloc(list_length(key) * sizeof(int));
	foreach(cell, RelationGetIndexList(rel))
	{
		Relation	index = index_open(lfirst_oid(cell), AccessShareLock);
		bool		is_found = is_serving_index(index, key, *items);

		index_close(index, AccessShareLock);
		if (is_found)
			return lfirst_oid(cell);
	}
	return InvalidOid;
}

/* Have the relation and its partitions few enough pages? */
static bool
is_small(Relation rel)
{
	List	   *relids;
	ListCell   *cell;
	uint64		npages = 0;

	relids = find_all_inheritors(RelationGetRelid(rel), AccessShareLock, NULL);
	foreach(cell, relids)
	{
		Relation	leaf = table_open(lfirst_oid(cell), NoLock);

		if (leaf->rd_rel->relkind == RELKIND_RELATION)
			npages += RelationGetNumberOfBlocks(leaf);
		table_close(leaf, NoLock);
	}
	return npages <= INTAKE_MAX_INDEXED_PAGES;
}

static bool
has_item(List *key, const IntakeKeyItem *item)
{
	ListCell   *cell;

	foreach(cell, key)
	{
		if (equal(((IntakeKeyItem *) lfirst(cell))->expr, item->expr))
			return true;
	}
	return false;
}

/* Appends the items of the key that are (or are not) in the other key. */
static void
append_items(StringInfo sql, List *key, List *other, bool is_in_other)
{
	ListCell   *cell;

	foreach(cell, key)
	{
		IntakeKeyItem *item = lfirst(cell);

		if (has_item(other, item) != is_in_other)
			continue;
		if (sql->len > 0)
			appendStringInfoString(sql, ", ");
		appendStringInfo(sql, item->attnum != 0 ? "%s" : "(%s)", item->sql);
	}
}

/* "schema.table (items)", as CREATE INDEX ... ON takes it. */
static char *
make_definition(Relation rel, List *key, List *other)
{
	char	   *schema = get_namespace_name(RelationGetNamespace(rel));
	StringInfoData items;

	initStringInfo(&items);
	append_items(&items, key, other, true);
	append_items(&items, key, other, false);

	return psprintf("%s (%s)",
					quote_qualified_identifier(schema,
											   RelationGetRelationName(rel)),
					items.data);
}

/* The name that an index for the key gets. */
static char *
choose_name(Relation rel, const char *what)
{
	return ChooseRelationName(RelationGetRelationName(rel),
							  psprintf("%s_key", what), "idx",
							  RelationGetNamespace(rel), false);
}

static void
run_command(const char *command)
{
	int			nest_level = intake_key_settings_begin(true);

	if (SPI_connect() != SPI_OK_CONNECT ||
		SPI_execute(command, false, 0) != SPI_OK_UTILITY ||
		SPI_finish() != SPI_OK_FINISH)
		ereport(ERROR,
				(errcode(ERRCODE_INTERNAL_ERROR),
				 errmsg("could not run \"%s\"", command)));
	intake_key_settings_end(nest_level);
}

/* The table must not be open: CREATE INDEX refuses one that is in use. */
static void
create_index(const char *name, const char *definition, const char *what)
{
	run_command(psprintf("CREATE INDEX %s ON %s", quote_identifier(name),
						 definition));
	ereport(NOTICE,
			(errmsg("created index \"%s\" for the %s key", name, what)));
}

static bool
may_create_index(Relation rel)
{
	return is_small(rel) &&
		intake_may_create_in(RelationGetNamespace(rel), GetUserId());
}

/* An index for one key; what is "replacing" or "partition". */
static void
ensure_index(Oid relid, List *key, List *other, const char *what,
			 bool may_create)
{
	Relation	rel;
	const char *concurrently = "CONCURRENTLY ";
	char	   *definition;
	char	   *name = NULL;
	int		   *items;

	if (key == NIL)
		return;
	rel = table_open(relid, NoLock);
	if (OidIsValid(intake_key_index_find(rel, key, &items)))
	{
		table_close(rel, NoLock);
		return;
	}

	/* PostgreSQL has no concurrent form for partitioned tables. */
	if (rel->rd_rel->relkind == RELKIND_PARTITIONED_TABLE)
		concurrently = "";
	definition = make_definition(rel, key, other);
	if (may_create && may_create_index(rel))
		name = choose_name(rel, what);
	table_close(rel, NoLock);

	if (name != NULL)
		create_index(name, definition, what);
	else
		ereport(NOTICE,
				(errmsg("no index serves the %s key", what),
				 errhint("Create one: CREATE INDEX %sON %s;",
						 concurrently, definition)));
}

void
intake_key_index_ensure(Oid relid, List *replacing_key, List *partition_key,
						bool may_create)
{
	char		relkind = get_rel_relkind(relid);
	bool		is_partition_first;

	if (relkind != RELKIND_RELATION && relkind != RELKIND_PARTITIONED_TABLE)
		return;

	/* The longer key's index may serve the other key too. */
	is_partition_first = list_length(partition_key) >
		list_length(replacing_key);
	if (is_partition_first)
		ensure_index(relid, partition_key, replacing_key, "partition",
					 may_create);
	ensure_index(relid, replacing_key, partition_key, "replacing", may_create);
	if (!is_partition_first)
		ensure_index(relid, partition_key, replacing_key, "partition",
					 may_create);
}

/* Is it a name that choose_name() gives, with or without its number? */
static bool
is_chosen_name(const char *name, const char *table, const char *what)
{
	char	   *chosen = makeObjectName(table, psprintf("%s_key", what),
										"idx");
	size_t		len = strlen(chosen);

	return strncmp(name, chosen, len) == 0 &&
		strspn(name + len, "0123456789") == strlen(name + len);
}

static bool
is_ours(Relation rel, Oid index)
{
	const char *name = get_rel_name(index);
	const char *table = RelationGetRelationName(rel);

	return is_chosen_name(name, table, "replacing") ||
		is_chosen_name(name, table, "partition");
}

/* The names of the indexes to be dropped, as DROP INDEX takes them. */
static List *
find_unused(Relation rel, List *replacing_key, List *partition_key)
{
	char	   *schema = get_namespace_name(RelationGetNamespace(rel));
	List	   *names = NIL;
	Oid			used[2] = {InvalidOid, InvalidOid};
	int		   *items;
	ListCell   *cell;

	if (replacing_key != NIL)
		used[0] = intake_key_index_find(rel, replacing_key, &items);
	if (partition_key != NIL)
		used[1] = intake_key_index_find(rel, partition_key, &items);
	foreach(cell, RelationGetIndexList(rel))
	{
		Oid			index = lfirst_oid(cell);

		if (index != used[0] && index != used[1] && is_ours(rel, index))
			names = lappend(names,
							quote_qualified_identifier(schema,
													   get_rel_name(index)));
	}
	return names;
}

void
intake_key_index_drop_unused(Oid relid, List *replacing_key,
							 List *partition_key)
{
	Relation	rel = table_open(relid, NoLock);
	List	   *names = find_unused(rel, replacing_key, partition_key);
	ListCell   *cell;

	table_close(rel, NoLock);
	foreach(cell, names)
		run_command(psprintf("DROP INDEX %s", (char *) lfirst(cell)));
}

bool
intake_key_index_has_primary(Relation rel)
{
	Oid			relid = intake_primary_key_index(rel);
	Relation	index;
	bool		is_btree;

	if (!OidIsValid(relid))
		return false;
	index = index_open(relid, AccessShareLock);
	is_btree = index->rd_rel->relam == BTREE_AM_OID;
	index_close(index, AccessShareLock);
	return is_btree;
}
