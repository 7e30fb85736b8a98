/*-------------------------------------------------------------------------
 *
 * merge_key.h
 *	  The unique key that a merge goes by.
 *
 *-------------------------------------------------------------------------
 */
#ifndef INTAKE_MERGE_KEY_H
#define INTAKE_MERGE_KEY_H

#include "nodes/pg_list.h"
#include "utils/rel.h"

typedef struct IntakeMergeKey
{
	bool		is_primary;
	bool		is_only;		/* the table has no other unique index */
	int			ncolumns;
	char	   *constraint;		/* name, or NULL: an index alone */
	AttrNumber *attnums;		/* in the order of the index */
	bool	   *is_bitwise;		/* equal keys have equal bytes */
	Oid		   *eq_operators;	/* of the index's operator classes */
	Oid		   *lt_operators;
	Oid		   *collations;		/* of the index */
} IntakeMergeKey;

/*
 * The primary key, when names (of char *) is NIL, or a unique index over
 * just these columns.  An error says what is missing: there is none, it is
 * partial or on expressions, it is deferrable.  In the current memory
 * context.
 */
extern IntakeMergeKey *intake_merge_key(Relation rel, List *names);

#endif							/* INTAKE_MERGE_KEY_H */
