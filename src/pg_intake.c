/*-------------------------------------------------------------------------
 *
 * pg_intake.c
 *	  The library's entry point.
 *
 * A payload becomes rows on one path, whichever door it came through:
 *
 *	door -> ingest.c: [source/] --bytes--> [format/] --values--> [convert.c]
 *					  --rows--> [write/] --> table
 *
 * and ingest.c claims the operation's UUID in registry/ before the first
 * byte is decoded and writes its record after the last row.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "fmgr.h"
#include "miscadmin.h"

#include "copy.h"
#include "discreet_log.h"
#include "settings.h"
#include "worker/database_hook.h"
#include "worker/gateway.h"
#include "worker/shared.h"
#include "worker/worker_settings.h"

PG_MODULE_MAGIC;

void		_PG_init(void);

void
_PG_init(void)
{
	intake_worker_settings_define();
	intake_settings_define();
	intake_copy_install();
	intake_discreet_log_install();

	/* The HTTP door needs shared memory and a worker from the start on. */
	if (!process_shared_preload_libraries_in_progress)
		return;
	intake_shared_request();
	intake_gateway_register();
	intake_database_hook_install();
}
