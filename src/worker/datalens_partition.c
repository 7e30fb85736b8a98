/*-------------------------------------------------------------------------
 *
 * datalens_partition.c
 *	  The partitions that a DataLens delete lists.
 *
 * They come as objects whose members are called as the items of the key are
 * written; the engine takes them as arrays in the key's order.  That the
 * values fit is for the engine to see.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "convert.h"
#include "worker/datalens_partition.h"
#include "worker/json_object.h"

/* As jsonb a text of small objects takes a hundred times its length. */
#define MAX_BODY_SIZE (4 * 1024 * 1024)

static void
report_body(const char *detail)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("invalid list of partitions"),
			 errdetail("%s", detail),
			 errhint("The body is as {\"partitions\": [{\"day\": \"2024-07-01\"}]}.")));
}

/* Refuses what is no object in the list. */
static void
check_objects(const JsonbContainer *array)
{
	uint32		i;

	for (i = 0; i < JsonContainerSize(array); i++)
	{
		JsonbValue *value =
			getIthJsonbValueFromContainer(unconstify(JsonbContainer *, array),
										  i);

		if (value->type != jbvBinary ||
			!JsonContainerIsObject(value->val.binary.data))
			report_body(psprintf("Partition %u is not an object.", i + 1));
	}
}

/* Refuses members beside the list. */
static void
check_members(const Jsonb *object)
{
	JsonbValue *list = intake_json_object_member(object, "partitions");

	if (list == NULL || list->type != jbvBinary ||
		!JsonContainerIsArray(list->val.binary.data) ||
		JsonContainerIsScalar(list->val.binary.data))
		report_body("Member \"partitions\" must be an array.");
	if (JsonContainerSize(&object->root) > 1)
		report_body("There is no other member than \"partitions\".");
}

Jsonb *
intake_datalens_partition_read(IntakeBody *body)
{
	size_t		len;
	char	   *bytes = intake_body_read_bytes(body, MAX_BODY_SIZE, &len);
	const char *problem = NULL;
	Jsonb	   *object = intake_json_object_read(bytes, len, &problem);
	JsonbValue *list;

	if (object == NULL)
		report_body(psprintf("The body %s.", problem));
	check_members(object);
	list = intake_json_object_member(object, "partitions");
	check_objects(list->val.binary.data);
	return JsonbValueToJsonb(list);
}

char *
intake_datalens_partition_digest(Jsonb *partitions)
{
	IntakeSource *source = intake_source_open_jsonb(partitions);
	uint8		digest[INTAKE_DIGEST_LENGTH];
	char	   *text = palloc(2 * INTAKE_DIGEST_LENGTH + 1);
	int			i;

	intake_source_drain(source);
	intake_source_digest(source, digest);
	for (i = 0; i < INTAKE_DIGEST_LENGTH; i++)
		snprintf(text + 2 * i, 3, "%02x", digest[i]);
	return text;
}

/* The names in quotes, for a message. */
static char *
list_items(const List *items)
{
	StringInfoData text;
	ListCell   *cell;

	initStringInfo(&text);
	foreach(cell, items)
		appendStringInfo(&text, "%s\"%s\"", text.len > 0 ? ", " : "",
						 (char *) lfirst(cell));
	return text.data;
}

static void
report_partition(uint32 number, const char *problem, const char *name,
				 const List *items)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("partition %u %s \"%s\"", number, problem,
					intake_convert_show(name, strlen(name))),
			 errhint("Each partition gives all of the partition key: %s.",
					 list_items(items))));
}

/* The first member of the object that is no item of the key. */
static const char *
find_unknown(JsonbContainer *object, const List *items)
{
	JsonbIterator *iterator = JsonbIteratorInit(object);
	JsonbIteratorToken token;
	JsonbValue	value;

	while ((token = JsonbIteratorNext(&iterator, &value, true)) != WJB_DONE)
	{
		char	   *name;
		bool		is_known = false;
		ListCell   *cell;

		if (token != WJB_KEY)
			continue;
		name = pnstrdup(value.val.string.val, value.val.string.len);
		foreach(cell, items)
			is_known = is_known || strcmp(lfirst(cell), name) == 0;
		if (!is_known)
			return name;
	}
	return NULL;
}

/* Adds one object as an array. */
static void
push_partition(JsonbParseState **state, JsonbContainer *object,
			   uint32 number, const List *items)
{
	const char *unknown = find_unknown(object, items);
	ListCell   *cell;

	(void) pushJsonbValue(state, WJB_BEGIN_ARRAY, NULL);
	foreach(cell, items)
	{
		const char *item = lfirst(cell);
		JsonbValue	value;

		if (getKeyJsonValueFromContainer(object, item, strlen(item),
										 &value) == NULL)
			report_partition(number, "does not give", item, items);
		(void) pushJsonbValue(state, WJB_ELEM, &value);
	}
	if (unknown != NULL)
		report_partition(number, "gives, other than the partition key,",
						 unknown, items);
	(void) pushJsonbValue(state, WJB_END_ARRAY, NULL);
}

Jsonb *
intake_datalens_partition_arrange(Jsonb *partitions, const List *items)
{
	JsonbContainer *list = &partitions->root;
	JsonbParseState *state = NULL;
	uint32		i;

	(void) pushJsonbValue(&state, WJB_BEGIN_ARRAY, NULL);
	for (i = 0; i < JsonContainerSize(list); i++)
	{
		JsonbValue *object = getIthJsonbValueFromContainer(list, i);

		push_partition(&state, object->val.binary.data, i + 1, items);
	}
	return JsonbValueToJsonb(pushJsonbValue(&state, WJB_END_ARRAY, NULL));
}

/* A value as a string; null stays what it is. */
static JsonbValue
make_string(const JsonbValue *value)
{
	JsonbValue	string = *value;
	char	   *text;

	if (value->type == jbvNull || value->type == jbvString)
		return string;
	if (value->type == jbvBinary)
		text = JsonbToCString(NULL, value->val.binary.data,
							  value->val.binary.len);
	else
	{
		Jsonb	   *scalar = JsonbValueToJsonb(&string);

		text = JsonbToCString(NULL, &scalar->root, VARSIZE(scalar));
	}
	string.type = jbvString;
	string.val.string.val = text;
	string.val.string.len = strlen(text);
	return string;
}

/* One partition's values as strings. */
static void
push_strings(JsonbParseState **state, JsonbContainer *values)
{
	uint32		i;

	(void) pushJsonbValue(state, WJB_BEGIN_ARRAY, NULL);
	for (i = 0; i < JsonContainerSize(values); i++)
	{
		JsonbValue	string =
			make_string(getIthJsonbValueFromContainer(values, i));

		(void) pushJsonbValue(state, WJB_ELEM, &string);
	}
	(void) pushJsonbValue(state, WJB_END_ARRAY, NULL);
}

Jsonb *
intake_datalens_partition_describe(Jsonb *arranged, const List *items)
{
	JsonbContainer *list = &arranged->root;
	JsonbParseState *state = NULL;
	ListCell   *cell;
	uint32		i;

	(void) pushJsonbValue(&state, WJB_BEGIN_OBJECT, NULL);
	intake_json_object_push(&state, WJB_KEY, "deleted_partition_keys");
	(void) pushJsonbValue(&state, WJB_BEGIN_ARRAY, NULL);
	for (i = 0; i < JsonContainerSize(list); i++)
		push_strings(&state,
					 getIthJsonbValueFromContainer(list, i)->val.binary.data);
	(void) pushJsonbValue(&state, WJB_END_ARRAY, NULL);
	intake_json_object_push(&state, WJB_KEY, "partition_key_columns");
	(void) pushJsonbValue(&state, WJB_BEGIN_ARRAY, NULL);
	foreach(cell, items)
		intake_json_object_push(&state, WJB_ELEM, lfirst(cell));
	(void) pushJsonbValue(&state, WJB_END_ARRAY, NULL);
	return JsonbValueToJsonb(pushJsonbValue(&state, WJB_END_OBJECT, NULL));
}
