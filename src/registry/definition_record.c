/*-------------------------------------------------------------------------
 *
 * definition_record.c
 *	  The table intake.connection_table: stored definitions.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

#include "registry/definition_record.h"
#include "registry/own_table.h"

/* The columns of intake.connection_table. */
enum
{
	COLUMN_CONNECTION_ID,
	COLUMN_TABLE_NAME,
	COLUMN_DEFINITION,
	COLUMN_UPLOADED_AT,
	COLUMNS
};

#define INDEX_NAME "connection_table_pkey"

static Relation
open_table(LOCKMODE lockmode)
{
	return intake_own_table_require("connection_table", lockmode);
}

static void
set_connection_key(ScanKey key, const char *connection_id)
{
	ScanKeyInit(key, COLUMN_CONNECTION_ID + 1, BTEqualStrategyNumber, F_TEXTEQ,
				CStringGetTextDatum(connection_id));
}

static HeapTuple
find_row(Relation table, const char *connection_id, const char *name)
{
	ScanKeyData keys[2];
	NameData	data;

	namestrcpy(&data, name);
	set_connection_key(&keys[0], connection_id);
	ScanKeyInit(&keys[1], COLUMN_TABLE_NAME + 1, BTEqualStrategyNumber,
				F_NAMEEQ, NameGetDatum(&data));
	return intake_own_table_find(table, INDEX_NAME, 2, keys);
}

/* A long definition is stored elsewhere, which takes a snapshot to fetch. */
static Jsonb *
fetch_json(Datum value)
{
	bool		needs_snapshot = !ActiveSnapshotSet();
	Jsonb	   *json;

	if (needs_snapshot)
		PushActiveSnapshot(GetTransactionSnapshot());
	json = DatumGetJsonbP(value);
	if (needs_snapshot)
		PopActiveSnapshot();
	return json;
}

static IntakeDefinition *
read_row(Relation table, HeapTuple row)
{
	Datum		values[COLUMNS];
	bool		nulls[COLUMNS];
	IntakeDefinition *definition;

	heap_deform_tuple(row, RelationGetDescr(table), values, nulls);
	definition =
		intake_definition_parse(fetch_json(values[COLUMN_DEFINITION]));
	definition->name =
		pstrdup(NameStr(*DatumGetName(values[COLUMN_TABLE_NAME])));
	if (!nulls[COLUMN_UPLOADED_AT])
		definition->uploaded_at =
			DatumGetTimestampTz(values[COLUMN_UPLOADED_AT]);
	return definition;
}

IntakeDefinition *
intake_definition_record_find(const char *connection_id, const char *name)
{
	Relation	table = open_table(AccessShareLock);
	HeapTuple	row = find_row(table, connection_id, name);
	IntakeDefinition *definition = NULL;

	if (row != NULL)
		definition = read_row(table, row);
	table_close(table, NoLock);
	return definition;
}

static int
compare_names(const ListCell *a, const ListCell *b)
{
	return strcmp(((IntakeDefinition *) lfirst(a))->name,
				  ((IntakeDefinition *) lfirst(b))->name);
}

/* A scan of the connection's rows. */
static SysScanDesc
begin_scan(Relation table, const char *connection_id)
{
	Oid			index = get_relname_relid(INDEX_NAME,
										  RelationGetNamespace(table));
	ScanKeyData key;

	set_connection_key(&key, connection_id);
	return systable_beginscan(table, index, OidIsValid(index), NULL, 1, &key);
}

List *
intake_definition_record_list(const char *connection_id)
{
	Relation	table = open_table(AccessShareLock);
	SysScanDesc scan = begin_scan(table, connection_id);
	List	   *definitions = NIL;
	HeapTuple	row;

	while (HeapTupleIsValid(row = systable_getnext(scan)))
		definitions = lappend(definitions, read_row(table, row));
	systable_endscan(scan);
	table_close(table, NoLock);
	list_sort(definitions, compare_names);
	return definitions;
}

int
intake_definition_record_count(const char *connection_id)
{
	Relation	table = open_table(AccessShareLock);
	SysScanDesc scan = begin_scan(table, connection_id);
	int			count = 0;

	while (HeapTupleIsValid(systable_getnext(scan)))
		count++;
	systable_endscan(scan);
	table_close(table, NoLock);
	return count;
}

void
intake_definition_record_store(const char *connection_id, const char *name,
							   const IntakeDefinition *definition)
{
	Relation	table = open_table(RowExclusiveLock);
	HeapTuple	row = find_row(table, connection_id, name);
	Datum		values[COLUMNS];
	bool		nulls[COLUMNS] = {0};
	NameData	data;

	namestrcpy(&data, name);
	values[COLUMN_CONNECTION_ID] = CStringGetTextDatum(connection_id);
	values[COLUMN_TABLE_NAME] = NameGetDatum(&data);
	nulls[COLUMN_UPLOADED_AT] = true;
	if (row != NULL)
		heap_deform_tuple(row, RelationGetDescr(table), values, nulls);
	values[COLUMN_DEFINITION] =
		JsonbPGetDatum(intake_definition_make_json(definition));

	if (row == NULL)
		intake_own_table_insert(table, values, nulls);
	else
		intake_own_table_update(table, row, values, nulls);
	table_close(table, NoLock);
}

void
intake_definition_record_touch(const char *connection_id, const char *name)
{
	Relation	table = open_table(RowExclusiveLock);
	HeapTuple	row = find_row(table, connection_id, name);
	Datum		values[COLUMNS];
	bool		nulls[COLUMNS];

	if (row != NULL)
	{
		heap_deform_tuple(row, RelationGetDescr(table), values, nulls);
		values[COLUMN_UPLOADED_AT] =
			TimestampTzGetDatum(GetCurrentTimestamp());
		nulls[COLUMN_UPLOADED_AT] = false;
		intake_own_table_update(table, row, values, nulls);
	}
	table_close(table, NoLock);
}

bool
intake_definition_record_remove(const char *connection_id, const char *name)
{
	Relation	table = open_table(RowExclusiveLock);
	HeapTuple	row = find_row(table, connection_id, name);

	if (row != NULL)
		intake_own_table_delete(table, row);
	table_close(table, NoLock);
	return row != NULL;
}
