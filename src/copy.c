/*-------------------------------------------------------------------------
 *
 * copy.c
 *	  The COPY door: COPY ... FROM ... WITH (FORMAT ndjson | avro | csv, ...).
 *
 *	ProcessUtility -> (others' hooks) -> ours --upload?--> intake_ingest()
 *							  no |
 *								 v
 *				 (others' hooks) -> standard_ProcessUtility
 *
 * A hook of another library that was loaded after ours sees our statements,
 * one that was loaded before does not: the statement ends here.
 *
 * What COPY checks before it copies is checked here or by the engine; that
 * STDIN cannot be read from a function, PostgreSQL itself sees to before any
 * hook is asked.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "catalog/namespace.h"
#include "catalog/pg_namespace.h"
#include "commands/extension.h"
#include "lib/stringinfo.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "parser/parse_node.h"
#include "tcop/cmdtag.h"
#include "tcop/utility.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"

#include "columns.h"
#include "compat.h"
#include "copy.h"
#include "copy_options.h"
#include "ingest.h"
#include "settings.h"
#include "source/source_copy.h"
#include "source/source_disk.h"
#include "source/source_program.h"

static ProcessUtility_hook_type next_hook = NULL;

/* The extension is there, and the current user may use it. */
static void
check_extension(void)
{
	Oid			schema;

	if (!OidIsValid(get_extension_oid("pg_intake", true)))
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("this COPY needs extension \"pg_intake\", which is not installed in this database"),
				 errhint("Run CREATE EXTENSION pg_intake, or turn pg_intake.copy off.")));
	schema = get_namespace_oid("intake", false);
	if (!intake_may_use(schema, GetUserId()))
		aclcheck_error(ACLCHECK_NO_PRIV, OBJECT_SCHEMA, "intake");
}

/* Names that the list of columns may not have; the engine sees to the rest. */
static void
check_columns(const CopyStmt *stmt, Oid relid)
{
	ListCell   *cell;

	foreach(cell, stmt->attlist)
	{
		const char *name = strVal(lfirst(cell));

		if (get_attnum(relid, name) <= 0 && strcmp(name, INTAKE_SYS_OP) != 0)
			ereport(ERROR,
					(errcode(ERRCODE_UNDEFINED_COLUMN),
					 errmsg("column \"%s\" of relation \"%s\" does not exist",
							name, get_rel_name(relid))));
	}
}

/* In UTF-8, unless the options say otherwise. */
static IntakeSource *
open_source(const CopyStmt *stmt)
{
	if (stmt->filename == NULL)
		return intake_source_open_copy(PG_UTF8);
	if (stmt->is_program)
		return intake_source_open_program(stmt->filename, PG_UTF8);
	return intake_source_open_disk(stmt->filename, PG_UTF8, true);
}

/* Tells the client what a result row would tell it. */
static void
report_operation(const IntakeOperation *operation)
{
	const IntakeCounters *counters = &operation->counters;
	Datum		uuid = DirectFunctionCall1(uuid_out,
										   UUIDPGetDatum(&operation->uuid));
	StringInfoData text;

	initStringInfo(&text);
	appendStringInfo(&text, "Records received: " INT64_FORMAT
					 ", rows inserted: " INT64_FORMAT
					 ", updated: " INT64_FORMAT,
					 counters->rows_received, counters->rows_inserted,
					 counters->rows_updated);
	if (counters->rows_deleted >= 0)
		appendStringInfo(&text, ", deleted: " INT64_FORMAT,
						 counters->rows_deleted);
	appendStringInfo(&text, ", skipped: " INT64_FORMAT
					 ", rejected: " INT64_FORMAT ".",
					 counters->rows_skipped, counters->rows_rejected);
	ereport(NOTICE,
			(operation->is_replayed ?
			 errmsg("operation %s was done before, nothing is written",
					DatumGetCString(uuid)) :
			 errmsg("operation %s is done", DatumGetCString(uuid)),
			 errdetail_internal("%s", text.data)));
}

/* Runs the upload; returns the number for the command's tag. */
static uint64
run_upload(ParseState *pstate, const CopyStmt *stmt)
{
	IntakeRequest request = {0};
	IntakeOperation operation = {0};

	check_extension();
	intake_copy_parse(pstate, stmt, &request);
	PreventCommandIfReadOnly("COPY FROM");
	PreventCommandIfParallelMode("COPY FROM");
	request.source = open_source(stmt);
	request.door = "copy";
	/* The engine locks it, with a lock that depends on the options. */
	request.relid = RangeVarGetRelid(stmt->relation, NoLock, false);
	check_columns(stmt, request.relid);
	intake_ingest(&request, &operation);
	report_operation(&operation);
	return (uint64) intake_operation_affected(&operation);
}

static void
process_upload(const CopyStmt *stmt, const char *query,
			   QueryEnvironment *environment, QueryCompletion *completion)
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext,
												  "pg_intake COPY",
												  ALLOCSET_DEFAULT_SIZES);
	MemoryContext old = MemoryContextSwitchTo(context);
	ParseState *pstate = make_parsestate(NULL);
	uint64		affected;

	check_stack_depth();
	pstate->p_sourcetext = query;
	pstate->p_queryEnv = environment;
	affected = run_upload(pstate, stmt);
	if (completion != NULL)
		SetQueryCompletion(completion, CMDTAG_COPY, affected);
	free_parsestate(pstate);
	MemoryContextSwitchTo(old);
	MemoryContextDelete(context);

	/* As after any utility statement. */
	CommandCounterIncrement();
}

static void
process_utility(PlannedStmt *pstmt, const char *query, bool is_read_only_tree,
				ProcessUtilityContext context, ParamListInfo parameters,
				QueryEnvironment *environment, DestReceiver *receiver,
				QueryCompletion *completion)
{
	Node	   *stmt = pstmt->utilityStmt;

	if (IsA(stmt, CopyStmt) && intake_copy &&
		intake_copy_is_upload((CopyStmt *) stmt))
		process_upload((CopyStmt *) stmt, query, environment, completion);
	else if (next_hook != NULL)
		next_hook(pstmt, query, is_read_only_tree, context, parameters,
				  environment, receiver, completion);
	else
		standard_ProcessUtility(pstmt, query, is_read_only_tree, context,
								parameters, environment, receiver,
								completion);
}

void
intake_copy_install(void)
{
	next_hook = ProcessUtility_hook;
	ProcessUtility_hook = process_utility;
}
