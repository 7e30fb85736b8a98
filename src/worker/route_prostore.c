/*-------------------------------------------------------------------------
 *
 * route_prostore.c
 *	  Prostore's upload: /api/v1/datamarts/{datamart}/entities/{entity}/upload
 *
 * The forms of requests and answers are Prostore's own; what they mean is the
 * engine's, as at every door.  Over HTTP/2 the answer begins while the body
 * still comes: one line a portion, then the final answer or the failure.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/json.h"
#include "utils/timestamp.h"

#include "ingest.h"
#include "options.h"
#include "worker/json_object.h"
#include "worker/request_options.h"
#include "worker/route_prostore.h"
#include "worker/route_target.h"

/* Segments of the path. */
enum
{
	SEGMENT_DATAMART = 3,
	SEGMENT_ENTITY = 5
};

static const char *const parameters[] = {
	"sysOp", "queryId", "commitOnDisconnect",
	"delimiter", "quote", "escape", "null", NULL
};

/* From this one on they are options of any upload. */
#define FIRST_OPTION 3

/* An upload in work. */
typedef struct ProstoreUpload
{
	IntakeRequest request;
	IntakeWatch watch;
	IntakeCall *call;
	IntakeAnswer *answer;
	const IntakeEntity *entity;
	bool		commits_on_disconnect;
	int64		told;			/* the client, of records */
} ProstoreUpload;

static void
report_parameter(const char *name)
{
	StringInfoData list;
	int			i;

	initStringInfo(&list);
	for (i = 0; parameters[i] != NULL; i++)
		appendStringInfo(&list, "%s\"%s\"", i > 0 ? ", " : "", parameters[i]);
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("unrecognized option \"%s\"", name),
			 errhint("Valid options are %s.", list.data)));
}

static void
report_value(const char *name, const char *value, const char *valid)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("invalid value for option \"%s\": \"%s\"", name, value),
			 errhint("It must be %s.", valid)));
}

static int
parse_sys_op(const char *value)
{
	if (value[0] == '\0')
		return INTAKE_NO_SYS_OP;
	if (strcmp(value, "0") != 0 && strcmp(value, "1") != 0)
		report_value("sysOp", value,
					 "0 (insert or replace the rows) or 1 (delete them)");
	return value[0] - '0';
}

static bool
parse_flag(const char *name, const char *value)
{
	if (strcmp(value, "true") != 0 && strcmp(value, "false") != 0)
		report_value(name, value, "true or false");
	return value[0] == 't';
}

/* Takes a parameter; what is an option of any upload goes into the object. */
static void
take_parameter(ProstoreUpload *upload, JsonbParseState **state,
			   const IntakeNamedText *parameter)
{
	const char *name = parameter->name;
	const char *value = parameter->value;
	int			i;

	for (i = 0; parameters[i] != NULL; i++)
	{
		if (strcmp(parameters[i], name) == 0)
			break;
	}
	if (parameters[i] == NULL)
		report_parameter(name);
	if (i >= FIRST_OPTION)
	{
		intake_json_object_push(state, WJB_KEY, name);
		intake_json_object_push(state, WJB_VALUE, value);
	}
	else if (strcmp(name, "sysOp") == 0)
		upload->request.sys_op = parse_sys_op(value);
	else if (strcmp(name, "commitOnDisconnect") == 0)
		upload->commits_on_disconnect = parse_flag(name, value);
}

static void
set_options(ProstoreUpload *upload, const IntakeHttpRequest *request,
			List *type_parameters)
{
	JsonbParseState *state = NULL;
	ListCell   *cell;

	intake_request_check_repeated(request);
	upload->request.sys_op = INTAKE_NO_SYS_OP;
	(void) pushJsonbValue(&state, WJB_BEGIN_OBJECT, NULL);
	foreach(cell, type_parameters)
	{
		const IntakeNamedText *parameter = lfirst(cell);

		if (strcmp(parameter->name, "charset") != 0)
			continue;
		intake_json_object_push(&state, WJB_KEY, "encoding");
		intake_json_object_push(&state, WJB_VALUE, parameter->value);
	}
	foreach(cell, request->parameters)
		take_parameter(upload, &state, lfirst(cell));
	if (upload->call->query_id == NULL)
		upload->call->query_id = request->request_id;
	if (upload->call->query_id != NULL)
	{
		intake_json_object_push(&state, WJB_KEY, "query_id");
		intake_json_object_push(&state, WJB_VALUE, upload->call->query_id);
	}
	upload->request.options =
		JsonbValueToJsonb(pushJsonbValue(&state, WJB_END_OBJECT, NULL));
	(void) intake_options_peek(upload->request.options, INTAKE_DOOR_UPLOAD);
}

/* The operation that the client names by one of two headers, or a new one. */
static void
set_uuid(ProstoreUpload *upload, const IntakeHttpRequest *request)
{
	pg_uuid_t	uuids[2];
	bool		has_key = intake_request_key(request, "idempotency-key",
											 &uuids[0]);
	bool		has_own = intake_request_key(request, "x-dl-operation-uuid",
											 &uuids[1]);

	if (has_key && has_own &&
		memcmp(uuids[0].data, uuids[1].data, UUID_LEN) != 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("headers \"%s\" and \"%s\" name different operations",
						"idempotency-key", "x-dl-operation-uuid")));
	if (has_key)
		upload->request.uuid = uuids[0];
	else if (has_own)
		upload->request.uuid = uuids[1];
	else
		upload->request.uuid = intake_operation_make_uuid();
	upload->call->operation.uuid = upload->request.uuid;
}

/* Reads the head: who, what, how; the body is opened. */
static void
read_head(ProstoreUpload *upload, const IntakeHttpRequest *request)
{
	IntakeCall *call = upload->call;
	List	   *type_parameters;
	const IntakeMediaType *type;

	upload->request.door = "http";
	upload->request.request_id = request->request_id;
	call->operation.door = upload->request.door;
	upload->entity = intake_route_entity(list_nth(request->segments,
												  SEGMENT_DATAMART),
										 list_nth(request->segments,
												  SEGMENT_ENTITY));
	upload->request.relid = upload->entity->target;
	type = intake_media_type_of(request, true, &type_parameters);
	upload->request.format = type->format;
	call->format = type->format;
	set_options(upload, request, type_parameters);
	set_uuid(upload, request);
	call->body = intake_body_open(request);
	call->body->may_be_cut = upload->commits_on_disconnect;
}

/*
 * Tells the client how many records have come.  After the end of the body it
 * is the final answer that does, so that a small upload has its true status.
 */
static void
tell_records(ProstoreUpload *upload)
{
	int64		records = upload->watch.written;

	if (upload->watch.waiting != NULL)
		records += *upload->watch.waiting;
	if (records <= upload->told || upload->call->body->is_ended)
		return;
	upload->told = records;
	intake_answer_stream(upload->answer,
						 psprintf("{\"rowsReceivedTotal\": " INT64_FORMAT "}\n",
								  records));
}

static void
tell_batch(IntakeWatch *watch)
{
	tell_records(watch->argument);
}

static void
tell_pause(void *argument)
{
	tell_records(argument);
}

static void
append_column(StringInfo json, const char *name, const char *type,
			  const char *size)
{
	appendStringInfo(json,
					 "{\"name\": \"%s\", \"type\": \"%s\", \"size\": %s, \"nullable\": false}",
					 name, type, size);
}

/* A time in UTC, to the millisecond. */
static void
append_time(StringInfo json, TimestampTz time)
{
	struct pg_tm tm;
	fsec_t		fsec;

	if (timestamp2tm(time, NULL, &tm, &fsec, NULL, NULL) != 0)
		ereport(ERROR,
				(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
				 errmsg("timestamp out of range")));
	appendStringInfo(json, "\"%04d-%02d-%02d %02d:%02d:%02d.%03d\"",
					 tm.tm_year, tm.tm_mon, tm.tm_mday, tm.tm_hour, tm.tm_min,
					 tm.tm_sec, (int) (fsec / 1000));
}

static void
append_result(StringInfo json, const IntakeOperation *operation)
{
	appendStringInfo(json, ", \"result\": [{\"sysCn\": " INT64_FORMAT ", \"ts\": ",
					 operation->sys_cn);
	append_time(json, operation->finished_at);
	appendStringInfo(json, ", \"rowsAffected\": " INT64_FORMAT "}], \"metadata\": [",
					 intake_operation_affected(operation));
	append_column(json, "sysCn", "BIGINT", "null");
	appendStringInfoString(json, ", ");
	append_column(json, "ts", "TIMESTAMP", "6");
	appendStringInfoString(json, ", ");
	append_column(json, "rowsAffected", "BIGINT", "null");
	appendStringInfoString(json, "], \"rows\": 1");
}

/* How long it took in all, and without the waits for the client. */
static void
append_statistics(StringInfo json, const IntakeCall *call)
{
	long		total = TimestampDifferenceMilliseconds(call->started_at,
														GetCurrentTimestamp());
	long		waited = (long) INSTR_TIME_GET_MILLISEC(call->body->waited);

	appendStringInfo(json,
					 ", \"statistics\": {\"elapsedTotalMs\": %ld, \"elapsedDbMs\": %ld}",
					 total, Max(total - waited, 0));
}

static void
make_answer(ProstoreUpload *upload)
{
	IntakeAnswer *answer = upload->answer;
	const IntakeOperation *operation = &upload->call->operation;
	StringInfo	json = &answer->body;

	answer->rows = operation->is_replayed ? 0 :
		operation->counters.rows_received;
	if (operation->is_replayed)
		intake_answer_add_header(answer, "idempotent-replayed", "true");
	appendStringInfoString(json, "{\"queryId\": ");
	escape_json(json, upload->call->query_id == NULL ? "" :
				upload->call->query_id);
	append_result(json, operation);
	append_statistics(json, upload->call);
	intake_route_append_warnings(json, upload->entity, "sysOp",
								 upload->request.sys_op);
	appendStringInfoString(json, "}\n");
}

/* POST /api/v1/datamarts/{datamart}/entities/{entity}/upload */
static void
post_upload(const IntakeHttpRequest *request, IntakeCall *call,
			IntakeAnswer *answer)
{
	ProstoreUpload upload = {.call = call, .answer = answer};

	read_head(&upload, request);
	answer->content_type = "application/json";
	if (request->is_preflight)
	{
		answer->is_preflight = true;
		return;
	}
	if (strcmp(request->version, "2") == 0)
	{
		upload.watch.on_batch = tell_batch;
		upload.watch.argument = &upload;
		upload.request.watch = &upload.watch;
		call->body->on_pause = tell_pause;
		call->body->argument = &upload;
	}
	upload.request.source = intake_body_source(call->body);
	intake_ingest(&upload.request, &call->operation);
	intake_body_check(call->body);
	make_answer(&upload);
}

static const IntakeRouteHeader headers[] = {
	{"X-DL-Operation-UUID", false, "the UUID of the operation, as Idempotency-Key"},
	{"x-request-id", false, "the client's name of the request; it is answered"},
	{NULL, false, NULL}
};

const IntakeRoute intake_routes_prostore[] = {
	{
		.name = "prostore_upload",
		.family = INTAKE_FAMILY_PROSTORE,
		.method = "POST",
		.path = "/api/v1/datamarts/{datamart}/entities/{entity}/upload",
		.summary = "Prostore's upload",
		.body = INTAKE_BODY_UPLOAD,
		.handle = post_upload,
		.parameters = parameters,
		.headers = headers,
	},
	{.name = NULL}
};
