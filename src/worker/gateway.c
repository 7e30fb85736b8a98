/*-------------------------------------------------------------------------
 *
 * gateway.c
 *	  The worker that owns the HTTP program.
 *
 *	settings --configure--> pg_intake_http --wanted--> loaders
 *							   |  log, counters
 *							   v
 *						server log, shared memory
 *
 * It has shared memory but no database, and waits for nobody: the program
 * may die or hang at any time and is started anew; loaders start in the
 * background.  While the port is 0 the program is told to finish.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xlog.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "postmaster/bgworker.h"
#include "postmaster/interrupt.h"
#include "storage/ipc.h"
#include "storage/latch.h"
#include "tcop/tcopprot.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/jsonb.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "worker/gateway.h"
#include "worker/gateway_config.h"
#include "worker/loader_start.h"
#include "worker/program.h"
#include "worker/shared.h"
#include "worker/worker_settings.h"

/* How long a frame to the program may take; a program that hangs is ended. */
#define SEND_TIMEOUT 5000

/* How often states are looked at that wake nobody. */
#define TICK 1000

typedef struct Gateway
{
	IntakeProgram program;
	pgsocket	listener;
	MemoryContext round;		/* reset each turn of the loop */
	bool		is_ready;		/* as the program was told last */
	bool		is_finishing;	/* it was told to finish */
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
	if (gateway->program.pid == 0 ||
		intake_link_send(gateway->program.link, type, json, strlen(json),
						 SEND_TIMEOUT))
		return;
	intake_program_kill(&gateway->program);
	(void) intake_program_reap(&gateway->program);
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

/* Whether uploads can be served: not on a standby. */
static void
tell_readiness(Gateway *gateway)
{
	bool		is_ready = !RecoveryInProgress();

	if (gateway->is_ready == is_ready)
		return;
	gateway->is_ready = is_ready;
	tell(gateway, INTAKE_FRAME_UPDATE, is_ready ?
		 "{\"ready\": true, \"writable\": true, \"reason\": null}" :
		 "{\"ready\": false, \"writable\": false, \"reason\": \"the server is a standby\"}");
}

static void
start_program(Gateway *gateway)
{
	MemoryContext old = MemoryContextSwitchTo(TopMemoryContext);
	bool		is_started;

	is_started = intake_program_start(&gateway->program, gateway->listener);
	MemoryContextSwitchTo(old);
	if (!is_started)
		return;
	gateway->is_finishing = false;
	gateway->is_ready = !RecoveryInProgress();
	tell_configuration(gateway);
	gateway->is_ready = !gateway->is_ready;
	tell_readiness(gateway);
}

/* A member of a frame's JSON as text, or NULL. */
static char *
member(Jsonb *object, const char *name)
{
	JsonbValue	value;

	if (getKeyJsonValueFromContainer(&object->root, name, strlen(name),
									 &value) == NULL)
		return NULL;
	if (value.type == jbvString)
		return pnstrdup(value.val.string.val, value.val.string.len);
	if (value.type == jbvNumeric)
		return DatumGetCString(DirectFunctionCall1(numeric_out,
												   NumericGetDatum(value.val.numeric)));
	return NULL;
}

/* What the program has to say goes into the server's log. */
static void
log_message(Jsonb *object)
{
	char	   *level = member(object, "level");
	char	   *message = member(object, "message");
	char	   *detail = member(object, "detail");

	ereport(level != NULL && strcmp(level, "debug") == 0 ? DEBUG1 :
			level != NULL && strcmp(level, "warning") == 0 ? WARNING : LOG,
			(errmsg("%s", message == NULL ? "" : message),
			 detail == NULL ? 0 : errdetail("%s", detail)));
}

/* Does what a frame of the program asks for. */
static void
take_frame(Gateway *gateway, const IntakeFrame *frame)
{
	char	   *text = pnstrdup(frame->payload, frame->len);
	Jsonb	   *object = DatumGetJsonbP(DirectFunctionCall1(jsonb_in,
															CStringGetDatum(text)));
	char	   *wanted;

	switch (frame->type)
	{
		case INTAKE_FRAME_WANTED:
			wanted = member(object, "wanted");
			if (wanted != NULL)
				intake_loaders_start(atoi(wanted));
			break;
		case INTAKE_FRAME_LOG:
			log_message(object);
			break;
		case INTAKE_FRAME_LISTENING:
			intake_program_settle(&gateway->program);
			ereport(LOG,
					(errmsg("the gateway's addresses: %s", text)));
			break;
		default:
			break;
	}
}

/* Takes all frames that have arrived. */
static void
take_frames(Gateway *gateway)
{
	IntakeProgram *program = &gateway->program;
	IntakeLinkEvent event = INTAKE_LINK_NOTHING;
	IntakeFrame frame;

	while (program->pid != 0 &&
		   (event = intake_link_receive(program->link, &frame, 0,
										true)) == INTAKE_LINK_FRAME)
		take_frame(gateway, &frame);
	if (event == INTAKE_LINK_CLOSED)
		intake_program_kill(program);
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
		(void) WaitLatch(MyLatch, events, TICK, PG_WAIT_EXTENSION);
	ResetLatch(MyLatch);
	CHECK_FOR_INTERRUPTS();
}

/* Lets running uploads end, for a while, and ends what is left. */
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
		take_frames(gateway);
		(void) intake_program_reap(&gateway->program);
	}
	intake_program_kill(&gateway->program);
	proc_exit(0);
}

/* Starts or ends the program as the settings ask for. */
static void
follow_port(Gateway *gateway)
{
	IntakeProgram *program = &gateway->program;

	if (program->pid == 0 && intake_port != 0 &&
		GetCurrentTimestamp() >= program->next_start)
		start_program(gateway);
}

static void
turn(Gateway *gateway)
{
	wait_for_events(gateway);
	if (ShutdownRequestPending)
		shut_down(gateway);
	if (ConfigReloadPending)
	{
		ConfigReloadPending = false;
		ProcessConfigFile(PGC_SIGHUP);
		tell_configuration(gateway);
	}
	take_frames(gateway);
	(void) intake_program_reap(&gateway->program);
	(void) intake_loaders_reap();
	follow_port(gateway);
	tell_readiness(gateway);
}

void
intake_gateway_main(Datum argument)
{
	Gateway		gateway = {{0}};

	pqsignal(SIGHUP, SignalHandlerForConfigReload);
	pqsignal(SIGTERM, SignalHandlerForShutdownRequest);
	BackgroundWorkerUnblockSignals();

	LWLockAcquire(intake_shared->lock, LW_EXCLUSIVE);
	intake_shared->gateway_pid = MyProcPid;
	intake_shared->gateway_latch = MyLatch;
	LWLockRelease(intake_shared->lock);

	gateway.listener = intake_loader_listen();
	gateway.round = AllocSetContextCreate(TopMemoryContext,
										  "pg_intake gateway round",
										  ALLOCSET_DEFAULT_SIZES);
	for (;;)
	{
		MemoryContextSwitchTo(gateway.round);
		follow_port(&gateway);
		turn(&gateway);
		MemoryContextReset(gateway.round);
	}
}
