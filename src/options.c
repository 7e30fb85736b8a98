/*-------------------------------------------------------------------------
 *
 * options.c
 *	  The options of a request, from JSON.
 *
 * All doors check their options here, by the table in option_table.c.  A value
 * comes in as the text of a JSON scalar or as a JSON array of names.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "lib/stringinfo.h"
#include "mb/pg_wchar.h"
#include "utils/builtins.h"

#include "option_table.h"
#include "options.h"
#include "settings.h"

/* Of an option that is a count. */
#define MAX_COUNT 10000

/* Digits of a percentage behind its point. */
#define PERCENT_DIGITS 4

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

bool
intake_options_has(const char *name, int door, bool *is_list)
{
	const IntakeOptionDefinition *definition;

	definition = intake_option_table_find(name, door);
	if (definition == NULL)
		return false;
	*is_list = (definition->type == INTAKE_OPTION_NAMES);
	return true;
}

/* Raises the error for a value that an option cannot have. */
static void
report_bad_value(const IntakeOptionDefinition *definition, const char *value,
				 const char *valid)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("invalid value for option \"%s\": \"%s\"",
					definition->name, value),
			 errhint("It must be %s.", valid)));
}

static void
set_word(const IntakeOptionDefinition *definition, int *member,
		 const char *value)
{
	StringInfoData list;
	const IntakeOptionWord *word;

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
set_character(const IntakeOptionDefinition *definition, char **member,
			  const char *value)
{
	bool		is_delimiter = definition->type == INTAKE_OPTION_DELIMITER;

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
set_count(const IntakeOptionDefinition *definition, int *member,
		  const char *value)
{
	int64		count = parse_decimal(value, strlen(value), 0);

	if (count < 0 || count > MAX_COUNT)
		report_bad_value(definition, value,
						 psprintf("a number from 0 to %d", MAX_COUNT));
	*member = (int) count;
}

static void
set_max_errors(const IntakeOptionDefinition *definition,
			   IntakeMaxErrors *member, const char *value)
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
set_scalar(IntakeOptions *options, const IntakeOptionDefinition *definition,
		   const char *value)
{
	void	   *member = (char *) options + definition->offset;

	switch (definition->type)
	{
		case INTAKE_OPTION_BOOL:
			if (!parse_bool(value, (bool *) member))
				report_bad_value(definition, value, "true or false");
			break;
		case INTAKE_OPTION_CHARACTER:
		case INTAKE_OPTION_DELIMITER:
			set_character(definition, (char **) member, value);
			break;
		case INTAKE_OPTION_COUNT:
			set_count(definition, (int *) member, value);
			break;
		case INTAKE_OPTION_MAX_ERRORS:
			set_max_errors(definition, (IntakeMaxErrors *) member, value);
			break;
		case INTAKE_OPTION_ENCODING:
			*(int *) member = pg_char_to_encoding(value);
			if (*(int *) member < 0)
				report_bad_value(definition, value, "the name of an encoding");
			break;
		case INTAKE_OPTION_NAMES:
			report_bad_value(definition, value, "an array of names");
			break;
		case INTAKE_OPTION_TEXT:
			*(char **) member = pstrdup(value);
			break;
		case INTAKE_OPTION_WORD:
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
set_names(IntakeOptions *options, const IntakeOptionDefinition *definition,
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
		const IntakeOptionDefinition *definition;
		char	   *text;

		definition = intake_option_table_require(scalar_text(&key), door);
		(void) JsonbIteratorNext(&iterator, &value, true);
		text = scalar_text(&value);
		if (text != NULL)
			set_scalar(options, definition, text);
		else if (value.type == jbvBinary &&
				 definition->type == INTAKE_OPTION_NAMES &&
				 JsonContainerIsArray(value.val.binary.data))
			set_names(options, definition, value.val.binary.data);
		else
			report_bad_value(definition,
							 value.type == jbvNull ? "null" : "a nested value",
							 definition->type == INTAKE_OPTION_NAMES ?
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
	return intake_option_table_require(name, door)->type == INTAKE_OPTION_NAMES;
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
