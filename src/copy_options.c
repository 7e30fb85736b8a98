/*-------------------------------------------------------------------------
 *
 * copy_options.c
 *	  What a COPY statement asks for, as a request.
 *
 * Four options make the request: FORMAT, OPERATION, MODE and SYS_OP.  All
 * others are options of an upload and become a JSON object for options.c,
 * which checks their values.  The list of columns is option "columns".
 *
 * FORMAT csv means what it means to COPY: comma, no header, the client's
 * encoding.  These defaults go into the options as if they had been written,
 * so that neither settings nor a registration give the statement another
 * meaning, and a repeat is compared with what was meant.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "commands/defrem.h"
#include "lib/stringinfo.h"
#include "mb/pg_wchar.h"
#include "nodes/value.h"
#include "utils/builtins.h"
#include "utils/numeric.h"

#include "copy_options.h"
#include "format/format.h"
#include "option_table.h"

/* Options of the statement that make the request. */
static const char *const request_options[] = {
	"format", "operation", "mode", "sys_op"
};

/* PostgreSQL's options of COPY ... CSV that are options of an upload too. */
static const char *const csv_options[] = {
	"delimiter", "encoding", "escape", "header", "null", "quote"
};

/* PostgreSQL's other options. */
static const char *const core_options[] = {
	"default", "force_not_null", "force_null", "force_quote", "freeze",
	"log_verbosity", "on_error", "reject_limit"
};

static bool
is_listed(const char *const *names, int nnames, const char *name)
{
	int			i;

	for (i = 0; i < nnames; i++)
	{
		if (strcmp(names[i], name) == 0)
			return true;
	}
	return false;
}

#define IS_LISTED(names, name) is_listed(names, lengthof(names), name)

static bool
is_format(const DefElem *element, const IntakeFormatRoutine *format)
{
	return strcmp(element->defname, "format") == 0 &&
		element->arg != NULL && IsA(element->arg, String) &&
		strcmp(strVal(element->arg), format->name) == 0;
}

/* Whether PostgreSQL's COPY ... CSV does not have the option, but we do. */
static bool
is_our_option(const DefElem *element)
{
	const char *name = element->defname;
	bool		is_list;

	if (strcmp(name, "format") == 0 || IS_LISTED(csv_options, name))
		return false;
	return IS_LISTED(request_options, name) ||
		intake_options_has(name, INTAKE_DOOR_UPLOAD, &is_list);
}

bool
intake_copy_is_upload(const CopyStmt *stmt)
{
	bool		is_csv = false;
	bool		has_our_option = false;
	ListCell   *cell;

	if (!stmt->is_from || stmt->relation == NULL)
		return false;
	foreach(cell, stmt->options)
	{
		const DefElem *element = lfirst(cell);

		if (is_format(element, &intake_format_ndjson) ||
			is_format(element, &intake_format_avro))
			return true;
		is_csv = is_csv || is_format(element, &intake_format_csv);
		has_our_option = has_our_option || is_our_option(element);
	}
	return is_csv && has_our_option;
}

static void
report_option(ParseState *pstate, const DefElem *element)
{
	if (IS_LISTED(core_options, element->defname))
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("COPY option \"%s\" cannot be used with pg_intake's formats and options",
						element->defname),
				 parser_errposition(pstate, element->location)));
	ereport(ERROR,
			(errcode(ERRCODE_SYNTAX_ERROR),
			 errmsg("option \"%s\" not recognized", element->defname),
			 errhint("Valid options are \"format\", \"operation\", \"mode\", \"sys_op\", %s.",
					 intake_option_table_names(INTAKE_DOOR_UPLOAD)),
			 parser_errposition(pstate, element->location)));
}

static void
report_redundant(ParseState *pstate, int location)
{
	ereport(ERROR,
			(errcode(ERRCODE_SYNTAX_ERROR),
			 errmsg("conflicting or redundant options"),
			 parser_errposition(pstate, location)));
}

/* The first option of the name; NULL if there is none. */
static DefElem *
find_element(const CopyStmt *stmt, const char *name)
{
	ListCell   *cell;

	foreach(cell, stmt->options)
	{
		DefElem    *element = lfirst(cell);

		if (strcmp(element->defname, name) == 0)
			return element;
	}
	return NULL;
}

/* Each option is one of ours and given once. */
static void
check_elements(ParseState *pstate, const CopyStmt *stmt)
{
	bool		is_list;
	ListCell   *cell;

	foreach(cell, stmt->options)
	{
		DefElem    *element = lfirst(cell);

		if (!IS_LISTED(request_options, element->defname) &&
			!intake_options_has(element->defname, INTAKE_DOOR_UPLOAD,
								&is_list))
			report_option(pstate, element);
		if (find_element(stmt, element->defname) != element ||
			(stmt->attlist != NIL &&
			 strcmp(element->defname, "columns") == 0))
			report_redundant(pstate, element->location);
	}
}

/*
 * The options as a JSON object
 */

static void
push_string(JsonbParseState **state, JsonbIteratorToken token,
			const char *text)
{
	JsonbValue	value;

	value.type = jbvString;
	value.val.string.val = unconstify(char *, text);
	value.val.string.len = strlen(text);
	pushJsonbValue(state, token, &value);
}

static void
push_names(JsonbParseState **state, List *names)
{
	ListCell   *cell;

	pushJsonbValue(state, WJB_BEGIN_ARRAY, NULL);
	foreach(cell, names)
		push_string(state, WJB_ELEM, strVal(lfirst(cell)));
	pushJsonbValue(state, WJB_END_ARRAY, NULL);
}

/* A value that is no list: a number, a truth value or a text. */
static void
push_scalar(JsonbParseState **state, DefElem *element)
{
	const char *text = element->arg == NULL ? "true" : defGetString(element);
	JsonbValue	value;

	if (element->arg != NULL && (IsA(element->arg, Integer) ||
								 IsA(element->arg, Float)))
	{
		value.type = jbvNumeric;
		value.val.numeric =
			DatumGetNumeric(DirectFunctionCall3(numeric_in,
												CStringGetDatum(text),
												ObjectIdGetDatum(InvalidOid),
												Int32GetDatum(-1)));
	}
	else if (strcmp(text, "true") == 0 || strcmp(text, "false") == 0)
	{
		value.type = jbvBool;
		value.val.boolean = (text[0] == 't');
	}
	else
	{
		push_string(state, WJB_VALUE, text);
		return;
	}
	pushJsonbValue(state, WJB_VALUE, &value);
}

/* An option that is there once and whose name is known. */
static void
push_option(ParseState *pstate, JsonbParseState **state, DefElem *element)
{
	bool		is_list = false;

	(void) intake_options_has(element->defname, INTAKE_DOOR_UPLOAD, &is_list);
	push_string(state, WJB_KEY, element->defname);
	if (is_list && element->arg != NULL && IsA(element->arg, List))
		push_names(state, (List *) element->arg);
	else if (is_list && element->arg != NULL && IsA(element->arg, String))
		push_names(state, list_make1(element->arg));
	else if (is_list)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("argument to option \"%s\" must be a list of column names",
						element->defname),
				 parser_errposition(pstate, element->location)));
	else if (element->arg != NULL &&
			 (IsA(element->arg, List) || IsA(element->arg, A_Star)))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("argument to option \"%s\" must be a single value",
						element->defname),
				 parser_errposition(pstate, element->location)));
	else
		push_scalar(state, element);
}

/* A default of COPY's, unless the statement gives the option. */
static void
push_default(const CopyStmt *stmt, JsonbParseState **state, const char *name,
			 const char *text)
{
	if (find_element(stmt, name) != NULL)
		return;
	push_string(state, WJB_KEY, name);
	push_string(state, WJB_VALUE, text);
}

static void
push_csv_defaults(const CopyStmt *stmt, JsonbParseState **state)
{
	DefElem    *quote = find_element(stmt, "quote");
	JsonbValue	no;

	push_default(stmt, state, "delimiter", ",");
	push_default(stmt, state, "encoding",
				 pg_encoding_to_char(pg_get_client_encoding()));
	push_default(stmt, state, "escape",
				 quote != NULL ? defGetString(quote) : "\"");
	push_default(stmt, state, "null", "");
	push_default(stmt, state, "quote", "\"");
	if (find_element(stmt, "header") != NULL)
		return;
	no.type = jbvBool;
	no.val.boolean = false;
	push_string(state, WJB_KEY, "header");
	pushJsonbValue(state, WJB_VALUE, &no);
}

static Jsonb *
make_options(ParseState *pstate, const CopyStmt *stmt, bool is_csv)
{
	JsonbParseState *state = NULL;
	ListCell   *cell;

	pushJsonbValue(&state, WJB_BEGIN_OBJECT, NULL);
	foreach(cell, stmt->options)
	{
		DefElem    *element = lfirst(cell);

		if (!IS_LISTED(request_options, element->defname))
			push_option(pstate, &state, element);
	}
	if (stmt->attlist != NIL)
	{
		push_string(&state, WJB_KEY, "columns");
		push_names(&state, stmt->attlist);
	}
	if (is_csv)
		push_csv_defaults(stmt, &state);
	return JsonbValueToJsonb(pushJsonbValue(&state, WJB_END_OBJECT, NULL));
}

void
intake_copy_parse(ParseState *pstate, const CopyStmt *stmt,
				  IntakeRequest *request)
{
	DefElem    *format = find_element(stmt, "format");
	DefElem    *operation = find_element(stmt, "operation");
	DefElem    *mode = find_element(stmt, "mode");
	DefElem    *sys_op = find_element(stmt, "sys_op");
	Datum		uuid;

	check_elements(pstate, stmt);
	if (stmt->whereClause != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("COPY ... WHERE cannot be used with pg_intake's formats and options")));
	request->format = defGetString(format);
	request->mode = INTAKE_MODE_DEFAULT;
	request->sys_op = INTAKE_NO_SYS_OP;
	if (mode != NULL)
		request->mode = intake_mode_parse(defGetString(mode));
	if (sys_op != NULL)
		request->sys_op = pg_strtoint32(defGetString(sys_op));
	if (operation == NULL)
		request->uuid = intake_operation_make_uuid();
	else
	{
		uuid = DirectFunctionCall1(uuid_in,
								   CStringGetDatum(defGetString(operation)));
		request->uuid = *DatumGetUUIDP(uuid);
	}
	request->options = make_options(pstate, stmt,
									is_format(format, &intake_format_csv));
}
