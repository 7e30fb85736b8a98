/*-------------------------------------------------------------------------
 *
 * key_index.h
 *	  The indexes that serve a target's keys.
 *
 *-------------------------------------------------------------------------
 */
#ifndef INTAKE_KEY_INDEX_H
#define INTAKE_KEY_INDEX_H

#include "registry/key.h"

/* A table of more pages gets its index by hand, concurrently. */
#define INTAKE_MAX_INDEXED_PAGES 1000

/*
 * Sees to an index for each of the two keys (lists of IntakeKeyItem; NIL:
 * none), one for both where that is possible.  When none fits it is created
 * as the current user if may_create is true, the table is small and the user
 * may create in its schema; else a NOTICE shows the statement.  Does nothing
 * for relations that have no indexes.  The caller has locked the relation
 * and closed it.
 */
extern void intake_key_index_ensure(Oid relid, List *replacing_key,
									List *partition_key, bool may_create);

/*
 * Drops the indexes that were made by the function above and serve neither of
 * the keys any more; they are known by their names.  The caller has locked
 * the relation and closed it.
 */
extern void intake_key_index_drop_unused(Oid relid, List *replacing_key,
										 List *partition_key);

/*
 * A valid, complete btree index whose leading columns are the items of the
 * key, in any order, compared as the key compares them; InvalidOid without.
 * *items becomes the number of the item that each of these columns holds.
 */
extern Oid	intake_key_index_find(Relation rel, List *key, int **items);

/*
 * Has the relation a primary key to merge by: one that is not deferrable and
 * (since PostgreSQL 18) not WITHOUT OVERLAPS?
 */
extern bool intake_key_index_has_primary(Relation rel);

#endif							/* INTAKE_KEY_INDEX_H */
