/*-------------------------------------------------------------------------
 *
 * partition_find.h
 *	  The partition that the rows of a key are in.
 *
 * Tables with partitions are opened, and locked as a DELETE locks them, when
 * a key first leads there; the partitions themselves are not.
 *
 *-------------------------------------------------------------------------
 */
#ifndef INTAKE_PARTITION_FIND_H
#define INTAKE_PARTITION_FIND_H

#include "registry/key.h"

typedef struct IntakePartitionFinder IntakePartitionFinder;

/*
 * For keys (of IntakeKeyItem) of a partitioned table; NULL when they lack
 * columns that it is partitioned by.  In the current memory context.
 */
extern IntakePartitionFinder *intake_partition_finder_make(Relation rel,
														   List *key);

/*
 * *leaf becomes the only partition without partitions that rows with this key
 * can be in, or InvalidOid when there is none; values are one an item.  False
 * when the key does not tell: a table on the way is partitioned by something
 * else, or compares it otherwise.
 */
extern bool intake_partition_find(IntakePartitionFinder *finder,
								  const Datum *values, const bool *nulls,
								  Oid *leaf);

extern void intake_partition_finder_end(IntakePartitionFinder *finder);

/*
 * The partition's own part of an index of the partitioned table, any number
 * of levels up; an error when it has none, which cannot be.
 */
extern Oid	intake_partition_index(Relation partition, Oid index);

#endif							/* INTAKE_PARTITION_FIND_H */
