/*-------------------------------------------------------------------------
 *
 * avro_schema.c
 *	  From the JSON text of an Avro schema to a graph of nodes.
 *
 * JSON objects have no order: a record's namespace may stand behind its
 * fields.  So the members of an object are found first (where each value
 * starts and ends), then read in the order that the work needs.  Text is
 * passed over once a level of nesting; the number of levels is limited.
 *
 * The schema comes from whoever sends the payload.  Its size, its nesting
 * and the sizes it states are limited here; the names of fields are free,
 * since they only have to equal the name of a column.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "common/hashfn.h"
#include "miscadmin.h"
#include "nodes/pg_list.h"

#include "compat.h"
#include "format/avro_json.h"
#include "format/avro_logical.h"
#include "format/avro_schema.h"
#include "format/scan_json.h"
#include "settings.h"

/* A schema with more text than this is no table's. */
#define MAX_SCHEMA_SIZE (4 * 1024 * 1024)

static const char *const type_names[INTAKE_AVRO_NTYPES] = {
	"null", "boolean", "int", "long", "float", "double", "bytes", "string",
	"record", "enum", "fixed", "array", "map", "union"
};

/* Named types by their full names. */
typedef struct NamedType
{
	const char *name;
	IntakeAvroSchema *schema;
	char		status;
} NamedType;

#define SH_PREFIX named
#define SH_ELEMENT_TYPE NamedType
#define SH_KEY_TYPE const char *
#define SH_KEY name
#define SH_HASH_KEY(tb, key) \
	hash_bytes((const unsigned char *) (key), (int) strlen(key))
#define SH_EQUAL(tb, a, b) (strcmp(a, b) == 0)
#define SH_SCOPE static inline
#define SH_DECLARE
#define SH_DEFINE
#include "lib/simplehash.h"

typedef struct SchemaParser
{
	named_hash *types;
	List	   *nodes;			/* all of them, in the order of their making */
	int			depth;
} SchemaParser;

static IntakeAvroSchema *parse_schema(SchemaParser *parser, IntakeAvroText text,
									  const char *namespace);

static IntakeAvroSchema *
make_schema(SchemaParser *parser, IntakeAvroType type)
{
	IntakeAvroSchema *schema = palloc0(sizeof(IntakeAvroSchema));

	schema->type = type;
	schema->name = type_names[type];
	schema->min_size = -1;
	parser->nodes = lappend(parser->nodes, schema);
	return schema;
}

/* The primitive type of this name, or -1. */
static int
find_primitive(const char *name)
{
	int			i;

	for (i = INTAKE_AVRO_NULL; i <= INTAKE_AVRO_STRING; i++)
	{
		if (strcmp(type_names[i], name) == 0)
			return i;
	}
	return -1;
}

/* Joins a namespace, which may be empty, and a name. */
static char *
make_full_name(const char *namespace, const char *name)
{
	if (strchr(name, '.') != NULL || *namespace == '\0')
		return pstrdup(name);
	return psprintf("%s.%s", namespace, name);
}

/*
 * The named type that a reference means.  A name without dots belongs to the
 * namespace around it; writers that cannot spell the empty namespace leave
 * it out there, so such a name is looked for as it stands, too.
 */
static IntakeAvroSchema *
find_named(SchemaParser *parser, const char *name, const char *namespace)
{
	NamedType  *entry;

	entry = named_lookup(parser->types, make_full_name(namespace, name));
	if (entry == NULL)
		entry = named_lookup(parser->types, name);
	if (entry == NULL)
		intake_avro_json_report("There is no type \"%s\".", name);
	return entry->schema;
}

/*
 * Names a record, enum or fixed and makes the name known.  Returns the
 * namespace for what is defined inside.
 */
static const char *
name_schema(SchemaParser *parser, IntakeAvroSchema *schema,
			const IntakeAvroObject *object, const char *enclosing)
{
	const IntakeAvroText *members = object->members;
	char	   *name = intake_avro_json_string(members[INTAKE_MEMBER_NAME]);
	const char *space = enclosing;
	char	   *last_dot;
	NamedType  *entry;
	bool		found;

	if (name == NULL || *name == '\0')
		intake_avro_json_report("A type \"%s\" has no name.", schema->name);
	if (members[INTAKE_MEMBER_NAMESPACE].start != NULL)
		space = intake_avro_json_string(members[INTAKE_MEMBER_NAMESPACE]);
	if (space == NULL)
		intake_avro_json_report("The namespace of \"%s\" is not a string.", name);

	schema->name = make_full_name(space, name);
	if (find_primitive(schema->name) >= 0)
		intake_avro_json_report("A type cannot be named \"%s\".", schema->name);
	entry = named_insert(parser->types, schema->name, &found);
	if (found)
		intake_avro_json_report("The type \"%s\" is defined twice.", schema->name);
	entry->schema = schema;

	last_dot = strrchr(name, '.');
	if (last_dot == NULL)
		return space;
	return pnstrdup(name, last_dot - name);
}

static int
compare_names(const void *a, const void *b)
{
	return strcmp(*(const char *const *) a, *(const char *const *) b);
}

/* Errors when a name occurs twice; detail has a %s for it. */
static void
check_distinct(const char **names, int count, const char *detail)
{
	const char **sorted;
	int			i;

	if (count < 2)
		return;
	sorted = palloc(count * sizeof(char *));
	memcpy(sorted, names, count * sizeof(char *));
	qsort(sorted, count, sizeof(char *), compare_names);
	for (i = 1; i < count; i++)
	{
		if (strcmp(sorted[i - 1], sorted[i]) == 0)
			intake_avro_json_report(detail, sorted[i]);
	}
	pfree(sorted);
}

/* The strings of an array; an error with this detail when it is none. */
static const char **
read_strings(IntakeAvroText text, int *count, const char *detail,
			 const char *owner)
{
	IntakeScanJson scan;
	IntakeAvroText	element;
	List	   *strings = NIL;
	const char **result;
	int			i;

	if (text.start == NULL || *text.start != '[')
		intake_avro_json_report(detail, owner);
	intake_avro_json_begin(&scan, text);
	while (intake_avro_json_iterate(&scan, &element))
	{
		char	   *string = intake_avro_json_string(element);

		if (string == NULL)
			intake_avro_json_report(detail, owner);
		strings = lappend(strings, string);
	}

	*count = list_length(strings);
	result = palloc(Max(*count, 1) * sizeof(char *));
	for (i = 0; i < *count; i++)
		result[i] = list_nth(strings, i);
	list_free(strings);
	return result;
}

static void
parse_field(SchemaParser *parser, IntakeAvroText text, const char *record,
			const char *namespace, IntakeAvroField *field)
{
	IntakeAvroObject object;

	if (*text.start != '{')
		intake_avro_json_report("A field of record \"%s\" is not an object.",
						  record);
	intake_avro_json_object(text, &object);
	field->name = intake_avro_json_string(object.members[INTAKE_MEMBER_NAME]);
	if (field->name == NULL || *field->name == '\0')
		intake_avro_json_report("A field of record \"%s\" has no name.", record);
	field->name_len = strlen(field->name);
	if (object.members[INTAKE_MEMBER_TYPE].start == NULL)
		intake_avro_json_report("Field \"%s\" has no type.", field->name);
	if (object.members[INTAKE_MEMBER_ALIASES].start != NULL)
		field->aliases = read_strings(object.members[INTAKE_MEMBER_ALIASES],
									  &field->naliases,
									  "The aliases of field \"%s\" are not an array of strings.",
									  field->name);

	field->schema = parse_schema(parser, object.members[INTAKE_MEMBER_TYPE],
								 namespace);
	/* A named type is shared: one field cannot change it for the others. */
	if (field->schema->type <= INTAKE_AVRO_STRING ||
		field->schema->type == INTAKE_AVRO_UNION)
		intake_avro_logical_set(field->schema, &object);
}

static IntakeAvroSchema *
parse_record(SchemaParser *parser, const IntakeAvroObject *object,
			 const char *namespace)
{
	IntakeAvroSchema *schema = make_schema(parser, INTAKE_AVRO_RECORD);
	IntakeScanJson scan;
	IntakeAvroText	text;
	const char **names;
	int			allocated = 16;
	int			i;

	namespace = name_schema(parser, schema, object, namespace);
	if (object->members[INTAKE_MEMBER_FIELDS].start == NULL ||
		*object->members[INTAKE_MEMBER_FIELDS].start != '[')
		intake_avro_json_report("The fields of record \"%s\" are not an array.",
						  schema->name);

	schema->fields = palloc(allocated * sizeof(IntakeAvroField));
	intake_avro_json_begin(&scan, object->members[INTAKE_MEMBER_FIELDS]);
	while (intake_avro_json_iterate(&scan, &text))
	{
		IntakeAvroField field = {0};

		parse_field(parser, text, schema->name, namespace, &field);
		if (schema->nfields == allocated)
		{
			allocated *= 2;
			schema->fields = repalloc(schema->fields,
									  allocated * sizeof(IntakeAvroField));
		}
		schema->fields[schema->nfields++] = field;
	}

	names = palloc(Max(schema->nfields, 1) * sizeof(char *));
	for (i = 0; i < schema->nfields; i++)
		names[i] = schema->fields[i].name;
	check_distinct(names, schema->nfields,
				   "A record has the field \"%s\" twice.");
	pfree(names);
	return schema;
}

static IntakeAvroSchema *
parse_enum(SchemaParser *parser, const IntakeAvroObject *object,
		   const char *namespace)
{
	IntakeAvroSchema *schema = make_schema(parser, INTAKE_AVRO_ENUM);

	(void) name_schema(parser, schema, object, namespace);
	schema->symbols = read_strings(object->members[INTAKE_MEMBER_SYMBOLS],
								   &schema->nsymbols,
								   "The symbols of enum \"%s\" are not an array of strings.",
								   schema->name);
	if (schema->nsymbols == 0)
		intake_avro_json_report("The enum \"%s\" has no symbols.", schema->name);
	check_distinct(schema->symbols, schema->nsymbols,
				   "An enum has the symbol \"%s\" twice.");
	return schema;
}

static IntakeAvroSchema *
parse_fixed(SchemaParser *parser, const IntakeAvroObject *object,
			const char *namespace)
{
	IntakeAvroSchema *schema = make_schema(parser, INTAKE_AVRO_FIXED);
	int			size;

	(void) name_schema(parser, schema, object, namespace);
	if (!intake_avro_json_integer(object->members[INTAKE_MEMBER_SIZE],
								  &size) || size < 0)
		intake_avro_json_report("The size of fixed \"%s\" is not a number of bytes.",
						  schema->name);
	schema->size = size;
	return schema;
}

/* An array or a map; member is where the schema of its items stands. */
static IntakeAvroSchema *
parse_container(SchemaParser *parser, const IntakeAvroObject *object,
				const char *namespace, IntakeAvroType type,
				IntakeAvroMember member)
{
	IntakeAvroSchema *schema = make_schema(parser, type);

	if (object->members[member].start == NULL)
		intake_avro_json_report("An array or map has no \"%s\".",
								member == INTAKE_MEMBER_ITEMS ?
								"items" : "values");
	schema->items = parse_schema(parser, object->members[member], namespace);
	return schema;
}

/* The type that an object defines or, with attributes, only names. */
static IntakeAvroSchema *
parse_typed_object(SchemaParser *parser, const IntakeAvroObject *object,
				   const char *type, const char *namespace)
{
	int			primitive = find_primitive(type);

	if (primitive >= 0)
		return make_schema(parser, (IntakeAvroType) primitive);
	if (strcmp(type, "record") == 0 || strcmp(type, "error") == 0)
		return parse_record(parser, object, namespace);
	if (strcmp(type, "enum") == 0)
		return parse_enum(parser, object, namespace);
	if (strcmp(type, "fixed") == 0)
		return parse_fixed(parser, object, namespace);
	if (strcmp(type, "array") == 0)
		return parse_container(parser, object, namespace, INTAKE_AVRO_ARRAY,
							   INTAKE_MEMBER_ITEMS);
	if (strcmp(type, "map") == 0)
		return parse_container(parser, object, namespace, INTAKE_AVRO_MAP,
							   INTAKE_MEMBER_VALUES);
	return find_named(parser, type, namespace);
}

static IntakeAvroSchema *
parse_object(SchemaParser *parser, IntakeAvroText text, const char *namespace)
{
	IntakeAvroObject object;
	IntakeAvroSchema *schema;
	IntakeAvroText	type;
	const char *name;

	intake_avro_json_object(text, &object);
	type = object.members[INTAKE_MEMBER_TYPE];
	if (type.start == NULL)
		intake_avro_json_report("An object has no \"type\".", NULL);
	name = intake_avro_json_string(type);
	if (name != NULL)
		schema = parse_typed_object(parser, &object, name, namespace);
	else
		schema = parse_schema(parser, type, namespace);

	/* A type defined elsewhere is shared: this object cannot change it. */
	if (schema->type <= INTAKE_AVRO_STRING ||
		(name != NULL && strcmp(name, "fixed") == 0))
		intake_avro_logical_set(schema, &object);
	return schema;
}

/* Errors when a union has two branches that a writer cannot tell apart. */
static void
check_branches(const IntakeAvroSchema *schema)
{
	const char **names = palloc(schema->nbranches * sizeof(char *));
	int			i;

	for (i = 0; i < schema->nbranches; i++)
	{
		names[i] = schema->branches[i]->name;
		if (schema->branches[i]->type == INTAKE_AVRO_UNION)
			intake_avro_json_report("A union holds another union.", NULL);
	}
	check_distinct(names, schema->nbranches,
				   "A union has the type \"%s\" twice.");
	pfree(names);
}

static IntakeAvroSchema *
parse_union(SchemaParser *parser, IntakeAvroText text, const char *namespace)
{
	IntakeAvroSchema *schema = make_schema(parser, INTAKE_AVRO_UNION);
	IntakeScanJson scan;
	IntakeAvroText	branch;
	List	   *branches = NIL;
	int			i;

	intake_avro_json_begin(&scan, text);
	while (intake_avro_json_iterate(&scan, &branch))
		branches = lappend(branches,
						   parse_schema(parser, branch, namespace));
	schema->nbranches = list_length(branches);
	if (schema->nbranches == 0)
		intake_avro_json_report("A union has no types.", NULL);
	schema->branches = palloc(schema->nbranches * sizeof(IntakeAvroSchema *));
	for (i = 0; i < schema->nbranches; i++)
		schema->branches[i] = list_nth(branches, i);
	list_free(branches);
	check_branches(schema);
	return schema;
}

/* Any schema: a name, an object or a union. */
static IntakeAvroSchema *
parse_schema(SchemaParser *parser, IntakeAvroText text, const char *namespace)
{
	IntakeAvroSchema *schema;
	char	   *name;

	check_stack_depth();
	CHECK_FOR_INTERRUPTS();
	if (++parser->depth > intake_max_nesting_depth)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("Avro schema is nested more than %d levels deep",
						intake_max_nesting_depth),
				 errhint("See setting \"%s\".",
						 "pg_intake.max_nesting_depth")));
	switch (*text.start)
	{
		case '"':
			name = intake_avro_json_string(text);
			if (find_primitive(name) >= 0)
				schema = make_schema(parser,
									 (IntakeAvroType) find_primitive(name));
			else
				schema = find_named(parser, name, namespace);
			break;
		case '{':
			schema = parse_object(parser, text, namespace);
			break;
		case '[':
			schema = parse_union(parser, text, namespace);
			break;
		default:
			name = pnstrdup(text.start, text.len);
			intake_avro_json_report("\"%s\" is no type.", name);
	}
	parser->depth--;
	return schema;
}

/*
 * The fewest bytes that a value takes.  That of a record is the sum of its
 * fields', so that a record which holds itself is found here.
 */
static int32
measure_schema(IntakeAvroSchema *schema)
{
	static const int sizes[INTAKE_AVRO_NTYPES] = {
		[INTAKE_AVRO_NULL] = 0, [INTAKE_AVRO_BOOLEAN] = 1,
		[INTAKE_AVRO_INT] = 1, [INTAKE_AVRO_LONG] = 1,
		[INTAKE_AVRO_FLOAT] = 4, [INTAKE_AVRO_DOUBLE] = 8,
		[INTAKE_AVRO_BYTES] = 1, [INTAKE_AVRO_STRING] = 1,
		[INTAKE_AVRO_RECORD] = 0, [INTAKE_AVRO_ENUM] = 1,
		[INTAKE_AVRO_FIXED] = 0, [INTAKE_AVRO_ARRAY] = 1,
		[INTAKE_AVRO_MAP] = 1, [INTAKE_AVRO_UNION] = 1
	};
	int64		total = sizes[schema->type] + (int64) schema->size;
	int			i;

	check_stack_depth();
	if (schema->min_size >= 0)
		return schema->min_size;
	if (schema->is_measuring)
		intake_avro_json_report("The record \"%s\" holds itself and cannot end.",
						  schema->name);
	schema->is_measuring = true;
	for (i = 0; i < schema->nfields; i++)
		total = Min(total + measure_schema(schema->fields[i].schema),
					PG_INT32_MAX);
	schema->is_measuring = false;
	schema->min_size = (int32) total;
	return schema->min_size;
}

IntakeAvroSchema *
intake_avro_schema_parse(const char *text, size_t len)
{
	SchemaParser parser = {0};
	IntakeScanJson scan;
	IntakeAvroSchema *schema;
	IntakeAvroText	whole;
	ListCell   *lc;

	if (len > MAX_SCHEMA_SIZE)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("Avro schema has more than %d bytes",
						MAX_SCHEMA_SIZE)));

	/* From here on the text is known to be JSON. */
	intake_scan_json_begin(&scan, text, len);
	whole = intake_avro_json_take(&scan);
	if (intake_scan_json_next(&scan) != INTAKE_JSON_END)
		intake_avro_json_report("There is something behind the schema.", NULL);

	parser.types = named_create(CurrentMemoryContext, 64, NULL);
	schema = parse_schema(&parser, whole, "");
	foreach(lc, parser.nodes)
		(void) measure_schema((IntakeAvroSchema *) lfirst(lc));
	list_free(parser.nodes);
	named_destroy(parser.types);
	return schema;
}
