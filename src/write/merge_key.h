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
	Oid			index;
	bool		is_primary;
	bool		is_deferrable;	/* ON CONFLICT cannot go by it */
	bool		is_only;		/* the table has no other unique index */
	int			ncolumns;
	char	   *constraint;		/* name, or NULL: an index alone */
	AttrNumber *attnums;		/* in the order of the index */
	bool	   *is_bitwise;		/* equal keys have equal bytes */
	bool		is_walkable;	/* one column, ascending, NULLs last */
	Oid			ge_operator;	/* of a walkable key */
	Oid		   *eq_operators;	/* of the index's operator classes */
	Oid		   *lt_operators;
	Oid		   *collations;		/* of the index */
} IntakeMergeKey;

/*
 * The primary key, when names (of char *) is NIL, or a unique index over
 * just these columns, not deferrable if there is one.  An error says when
 * there is none, or only one that is partial or on expressions.  In the
 * current memory context.
 */
extern IntakeMergeKey *intake_merge_key(Relation rel, List *names);

/* Whether both are of the same columns and sort them in the same way. */
extern bool intake_merge_key_sorts_alike(const IntakeMergeKey *one,
										 const IntakeMergeKey *two);

/*
 * Whether an update of a row has to set the column with this attribute
 * number.  A key that stays the same to the byte is left alone: setting it
 * would lock the row against foreign keys that refer to it.
 */
extern bool intake_merge_key_sets(const IntakeMergeKey *key,
								  AttrNumber attnum);

#endif							/* INTAKE_MERGE_KEY_H */
