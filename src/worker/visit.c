/*-------------------------------------------------------------------------
 *
 * visit.c
 *	  One request's visit at a loader.
 *
 *	frame -> request -> route -> [transaction: token -> role -> route's work
 *	-> commit] -> answer
 *
 * A token is a JWT, or of a partner connection an opaque one (iam_token.c).
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
#include "catalog/namespace.h"
#include "commands/portalcmds.h"
#include "commands/prepare.h"
#include "commands/sequence.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "storage/lock.h"
#include "utils/guc.h"
#include "utils/json.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"
#include "utils/timeout.h"
#include "utils/timestamp.h"

#include "compat.h"
#include "discreet_log.h"
#include "fault.h"
#include "registry/operation_last.h"
#include "registry/own_table.h"
#include "settings.h"
#include "worker/iam_token.h"
#include "worker/problem.h"
#include "worker/route.h"
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
	bool		is_session_used;	/* something of the role's may have run */
	const char *request_id;		/* as the log and pg_stat_activity show it */
	const char *query_id;
} Visit;

/* Says in the log which request an error is of. */
static void
report_request(void *argument)
{
	const Visit *visit = argument;
	const IntakeHttpRequest *request = visit->request;

	if (request == NULL)
		return;
	errcontext("%s %s, request %s%s%s", request->method, request->path,
			   visit->request_id,
			   visit->call.query_id == NULL ? "" : ", query ",
			   visit->call.query_id == NULL ? "" : visit->query_id);
}

static void
check_extension(void)
{
	if (!intake_own_table_hold("entity"))
		ereport(ERROR,
				(errcode(ERRCODE_CONFIG_FILE_ERROR),
				 errmsg("the gateway's database has no extension pg_intake"),
				 errhint("Run CREATE EXTENSION pg_intake in database \"%s\".",
						 intake_database)));
}

/*
 * Where no token is asked for, whoever reaches the port is let in.  A browser
 * does, for any page that it shows once the page's name leads to this machine
 * (DNS rebinding), but it says which page asks for a write.
 */
static void
refuse_web_page(const IntakeHttpRequest *request)
{
	if (intake_request_header(request, "origin") == NULL)
		return;
	ereport(ERROR,
			(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
			 errmsg("a web page cannot do this without a token"),
			 errdetail("The request has a header \"Origin\", and pg_intake.authentication is \"none\".")));
}

/* Who the request is. */
static void
authenticate(Visit *visit)
{
	const IntakeHttpRequest *request = visit->request;
	const char *header = request->authorization;

	(void) intake_request_sole_header(request, "authorization");
	if (visit->route->family != INTAKE_FAMILY_DATALENS &&
		intake_authentication == INTAKE_AUTHENTICATION_NONE)
		refuse_web_page(request);
	PushActiveSnapshot(GetTransactionSnapshot());
	visit->call.bearer = visit->route->family == INTAKE_FAMILY_DATALENS ?
		intake_iam_token_verify(header) : intake_token_authenticate(header);
	PopActiveSnapshot();
}

/* Does the route's work as the role, in a transaction. */
static void
work(Visit *visit)
{
	Oid			user;
	int			security;

	intake_route_begin_transaction();
	MemoryContextSwitchTo(visit->context);
	GetUserIdAndSecContext(&user, &security);
	check_extension();
	authenticate(visit);
	visit->call.operation.subject = visit->call.bearer->subject;
	visit->is_session_used = true;
	SetUserIdAndSecContext(visit->call.bearer->role,
						   security | SECURITY_LOCAL_USERID_CHANGE);
	PushActiveSnapshot(GetTransactionSnapshot());
	visit->route->handle(visit->request, &visit->call, visit->answer);
	PopActiveSnapshot();
	CommitTransactionCommand();
	SetUserIdAndSecContext(user, security);
	MemoryContextSwitchTo(visit->context);
}

/*
 * Does the work of a route that nothing but our own code has a part in, with
 * the loader's own rights.
 */
static void
exchange(Visit *visit)
{
	intake_route_begin_transaction();
	MemoryContextSwitchTo(visit->context);
	check_extension();
	PushActiveSnapshot(GetTransactionSnapshot());
	visit->route->handle(visit->request, &visit->call, visit->answer);
	PopActiveSnapshot();
	CommitTransactionCommand();
	MemoryContextSwitchTo(visit->context);
}

/*
 * Forgets what a trigger or function of the request may have left in the
 * session: what DISCARD ALL does, but for the plans, which are nobody's, and
 * LISTEN, which no background worker can.
 */
static void
clean_session(void)
{
	StartTransactionCommand();
	PortalHashTableDeleteAll();
	ResetAllOptions();
	DropAllPreparedStatements();
	LockReleaseAll(USER_LOCKMETHOD, true);
	ResetTempTableNamespace();
	ResetSequenceCaches();
	intake_operation_last_forget();
	CommitTransactionCommand();
}

/* The client's own name of the request, in the words of each family. */
static const char *
find_query_id(const IntakeHttpRequest *request)
{
	const char *text = intake_request_parameter(request, "queryId");

	if (text == NULL)
		text = intake_request_parameter(request, "query_id");
	if (text == NULL)
		return NULL;
	return pnstrdup(text, pg_mbcliplen(text, strlen(text),
									   INTAKE_MAX_QUERY_ID));
}

/* Does what the route is for, in the way that its access wants it. */
static void
serve(Visit *visit)
{
	if (visit->route->access == INTAKE_ACCESS_TOKEN)
		work(visit);
	else if (visit->route->access == INTAKE_ACCESS_EXCHANGE)
		exchange(visit);
	else if (visit->request->is_preflight)
		visit->answer->is_preflight = true;
	else
		visit->route->handle(visit->request, &visit->call, visit->answer);
}

/* A name that the client has chosen, in quotes and on one line; "" for none. */
static const char *
show_name(const char *name)
{
	StringInfoData quoted;

	initStringInfo(&quoted);
	escape_json(&quoted, name == NULL ? "" : name);
	return intake_discreet_log_plain(quoted.data);
}

static void
run(Visit *visit)
{
	IntakeHttpRequest *request;
	char	   *activity;

	request = intake_request_read(visit->frame, visit->link);
	visit->request_id = show_name(request->request_id);
	visit->request = request;
	intake_request_decode(request);
	visit->call.query_id = find_query_id(request);
	visit->query_id = show_name(visit->call.query_id);
	activity = psprintf("%s %s (%s, %s)", request->method, request->path,
						visit->request_id, visit->query_id);
	pgstat_report_activity(STATE_RUNNING, activity);
	visit->route = intake_route_find(request);
	visit->answer->route = visit->route->name;
	serve(visit);
}

/* Whether the error goes into the server's log. */
static bool
is_logged(const ErrorData *error)
{
	return intake_log_requests != INTAKE_LOG_REQUESTS_NONE ||
		intake_status_of(error->sqlerrcode, INTAKE_FAMILY_V1).status >= 500;
}

/* After the body has been opened, any error may show some of it. */
static void
log_error(const Visit *visit)
{
	if (visit->call.body != NULL)
		intake_discreet_log_emit();
	else
		EmitErrorReport();
}

/* Takes the error, undoes the transaction and makes the answer. */
static void
fail(Visit *visit)
{
	IntakeAnswer *begun = visit->answer;
	ErrorData  *error;

	HOLD_INTERRUPTS();
	disable_all_timeouts(false);
	QueryCancelPending = false;
	MemoryContextSwitchTo(visit->context);
	error = CopyErrorData();
	if (is_logged(error))
		log_error(visit);
	AbortCurrentTransaction();
	FlushErrorState();
	RESUME_INTERRUPTS();

	MemoryContextSwitchTo(visit->context);
	intake_route_record_failure(&visit->call, error);
	visit->answer = intake_answer_make(visit->link);
	visit->answer->has_begun = begun->has_begun;
	visit->answer->headers = begun->lasting_headers;
	visit->answer->is_logged = is_logged(error);
	intake_problem_answer(visit->route, visit->request, &visit->call, error,
						  visit->answer);
}

void
intake_visit(IntakeLink *link, const IntakeFrame *frame,
			 MemoryContext context)
{
	Visit		visit = {.link = link, .frame = frame, .context = context,
		.request_id = "", .query_id = ""};
	ErrorContextCallback callback;

	callback.callback = report_request;
	callback.arg = &visit;
	callback.previous = error_context_stack;
	error_context_stack = &callback;

	MemoryContextSwitchTo(context);
	/* the last request's, which may be another client's */
	intake_fault_forget();
	visit.answer = intake_answer_make(link);
	visit.call.started_at = GetCurrentTimestamp();
	PG_TRY();
	{
		/* one that came before was not meant for this request */
		QueryCancelPending = false;
		RESUME_CANCEL_INTERRUPTS();
		run(&visit);
	}
	PG_CATCH();
	{
		fail(&visit);
	}
	PG_END_TRY();
	HOLD_CANCEL_INTERRUPTS();
	error_context_stack = callback.previous;

	MemoryContextSwitchTo(context);
	/* A trigger may have set another one. */
	(void) SetClientEncoding(PG_UTF8);
	(void) intake_answer_send(visit.answer);
	if (visit.is_session_used)
		clean_session();
	pgstat_report_stat(false);
}
