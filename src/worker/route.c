/*-------------------------------------------------------------------------
 *
 * route.c
 *	  What the loaders serve, and how failures are answered.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "lib/stringinfo.h"
#include "utils/builtins.h"
#include "utils/json.h"
#include "utils/jsonb.h"
#include "utils/memutils.h"
#include "utils/uuid.h"

#include "ingest.h"
#include "worker/problem.h"
#include "worker/route.h"
#include "worker/route_v1.h"

/* All families' routes. */
static const IntakeRoute *const families[] = {intake_routes_v1};

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

const IntakeRoute *
intake_route_find(const IntakeHttpRequest *request)
{
	bool		is_path_known = false;
	int			i;

	for (i = 0; i < lengthof(families); i++)
	{
		const IntakeRoute *route;

		for (route = families[i]; route->name != NULL; route++)
		{
			if (!fits(route, request->segments))
				continue;
			is_path_known = true;
			if (strcmp(route->method, request->method) == 0)
				return route;
		}
	}
	if (is_path_known)
		ereport(ERROR,
				(errcode(ERRCODE_INTAKE_NO_METHOD),
				 errmsg("method %s is not served here", request->method)));
	ereport(ERROR,
			(errcode(ERRCODE_INTAKE_NO_ROUTE),
			 errmsg("there is nothing at \"%s\"", request->path)));
	return NULL;				/* not reached */
}

/* The error as the registry stores it. */
static Jsonb *
describe_error(const ErrorData *error)
{
	StringInfoData json;

	initStringInfo(&json);
	intake_problem_append_members(&json, error);
	return DatumGetJsonbP(DirectFunctionCall1(jsonb_in,
											  CStringGetDatum(psprintf("{%s}", json.data))));
}

/*
 * Records the failure of an operation that had been claimed, unless it is
 * the operation's own state that was the failure.
 */
static void
record_failure(const IntakeCall *call, const ErrorData *error)
{
	IntakeOperation operation = call->operation;

	if (call->bearer == NULL || operation.identity.target == NULL ||
		error->sqlerrcode == ERRCODE_INTAKE_RUNNING ||
		error->sqlerrcode == ERRCODE_INTAKE_REUSED)
		return;
	StartTransactionCommand();
	SetUserIdAndSecContext(call->bearer->role, SECURITY_LOCAL_USERID_CHANGE);
	(void) intake_operation_fail(&operation, describe_error(error));
	CommitTransactionCommand();
}

void
intake_route_fail(const IntakeRoute *route, const IntakeHttpRequest *request,
				  const IntakeCall *call, const ErrorData *error,
				  IntakeAnswer *answer)
{
	MemoryContext context = CurrentMemoryContext;
	Oid			user;
	int			security;

	GetUserIdAndSecContext(&user, &security);
	PG_TRY();
	{
		record_failure(call, error);
	}
	PG_CATCH();
	{
		EmitErrorReport();
		FlushErrorState();
		AbortCurrentTransaction();
	}
	PG_END_TRY();
	SetUserIdAndSecContext(user, security);
	MemoryContextSwitchTo(context);
	intake_problem_answer(route, request, error, answer);
}
