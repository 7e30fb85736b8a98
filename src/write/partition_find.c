/*-------------------------------------------------------------------------
 *
 * partition_find.c
 *	  The partition that the rows of a key are in.
 *
 * The executor's routing does this for rows that are to be inserted: it is an
 * error there when no partition takes the row, and an answer here.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/hash.h"
#include "access/stratnum.h"
#include "access/table.h"
#include "catalog/partition.h"
#include "partitioning/partbounds.h"
#include "partitioning/partdesc.h"
#include "utils/lsyscache.h"
#include "utils/partcache.h"
#include "utils/snapmgr.h"

#include "write/partition_find.h"

/* A partitioned table. */
typedef struct Level
{
	Relation	rel;
	PartitionKey key;
	PartitionDesc desc;
	int		   *items;			/* of its columns; NULL: the key lacks some */
	struct Level **levels;		/* of its partitions; NULL: not asked for */
} Level;

struct IntakePartitionFinder
{
	Relation	rel;
	List	   *key;			/* of IntakeKeyItem */
	MemoryContext context;
	PartitionDirectory directory;
	Level	   *root;
};

/* Whether the table's column i is compared as the key's item is. */
static bool
is_compared_alike(PartitionKey key, int i, const IntakeKeyItem *item)
{
	StrategyNumber strategy = BTEqualStrategyNumber;

	if (key->strategy == PARTITION_STRATEGY_HASH)
		strategy = HTEqualStrategyNumber;
	return key->partcollation[i] == item->collation &&
		get_opfamily_member(key->partopfamily[i], key->partopcintype[i],
							key->partopcintype[i],
							strategy) == item->eq_operator;
}

/* The item that the table is partitioned by in column i: its number, or -1. */
static int
find_item(const IntakePartitionFinder *finder, const Level *level, int i)
{
	AttrNumber	attnum = level->key->partattrs[i];
	ListCell   *cell;

	if (attnum == 0)
		return -1;
	/* the target knows its columns by other numbers */
	attnum = get_attnum(RelationGetRelid(finder->rel),
						get_attname(RelationGetRelid(level->rel), attnum,
									false));
	foreach(cell, finder->key)
	{
		const IntakeKeyItem *item = lfirst(cell);

		if (item->attnum == attnum && is_compared_alike(level->key, i, item))
			return foreach_current_index(cell);
	}
	return -1;
}

static void
find_items(const IntakePartitionFinder *finder, Level *level)
{
	int			n = level->key->partnatts;
	int		   *items = palloc(n * sizeof(int));
	int			i;

	for (i = 0; i < n; i++)
	{
		items[i] = find_item(finder, level, i);
		if (items[i] < 0)
			return;
	}
	level->items = items;
}

static Level *
open_level(IntakePartitionFinder *finder, Oid relid)
{
	MemoryContext old = MemoryContextSwitchTo(finder->context);
	Level	   *level = palloc0(sizeof(Level));

	level->rel = table_open(relid, RowExclusiveLock);
	level->key = RelationGetPartitionKey(level->rel);
	/* it tells which partitions are detached */
	PushActiveSnapshot(GetLatestSnapshot());
	level->desc = PartitionDirectoryLookup(finder->directory, level->rel);
	PopActiveSnapshot();
	level->levels = palloc0(Max(level->desc->nparts, 1) * sizeof(Level *));
	find_items(finder, level);
	MemoryContextSwitchTo(old);
	return level;
}

IntakePartitionFinder *
intake_partition_finder_make(Relation rel, List *key)
{
	IntakePartitionFinder *finder = palloc0(sizeof(IntakePartitionFinder));

	finder->rel = rel;
	finder->key = key;
	finder->context = CurrentMemoryContext;
	finder->directory = CreatePartitionDirectory(CurrentMemoryContext, true);
	finder->root = open_level(finder, RelationGetRelid(rel));
	if (finder->root->items != NULL)
		return finder;
	intake_partition_finder_end(finder);
	return NULL;
}

/* The values' place among the bounds: an index into bounds->indexes, or -1. */
static int
find_bound(PartitionKey key, PartitionBoundInfo bounds, Datum *values,
		   bool *nulls)
{
	bool		is_equal = false;
	uint64		hash;
	int			at;

	if (key->strategy == PARTITION_STRATEGY_HASH)
	{
		hash = compute_partition_hash_value(key->partnatts, key->partsupfunc,
											key->partcollation, values, nulls);
		return hash % bounds->nindexes;
	}
	if (key->strategy == PARTITION_STRATEGY_LIST)
	{
		at = partition_list_bsearch(key->partsupfunc, key->partcollation,
									bounds, values[0], &is_equal);
		return is_equal ? at : -1;
	}
	at = partition_range_datum_bsearch(key->partsupfunc, key->partcollation,
									   bounds, key->partnatts, values,
									   &is_equal);
	return at + 1;
}

/* Which partition takes the values; -1: none. */
static int
find_partition(const Level *level, Datum *values, bool *nulls)
{
	PartitionKey key = level->key;
	PartitionBoundInfo bounds = level->desc->boundinfo;
	bool		has_null = memchr(nulls, true, key->partnatts) != NULL;
	int			index = -1;
	int			at = -1;

	if (level->desc->nparts == 0)
		return -1;
	/* NULL has a list partition of its own; ranges have none for it */
	if (!has_null || key->strategy == PARTITION_STRATEGY_HASH)
		at = find_bound(key, bounds, values, nulls);
	else if (key->strategy == PARTITION_STRATEGY_LIST)
		index = bounds->null_index;
	if (at >= 0)
		index = bounds->indexes[at];
	return index >= 0 ? index : bounds->default_index;
}

bool
intake_partition_find(IntakePartitionFinder *finder, const Datum *values,
					  const bool *nulls, Oid *leaf)
{
	Level	   *level = finder->root;

	*leaf = InvalidOid;
	for (;;)
	{
		Datum		own[PARTITION_MAX_KEYS];
		bool		own_nulls[PARTITION_MAX_KEYS];
		int			index;
		int			i;

		if (level->items == NULL)
			return false;
		for (i = 0; i < level->key->partnatts; i++)
		{
			own[i] = values[level->items[i]];
			own_nulls[i] = nulls[level->items[i]];
		}
		index = find_partition(level, own, own_nulls);
		if (index < 0)
			return true;
		if (level->desc->is_leaf[index])
		{
			*leaf = level->desc->oids[index];
			return true;
		}
		if (level->levels[index] == NULL)
			level->levels[index] = open_level(finder,
											  level->desc->oids[index]);
		level = level->levels[index];
	}
}

static void
close_level(Level *level)
{
	int			i;

	for (i = 0; i < level->desc->nparts; i++)
	{
		if (level->levels[i] != NULL)
			close_level(level->levels[i]);
	}
	table_close(level->rel, NoLock);
}

void
intake_partition_finder_end(IntakePartitionFinder *finder)
{
	close_level(finder->root);
	DestroyPartitionDirectory(finder->directory);
}

Oid
intake_partition_index(Relation partition, Oid index)
{
	ListCell   *cell;

	foreach(cell, RelationGetIndexList(partition))
	{
		Oid			own = lfirst_oid(cell);

		if (get_rel_relispartition(own) &&
			list_member_oid(get_partition_ancestors(own), index))
			return own;
	}
	elog(ERROR, "partition \"%s\" has no index for the key",
		 RelationGetRelationName(partition));
	return InvalidOid;
}
