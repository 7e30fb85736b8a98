/*-------------------------------------------------------------------------
 *
 * json_object.c
 *	  Small JSON objects from outside.
 *
 * UTF-8 text --> scan_json: grammar, nesting, members counted --> jsonb in the
 * database's encoding --> its members counted: as many?
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "mb/pg_wchar.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/numeric.h"

#include "compat.h"
#include "format/scan_json.h"
#include "worker/json_object.h"

#define MAX_DEPTH 16

/*
 * How many members the objects of a text have in all, or -1 if it is not one
 * object: outside of strings each has its colon.
 */
static int
count_colons(const char *text, size_t len)
{
	IntakeScanJson scan;
	IntakeJsonToken token;
	int			colons = 0;

	intake_scan_json_begin(&scan, text, len);
	intake_scan_json_skip_blanks(&scan);
	if (scan.cursor == scan.limit || *scan.cursor != '{' ||
		!intake_scan_json_skip(&scan, MAX_DEPTH) ||
		intake_scan_json_next(&scan) != INTAKE_JSON_END)
		return -1;

	intake_scan_json_begin(&scan, text, len);
	while ((token = intake_scan_json_next(&scan)) != INTAKE_JSON_END)
	{
		if (token == INTAKE_JSON_COLON)
			colons++;
	}
	return colons;
}

static int
count_members(const Jsonb *object)
{
	JsonbIterator *iterator =
		JsonbIteratorInit((JsonbContainer *) &object->root);
	JsonbIteratorToken token;
	JsonbValue	value;
	int			members = 0;

	while ((token = JsonbIteratorNext(&iterator, &value, false)) != WJB_DONE)
	{
		if (token == WJB_KEY)
			members++;
	}
	return members;
}

/*
 * The jsonb of a text that is known to be JSON, or NULL where the database
 * cannot hold it: a character that its encoding does not have, a number out
 * of range.  These functions use nothing but memory, so that their error can
 * be dropped without a subtransaction.
 */
static Jsonb *
make_jsonb(const char *text, size_t len)
{
	MemoryContext context = CurrentMemoryContext;
	char	   *copy = pnstrdup(text, len);
	Jsonb	   *volatile object = NULL;

	PG_TRY();
	{
		char	   *own = pg_any_to_server(copy, len, PG_UTF8);

		object = DatumGetJsonbP(DirectFunctionCall1(jsonb_in,
													CStringGetDatum(own)));
	}
	PG_CATCH();
	{
		if (ERRCODE_TO_CATEGORY(geterrcode()) != ERRCODE_DATA_EXCEPTION)
			PG_RE_THROW();
		MemoryContextSwitchTo(context);
		FlushErrorState();
	}
	PG_END_TRY();

	return object;
}

Jsonb *
intake_json_object_read(const char *text, size_t len, const char **problem)
{
	int			colons = count_colons(text, len);
	Jsonb	   *object;

	if (colons < 0)
	{
		*problem = "is not a JSON object";
		return NULL;
	}
	object = make_jsonb(text, len);
	if (object == NULL)
		*problem = "has a value that the database cannot hold";
	else if (count_members(object) != colons)
	{
		*problem = "has a member twice";
		object = NULL;
	}
	return object;
}

JsonbValue *
intake_json_object_member(const Jsonb *object, const char *name)
{
	return getKeyJsonValueFromContainer((JsonbContainer *) &object->root,
										name, strlen(name), NULL);
}

static char *
copy_string(const JsonbValue *value)
{
	return pnstrdup(value->val.string.val, value->val.string.len);
}

bool
intake_json_object_text(const Jsonb *object, const char *name, char **value)
{
	JsonbValue *member = intake_json_object_member(object, name);

	*value = NULL;
	if (member == NULL)
		return true;
	if (member->type != jbvString)
		return false;
	*value = copy_string(member);
	return true;
}

/* An array of strings; false if an item is none. */
static bool
read_texts(JsonbContainer *array, List **texts)
{
	JsonbIterator *iterator = JsonbIteratorInit(array);
	JsonbIteratorToken token;
	JsonbValue	item;

	while ((token = JsonbIteratorNext(&iterator, &item, true)) != WJB_DONE)
	{
		if (token != WJB_ELEM)
			continue;
		if (item.type != jbvString)
			return false;
		*texts = lappend(*texts, copy_string(&item));
	}
	return true;
}

bool
intake_json_object_texts(const Jsonb *object, const char *name, List **value)
{
	JsonbValue *member = intake_json_object_member(object, name);

	*value = NIL;
	if (member == NULL)
		return true;
	if (member->type == jbvString)
	{
		*value = list_make1(copy_string(member));
		return true;
	}
	return member->type == jbvBinary &&
		   JsonContainerIsArray(member->val.binary.data) &&
		   read_texts(member->val.binary.data, value);
}

bool
intake_json_object_number(const Jsonb *object, const char *name,
						  double *value, bool *is_there)
{
	JsonbValue *member = intake_json_object_member(object, name);

	*is_there = member != NULL;
	if (member == NULL)
		return true;
	if (member->type != jbvNumeric)
		return false;
	*value = DatumGetFloat8(
		DirectFunctionCall1(numeric_float8_no_overflow,
							NumericGetDatum(member->val.numeric)));
	return true;
}

void
intake_json_object_push(JsonbParseState **state, JsonbIteratorToken token,
						const char *text)
{
	JsonbValue	value;

	value.type = jbvString;
	value.val.string.val = unconstify(char *, text);
	value.val.string.len = strlen(text);
	(void) pushJsonbValue(state, token, &value);
}
