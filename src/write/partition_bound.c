/*-------------------------------------------------------------------------
 *
 * partition_bound.c
 *	  The declarative partition that holds the rows of one key, and no others.
 *
 * A list partition is one when the value is all that it accepts.  A range
 * partition [low, high) is one when the key of low is the value, the key of
 * high is the next value there can be, and both are the first of their key:
 * for a column of integers or days, low is the value and high is one more;
 * for date_trunc(), low is the value and high is it plus one unit.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "executor/executor.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/optimizer.h"
#include "partitioning/partbounds.h"
#include "partitioning/partdesc.h"
#include "utils/builtins.h"
#include "utils/date.h"
#include "utils/fmgroids.h"
#include "utils/partcache.h"
#include "utils/timestamp.h"

#include "registry/key.h"
#include "write/partition_bound.h"

/* Whether two values of the partition column are equal. */
static bool
is_equal(PartitionKey key, Datum one, Datum two)
{
	return DatumGetInt32(FunctionCall2Coll(&key->partsupfunc[0],
										   key->partcollation[0],
										   one, two)) == 0;
}

/* The list partition that accepts the value and nothing else. */
static int
find_list(PartitionKey key, PartitionBoundInfo bounds, Datum value,
		  bool is_null)
{
	int			index = is_null ? bounds->null_index : -1;
	int			accepted = is_null ? 0 : 1;
	int			found = 0;
	int			i;

	for (i = 0; i < bounds->ndatums && !is_null; i++)
	{
		if (is_equal(key, bounds->datums[i][0], value))
			index = bounds->indexes[i];
	}
	if (index < 0 || index == bounds->default_index ||
		(!is_null && index == bounds->null_index))
		return -1;
	for (i = 0; i < bounds->ndatums; i++)
		found += (bounds->indexes[i] == index);
	return found == accepted ? index : -1;
}

/* The value of the key for a row whose partition column has this value. */
static Datum
key_of_bound(Relation rel, const IntakeKeyItem *item, AttrNumber attnum,
			 Datum bound)
{
	EState	   *estate = CreateExecutorState();
	TupleTableSlot *slot = MakeSingleTupleTableSlot(RelationGetDescr(rel),
													&TTSOpsVirtual);
	ExprState  *expression;
	Datum		result;
	bool		is_null;

	ExecClearTuple(slot);
	memset(slot->tts_isnull, true, slot->tts_tupleDescriptor->natts);
	slot->tts_values[attnum - 1] = bound;
	slot->tts_isnull[attnum - 1] = false;
	ExecStoreVirtualTuple(slot);
	GetPerTupleExprContext(estate)->ecxt_scantuple = slot;
	expression = ExecPrepareExpr(copyObject(item->expr), estate);
	/* key functions are strict on what a bound can be, and by value */
	result = ExecEvalExpr(expression, GetPerTupleExprContext(estate),
						  &is_null);
	ExecDropSingleTupleTableSlot(slot);
	FreeExecutorState(estate);
	return is_null ? (Datum) 0 : result;
}

/* The interval of a date_trunc() unit, or NULL for one that is not regular. */
static Interval *
unit_interval(const char *unit)
{
	static const char *const units[][2] = {
		{"second", "1 second"}, {"minute", "1 minute"}, {"hour", "1 hour"},
		{"day", "1 day"}, {"week", "7 days"}, {"month", "1 month"},
		{"quarter", "3 months"}, {"year", "1 year"}
	};
	Datum		text;
	int			i;

	for (i = 0; i < lengthof(units); i++)
	{
		if (pg_strcasecmp(unit, units[i][0]) != 0)
			continue;
		text = CStringGetDatum(units[i][1]);
		return DatumGetIntervalP(DirectFunctionCall3(interval_in, text,
													 InvalidOid, -1));
	}
	return NULL;
}

/* The unit of date_trunc(unit, timestamp), or NULL for another expression. */
static char *
date_trunc_unit(const Expr *expr)
{
	const FuncExpr *call = (const FuncExpr *) expr;
	Node	   *unit;

	if (!IsA(expr, FuncExpr) || call->funcid != F_DATE_TRUNC_TEXT_TIMESTAMP)
		return NULL;
	unit = eval_const_expressions(NULL, linitial(call->args));
	if (!IsA(unit, Const) || ((Const *) unit)->constisnull)
		return NULL;
	return TextDatumGetCString(((Const *) unit)->constvalue);
}

/* A bound of a date or timestamp column as a timestamp without time zone. */
static Timestamp
bound_timestamp(Oid type, Datum bound)
{
	if (type == DATEOID)
		return DatumGetTimestamp(DirectFunctionCall1(date_timestamp, bound));
	return DatumGetTimestamp(bound);
}

/* Whether [low, high) is one unit of date_trunc(), and the value its first. */
static bool
is_one_unit(Relation rel, const IntakeKeyItem *item, AttrNumber attnum,
			Oid type, Datum value, Datum low, Datum high)
{
	char	   *unit = date_trunc_unit(item->expr);
	Interval   *interval = unit == NULL ? NULL : unit_interval(unit);
	Timestamp	key = DatumGetTimestamp(value);
	Timestamp	next;

	if (interval == NULL || item->type != TIMESTAMPOID ||
		(type != DATEOID && type != TIMESTAMPOID && type != TIMESTAMPTZOID))
		return false;
	next = DatumGetTimestamp(DirectFunctionCall2(timestamp_pl_interval,
												 value,
												 IntervalPGetDatum(interval)));
	/* date_trunc() of timestamptz is taken in UTC, where both are the same */
	return bound_timestamp(type, low) == key &&
		bound_timestamp(type, high) == next &&
		DatumGetTimestamp(key_of_bound(rel, item, attnum, low)) == key &&
		DatumGetTimestamp(key_of_bound(rel, item, attnum, high)) == next;
}

/* Whether [low, high) is just one value of an integer or date column. */
static bool
is_one_value(Oid type, Datum value, Datum low, Datum high)
{
	switch (type)
	{
		case INT2OID:
			return DatumGetInt16(low) == DatumGetInt16(value) &&
				DatumGetInt16(high) - 1 == DatumGetInt16(value);
		case INT4OID:
		case DATEOID:
			return DatumGetInt32(low) == DatumGetInt32(value) &&
				(int64) DatumGetInt32(high) - 1 == DatumGetInt32(value);
		case INT8OID:
			return DatumGetInt64(low) == DatumGetInt64(value) &&
				DatumGetInt64(high) > DatumGetInt64(low) &&
				DatumGetInt64(high) - 1 == DatumGetInt64(value);
		default:
			return false;
	}
}

/* The range partition whose bound is the key with this value. */
static int
find_range(Relation rel, PartitionKey key, PartitionBoundInfo bounds,
		   const IntakeKeyItem *item, Datum value)
{
	AttrNumber	attnum = key->partattrs[0];
	Oid			type = key->parttypid[0];
	int			i;

	for (i = 1; i < bounds->ndatums; i++)
	{
		Datum		low = bounds->datums[i - 1][0];
		Datum		high = bounds->datums[i][0];

		if (bounds->indexes[i] < 0 ||
			bounds->kind[i - 1][0] != PARTITION_RANGE_DATUM_VALUE ||
			bounds->kind[i][0] != PARTITION_RANGE_DATUM_VALUE)
			continue;
		if (item->attnum == attnum ?
			is_one_value(type, value, low, high) :
			is_one_unit(rel, item, attnum, type, value, low, high))
			return bounds->indexes[i];
	}
	return -1;
}

/* Whether the key's item is made of the partition column alone. */
static bool
is_of_partition_column(const IntakeKeyItem *item, AttrNumber attnum)
{
	List	   *key = list_make1(unconstify(IntakeKeyItem *, item));
	List	   *columns = intake_key_columns(key);

	return list_length(columns) == 1 && linitial_int(columns) == attnum;
}

Oid
intake_partition_of_key(Relation rel, const IntakeKeyItem *item, Datum value,
						bool is_null)
{
	PartitionKey key = RelationGetPartitionKey(rel);
	PartitionDesc partitions;
	int			index = -1;

	if (key == NULL || key->partnatts != 1 || key->partattrs[0] == 0 ||
		!is_of_partition_column(item, key->partattrs[0]))
		return InvalidOid;
	partitions = RelationGetPartitionDesc(rel, true);
	if (partitions->nparts == 0)
		return InvalidOid;
	if (key->strategy == PARTITION_STRATEGY_LIST &&
		item->attnum == key->partattrs[0])
		index = find_list(key, partitions->boundinfo, value, is_null);
	else if (key->strategy == PARTITION_STRATEGY_RANGE && !is_null)
		index = find_range(rel, key, partitions->boundinfo, item, value);
	return index < 0 ? InvalidOid : partitions->oids[index];
}
