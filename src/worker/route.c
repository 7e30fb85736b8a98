/*-------------------------------------------------------------------------
 *
 * route.c
 *	  What the loaders serve, and how failures are recorded.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "access/xlog.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/snapmgr.h"

#include "worker/openapi.h"
#include "worker/problem.h"
#include "worker/route.h"
#include "worker/route_datalens.h"
#include "worker/route_iam.h"
#include "worker/route_prostore.h"
#include "worker/route_v1.h"
#include "worker/worker_settings.h"

/* All families' routes. */
static const IntakeRoute *const families[] = {
	intake_routes_v1,
	intake_routes_prostore,
	intake_routes_datalens,
	intake_routes_iam,
	intake_routes_openapi
};

const IntakeRoute *
intake_route_get(int i)
{
	int			family;

	for (family = 0; family < lengthof(families); family++)
	{
		const IntakeRoute *route;

		for (route = families[family]; route->name != NULL; route++)
		{
			if (i-- == 0)
				return route;
		}
	}
	return NULL;
}

/* Whether the path's segments are those of the route. */
static bool
fits(const IntakeRoute *route, const List *segments)
{
	const char *pattern = route->path;
	ListCell   *cell;

	foreach(cell, segments)
	{
		const char *segment = lfirst(cell);
		size_t		len;

		if (pattern[0] != '/')
			return false;
		len = strcspn(++pattern, "/");
		if (pattern[0] != '{' &&
			(strlen(segment) != len || strncmp(segment, pattern, len) != 0))
			return false;
		pattern += len;
	}
	return pattern[0] == '\0';
}

/* Whether the route serves the method: HEAD is GET without a body. */
static bool
serves(const IntakeRoute *route, const char *method)
{
	return strcmp(route->method, method) == 0 ||
		(strcmp(route->method, "GET") == 0 && strcmp(method, "HEAD") == 0);
}

char *
intake_route_methods(const IntakeHttpRequest *request)
{
	StringInfoData list;
	const IntakeRoute *route;
	int			i;

	initStringInfo(&list);
	for (i = 0; (route = intake_route_get(i)) != NULL; i++)
	{
		if (fits(route, request->segments))
			appendStringInfo(&list, "%s%s%s", list.len > 0 ? ", " : "",
							 route->method,
							 serves(route, "HEAD") ? ", HEAD" : "");
	}
	return list.data;
}

const IntakeRoute *
intake_route_find(const IntakeHttpRequest *request)
{
	const IntakeRoute *route;
	int			i;

	for (i = 0; (route = intake_route_get(i)) != NULL; i++)
	{
		if (fits(route, request->segments) &&
			serves(route, request->method))
			return route;
	}
	if (intake_route_methods(request)[0] != '\0')
		ereport(ERROR,
				(errcode(ERRCODE_INTAKE_STATUS('4', '0', '5')),
				 errmsg("method %s is not served here", request->method),
				 errhint("The methods are %s.",
						 intake_route_methods(request))));
	ereport(ERROR,
			(errcode(ERRCODE_INTAKE_STATUS('4', '0', '4')),
			 errmsg("there is nothing at \"%s\"", request->path),
			 errhint("/openapi.json describes what there is.")));
	return NULL;				/* not reached */
}

void
intake_route_begin_transaction(void)
{
	char		value[32];

	SetCurrentStatementStartTimestamp();
	StartTransactionCommand();
	snprintf(value, sizeof(value), "%d", intake_table_lock_timeout);
	(void) set_config_option("lock_timeout", value, PGC_USERSET,
							 PGC_S_SESSION, GUC_ACTION_LOCAL, true, 0, false);
}

/* Writes the record; the transaction is its own. */
static void
record_failure(const IntakeCall *call, const ErrorData *error)
{
	IntakeOperation operation = call->operation;

	intake_route_begin_transaction();
	PushActiveSnapshot(GetTransactionSnapshot());
	SetUserIdAndSecContext(call->bearer->role, SECURITY_LOCAL_USERID_CHANGE);
	if (operation.mode == NULL)
		operation.mode = "unknown";
	if (call->body != NULL)
		operation.counters.bytes_received = call->body->received;
	(void) intake_operation_fail(&operation, intake_problem_describe(error));
	PopActiveSnapshot();
	CommitTransactionCommand();
}

void
intake_route_record_failure(const IntakeCall *call, const ErrorData *error)
{
	MemoryContext context = CurrentMemoryContext;
	Oid			user;
	int			security;

	if (call->bearer == NULL || call->operation.identity.target == NULL ||
		call->is_dry_run || error->sqlerrcode == ERRCODE_INTAKE_RUNNING ||
		error->sqlerrcode == ERRCODE_INTAKE_REUSED)
		return;
	GetUserIdAndSecContext(&user, &security);
	PG_TRY();
	{
		record_failure(call, error);
	}
	PG_CATCH();
	{
		MemoryContextSwitchTo(context);
		EmitErrorReport();
		FlushErrorState();
		AbortCurrentTransaction();
	}
	PG_END_TRY();
	SetUserIdAndSecContext(user, security);
	MemoryContextSwitchTo(context);
}
