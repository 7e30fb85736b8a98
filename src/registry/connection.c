/*-------------------------------------------------------------------------
 *
 * connection.c
 *	  Partner connections: the rows of table intake.connection.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/table.h"
#include "access/xlog.h"
#include "catalog/namespace.h"
#include "catalog/pg_namespace.h"
#include "common/hashfn.h"
#include "miscadmin.h"
#include "storage/lock.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/inval.h"
#include "utils/rel.h"
#include "utils/syscache.h"

#include "lock_space.h"
#include "registry/connection.h"
#include "registry/own_table.h"

/* The columns of intake.connection. */
enum
{
	COLUMN_CONNECTION_ID,
	COLUMN_TITLE,
	COLUMN_SCHEMA_NAME,
	COLUMN_ROLE_NAME,
	COLUMN_ROLE_OID,
	COLUMN_OWNER_NAME,
	COLUMN_OWNER_OID,
	COLUMN_CLUSTER,
	COLUMN_SERVICE_ACCOUNT_ID,
	COLUMN_KEY_ID,
	COLUMN_PUBLIC_KEY,
	COLUMN_OAUTH_HASH,
	COLUMN_CLIENT_ID,
	COLUMN_LAST_CLIENT_ID,
	COLUMN_CREATED_AT,
	COLUMNS
};

static Relation
open_table(LOCKMODE lockmode)
{
	return intake_own_table_require("connection", lockmode);
}

static char *
read_name(Datum name)
{
	return pstrdup(NameStr(*DatumGetName(name)));
}

static char *
read_text(Datum value, bool is_null)
{
	return is_null ? NULL : TextDatumGetCString(value);
}

/* The role of that name as long as it is the one that was meant. */
static Oid
find_role(const char *name, Oid oid, int64 cluster)
{
	Oid			role = get_role_oid(name, true);

	if (cluster == (int64) GetSystemIdentifier() && oid != role)
		return InvalidOid;
	return role;
}

static IntakeConnection *
read_row(Relation table, HeapTuple row)
{
	IntakeConnection *connection = palloc0(sizeof(IntakeConnection));
	Datum		values[COLUMNS];
	bool		nulls[COLUMNS];

	heap_deform_tuple(row, RelationGetDescr(table), values, nulls);
	connection->connection_id =
		TextDatumGetCString(values[COLUMN_CONNECTION_ID]);
	connection->title = TextDatumGetCString(values[COLUMN_TITLE]);
	connection->schema = read_name(values[COLUMN_SCHEMA_NAME]);
	connection->role_name = read_name(values[COLUMN_ROLE_NAME]);
	connection->role_oid = DatumGetObjectId(values[COLUMN_ROLE_OID]);
	connection->owner_name = read_name(values[COLUMN_OWNER_NAME]);
	connection->owner_oid = DatumGetObjectId(values[COLUMN_OWNER_OID]);
	connection->cluster = DatumGetInt64(values[COLUMN_CLUSTER]);
	connection->role = find_role(connection->role_name, connection->role_oid,
								 connection->cluster);
	connection->owner = find_role(connection->owner_name,
								  connection->owner_oid,
								  connection->cluster);
	connection->service_account_id =
		TextDatumGetCString(values[COLUMN_SERVICE_ACCOUNT_ID]);
	connection->key_id = TextDatumGetCString(values[COLUMN_KEY_ID]);
	connection->public_key = DatumGetJsonbP(values[COLUMN_PUBLIC_KEY]);
	if (!nulls[COLUMN_OAUTH_HASH])
		connection->oauth_hash = DatumGetByteaP(values[COLUMN_OAUTH_HASH]);
	connection->client_id = read_text(values[COLUMN_CLIENT_ID],
									  nulls[COLUMN_CLIENT_ID]);
	connection->last_client_id = read_text(values[COLUMN_LAST_CLIENT_ID],
										   nulls[COLUMN_LAST_CLIENT_ID]);
	connection->created_at = DatumGetTimestampTz(values[COLUMN_CREATED_AT]);
	connection->row = row;
	return connection;
}

static IntakeConnection *
find(int column, const char *index, RegProcedure equals, Datum value)
{
	Relation	table = open_table(AccessShareLock);
	IntakeConnection *connection = NULL;
	ScanKeyData key;
	HeapTuple	row;

	ScanKeyInit(&key, column + 1, BTEqualStrategyNumber, equals, value);
	row = intake_own_table_find(table, index, 1, &key);
	if (row != NULL)
		connection = read_row(table, row);
	table_close(table, AccessShareLock);
	return connection;
}

IntakeConnection *
intake_connection_find(const char *connection_id)
{
	return find(COLUMN_CONNECTION_ID, "connection_pkey", F_TEXTEQ,
				CStringGetTextDatum(connection_id));
}

IntakeConnection *
intake_connection_find_key(const char *key_id)
{
	return find(COLUMN_KEY_ID, "connection_key_id_key", F_TEXTEQ,
				CStringGetTextDatum(key_id));
}

IntakeConnection *
intake_connection_find_oauth(const bytea *hash)
{
	return find(COLUMN_OAUTH_HASH, "connection_oauth_hash_key", F_BYTEAEQ,
				PointerGetDatum(hash));
}

void
intake_connection_lock(const char *connection_id, LOCKMODE lockmode)
{
	const unsigned char *bytes = (const unsigned char *) connection_id;
	uint64		hash = hash_bytes_extended(bytes, strlen(connection_id), 0);
	LOCKTAG		tag;

	SET_LOCKTAG_ADVISORY(tag, MyDatabaseId, (uint32) (hash >> 32),
						 (uint32) hash, INTAKE_LOCK_CONNECTION);
	(void) LockAcquire(&tag, lockmode, false, false);
	/* who held it may have dropped the role */
	AcceptInvalidationMessages();
}

static Oid
schema_owner(Oid schema)
{
	HeapTuple	tuple = SearchSysCache1(NAMESPACEOID,
										ObjectIdGetDatum(schema));
	Oid			owner;

	if (!HeapTupleIsValid(tuple))
		return InvalidOid;
	owner = ((Form_pg_namespace) GETSTRUCT(tuple))->nspowner;
	ReleaseSysCache(tuple);
	return owner;
}

void
intake_connection_check(const IntakeConnection *connection)
{
	Oid			schema = get_namespace_oid(connection->schema, true);
	const char *problem;

	if (!OidIsValid(connection->role))
		problem = psprintf("Role \"%s\" was dropped or renamed.",
						   connection->role_name);
	else if (!OidIsValid(schema))
		problem = psprintf("Schema \"%s\" was dropped or renamed.",
						   connection->schema);
	else if (schema_owner(schema) != connection->role)
		problem = psprintf("Schema \"%s\" is not owned by role \"%s\".",
						   connection->schema, connection->role_name);
	else
		return;
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("connection \"%s\" is out of order",
					connection->connection_id),
			 errdetail_internal("%s", problem)));
}

static void
form_row(const IntakeConnection *connection, Datum *values, bool *nulls)
{
	NameData   *names = palloc0(sizeof(NameData) * 3);

	namestrcpy(&names[0], connection->schema);
	namestrcpy(&names[1], connection->role_name);
	namestrcpy(&names[2], connection->owner_name);
	values[COLUMN_CONNECTION_ID] =
		CStringGetTextDatum(connection->connection_id);
	values[COLUMN_TITLE] = CStringGetTextDatum(connection->title);
	values[COLUMN_SCHEMA_NAME] = NameGetDatum(&names[0]);
	values[COLUMN_ROLE_NAME] = NameGetDatum(&names[1]);
	values[COLUMN_ROLE_OID] = ObjectIdGetDatum(connection->role_oid);
	values[COLUMN_OWNER_NAME] = NameGetDatum(&names[2]);
	values[COLUMN_OWNER_OID] = ObjectIdGetDatum(connection->owner_oid);
	values[COLUMN_CLUSTER] = Int64GetDatum(connection->cluster);
	values[COLUMN_SERVICE_ACCOUNT_ID] =
		CStringGetTextDatum(connection->service_account_id);
	values[COLUMN_KEY_ID] = CStringGetTextDatum(connection->key_id);
	values[COLUMN_PUBLIC_KEY] = PointerGetDatum(connection->public_key);
	nulls[COLUMN_OAUTH_HASH] = connection->oauth_hash == NULL;
	values[COLUMN_OAUTH_HASH] = PointerGetDatum(connection->oauth_hash);
	nulls[COLUMN_CLIENT_ID] = connection->client_id == NULL;
	if (connection->client_id != NULL)
		values[COLUMN_CLIENT_ID] = CStringGetTextDatum(connection->client_id);
	nulls[COLUMN_LAST_CLIENT_ID] = connection->last_client_id == NULL;
	if (connection->last_client_id != NULL)
		values[COLUMN_LAST_CLIENT_ID] =
			CStringGetTextDatum(connection->last_client_id);
	values[COLUMN_CREATED_AT] = TimestampTzGetDatum(connection->created_at);
}

void
intake_connection_store(IntakeConnection *connection)
{
	Relation	table = open_table(RowExclusiveLock);
	Datum		values[COLUMNS] = {0};
	bool		nulls[COLUMNS] = {0};

	if (connection->row == NULL)
	{
		connection->role_oid = connection->role;
		connection->owner_oid = connection->owner;
		connection->cluster = (int64) GetSystemIdentifier();
	}
	form_row(connection, values, nulls);
	if (connection->row == NULL)
		intake_own_table_insert(table, values, nulls);
	else
		intake_own_table_update(table, connection->row, values, nulls);
	table_close(table, NoLock);
}

/* The first column of intake.connection_table is its connection's id. */
static void
remove_tables(const char *connection_id)
{
	Relation	table = intake_own_table_require("connection_table",
												 RowExclusiveLock);
	ScanKeyData key;
	HeapTuple	row;

	ScanKeyInit(&key, 1, BTEqualStrategyNumber, F_TEXTEQ,
				CStringGetTextDatum(connection_id));
	while ((row = intake_own_table_find(table, "connection_table_pkey", 1,
										&key)) != NULL)
		intake_own_table_delete(table, row);
	table_close(table, NoLock);
}

void
intake_connection_remove(const IntakeConnection *connection)
{
	Relation	table = open_table(RowExclusiveLock);

	intake_own_table_delete(table, connection->row);
	table_close(table, NoLock);
	remove_tables(connection->connection_id);
}

void
intake_connection_set_client(const char *connection_id, const char *client_id)
{
	IntakeConnection *connection = intake_connection_find(connection_id);

	if (connection == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("connection \"%s\" does not exist", connection_id)));
	connection->client_id = client_id;
	if (client_id != NULL)
		connection->last_client_id = client_id;
	intake_connection_store(connection);
}
