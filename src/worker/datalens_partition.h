/*-------------------------------------------------------------------------
 *
 * datalens_partition.h
 *	  The partitions that a DataLens delete lists.
 *
 *	{"partitions": [{"<item>": <value>, ...}, ...]}
 *
 *-------------------------------------------------------------------------
 */
#ifndef INTAKE_DATALENS_PARTITION_H
#define INTAKE_DATALENS_PARTITION_H

#include "worker/request_body.h"

/*
 * Reads the body; the array of objects.  Raises 22023 for a body of another
 * form, and for an object that has a member twice.
 */
extern Jsonb *intake_datalens_partition_read(IntakeBody *body);

/*
 * The digest of the partitions in hexadecimal digits; it is equal when they
 * are, in their order.
 */
extern char *intake_datalens_partition_digest(Jsonb *partitions);

/*
 * The values of each object as an array in the order of the key's items
 * (char *, as they are written in the key).  Raises 22023 for an object that
 * lacks an item or has a member that is none.
 */
extern Jsonb *intake_datalens_partition_arrange(Jsonb *partitions,
												const List *items);

/*
 * What the answer tells of arranged partitions: deleted_partition_keys,
 * values as strings, and partition_key_columns.
 */
extern Jsonb *intake_datalens_partition_describe(Jsonb *arranged,
												 const List *items);

#endif							/* INTAKE_DATALENS_PARTITION_H */
