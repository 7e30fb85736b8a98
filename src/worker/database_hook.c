/*-------------------------------------------------------------------------
 *
 * database_hook.c
 *	  Loaders make way for statements on their database.
 *
 * DROP DATABASE, RENAME, SET TABLESPACE and CREATE DATABASE with a template
 * want a database that nobody is connected to, and a loader that waits for
 * requests is nobody that a user would know of.  So the loaders of such a
 * database are asked to retire before the statement runs.  One that works on
 * a request is as good a reason to refuse the statement as any other session.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "commands/dbcommands.h"
#include "commands/defrem.h"
#include "miscadmin.h"
#include "nodes/parsenodes.h"
#include "pgstat.h"
#include "storage/latch.h"
#include "tcop/utility.h"

#include "compat.h"
#include "worker/database_hook.h"
#include "worker/shared.h"

/* How long an idle loader is waited for; the statement itself waits on. */
#define PATIENCE 2000			/* ms */
#define STEP 10

static ProcessUtility_hook_type previous_hook = NULL;

/* The text of an option of the statement, or NULL. */
static const char *
option_text(List *options, const char *name)
{
	ListCell   *cell;

	foreach(cell, options)
	{
		DefElem    *option = lfirst(cell);

		if (strcmp(option->defname, name) == 0)
			return option->arg == NULL ? NULL : defGetString(option);
	}
	return NULL;
}

static bool
has_force(const DropdbStmt *statement)
{
	ListCell   *cell;

	foreach(cell, statement->options)
	{
		if (strcmp(((DefElem *) lfirst(cell))->defname, "force") == 0)
			return true;
	}
	return false;
}

/* The database that nobody may be connected to, or NULL. */
static const char *
wanted_database(Node *statement, bool *is_forced)
{
	const char *template;

	*is_forced = false;
	switch (nodeTag(statement))
	{
		case T_DropdbStmt:
			*is_forced = has_force((DropdbStmt *) statement);
			return ((DropdbStmt *) statement)->dbname;
		case T_RenameStmt:
			if (((RenameStmt *) statement)->renameType == OBJECT_DATABASE)
				return ((RenameStmt *) statement)->subname;
			return NULL;
		case T_AlterDatabaseStmt:
			if (option_text(((AlterDatabaseStmt *) statement)->options,
							"tablespace") != NULL)
				return ((AlterDatabaseStmt *) statement)->dbname;
			return NULL;
		case T_CreatedbStmt:
			template = option_text(((CreatedbStmt *) statement)->options,
								   "template");
			return template != NULL ? template : "template1";
		default:
			return NULL;
	}
}

/* Asks the loaders of the database to retire, and waits a little. */
static void
make_way(const char *name, bool is_forced)
{
	Oid			database = get_database_oid(name, true);
	int			waited;

	if (!OidIsValid(database) || database == MyDatabaseId)
		return;
	for (waited = 0; waited < PATIENCE; waited += STEP)
	{
		if (intake_shared_retire(database, is_forced) == 0)
			return;
		(void) WaitLatch(MyLatch,
						 WL_LATCH_SET | WL_TIMEOUT | WL_EXIT_ON_PM_DEATH,
						 STEP, PG_WAIT_EXTENSION);
		ResetLatch(MyLatch);
		CHECK_FOR_INTERRUPTS();
	}
}

/*
 * Whoever may not run the statement is told so by the statement itself; until
 * then only idle loaders have been asked, unless a superuser uses force.
 */
static void
process_utility(PlannedStmt *pstmt, const char *queryString,
				bool readOnlyTree, ProcessUtilityContext context,
				ParamListInfo params, QueryEnvironment *queryEnv,
				DestReceiver *dest, QueryCompletion *qc)
{
	bool		is_forced;
	const char *name = wanted_database(pstmt->utilityStmt, &is_forced);

	if (name != NULL && intake_shared != NULL)
		make_way(name, is_forced && superuser());
	if (previous_hook != NULL)
		previous_hook(pstmt, queryString, readOnlyTree, context, params,
					  queryEnv, dest, qc);
	else
		standard_ProcessUtility(pstmt, queryString, readOnlyTree, context,
								params, queryEnv, dest, qc);
}

void
intake_database_hook_install(void)
{
	previous_hook = ProcessUtility_hook;
	ProcessUtility_hook = process_utility;
}
