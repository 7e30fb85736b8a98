/*-------------------------------------------------------------------------
 *
 * route_datalens.c
 *	  DataLens' endpoint: clients, tables and their definitions.
 *
 * Who comes has the token of one connection, and works as its role: in its
 * schema, with nothing but the statements of registry/definition_table.h.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/json.h"

#include "convert.h"
#include "registry/definition_table.h"
#include "worker/json_object.h"
#include "worker/request_options.h"
#include "worker/route_connection.h"
#include "worker/route_datalens.h"
#include "worker/route_datalens_data.h"
#include "worker/secret.h"
#include "worker/worker_settings.h"

/* Of the paths. */
#define SEGMENT_TABLE 5

/* The longest definition: 1,600 columns with titles of a few hundred bytes. */
#define MAX_DEFINITION_SIZE (4 * 1024 * 1024)

/* What the connection's information says of itself. */
#define INFO_TYPE "partner"
#define INFO_VERSION "1"

#define CLIENT_HEADER "x-dl-client-id"

const char *
intake_route_datalens_table(const IntakeHttpRequest *request)
{
	const char *table = list_nth(request->segments, SEGMENT_TABLE);

	intake_definition_check_name(table);
	return table;
}

IntakeDefinition *
intake_route_datalens_definition(const char *table, const char *text,
								 const char *what)
{
	char	   *utf8 = pg_server_to_any(text, strlen(text), PG_UTF8);
	IntakeDefinition *definition;
	const char *problem;
	Jsonb	   *json = intake_json_object_read(utf8, strlen(utf8), &problem);

	if (json == NULL)
	{
		/* PostgreSQL's own reader tells what is wrong, and where. */
		(void) DirectFunctionCall1(jsonb_in, CStringGetDatum(text));
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s %s", what, problem)));
	}
	definition = intake_definition_parse(json);
	if (definition->name != NULL && strcmp(definition->name, table) != 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s is the definition of another table", what),
				 errdetail("Its name is \"%s\", the path's \"%s\".",
						   intake_convert_show(definition->name,
											   strlen(definition->name)),
						   table)));
	return definition;
}

/* What is written by the extension itself is no command that would say so. */
static void
check_may_write(const IntakeHttpRequest *request)
{
	PreventCommandIfReadOnly(request->method);
	PreventCommandDuringRecovery(request->method);
}

/*
 * The connection as it is, locked against others that link or unlink it.
 */
static IntakeConnection *
lock_connection(const IntakeHttpRequest *request, const IntakeCall *call)
{
	const IntakeConnection *connection =
		intake_route_connection(request, call, INTAKE_CLIENT_UNASKED);
	IntakeConnection *current;

	check_may_write(request);
	intake_connection_lock(connection->connection_id,
						   ShareUpdateExclusiveLock);
	current = intake_connection_find(connection->connection_id);
	if (current == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_AUTHORIZATION_SPECIFICATION),
				 errmsg("the connection was dropped")));
	return current;
}

/* The only client that the connection may be linked to; NULL: any. */
static const char *
find_client(const IntakeConnection *connection)
{
	return connection->client_id != NULL ? connection->client_id :
		connection->last_client_id;
}

/*
 * A connection has one service account, and this one client.  A request that
 * names another comes from a client that was linked to something else.
 */
static void
check_same_client(const IntakeHttpRequest *request, const char *client)
{
	const char *named = intake_request_sole_header(request, CLIENT_HEADER);

	if (named == NULL || (client != NULL && strcmp(named, client) == 0))
		return;
	ereport(ERROR,
			(errcode(ERRCODE_INTAKE_STATUS('4', '0', '0')),
			 client == NULL ?
			 errmsg("a client gets its \"client_id\" by linking") :
			 errmsg("the connection is tied to another client"),
			 errhint("Send the request without header \"X-DL-Client-Id\": the answer has the client's \"client_id\".")));
}

/* POST .../client-id */
static void
link_client(const IntakeHttpRequest *request, IntakeCall *call,
			IntakeAnswer *answer)
{
	const IntakeConnection *connection = lock_connection(request, call);
	const char *client = find_client(connection);

	check_same_client(request, client);
	if (client == NULL)
		client = intake_secret_make_id();
	if (connection->client_id == NULL)
		intake_connection_set_client(connection->connection_id, client);

	answer->content_type = "application/json";
	appendStringInfoString(&answer->body, "{\"client_id\": ");
	escape_json(&answer->body, client);
	appendStringInfoString(&answer->body, "}\n");
}

/* DELETE .../client-id */
static void
unlink_client(const IntakeHttpRequest *request, IntakeCall *call,
			  IntakeAnswer *answer)
{
	const IntakeConnection *connection = lock_connection(request, call);

	if (connection->client_id == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INTAKE_STATUS('4', '0', '0')),
				 errmsg("the connection is linked to no client")));
	(void) intake_route_connection(request, call, INTAKE_CLIENT_OPTIONAL);
	intake_connection_set_client(connection->connection_id, NULL);
	answer->status = 204;
}

/* GET .../info */
static void
get_info(const IntakeHttpRequest *request, IntakeCall *call,
		 IntakeAnswer *answer)
{
	const IntakeConnection *connection =
		intake_route_connection(request, call, INTAKE_CLIENT_REQUIRED);
	StringInfo	body = &answer->body;
	ListCell   *cell;

	answer->content_type = "application/json";
	appendStringInfoString(body, "{\"type\": \"" INFO_TYPE "\", \"version\": \"" INFO_VERSION "\", \"settings\": {}, \"tables\": [");
	foreach(cell, intake_definition_table_list(connection))
	{
		if (foreach_current_index(cell) > 0)
			appendStringInfoString(body, ", ");
		intake_definition_append(body, lfirst(cell));
	}
	appendStringInfoString(body, "]}\n");
}

/* A body without a type is taken for JSON; a form of curl's is not. */
void
intake_route_datalens_check_json(const IntakeHttpRequest *request)
{
	if (intake_request_sole_header(request, "content-type") != NULL)
		intake_media_type_check(request, "application/json",
								"The body is one JSON object, application/json, in UTF-8.");
}

static void
append_definition(StringInfo body, const char *name,
				  const IntakeDefinition *definition)
{
	appendStringInfo(body, ", \"%s\": ", name);
	if (definition == NULL)
		appendStringInfoString(body, "null");
	else
		intake_definition_append(body, definition);
}

void
intake_route_datalens_reword(ErrorData *error, const char *table)
{
	if (error->sqlerrcode != ERRCODE_LOCK_NOT_AVAILABLE)
		return;
	error->message = psprintf("another operation on table \"%s\" is under way",
							  table);
	error->detail = psprintf("It was waited for %d ms.",
							 intake_table_lock_timeout);
	error->hint = pstrdup("Repeat the request later.");
}

static void
rethrow(MemoryContext context, const char *table)
{
	ErrorData  *error;

	MemoryContextSwitchTo(context);
	error = CopyErrorData();
	FlushErrorState();
	intake_route_datalens_reword(error, table);
	ReThrowError(error);
}

static void
apply_definition(const IntakeConnection *connection, const char *table,
				 IntakeDefinition *definition, IntakeApplied *applied)
{
	MemoryContext context = CurrentMemoryContext;

	PG_TRY();
	{
		intake_definition_table_apply(connection, table, definition,
									  INTAKE_APPLY_WHOLE, applied);
	}
	PG_CATCH();
	{
		rethrow(context, table);
	}
	PG_END_TRY();
}

/* False: there is no definition. */
static bool
drop_table(const IntakeConnection *connection, const char *table)
{
	MemoryContext context = CurrentMemoryContext;
	volatile bool was_there = false;

	PG_TRY();
	{
		was_there = intake_definition_table_drop(connection, table);
	}
	PG_CATCH();
	{
		rethrow(context, table);
	}
	PG_END_TRY();
	return was_there;
}

/* POST .../table/{table_name}/definition */
static void
update_table(const IntakeHttpRequest *request, IntakeCall *call,
			 IntakeAnswer *answer)
{
	const IntakeConnection *connection =
		intake_route_connection(request, call, INTAKE_CLIENT_OPTIONAL);
	const char *table = intake_route_datalens_table(request);
	IntakeDefinition *definition;
	IntakeApplied applied;

	check_may_write(request);
	intake_route_datalens_check_json(request);
	call->body = intake_body_open(request);
	if (request->is_preflight)
	{
		answer->is_preflight = true;
		return;
	}
	definition = intake_route_datalens_definition(
		table, intake_body_read_text(call->body, MAX_DEFINITION_SIZE),
		"the body");
	intake_body_check(call->body);
	apply_definition(connection, table, definition, &applied);

	answer->content_type = "application/json";
	appendStringInfo(&answer->body, "{\"old_data_was_dropped\": %s",
					 applied.was_data_dropped ? "true" : "false");
	append_definition(&answer->body, "old_table_definition", applied.old);
	append_definition(&answer->body, "new_table_definition", applied.now);
	appendStringInfoString(&answer->body, "}\n");
}

/* DELETE .../table/{table_name}/definition */
static void
delete_table(const IntakeHttpRequest *request, IntakeCall *call,
			 IntakeAnswer *answer)
{
	const IntakeConnection *connection =
		intake_route_connection(request, call, INTAKE_CLIENT_OPTIONAL);
	const char *table = intake_route_datalens_table(request);

	check_may_write(request);
	if (!drop_table(connection, table))
		ereport(ERROR,
				(errcode(ERRCODE_INTAKE_STATUS('4', '0', '4')),
				 errmsg("there is no table \"%s\"", table),
				 errhint("GET .../info lists the tables.")));
	answer->status = 204;
}

#define CONNECTION_PATH "/provider/v1/connection/{connection_id}"
#define TABLE_PATH CONNECTION_PATH "/table/{table_name}"

const IntakeRoute intake_routes_datalens[] = {
	{
		.name = "datalens_link",
		.family = INTAKE_FAMILY_DATALENS,
		.method = "POST",
		.path = CONNECTION_PATH "/client-id",
		.summary = "Links the client to the connection",
		.handle = link_client,
	},
	{
		.name = "datalens_unlink",
		.family = INTAKE_FAMILY_DATALENS,
		.method = "DELETE",
		.path = CONNECTION_PATH "/client-id",
		.summary = "Unlinks the client; data stays",
		.handle = unlink_client,
		.is_bodiless = true,
	},
	{
		.name = "datalens_info",
		.family = INTAKE_FAMILY_DATALENS,
		.method = "GET",
		.path = CONNECTION_PATH "/info",
		.summary = "Tells the connection's tables and their definitions",
		.handle = get_info,
	},
	{
		.name = "datalens_update_table",
		.family = INTAKE_FAMILY_DATALENS,
		.method = "POST",
		.path = TABLE_PATH "/definition",
		.summary = "Makes the table as the definition says; drops its data when the schema is another",
		.body = INTAKE_BODY_JSON,
		.handle = update_table,
	},
	{
		.name = "datalens_delete_table",
		.family = INTAKE_FAMILY_DATALENS,
		.method = "DELETE",
		.path = TABLE_PATH "/definition",
		.summary = "Drops the table with its data",
		.handle = delete_table,
		.is_bodiless = true,
	},
	{
		.name = "datalens_write",
		.family = INTAKE_FAMILY_DATALENS,
		.method = "POST",
		.path = TABLE_PATH "/data",
		.summary = "Writes the rows of the body, once, however often it is sent",
		.body = INTAKE_BODY_UPLOAD,
		.handle = intake_route_datalens_write,
		.headers = intake_route_datalens_write_headers,
	},
	{
		.name = "datalens_delete",
		.family = INTAKE_FAMILY_DATALENS,
		.method = "DELETE",
		.path = TABLE_PATH "/data",
		.summary = "Deletes the partitions that the body lists",
		.body = INTAKE_BODY_JSON,
		.handle = intake_route_datalens_delete,
		.headers = intake_route_datalens_delete_headers,
	},
	{.name = NULL}
};
