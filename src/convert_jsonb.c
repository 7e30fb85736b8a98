/*-------------------------------------------------------------------------
 *
 * convert_jsonb.c
 *	  JSON texts into jsonb, by way of our own scanner.
 *
 * The text becomes a tree of JsonbValue, which the server then stores.  What
 * PostgreSQL would build token by token is built container by container:
 * the values of all open containers wait on one stack, and a container that
 * ends takes its own from the top.  Members of an object go by the length of
 * their keys, then by their bytes; of those with one key the last one counts.
 *
 * Whatever is bad or odd here is left to jsonb_in(), from the beginning: its
 * messages and SQLSTATEs are what a user sees.  t/060 compares both over many
 * texts.
 *
 * The tree lives in a memory context of its own, which is empty between
 * values; only what is left of an error waits there for the next one.  None
 * of this runs code of users, so there is never more than one tree.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"
#include "utils/memutils.h"

#include "convert_arena.h"
#include "convert_fast.h"
#include "convert_internal.h"
#include "format/scan_json.h"
#include "settings.h"

/* Texts of the usual size need no memory besides this. */
#define TREE_BLOCK_SIZE (64 * 1024)

/* Waiting values at first. */
#define MIN_STACK_SIZE 64

/* Objects of so many members are put in order where they are. */
#define SMALL_OBJECT 32

typedef struct JsonbReader
{
	const IntakeColumn *column;
	IntakeScanJson scan;
	int			depth;			/* open containers */

	/* values of open containers; an object's are key, value, key, value */
	JsonbValue *stack;
	size_t		nvalues;
	size_t		size;
} JsonbReader;

/* Where trees live; made once. */
static MemoryContext tree_context = NULL;

static bool read_value(JsonbReader *reader, JsonbValue *value);

/* ---------- scalars ---------- */

/* The string that the scanner has read last. */
static bool
read_string(const IntakeScanJson *scan, JsonbValue *value)
{
	ptrdiff_t	len = (ptrdiff_t) scan->len;
	char	   *plain;

	if (scan->len > JENTRY_OFFLENMASK)
		return false;
	value->type = jbvString;
	value->val.string.val = unconstify(char *, scan->start);
	if (scan->has_escapes)
	{
		plain = MemoryContextAlloc(tree_context, scan->len);
		len = intake_scan_json_unescape(scan->start, scan->len, plain);
		value->val.string.val = plain;
	}
	value->val.string.len = (int) len;
	return len >= 0;
}

static void
read_number(const JsonbReader *reader, JsonbValue *value)
{
	const IntakeScanJson *scan = &reader->scan;
	MemoryContext old;
	Datum		number;

	if (!intake_convert_fast_numeric(reader->column, scan->start, scan->len,
									 &number))
	{
		old = MemoryContextSwitchTo(tree_context);
		number = DirectFunctionCall3(numeric_in,
									 CStringGetDatum(pnstrdup(scan->start,
															  scan->len)),
									 ObjectIdGetDatum(InvalidOid),
									 Int32GetDatum(-1));
		MemoryContextSwitchTo(old);
	}
	value->type = jbvNumeric;
	value->val.numeric = DatumGetNumeric(number);
}

/* ---------- containers ---------- */

/* The place of the next value; it counts when nvalues is moved on. */
static JsonbValue *
make_room(JsonbReader *reader)
{
	if (reader->nvalues == reader->size)
	{
		reader->size *= 2;
		reader->stack = repalloc_huge(reader->stack,
									  reader->size * sizeof(JsonbValue));
	}
	return &reader->stack[reader->nvalues];
}

/* Reads a value that belongs to the container opened last. */
static bool
read_member(JsonbReader *reader)
{
	JsonbValue	value;

	CHECK_FOR_INTERRUPTS();
	if (!read_value(reader, &value))
		return false;
	*make_room(reader) = value;
	reader->nvalues++;
	return true;
}

/* Reads an array, behind its bracket. */
static bool
read_array(JsonbReader *reader, JsonbValue *value)
{
	size_t		first = reader->nvalues;
	size_t		count;

	if (!intake_scan_json_take(&reader->scan, ']'))
	{
		do
		{
			if (!read_member(reader))
				return false;
		} while (intake_scan_json_take(&reader->scan, ','));
		if (!intake_scan_json_take(&reader->scan, ']'))
			return false;
	}

	count = reader->nvalues - first;
	if (count > Min(MaxAllocSize / sizeof(JsonbValue), JB_CMASK))
		return false;
	value->type = jbvArray;
	value->val.array.nElems = (int) count;
	value->val.array.rawScalar = false;
	value->val.array.elems =
		MemoryContextAlloc(tree_context, count * sizeof(JsonbValue));
	memcpy(value->val.array.elems, reader->stack + first,
		   count * sizeof(JsonbValue));
	reader->nvalues = first;
	return true;
}

/* The order of keys. */
static inline int
compare_keys(const JsonbValue *a, const JsonbValue *b)
{
	if (a->val.string.len != b->val.string.len)
		return a->val.string.len > b->val.string.len ? 1 : -1;
	return memcmp(a->val.string.val, b->val.string.val, a->val.string.len);
}

/* For qsort(): the order of keys, then that of the text. */
static int
compare_members(const void *a, const void *b)
{
	const JsonbValue *left = *(const JsonbValue *const *) a;
	const JsonbValue *right = *(const JsonbValue *const *) b;
	int			result = compare_keys(left, right);

	if (result != 0)
		return result;
	return left < right ? -1 : left > right;
}

static void
sort_members(const JsonbValue **keys, size_t count)
{
	size_t		i;
	size_t		j;

	if (count > SMALL_OBJECT)
	{
		qsort(keys, count, sizeof(*keys), compare_members);
		return;
	}
	for (i = 1; i < count; i++)
	{
		const JsonbValue *key = keys[i];

		for (j = i; j > 0 && compare_keys(keys[j - 1], key) > 0; j--)
			keys[j] = keys[j - 1];
		keys[j] = key;
	}
}

/* Makes an object of the keys and values from first on. */
static void
make_object(const JsonbValue *first, size_t count, JsonbValue *value)
{
	const JsonbValue *buffer[SMALL_OBJECT];
	const JsonbValue **keys = buffer;
	JsonbPair  *pair;
	size_t		i;

	if (count > SMALL_OBJECT)
		keys = MemoryContextAllocHuge(tree_context, count * sizeof(*keys));
	for (i = 0; i < count; i++)
		keys[i] = first + 2 * i;
	sort_members(keys, count);

	pair = MemoryContextAlloc(tree_context, count * sizeof(JsonbPair));
	value->type = jbvObject;
	value->val.object.pairs = pair;
	for (i = 0; i < count; i++)
	{
		/* of equal keys, the last */
		if (i + 1 < count && compare_keys(keys[i], keys[i + 1]) == 0)
			continue;
		pair->key = keys[i][0];
		pair->value = keys[i][1];
		pair++;
	}
	value->val.object.nPairs = (int) (pair - value->val.object.pairs);
}

/* Reads an object, behind its brace. */
static bool
read_object(JsonbReader *reader, JsonbValue *value)
{
	IntakeScanJson *scan = &reader->scan;
	size_t		first = reader->nvalues;
	size_t		count;

	if (!intake_scan_json_take(scan, '}'))
	{
		do
		{
			if (intake_scan_json_next(scan) != INTAKE_JSON_STRING ||
				!read_string(scan, make_room(reader)))
				return false;
			reader->nvalues++;
			if (!intake_scan_json_take(scan, ':') || !read_member(reader))
				return false;
		} while (intake_scan_json_take(scan, ','));
		if (!intake_scan_json_take(scan, '}'))
			return false;
	}

	count = (reader->nvalues - first) / 2;
	if (count > Min(MaxAllocSize / sizeof(JsonbPair), JB_CMASK))
		return false;
	make_object(reader->stack + first, count, value);
	reader->nvalues = first;
	return true;
}

static bool
read_container(JsonbReader *reader, bool is_object, JsonbValue *value)
{
	bool		is_fine;

	check_stack_depth();
	if (reader->depth >= intake_max_nesting_depth)
		return false;
	reader->depth++;
	is_fine = is_object ? read_object(reader, value) :
		read_array(reader, value);
	reader->depth--;
	return is_fine;
}

/* Reads any value; false when jsonb_in() has to judge. */
static bool
read_value(JsonbReader *reader, JsonbValue *value)
{
	IntakeJsonToken token = intake_scan_json_next(&reader->scan);

	switch (token)
	{
		case INTAKE_JSON_STRING:
			return read_string(&reader->scan, value);
		case INTAKE_JSON_NUMBER:
			read_number(reader, value);
			return true;
		case INTAKE_JSON_TRUE:
		case INTAKE_JSON_FALSE:
			value->type = jbvBool;
			value->val.boolean = token == INTAKE_JSON_TRUE;
			return true;
		case INTAKE_JSON_NULL:
			value->type = jbvNull;
			return true;
		case INTAKE_JSON_OBJECT_BEGIN:
		case INTAKE_JSON_ARRAY_BEGIN:
			return read_container(reader, token == INTAKE_JSON_OBJECT_BEGIN,
								  value);
		default:
			return false;
	}
}

/* ---------- the whole ---------- */

/* Makes the tree's context, or empties it of what an error has left. */
static void
begin_tree(void)
{
	if (tree_context == NULL)
		tree_context = AllocSetContextCreate(TopMemoryContext,
											 "pg_intake jsonb",
											 TREE_BLOCK_SIZE,
											 TREE_BLOCK_SIZE,
											 ALLOCSET_DEFAULT_MAXSIZE);
	MemoryContextReset(tree_context);
}

/*
 * Stores a tree in the current memory context, where the server's own result
 * would have a kilobyte at least.  The tree is gone then, and so are its
 * numbers, which lie in the arena behind mark (unless that has a new block).
 */
static Datum
store_tree(JsonbValue *root, const IntakeArena *mark)
{
	MemoryContext old = MemoryContextSwitchTo(tree_context);
	JsonbValue	scalar;
	Jsonb	   *jsonb;
	Datum		result;

	if (IsAJsonbScalar(root))
	{
		scalar.type = jbvArray;
		scalar.val.array.nElems = 1;
		scalar.val.array.elems = root;
		scalar.val.array.rawScalar = true;
		root = &scalar;
	}
	jsonb = JsonbValueToJsonb(root);
	MemoryContextSwitchTo(old);

	if (intake_convert_arena.limit == mark->limit)
		intake_convert_arena.next = mark->next;
	result = intake_convert_make_varlena(VARDATA(jsonb),
										 VARSIZE(jsonb) - VARHDRSZ);
	MemoryContextReset(tree_context);
	return result;
}

Datum
intake_convert_jsonb_string_datum(const char *string, size_t len)
{
	JsonbValue	value;

	string = intake_convert_recode(string, &len);
	if (len > JENTRY_OFFLENMASK)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("string too long to represent as jsonb string"),
				 errdetail("Due to an implementation restriction, jsonb "
						   "strings cannot exceed %d bytes.",
						   JENTRY_OFFLENMASK)));
	begin_tree();
	value.type = jbvString;
	value.val.string.val = unconstify(char *, string);
	value.val.string.len = (int) len;
	return store_tree(&value, &intake_convert_arena);
}

Datum
intake_convert_jsonb_datum(IntakeColumn *column, const char *json, size_t len)
{
	IntakeArena mark;
	JsonbReader reader;
	JsonbValue	root;

	/* what \u00e9 is in other encodings is not for us to say */
	if (GetDatabaseEncoding() != PG_UTF8)
		return intake_convert_input_datum(column, json, len);

	begin_tree();
	mark = intake_convert_arena;
	reader.column = column;
	reader.depth = 0;
	reader.nvalues = 0;
	reader.size = MIN_STACK_SIZE;
	reader.stack = MemoryContextAlloc(tree_context,
									  MIN_STACK_SIZE * sizeof(JsonbValue));
	intake_scan_json_begin(&reader.scan, json, len);
	if (!read_value(&reader, &root) ||
		intake_scan_json_next(&reader.scan) != INTAKE_JSON_END)
	{
		MemoryContextReset(tree_context);
		return intake_convert_input_datum(column, json, len);
	}

	return store_tree(&root, &mark);
}
