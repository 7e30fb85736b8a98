/*-------------------------------------------------------------------------
 *
 * option_table.c
 *	  One table of options: names, types, defaults, doors and texts.
 *
 * intake.options() prints it for the README.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "funcapi.h"
#include "lib/stringinfo.h"
#include "utils/array.h"
#include "utils/builtins.h"

#include "compat.h"
#include "option_table.h"
#include "options.h"

PG_FUNCTION_INFO_V1(intake_options_list);

static const IntakeOptionWord existing_words[] = {
	{"update", INTAKE_EXISTING_UPDATE},
	{"keep", INTAKE_EXISTING_KEEP},
	{NULL, 0}
};

static const IntakeOptionWord rows_words[] = {
	{"any", INTAKE_ROWS_ANY},
	{"array", INTAKE_ROWS_ARRAY},
	{NULL, 0}
};

static const IntakeOptionWord truncate_words[] = {
	{"false", INTAKE_TRUNCATE_NO},
	{"true", INTAKE_TRUNCATE_DELETE},
	{"fast", INTAKE_TRUNCATE_FAST},
	{NULL, 0}
};

static const IntakeOptionWord types_words[] = {
	{"lenient", INTAKE_TYPES_LENIENT},
	{"strict", INTAKE_TYPES_STRICT},
	{NULL, 0}
};

static const IntakeOptionWord update_columns_words[] = {
	{"all", INTAKE_UPDATE_ALL},
	{"present", INTAKE_UPDATE_PRESENT},
	{NULL, 0}
};

static const IntakeOptionWord unknown_words[] = {
	{"error", INTAKE_UNKNOWN_ERROR},
	{"ignore", INTAKE_UNKNOWN_IGNORE},
	{NULL, 0}
};

#define UPLOAD	INTAKE_DOOR_UPLOAD
#define BOTH	(INTAKE_DOOR_UPLOAD | INTAKE_DOOR_DELETE)
#define DEFAULT INTAKE_DOOR_REGISTER
#define AT(member) offsetof(IntakeOptions, member)

static const IntakeOptionDefinition definitions[] = {
	{"allow_empty", INTAKE_OPTION_BOOL, AT(allow_empty), NULL, UPLOAD,
		"false", "truncate the target even when the payload has no record"},
	{"columns", INTAKE_OPTION_NAMES, AT(columns), NULL, UPLOAD | DEFAULT,
	"the table's", "names of an array row's values, or of CSV fields"},
	{"delimiter", INTAKE_OPTION_DELIMITER, AT(delimiter), NULL, UPLOAD | DEFAULT,
		"pg_intake.csv_delimiter", "CSV: one ASCII character, or auto"},
	{"dry_run", INTAKE_OPTION_BOOL, AT(dry_run), NULL, BOTH,
		"false", "do everything, report the result and undo it"},
	{"encoding", INTAKE_OPTION_ENCODING, AT(encoding), NULL, UPLOAD | DEFAULT,
	"UTF8", "encoding of a bytea payload"},
	{"escape", INTAKE_OPTION_CHARACTER, AT(escape), NULL, UPLOAD | DEFAULT,
		"the quote, or pg_intake.csv_escape", "CSV: one ASCII character"},
	{"existing", INTAKE_OPTION_WORD, AT(existing), existing_words, UPLOAD | DEFAULT,
		"update", "merge: update replaces a present row, keep leaves it alone"},
	{"fast", INTAKE_OPTION_BOOL, AT(fast), NULL, INTAKE_DOOR_DELETE,
		"false", "empty a partition by TRUNCATE where it holds just the key"},
	{"header", INTAKE_OPTION_BOOL, AT(header), NULL, UPLOAD | DEFAULT,
	"true", "CSV: the first line names the columns"},
	{"key", INTAKE_OPTION_NAMES, AT(key), NULL, BOTH | DEFAULT,
		"the target's", "columns of the key: of a unique index for merge, any "
	"for replace and partition delete"},
	{"max_error_report", INTAKE_OPTION_COUNT, AT(max_error_report), NULL,
		UPLOAD | DEFAULT, "10", "how many bad records the answer shows"},
	{"max_errors", INTAKE_OPTION_MAX_ERRORS, AT(max_errors), NULL, UPLOAD | DEFAULT,
		"0", "how many bad records are set aside: a count, or a share as 0.1%"},
	{"newer_by", INTAKE_OPTION_TEXT, AT(newer_by), NULL, UPLOAD | DEFAULT,
		"none", "merge: a column; a present row is replaced only when the "
	"record's value is not below its own"},
	{"null", INTAKE_OPTION_TEXT, AT(null), NULL, UPLOAD | DEFAULT,
		"pg_intake.csv_null", "CSV: the unquoted text that means NULL"},
	{"query_id", INTAKE_OPTION_TEXT, AT(query_id), NULL, BOTH,
	"none", "a text of the client's to find the operation by"},
	{"quote", INTAKE_OPTION_CHARACTER, AT(quote), NULL, UPLOAD | DEFAULT,
		"pg_intake.csv_quote", "CSV: one ASCII character"},
	{"rows", INTAKE_OPTION_WORD, AT(rows), rows_words, UPLOAD | DEFAULT,
	"any", "NDJSON: array takes array rows only"},
	{"truncate", INTAKE_OPTION_WORD, AT(truncate), truncate_words, UPLOAD,
		"false", "empty the target first: true by DELETE, fast by TRUNCATE"},
	{"types", INTAKE_OPTION_WORD, AT(types), types_words, BOTH | DEFAULT,
		"lenient", "strict takes only the JSON type that fits the column"},
	{"unknown", INTAKE_OPTION_WORD, AT(unknown), unknown_words, UPLOAD | DEFAULT,
		"error", "ignore skips names that the target does not have"},
	{"update_columns", INTAKE_OPTION_WORD, AT(update_columns), update_columns_words,
		UPLOAD | DEFAULT, "all", "merge: in a present row, columns that a "
	"record lacks get their default, or with present keep their value"},
};

char *
intake_option_table_names(int door)
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

const IntakeOptionDefinition *
intake_option_table_find(const char *name, int door)
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

const IntakeOptionDefinition *
intake_option_table_require(const char *name, int door)
{
	const IntakeOptionDefinition *definition;

	definition = intake_option_table_find(name, door);
	if (definition == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("unrecognized option \"%s\"", name),
				 errhint("Valid options are %s.",
						 intake_option_table_names(door))));
	return definition;
}

bool
intake_option_table_describe(int i, int door, const char **name,
							 const char **text)
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

/* What an option takes, in words. */
static char *
describe_type(const IntakeOptionDefinition *definition)
{
	static const char *const names[] = {
		"boolean", "character", "count", "character or auto", "encoding",
		"count or share", "names", "text"
	};
	StringInfoData list;
	const IntakeOptionWord *word;

	if (definition->type != INTAKE_OPTION_WORD)
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
		const IntakeOptionDefinition *definition = &definitions[i];
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
