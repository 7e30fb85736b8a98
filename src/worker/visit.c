/*-------------------------------------------------------------------------
 *
 * visit.c
 *	  One request's visit at a loader.
 *
 *	frame -> request -> route -> [transaction: token -> role -> route's work
 *	-> commit] -> answer
 *
 * The work runs as the role, with SECURITY_LOCAL_USERID_CHANGE, from before
 * the first statement until after the commit: deferred triggers run in the
 * commit, and nothing that a table's owner has written may get back to the
 * loader's own rights.  The role's own settings (ALTER ROLE ... SET) do not
 * apply.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "commands/discard.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "utils/guc.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"

#include "worker/answer.h"
#include "worker/route.h"
#include "worker/token.h"
#include "worker/visit.h"
#include "worker/worker_settings.h"

typedef struct Visit
{
	IntakeLink *link;
	const IntakeFrame *frame;
	MemoryContext context;
	IntakeHttpRequest *request; /* NULL until it has been read */
	const IntakeRoute *route;	/* NULL until it has been found */
	IntakeCall	call;
	IntakeAnswer *answer;
} Visit;

/* Who the request is; the transaction is its own. */
static void
authenticate(Visit *visit)
{
	const char *header = intake_request_header(visit->request,
											   "authorization");

	PushActiveSnapshot(GetTransactionSnapshot());
	visit->call.bearer = intake_token_authenticate(header);
	PopActiveSnapshot();
}

/* What waits for a lock waits no longer than the settings say. */
static void
set_lock_timeout(void)
{
	char		value[32];

	snprintf(value, sizeof(value), "%d", intake_table_lock_timeout);
	(void) set_config_option("lock_timeout", value, PGC_USERSET,
							 PGC_S_SESSION, GUC_ACTION_LOCAL, true, 0, false);
}

/* Does the route's work as the role, in a transaction. */
static void
work(Visit *visit)
{
	Oid			user;
	int			security;

	StartTransactionCommand();
	MemoryContextSwitchTo(visit->context);
	GetUserIdAndSecContext(&user, &security);
	authenticate(visit);
	set_lock_timeout();
	SetUserIdAndSecContext(visit->call.bearer->role,
						   security | SECURITY_LOCAL_USERID_CHANGE);
	visit->route->handle(visit->request, &visit->call, visit->answer);
	CommitTransactionCommand();
	SetUserIdAndSecContext(user, security);
	MemoryContextSwitchTo(visit->context);
}

/* Forgets what the request has left in the session. */
static void
clean_session(void)
{
	DiscardStmt *statement;

	StartTransactionCommand();
	statement = makeNode(DiscardStmt);
	statement->target = DISCARD_ALL;
	DiscardCommand(statement, true);
	CommitTransactionCommand();
}

static void
run(Visit *visit)
{
	char	   *activity;

	visit->request = intake_request_read(visit->frame, visit->link);
	activity = psprintf("%s %s (%s)", visit->request->method,
						visit->request->path, visit->request->request_id ?
						visit->request->request_id : "");
	pgstat_report_activity(STATE_RUNNING, activity);
	visit->route = intake_route_find(visit->request);
	visit->answer->route = visit->route->name;
	work(visit);
}

/*
 * Takes the error, undoes the transaction and makes the answer; what the
 * route has to record of the failure goes into a transaction of its own.
 */
static void
fail(Visit *visit)
{
	ErrorData  *error;

	MemoryContextSwitchTo(visit->context);
	error = CopyErrorData();
	if (intake_log_requests != INTAKE_LOG_REQUESTS_NONE)
		EmitErrorReport();
	FlushErrorState();
	AbortCurrentTransaction();
	MemoryContextSwitchTo(visit->context);
	visit->answer = intake_answer_make();
	intake_route_fail(visit->route, visit->request, &visit->call, error,
					  visit->answer);
}

void
intake_visit(IntakeLink *link, const IntakeFrame *frame,
			 MemoryContext context)
{
	Visit		visit = {.link = link, .frame = frame, .context = context};

	MemoryContextSwitchTo(context);
	visit.answer = intake_answer_make();
	PG_TRY();
	{
		run(&visit);
	}
	PG_CATCH();
	{
		fail(&visit);
	}
	PG_END_TRY();
	MemoryContextSwitchTo(context);
	(void) intake_answer_send(visit.answer, link);
	if (visit.call.has_written)
		clean_session();
}
