/*-------------------------------------------------------------------------
 *
 * sqlfuncs.c
 *	  The SQL doors: intake.upload(), intake.upload_file(),
 *	  intake.upload_query() and intake.delete_partitions().
 *
 * A door makes a source and a request from what it was called with, and an
 * answer from the operation; nothing about formats or writing lives here.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "funcapi.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"
#include "utils/timestamp.h"

#include "format/format.h"
#include "format/format_query.h"
#include "ingest.h"
#include "registry/operation_last.h"
#include "source/source_disk.h"

PG_FUNCTION_INFO_V1(intake_delete_partitions);
PG_FUNCTION_INFO_V1(intake_last_upload);
PG_FUNCTION_INFO_V1(intake_upload_bytea);
PG_FUNCTION_INFO_V1(intake_upload_file);
PG_FUNCTION_INFO_V1(intake_upload_jsonb);
PG_FUNCTION_INFO_V1(intake_upload_query);
PG_FUNCTION_INFO_V1(intake_upload_text);

/* Arguments of intake.upload() and, with a path, of intake.upload_file(). */
enum
{
	UPLOAD_TARGET,
	UPLOAD_PAYLOAD,
	UPLOAD_FORMAT,
	UPLOAD_OPERATION,
	UPLOAD_MODE,
	UPLOAD_SYS_OP,
	UPLOAD_OPTIONS
};

/* Arguments of intake.upload_query(). */
enum
{
	QUERY_TARGET,
	QUERY_QUERY,
	QUERY_OPERATION,
	QUERY_MODE,
	QUERY_SYS_OP,
	QUERY_OPTIONS
};

/* Arguments of intake.delete_partitions(). */
enum
{
	DELETE_TARGET,
	DELETE_PARTITIONS,
	DELETE_OPERATION,
	DELETE_OPTIONS
};

/* Members of intake.upload_result. */
enum
{
	RESULT_OPERATION,
	RESULT_REPLAYED,
	RESULT_PARTIAL,
	RESULT_SYS_CN,
	RESULT_STARTED_AT,
	RESULT_FINISHED_AT,
	RESULT_EXPIRES_AT,
	RESULT_BYTES_RECEIVED,
	RESULT_ROWS_RECEIVED,
	RESULT_ROWS_INSERTED,
	RESULT_ROWS_UPDATED,
	RESULT_ROWS_DELETED,
	RESULT_ROWS_SKIPPED,
	RESULT_ROWS_REJECTED,
	RESULT_ROWS_AFFECTED,
	RESULT_ERRORS,
	RESULT_MEMBERS
};

/* An argument that must not be NULL. */
static Datum
required_argument(FunctionCallInfo fcinfo, int argument, const char *name)
{
	if (PG_ARGISNULL(argument))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("argument \"%s\" must not be null", name)));
	return PG_GETARG_DATUM(argument);
}

/* The operation's UUID; a random one when none is given. */
static pg_uuid_t
operation_argument(FunctionCallInfo fcinfo, int argument)
{
	if (PG_ARGISNULL(argument))
		return intake_operation_make_uuid();
	return *PG_GETARG_UUID_P(argument);
}

/* The mode that was asked for. */
static IntakeMode
mode_argument(FunctionCallInfo fcinfo, int argument)
{
	if (PG_ARGISNULL(argument))
		return INTAKE_MODE_DEFAULT;
	return intake_mode_parse(text_to_cstring(PG_GETARG_TEXT_PP(argument)));
}

static int
sys_op_argument(FunctionCallInfo fcinfo, int argument)
{
	return PG_ARGISNULL(argument) ? INTAKE_NO_SYS_OP :
		PG_GETARG_INT32(argument);
}

/*
 * The request that the arguments of intake.upload() make, without source;
 * payload is the name of the argument that gives it.
 */
static IntakeRequest
make_upload_request(FunctionCallInfo fcinfo, const char *payload)
{
	IntakeRequest request = {0};

	request.relid = DatumGetObjectId(required_argument(fcinfo, UPLOAD_TARGET,
													   "target"));
	(void) required_argument(fcinfo, UPLOAD_PAYLOAD, payload);
	request.format =
		TextDatumGetCString(required_argument(fcinfo, UPLOAD_FORMAT, "format"));
	request.options =
		DatumGetJsonbP(required_argument(fcinfo, UPLOAD_OPTIONS, "options"));
	request.uuid = operation_argument(fcinfo, UPLOAD_OPERATION);
	request.mode = mode_argument(fcinfo, UPLOAD_MODE);
	request.sys_op = sys_op_argument(fcinfo, UPLOAD_SYS_OP);
	request.door = "sql";
	return request;
}

/* The intake.upload_result of an operation. */
static Datum
make_result(FunctionCallInfo fcinfo, const IntakeOperation *operation)
{
	const IntakeCounters *counters = &operation->counters;
	TupleDesc	desc;
	Datum		values[RESULT_MEMBERS];
	bool		nulls[RESULT_MEMBERS] = {false};

	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");

	values[RESULT_OPERATION] = UUIDPGetDatum(&operation->uuid);
	values[RESULT_REPLAYED] = BoolGetDatum(operation->is_replayed);
	values[RESULT_PARTIAL] = BoolGetDatum(operation->is_partial);
	values[RESULT_SYS_CN] = Int64GetDatum(operation->sys_cn);
	nulls[RESULT_SYS_CN] = (operation->sys_cn == 0);
	values[RESULT_STARTED_AT] = TimestampTzGetDatum(operation->started_at);
	values[RESULT_FINISHED_AT] = TimestampTzGetDatum(operation->finished_at);
	values[RESULT_EXPIRES_AT] = TimestampTzGetDatum(operation->expires_at);
	nulls[RESULT_EXPIRES_AT] = (operation->expires_at == 0);
	values[RESULT_BYTES_RECEIVED] = Int64GetDatum(counters->bytes_received);
	values[RESULT_ROWS_RECEIVED] = Int64GetDatum(counters->rows_received);
	values[RESULT_ROWS_INSERTED] = Int64GetDatum(counters->rows_inserted);
	values[RESULT_ROWS_UPDATED] = Int64GetDatum(counters->rows_updated);
	values[RESULT_ROWS_DELETED] = Int64GetDatum(counters->rows_deleted);
	nulls[RESULT_ROWS_DELETED] = (counters->rows_deleted < 0);
	values[RESULT_ROWS_SKIPPED] = Int64GetDatum(counters->rows_skipped);
	values[RESULT_ROWS_REJECTED] = Int64GetDatum(counters->rows_rejected);
	values[RESULT_ROWS_AFFECTED] =
		Int64GetDatum(intake_operation_affected(operation));
	values[RESULT_ERRORS] = JsonbPGetDatum(operation->errors);
	nulls[RESULT_ERRORS] = (operation->errors == NULL);
	return HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(desc), values,
											 nulls));
}

/* Does what was asked for and makes the answer. */
static Datum
answer_request(FunctionCallInfo fcinfo, const IntakeRequest *request)
{
	IntakeOperation operation = {0};

	intake_ingest(request, &operation);
	return make_result(fcinfo, &operation);
}

/*
 * intake.upload(target regclass, payload bytea, format text, operation uuid,
 *				 mode text, sys_op int, options jsonb)
 */
Datum
intake_upload_bytea(PG_FUNCTION_ARGS)
{
	IntakeRequest request = make_upload_request(fcinfo, "payload");
	bytea	   *payload = PG_GETARG_BYTEA_PP(UPLOAD_PAYLOAD);

	request.source = intake_source_open_bytes(VARDATA_ANY(payload),
											  VARSIZE_ANY_EXHDR(payload),
											  PG_UTF8);
	return answer_request(fcinfo, &request);
}

/* The same with a text, which is in the database's encoding. */
Datum
intake_upload_text(PG_FUNCTION_ARGS)
{
	IntakeRequest request = make_upload_request(fcinfo, "payload");
	text	   *payload = PG_GETARG_TEXT_PP(UPLOAD_PAYLOAD);

	request.is_text = true;
	request.source = intake_source_open_bytes(VARDATA_ANY(payload),
											  VARSIZE_ANY_EXHDR(payload),
											  GetDatabaseEncoding());
	return answer_request(fcinfo, &request);
}

/* The same with a jsonb array of rows or objects. */
Datum
intake_upload_jsonb(PG_FUNCTION_ARGS)
{
	IntakeRequest request = make_upload_request(fcinfo, "payload");

	if (strcmp(request.format, intake_format_ndjson.name) != 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("a jsonb payload has no format \"%s\"",
						request.format)));
	request.is_text = true;
	request.source =
		intake_source_open_jsonb(PG_GETARG_JSONB_P(UPLOAD_PAYLOAD));
	return answer_request(fcinfo, &request);
}

/*
 * intake.upload_file(target regclass, path text, format text, operation uuid,
 *					  mode text, sys_op int, options jsonb)
 *
 * The payload is a file on the server, which may be compressed.
 */
Datum
intake_upload_file(PG_FUNCTION_ARGS)
{
	IntakeRequest request = make_upload_request(fcinfo, "path");
	char	   *path = text_to_cstring(PG_GETARG_TEXT_PP(UPLOAD_PAYLOAD));

	request.door = "file";
	request.source = intake_source_open_disk(path, PG_UTF8, false);
	return answer_request(fcinfo, &request);
}

/*
 * intake.upload_query(target regclass, query text, operation uuid, mode text,
 *					   sys_op int, options jsonb)
 *
 * The payload is the query's text, which is in the server's encoding and is
 * to stay in it.
 */
Datum
intake_upload_query(PG_FUNCTION_ARGS)
{
	IntakeRequest request = {0};
	text	   *query;

	request.relid = DatumGetObjectId(required_argument(fcinfo, QUERY_TARGET,
													   "target"));
	query = DatumGetTextPP(required_argument(fcinfo, QUERY_QUERY, "query"));
	request.options =
		DatumGetJsonbP(required_argument(fcinfo, QUERY_OPTIONS, "options"));
	request.uuid = operation_argument(fcinfo, QUERY_OPERATION);
	request.mode = mode_argument(fcinfo, QUERY_MODE);
	request.sys_op = sys_op_argument(fcinfo, QUERY_SYS_OP);
	request.format = intake_format_query.name;
	request.is_text = true;
	request.is_query = true;
	request.door = "query";
	request.source = intake_source_open_bytes(VARDATA_ANY(query),
											  VARSIZE_ANY_EXHDR(query),
											  PG_SQL_ASCII);
	request.source->has_lines = false;
	request.source->total = 0;	/* not the text but its rows are decoded */
	return answer_request(fcinfo, &request);
}

/*
 * intake.last_upload() RETURNS intake.upload_result
 *
 * What the session's last operation was answered; NULL when there is none of
 * a role that the current user has the rights of.
 */
Datum
intake_last_upload(PG_FUNCTION_ARGS)
{
	const IntakeOperation *operation = intake_operation_last();

	if (operation == NULL ||
		!has_privs_of_role(GetUserId(), operation->principal))
		PG_RETURN_NULL();
	return make_result(fcinfo, operation);
}

/*
 * intake.delete_partitions(target regclass, partitions jsonb, operation uuid,
 *							options jsonb)
 */
Datum
intake_delete_partitions(PG_FUNCTION_ARGS)
{
	IntakeRequest request = {0};
	Datum		partitions;

	request.relid = DatumGetObjectId(required_argument(fcinfo, DELETE_TARGET,
													   "target"));
	partitions = required_argument(fcinfo, DELETE_PARTITIONS, "partitions");
	request.options =
		DatumGetJsonbP(required_argument(fcinfo, DELETE_OPTIONS, "options"));
	request.uuid = operation_argument(fcinfo, DELETE_OPERATION);
	request.mode = INTAKE_MODE_DELETE;
	request.sys_op = INTAKE_NO_SYS_OP;
	request.format = intake_format_ndjson.name;
	request.is_text = true;
	request.door = "sql";
	request.source = intake_source_open_jsonb(DatumGetJsonbP(partitions));
	return answer_request(fcinfo, &request);
}
