/*-------------------------------------------------------------------------
 *
 * rejects.c
 *	  The bad records that one operation sets aside.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "lib/stringinfo.h"
#include "mb/pg_wchar.h"
#include "utils/builtins.h"
#include "utils/json.h"
#include "utils/memutils.h"

#include "registry/reject_record.h"
#include "registry/rejects.h"
#include "settings.h"

/* Memory of the store before it spills, in kB. */
#define STORE_MEMORY 1024

/* How much of a text the answer shows, in bytes. */
#define MAX_SHOWN_TEXT 1000

/* One of the first, with texts of its own. */
typedef struct ReportedReject
{
	uint64		record;
	uint64		line;
	char	   *column;
	char	   *value;
	char	   *message;
	char	   *detail;
	int			sqlstate;
} ReportedReject;

struct IntakeRejects
{
	IntakeMaxErrors limit;
	bool		has_lines;
	int64		count;
	Tuplestorestate *store;
	TupleDesc	desc;

	int			max_reported;
	int			nreported;
	ReportedReject *reported;	/* by record number; one at least is kept */
	MemoryContext context;
};

IntakeRejects *
intake_rejects_make(const IntakeOptions *options, bool has_lines)
{
	IntakeRejects *rejects;

	if (!intake_options_tolerate(options))
		return NULL;
	rejects = palloc0(sizeof(IntakeRejects));
	rejects->limit = options->max_errors;
	rejects->has_lines = has_lines;
	rejects->max_reported = options->max_error_report;
	rejects->reported = palloc(Max(rejects->max_reported, 1) *
							   sizeof(ReportedReject));
	rejects->context = CurrentMemoryContext;
	rejects->store = tuplestore_begin_heap(false, false, STORE_MEMORY);
	rejects->desc = intake_reject_record_desc();
	return rejects;
}

/*
 * Errors of the data: what a value, a record or a row is at fault for.  Not
 * those of resources, rights, other sessions, or triggers that raise errors
 * without saying that they are of this kind.
 */
bool
intake_rejects_tolerates(const ErrorData *error)
{
	int			category = ERRCODE_TO_CATEGORY(error->sqlerrcode);

	if (error->elevel != ERROR)
		return false;
	if (category == ERRCODE_DATA_EXCEPTION ||
		category == ERRCODE_INTEGRITY_CONSTRAINT_VIOLATION)
		return true;
	switch (error->sqlerrcode)
	{
			/* a record's members: unknown, twice, generated, key missing */
		case ERRCODE_UNDEFINED_COLUMN:
		case ERRCODE_DUPLICATE_COLUMN:
		case ERRCODE_GENERATED_ALWAYS:
		case ERRCODE_INVALID_COLUMN_REFERENCE:
			/* a view's condition */
		case ERRCODE_WITH_CHECK_OPTION_VIOLATION:
			/* a value too large for its type or an index, or too nested */
		case ERRCODE_PROGRAM_LIMIT_EXCEEDED:
			return true;
		default:
			return false;
	}
}

/*
 * A copy cut at max bytes, with "..." behind it then; which a text that has
 * been cut once has already.
 */
static char *
cut_text(const char *text, int max)
{
	size_t		len;

	if (text == NULL)
		return NULL;
	len = strlen(text);
	if (len <= max + strlen("..."))
		return pstrdup(text);
	return psprintf("%.*s...", pg_mbcliplen(text, (int) len, max), text);
}

static void
set_text(Datum *values, bool *nulls, int column, const char *text)
{
	nulls[column - 1] = (text == NULL);
	if (text != NULL)
		values[column - 1] =
			CStringGetTextDatum(cut_text(text, INTAKE_MAX_REJECT_TEXT));
}

static void
put_reject(IntakeRejects *rejects, const IntakeReject *reject)
{
	const ErrorData *error = reject->error;
	Datum		values[REJECT_COLUMNS] = {0};
	bool		nulls[REJECT_COLUMNS] = {false};

	values[REJECT_RECORD - 1] = Int64GetDatum((int64) reject->record);
	values[REJECT_LINE_NUMBER - 1] = Int64GetDatum((int64) reject->line);
	nulls[REJECT_LINE_NUMBER - 1] = (reject->line == 0);
	set_text(values, nulls, REJECT_LINE, reject->text);
	set_text(values, nulls, REJECT_COLUMN, reject->column);
	set_text(values, nulls, REJECT_VALUE, reject->value);
	set_text(values, nulls, REJECT_MESSAGE, error->message);
	set_text(values, nulls, REJECT_DETAIL, error->detail);
	set_text(values, nulls, REJECT_SQLSTATE,
			 unpack_sql_state(error->sqlerrcode));
	tuplestore_putvalues(rejects->store, rejects->desc, values, nulls);
}

static void
free_text(char *text)
{
	if (text != NULL)
		pfree(text);
}

static void
free_reported(ReportedReject *reported)
{
	free_text(reported->column);
	free_text(reported->value);
	free_text(reported->message);
	free_text(reported->detail);
}

/* Puts the reject among the first, if it is one of them. */
static void
report_reject(IntakeRejects *rejects, const IntakeReject *reject)
{
	int			max = Max(rejects->max_reported, 1);
	ReportedReject *reported = rejects->reported;
	int			i;

	if (rejects->nreported == max)
	{
		if (reported[max - 1].record < reject->record)
			return;
		free_reported(&reported[--rejects->nreported]);
	}
	for (i = rejects->nreported++;
		 i > 0 && reported[i - 1].record > reject->record; i--)
		reported[i] = reported[i - 1];
	reported[i].record = reject->record;
	reported[i].line = reject->line;
	reported[i].column = cut_text(reject->column, MAX_SHOWN_TEXT);
	reported[i].value = cut_text(reject->value, MAX_SHOWN_TEXT);
	reported[i].message = cut_text(reject->error->message, MAX_SHOWN_TEXT);
	reported[i].detail = cut_text(reject->error->detail, MAX_SHOWN_TEXT);
	reported[i].sqlstate = reject->error->sqlerrcode;
}

/* The first errors, a line each, for DETAIL. */
static char *
list_reported(const IntakeRejects *rejects)
{
	StringInfoData text;
	int			i;

	initStringInfo(&text);
	for (i = 0; i < Min(rejects->nreported, rejects->max_reported); i++)
	{
		const ReportedReject *one = &rejects->reported[i];

		appendStringInfo(&text, "%sRecord " UINT64_FORMAT,
						 i > 0 ? "\n" : "", one->record);
		if (one->line > 0)
			appendStringInfo(&text, ", line " UINT64_FORMAT, one->line);
		if (one->column != NULL)
			appendStringInfo(&text, ", column \"%s\"", one->column);
		appendStringInfo(&text, ": %s (%s)", one->message,
						 unpack_sql_state(one->sqlstate));
	}
	return text.data;
}

/* Raises the error of the whole operation, with the first record's code. */
static void
report_too_many(const IntakeRejects *rejects, const char *message)
{
	char	   *detail = list_reported(rejects);

	ereport(ERROR,
			(errcode(rejects->reported[0].sqlstate),
			 errmsg_internal("%s", message),
			 detail[0] != '\0' ? errdetail_internal("%s", detail) : 0));
}

void
intake_rejects_add(IntakeRejects *rejects, const IntakeReject *reject)
{
	IntakeReject copy = *reject;
	MemoryContext old = MemoryContextSwitchTo(rejects->context);

	if (!rejects->has_lines)
		copy.line = 0;
	report_reject(rejects, &copy);
	MemoryContextSwitchTo(old);
	rejects->count++;
	if (rejects->limit.per_million == 0 &&
		rejects->count > rejects->limit.count)
		report_too_many(rejects,
						psprintf("too many bad records: %lld, at most %lld tolerated",
								 (long long) rejects->count,
								 (long long) rejects->limit.count));
	if (intake_max_rejects > 0 && rejects->count > intake_max_rejects)
		report_too_many(rejects,
						psprintf("too many bad records: %lld, at most %d may be set aside (pg_intake.max_rejects)",
								 (long long) rejects->count,
								 intake_max_rejects));
	put_reject(rejects, &copy);
}

int64
intake_rejects_count(const IntakeRejects *rejects)
{
	return rejects == NULL ? 0 : rejects->count;
}

void
intake_rejects_judge(const IntakeRejects *rejects, int64 received)
{
	int64		per_million = rejects->limit.per_million;

	if (per_million > 0 && rejects->count * 1000000 > per_million * received)
		report_too_many(rejects,
						psprintf("too many bad records: %lld of %lld, at most %s tolerated",
								 (long long) rejects->count,
								 (long long) received, rejects->limit.text));
}

static void
append_member(StringInfo json, const char *name, const char *text)
{
	if (text == NULL)
		return;
	appendStringInfo(json, ", \"%s\": ", name);
	escape_json(json, text);
}

Jsonb *
intake_rejects_report(const IntakeRejects *rejects)
{
	StringInfoData json;
	Datum		result;
	int			i;

	if (rejects->count == 0)
		return NULL;
	initStringInfo(&json);
	for (i = 0; i < Min(rejects->nreported, rejects->max_reported); i++)
	{
		const ReportedReject *one = &rejects->reported[i];

		appendStringInfo(&json, "%s{\"record\": " UINT64_FORMAT,
						 i > 0 ? ", " : "[", one->record);
		if (one->line > 0)
			appendStringInfo(&json, ", \"line\": " UINT64_FORMAT, one->line);
		append_member(&json, "column", one->column);
		append_member(&json, "value", one->value);
		append_member(&json, "sqlstate", unpack_sql_state(one->sqlstate));
		append_member(&json, "message", one->message);
		append_member(&json, "detail", one->detail);
		appendStringInfoChar(&json, '}');
	}
	appendStringInfoString(&json, i > 0 ? "]" : "[]");
	result = DirectFunctionCall1(jsonb_in, CStringGetDatum(json.data));
	return DatumGetJsonbP(result);
}

void
intake_rejects_store(IntakeRejects *rejects, int slice, int64 sys_cn,
					 Oid target)
{
	if (rejects->count > 0)
		intake_reject_record_write(slice, sys_cn, target, rejects->store,
								   rejects->desc);
}

void
intake_rejects_end(IntakeRejects *rejects)
{
	tuplestore_end(rejects->store);
}
