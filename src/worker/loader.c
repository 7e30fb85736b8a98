/*-------------------------------------------------------------------------
 *
 * loader.c
 *	  The worker that runs uploads that come over HTTP.
 *
 * It connects to the HTTP program and serves one request after the other,
 * each in a transaction of its own (visit.c), as the role that the request's
 * token stands for.  An idle one retires after a while, or at once when its
 * database is wanted (DROP DATABASE and the like); it asks the program first,
 * so that no request is lost on the way.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "miscadmin.h"
#include "pgstat.h"
#include "postmaster/bgworker.h"
#include "postmaster/interrupt.h"
#include "storage/ipc.h"
#include "tcop/tcopprot.h"
#include "utils/guc.h"
#include "utils/memutils.h"

#include "worker/loader.h"
#include "worker/loader_start.h"
#include "worker/shared.h"
#include "worker/visit.h"
#include "worker/worker_settings.h"

/* A connection to the HTTP program. */
static IntakeLink *
connect_program(void)
{
	struct sockaddr_un address = {0};
	pgsocket	socket_ = socket(AF_UNIX, SOCK_STREAM, 0);

	address.sun_family = AF_UNIX;
	strlcpy(address.sun_path, INTAKE_LOADER_SOCKET, sizeof(address.sun_path));
	if (socket_ == PGINVALID_SOCKET ||
		connect(socket_, (struct sockaddr *) &address, sizeof(address)) != 0)
		ereport(FATAL,
				(errcode_for_socket_access(),
				 errmsg("could not connect to \"%s\": %m",
						INTAKE_LOADER_SOCKET)));
	return intake_link_make(socket_);
}

static void
say_hello(IntakeLink *link)
{
	char	   *hello = psprintf("{\"pid\": %d}", MyProcPid);

	if (!intake_link_send(link, INTAKE_FRAME_HELLO, hello, strlen(hello), -1))
		proc_exit(0);
}

/* Serves requests until the program closes the connection. */
static void
serve(IntakeLink *link)
{
	MemoryContext context = AllocSetContextCreate(TopMemoryContext,
												  "pg_intake request",
												  ALLOCSET_DEFAULT_SIZES);
	bool		is_retiring = false;

	for (;;)
	{
		IntakeFrame frame;
		IntakeLinkEvent event;

		pgstat_report_activity(STATE_IDLE, NULL);
		event = intake_link_receive(link, &frame, is_retiring ? -1 :
									intake_loader_idle_timeout, true);
		CHECK_FOR_INTERRUPTS();
		if (ConfigReloadPending)
		{
			ConfigReloadPending = false;
			ProcessConfigFile(PGC_SIGHUP);
		}
		if (event == INTAKE_LINK_CLOSED)
			return;
		if (event == INTAKE_LINK_FRAME)
		{
			/* Others are the rest of a body whose request is answered. */
			if (frame.type == INTAKE_FRAME_REQUEST)
				intake_visit(link, &frame, context);
			MemoryContextReset(context);
		}
		else if (!is_retiring)
			is_retiring = intake_link_send(link, INTAKE_FRAME_RETIRE, "{}", 2,
										   -1);
	}
}

void
intake_loader_main(Datum argument)
{
	IntakeLink *link;

	pqsignal(SIGHUP, SignalHandlerForConfigReload);
	pqsignal(SIGTERM, die);
	BackgroundWorkerUnblockSignals();
	BackgroundWorkerInitializeConnection(intake_database, NULL, 0);

	MemoryContextSwitchTo(TopMemoryContext);
	link = connect_program();
	say_hello(link);
	intake_shared_enter(DatumGetInt32(argument));
	serve(link);
	proc_exit(0);
}
