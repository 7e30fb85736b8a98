/*-------------------------------------------------------------------------
 *
 * connection_drop.c
 *	  Drops a partner connection.
 *
 * The connection's lock waits for requests of the partner's that are at work;
 * who comes after finds no connection.  The role goes with what it owns or,
 * by default, leaves it to the connection's owner.
 *
 * A superuser inherits nothing: what a member of the role has put into a view
 * or an index's expression would run with his rights.  The role stays then.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xlog.h"
#include "catalog/dependency.h"
#include "catalog/pg_authid.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "tcop/utility.h"
#include "utils/builtins.h"

#include "worker/connection_sql.h"
#include "worker/iam_token.h"

PG_FUNCTION_INFO_V1(intake_drop_connection);

static void
drop_owned(const IntakeConnection *connection)
{
	const char *role = quote_identifier(connection->role_name);

	intake_connection_execute(psprintf("DROP OWNED BY %s RESTRICT", role));
}

/* Gives what the role owns to the owner; false: the role has to keep it. */
static bool
reassign_owned(const IntakeConnection *connection)
{
	const char *role = quote_identifier(connection->role_name);
	const char *heir = quote_identifier(connection->owner_name);

	if (!OidIsValid(connection->owner) || superuser_arg(connection->owner))
	{
		ereport(NOTICE,
				(errmsg("role \"%s\" is kept as the owner of schema \"%s\" and its tables",
						connection->role_name, connection->schema),
				 errhint("DROP OWNED BY or REASSIGN OWNED BY, and DROP ROLE, end it.")));
		return false;
	}
	intake_connection_execute(psprintf("REASSIGN OWNED BY %s TO %s", role,
									   heir));
	return true;
}

/*
 * Drops the role, unless another database has a restored copy of the
 * connection, whose tables are the role's.
 */
static void
drop_role(const IntakeConnection *connection)
{
	const char *role = quote_identifier(connection->role_name);
	char	   *detail;
	char	   *detail_log;

	if (checkSharedDependencies(AuthIdRelationId, connection->role, &detail,
								&detail_log))
	{
		ereport(NOTICE,
				(errmsg("role \"%s\" is kept, since objects in other databases depend on it",
						connection->role_name),
				 errdetail_internal("%s", detail)));
		return;
	}
	intake_connection_execute(psprintf("DROP ROLE %s", role));
}

/* intake.drop_connection(connection_id text, drop_tables bool) RETURNS void */
Datum
intake_drop_connection(PG_FUNCTION_ARGS)
{
	IntakeConnection *connection;

	PreventCommandIfReadOnly("intake.drop_connection()");
	PreventCommandDuringRecovery("intake.drop_connection()");
	connection = intake_connection_require(intake_connection_read_id(fcinfo),
										   AccessExclusiveLock);
	if (PG_ARGISNULL(1))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("argument \"drop_tables\" must not be null")));
	intake_iam_token_end_all(connection->connection_id);
	intake_connection_remove(connection);
	if (!OidIsValid(connection->role))
	{
		ereport(NOTICE,
				(errmsg("role \"%s\" was dropped or renamed, what it owns is left as it is",
						connection->role_name)));
		PG_RETURN_VOID();
	}
	if (!PG_GETARG_BOOL(1) && !reassign_owned(connection))
		PG_RETURN_VOID();
	/* also what was granted to the role */
	drop_owned(connection);
	drop_role(connection);
	PG_RETURN_VOID();
}
