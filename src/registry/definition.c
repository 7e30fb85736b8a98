/*-------------------------------------------------------------------------
 *
 * definition.c
 *	  What a partner says a table is: read from JSON.
 *
 * Every fault is a 22023 that says where in the JSON it is: schema[2].type.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/heap.h"
#include "catalog/pg_type.h"
#include "mb/pg_wchar.h"
#include "utils/builtins.h"

#include "convert.h"
#include "registry/definition.h"
#include "registry/definition_key.h"

static const struct
{
	const char *name;			/* DataLens' */
	Oid			oid;
	const char *sql;
} types[] = {
	[INTAKE_FIELD_STRING] = {"string", TEXTOID, "pg_catalog.text"},
	[INTAKE_FIELD_INTEGER] = {"integer", INT8OID, "pg_catalog.int8"},
	[INTAKE_FIELD_FLOAT] = {"float", FLOAT8OID, "pg_catalog.float8"},
	[INTAKE_FIELD_DATE] = {"date", DATEOID, "pg_catalog.date"},
	[INTAKE_FIELD_DATETIME] =
	{"datetime", TIMESTAMPTZOID, "pg_catalog.timestamptz"},
	[INTAKE_FIELD_BOOLEAN] = {"boolean", BOOLOID, "pg_catalog.bool"},
	[INTAKE_FIELD_GEOPOINT] = {"geopoint", POINTOID, "pg_catalog.point"}
};

#define TYPES_HINT "Types are string, integer, float, date, datetime, boolean and geopoint."
#define KEY_HINT "An item is the name of a column or date_trunc('unit', column), with second, minute, hour, day, week, month, quarter, year, decade, century or millennium."

static const char *const table_members[] = {
	"title", "schema", "partition_key", "replacing_key", "name", "meta", NULL
};
static const char *const field_members[] = {
	"name", "title", "type", "nullable", NULL
};

Oid
intake_definition_type_oid(IntakeFieldType type)
{
	return types[type].oid;
}

const char *
intake_definition_type_name(IntakeFieldType type)
{
	return types[type].name;
}

const char *
intake_definition_type_sql(IntakeFieldType type)
{
	return types[type].sql;
}

/* The text, cut for a message. */
static char *
show(const char *text)
{
	int			len = strlen(text);

	if (len > INTAKE_MAX_SHOWN_VALUE)
		len = pg_mbcliplen(text, len, INTAKE_MAX_SHOWN_VALUE);
	return pnstrdup(text, len);
}

/* place is where in the JSON, problem and hint are sentences or NULL. */
static void
report_fault(const char *place, const char *problem, const char *hint)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("invalid table definition: %s", place),
			 errdetail("%s", problem),
			 hint == NULL ? 0 : errhint("%s", hint)));
}

/* "a, b and c" would need a last one; the lists here are short. */
static char *
list_names(const char *const *names)
{
	StringInfoData list;
	int			i;

	initStringInfo(&list);
	for (i = 0; names[i] != NULL; i++)
		appendStringInfo(&list, "%s\"%s\"", i > 0 ? ", " : "", names[i]);
	return list.data;
}

/* Refuses members of the object that are none of the names. */
static void
check_members(JsonbContainer *object, const char *place,
			  const char *const *names)
{
	JsonbIterator *iterator = JsonbIteratorInit(object);
	JsonbIteratorToken token;
	JsonbValue	value;

	while ((token = JsonbIteratorNext(&iterator, &value, true)) != WJB_DONE)
	{
		char	   *name;
		int			i;

		if (token != WJB_KEY)
			continue;
		name = pnstrdup(value.val.string.val, value.val.string.len);
		for (i = 0; names[i] != NULL && strcmp(names[i], name) != 0; i++)
			;
		if (names[i] == NULL)
			report_fault(place, psprintf("There is no member \"%s\".",
										 show(name)),
						 psprintf("Members are %s.", list_names(names)));
	}
}

/* A member of the object; NULL if it is not there or is null. */
static JsonbValue *
find_member(JsonbContainer *object, const char *name)
{
	JsonbValue *value = getKeyJsonValueFromContainer(object, name,
													 strlen(name), NULL);

	return value == NULL || value->type == jbvNull ? NULL : value;
}

/* A string of the object; NULL if it is not there and need not be. */
static char *
read_string(JsonbContainer *object, const char *place, const char *name,
			bool is_required)
{
	JsonbValue *value = find_member(object, name);

	if (value == NULL && !is_required)
		return NULL;
	if (value == NULL || value->type != jbvString)
		report_fault(place, psprintf("Member \"%s\" must be a string.", name),
					 NULL);
	return pnstrdup(value->val.string.val, value->val.string.len);
}

/* An array of the object; NULL if it is not there and need not be. */
static JsonbContainer *
read_array(JsonbContainer *object, const char *place, const char *name,
		   bool is_required)
{
	JsonbValue *value = find_member(object, name);

	if (value == NULL && !is_required)
		return NULL;
	if (value == NULL || value->type != jbvBinary ||
		!JsonContainerIsArray(value->val.binary.data) ||
		JsonContainerIsScalar(value->val.binary.data))
		report_fault(place, psprintf("Member \"%s\" must be an array.", name),
					 NULL);
	return value->val.binary.data;
}

/* What is wrong with the name of a table or column, as a sentence, or NULL. */
static const char *
find_name_fault(const char *name)
{
	if (name[0] == '\0')
		return "A name must not be empty.";
	if (strlen(name) >= NAMEDATALEN)
		return psprintf("The name \"%s\" is longer than %d bytes.", show(name),
						NAMEDATALEN - 1);
	return NULL;
}

void
intake_definition_check_name(const char *name)
{
	const char *fault = find_name_fault(name);

	if (fault != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("invalid table name"),
				 errdetail("%s", fault)));
}

static void
check_field_name(const char *place, const char *name)
{
	const char *fault = find_name_fault(name);

	if (fault == NULL && SystemAttributeByName(name) != NULL)
		fault = psprintf("Each table has a column \"%s\" of PostgreSQL's own.",
						 name);
	if (fault != NULL)
		report_fault(place, fault, NULL);
}

static IntakeFieldType
parse_type(const char *place, const char *name)
{
	int			type;

	for (type = 0; type < lengthof(types); type++)
	{
		if (strcmp(types[type].name, name) == 0)
			return type;
	}
	report_fault(place, psprintf("There is no type \"%s\".", show(name)),
				 TYPES_HINT);
	return 0;					/* not reached */
}

static bool
read_nullable(JsonbContainer *object, const char *place)
{
	JsonbValue *value = find_member(object, "nullable");

	if (value == NULL)
		return false;
	if (value->type != jbvBool)
		report_fault(place, "Member \"nullable\" must be true or false.",
					 NULL);
	return value->val.boolean;
}

/* A title; an empty one is none. */
static char *
read_title(JsonbContainer *object, const char *place)
{
	char	   *title = read_string(object, place, "title", false);

	return title == NULL || title[0] == '\0' ? NULL : title;
}

static IntakeFieldDef *
read_field(const JsonbValue *value, const char *place)
{
	IntakeFieldDef *field = palloc0(sizeof(IntakeFieldDef));
	JsonbContainer *object;

	if (value->type != jbvBinary ||
		!JsonContainerIsObject(value->val.binary.data))
		report_fault(place, "A column must be an object.",
					 "As {\"name\": \"city\", \"type\": \"string\"}.");
	object = value->val.binary.data;
	check_members(object, place, field_members);
	field->name = read_string(object, place, "name", true);
	check_field_name(place, field->name);
	field->type = parse_type(place, read_string(object, place, "type", true));
	field->title = read_title(object, place);
	field->is_nullable = read_nullable(object, place);
	return field;
}

static int
compare_names(const ListCell *a, const ListCell *b)
{
	return strcmp(((IntakeFieldDef *) lfirst(a))->name,
				  ((IntakeFieldDef *) lfirst(b))->name);
}

static void
check_repeated_names(const List *fields)
{
	List	   *sorted = list_copy(fields);
	int			i;

	list_sort(sorted, compare_names);
	for (i = 1; i < list_length(sorted); i++)
	{
		const IntakeFieldDef *field = list_nth(sorted, i);

		if (compare_names(list_nth_cell(sorted, i - 1),
						  list_nth_cell(sorted, i)) == 0)
			report_fault("schema", psprintf("The name \"%s\" is there twice.",
											field->name), NULL);
	}
}

static List *
read_schema(JsonbContainer *object)
{
	JsonbContainer *array = read_array(object, "the definition", "schema",
									   true);
	uint32		count = JsonContainerSize(array);
	List	   *fields = NIL;
	uint32		i;

	if (count == 0 || count > MaxHeapAttributeNumber)
		report_fault("schema", psprintf("A table has 1 to %d columns.",
										MaxHeapAttributeNumber), NULL);
	for (i = 0; i < count; i++)
		fields = lappend(fields,
						 read_field(getIthJsonbValueFromContainer(array, i),
									psprintf("schema[%u]", i)));
	check_repeated_names(fields);
	return fields;
}

/* Reads an item; refuses what is none, and what is one of those before it. */
static void
check_item(const List *fields, IntakeDefinitionItem *items, int number,
		   const char *place, const char *text)
{
	IntakeDefinitionItem *item = &items[number];
	const char *problem;
	int			i;

	if (!intake_definition_key_parse(fields, text, item, &problem))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("invalid table definition: %s is \"%s\"", place,
						show(text)),
				 errdetail("%s", problem),
				 errhint(KEY_HINT)));
	for (i = 0; i < number; i++)
	{
		if (items[i].field == item->field && items[i].unit == item->unit)
			report_fault(place, psprintf("The item \"%s\" is there twice.",
										 show(text)), NULL);
	}
}

static List *
read_key(JsonbContainer *object, const List *fields, const char *name,
		 bool *is_there)
{
	JsonbContainer *array = read_array(object, "the definition", name, false);
	IntakeDefinitionItem parsed[INDEX_MAX_KEYS];
	List	   *items = NIL;
	uint32		i;

	*is_there = array != NULL;
	if (array == NULL)
		return NIL;
	if (JsonContainerSize(array) > INDEX_MAX_KEYS)
		report_fault(name, psprintf("A key has at most %d items.",
									INDEX_MAX_KEYS), NULL);
	for (i = 0; i < JsonContainerSize(array); i++)
	{
		JsonbValue *value = getIthJsonbValueFromContainer(array, i);
		char	   *place = psprintf("%s[%u]", name, i);
		char	   *item;

		if (value->type != jbvString)
			report_fault(place, "An item must be a string.", KEY_HINT);
		item = pnstrdup(value->val.string.val, value->val.string.len);
		check_item(fields, parsed, i, place, item);
		items = lappend(items, item);
	}
	return items;
}

IntakeDefinition *
intake_definition_parse(const Jsonb *json)
{
	IntakeDefinition *definition = palloc0(sizeof(IntakeDefinition));
	JsonbContainer *object = (JsonbContainer *) &json->root;

	if (!JsonContainerIsObject(object))
		report_fault("the definition", "It must be an object.", NULL);
	check_members(object, "the definition", table_members);
	definition->name = read_string(object, "the definition", "name", false);
	definition->title = read_title(object, "the definition");
	definition->fields = read_schema(object);
	definition->partition_key = read_key(object, definition->fields,
										 "partition_key",
										 &definition->has_partition_key);
	definition->replacing_key = read_key(object, definition->fields,
										 "replacing_key",
										 &definition->has_replacing_key);
	return definition;
}

char *
intake_definition_key_item(const IntakeDefinition *definition,
						   const char *item)
{
	IntakeDefinitionItem parsed;
	const char *problem;

	if (!intake_definition_key_parse(definition->fields, item, &parsed,
									 &problem))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("invalid key item \"%s\"", show(item)),
				 errdetail("%s", problem),
				 errhint(KEY_HINT)));
	return intake_definition_key_sql(definition->fields, &parsed);
}

const IntakeFieldDef *
intake_definition_find_field(const List *fields, const char *name)
{
	ListCell   *cell;

	foreach(cell, fields)
	{
		const IntakeFieldDef *field = lfirst(cell);

		if (strcmp(field->name, name) == 0)
			return field;
	}
	return NULL;
}

List *
intake_definition_columns(const IntakeDefinition *definition)
{
	List	   *names = NIL;
	ListCell   *cell;

	foreach(cell, definition->fields)
		names = lappend(names,
						pstrdup(((IntakeFieldDef *) lfirst(cell))->name));
	return names;
}
