/*-------------------------------------------------------------------------
 *
 * partial.c
 *	  Merges that set some columns of a row, or only when they are newer.
 *
 * decoded row --note--> change --stage, combine.c--> change --restore--> row
 *
 * A change is a bytea: the number of steps, the columns that the row gives
 * as a bitmap, and for each step its flags, the columns it sets as a bitmap,
 * and its guard.  Without steps the row is one record: it sets what it gives,
 * or all columns, and its guard is its own version.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/sysattr.h"
#include "catalog/pg_type.h"
#include "optimizer/optimizer.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/lsyscache.h"
#include "utils/rls.h"
#include "utils/typcache.h"

#include "write/merge_key.h"
#include "write/partial.h"
#include "write/write.h"

#define STEP_ALWAYS	0x01
#define STEP_WHOLE	0x02

/* Where a change has its first bitmap, and how long bitmaps are. */
#define CHANGE_GIVEN sizeof(uint16)
#define BITMAP_SIZE(partial) (((partial)->columns->ncolumns + 7) / 8)

/* The column of option newer_by, checked. */
static int
find_newer_by(Relation rel, const IntakeColumnSet *columns, const char *name)
{
	AttrNumber	attnum = get_attnum(RelationGetRelid(rel), name);
	int			column;

	if (attnum <= 0)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_COLUMN),
				 errmsg("column \"%s\" of option \"newer_by\" does not exist",
						name)));
	column = intake_columns_of_attnum(columns, attnum);
	if (column < 0)
		ereport(ERROR,
				(errcode(ERRCODE_GENERATED_ALWAYS),
				 errmsg("column \"%s\" of option \"newer_by\" is generated and takes no value",
						name)));
	if (columns->columns[column].is_key)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("column \"%s\" of option \"newer_by\" belongs to the key",
						name),
				 errdetail("It is the same in all records of a row.")));
	return column;
}

/* How versions are compared: as the type's indexes do, NULL before all. */
static void
make_comparator(IntakePartial *partial, const IntakeColumn *column,
				const char *name)
{
	Oid			type = getBaseType(column->type);
	TypeCacheEntry *cache = lookup_type_cache(type, TYPECACHE_LT_OPR |
											  TYPECACHE_BTREE_OPFAMILY |
											  TYPECACHE_CMP_PROC);

	if (!OidIsValid(cache->lt_opr) || !OidIsValid(cache->cmp_proc))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("column \"%s\" of option \"newer_by\" has type %s, which has no default btree operator class",
						name, format_type_be(column->type))));
	partial->newer_attnum = column->attnum;
	partial->length = cache->typlen;
	partial->is_by_value = cache->typbyval;
	partial->comparator.ssup_cxt = CurrentMemoryContext;
	partial->comparator.ssup_collation = column->collation;
	partial->comparator.ssup_nulls_first = true;
	PrepareSortSupportFromOrderingOp(cache->lt_opr, &partial->comparator);
}

IntakePartial *
intake_partial_make(Relation rel, IntakeColumnSet *columns,
					const IntakeOptions *options, int sys_op)
{
	IntakePartial *partial;

	if (options->update_columns == INTAKE_UPDATE_ALL &&
		options->newer_by == NULL)
		return NULL;
	partial = palloc0(sizeof(IntakePartial));
	partial->columns = columns;
	partial->sys_op = sys_op;
	partial->is_present = options->update_columns == INTAKE_UPDATE_PRESENT;
	partial->newer_by = -1;
	if (options->newer_by != NULL)
	{
		partial->newer_by = find_newer_by(rel, columns, options->newer_by);
		make_comparator(partial, &columns->columns[partial->newer_by],
						options->newer_by);
	}
	partial->change = intake_columns_add_hidden(columns, BYTEAOID);
	partial->is_left_out = palloc0(columns->ncolumns * sizeof(bool));
	return partial;
}

static void
write_bitmap(const IntakePartial *partial, const bool *flags, uint8 *bitmap)
{
	int			i;

	memset(bitmap, 0, BITMAP_SIZE(partial));
	for (i = 0; i < partial->columns->ncolumns; i++)
	{
		if (flags[i])
			bitmap[i / 8] |= 1 << (i % 8);
	}
}

static bool
has_bit(const uint8 *bitmap, int i)
{
	return (bitmap[i / 8] & (1 << (i % 8))) != 0;
}

/*
 * What is in a row's change; NULL: it has none, and gives all columns.  It is
 * never toasted, but its header may be short.
 */
static const char *
change_of(const IntakePartial *partial, const Datum *values, const bool *nulls)
{
	if (nulls[partial->change])
		return NULL;
	return VARDATA_ANY(DatumGetPointer(values[partial->change]));
}

static uint16
count_steps(const char *change)
{
	uint16		nsteps;

	if (change == NULL)
		return 0;
	memcpy(&nsteps, change, sizeof(nsteps));
	return nsteps;
}

void
intake_partial_note(IntakePartial *partial, IntakeRow *row)
{
	const IntakeColumnSet *columns = partial->columns;
	int			i;

	if (!partial->is_present ||
		intake_columns_is_delete(columns, partial->sys_op, row))
		return;
	for (i = 0; i < columns->ncolumns; i++)
	{
		if (!row->is_set[i])
			partial->is_left_out[i] = true;
	}
	row->values[partial->change] =
		intake_partial_change(partial, row->is_set, NULL, 0);
	row->nulls[partial->change] = false;
}

void
intake_partial_given(const IntakePartial *partial, const Datum *values,
					 const bool *nulls, bool *given)
{
	const char *change = change_of(partial, values, nulls);
	int			i;

	for (i = 0; i < partial->columns->ncolumns; i++)
		given[i] = change == NULL ||
			has_bit((const uint8 *) change + CHANGE_GIVEN, i);
}

void
intake_partial_restore(IntakePartial *partial, IntakeBatch *batch)
{
	int			i;

	for (i = 0; i < batch->nrows; i++)
	{
		IntakeRow  *row = &batch->rows[i];

		intake_partial_given(partial, row->values, row->nulls, row->is_set);
		if (count_steps(change_of(partial, row->values, row->nulls)) > 0)
			partial->has_steps = true;
	}
}

IntakeGuard
intake_partial_version(const IntakePartial *partial, const Datum *values,
					   const bool *nulls)
{
	IntakeGuard guard = {.is_always = true};
	IntakeRow	row = {0};

	if (partial->newer_by < 0)
		return guard;
	row.values = (Datum *) values;
	row.nulls = (bool *) nulls;
	guard.value = values[partial->newer_by];
	guard.is_null = nulls[partial->newer_by];
	guard.is_always = guard.is_null &&
		intake_columns_is_delete(partial->columns, partial->sys_op, &row);
	return guard;
}

int
intake_partial_compare(const IntakePartial *partial, const IntakeGuard *one,
					   const IntakeGuard *two)
{
	SortSupport comparator = (SortSupport) &partial->comparator;

	if (one->is_always || two->is_always)
		return (int) one->is_always - (int) two->is_always;
	return ApplySortComparator(one->value, one->is_null, two->value,
							   two->is_null, comparator);
}

/* The bytes that a step takes in a change, but for its flags and bitmap. */
static Size
guard_size(const IntakePartial *partial, const IntakeGuard *guard)
{
	if (guard->is_always)
		return 0;
	return datumEstimateSpace(guard->value, guard->is_null,
							  partial->is_by_value, partial->length);
}

Datum
intake_partial_change(const IntakePartial *partial, const bool *given,
					  const IntakeStep *steps, int nsteps)
{
	Size		size = VARHDRSZ + CHANGE_GIVEN + BITMAP_SIZE(partial);
	uint16		count = (uint16) nsteps;
	char	   *change;
	char	   *end;
	int			i;

	for (i = 0; i < nsteps; i++)
		size += 1 + BITMAP_SIZE(partial) +
			guard_size(partial, &steps[i].guard);
	change = palloc(size);
	SET_VARSIZE(change, size);
	end = change + VARHDRSZ;
	memcpy(end, &count, sizeof(count));
	write_bitmap(partial, given, (uint8 *) end + CHANGE_GIVEN);
	end += CHANGE_GIVEN + BITMAP_SIZE(partial);
	for (i = 0; i < nsteps; i++)
	{
		const IntakeGuard *guard = &steps[i].guard;

		*end++ = (guard->is_always ? STEP_ALWAYS : 0) |
			(steps[i].is_whole ? STEP_WHOLE : 0);
		write_bitmap(partial, steps[i].sets, (uint8 *) end);
		end += BITMAP_SIZE(partial);
		if (!guard->is_always)
			datumSerialize(guard->value, guard->is_null, partial->is_by_value,
						   partial->length, &end);
	}
	return PointerGetDatum(change);
}

/*
 * Reads the step at *place, and moves *place behind it: its guard; whether it
 * sets the column; the last when none is asked for (-1).
 */
static bool
read_step(const IntakePartial *partial, const char **place, int column,
		  IntakeGuard *guard)
{
	char	   *end = (char *) *place;
	uint8		flags = (uint8) *end++;
	bool		sets = (flags & STEP_WHOLE) != 0 ||
		(column >= 0 && has_bit((const uint8 *) end, column));

	end += BITMAP_SIZE(partial);
	memset(guard, 0, sizeof(*guard));
	guard->is_always = (flags & STEP_ALWAYS) != 0;
	if (!guard->is_always)
		guard->value = datumRestore(&end, &guard->is_null);
	*place = end;
	return sets;
}

/*
 * Whether a step of the change applies to a row of that version, and sets
 * the column, if one is given.
 */
static bool
has_step(const IntakePartial *partial, const char *change, int column,
		 const IntakeGuard *version)
{
	const char *place = change + CHANGE_GIVEN + BITMAP_SIZE(partial);
	int			nsteps = count_steps(change);
	int			i;

	for (i = 0; i < nsteps; i++)
	{
		IntakeGuard guard;
		bool		sets = read_step(partial, &place, column, &guard);

		if ((sets || column < 0) &&
			intake_partial_compare(partial, version, &guard) <= 0)
			return true;
	}
	return false;
}

bool
intake_partial_is_combined(const IntakePartial *partial, const IntakeRow *row)
{
	return count_steps(change_of(partial, row->values, row->nulls)) > 0;
}

bool
intake_partial_replaces(IntakePartial *partial, const IntakeRow *row,
						Datum version, bool is_null)
{
	const char *change = change_of(partial, row->values, row->nulls);
	IntakeGuard there = {.is_null = is_null, .value = version};
	IntakeGuard own;

	if (partial->newer_by < 0)
		return true;
	if (count_steps(change) > 0)
		return has_step(partial, change, -1, &there);
	own = intake_partial_version(partial, row->values, row->nulls);
	return intake_partial_compare(partial, &there, &own) <= 0;
}

bool
intake_partial_sets(IntakePartial *partial, const IntakeRow *row, int column,
					Datum version, bool is_null)
{
	const char *change = change_of(partial, row->values, row->nulls);
	IntakeGuard there = {.is_null = is_null, .value = version};

	if (!partial->is_present)
		return true;
	if (count_steps(change) > 0)
		return has_step(partial, change, column, &there);
	return row->is_set[column];
}

bool
intake_partial_may_set(const IntakeWriter *writer, int column)
{
	const IntakePartial *partial = writer->partial;

	return partial == NULL || !partial->is_present || partial->has_steps ||
		writer->defaults->mentioned[column];
}

bool
intake_partial_may_keep(const IntakeWriter *writer, int column)
{
	const IntakePartial *partial = writer->partial;

	return partial != NULL && partial->is_present &&
		(partial->has_steps || partial->is_left_out[column]);
}

/* The columns of the target that some record leaves out, as bits. */
static Bitmapset *
find_left_out(const IntakePartial *partial)
{
	Bitmapset  *result = NULL;
	int			i;

	for (i = 0; i < partial->columns->ncolumns; i++)
	{
		AttrNumber	attnum = partial->columns->columns[i].attnum;

		if (attnum != 0 && partial->is_left_out[i])
			result = bms_add_member(result, attnum -
									FirstLowInvalidHeapAttributeNumber);
	}
	return result;
}

/* Whether the column may stay NULL, or has a default. */
static bool
may_be_missing(Form_pg_attribute attribute)
{
	if (attribute->atthasdef || attribute->attidentity != '\0')
		return true;
	return !attribute->attnotnull &&
		get_typtype(attribute->atttypid) != TYPTYPE_DOMAIN;
}

/* Whether a CHECK constraint looks at one of the columns. */
static bool
is_checked(const TupleConstr *constraints, Bitmapset *columns)
{
	int			i;

	for (i = 0; constraints != NULL && i < constraints->num_check; i++)
	{
		Bitmapset  *used = NULL;

		pull_varattnos(stringToNode(constraints->check[i].ccbin), 1, &used);
		if (bms_overlap(used, columns) ||
			bms_is_member(-FirstLowInvalidHeapAttributeNumber, used))
			return true;
	}
	return false;
}

/* Generated columns may fail, or their constraints. */
static bool
has_generated(TupleDesc desc)
{
	int			i;

	for (i = 0; i < desc->natts; i++)
	{
		if (TupleDescAttr(desc, i)->attgenerated != '\0')
			return true;
	}
	return false;
}

bool
intake_partial_suits_conflict(const IntakeWriter *writer,
							  const IntakeMergeKey *key)
{
	Relation	rel = writer->rel;
	TupleDesc	desc = RelationGetDescr(rel);
	Bitmapset  *left_out;
	int			bit = -1;

	if (writer->partial == NULL || !writer->partial->is_present)
		return true;
	left_out = find_left_out(writer->partial);
	if (bms_is_empty(left_out))
		return true;
	if (rel->rd_rel->relkind != RELKIND_RELATION || !key->is_only ||
		check_enable_rls(RelationGetRelid(rel), InvalidOid,
						 true) == RLS_ENABLED)
		return false;
	if (has_generated(desc) || is_checked(desc->constr, left_out))
		return false;
	while ((bit = bms_next_member(left_out, bit)) >= 0)
	{
		int			attnum = bit + FirstLowInvalidHeapAttributeNumber;

		if (!may_be_missing(TupleDescAttr(desc, attnum - 1)))
			return false;
	}
	return true;
}

void
intake_partial_complete(const IntakeWriter *writer, IntakeBatch *batch)
{
	MemoryContext old;
	int			i;

	if (writer->partial == NULL || !writer->partial->is_present)
		return;
	old = MemoryContextSwitchTo(batch->context);
	for (i = 0; i < batch->nrows; i++)
		intake_defaults_fill(writer->defaults, &batch->rows[i]);
	MemoryContextSwitchTo(old);
}
