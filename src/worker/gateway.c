/*-------------------------------------------------------------------------
 *
 * gateway.c
 *	  The worker that owns the HTTP program.
 *
 *	settings --configure--> pg_intake_http --wanted--> loaders
 *								   |
 *								   +--log--> server log
 *								   +--counters--> shared memory
 *
 * It has shared memory but no database, and waits for nobody: the program
 * may die or hang at any time and is started anew; loaders start in the
 * background.  A port that becomes 0 by a reload closes the listeners and lets
 * running requests end.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xlog.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "postmaster/bgworker.h"
#include "postmaster/interrupt.h"
#include "storage/ipc.h"
#include "storage/latch.h"
#include "tcop/tcopprot.h"
#include "utils/guc.h"
#include "utils/json.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "discreet_log.h"
#include "worker/gateway.h"
#include "worker/gateway_config.h"
#include "worker/json_object.h"
#include "worker/loader_start.h"
#include "worker/program.h"
#include "worker/shared.h"
#include "worker/stat.h"
#include "worker/worker_settings.h"

/* How long a frame to the program may take; a program that hangs is ended. */
#define SEND_TIMEOUT 5000

/* How often states are looked at that wake nobody. */
#define TICK 1000

/* A program that never stops talking does not keep us from all else. */
#define FRAMES_A_TURN 1000

/* Of what the program wants logged, in bytes. */
#define MAX_MESSAGE 2000

typedef struct Gateway
{
	IntakeProgram program;
	pgsocket	listener;		/* for loaders; the program accepts there */
	MemoryContext round;		/* reset each turn of the loop */
	bool		is_told;		/* the program knows the two below */
	bool		is_standby;
	const char *problem;		/* why no loader works, or NULL */
	char	   *listening;		/* where, as last logged, or NULL */
} Gateway;

void
intake_gateway_register(void)
{
	BackgroundWorker worker = {0};

	worker.bgw_flags = BGWORKER_SHMEM_ACCESS;
	worker.bgw_start_time = BgWorkerStart_ConsistentState;
	worker.bgw_restart_time = 1;
	strlcpy(worker.bgw_library_name, "pg_intake", BGW_MAXLEN);
	strlcpy(worker.bgw_function_name, "intake_gateway_main", BGW_MAXLEN);
	strlcpy(worker.bgw_name, "pg_intake gateway", BGW_MAXLEN);
	strlcpy(worker.bgw_type, "pg_intake gateway", BGW_MAXLEN);
	RegisterBackgroundWorker(&worker);
}

/* Sends a frame; a program that does not take it is ended. */
static void
tell(Gateway *gateway, char type, const char *json)
{
	if (gateway->program.pid != 0 &&
		!intake_link_send(gateway->program.link, type, json, strlen(json),
						  SEND_TIMEOUT))
		intake_program_end(&gateway->program, false);
}

static void
tell_configuration(Gateway *gateway)
{
	StringInfoData json;

	initStringInfo(&json);
	intake_gateway_config_append(&json);
	tell(gateway, INTAKE_FRAME_CONFIGURE, json.data);
	explicit_bzero(json.data, json.len);
}

/* Whether uploads can be served; says so when it has changed. */
static void
tell_readiness(Gateway *gateway)
{
	bool		is_standby = RecoveryInProgress();
	const char *problem = intake_loaders_look();
	StringInfoData json;

	if (problem != NULL)
		intake_loaders_start(1);
	if (gateway->is_told && gateway->is_standby == is_standby &&
		gateway->problem == problem)
		return;
	gateway->is_told = true;
	gateway->is_standby = is_standby;
	gateway->problem = problem;
	initStringInfo(&json);
	appendStringInfo(&json, "{\"ready\": %s, \"writable\": %s, \"reason\": ",
					 problem == NULL ? "true" : "false",
					 is_standby ? "false" : "true");
	escape_json(&json, problem != NULL ? problem :
				is_standby ? "the server is a standby" : "");
	appendStringInfoChar(&json, '}');
	tell(gateway, INTAKE_FRAME_UPDATE, json.data);
}

/* Starts the program when there is a port and it is time. */
static void
start_program(Gateway *gateway)
{
	MemoryContext old;
	bool		is_started;

	if (gateway->program.pid != 0)
		return;
	intake_stat_settle();
	if (intake_port == 0 ||
		GetCurrentTimestamp() < gateway->program.next_start)
		return;
	old = MemoryContextSwitchTo(TopMemoryContext);
	is_started = intake_program_start(&gateway->program, gateway->listener);
	MemoryContextSwitchTo(old);
	if (!is_started)
		return;
	gateway->is_told = false;
	if (gateway->listening != NULL)
		pfree(gateway->listening);
	gateway->listening = NULL;
	tell_configuration(gateway);
	tell_readiness(gateway);
}

/* The text of a member, no longer than a line of the log may be. */
static char *
read_message(const Jsonb *object, const char *name)
{
	char	   *text = NULL;

	(void) intake_json_object_text(object, name, &text);
	if (text != NULL)
		text[pg_mbcliplen(text, strlen(text), MAX_MESSAGE)] = '\0';
	return text;
}

/* What the program has to say goes into the server's log. */
static void
log_message(Jsonb *object)
{
	char	   *level = NULL;
	char	   *message = read_message(object, "message");
	char	   *detail = read_message(object, "detail");

	(void) intake_json_object_text(object, "level", &level);
	ereport(level != NULL && strcmp(level, "debug") == 0 ? DEBUG1 :
			level != NULL && strcmp(level, "warning") == 0 ? WARNING : LOG,
			(errmsg("%s", message == NULL ? "" :
					intake_discreet_log_plain(message)),
			 detail == NULL ? 0 :
			 errdetail_internal("%s", intake_discreet_log_plain(detail))));
}

/* Whether these are other addresses than the last time; remembers them. */
static bool
has_moved(Gateway *gateway, List *addresses)
{
	StringInfoData all;
	ListCell   *cell;

	initStringInfo(&all);
	foreach(cell, addresses)
		appendStringInfo(&all, "%s\n", (char *) lfirst(cell));
	if (gateway->listening != NULL)
	{
		if (strcmp(gateway->listening, all.data) == 0)
			return false;
		pfree(gateway->listening);
	}
	gateway->listening = MemoryContextStrdup(TopMemoryContext, all.data);
	return true;
}

/*
 * The addresses that the program listens on now.  It tells them after each
 * reload, most of which have changed something else.
 */
static void
log_listening(Gateway *gateway, const Jsonb *object)
{
	List	   *addresses = NIL;
	ListCell   *cell;

	(void) intake_json_object_texts(object, "listening", &addresses);
	if (!has_moved(gateway, addresses))
		return;
	foreach(cell, addresses)
		ereport(LOG,
				(errmsg("the gateway listens on %s",
						(char *) lfirst(cell))));
}

/* Does what a frame of the program asks for. */
static void
take_frame(Gateway *gateway, const IntakeFrame *frame)
{
	const char *problem = NULL;
	Jsonb	   *object = intake_json_object_read(frame->payload, frame->len,
												 &problem);
	double		wanted = 0;
	bool		is_there;

	if (object == NULL)
	{
		ereport(WARNING,
				(errmsg("the HTTP program sent a frame that is no JSON object")));
		return;
	}
	switch (frame->type)
	{
		case INTAKE_FRAME_WANTED:
			(void) intake_json_object_number(object, "wanted", &wanted,
											 &is_there);
			intake_loaders_start((int) Max(0, Min(wanted,
												  INTAKE_MAX_LOADERS)));
			break;
		case INTAKE_FRAME_LOG:
			log_message(object);
			break;
		case INTAKE_FRAME_COUNTERS:
			intake_stat_take(object);
			break;
		case INTAKE_FRAME_LISTENING:
			intake_program_settle(&gateway->program);
			log_listening(gateway, object);
			break;
		default:
			break;
	}
}

/*
 * Takes the frames that have arrived, or the first of very many.  The program
 * has ended when its socket has, after its last frame.
 */
static void
take_frames(Gateway *gateway, bool is_ending)
{
	IntakeProgram *program = &gateway->program;
	IntakeLinkEvent event = INTAKE_LINK_NOTHING;
	IntakeFrame frame;
	int			i;

	for (i = 0; i < FRAMES_A_TURN && program->pid != 0; i++)
	{
		event = intake_link_receive(program->link, &frame, 0, true);
		if (event != INTAKE_LINK_FRAME)
			break;
		take_frame(gateway, &frame);
		MemoryContextReset(gateway->round);
	}
	if (event == INTAKE_LINK_CLOSED)
		intake_program_end(program, is_ending);
}

/* How long to wait without a program: until it is time to start one, ms. */
static long
time_to_start(const Gateway *gateway)
{
	long		time;

	if (intake_port == 0)
		return TICK;
	time = TimestampDifferenceMilliseconds(GetCurrentTimestamp(),
										   gateway->program.next_start);
	return Max(1, Min(time, TICK));
}

/* Waits until something happens. */
static void
wait_for_events(Gateway *gateway)
{
	int			events = WL_LATCH_SET | WL_TIMEOUT | WL_EXIT_ON_PM_DEATH;

	if (gateway->program.pid != 0)
		(void) WaitLatchOrSocket(MyLatch, events | WL_SOCKET_READABLE,
								 intake_link_socket(gateway->program.link),
								 TICK, PG_WAIT_EXTENSION);
	else
		(void) WaitLatch(MyLatch, events, time_to_start(gateway),
						 PG_WAIT_EXTENSION);
	ResetLatch(MyLatch);
	CHECK_FOR_INTERRUPTS();
}

/*
 * Lets running uploads end, for a while, and ends what is left.  Status 1, so
 * that a gateway that somebody has ended is started again.
 */
static void
shut_down(Gateway *gateway)
{
	TimestampTz end = TimestampTzPlusMilliseconds(GetCurrentTimestamp(),
												  intake_shutdown_grace);

	tell(gateway, INTAKE_FRAME_FINISH,
		 psprintf("{\"grace_ms\": %d}", intake_shutdown_grace));
	while (gateway->program.pid != 0 && GetCurrentTimestamp() < end)
	{
		wait_for_events(gateway);
		take_frames(gateway, true);
	}
	intake_program_end(&gateway->program, true);
	proc_exit(1);
}

static void
turn(Gateway *gateway)
{
	start_program(gateway);
	wait_for_events(gateway);
	if (ShutdownRequestPending)
		shut_down(gateway);
	if (ConfigReloadPending)
	{
		ConfigReloadPending = false;
		ProcessConfigFile(PGC_SIGHUP);
		tell_configuration(gateway);
		intake_loaders_retry();
	}
	take_frames(gateway, false);
	tell_readiness(gateway);
}

void
intake_gateway_main(Datum argument)
{
	Gateway		gateway = {.listener = PGINVALID_SOCKET};

	pqsignal(SIGHUP, SignalHandlerForConfigReload);
	pqsignal(SIGTERM, SignalHandlerForShutdownRequest);
	pqsignal(SIGCHLD, SIG_DFL);
	/* Texts of the program are UTF-8, and so is what the log gets of them. */
	SetDatabaseEncoding(PG_UTF8);
	BackgroundWorkerUnblockSignals();

	gateway.listener = intake_loaders_listen();
	gateway.round = AllocSetContextCreate(TopMemoryContext,
										  "pg_intake gateway round",
										  ALLOCSET_DEFAULT_SIZES);
	MemoryContextSwitchTo(gateway.round);
	for (;;)
	{
		turn(&gateway);
		MemoryContextReset(gateway.round);
	}
}
