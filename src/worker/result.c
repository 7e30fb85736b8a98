/*-------------------------------------------------------------------------
 *
 * result.c
 *	  What an operation did, as JSON.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/datetime.h"
#include "utils/json.h"
#include "utils/timestamp.h"

#include "worker/result.h"

char *
intake_result_uuid(const pg_uuid_t *uuid)
{
	return DatumGetCString(DirectFunctionCall1(uuid_out, UUIDPGetDatum(uuid)));
}

void
intake_result_append_time(StringInfo json, TimestampTz time)
{
	char		text[MAXDATELEN + 1];
	int			utc = 0;

	if (time == 0)
	{
		appendStringInfoString(json, "null");
		return;
	}
	(void) JsonEncodeDateTime(text, TimestampTzGetDatum(time), TIMESTAMPTZOID,
							  &utc);
	appendStringInfo(json, "\"%s\"", text);
}

static void
append_time(StringInfo json, const char *name, TimestampTz time)
{
	appendStringInfo(json, ", \"%s\": ", name);
	intake_result_append_time(json, time);
}

/* Appends a number; one below 0 is not known. */
static void
append_number(StringInfo json, const char *name, int64 value)
{
	if (value < 0)
		appendStringInfo(json, ", \"%s\": null", name);
	else
		appendStringInfo(json, ", \"%s\": " INT64_FORMAT, name, value);
}

static const char *
bool_text(bool value)
{
	return value ? "true" : "false";
}

void
intake_result_append(StringInfo json, const IntakeOperation *operation)
{
	const IntakeCounters *counters = &operation->counters;

	appendStringInfo(json,
					 "\"operation\": \"%s\", \"replayed\": %s, \"partial\": %s",
					 intake_result_uuid(&operation->uuid),
					 bool_text(operation->is_replayed),
					 bool_text(operation->is_partial));
	append_number(json, "sys_cn", operation->sys_cn == 0 ? -1 :
				  operation->sys_cn);
	append_time(json, "started_at", operation->started_at);
	append_time(json, "finished_at", operation->finished_at);
	append_time(json, "expires_at", operation->expires_at);
	append_number(json, "bytes_received", counters->bytes_received);
	append_number(json, "rows_received", counters->rows_received);
	append_number(json, "rows_inserted", counters->rows_inserted);
	append_number(json, "rows_updated", counters->rows_updated);
	append_number(json, "rows_deleted", counters->rows_deleted);
	append_number(json, "rows_skipped", counters->rows_skipped);
	append_number(json, "rows_rejected", counters->rows_rejected);
	append_number(json, "rows_affected",
				  intake_operation_affected(operation));
	appendStringInfoString(json, ", \"errors\": ");
	if (operation->errors == NULL)
		appendStringInfoString(json, "null");
	else
		(void) JsonbToCString(json, &operation->errors->root,
							  VARSIZE(operation->errors));
}
