/*-------------------------------------------------------------------------
 *
 * request_options.c
 *	  What a request's head says of the upload: format, mode, options, UUID.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/varlena.h"

#include "convert.h"
#include "option_table.h"
#include "worker/request_options.h"
#include "worker/status.h"

#define UUID_TEXT_LENGTH 36

const IntakeMediaType intake_media_types[] = {
	{"application/x-ndjson", "ndjson", false, true},
	{"application/jsonl", "ndjson", false, false},
	{"application/json", "ndjson", true, false},
	{"text/csv", "csv", false, true},
	{"application/avro", "avro", false, true},
	{NULL, NULL, false, false}
};

static void
report_media_type(const char *type, bool for_prostore)
{
	StringInfoData list;
	int			i;

	initStringInfo(&list);
	for (i = 0; intake_media_types[i].name != NULL; i++)
	{
		if (intake_media_types[i].is_prostore || !for_prostore)
			appendStringInfo(&list, "%s%s", list.len > 0 ? ", " : "",
							 intake_media_types[i].name);
	}
	ereport(ERROR,
			(errcode(ERRCODE_INTAKE_STATUS('4', '1', '5')),
			 type == NULL ? errmsg("the request has no content type") :
			 errmsg("content type \"%s\" is not supported", type),
			 errhint("The content type says what the body is: %s.",
					 list.data)));
}

/* The text without blanks at its ends, nor the quotes around it. */
static char *
trim(const char *text)
{
	char	   *result;
	size_t		len;

	while (*text == ' ' || *text == '\t')
		text++;
	len = strlen(text);
	while (len > 0 && (text[len - 1] == ' ' || text[len - 1] == '\t'))
		len--;
	if (len >= 2 && text[0] == '"' && text[len - 1] == '"')
	{
		text++;
		len -= 2;
	}
	result = pnstrdup(text, len);
	return result;
}

static char *
make_lower(char *text)
{
	char	   *c;

	for (c = text; *c != '\0'; c++)
		*c = pg_ascii_tolower((unsigned char) *c);
	return text;
}

/* "; name=value" of a content type. */
static IntakeNamedText *
read_type_parameter(const char *text)
{
	IntakeNamedText *parameter = palloc(sizeof(IntakeNamedText));
	const char *equals = strchr(text, '=');

	if (equals == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INTAKE_STATUS('4', '1', '5')),
				 errmsg("parameter \"%s\" of the content type has no value",
						trim(text))));
	parameter->name = make_lower(trim(pnstrdup(text, equals - text)));
	parameter->value = trim(equals + 1);
	return parameter;
}

/* Adds a parameter, which counts once. */
static List *
add_type_parameter(List *parameters, IntakeNamedText *parameter)
{
	ListCell   *cell;

	foreach(cell, parameters)
	{
		if (strcmp(((IntakeNamedText *) lfirst(cell))->name,
				   parameter->name) == 0)
			ereport(ERROR,
					(errcode(ERRCODE_INTAKE_STATUS('4', '1', '5')),
					 errmsg("parameter \"%s\" of the content type is given more than once",
							parameter->name)));
	}
	return lappend(parameters, parameter);
}

/* Cuts off what stands before the next ";" outside quotes; NULL: no more. */
static char *
cut_piece(char **rest)
{
	char	   *piece = *rest;
	char	   *end = piece;
	bool		is_quoted = false;

	if (piece == NULL)
		return NULL;
	for (; *end != '\0' && (is_quoted || *end != ';'); end++)
	{
		if (is_quoted && *end == '\\' && end[1] != '\0')
			end++;
		else if (*end == '"')
			is_quoted = !is_quoted;
	}
	*rest = *end == '\0' ? NULL : end + 1;
	*end = '\0';
	return piece;
}

/* The name in lower case; NULL when the request has no content type. */
static const char *
read_media_type(const IntakeHttpRequest *request, List **parameters)
{
	const char *header = intake_request_sole_header(request, "content-type");
	char	   *rest = header == NULL ? NULL : pstrdup(header);
	const char *name = rest == NULL ? NULL : make_lower(trim(cut_piece(&rest)));
	char	   *piece;

	*parameters = NIL;
	while ((piece = cut_piece(&rest)) != NULL)
	{
		/* there may be a ";" too many (RFC 9110, 5.6.6) */
		if (piece[strspn(piece, " \t")] != '\0')
			*parameters = add_type_parameter(*parameters,
											 read_type_parameter(piece));
	}
	return name;
}

const IntakeMediaType *
intake_media_type_of(const IntakeHttpRequest *request, bool for_prostore,
					 List **parameters)
{
	const char *name = read_media_type(request, parameters);
	int			i;

	for (i = 0; name != NULL && intake_media_types[i].name != NULL; i++)
	{
		if (strcmp(intake_media_types[i].name, name) == 0 &&
			(intake_media_types[i].is_prostore || !for_prostore))
			return &intake_media_types[i];
	}
	report_media_type(name, for_prostore);
	return NULL;				/* not reached */
}

/* The charset that the parameters name, or NULL. */
static const char *
find_charset(const List *parameters)
{
	ListCell   *cell;

	foreach(cell, parameters)
	{
		const IntakeNamedText *parameter = lfirst(cell);

		if (strcmp(parameter->name, "charset") == 0)
			return parameter->value;
	}
	return NULL;
}

static void
check_utf8(const List *parameters, const char *hint)
{
	const char *charset = find_charset(parameters);

	if (charset != NULL && pg_char_to_encoding(charset) != PG_UTF8)
		ereport(ERROR,
				(errcode(ERRCODE_INTAKE_STATUS('4', '1', '5')),
				 errmsg("charset \"%s\" is not supported here",
						intake_convert_show(charset, strlen(charset))),
				 errhint("%s", hint)));
}

void
intake_media_type_check_utf8(const List *parameters)
{
	check_utf8(parameters, "A body of application/json is UTF-8.");
}

void
intake_media_type_check(const IntakeHttpRequest *request, const char *wanted,
						const char *hint)
{
	List	   *parameters;
	const char *name = read_media_type(request, &parameters);

	if (name == NULL || strcmp(name, wanted) != 0)
		ereport(ERROR,
				(errcode(ERRCODE_INTAKE_STATUS('4', '1', '5')),
				 name == NULL ? errmsg("the request has no content type") :
				 errmsg("content type \"%s\" is not supported here",
						intake_convert_show(name, strlen(name))),
				 errhint("%s", hint)));
	check_utf8(parameters, hint);
}

/* Reads a list of names that is JSON; what is wrong with it is the option. */
static Datum
read_names(const char *option, const char *text)
{
	MemoryContext context = CurrentMemoryContext;
	volatile Datum names = (Datum) 0;

	PG_TRY();
	{
		names = DirectFunctionCall1(jsonb_in, CStringGetDatum(text));
	}
	PG_CATCH();
	{
		if (ERRCODE_TO_CATEGORY(geterrcode()) != ERRCODE_DATA_EXCEPTION)
			PG_RE_THROW();
		MemoryContextSwitchTo(context);
		FlushErrorState();
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("invalid value for option \"%s\": \"%s\"", option,
						intake_convert_show(text, strlen(text))),
				 errhint("It must be names, separated by commas, or a JSON array of names.")));
	}
	PG_END_TRY();
	return names;
}

/* Names, separated by commas, as a JSON array; an array stays as it is. */
static Datum
names_to_jsonb(const char *option, char *text)
{
	JsonbParseState *state = NULL;
	JsonbValue	name;
	char	   *piece;

	if (text[0] == '[')
		return read_names(option, text);
	(void) pushJsonbValue(&state, WJB_BEGIN_ARRAY, NULL);
	while ((piece = strsep(&text, ",")) != NULL)
	{
		name.type = jbvString;
		name.val.string.val = piece;
		name.val.string.len = strlen(piece);
		(void) pushJsonbValue(&state, WJB_ELEM, &name);
	}
	return JsonbPGetDatum(JsonbValueToJsonb(pushJsonbValue(&state,
														   WJB_END_ARRAY,
														   NULL)));
}

/* Adds an option to the object that is being made. */
static void
push_option(JsonbParseState **state, const char *name, const char *value,
			int door)
{
	JsonbValue	json;

	json.type = jbvString;
	json.val.string.val = unconstify(char *, name);
	json.val.string.len = strlen(name);
	(void) pushJsonbValue(state, WJB_KEY, &json);
	if (intake_options_takes_names(name, door))
	{
		Jsonb	   *names = DatumGetJsonbP(names_to_jsonb(name,
														   pstrdup(value)));

		json.type = jbvBinary;
		json.val.binary.data = &names->root;
		json.val.binary.len = VARSIZE(names) - VARHDRSZ;
	}
	else
	{
		json.type = jbvString;
		json.val.string.val = unconstify(char *, value);
		json.val.string.len = strlen(value);
	}
	(void) pushJsonbValue(state, WJB_VALUE, &json);
}

/* Options that a content type gives: charset, and of CSV whether it has a
 * header (RFC 4180). */
static void
push_type_parameters(JsonbParseState **state, List *parameters, int door)
{
	ListCell   *cell;

	foreach(cell, parameters)
	{
		const IntakeNamedText *parameter = lfirst(cell);

		if (strcmp(parameter->name, "charset") == 0)
			push_option(state, "encoding", parameter->value, door);
		else if (strcmp(parameter->name, "header") == 0)
			push_option(state, "header",
						pg_strcasecmp(parameter->value, "absent") == 0 ?
						"false" : "true", door);
	}
}

/* Two encodings, by the content type and by the option, must be one. */
static void
check_charset(const IntakeHttpRequest *request, const List *type_parameters)
{
	const char *charset = find_charset(type_parameters);
	const char *encoding = intake_request_parameter(request, "encoding");

	if (charset != NULL && encoding != NULL &&
		pg_char_to_encoding(charset) != pg_char_to_encoding(encoding))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("charset \"%s\" of the content type is not encoding \"%s\"",
						charset, encoding)));
}

static void
check_known(const char *name, int door)
{
	bool		is_list;

	if (!intake_options_has(name, door, &is_list))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("unrecognized parameter \"%s\"", name),
				 errhint("Valid parameters are %s%s.",
						 door == INTAKE_DOOR_UPLOAD ? "\"mode\", \"sys_op\", " : "",
						 intake_option_table_names(door))));
}

static int
parse_sys_op(const char *text)
{
	char	   *end;
	long		value = strtol(text, &end, 10);

	if (text[0] == '\0' || *end != '\0' || value < PG_INT16_MIN ||
		value > PG_INT16_MAX)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("invalid value for \"%s\": \"%s\"", "sys_op", text),
				 errhint("It must be 0 (insert or replace the rows) or 1 (delete them).")));
	return (int) value;
}

/* A parameter counts once: which of two was meant nobody knows. */
void
intake_request_check_repeated(const IntakeHttpRequest *request)
{
	List	   *seen = NIL;
	ListCell   *cell;

	foreach(cell, request->parameters)
	{
		char	   *name = ((IntakeNamedText *) lfirst(cell))->name;
		ListCell   *other;

		foreach(other, seen)
		{
			if (strcmp(lfirst(other), name) == 0)
				ereport(ERROR,
						(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						 errmsg("parameter \"%s\" is given more than once",
								name)));
		}
		seen = lappend(seen, name);
	}
}

bool
intake_request_set_options(IntakeRequest *upload,
						   const IntakeHttpRequest *request,
						   List *type_parameters, int door)
{
	JsonbParseState *state = NULL;
	ListCell   *cell;

	intake_request_check_repeated(request);
	check_charset(request, type_parameters);
	upload->sys_op = INTAKE_NO_SYS_OP;
	(void) pushJsonbValue(&state, WJB_BEGIN_OBJECT, NULL);
	push_type_parameters(&state, type_parameters, door);
	foreach(cell, request->parameters)
	{
		const IntakeNamedText *it = lfirst(cell);

		if (door == INTAKE_DOOR_UPLOAD && strcmp(it->name, "mode") == 0)
			upload->mode = intake_mode_parse(it->value);
		else if (door == INTAKE_DOOR_UPLOAD && strcmp(it->name, "sys_op") == 0)
			upload->sys_op = parse_sys_op(it->value);
		else
		{
			check_known(it->name, door);
			push_option(&state, it->name, it->value, door);
		}
	}
	upload->options = JsonbValueToJsonb(pushJsonbValue(&state, WJB_END_OBJECT,
													   NULL));
	return intake_options_peek(upload->options, door)->dry_run;
}

pg_uuid_t
intake_request_uuid(const char *text)
{
	pg_uuid_t	uuid;
	size_t		i;

	for (i = 0; text[i] != '\0' && i < UUID_TEXT_LENGTH; i++)
	{
		bool		is_dash = i == 8 || i == 13 || i == 18 || i == 23;

		if (is_dash ? text[i] != '-' : !isxdigit((unsigned char) text[i]))
			break;
	}
	if (i != UUID_TEXT_LENGTH || text[i] != '\0')
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("operation \"%s\" is no UUID", text),
				 errhint("It must have 36 characters, as in 4f0c7c4e-3c0b-4c9e-9d57-0d3f2b8f6a11.")));
	uuid = *DatumGetUUIDP(DirectFunctionCall1(uuid_in, CStringGetDatum(text)));
	return uuid;
}

bool
intake_request_key(const IntakeHttpRequest *request, const char *header,
				   pg_uuid_t *uuid)
{
	const char *key = intake_request_sole_header(request, header);

	if (key == NULL)
		return false;
	*uuid = intake_request_uuid(trim(key));
	return true;
}
