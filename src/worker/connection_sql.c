/*-------------------------------------------------------------------------
 *
 * connection_sql.c
 *	  The SQL functions that make partner connections and change them.
 *
 * A connection's role and schema are made by fixed statements that run as the
 * cluster's first superuser, once the caller was found to be allowed to: he
 * needs neither CREATEROLE nor any right on roles.
 *
 * The private key and the OAuth token are in the function's result and
 * nowhere else.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/xlog.h"
#include "catalog/pg_authid.h"
#include "catalog/pg_database.h"
#include "commands/dbcommands.h"
#include "common/string.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "funcapi.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "tcop/utility.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

#include "compat.h"
#include "registry/connection.h"
#include "worker/connection_sql.h"
#include "worker/iam_token.h"
#include "worker/private_key.h"
#include "worker/scan_base64url.h"
#include "worker/secret.h"

PG_FUNCTION_INFO_V1(intake_create_connection);
PG_FUNCTION_INFO_V1(intake_rotate_key);

/* Tells a secret of ours from others. */
#define OAUTH_PREFIX "oauth_"

/* The columns of what a partner is handed over. */
enum
{
	COLUMN_CONNECTION_ID,
	COLUMN_FOLDER_ID,
	COLUMN_SERVICE_ACCOUNT_ID,
	COLUMN_KEY_ID,
	COLUMN_PRIVATE_KEY,
	COLUMN_OAUTH_TOKEN,
	COLUMNS
};

typedef struct Secrets
{
	const char *private_key;
	const char *oauth_token;	/* NULL: none */
} Secrets;

void
intake_connection_execute(const char *command)
{
	Oid			user;
	int			security;
	int			result;

	GetUserIdAndSecContext(&user, &security);
	SetUserIdAndSecContext(BOOTSTRAP_SUPERUSERID,
						   security | SECURITY_LOCAL_USERID_CHANGE);
	SPI_connect();
	result = SPI_execute(command, false, 0);
	if (result < 0)
		elog(ERROR, "could not execute a statement: %s",
			 SPI_result_code_string(result));
	SPI_finish();
	SetUserIdAndSecContext(user, security);
}

char *
intake_connection_read_id(FunctionCallInfo fcinfo)
{
	if (PG_ARGISNULL(0))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("argument \"connection_id\" must not be null")));
	return text_to_cstring(PG_GETARG_TEXT_PP(0));
}

IntakeConnection *
intake_connection_require(const char *connection_id, LOCKMODE lockmode)
{
	IntakeConnection *connection;

	intake_connection_lock(connection_id, lockmode);
	connection = intake_connection_find(connection_id);
	if (connection == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("connection \"%s\" does not exist", connection_id)));
	if (!superuser() &&
		(!OidIsValid(connection->owner) ||
		 !has_privs_of_role(GetUserId(), connection->owner)))
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("must be owner of connection \"%s\"",
						connection_id)));
	return connection;
}

/* A public key as a JWK. */
static const Jsonb *
make_jwk(const IntakePrivateKey *key)
{
	char		modulus[INTAKE_BASE64URL_LENGTH(sizeof(key->modulus)) + 1];
	char		exponent[INTAKE_BASE64URL_LENGTH(sizeof(key->exponent)) + 1];
	char	   *text;

	memset(modulus, 0, sizeof(modulus));
	memset(exponent, 0, sizeof(exponent));
	intake_scan_base64url_encode(key->modulus, key->modulus_len, modulus);
	intake_scan_base64url_encode(key->exponent, key->exponent_len, exponent);
	text = psprintf("{\"kty\": \"RSA\", \"alg\": \"PS256\", \"use\": \"sig\", \"n\": \"%s\", \"e\": \"%s\"}",
					modulus, exponent);
	return DatumGetJsonbP(DirectFunctionCall1(jsonb_in,
											  CStringGetDatum(text)));
}

/* Gives the connection a new key, and a new OAuth token if it has one. */
static void
set_secrets(IntakeConnection *connection, bool has_oauth, Secrets *secrets)
{
	IntakePrivateKey key;

	if (!intake_private_key_make(&key))
		ereport(ERROR,
				(errcode(ERRCODE_INTERNAL_ERROR),
				 errmsg("could not generate an RSA key")));
	secrets->private_key = pstrdup(key.pem);
	secrets->oauth_token = NULL;
	connection->key_id = intake_secret_make_id();
	connection->public_key = make_jwk(&key);
	connection->oauth_hash = NULL;
	if (has_oauth)
	{
		secrets->oauth_token = intake_secret_make_token(OAUTH_PREFIX);
		connection->oauth_hash = intake_secret_hash(secrets->oauth_token);
	}
	explicit_bzero(&key, sizeof(key));
}

static Datum
make_result(FunctionCallInfo fcinfo, const IntakeConnection *connection,
			const Secrets *secrets)
{
	TupleDesc	tupdesc;
	Datum		values[COLUMNS] = {0};
	bool		nulls[COLUMNS] = {0};

	if (get_call_result_type(fcinfo, NULL, &tupdesc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	values[COLUMN_CONNECTION_ID] =
		CStringGetTextDatum(connection->connection_id);
	values[COLUMN_FOLDER_ID] =
		CStringGetTextDatum(get_database_name(MyDatabaseId));
	values[COLUMN_SERVICE_ACCOUNT_ID] =
		CStringGetTextDatum(connection->service_account_id);
	values[COLUMN_KEY_ID] = CStringGetTextDatum(connection->key_id);
	values[COLUMN_PRIVATE_KEY] = CStringGetTextDatum(secrets->private_key);
	nulls[COLUMN_OAUTH_TOKEN] = secrets->oauth_token == NULL;
	if (secrets->oauth_token != NULL)
		values[COLUMN_OAUTH_TOKEN] =
			CStringGetTextDatum(secrets->oauth_token);
	return HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(tupdesc), values,
											 nulls));
}

static char *
read_title(FunctionCallInfo fcinfo)
{
	char	   *title;

	if (PG_ARGISNULL(0))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("argument \"title\" must not be null")));
	title = text_to_cstring(PG_GETARG_TEXT_PP(0));
	if (title[0] == '\0' || strlen(title) > INTAKE_MAX_TITLE_LENGTH)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("a title must have 1 to %d bytes",
						INTAKE_MAX_TITLE_LENGTH)));
	return title;
}

/* The schema's name; NULL: the role's. */
static const char *
read_schema(FunctionCallInfo fcinfo, const char *role_name)
{
	const char *schema;

	if (PG_ARGISNULL(2))
		return role_name;
	schema = pstrdup(NameStr(*PG_GETARG_NAME(2)));
	if (schema[0] == '\0')
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the name of the schema must not be empty")));
	return schema;
}

static bool
read_with_oauth(FunctionCallInfo fcinfo)
{
	if (PG_ARGISNULL(1))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("argument \"with_oauth\" must not be null")));
	return PG_GETARG_BOOL(1);
}

/* Who makes a connection makes a schema in the database. */
static void
check_may_create(void)
{
	if (!intake_may_create_in_database(MyDatabaseId, GetUserId()))
		aclcheck_error(ACLCHECK_NO_PRIV, OBJECT_DATABASE,
					   get_database_name(MyDatabaseId));
}

/*
 * Gives the role the title.  Roles are the cluster's, and PostgreSQL keeps
 * their comments in the encoding of the database that has set them: what
 * others would read as bytes that are no text, which a dump of the roles could
 * not be restored with, is only the schema's.
 */
static void
comment_on_role(const char *role, const char *title)
{
	if (GetDatabaseEncoding() != PG_UTF8 && !pg_is_ascii(title))
		return;
	intake_connection_execute(psprintf("COMMENT ON ROLE %s IS %s", role,
									   quote_literal_cstr(title)));
}

/*
 * Makes the role and its schema.  Who makes the connection becomes a member
 * of the role, so that he has the rights of a tables' owner; a superuser has
 * them anyway, and the role must not get near one.
 */
static void
make_role(const IntakeConnection *connection)
{
	const char *role = quote_identifier(connection->role_name);
	const char *schema = quote_identifier(connection->schema);
	const char *owner = quote_identifier(connection->owner_name);
	char	   *title = quote_literal_cstr(connection->title);

	intake_connection_execute(psprintf("CREATE ROLE %s NOLOGIN", role));
	comment_on_role(role, connection->title);
	intake_connection_execute(psprintf("CREATE SCHEMA %s AUTHORIZATION %s",
									   schema, role));
	intake_connection_execute(psprintf("COMMENT ON SCHEMA %s IS %s", schema,
									   title));
	intake_connection_execute(psprintf("GRANT USAGE ON SCHEMA intake TO %s",
									   role));
	if (!superuser())
		intake_connection_execute(psprintf("GRANT %s TO %s", role, owner));
}

/*
 * intake.create_connection(title text, with_oauth bool, schema name)
 * RETURNS record
 */
Datum
intake_create_connection(PG_FUNCTION_ARGS)
{
	IntakeConnection connection = {0};
	bool		has_oauth;
	Secrets		secrets;

	PreventCommandIfReadOnly("intake.create_connection()");
	PreventCommandDuringRecovery("intake.create_connection()");
	connection.title = read_title(fcinfo);
	has_oauth = read_with_oauth(fcinfo);
	check_may_create();
	connection.connection_id = intake_secret_make_id();
	connection.role_name = psprintf(INTAKE_CONNECTION_PREFIX "%s",
									connection.connection_id);
	connection.schema = read_schema(fcinfo, connection.role_name);
	connection.owner = GetUserId();
	connection.owner_name = GetUserNameFromId(connection.owner, false);
	connection.service_account_id = intake_secret_make_id();
	connection.created_at = GetCurrentTimestamp();

	make_role(&connection);
	connection.role = get_role_oid(connection.role_name, false);
	set_secrets(&connection, has_oauth, &secrets);
	intake_connection_store(&connection);
	PG_RETURN_DATUM(make_result(fcinfo, &connection, &secrets));
}

/* intake.rotate_key(connection_id text) RETURNS record */
Datum
intake_rotate_key(PG_FUNCTION_ARGS)
{
	IntakeConnection *connection;
	Secrets		secrets;

	PreventCommandIfReadOnly("intake.rotate_key()");
	PreventCommandDuringRecovery("intake.rotate_key()");
	connection = intake_connection_require(intake_connection_read_id(fcinfo),
										   ShareUpdateExclusiveLock);
	set_secrets(connection, connection->oauth_hash != NULL, &secrets);
	intake_connection_store(connection);
	intake_iam_token_end_all(connection->connection_id);
	PG_RETURN_DATUM(make_result(fcinfo, connection, &secrets));
}
