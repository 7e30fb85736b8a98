/*-------------------------------------------------------------------------
 *
 * discreet_log.c
 *	  What the server's log says of errors whose texts show values.
 *
 * PostgreSQL reports one text to the log and to the client.  The hook that is
 * called before has the error logged by itself, with other texts and for the
 * log only, and leaves the true ones to the client:
 *
 *	EmitErrorReport -> hook -> (EmitErrorReport -> others' hooks -> log)
 *					-> client
 *
 * Which errors are a payload's is known by their CONTEXT, which has a text
 * that the engine has added.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "lib/stringinfo.h"
#include "mb/pg_wchar.h"
#include "utils/memutils.h"

#include "discreet_log.h"
#include "fault.h"
#include "settings.h"

/* Room for a position's words, and for two names and a value as shown. */
#define CONTEXT_LENGTH (2 * INTAKE_FAULT_LENGTH + 2 * NAMEDATALEN + 200)

static emit_log_hook_type next_hook = NULL;
static bool is_logging = false; /* the hook's own report */
static bool is_payloads = false;	/* the error, whatever its CONTEXT */
static char last_text[CONTEXT_LENGTH];
static char last_kept[CONTEXT_LENGTH];

void
intake_discreet_log_context(const char *text, const char *kept)
{
	strlcpy(last_text, text, sizeof(last_text));
	strlcpy(last_kept, kept, sizeof(last_kept));
	errcontext("%s", text);
}

/* Where the engine's text begins in the CONTEXT, or NULL. */
static const char *
find_text(const ErrorData *error)
{
	if (error->context == NULL || last_text[0] == '\0')
		return NULL;
	return strstr(error->context, last_text);
}

/*
 * What may be logged of the CONTEXT.  What others have added shows values or
 * statements; only behind the engine's text in a loader, that of the request
 * does not.
 */
static char *
choose_context(const ErrorData *error)
{
	const char *text = find_text(error);
	const char *tail = "";

	if (is_payloads && error->context != NULL)
	{
		tail = strrchr(error->context, '\n');
		if (tail == NULL)
			tail = text == NULL ? error->context : "";
		else if (text == NULL)
			tail++;
	}
	return psprintf("%s%s", text == NULL ? "" : last_kept, tail);
}

/* The message without what has been put into it. */
static char *
choose_message(const ErrorData *error)
{
	const char *id = error->message_id;

	if (id == NULL || strcmp(id, "%s") == 0)
		return psprintf("error with SQLSTATE %s",
						unpack_sql_state(error->sqlerrcode));
	return pstrdup(id);
}

/* Names are no values. */
static char *
choose_detail(const ErrorData *error)
{
	if (error->constraint_name != NULL)
		return psprintf("Constraint \"%s\". Values are not logged.",
						error->constraint_name);
	return pstrdup("Values are not logged.");
}

/* Reports the error to the log alone, without values. */
static void
log_discreetly(ErrorData *error)
{
	ErrorData	whole = *error;

	error->message = choose_message(error);
	error->detail = choose_detail(error);
	error->detail_log = NULL;
	error->hint = NULL;
	error->context = choose_context(error);
	error->internalquery = NULL;
	error->internalpos = 0;
	error->hide_stmt = true;
	error->output_to_client = false;
	is_logging = true;
	EmitErrorReport();
	is_logging = false;
	pfree(error->message);
	pfree(error->detail);
	pfree(error->context);
	*error = whole;
	error->output_to_server = false;
}

static void
emit_log(ErrorData *error)
{
	if (!intake_log_values && !is_logging &&
		(is_payloads || find_text(error) != NULL))
		log_discreetly(error);
	else if (next_hook != NULL)
		next_hook(error);
}

void
intake_discreet_log_emit(void)
{
	is_payloads = true;
	EmitErrorReport();
	is_payloads = false;
}

/*
 * How many bytes the control character here has, or 0: one of ASCII, which no
 * other character of a server's encoding has a byte of, or U+0080 to U+009F.
 * The gateway has no database, and the program's texts, in UTF-8.
 */
static int
control_length(const char *text)
{
	const unsigned char *bytes = (const unsigned char *) text;
	int			encoding = GetDatabaseEncoding();

	if (bytes[0] < ' ' || bytes[0] == 127)
		return 1;
	if ((encoding == PG_UTF8 || encoding == PG_SQL_ASCII) &&
		bytes[0] == 0xc2 && bytes[1] >= 0x80 && bytes[1] < 0xa0)
		return 2;
	return 0;
}

const char *
intake_discreet_log_plain(const char *text)
{
	StringInfoData plain;
	const char *rest = text;

	initStringInfo(&plain);
	while (*rest != '\0')
	{
		int			left = control_length(rest);

		if (left == 0)
			appendStringInfoChar(&plain, *rest++);
		for (; left > 0; left--)
			appendStringInfo(&plain, "\\x%02x", (unsigned char) *rest++);
	}
	return strcmp(plain.data, text) == 0 ? text : plain.data;
}

void
intake_discreet_log_install(void)
{
	next_hook = emit_log_hook;
	emit_log_hook = emit_log;
}
