/*-------------------------------------------------------------------------
 *
 * route_datalens_data.c
 *	  DataLens' data methods: /provider/v1/connection/{}/table/{}/data
 *
 *	head -> (a preflight: what can be refused now is)
 *		 -> engine: claim -> (a repeat: the stored answer)
 *						  -> prepare -> rows -> record with the answer
 *
 * A repeat is told by what the client said, so that it gets its answer when
 * the table has been altered or deleted since.  Everything that a write does
 * to the table - make it, alter it, empty it, write its rows - and its record
 * are one transaction.
 *
 * A body that comes before a table is made or altered is received whole first,
 * so that nobody waits for its client but the operations that are kept apart
 * from this one anyway.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/relation.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/inval.h"
#include "utils/json.h"

#include "ingest.h"
#include "registry/connection.h"
#include "registry/definition_fit.h"
#include "registry/definition_table.h"
#include "registry/operation_record.h"
#include "source/source_spool.h"
#include "worker/datalens_head.h"
#include "worker/datalens_partition.h"
#include "worker/json_object.h"
#include "worker/request_options.h"
#include "worker/route_connection.h"
#include "worker/route_datalens.h"
#include "worker/route_datalens_data.h"
#include "write/lock.h"

/* A write or delete in work. */
typedef struct DataWork
{
	IntakeRequest upload;
	IntakeCall *call;
	const IntakeConnection *connection;
	const char *table;
	const IntakeDatalensHead *head; /* of a write */
	Jsonb	   *partitions;		/* of a delete */

	/* what prepare has found or made */
	bool		was_there;
	Oid			relid;
	const IntakeDefinition *used;
} DataWork;

const IntakeRouteHeader intake_route_datalens_write_headers[] = {
	{"X-DL-Client-Id", true, "as linking has answered it"},
	{"X-DL-Operation-UUID", true, "of this write; a repeat has the same"},
	{"X-DL-Data-Format", true, "array"},
	{"X-DL-Table-Definition", false, "JSON in ASCII: makes a missing table"},
	{"X-DL-Allow-Alter-Table", false, "true or false: another schema drops the data and changes the table"},
	{"X-DL-Force-Truncate", false, "true or false: empties the table first"},
	{NULL, false, NULL}
};

const IntakeRouteHeader intake_route_datalens_delete_headers[] = {
	{"X-DL-Client-Id", false, "as linking has answered it"},
	{"X-DL-Operation-UUID", false, "of this delete; a repeat has the same"},
	{NULL, false, NULL}
};

/* ---------- the table ---------- */

static void
report_no_table(const DataWork *work)
{
	ereport(ERROR,
			(errcode(ERRCODE_INTAKE_STATUS('4', '0', '4')),
			 errmsg("table \"%s\" does not exist", work->table),
			 errhint("Send its definition, by the method that updates tables or in header X-DL-Table-Definition.")));
}

/*
 * Whether the table has to be made or altered before rows are written, as far
 * as that is known without a lock; raises what stands in the way.
 */
static bool
needs_definition(const DataWork *work, Oid relid,
				 const IntakeDefinition *stored)
{
	bool		has_definition = work->head->definition != NULL;
	bool		may_alter = has_definition && work->head->may_alter;
	bool		is_met = true;

	if (!OidIsValid(relid) && !has_definition)
		report_no_table(work);
	if (!OidIsValid(relid))
		return true;
	if (has_definition)
		is_met = intake_definition_is_met(
			intake_datalens_head_definition(work->head), stored, may_alter);
	if (is_met && may_alter &&
		intake_definition_fit_check(relid, stored) == INTAKE_DEFINITION_KEYS)
		is_met = false;
	if (is_met)
		intake_definition_fit_require(relid, stored);
	return !is_met;
}

/* Looks for the table, without a lock. */
static void
find_table(DataWork *work)
{
	IntakeDefinition *stored = NULL;

	work->relid = intake_definition_table_find(work->connection, work->table,
											   &stored, NoLock);
	work->was_there = OidIsValid(work->relid);
	work->used = stored;
}

/*
 * Under a lock on the table: raises an error when it is no longer what it was
 * when the work was prepared.  Nobody alters it as long as the lock is held.
 */
static void
check_unchanged(const DataWork *work)
{
	IntakeDefinition *stored = NULL;
	Oid			relid = intake_definition_table_find(work->connection,
													 work->table, &stored,
													 NoLock);

	if (relid != work->relid ||
		intake_definition_compare(work->used,
								  stored) > INTAKE_DEFINITION_TITLES)
		ereport(ERROR,
				(errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
				 errmsg("table \"%s\" has been altered meanwhile",
						work->table),
				 errhint("Repeat the request.")));
}

/*
 * Keeps other operations on the table away until the transaction ends.  One
 * that is gone meanwhile is missed later.
 */
static void
lock_table(Oid relid)
{
	Relation	rel = try_relation_open(relid, AccessShareLock);
	IntakeTarget *target;

	if (rel == NULL)
		return;
	target = intake_target_lookup(rel);
	relation_close(rel, AccessShareLock);
	intake_table_lock(target, true);
	AcceptInvalidationMessages();
}

/* ---------- write: the engine's request ---------- */

static void
push_flag(JsonbParseState **state, const char *name, bool is_set)
{
	JsonbValue	value;

	intake_json_object_push(state, WJB_KEY, name);
	value.type = jbvBool;
	value.val.boolean = is_set;
	(void) pushJsonbValue(state, WJB_VALUE, &value);
}

static Jsonb *
finish_object(JsonbParseState **state)
{
	return JsonbValueToJsonb(pushJsonbValue(state, WJB_END_OBJECT, NULL));
}

/* Options that go without saying. */
static JsonbParseState *
begin_options(void)
{
	JsonbParseState *state = NULL;

	(void) pushJsonbValue(&state, WJB_BEGIN_OBJECT, NULL);
	intake_json_object_push(&state, WJB_KEY, "types");
	intake_json_object_push(&state, WJB_VALUE, "strict");
	return state;
}

/*
 * The options of a write: values in the definition's order, which need not be
 * the table's.  That the client wants the table emptied goes for no records,
 * too: it has said so.
 */
static Jsonb *
make_options(const IntakeDefinition *definition, bool truncates)
{
	JsonbParseState *state = begin_options();
	ListCell   *cell;

	intake_json_object_push(&state, WJB_KEY, "rows");
	intake_json_object_push(&state, WJB_VALUE, "array");
	intake_json_object_push(&state, WJB_KEY, "columns");
	(void) pushJsonbValue(&state, WJB_BEGIN_ARRAY, NULL);
	foreach(cell, intake_definition_columns(definition))
		intake_json_object_push(&state, WJB_ELEM, lfirst(cell));
	(void) pushJsonbValue(&state, WJB_END_ARRAY, NULL);
	if (truncates)
	{
		push_flag(&state, "truncate", true);
		push_flag(&state, "allow_empty", true);
	}
	return finish_object(&state);
}

/* What a repeat is told, too. */
static Jsonb *
make_write_answer(bool has_dropped)
{
	JsonbParseState *state = NULL;

	(void) pushJsonbValue(&state, WJB_BEGIN_OBJECT, NULL);
	push_flag(&state, "old_data_was_dropped", has_dropped);
	return finish_object(&state);
}

/*
 * Receives the body, and makes or alters the table by the head's definition.
 * Returns true when old data was dropped.
 */
static bool
define_table(DataWork *work, IntakeRequest *request)
{
	IntakeDefinition *definition;
	IntakeApplied applied;

	definition = intake_datalens_head_definition(work->head);
	request->source = intake_source_open_spool(request->source);
	intake_definition_table_apply(work->connection, work->table, definition,
								  work->head->may_alter ? INTAKE_APPLY_ALTER :
								  INTAKE_APPLY_CREATE, &applied);
	work->was_there = applied.old != NULL;
	work->relid = applied.relid;
	work->used = applied.now;
	return applied.was_data_dropped;
}

static bool
is_append(const DataWork *work)
{
	return work->used->replacing_key == NIL;
}

/* Makes the table ready, and the request for it. */
static void
prepare_write(IntakeRequest *request, IntakeOperation *operation)
{
	DataWork   *work = request->argument;
	bool		truncates = work->head->truncates;
	bool		has_dropped = false;

	find_table(work);
	if (needs_definition(work, work->relid, work->used))
		has_dropped = define_table(work, request);
	else if (is_append(work) && !truncates)
		lock_table(work->relid);
	request->relid = work->relid;
	request->mode = is_append(work) ? INTAKE_MODE_APPEND :
		INTAKE_MODE_REPLACE;
	request->options = make_options(work->used, truncates && !has_dropped);
	operation->answer = make_write_answer(has_dropped ||
										  (truncates && work->was_there));
}

/* ---------- delete: the engine's request ---------- */

static void
prepare_delete(IntakeRequest *request, IntakeOperation *operation)
{
	DataWork   *work = request->argument;
	const List *key;
	Jsonb	   *arranged;

	find_table(work);
	if (!OidIsValid(work->relid))
		report_no_table(work);
	intake_definition_fit_require(work->relid, work->used);
	key = work->used->partition_key;
	if (key == NIL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_COLUMN_REFERENCE),
				 errmsg("table \"%s\" has no partition key", work->table),
				 errhint("Its definition gives it one, as \"partition_key\".")));
	arranged = intake_datalens_partition_arrange(work->partitions, key);
	request->relid = work->relid;
	request->source = intake_source_open_jsonb(arranged);
	request->key_names = key;
	operation->answer = intake_datalens_partition_describe(arranged, key);
}

/* ---------- both ---------- */

static void
verify(const IntakeRequest *request)
{
	check_unchanged(request->argument);
}

static void
begin_work(DataWork *work, const IntakeHttpRequest *request, IntakeCall *call,
		   IntakeClientRule rule)
{
	IntakeRequest *upload = &work->upload;
	JsonbParseState *options = begin_options();

	work->call = call;
	work->connection = intake_route_connection(request, call, rule);
	work->table = intake_route_datalens_table(request);
	upload->door = "http";
	upload->request_id = request->request_id;
	upload->format = "ndjson";
	upload->sys_op = INTAKE_NO_SYS_OP;
	upload->options = finish_object(&options);
	upload->is_exclusive = true;
	upload->verify = verify;
	upload->argument = work;
	upload->target_name = quote_qualified_identifier(work->connection->schema,
													 work->table);
}

/* From now on answers and records name the operation. */
static void
name_operation(DataWork *work, const pg_uuid_t *uuid)
{
	IntakeOperation *operation = &work->call->operation;

	work->upload.uuid = operation->uuid = *uuid;
	operation->door = work->upload.door;
}

/* A repeat needs no table, but has to be one as far as its head tells. */
static void
check_repeat(const DataWork *work, const IntakeOperation *stored)
{
	IntakeRequestIdentity identity = {
		work->upload.target_name, work->upload.identity
	};

	if (work->upload.identity != NULL)
		intake_operation_check_repeat(stored, &identity, NULL);
}

/* For a preflight: whether the table is there as it has to be. */
static void
check_early(DataWork *work)
{
	IntakeOperation stored = {.uuid = work->upload.uuid};

	stored.principal = GetUserId();
	if (intake_record_find(&stored) == INTAKE_OPERATION_SUCCEEDED)
	{
		check_repeat(work, &stored);
		return;
	}
	intake_operation_check_idle(stored.principal, &stored.uuid);
	find_table(work);
	if (work->head != NULL)
		(void) needs_definition(work, work->relid, work->used);
	else if (!OidIsValid(work->relid))
		report_no_table(work);
}

/*
 * Has a column refused NULL that may be NULL by the definition, or is none of
 * its?  Then the row is as it must be.
 */
static bool
is_users_constraint(const DataWork *work, const ErrorData *error)
{
	const IntakeFieldDef *field;

	if (error->sqlerrcode != ERRCODE_NOT_NULL_VIOLATION ||
		error->column_name == NULL || work->used == NULL)
		return false;
	field = intake_definition_find_field(work->used->fields,
										 error->column_name);
	return field == NULL || field->is_nullable;
}

/* In the partner's words; NOT NULL of the users' is a constraint of theirs. */
static void
rethrow(const DataWork *work, MemoryContext context)
{
	ErrorData  *error;

	MemoryContextSwitchTo(context);
	error = CopyErrorData();
	FlushErrorState();
	if (is_users_constraint(work, error))
		error->sqlerrcode = ERRCODE_INTEGRITY_CONSTRAINT_VIOLATION;
	intake_route_datalens_reword(error, work->table);
	ReThrowError(error);
}

/* Has the engine do it, and checks that the body was what was announced. */
static void
run_work(DataWork *work)
{
	MemoryContext context = CurrentMemoryContext;

	PG_TRY();
	{
		intake_ingest(&work->upload, &work->call->operation);
	}
	PG_CATCH();
	{
		rethrow(work, context);
	}
	PG_END_TRY();
	if (!work->call->operation.is_replayed)
	{
		check_unchanged(work);
		if (work->head != NULL)
			intake_definition_table_touch(work->connection, work->table);
	}
	intake_body_check(work->call->body);
}

static void
begin_answer(const DataWork *work, IntakeAnswer *answer)
{
	const IntakeOperation *operation = &work->call->operation;

	answer->content_type = "application/json";
	answer->rows = operation->is_replayed ? 0 :
		operation->counters.rows_received;
	if (operation->is_replayed)
		intake_answer_add_header(answer, "idempotent-replayed", "true");
}

/* Appends the stored answer's members, without the brace behind them. */
static void
append_stored(StringInfo json, const IntakeOperation *operation)
{
	if (operation->answer == NULL)
	{
		appendStringInfoChar(json, '{');
		return;
	}
	(void) JsonbToCString(json, &operation->answer->root,
						  VARSIZE(operation->answer));
	json->data[--json->len] = '\0';
	appendStringInfoString(json, ", ");
}

void
intake_route_datalens_write(const IntakeHttpRequest *request,
							IntakeCall *call, IntakeAnswer *answer)
{
	DataWork	work = {0};

	begin_work(&work, request, call, INTAKE_CLIENT_REQUIRED);
	work.head = intake_datalens_head_read(request);
	name_operation(&work, &work.head->uuid);
	work.upload.identity = intake_datalens_head_identity(work.head);
	work.upload.prepare = prepare_write;
	call->format = work.upload.format;
	call->body = intake_body_open(request);
	if (request->is_preflight)
	{
		check_early(&work);
		answer->is_preflight = true;
		return;
	}
	work.upload.source = intake_body_source(call->body);
	run_work(&work);
	begin_answer(&work, answer);
	append_stored(&answer->body, &call->operation);
	appendStringInfo(&answer->body, "\"row_count\": " INT64_FORMAT "}\n",
					 call->operation.counters.rows_received);
}

static void
append_delete_answer(StringInfo json, const IntakeHttpRequest *request,
					 const IntakeOperation *operation)
{
	int64		rows = operation->counters.rows_deleted;
	int64		partitions = operation->counters.rows_received;

	append_stored(json, operation);
	appendStringInfo(json,
					 "\"success\": true, \"message\": \"" INT64_FORMAT " row%s of " INT64_FORMAT " partition%s deleted\", \"request_id\": ",
					 rows, rows == 1 ? "" : "s", partitions,
					 partitions == 1 ? "" : "s");
	escape_json(json, request->request_id == NULL ? "" : request->request_id);
	appendStringInfoString(json, "}\n");
}

void
intake_route_datalens_delete(const IntakeHttpRequest *request,
							 IntakeCall *call, IntakeAnswer *answer)
{
	DataWork	work = {0};
	pg_uuid_t	uuid;

	begin_work(&work, request, call, INTAKE_CLIENT_OPTIONAL);
	intake_route_datalens_check_json(request);
	if (!intake_request_key(request, "x-dl-operation-uuid", &uuid))
		uuid = intake_operation_make_uuid();
	name_operation(&work, &uuid);
	work.upload.mode = INTAKE_MODE_DELETE;
	work.upload.is_text = true;
	work.upload.prepare = prepare_delete;
	call->body = intake_body_open(request);
	if (request->is_preflight)
	{
		check_early(&work);
		answer->is_preflight = true;
		return;
	}
	work.partitions = intake_datalens_partition_read(call->body);
	work.upload.identity =
		psprintf("{\"datalens\": \"delete\", \"partitions\": \"%s\"}",
				 intake_datalens_partition_digest(work.partitions));
	run_work(&work);
	begin_answer(&work, answer);
	append_delete_answer(&answer->body, request, &call->operation);
}
