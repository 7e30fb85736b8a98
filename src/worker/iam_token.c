/*-------------------------------------------------------------------------
 *
 * iam_token.c
 *	  The opaque tokens of partner connections.
 *
 * Many exchanges may run at once.  Rows are deleted by heap_delete() itself,
 * since two of them may want to delete the same one, and either may.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/heapam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "access/xact.h"
#include "catalog/namespace.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/timestamp.h"

#include "registry/own_table.h"
#include "worker/iam_token.h"
#include "worker/jwt.h"
#include "worker/principal.h"
#include "worker/secret.h"

/* Tells a token of ours from other secrets; no JWT begins so. */
#define TOKEN_PREFIX "iam_"

#define LIFETIME (INT64CONST(12) * USECS_PER_HOUR)

/*
 * How many tokens a connection may have at once.  A client that asks for a
 * new one with each request never uses an old one again, so the oldest goes;
 * refusing new ones would shut it out for hours.
 */
#define MAX_TOKENS 1000

/* How many expired tokens go with each that is issued. */
#define MAX_SWEPT 100

/* The columns of intake.connection_token. */
enum
{
	COLUMN_HASH,
	COLUMN_CONNECTION_ID,
	COLUMN_KEY_ID,
	COLUMN_EXPIRES_AT,
	COLUMNS
};

typedef struct Token
{
	char	   *connection_id;
	char	   *key_id;
	TimestampTz expires_at;
} Token;

static Relation
open_table(LOCKMODE lockmode)
{
	return intake_own_table_require("connection_token", lockmode);
}

/* One of the table's indexes, as the table is locked. */
static Relation
open_index(Relation table, const char *name)
{
	return index_open(get_relname_relid(name, RelationGetNamespace(table)),
					  AccessShareLock);
}

/* Another transaction may delete the row first; waits for it, or does not. */
static void
delete_row(Relation table, HeapTuple row, bool is_waiting)
{
	TM_FailureData failure;

	(void) heap_delete(table, &row->t_self, GetCurrentCommandId(true),
					   InvalidSnapshot, is_waiting, &failure, false);
}

/* Deletes tokens that expired, a bounded number of them. */
static void
sweep(Relation table)
{
	Relation	index = open_index(table, "connection_token_expires_at_idx");
	TimestampTz now = GetCurrentTimestamp();
	SysScanDesc scan;
	ScanKeyData key;
	HeapTuple	row;
	int			i;

	ScanKeyInit(&key, COLUMN_EXPIRES_AT + 1, BTLessEqualStrategyNumber,
				F_TIMESTAMPTZ_LE, TimestampTzGetDatum(now));
	scan = systable_beginscan_ordered(table, index, NULL, 1, &key);
	for (i = 0; i < MAX_SWEPT; i++)
	{
		row = systable_getnext_ordered(scan, ForwardScanDirection);
		if (!HeapTupleIsValid(row))
			break;
		delete_row(table, row, false);
	}
	systable_endscan_ordered(scan);
	index_close(index, AccessShareLock);
	CommandCounterIncrement();
}

/* The tokens of a connection, the oldest first. */
static SysScanDesc
scan_connection(Relation table, Relation index, const char *connection_id)
{
	ScanKeyData key;

	ScanKeyInit(&key, COLUMN_CONNECTION_ID + 1, BTEqualStrategyNumber,
				F_TEXTEQ, CStringGetTextDatum(connection_id));
	return systable_beginscan_ordered(table, index, NULL, 1, &key);
}

/* Deletes the oldest tokens of a connection, all but so many. */
static void
keep_newest(Relation table, const char *connection_id, int keep,
			bool is_waiting)
{
	Relation	index = open_index(table,
								   "connection_token_connection_id_expires_at_idx");
	SysScanDesc scan = scan_connection(table, index, connection_id);
	HeapTuple	row;
	int			count = 0;

	while (HeapTupleIsValid(systable_getnext_ordered(scan,
													 ForwardScanDirection)))
		count++;
	systable_endscan_ordered(scan);

	scan = scan_connection(table, index, connection_id);
	for (; count > keep; count--)
	{
		row = systable_getnext_ordered(scan, ForwardScanDirection);
		if (!HeapTupleIsValid(row))
			break;
		delete_row(table, row, is_waiting);
	}
	systable_endscan_ordered(scan);
	index_close(index, AccessShareLock);
	CommandCounterIncrement();
}

char *
intake_iam_token_issue(const IntakeConnection *connection,
					   TimestampTz *expires_at)
{
	char	   *token = intake_secret_make_token(TOKEN_PREFIX);
	Relation	table = open_table(RowExclusiveLock);
	Datum		values[COLUMNS];
	bool		nulls[COLUMNS] = {0};

	sweep(table);
	keep_newest(table, connection->connection_id, MAX_TOKENS - 1, false);
	*expires_at = GetCurrentTimestamp() + LIFETIME;
	/* whole seconds, as answers have them */
	*expires_at -= *expires_at % USECS_PER_SEC;
	values[COLUMN_HASH] = PointerGetDatum(intake_secret_hash(token));
	values[COLUMN_CONNECTION_ID] =
		CStringGetTextDatum(connection->connection_id);
	values[COLUMN_KEY_ID] = CStringGetTextDatum(connection->key_id);
	values[COLUMN_EXPIRES_AT] = TimestampTzGetDatum(*expires_at);
	intake_own_table_insert(table, values, nulls);
	table_close(table, NoLock);
	return token;
}

void
intake_iam_token_end_all(const char *connection_id)
{
	Relation	table = open_table(RowExclusiveLock);

	keep_newest(table, connection_id, 0, true);
	table_close(table, NoLock);
}

/* False when there is no such token. */
static bool
find_token(const char *secret, Token *token)
{
	Relation	table = open_table(AccessShareLock);
	Datum		values[COLUMNS];
	bool		nulls[COLUMNS];
	ScanKeyData key;
	HeapTuple	row;

	ScanKeyInit(&key, COLUMN_HASH + 1, BTEqualStrategyNumber, F_BYTEAEQ,
				PointerGetDatum(intake_secret_hash(secret)));
	row = intake_own_table_find(table, "connection_token_pkey", 1, &key);
	if (row != NULL)
	{
		heap_deform_tuple(row, RelationGetDescr(table), values, nulls);
		token->connection_id =
			TextDatumGetCString(values[COLUMN_CONNECTION_ID]);
		token->key_id = TextDatumGetCString(values[COLUMN_KEY_ID]);
		token->expires_at = DatumGetTimestampTz(values[COLUMN_EXPIRES_AT]);
	}
	table_close(table, AccessShareLock);
	return row != NULL;
}

/* The connection that a token is good for, locked, or NULL. */
static IntakeConnection *
find_connection(const Token *token)
{
	IntakeConnection *connection;

	if (token->expires_at <= GetCurrentTimestamp())
		return NULL;
	intake_connection_lock(token->connection_id, AccessShareLock);
	connection = intake_connection_find(token->connection_id);
	if (connection == NULL || strcmp(connection->key_id, token->key_id) != 0)
		return NULL;
	return connection;
}

bool
intake_iam_token_is_shown(const char *authorization)
{
	return strncmp(intake_token_extract(authorization), TOKEN_PREFIX,
				   strlen(TOKEN_PREFIX)) == 0;
}

IntakeBearer *
intake_iam_token_verify(const char *authorization)
{
	IntakeBearer *bearer = palloc0(sizeof(IntakeBearer));
	const char *secret = intake_token_extract(authorization);
	Token		token = {0};

	if (find_token(secret, &token))
		bearer->connection = find_connection(&token);
	/* which of these it is, is for nobody to know */
	if (bearer->connection == NULL)
		ereport(ERROR,
				(INTAKE_TOKEN_ERROR,
				 errmsg("the token is unknown or has expired"),
				 errhint("POST /iam/v1/tokens gives a new one.")));
	intake_connection_check(bearer->connection);
	intake_principal_check_role(bearer->connection->role);
	bearer->subject = bearer->connection->service_account_id;
	bearer->role = bearer->connection->role;
	bearer->expires_at = token.expires_at;
	return bearer;
}
