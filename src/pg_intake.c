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

#include "copy.h"
#include "settings.h"

PG_MODULE_MAGIC;

void		_PG_init(void);

void
_PG_init(void)
{
	intake_settings_define();
	intake_copy_install();
}
