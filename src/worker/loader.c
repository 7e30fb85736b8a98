/*-------------------------------------------------------------------------
 *
 * loader.c
 *	  The worker that runs uploads that come over HTTP.
 *
 * It connects to the HTTP program and serves one request after the other,
 * each in a transaction of its own (visit.c), as the role that the request's
 * token stands for.  An idle one retires after a while, or at once when its
 * database is wanted (DROP DATABASE and the like) or is not the gateway's any
 * more; it tells the program first and goes on until the program closes the
 * connection, so that no request is lost on the way.
 *
 * When the server stops, the postmaster ends all workers at once, while a
 * request may go on for pg_intake.shutdown_grace: SIGTERM is put off that
 * long by a timer, which sends it again.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#ifdef __GLIBC__
#include <malloc.h>
#endif
#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "access/xact.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "postmaster/bgworker.h"
#include "postmaster/interrupt.h"
#include "storage/ipc.h"
#include "tcop/tcopprot.h"
#include "utils/guc.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "worker/loader.h"
#include "worker/loader_start.h"
#include "worker/shared.h"
#include "worker/visit.h"
#include "worker/worker_settings.h"

/*
 * Free memory, in bytes, that stays for the next request, and up to what size
 * a piece is taken of it: without, each request gets its memory from the
 * kernel page by page and gives it back.
 */
#define KEPT_MEMORY (4 * 1024 * 1024)
#define KEPT_PIECE (1024 * 1024)

/* How long the program may take to let a retiring loader go, ms. */
#define FAREWELL 1000

/*
 * Signals that come so close together, in ms, are one: the postmaster sends
 * each to the process and to its group.
 */
#define SAME_SIGNAL 200

static IntakeLoaderSlot *slot = NULL;
static int	slot_number;
static timer_t grace_timer;
static struct timespec first_sigterm;
static char *database_name;

/* A connection to the HTTP program. */
static IntakeLink *
connect_program(void)
{
	struct sockaddr_un address = {0};
	pgsocket	program = socket(AF_UNIX, SOCK_STREAM, 0);

	address.sun_family = AF_UNIX;
	strlcpy(address.sun_path, INTAKE_LOADER_SOCKET, sizeof(address.sun_path));
	if (program == PGINVALID_SOCKET ||
		connect(program, (struct sockaddr *) &address, sizeof(address)) != 0)
		ereport(FATAL,
				(errcode_for_socket_access(),
				 errmsg("could not connect to \"%s\": %m",
						INTAKE_LOADER_SOCKET)));
	return intake_link_make(program);
}

static void
say_hello(IntakeLink *link)
{
	char	   *hello = psprintf("{\"pid\": %d}", MyProcPid);

	if (!intake_link_send(link, INTAKE_FRAME_HELLO, hello, strlen(hello), -1))
		proc_exit(0);
	LWLockAcquire(intake_shared->lock, LW_EXCLUSIVE);
	slot->has_connected = true;
	LWLockRelease(intake_shared->lock);
}

/* Whether it is the first signal once more, not another one or the timer. */
static bool
is_same_signal(const struct timespec *now)
{
	int64		seconds = now->tv_sec - first_sigterm.tv_sec;
	int64		elapsed = seconds * 1000 +
		(now->tv_nsec - first_sigterm.tv_nsec) / 1000000;

	return elapsed < Min(SAME_SIGNAL, intake_shutdown_grace);
}

/*
 * A running request gets its time of grace; another signal, and the timer at
 * the end of it, end the loader at once.  Only calls that are safe in a
 * signal's handler.
 */
static void
handle_sigterm(SIGNAL_ARGS)
{
	struct itimerspec grace;
	struct timespec now;
	int			save_errno = errno;

	(void) clock_gettime(CLOCK_MONOTONIC, &now);
	if (slot->is_busy && (slot->must_end || intake_shutdown_grace == 0 ||
						  (ShutdownRequestPending && !is_same_signal(&now))))
		die(postgres_signal_arg);
	else if (slot->is_busy)
	{
		memset(&grace, 0, sizeof(grace));
		grace.it_value.tv_sec = intake_shutdown_grace / 1000;
		grace.it_value.tv_nsec = intake_shutdown_grace % 1000 * 1000000L;
		(void) timer_settime(grace_timer, 0, &grace, NULL);
	}
	if (!ShutdownRequestPending)
		first_sigterm = now;
	ShutdownRequestPending = true;
	SetLatch(MyLatch);
	errno = save_errno;
}

static void
prepare_end(void)
{
	struct sigevent event = {0};

	event.sigev_notify = SIGEV_SIGNAL;
	event.sigev_signo = SIGTERM;
	if (timer_create(CLOCK_MONOTONIC, &event, &grace_timer) != 0)
		ereport(FATAL,
				(errcode(ERRCODE_SYSTEM_ERROR),
				 errmsg("could not create a timer: %m")));
	pqsignal(SIGTERM, handle_sigterm);
}

static void
set_busy(bool is_busy)
{
	LWLockAcquire(intake_shared->lock, LW_EXCLUSIVE);
	slot->is_busy = is_busy;
	LWLockRelease(intake_shared->lock);
}

/* Whether it is time to go, once nothing is to be done. */
static bool
must_retire(void)
{
	return ShutdownRequestPending || slot->must_retire ||
		slot_number >= intake_max_loaders ||
		strcmp(database_name, intake_database) != 0;
}

static void
reload(void)
{
	if (!ConfigReloadPending)
		return;
	ConfigReloadPending = false;
	ProcessConfigFile(PGC_SIGHUP);
}

/* Takes a frame while no request runs. */
static void
take_frame(IntakeLink *link, const IntakeFrame *frame, MemoryContext context)
{
	/* Others are the rest of a body whose request is answered. */
	if (frame->type != INTAKE_FRAME_REQUEST)
		return;
	set_busy(true);
	intake_visit(link, frame, context);
	set_busy(false);
	pgstat_report_activity(STATE_IDLE, NULL);
}

/* Serves requests until it is time to go. */
static void
serve(IntakeLink *link, MemoryContext context)
{
	IntakeLinkEvent event = INTAKE_LINK_FRAME;
	TimestampTz idle_since = GetCurrentTimestamp();

	while (event != INTAKE_LINK_CLOSED)
	{
		IntakeFrame frame;

		event = intake_link_receive(link, &frame, intake_loader_idle_timeout,
									true);
		CHECK_FOR_INTERRUPTS();
		reload();
		if (event == INTAKE_LINK_FRAME)
		{
			take_frame(link, &frame, context);
			MemoryContextReset(context);
			idle_since = GetCurrentTimestamp();
		}
		if (must_retire() ||
			TimestampDifferenceExceeds(idle_since, GetCurrentTimestamp(),
									   intake_loader_idle_timeout))
			return;
	}
}

/* Takes leave of the program; what crosses the farewell is served first. */
static void
retire(IntakeLink *link, MemoryContext context)
{
	TimestampTz end = TimestampTzPlusMilliseconds(GetCurrentTimestamp(),
												  FAREWELL);
	IntakeLinkEvent event = INTAKE_LINK_FRAME;

	if (!intake_link_send(link, INTAKE_FRAME_RETIRE, "{}", 2, FAREWELL))
		return;
	while (event != INTAKE_LINK_CLOSED && GetCurrentTimestamp() < end)
	{
		IntakeFrame frame;

		event = intake_link_receive(link, &frame, FAREWELL, true);
		CHECK_FOR_INTERRUPTS();
		if (event == INTAKE_LINK_FRAME)
			take_frame(link, &frame, context);
		MemoryContextReset(context);
	}
}

/*
 * The client is the HTTP program, which speaks UTF-8.  Only of the client's
 * encoding are conversions at hand outside of transactions.  An error is a
 * request's, and has to be answered.
 */
static void
set_parameters(void)
{
	StartTransactionCommand();
	SetConfigOption("client_encoding", "UTF8", PGC_USERSET, PGC_S_OVERRIDE);
	SetConfigOption("exit_on_error", "off", PGC_USERSET, PGC_S_OVERRIDE);
	CommitTransactionCommand();
}

static void
keep_memory(void)
{
#ifdef __GLIBC__
	(void) mallopt(M_TRIM_THRESHOLD, KEPT_MEMORY);
	(void) mallopt(M_MMAP_THRESHOLD, KEPT_PIECE);
#endif
}

/* Connects to the database that the settings name now. */
static void
connect_database(void)
{
	database_name = MemoryContextStrdup(TopMemoryContext, intake_database);
	BackgroundWorkerInitializeConnection(database_name, NULL, 0);
	set_parameters();
}

void
intake_loader_main(Datum argument)
{
	IntakeLink *link;
	MemoryContext context;

	pqsignal(SIGHUP, SignalHandlerForConfigReload);
	pqsignal(SIGTERM, die);
	BackgroundWorkerUnblockSignals();
	connect_database();

	slot_number = DatumGetInt32(argument);
	slot = &intake_shared->loaders[slot_number];
	if (!intake_shared_enter(slot_number))
		proc_exit(0);
	prepare_end();
	keep_memory();
	context = AllocSetContextCreate(TopMemoryContext, "pg_intake request",
									ALLOCSET_DEFAULT_SIZES);
	MemoryContextSwitchTo(TopMemoryContext);
	link = connect_program();
	say_hello(link);
	pgstat_report_activity(STATE_IDLE, NULL);
	/* a cancel is for a request: see visit.h */
	HOLD_CANCEL_INTERRUPTS();
	serve(link, context);
	retire(link, context);
	proc_exit(0);
}
