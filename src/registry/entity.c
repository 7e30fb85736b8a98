/*-------------------------------------------------------------------------
 *
 * entity.c
 *	  The table intake.entity: one row a registered target.
 *
 * A row is found by its target's OID and counts only while row_type is the
 * composite type of the relation with that OID: no other relation ever has
 * it, so an OID that is reused takes no registration over.
 *
 * Rows are read by a fresh catalog snapshot (own_table.h).  SnapshotSelf would
 * not do: a scan that meets a concurrent update may see neither version of
 * the row, and an upload would take the target for an unregistered one.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/table.h"
#include "catalog/pg_type.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/timestamp.h"

#include "registry/entity.h"
#include "registry/own_table.h"

/* The columns of intake.entity. */
enum
{
	ENTITY_TARGET = 1,
	ENTITY_ROW_TYPE,
	ENTITY_KIND,
	ENTITY_DATAMART,
	ENTITY_ENTITY,
	ENTITY_MODE,
	ENTITY_REPLACING_KEY,
	ENTITY_REPLACING_SQL,
	ENTITY_PARTITION_KEY,
	ENTITY_PARTITION_SQL,
	ENTITY_OPTIONS,
	ENTITY_REGISTERED_AT,
	ENTITY_REGISTERED_BY,
	ENTITY_NCOLUMNS = ENTITY_REGISTERED_BY
};

Relation
intake_entity_open(LOCKMODE lockmode)
{
	return intake_own_table_open("entity", lockmode);
}

void
intake_entity_close(Relation table)
{
	table_close(table, NoLock);
}

HeapTuple
intake_entity_find(Relation table, Oid target)
{
	ScanKeyData key;

	ScanKeyInit(&key, ENTITY_TARGET, BTEqualStrategyNumber, F_OIDEQ,
				ObjectIdGetDatum(target));
	return intake_own_table_find(table, "entity_pkey", 1, &key);
}

HeapTuple
intake_entity_find_name(Relation table, const char *datamart,
						const char *entity)
{
	ScanKeyData keys[2];
	NameData	names[2];

	namestrcpy(&names[0], datamart);
	namestrcpy(&names[1], entity);
	ScanKeyInit(&keys[0], ENTITY_DATAMART, BTEqualStrategyNumber, F_NAMEEQ,
				NameGetDatum(&names[0]));
	ScanKeyInit(&keys[1], ENTITY_ENTITY, BTEqualStrategyNumber, F_NAMEEQ,
				NameGetDatum(&names[1]));
	return intake_own_table_find(table, "entity_datamart_entity_key", 2, keys);
}

/* A text array as a list of char *; NIL for NULL. */
static List *
read_texts(Datum array, bool is_null)
{
	List	   *texts = NIL;
	Datum	   *values;
	bool	   *nulls;
	int			count;
	int			i;

	if (is_null)
		return NIL;

	deconstruct_array(DatumGetArrayTypeP(array), TEXTOID, -1, false,
					  TYPALIGN_INT, &values, &nulls, &count);
	for (i = 0; i < count; i++)
	{
		if (!nulls[i])
			texts = lappend(texts, TextDatumGetCString(values[i]));
	}
	return texts;
}

static IntakeKind
parse_kind(const char *name)
{
	IntakeKind	kind;

	for (kind = INTAKE_KIND_LOGICAL; kind <= INTAKE_KIND_STANDALONE; kind++)
	{
		if (strcmp(intake_kind_name(kind), name) == 0)
			return kind;
	}
	return INTAKE_KIND_NONE;
}

IntakeEntity *
intake_entity_read(Relation table, HeapTuple row)
{
	IntakeEntity *entity = palloc0(sizeof(IntakeEntity));
	Datum		values[ENTITY_NCOLUMNS + 1];
	bool		nulls[ENTITY_NCOLUMNS + 1];

	Assert(RelationGetNumberOfAttributes(table) == ENTITY_NCOLUMNS);
	heap_deform_tuple(row, RelationGetDescr(table), values + 1, nulls + 1);

	entity->target = DatumGetObjectId(values[ENTITY_TARGET]);
	entity->row_type = DatumGetObjectId(values[ENTITY_ROW_TYPE]);
	entity->kind = parse_kind(TextDatumGetCString(values[ENTITY_KIND]));
	entity->datamart = pstrdup(NameStr(*DatumGetName(values[ENTITY_DATAMART])));
	entity->entity = pstrdup(NameStr(*DatumGetName(values[ENTITY_ENTITY])));
	if (!nulls[ENTITY_MODE])
		entity->mode =
			intake_mode_parse(TextDatumGetCString(values[ENTITY_MODE]));
	entity->replacing_key = read_texts(values[ENTITY_REPLACING_KEY],
									   nulls[ENTITY_REPLACING_KEY]);
	entity->replacing_sql = read_texts(values[ENTITY_REPLACING_SQL],
									   nulls[ENTITY_REPLACING_SQL]);
	entity->partition_key = read_texts(values[ENTITY_PARTITION_KEY],
									   nulls[ENTITY_PARTITION_KEY]);
	entity->partition_sql = read_texts(values[ENTITY_PARTITION_SQL],
									   nulls[ENTITY_PARTITION_SQL]);
	entity->options = DatumGetJsonbPCopy(values[ENTITY_OPTIONS]);
	entity->registered_at = DatumGetTimestampTz(values[ENTITY_REGISTERED_AT]);
	entity->registered_by =
		pstrdup(NameStr(*DatumGetName(values[ENTITY_REGISTERED_BY])));

	return entity;
}

bool
intake_entity_is_current(const IntakeEntity *entity)
{
	Oid			row_type = get_rel_type_id(entity->target);

	return OidIsValid(row_type) && row_type == entity->row_type;
}

static void
set_texts(Datum *value, bool *is_null, List *texts)
{
	Datum	   *items = palloc(sizeof(Datum) * (list_length(texts) + 1));
	int			count = 0;
	ListCell   *cell;

	*is_null = texts == NIL;
	if (texts == NIL)
		return;

	foreach(cell, texts)
		items[count++] = CStringGetTextDatum(lfirst(cell));
	*value = PointerGetDatum(construct_array(items, count, TEXTOID, -1, false,
											 TYPALIGN_INT));
}

static Datum
make_name(const char *string)
{
	Name		name = palloc0(sizeof(NameData));

	namestrcpy(name, string);
	return NameGetDatum(name);
}

/* values and nulls are indexed by column number. */
static void
form_values(const IntakeEntity *entity, Datum *values, bool *nulls)
{
	values[ENTITY_TARGET] = ObjectIdGetDatum(entity->target);
	values[ENTITY_ROW_TYPE] = ObjectIdGetDatum(entity->row_type);
	values[ENTITY_KIND] = CStringGetTextDatum(intake_kind_name(entity->kind));
	values[ENTITY_DATAMART] = make_name(entity->datamart);
	values[ENTITY_ENTITY] = make_name(entity->entity);
	nulls[ENTITY_MODE] = entity->mode == INTAKE_MODE_DEFAULT;
	if (!nulls[ENTITY_MODE])
		values[ENTITY_MODE] =
			CStringGetTextDatum(intake_mode_name(entity->mode));
	set_texts(&values[ENTITY_REPLACING_KEY], &nulls[ENTITY_REPLACING_KEY],
			  entity->replacing_key);
	set_texts(&values[ENTITY_REPLACING_SQL], &nulls[ENTITY_REPLACING_SQL],
			  entity->replacing_sql);
	set_texts(&values[ENTITY_PARTITION_KEY], &nulls[ENTITY_PARTITION_KEY],
			  entity->partition_key);
	set_texts(&values[ENTITY_PARTITION_SQL], &nulls[ENTITY_PARTITION_SQL],
			  entity->partition_sql);
	values[ENTITY_OPTIONS] = JsonbPGetDatum(entity->options);
	values[ENTITY_REGISTERED_AT] = TimestampTzGetDatum(entity->registered_at);
	values[ENTITY_REGISTERED_BY] = make_name(entity->registered_by);
}

/* Does the row hold these values, whoever wrote them, whenever? */
static bool
is_same(Relation table, HeapTuple row, const Datum *values, const bool *nulls)
{
	Datum		old_values[ENTITY_NCOLUMNS + 1];
	bool		old_nulls[ENTITY_NCOLUMNS + 1];
	int			i;

	heap_deform_tuple(row, RelationGetDescr(table), old_values + 1,
					  old_nulls + 1);
	for (i = ENTITY_TARGET; i < ENTITY_REGISTERED_AT; i++)
	{
		Form_pg_attribute column = TupleDescAttr(RelationGetDescr(table),
												 i - 1);

		if (nulls[i] != old_nulls[i])
			return false;
		if (!nulls[i] && !datum_image_eq(values[i], old_values[i],
										 column->attbyval, column->attlen))
			return false;
	}
	return true;
}

void
intake_entity_store(Relation table, HeapTuple row, const IntakeEntity *entity)
{
	Datum		values[ENTITY_NCOLUMNS + 1] = {0};
	bool		nulls[ENTITY_NCOLUMNS + 1] = {0};

	form_values(entity, values, nulls);
	if (row != NULL && is_same(table, row, values, nulls))
		return;

	if (row == NULL)
		intake_own_table_insert(table, values + 1, nulls + 1);
	else
		intake_own_table_update(table, row, values + 1, nulls + 1);
}

void
intake_entity_remove(Relation table, HeapTuple row)
{
	intake_own_table_delete(table, row);
}
