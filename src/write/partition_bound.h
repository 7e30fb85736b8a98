/*-------------------------------------------------------------------------
 *
 * partition_bound.h
 *	  The declarative partition that holds the rows of one key, and no others.
 *
 *-------------------------------------------------------------------------
 */
#ifndef INTAKE_PARTITION_BOUND_H
#define INTAKE_PARTITION_BOUND_H

#include "registry/key.h"

/*
 * The partition of rel whose whole bound is the key with this value, or
 * InvalidOid.  Known are list partitions of one value, by the column itself,
 * and range partitions of one day, integer or date_trunc() unit.
 */
extern Oid	intake_partition_of_key(Relation rel, const IntakeKeyItem *item,
									Datum value, bool is_null);

#endif							/* INTAKE_PARTITION_BOUND_H */
