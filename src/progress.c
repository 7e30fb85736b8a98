/*-------------------------------------------------------------------------
 *
 * progress.c
 *	  What pg_stat_progress_copy shows of an upload.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "commands/progress.h"
#include "pgstat.h"
#include "utils/backend_progress.h"
#include "utils/backend_status.h"

#include "compat.h"
#include "progress.h"

/*
 * What is shown, and of which upload: NULL of none, a source that is gone
 * after one that failed.  A transaction that fails ends the report by itself;
 * the next begin sets all of this anew.
 */
static struct
{
	const IntakeSource *owner;
	Oid			relid;
	int64		values[PGSTAT_NUM_PROGRESS_PARAM];
}			report;

static bool
is_reporting(void)
{
	return MyBEEntry != NULL &&
		MyBEEntry->st_progress_command != PROGRESS_COMMAND_INVALID;
}

static int64
type_of_source(const IntakeSource *source)
{
	switch (source->kind)
	{
		case INTAKE_SOURCE_FILE:
			return PROGRESS_COPY_TYPE_FILE;
		case INTAKE_SOURCE_PROGRAM:
			return PROGRESS_COPY_TYPE_PROGRAM;
		case INTAKE_SOURCE_CLIENT:
			return PROGRESS_COPY_TYPE_PIPE;
		default:
			return PROGRESS_COPY_TYPE_CALLBACK;
	}
}

/* Begins the report with the values at hand. */
static void
show(void)
{
	int			i;

	pgstat_progress_start_command(PROGRESS_COMMAND_COPY, report.relid);
	for (i = 0; i < PGSTAT_NUM_PROGRESS_PARAM; i++)
	{
		if (report.values[i] != 0)
			pgstat_progress_update_param(i, report.values[i]);
	}
}

void
intake_progress_begin(Oid relid, const IntakeSource *source)
{
	if (is_reporting())
	{
		if (report.owner == source)
			report.owner = NULL;
		return;
	}
	report.owner = source;
	memset(report.values, 0, sizeof(report.values));
	report.relid = relid;
	report.values[PROGRESS_COPY_COMMAND] = PROGRESS_COPY_COMMAND_FROM;
	report.values[PROGRESS_COPY_TYPE] = type_of_source(source);
	report.values[PROGRESS_COPY_BYTES_TOTAL] = source->total;
	show();
}

void
intake_progress_report(const IntakeSource *source, int64 records,
					   int64 rejected)
{
	const int	params[] = {
		PROGRESS_COPY_BYTES_PROCESSED, PROGRESS_COPY_TUPLES_PROCESSED,
		INTAKE_PROGRESS_REJECTED
	};
	const int64 values[] = {
		(int64) intake_source_consumed(source), records, rejected
	};
	int			i;

	if (report.owner != source)
		return;
	for (i = 0; i < lengthof(params); i++)
		report.values[params[i]] = values[i];
	if (is_reporting())
		pgstat_progress_update_multi_param(lengthof(params), params, values);
	else
		show();
}

void
intake_progress_resume(void)
{
	if (report.owner != NULL && !is_reporting())
		show();
}

void
intake_progress_end(const IntakeSource *source)
{
	if (report.owner != source)
		return;
	pgstat_progress_end_command();
	report.owner = NULL;
}
