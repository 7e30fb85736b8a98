/*-------------------------------------------------------------------------
 *
 * merge_key.c
 *	  The unique key that a merge goes by.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/nbtree.h"
#include "access/stratnum.h"
#include "catalog/pg_am.h"
#include "catalog/dependency.h"
#include "catalog/pg_index.h"
#include "catalog/pg_type.h"
#include "utils/lsyscache.h"

#include "write/merge_key.h"

/* Whether the index enforces uniqueness of plain columns in all rows. */
static bool
is_plain_unique(Relation index)
{
	Form_pg_index form = index->rd_index;
	int			i;

	if (!form->indisunique || !form->indisvalid ||
		index->rd_rel->relam != BTREE_AM_OID ||
		!heap_attisnull(index->rd_indextuple, Anum_pg_index_indpred, NULL))
		return false;
	for (i = 0; i < form->indnkeyatts; i++)
	{
		if (form->indkey.values[i] <= 0)
			return false;
	}
	return true;
}

/* Whether the index is over just the columns with these names. */
static bool
covers_names(Relation rel, Relation index, List *names)
{
	Form_pg_index form = index->rd_index;
	ListCell   *cell;
	int			i;

	if (form->indnkeyatts != list_length(names))
		return false;
	foreach(cell, names)
	{
		AttrNumber	attnum = get_attnum(RelationGetRelid(rel), lfirst(cell));

		for (i = 0; i < form->indnkeyatts; i++)
		{
			if (form->indkey.values[i] == attnum)
				break;
		}
		if (i == form->indnkeyatts)
			return false;
	}
	return true;
}

/* Whether the operator class says that equal values are equal bytes. */
static bool
is_bitwise(Oid family, Oid type, Oid collation)
{
	Oid			function = get_opfamily_proc(family, type, type,
											 BTEQUALIMAGE_PROC);

	return OidIsValid(function) &&
		DatumGetBool(OidFunctionCall1Coll(function, collation,
										  ObjectIdGetDatum(type)));
}

static IntakeMergeKey *
make_merge_key(Relation index)
{
	Form_pg_index form = index->rd_index;
	int			n = form->indnkeyatts;
	IntakeMergeKey *key = palloc(sizeof(IntakeMergeKey));
	int			i;

	key->index = RelationGetRelid(index);
	key->is_primary = form->indisprimary;
	key->is_deferrable = !form->indimmediate;
	key->ncolumns = n;
	key->constraint =
		get_constraint_name(get_index_constraint(RelationGetRelid(index)));
	key->attnums = palloc(n * sizeof(AttrNumber));
	key->is_bitwise = palloc(n * sizeof(bool));
	key->eq_operators = palloc(n * sizeof(Oid));
	key->lt_operators = palloc(n * sizeof(Oid));
	key->collations = palloc(n * sizeof(Oid));
	for (i = 0; i < n; i++)
	{
		Oid			family = index->rd_opfamily[i];
		Oid			type = index->rd_opcintype[i];

		key->attnums[i] = form->indkey.values[i];
		key->collations[i] = index->rd_indcollation[i];
		key->is_bitwise[i] = is_bitwise(family, type, key->collations[i]);
		key->eq_operators[i] = get_opfamily_member(family, type, type,
												   BTEqualStrategyNumber);
		key->lt_operators[i] = get_opfamily_member(family, type, type,
												   BTLessStrategyNumber);
	}
	key->is_walkable = n == 1 && index->rd_indoption[0] == 0 &&
		index->rd_opcintype[0] != NAMEOID;
	key->ge_operator = get_opfamily_member(index->rd_opfamily[0],
										   index->rd_opcintype[0],
										   index->rd_opcintype[0],
										   BTGreaterEqualStrategyNumber);
	return key;
}

/* Raises the error for a relation without the key that is asked for. */
static void
report_no_key(Relation rel, List *names)
{
	if (names == NIL)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("table \"%s\" has no primary key to merge by",
						RelationGetRelationName(rel)),
				 errhint("Add one, or name the columns of a unique index in option \"key\".")));
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_COLUMN_REFERENCE),
			 errmsg("table \"%s\" has no unique index over just the columns of option \"key\"",
					RelationGetRelationName(rel)),
			 errdetail("The index must be valid, not partial and without expressions.")));
}

/* Whether a key that was found is the better one to merge by. */
static bool
is_better(const IntakeMergeKey *found, const IntakeMergeKey *best)
{
	if (best == NULL)
		return true;
	if (found->is_deferrable != best->is_deferrable)
		return !found->is_deferrable;
	return found->is_primary && !best->is_primary;
}

IntakeMergeKey *
intake_merge_key(Relation rel, List *names)
{
	List	   *indexes = RelationGetIndexList(rel);
	IntakeMergeKey *key = NULL;
	int			nunique = 0;
	ListCell   *cell;

	foreach(cell, indexes)
	{
		Relation	index = index_open(lfirst_oid(cell), AccessShareLock);
		IntakeMergeKey *found;

		if (index->rd_index->indisunique || index->rd_index->indisexclusion)
			nunique++;
		if (is_plain_unique(index) &&
			(names == NIL ? index->rd_index->indisprimary :
			 covers_names(rel, index, names)))
		{
			found = make_merge_key(index);
			if (is_better(found, key))
				key = found;
		}
		index_close(index, AccessShareLock);
	}
	if (key == NULL)
		report_no_key(rel, names);
	key->is_only = (nunique == 1);
	return key;
}

bool
intake_merge_key_sorts_alike(const IntakeMergeKey *one,
							 const IntakeMergeKey *two)
{
	int			n = one->ncolumns;

	return n == two->ncolumns &&
		memcmp(one->attnums, two->attnums, n * sizeof(AttrNumber)) == 0 &&
		memcmp(one->lt_operators, two->lt_operators, n * sizeof(Oid)) == 0 &&
		memcmp(one->collations, two->collations, n * sizeof(Oid)) == 0;
}

bool
intake_merge_key_sets(const IntakeMergeKey *key, AttrNumber attnum)
{
	int			i;

	for (i = 0; i < key->ncolumns; i++)
	{
		if (key->attnums[i] == attnum)
			return !key->is_bitwise[i];
	}
	return attnum != 0;
}
