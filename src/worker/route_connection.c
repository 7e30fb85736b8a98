/*-------------------------------------------------------------------------
 *
 * route_connection.c
 *	  The partner connection that a path names.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "worker/route_connection.h"

/* Of the paths. */
#define SEGMENT_CONNECTION 3

#define HEADER "x-dl-client-id"

static void
check_client(const IntakeConnection *connection, const char *client_id)
{
	if (connection->client_id == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("the connection is linked to no client"),
				 errhint("POST .../client-id links it.")));
	if (client_id != NULL && strcmp(client_id, connection->client_id) != 0)
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("the connection is not linked to that client"),
				 errhint("Header \"X-DL-Client-Id\" is the \"client_id\" that linking has answered.")));
}

const IntakeConnection *
intake_route_connection(const IntakeHttpRequest *request,
						const IntakeCall *call, IntakeClientRule rule)
{
	const IntakeConnection *connection = call->bearer->connection;
	const char *client_id = intake_request_sole_header(request, HEADER);

	if (strcmp(list_nth(request->segments, SEGMENT_CONNECTION),
			   connection->connection_id) != 0)
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("the token is not for that connection")));
	if (rule == INTAKE_CLIENT_REQUIRED && client_id == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("header \"X-DL-Client-Id\" is missing")));
	if (rule != INTAKE_CLIENT_UNASKED)
		check_client(connection, client_id);
	return connection;
}
