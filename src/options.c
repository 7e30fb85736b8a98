/*-------------------------------------------------------------------------
 *
 * options.c
 *	  One table of options: names, types, defaults, doors and texts.
 *
 * All doors check their options here, and intake.options() prints the table
 * for the README.  A value comes in as the text of a JSON scalar or as a JSON
 * array of names.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "funcapi.h"
#include "lib/stringinfo.h"
#include "mb/pg_wchar.h"
#include "utils/array.h"
#include "utils/builtins.h"

#include "compat.h"
#include "options.h"
#include "settings.h"

PG_FUNCTION_INFO_V1(intake_options_list);

/* Of an option of type OPTION_COUNT. */
#define MAX_COUNT 10000

/* Digits of a percentage behind its point. */
#define PERCENT_DIGITS 4

typedef enum OptionType
{
	OPTION_BOOL,
	OPTION_CHARACTER,			/* one ASCII character */
	OPTION_COUNT,				/* 0 to MAX_COUNT */
	OPTION_DELIMITER,			/* the same, or auto */
	OPTION_ENCODING,
	OPTION_MAX_ERRORS,			/* a count, or a share of the records */
	OPTION_NAMES,				/* array of names */
	OPTION_TEXT,
	OPTION_WORD					/* one of words */
} OptionType;

typedef struct OptionWord
{
	const char *word;
	int			value;
} OptionWord;

typedef struct OptionDefinition
{
	const char *name;
	OptionType	type;
	size_t		offset;			/* in IntakeOptions */
	const OptionWord *words;
	int			doors;
	const char *default_text;	/* for the README */
	const char *text;
} OptionDefinition;

static const OptionWord existing_words[] = {
	{"update", INTAKE_EXISTING_UPDATE},
	{"keep", INTAKE_EXISTING_KEEP},
	{NULL, 0}
};

static const OptionWord rows_words[] = {
	{"any", INTAKE_ROWS_ANY},
	{"array", INTAKE_ROWS_ARRAY},
	{NULL, 0}
};

static const OptionWord truncate_words[] = {
	{"false", INTAKE_TRUNCATE_NO},
	{"true", INTAKE_TRUNCATE_DELETE},
	{"fast", INTAKE_TRUNCATE_FAST},
	{NULL, 0}
};

static const OptionWord types_words[] = {
	{"lenient", INTAKE_TYPES_LENIENT},
	{"strict", INTAKE_TYPES_STRICT},
	{NULL, 0}
};

static const OptionWord update_columns_words[] = {
	{"all", INTAKE_UPDATE_ALL},
	{"present", INTAKE_UPDATE_PRESENT},
	{NULL, 0}
};

static const OptionWord unknown_words[] = {
	{"error", INTAKE_UNKNOWN_ERROR},
	{"ignore", INTAKE_UNKNOWN_IGNORE},
	{NULL, 0}
};

#define UPLOAD	INTAKE_DOOR_UPLOAD
#define BOTH	(INTAKE_DOOR_UPLOAD | INTAKE_DOOR_DELETE)
#define DEFAULT INTAKE_DOOR_REGISTER
#define AT(member) offsetof(IntakeOptions, member)

static const OptionDefinition definitions[] = {
	{"allow_empty", OPTION_BOOL, AT(allow_empty), NULL, UPLOAD,
		"false", "truncate the target even when the payload has no record"},
	{"columns", OPTION_NAMES, AT(columns), NULL, UPLOAD | DEFAULT,
	"the table's", "names of an array row's values, or of CSV fields"},
	{"delimiter", OPTION_DELIMITER, AT(delimiter), NULL, UPLOAD | DEFAULT,
		"pg_intake.csv_delimiter", "CSV: one ASCII character, or auto"},
	{"dry_run", OPTION_BOOL, AT(dry_run), NULL, BOTH,
		"false", "do everything, report the result and undo it"},
	{"encoding", OPTION_ENCODING, AT(encoding), NULL, UPLOAD | DEFAULT,
	"UTF8", "encoding of a bytea payload"},
	{"escape", OPTION_CHARACTER, AT(escape), NULL, UPLOAD | DEFAULT,
		"the quote, or pg_intake.csv_escape", "CSV: one ASCII character"},
	{"existing", OPTION_WORD, AT(existing), existing_words, UPLOAD | DEFAULT,
		"update", "merge: update replaces a present row, keep leaves it alone"},
	{"fast", OPTION_BOOL, AT(fast), NULL, INTAKE_DOOR_DELETE,
		"false", "empty a partition by TRUNCATE where it holds just the key"},
	{"header", OPTION_BOOL, AT(header), NULL, UPLOAD | DEFAULT,
	"true", "CSV: the first line names the columns"},
	{"key", OPTION_NAMES, AT(key), NULL, BOTH | DEFAULT,
		"the target's", "columns of the key: of a unique index for merge, any "
	"for replace and partition delete"},
	{"max_error_report", OPTION_COUNT, AT(max_error_report), NULL,
		UPLOAD | DEFAULT, "10", "how many bad records the answer shows"},
	{"max_errors", OPTION_MAX_ERRORS, AT(max_errors), NULL, UPLOAD | DEFAULT,
		"0", "how many bad records are set aside: a count, or a share as 0.1%"},
	{"newer_by", OPTION_TEXT, AT(newer_by), NULL, UPLOAD | DEFAULT,
		"none", "merge: a column; a present row is replaced only when the "
	"record's value is not below its own"},
	{"null", OPTION_TEXT, AT(null), NULL, UPLOAD | DEFAULT,
		"pg_intake.csv_null", "CSV: the unquoted text that means NULL"},
	{"query_id", OPTION_TEXT, AT(query_id), NULL, BOTH,
	"none", "a text of the client's to find the operation by"},
	{"quote", OPTION_CHARACTER, AT(quote), NULL, UPLOAD | DEFAULT,
		"pg_intake.csv_quote", "CSV: one ASCII character"},
	{"rows", OPTION_WORD, AT(rows), rows_words, UPLOAD | DEFAULT,
	"any", "NDJSON: array takes array rows only"},
	{"truncate", OPTION_WORD, AT(truncate), truncate_words, UPLOAD,
		"false", "empty the target first: true by DELETE, fast by TRUNCATE"},
	{"types", OPTION_WORD, AT(types), types_words, BOTH | DEFAULT,
		"lenient", "strict takes only the JSON type that fits the column"},
	{"unknown", OPTION_WORD, AT(unknown), unknown_words, UPLOAD | DEFAULT,
		"error", "ignore skips names that the target does not have"},
	{"update_columns", OPTION_WORD, AT(update_columns), update_columns_words,
		UPLOAD | DEFAULT, "all", "merge: in a present row, columns that a "
	"record lacks get their default, or with present keep their value"},
};

/* The options with their defaults, but for what depends on others. */
static IntakeOptions *
make_options(void)
{
	IntakeOptions *options = palloc0(sizeof(IntakeOptions));

	options->delimiter = intake_csv_delimiter;
	options->null = intake_csv_null[0] == '\0' ? NULL : intake_csv_null;
	options->header = true;
	options->encoding = PG_UTF8;
	options->max_error_report = 10;
	return options;
}

char *
intake_options_names(int door)
{
	StringInfoData list;
	int			i;

	initStringInfo(&list);
	for (i = 0; i < lengthof(definitions); i++)
	{
		if (definitions[i].doors & door)
			appendStringInfo(&list, "%s\"%s\"", list.len > 0 ? ", " : "",
							 definitions[i].name);
	}
	return list.data;
}

/* NULL if the door has no such option. */
static const OptionDefinition *
find_definition(const char *name, int door)
{
	int			i;

	for (i = 0; i < lengthof(definitions); i++)
	{
		if ((definitions[i].doors & door) &&
			strcmp(definitions[i].name, name) == 0)
			return &definitions[i];
	}
	return NULL;
}

bool
intake_options_has(const char *name, int door, bool *is_list)
{
	const OptionDefinition *definition = find_definition(name, door);

	if (definition == NULL)
		return false;
	*is_list = (definition->type == OPTION_NAMES);
	return true;
}

static const OptionDefinition *
find_option(const char *name, int door)
{
	const OptionDefinition *definition = find_definition(name, door);

	if (definition == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("unrecognized option \"%s\"", name),
				 errhint("Valid options are %s.",
						 intake_options_names(door))));
	return definition;
}

/* Raises the error for a value that an option cannot have. */
static void
report_bad_value(const OptionDefinition *definition, const char *value,
				 const char *valid)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("invalid value for option \"%s\": \"%s\"",
					definition->name, value),
			 errhint("It must be %s.", valid)));
}

static void
set_word(const OptionDefinition *definition, int *member, const char *value)
{
	StringInfoData list;
	const OptionWord *word;

	initStringInfo(&list);
	for (word = definition->words; word->word != NULL; word++)
	{
		if (strcmp(word->word, value) == 0)
		{
			*member = word->value;
			return;
		}
		appendStringInfo(&list, "%s\"%s\"", list.len > 0 ? " or " : "",
						 word->word);
	}
	report_bad_value(definition, value, list.data);
}

static void
set_character(const OptionDefinition *definition, char **member,
			  const char *value)
{
	bool		is_delimiter = definition->type == OPTION_DELIMITER;

	if (is_delimiter && strcmp(value, "auto") == 0)
		*member = pstrdup(value);
	else if (is_delimiter && strcmp(value, "\\t") == 0)
		*member = pstrdup("\t");
	else if (strlen(value) == 1 && !IS_HIGHBIT_SET(value[0]) &&
			 (value[0] >= ' ' || value[0] == '\t') && value[0] != 0x7f)
		*member = pstrdup(value);
	else
		report_bad_value(definition, value, is_delimiter ?
						 "\"auto\" or one ASCII character" :
						 "one ASCII character");
}

/*
 * Reads a number without a sign, in units of the last of so many digits
 * behind its point; -1 when it is none or too large.
 */
static int64
parse_decimal(const char *text, size_t len, int digits)
{
	int64		value = 0;
	int			behind = -1;	/* digits behind the point so far */
	size_t		i;

	for (i = 0; i < len; i++)
	{
		if (text[i] == '.' && behind < 0 && i > 0 && i + 1 < len)
			behind = 0;
		else if (text[i] < '0' || text[i] > '9' || behind == digits ||
				 value > PG_INT64_MAX / 1000000)
			return -1;
		else
		{
			value = value * 10 + (text[i] - '0');
			behind += (behind >= 0);
		}
	}
	for (behind = Max(behind, 0); behind < digits; behind++)
		value *= 10;
	return len == 0 ? -1 : value;
}

static void
set_count(const OptionDefinition *definition, int *member, const char *value)
{
	int64		count = parse_decimal(value, strlen(value), 0);

	if (count < 0 || count > MAX_COUNT)
		report_bad_value(definition, value,
						 psprintf("a number from 0 to %d", MAX_COUNT));
	*member = (int) count;
}

static void
set_max_errors(const OptionDefinition *definition, IntakeMaxErrors *member,
			   const char *value)
{
	size_t		len = strlen(value);
	bool		is_share = len > 0 && value[len - 1] == '%';
	int64		number = parse_decimal(value, len - is_share,
									   is_share ? PERCENT_DIGITS : 0);

	if (number < 0 || (is_share && number > 1000000))
		report_bad_value(definition, value,
						 "a count, or a share of the records such as \"0.1%\"");
	member->count = is_share ? 0 : number;
	member->per_million = is_share ? number : 0;
	member->text = pstrdup(value);
}

/* Sets an option from the text of a scalar. */
static void
set_scalar(IntakeOptions *options, const OptionDefinition *definition,
		   const char *value)
{
	void	   *member = (char *) options + definition->offset;

	switch (definition->type)
	{
		case OPTION_BOOL:
			if (!parse_bool(value, (bool *) member))
				report_bad_value(definition, value, "true or false");
			break;
		case OPTION_CHARACTER:
		case OPTION_DELIMITER:
			set_character(definition, (char **) member, value);
			break;
		case OPTION_COUNT:
			set_count(definition, (int *) member, value);
			break;
		case OPTION_MAX_ERRORS:
			set_max_errors(definition, (IntakeMaxErrors *) member, value);
			break;
		case OPTION_ENCODING:
			*(int *) member = pg_char_to_encoding(value);
			if (*(int *) member < 0)
				report_bad_value(definition, value, "the name of an encoding");
			break;
		case OPTION_NAMES:
			report_bad_value(definition, value, "an array of names");
			break;
		case OPTION_TEXT:
			*(char **) member = pstrdup(value);
			break;
		case OPTION_WORD:
			set_word(definition, (int *) member, value);
			break;
	}
}

/* The text of a JSON string, number or boolean; NULL for null. */
static char *
scalar_text(const JsonbValue *value)
{
	Datum		text;

	switch (value->type)
	{
		case jbvString:
			return pnstrdup(value->val.string.val, value->val.string.len);
		case jbvBool:
			return pstrdup(value->val.boolean ? "true" : "false");
		case jbvNumeric:
			text = DirectFunctionCall1(numeric_out,
									   NumericGetDatum(value->val.numeric));
			return DatumGetCString(text);
		default:
			return NULL;
	}
}

/* Sets an option from a JSON array, which must hold distinct strings. */
static void
set_names(IntakeOptions *options, const OptionDefinition *definition,
		  JsonbContainer *array)
{
	List	  **member = (List **) ((char *) options + definition->offset);
	JsonbIterator *iterator = JsonbIteratorInit(array);
	JsonbIteratorToken token;
	JsonbValue	value;
	List	   *names = NIL;

	while ((token = JsonbIteratorNext(&iterator, &value, true)) != WJB_DONE)
	{
		if (token == WJB_ELEM && value.type == jbvString)
			names = lappend(names, scalar_text(&value));
		else if (token != WJB_BEGIN_ARRAY && token != WJB_END_ARRAY)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("option \"%s\" must be an array of names",
							definition->name)));
	}
	if (names == NIL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("option \"%s\" must not be an empty array",
						definition->name)));
	*member = names;
}

/* Sets the options that a JSON object gives. */
static void
apply_object(IntakeOptions *options, Jsonb *given, int door)
{
	JsonbIterator *iterator;
	JsonbIteratorToken token;
	JsonbValue	key;
	JsonbValue	value;

	if (!JB_ROOT_IS_OBJECT(given))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("options must be a JSON object")));
	iterator = JsonbIteratorInit(&given->root);
	(void) JsonbIteratorNext(&iterator, &key, true);
	while ((token = JsonbIteratorNext(&iterator, &key, true)) == WJB_KEY)
	{
		const OptionDefinition *definition;
		char	   *text;

		definition = find_option(scalar_text(&key), door);
		(void) JsonbIteratorNext(&iterator, &value, true);
		text = scalar_text(&value);
		if (text != NULL)
			set_scalar(options, definition, text);
		else if (value.type == jbvBinary && definition->type == OPTION_NAMES &&
				 JsonContainerIsArray(value.val.binary.data))
			set_names(options, definition, value.val.binary.data);
		else
			report_bad_value(definition,
							 value.type == jbvNull ? "null" : "a nested value",
							 definition->type == OPTION_NAMES ?
							 "an array of names" : "a string");
	}
}

/* Checks what no single option can. */
static void
check_combinations(const IntakeOptions *options)
{
	if (options->delimiter[0] == options->quote[0])
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("delimiter and quote must not be the same character")));
	if (options->null != NULL &&
		(strchr(options->null, '\n') != NULL ||
		 strchr(options->null, '\r') != NULL ||
		 strchr(options->null, options->quote[0]) != NULL ||
		 (strcmp(options->delimiter, "auto") != 0 &&
		  strchr(options->null, options->delimiter[0]) != NULL)))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the null text must not contain a line end, the quote or the delimiter")));
}

/*
 * What depends on other options: who sets the quote alone means it for the
 * escape too, as with COPY.
 */
static void
set_csv_defaults(IntakeOptions *options)
{
	if (options->escape == NULL)
		options->escape = options->quote != NULL ? options->quote :
			intake_csv_escape;
	if (options->quote == NULL)
		options->quote = intake_csv_quote;
	if (options->null != NULL && options->null[0] == '\0')
		options->null = NULL;
}

/* Whether a JSON object, or NULL, has the option. */
static bool
gives(Jsonb *object, const char *name)
{
	JsonbValue	key;

	key.type = jbvString;
	key.val.string.val = (char *) name;
	key.val.string.len = strlen(name);
	return object != NULL &&
		findJsonbValueFromContainer(&object->root, JB_FOBJECT, &key) != NULL;
}

/*
 * Whether present rows are kept or replaced when newer: the call's word beats
 * the registration's.
 */
static void
settle_merge_options(IntakeOptions *options, Jsonb *given)
{
	bool		gives_existing = gives(given, "existing");

	if (gives(given, "newer_by"))
		options->merge_option = "newer_by";
	else if (gives(given, "update_columns") &&
			 options->update_columns != INTAKE_UPDATE_ALL)
		options->merge_option = "update_columns";
	if (options->newer_by == NULL ||
		options->existing != INTAKE_EXISTING_KEEP)
		return;
	if (gives_existing == gives(given, "newer_by"))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("options \"existing\" => \"keep\" and \"newer_by\" exclude each other"),
				 errdetail("Rows that are there are either left alone or replaced when the record is newer.")));
	if (gives_existing)
		options->newer_by = NULL;
	else
		options->existing = INTAKE_EXISTING_UPDATE;
}

IntakeOptions *
intake_options_parse(Jsonb *given, Jsonb *base, int door)
{
	IntakeOptions *options = make_options();
	List	   *base_key;

	if (base != NULL)
		apply_object(options, base, INTAKE_DOOR_REGISTER);
	base_key = options->key;
	if (given != NULL)
		apply_object(options, given, door);
	options->key_given = (options->key != base_key);
	set_csv_defaults(options);
	settle_merge_options(options, given);
	check_combinations(options);
	return options;
}

IntakeOptions *
intake_options_peek(Jsonb *given, int door)
{
	IntakeOptions *options = make_options();

	apply_object(options, given, door);
	return options;
}

bool
intake_options_takes_names(const char *name, int door)
{
	return find_option(name, door)->type == OPTION_NAMES;
}

bool
intake_options_describe(int i, int door, const char **name, const char **text)
{
	int			definition;

	for (definition = 0; definition < lengthof(definitions); definition++)
	{
		if ((definitions[definition].doors & door) == 0 || i-- > 0)
			continue;
		*name = definitions[definition].name;
		*text = definitions[definition].text;
		return true;
	}
	return false;
}

char *
intake_options_identity(Jsonb *given)
{
	static const char *const changeable[] = {"query_id", "dry_run"};
	Datum		rest = JsonbPGetDatum(given);
	Jsonb	   *options;
	int			i;

	for (i = 0; i < lengthof(changeable); i++)
		rest = DirectFunctionCall2(jsonb_delete, rest,
								   CStringGetTextDatum(changeable[i]));
	options = DatumGetJsonbP(rest);
	return JsonbToCString(NULL, &options->root, VARSIZE(options));
}

/* What an option takes, in words. */
static char *
describe_type(const OptionDefinition *definition)
{
	static const char *const names[] = {
		"boolean", "character", "count", "character or auto", "encoding",
		"count or share", "names", "text"
	};
	StringInfoData list;
	const OptionWord *word;

	if (definition->type != OPTION_WORD)
		return pstrdup(names[definition->type]);
	initStringInfo(&list);
	for (word = definition->words; word->word != NULL; word++)
		appendStringInfo(&list, "%s%s", list.len > 0 ? " | " : "", word->word);
	return list.data;
}

/* The functions that take an option, as text[]. */
static Datum
describe_doors(int doors)
{
	Datum		names[3];
	int			n = 0;

	if (doors & INTAKE_DOOR_UPLOAD)
		names[n++] = CStringGetTextDatum("upload");
	if (doors & INTAKE_DOOR_DELETE)
		names[n++] = CStringGetTextDatum("delete_partitions");
	if (doors & INTAKE_DOOR_REGISTER)
		names[n++] = CStringGetTextDatum("register_table");
	return PointerGetDatum(construct_array(names, n, TEXTOID, -1, false,
										   TYPALIGN_INT));
}

/* intake.options() RETURNS SETOF record: the table above. */
Datum
intake_options_list(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *info = (ReturnSetInfo *) fcinfo->resultinfo;
	int			i;

	intake_init_materialized_srf(fcinfo);
	for (i = 0; i < lengthof(definitions); i++)
	{
		const OptionDefinition *definition = &definitions[i];
		Datum		values[5];
		bool		nulls[5] = {false};

		values[0] = CStringGetTextDatum(definition->name);
		values[1] = CStringGetTextDatum(describe_type(definition));
		values[2] = CStringGetTextDatum(definition->default_text);
		values[3] = describe_doors(definition->doors);
		values[4] = CStringGetTextDatum(definition->text);
		tuplestore_putvalues(info->setResult, info->setDesc, values, nulls);
	}
	return (Datum) 0;
}
