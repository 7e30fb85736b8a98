/*-------------------------------------------------------------------------
 *
 * stat.c
 *	  What the gateway counts, for views intake.stat and intake.stat_gateway.
 *
 *	S frame --read_report--> IntakeStat --merge_report--> shared memory
 *																|
 *	views <-- tuplestore <-- copy of it <-----------------------+
 *
 * The lock is held for the merge and the copy only, in which nothing can
 * fail.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <limits.h>

#include "access/htup_details.h"
#include "fmgr.h"
#include "funcapi.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"
#include "utils/tuplestore.h"

#include "compat.h"
#include "worker/json_object.h"
#include "worker/shared.h"
#include "worker/stat.h"

PG_FUNCTION_INFO_V1(intake_read_stat);
PG_FUNCTION_INFO_V1(intake_read_stat_gateway);

/* A double has all integers up to here. */
#define MAX_COUNT INT64CONST(9007199254740992)

/* The end of the year 9999, as Unix time. */
#define MAX_TIME INT64CONST(253402300799)

/* Where those are counted for which there is no row. */
#define OTHER_ROUTE "other"

/* The columns of intake.stat. */
enum
{
	ROW_ROUTE,
	ROW_STATUS,
	ROW_REQUESTS,
	ROW_SECONDS,
	ROW_COLUMNS
};

/* The columns of intake.stat_gateway, after its counters and gauges. */
enum
{
	GATEWAY_REJECTED = INTAKE_STAT_COUNTERS + INTAKE_STAT_GAUGES,
	GATEWAY_CERTIFICATE_EXPIRES,
	GATEWAY_COLUMNS
};

static const char *const counter_names[INTAKE_STAT_COUNTERS] = {
	"bytes_in", "bytes_out", "rows"
};

static const char *const gauge_names[INTAKE_STAT_GAUGES] = {
	"loaders", "loaders_busy", "queued", "connections"
};

/*
 * Reading a report
 */

/* Whether a name may be shown in any encoding and in JSON as it is. */
static bool
is_name(const char *name)
{
	size_t		len = strlen(name);

	return len > 0 && len < INTAKE_STAT_NAME &&
		   strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_-") == len;
}

/* A number from 0 to a limit, or 0. */
static double
read_number(const Jsonb *object, const char *name, double limit)
{
	double		value = 0;
	bool		is_there;

	if (!intake_json_object_number(object, name, &value, &is_there) ||
		!(value >= 0 && value <= limit))
		return 0;
	return value;
}

static int64
read_count(const Jsonb *object, const char *name)
{
	return (int64) read_number(object, name, (double) MAX_COUNT);
}

/*
 * The row of a route and a status, which is made when there is room; else
 * the last one.
 */
static IntakeStatRow *
find_row(IntakeStat *stat, const char *route, int status)
{
	IntakeStatRow *row;
	int			i;

	for (i = 0; i < stat->nrows; i++)
	{
		row = &stat->rows[i];
		if (row->status == status && strcmp(row->route, route) == 0)
			return row;
	}
	row = &stat->rows[INTAKE_STAT_ROWS - 1];
	if (stat->nrows == INTAKE_STAT_ROWS)
		return row;
	if (stat->nrows == INTAKE_STAT_ROWS - 1)
	{
		route = OTHER_ROUTE;
		status = 0;
	}
	row = &stat->rows[stat->nrows++];
	strlcpy(row->route, route, INTAKE_STAT_NAME);
	row->status = status;
	return row;
}

/* The reason of a name, which is made when there is room; else NULL. */
static IntakeStatReason *
find_reason(IntakeStat *stat, const char *name)
{
	int			i;

	for (i = 0; i < stat->nreasons; i++)
	{
		if (strcmp(stat->reasons[i].name, name) == 0)
			return &stat->reasons[i];
	}
	if (stat->nreasons == INTAKE_STAT_REASONS)
		return NULL;
	strlcpy(stat->reasons[stat->nreasons].name, name, INTAKE_STAT_NAME);
	return &stat->reasons[stat->nreasons++];
}

static void
read_row(IntakeStat *stat, const Jsonb *object)
{
	IntakeStatRow *row;
	char	   *route;

	if (!intake_json_object_text(object, "route", &route) || route == NULL ||
		!is_name(route))
		return;
	row = find_row(stat, route, (int) read_number(object, "status", 999));
	row->requests.current += read_count(object, "count");
	row->current_seconds += read_number(object, "seconds",
										(double) MAX_COUNT);
}

static void
read_rows(IntakeStat *stat, const Jsonb *report)
{
	JsonbValue *member = intake_json_object_member(report, "requests");
	JsonbIterator *iterator;
	JsonbIteratorToken token;
	JsonbValue	item;

	if (member == NULL || member->type != jbvBinary ||
		!JsonContainerIsArray(member->val.binary.data))
		return;
	iterator = JsonbIteratorInit(member->val.binary.data);
	while ((token = JsonbIteratorNext(&iterator, &item, true)) != WJB_DONE)
	{
		if (token == WJB_ELEM && item.type == jbvBinary &&
			JsonContainerIsObject(item.val.binary.data))
			read_row(stat, JsonbValueToJsonb(&item));
	}
}

static void
read_reasons(IntakeStat *stat, const Jsonb *report)
{
	JsonbValue *member = intake_json_object_member(report, "rejected");
	const Jsonb *reasons;
	JsonbIterator *iterator;
	JsonbIteratorToken token;
	JsonbValue	item;

	if (member == NULL || member->type != jbvBinary ||
		!JsonContainerIsObject(member->val.binary.data))
		return;
	reasons = JsonbValueToJsonb(member);
	iterator = JsonbIteratorInit(member->val.binary.data);
	while ((token = JsonbIteratorNext(&iterator, &item, true)) != WJB_DONE)
	{
		IntakeStatReason *reason;
		char	   *name;

		if (token != WJB_KEY)
			continue;
		name = pnstrdup(item.val.string.val, item.val.string.len);
		reason = is_name(name) ? find_reason(stat, name) : NULL;
		if (reason != NULL)
			reason->count.current = read_count(reasons, name);
	}
}

static IntakeStat *
read_report(const Jsonb *report)
{
	IntakeStat *stat = palloc0(sizeof(IntakeStat));
	int			i;

	for (i = 0; i < INTAKE_STAT_COUNTERS; i++)
		stat->counters[i].current = read_count(report, counter_names[i]);
	for (i = 0; i < INTAKE_STAT_GAUGES; i++)
		stat->gauges[i] = (int) read_number(report, gauge_names[i], INT_MAX);
	stat->certificate_expires =
		(int64) read_number(report, "certificate_expires", (double) MAX_TIME);
	read_rows(stat, report);
	read_reasons(stat, report);
	return stat;
}

/*
 * Shared memory
 */

static void
raise_counter(IntakeStatCounter *counter, int64 value)
{
	counter->current = Max(counter->current, Min(value, MAX_COUNT));
}

static void
raise_row(IntakeStatRow *row, int64 requests, double seconds)
{
	raise_counter(&row->requests, requests);
	row->current_seconds = Max(row->current_seconds, seconds);
}

/*
 * The sum of all rows of the report that have none of their own here becomes
 * that of the last row.
 */
static void
merge_rows(IntakeStat *stat, IntakeStat *report)
{
	IntakeStatRow *last = &stat->rows[INTAKE_STAT_ROWS - 1];
	int64		requests = 0;
	double		seconds = 0;
	int			i;

	for (i = 0; i < report->nrows; i++)
	{
		IntakeStatRow *from = &report->rows[i];
		IntakeStatRow *row = find_row(stat, from->route, from->status);

		if (row != last)
			raise_row(row, from->requests.current, from->current_seconds);
		else
		{
			requests += Min(from->requests.current, MAX_COUNT);
			seconds += from->current_seconds;
		}
	}
	raise_row(last, requests, seconds);
}

static void
merge_report(IntakeStat *stat, IntakeStat *report)
{
	int			i;

	for (i = 0; i < INTAKE_STAT_COUNTERS; i++)
		raise_counter(&stat->counters[i], report->counters[i].current);
	memcpy(stat->gauges, report->gauges, sizeof(stat->gauges));
	stat->certificate_expires = report->certificate_expires;
	merge_rows(stat, report);
	for (i = 0; i < report->nreasons; i++)
	{
		IntakeStatReason *reason =
			find_reason(stat, report->reasons[i].name);

		if (reason != NULL)
			raise_counter(&reason->count, report->reasons[i].count.current);
	}
}

void
intake_stat_take(const Jsonb *object)
{
	IntakeStat *report = read_report(object);

	LWLockAcquire(intake_shared->lock, LW_EXCLUSIVE);
	merge_report(&intake_shared->stat, report);
	LWLockRelease(intake_shared->lock);
}

/* Far from an overflow, however often a program lies and dies. */
static int64
total_of(const IntakeStatCounter *counter)
{
	return Min(counter->earlier, PG_INT64_MAX / 2) + counter->current;
}

static void
settle_counter(IntakeStatCounter *counter)
{
	counter->earlier = total_of(counter);
	counter->current = 0;
}

void
intake_stat_settle(void)
{
	IntakeStat *stat = &intake_shared->stat;
	int			i;

	LWLockAcquire(intake_shared->lock, LW_EXCLUSIVE);
	for (i = 0; i < INTAKE_STAT_COUNTERS; i++)
		settle_counter(&stat->counters[i]);
	memset(stat->gauges, 0, sizeof(stat->gauges));
	stat->certificate_expires = 0;
	for (i = 0; i < stat->nrows; i++)
	{
		settle_counter(&stat->rows[i].requests);
		stat->rows[i].earlier_seconds += stat->rows[i].current_seconds;
		stat->rows[i].current_seconds = 0;
	}
	for (i = 0; i < stat->nreasons; i++)
		settle_counter(&stat->reasons[i].count);
	LWLockRelease(intake_shared->lock);
}

/*
 * Views
 */

/* As it is now; NULL when the library was not preloaded. */
static IntakeStat *
copy_stat(void)
{
	IntakeStat *copy;

	if (intake_shared == NULL)
		return NULL;
	copy = palloc(sizeof(IntakeStat));
	LWLockAcquire(intake_shared->lock, LW_SHARED);
	memcpy(copy, &intake_shared->stat, sizeof(IntakeStat));
	LWLockRelease(intake_shared->lock);
	return copy;
}

/* intake.read_stat(), for view intake.stat */
Datum
intake_read_stat(PG_FUNCTION_ARGS)
{
	IntakeStat *stat = copy_stat();
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	int			i;

	intake_init_materialized_srf(fcinfo);
	for (i = 0; stat != NULL && i < stat->nrows; i++)
	{
		const IntakeStatRow *row = &stat->rows[i];
		Datum		values[ROW_COLUMNS];
		bool		nulls[ROW_COLUMNS] = {0};

		values[ROW_ROUTE] = CStringGetTextDatum(row->route);
		values[ROW_STATUS] = Int32GetDatum(row->status);
		values[ROW_REQUESTS] = Int64GetDatum(total_of(&row->requests));
		values[ROW_SECONDS] =
			Float8GetDatum(row->earlier_seconds + row->current_seconds);
		tuplestore_putvalues(result->setResult, result->setDesc, values,
							 nulls);
	}
	return (Datum) 0;
}

static Datum
make_rejected(const IntakeStat *stat)
{
	StringInfoData json;
	int			i;

	initStringInfo(&json);
	appendStringInfoChar(&json, '{');
	for (i = 0; i < stat->nreasons; i++)
		appendStringInfo(&json, "%s\"%s\": " INT64_FORMAT, i == 0 ? "" : ", ",
						 stat->reasons[i].name,
						 total_of(&stat->reasons[i].count));
	appendStringInfoChar(&json, '}');
	return DirectFunctionCall1(jsonb_in, CStringGetDatum(json.data));
}

/* intake.read_stat_gateway(), for view intake.stat_gateway */
Datum
intake_read_stat_gateway(PG_FUNCTION_ARGS)
{
	IntakeStat *stat = copy_stat();
	TupleDesc	desc;
	Datum		values[GATEWAY_COLUMNS] = {0};
	bool		nulls[GATEWAY_COLUMNS] = {0};
	int			i;

	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	desc = BlessTupleDesc(desc);
	if (stat == NULL)
		memset(nulls, true, sizeof(nulls));
	else
	{
		for (i = 0; i < INTAKE_STAT_COUNTERS; i++)
			values[i] = Int64GetDatum(total_of(&stat->counters[i]));
		for (i = 0; i < INTAKE_STAT_GAUGES; i++)
			values[INTAKE_STAT_COUNTERS + i] = Int32GetDatum(stat->gauges[i]);
		values[GATEWAY_REJECTED] = make_rejected(stat);
		nulls[GATEWAY_CERTIFICATE_EXPIRES] = stat->certificate_expires == 0;
		values[GATEWAY_CERTIFICATE_EXPIRES] = TimestampTzGetDatum(
			time_t_to_timestamptz((pg_time_t) stat->certificate_expires));
	}
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(desc, values, nulls)));
}
