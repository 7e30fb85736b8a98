/*-------------------------------------------------------------------------
 *
 * route_v1.c
 *	  The native endpoint: /v1/tables/{schema}/{table}/...
 *
 * A door like the SQL functions: it makes a source and a request from the
 * HTTP request, and an answer from the operation.  Only registered targets
 * are there; of all others, and of those in schemas that the principal may
 * not use, it says that there is nothing.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/table.h"
#include "catalog/namespace.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

#include "compat.h"
#include "ingest.h"
#include "options.h"
#include "registry/operation_record.h"
#include "source/source_array.h"
#include "worker/request_options.h"
#include "worker/result.h"
#include "worker/route_target.h"
#include "worker/route_v1.h"

/* Segments of the paths. */
enum
{
	SEGMENT_SCHEMA = 2,
	SEGMENT_TABLE = 3,
	SEGMENT_OPERATION = 5
};

#define ARRAY_HINT "A body of application/json is one JSON array; one record a line is application/x-ndjson."
#define PARTITIONS_HINT "The body is one JSON array of partitions, application/json."

static const IntakeEntity *
find_target(const IntakeHttpRequest *request)
{
	return intake_route_table(list_nth(request->segments, SEGMENT_SCHEMA),
							  list_nth(request->segments, SEGMENT_TABLE));
}

/* What is said of each upload, whatever it is. */
static IntakeRequest
make_upload(const IntakeHttpRequest *request, IntakeCall *call)
{
	IntakeRequest upload = {0};

	upload.door = "http";
	upload.request_id = request->request_id;
	call->entity = find_target(request);
	upload.relid = call->entity->target;
	return upload;
}

/* The elements of a JSON array; hint says what to send if it is none. */
static IntakeSource *
open_array(IntakeBody *body, const char *hint)
{
	return intake_source_open_array(intake_body_source(body), hint);
}

/* Where the operation can be asked for. */
static void
add_location(const IntakeHttpRequest *request, IntakeAnswer *answer,
			 const pg_uuid_t *uuid)
{
	const char *path = request->path;
	const char *last = strrchr(path, '/');
	const char *format = "%.*s/operations/%s";

	/* All of the paths but one end in one segment behind the table. */
	if (list_length(request->segments) > SEGMENT_OPERATION)
	{
		intake_answer_add_header(answer, "location", path);
		return;
	}
	intake_answer_add_header(answer, "location",
							 psprintf(format, (int) (last - path), path,
									  intake_result_uuid(uuid)));
}

/* Does what was asked for and makes the answer. */
static void
perform(const IntakeHttpRequest *request, IntakeCall *call,
		const IntakeRequest *upload, IntakeAnswer *answer)
{
	IntakeOperation *operation = &call->operation;
	StringInfo	body = &answer->body;

	intake_ingest(upload, operation);
	intake_body_check(call->body);

	answer->rows = operation->is_replayed ? 0 :
		operation->counters.rows_received;
	answer->status = operation->is_replayed || call->is_dry_run ? 200 : 201;
	answer->content_type = "application/json";
	if (operation->is_replayed)
		intake_answer_add_header(answer, "idempotent-replayed", "true");
	if (!call->is_dry_run)
		add_location(request, answer, &operation->uuid);
	appendStringInfoChar(body, '{');
	intake_result_append(body, operation);
	intake_route_append_warnings(body, call->entity, "sys_op",
								 upload->sys_op);
	appendStringInfoString(body, "}\n");
}

static void
upload_body(const IntakeHttpRequest *request, IntakeCall *call,
			IntakeRequest *upload, IntakeAnswer *answer)
{
	List	   *parameters;
	const IntakeMediaType *type = intake_media_type_of(request, false,
													   &parameters);

	upload->format = type->format;
	call->format = type->is_array ? NULL : type->format;
	if (type->is_array)
		intake_media_type_check_utf8(parameters);
	call->is_dry_run = intake_request_set_options(upload, request, parameters,
												  INTAKE_DOOR_UPLOAD);
	call->body = intake_body_open(request);
	if (request->is_preflight)
	{
		answer->is_preflight = true;
		return;
	}
	upload->is_text = type->is_array;
	upload->source = type->is_array ? open_array(call->body, ARRAY_HINT) :
		intake_body_source(call->body);
	perform(request, call, upload, answer);
}

/* From here on an answer can say which operation it is of. */
static void
name_operation(IntakeCall *call, const IntakeRequest *upload)
{
	call->operation.door = upload->door;
	call->operation.uuid = upload->uuid;
}

/* The operation that the client names, or a new one. */
static void
set_uuid(const IntakeHttpRequest *request, IntakeCall *call,
		 IntakeRequest *upload)
{
	if (!intake_request_key(request, "idempotency-key", &upload->uuid))
		upload->uuid = intake_operation_make_uuid();
	name_operation(call, upload);
}

/* The operation that the path names, as a header may do, too. */
static void
set_path_uuid(const IntakeHttpRequest *request, IntakeCall *call,
			  IntakeRequest *upload)
{
	pg_uuid_t	key;

	upload->uuid = intake_request_uuid(list_nth(request->segments,
												SEGMENT_OPERATION));
	name_operation(call, upload);
	if (intake_request_key(request, "idempotency-key", &key) &&
		memcmp(key.data, upload->uuid.data, UUID_LEN) != 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("path and header \"%s\" name different operations",
						"idempotency-key")));
}

/* PUT /v1/tables/{schema}/{table}/operations/{operation} */
static void
put_operation(const IntakeHttpRequest *request, IntakeCall *call,
			  IntakeAnswer *answer)
{
	IntakeRequest upload = make_upload(request, call);

	set_path_uuid(request, call, &upload);
	upload_body(request, call, &upload, answer);
}

/* POST /v1/tables/{schema}/{table}/operations */
static void
post_operation(const IntakeHttpRequest *request, IntakeCall *call,
			   IntakeAnswer *answer)
{
	IntakeRequest upload = make_upload(request, call);

	set_uuid(request, call, &upload);
	upload_body(request, call, &upload, answer);
}

/* POST /v1/tables/{schema}/{table}/delete-partitions */
static void
post_delete_partitions(const IntakeHttpRequest *request, IntakeCall *call,
					   IntakeAnswer *answer)
{
	IntakeRequest upload = make_upload(request, call);
	List	   *parameters;
	const IntakeMediaType *type = intake_media_type_of(request, false,
													   &parameters);

	if (!type->is_array)
		ereport(ERROR,
				(errcode(ERRCODE_INTAKE_STATUS('4', '1', '5')),
				 errmsg("content type \"%s\" is not supported here",
						type->name),
				 errhint("%s", PARTITIONS_HINT)));
	upload.mode = INTAKE_MODE_DELETE;
	upload.format = type->format;
	upload.is_text = true;
	intake_media_type_check_utf8(parameters);
	call->is_dry_run = intake_request_set_options(&upload, request, NIL,
												  INTAKE_DOOR_DELETE);
	set_uuid(request, call, &upload);
	call->body = intake_body_open(request);
	if (request->is_preflight)
	{
		answer->is_preflight = true;
		return;
	}
	upload.source = open_array(call->body, PARTITIONS_HINT);
	perform(request, call, &upload, answer);
}

/*
 * What became of the principal's operation; true while it is running.  The
 * record is looked for before and after the claim is, so that one that ends
 * meanwhile is not unknown.
 */
static bool
find_state(IntakeOperation *operation, IntakeOperationState *state)
{
	operation->principal = GetUserId();
	*state = intake_record_find(operation);
	if (*state == INTAKE_OPERATION_SUCCEEDED)
		return false;
	if (intake_operation_is_running(operation->principal, &operation->uuid))
		return true;
	*state = intake_record_find(operation);
	return false;
}

/* The name that operations on the target are recorded with. */
static char *
target_name(Oid relid)
{
	char	   *schema = get_namespace_name(get_rel_namespace(relid));

	return quote_qualified_identifier(schema, get_rel_name(relid));
}

static void
append_failure(StringInfo body, const IntakeOperation *operation)
{
	appendStringInfo(body, "\"status\": \"failed\", \"operation\": \"%s\", \"finished_at\": ",
					 intake_result_uuid(&operation->uuid));
	intake_result_append_time(body, operation->failed_at);
	appendStringInfoString(body, ", \"expires_at\": ");
	intake_result_append_time(body, operation->failure_expires_at);
	appendStringInfoString(body, ", \"error\": ");
	if (operation->failure == NULL)
		appendStringInfoString(body, "null");
	else
		(void) JsonbToCString(body, &operation->failure->root,
							  VARSIZE(operation->failure));
}

/* Raises IN404 unless the operation is there and of the table. */
static void
check_known(const IntakeOperation *operation, bool is_known, Oid relid)
{
	const char *target = operation->identity.target != NULL ?
		operation->identity.target : operation->failed_target;

	if (!is_known ||
		(target != NULL && strcmp(target, target_name(relid)) != 0))
		ereport(ERROR,
				(errcode(ERRCODE_INTAKE_STATUS('4', '0', '4')),
				 errmsg("operation %s is unknown",
						intake_result_uuid(&operation->uuid))));
}

/* GET /v1/tables/{schema}/{table}/operations/{operation} */
static void
get_operation(const IntakeHttpRequest *request, IntakeCall *call,
			  IntakeAnswer *answer)
{
	IntakeOperation operation = {0};
	IntakeOperationState state;
	Oid			relid = find_target(request)->target;
	StringInfo	body = &answer->body;
	bool		is_running;

	operation.uuid = intake_request_uuid(list_nth(request->segments,
												  SEGMENT_OPERATION));
	is_running = find_state(&operation, &state);
	check_known(&operation, is_running || state != INTAKE_OPERATION_UNKNOWN,
				relid);
	answer->content_type = "application/json";
	appendStringInfoChar(body, '{');
	if (is_running)
		appendStringInfo(body, "\"status\": \"running\", \"operation\": \"%s\"",
						 intake_result_uuid(&operation.uuid));
	else if (state == INTAKE_OPERATION_FAILED)
		append_failure(body, &operation);
	else
	{
		appendStringInfoString(body, "\"status\": \"succeeded\", ");
		intake_result_append(body, &operation);
	}
	appendStringInfoString(body, "}\n");
}

static const char *const upload_parameters[] = {"mode", "sys_op", NULL};

#define TABLE_PATH "/v1/tables/{schema}/{table}"

const IntakeRoute intake_routes_v1[] = {
	{
		.name = "v1_upload",
		.family = INTAKE_FAMILY_V1,
		.method = "PUT",
		.path = TABLE_PATH "/operations/{operation}",
		.summary = "Uploads the body into the table, once, however often it is sent",
		.body = INTAKE_BODY_UPLOAD,
		.handle = put_operation,
		.parameters = upload_parameters,
		.has_options = true,
	},
	{
		.name = "v1_status",
		.family = INTAKE_FAMILY_V1,
		.method = "GET",
		.path = TABLE_PATH "/operations/{operation}",
		.summary = "Tells what became of an operation",
		.handle = get_operation,
	},
	{
		.name = "v1_upload",
		.family = INTAKE_FAMILY_V1,
		.method = "POST",
		.path = TABLE_PATH "/operations",
		.summary = "Uploads the body as the operation that Idempotency-Key names, or as a new one",
		.body = INTAKE_BODY_UPLOAD,
		.handle = post_operation,
		.parameters = upload_parameters,
		.has_options = true,
	},
	{
		.name = "v1_delete_partitions",
		.family = INTAKE_FAMILY_V1,
		.method = "POST",
		.path = TABLE_PATH "/delete-partitions",
		.summary = "Deletes the partitions that the body lists",
		.body = INTAKE_BODY_PARTITIONS,
		.handle = post_delete_partitions,
		.has_options = true,
	},
	{.name = NULL}
};
