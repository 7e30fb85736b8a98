/*-------------------------------------------------------------------------
 *
 * connection_grant.c
 *	  Lets a role read the tables of a partner connection.
 *
 * Those that are there, and by default privileges those that the partner will
 * define.  What others have put into the schema is theirs to grant.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "access/xlog.h"
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "fmgr.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "tcop/utility.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"

#include "worker/connection_sql.h"
#include "worker/principal.h"

PG_FUNCTION_INFO_V1(intake_grant_read);

static bool
is_readable(const FormData_pg_class *relation)
{
	switch (relation->relkind)
	{
		case RELKIND_RELATION:
		case RELKIND_PARTITIONED_TABLE:
		case RELKIND_FOREIGN_TABLE:
		case RELKIND_VIEW:
		case RELKIND_MATVIEW:
			return true;
	}
	return false;
}

/* The connection's tables as a list for a statement; empty: it has none. */
static char *
list_tables(const IntakeConnection *connection)
{
	const char *schema = connection->schema;
	Relation	classes = table_open(RelationRelationId, AccessShareLock);
	StringInfoData list;
	ScanKeyData keys[2];
	SysScanDesc scan;
	HeapTuple	row;

	initStringInfo(&list);
	ScanKeyInit(&keys[0], Anum_pg_class_relnamespace, BTEqualStrategyNumber,
				F_OIDEQ,
				ObjectIdGetDatum(get_namespace_oid(schema, false)));
	ScanKeyInit(&keys[1], Anum_pg_class_relowner, BTEqualStrategyNumber,
				F_OIDEQ, ObjectIdGetDatum(connection->role));
	scan = systable_beginscan(classes, InvalidOid, false, NULL, 2, keys);
	while (HeapTupleIsValid(row = systable_getnext(scan)))
	{
		Form_pg_class relation = (Form_pg_class) GETSTRUCT(row);

		const char *name = NameStr(relation->relname);

		if (is_readable(relation))
			appendStringInfo(&list, "%s%s", list.len > 0 ? ", " : "",
							 quote_qualified_identifier(schema, name));
	}
	systable_endscan(scan);
	table_close(classes, AccessShareLock);
	return list.data;
}

static void
grant(const IntakeConnection *connection, Oid grantee)
{
	const char *schema = quote_identifier(connection->schema);
	const char *reader = quote_identifier(GetUserNameFromId(grantee, false));
	char	   *tables = list_tables(connection);

	intake_connection_execute(psprintf("GRANT USAGE ON SCHEMA %s TO %s",
									   schema, reader));
	if (tables[0] != '\0')
		intake_connection_execute(psprintf("GRANT SELECT ON %s TO %s", tables,
										   reader));
	intake_connection_execute(psprintf("ALTER DEFAULT PRIVILEGES FOR ROLE %s IN SCHEMA %s GRANT SELECT ON TABLES TO %s",
									   quote_identifier(connection->role_name),
									   schema, reader));
}

/* intake.grant_read(connection_id text, role regrole) RETURNS void */
Datum
intake_grant_read(PG_FUNCTION_ARGS)
{
	IntakeConnection *connection;
	Oid			role;

	PreventCommandIfReadOnly("intake.grant_read()");
	PreventCommandDuringRecovery("intake.grant_read()");
	connection = intake_connection_require(intake_connection_read_id(fcinfo),
										   AccessShareLock);
	role = intake_principal_read_role(fcinfo, 1);
	intake_connection_check(connection);
	grant(connection, role);
	PG_RETURN_VOID();
}
