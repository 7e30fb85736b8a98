/*-------------------------------------------------------------------------
 *
 * reject_record.c
 *	  The stored rejects of operations, in their time slices.
 *
 * As with the records of operations (operation_record.c), all of this is done
 * with catalog-style calls.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "access/xact.h"
#include "catalog/indexing.h"
#include "catalog/pg_type.h"
#include "executor/tuptable.h"
#include "miscadmin.h"
#include "utils/fmgroids.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

#include "registry/operation_record.h"
#include "registry/reject_record.h"

static Relation
open_slice(int slice)
{
	char		name[NAMEDATALEN];

	snprintf(name, sizeof(name), "reject_%d", slice);
	return table_open(intake_record_relation(name), RowExclusiveLock);
}

TupleDesc
intake_reject_record_desc(void)
{
	static const Oid types[REJECT_COLUMNS] = {
		INT8OID, OIDOID, INT8OID, INT8OID, TEXTOID, TEXTOID, TEXTOID, TEXTOID,
		TEXTOID, TEXTOID
	};
	TupleDesc	desc = CreateTemplateTupleDesc(REJECT_COLUMNS);
	int			i;

	for (i = 0; i < REJECT_COLUMNS; i++)
		TupleDescInitEntry(desc, i + 1, NULL, types[i], -1, 0);
	return desc;
}

/* Writes the row in the slot. */
static void
write_row(Relation slice, CatalogIndexState indexes, TupleTableSlot *slot,
		  int64 sys_cn, Oid target)
{
	Datum		values[REJECT_COLUMNS];
	bool		nulls[REJECT_COLUMNS];

	slot_getallattrs(slot);
	memcpy(values, slot->tts_values, sizeof(values));
	memcpy(nulls, slot->tts_isnull, sizeof(nulls));
	values[REJECT_SYS_CN - 1] = Int64GetDatum(sys_cn);
	values[REJECT_TARGET - 1] = ObjectIdGetDatum(target);
	nulls[REJECT_SYS_CN - 1] = nulls[REJECT_TARGET - 1] = false;
	CatalogTupleInsertWithInfo(slice,
							   heap_form_tuple(RelationGetDescr(slice),
											   values, nulls),
							   indexes);
}

void
intake_reject_record_write(int slice, int64 sys_cn, Oid target,
						   Tuplestorestate *store, TupleDesc desc)
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext,
												  "pg_intake reject",
												  ALLOCSET_DEFAULT_SIZES);
	TupleTableSlot *slot = MakeSingleTupleTableSlot(desc, &TTSOpsMinimalTuple);
	Relation	rel = open_slice(slice);
	CatalogIndexState indexes = CatalogOpenIndexes(rel);

	while (tuplestore_gettupleslot(store, true, false, slot))
	{
		MemoryContext old = MemoryContextSwitchTo(context);

		CHECK_FOR_INTERRUPTS();
		write_row(rel, indexes, slot, sys_cn, target);
		MemoryContextSwitchTo(old);
		MemoryContextReset(context);
	}
	CatalogCloseIndexes(indexes);
	table_close(rel, NoLock);
	ExecDropSingleTupleTableSlot(slot);
	MemoryContextDelete(context);
	CommandCounterIncrement();
}

void
intake_reject_record_forget(int slice, int64 sys_cn)
{
	Relation	rel = open_slice(slice);
	List	   *indexes = RelationGetIndexList(rel);
	ScanKeyData key;
	SysScanDesc scan;
	HeapTuple	tuple;

	if (indexes == NIL)
		elog(ERROR, "relation %s has no index", RelationGetRelationName(rel));
	ScanKeyInit(&key, REJECT_SYS_CN, BTEqualStrategyNumber, F_INT8EQ,
				Int64GetDatum(sys_cn));
	scan = systable_beginscan(rel, linitial_oid(indexes), true, SnapshotSelf,
							  1, &key);
	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		CHECK_FOR_INTERRUPTS();
		CatalogTupleDelete(rel, &tuple->t_self);
	}
	systable_endscan(scan);
	table_close(rel, NoLock);
}
