/*-------------------------------------------------------------------------
 *
 * settings.c
 *	  The configuration parameters of pg_intake, in alphabetical order.
 *
 * Every parameter has a row in the README's table of settings.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <limits.h>

#include "utils/guc.h"

#include "compat.h"
#include "settings.h"

#define MIN_AVRO_BLOCK_SIZE		64	/* kB */
#define DEFAULT_AVRO_BLOCK_SIZE (64 * 1024)
#define MAX_BUFFER_SIZE			(1024 * 1024 - 1)	/* kB; 1 GB in all */

#define MIN_NESTING_DEPTH		1
#define DEFAULT_NESTING_DEPTH	64
#define MAX_NESTING_DEPTH		1000

#define DEFAULT_PARTNER_TABLES	1000

#define MIN_RECORD_SIZE			1	/* kB */
#define DEFAULT_RECORD_SIZE		(64 * 1024)

#define DEFAULT_MAX_REJECTS		1000000

#define DEFAULT_RETENTION		(30 * 24 * 60)	/* minutes */

#define MIN_STAGE_MEMORY		1024	/* kB */
#define DEFAULT_STAGE_MEMORY	(16 * 1024)

char	   *intake_anonymous_role = NULL;
int			intake_authentication = INTAKE_AUTHENTICATION_JWT;
bool		intake_copy = true;
char	   *intake_csv_delimiter = NULL;
char	   *intake_csv_escape = NULL;
char	   *intake_csv_null = NULL;
char	   *intake_csv_quote = NULL;
bool		intake_direct_write = true;
char	   *intake_jwks_file = NULL;
char	   *intake_jwt_audience = NULL;
char	   *intake_jwt_issuer = NULL;
bool		intake_log_values = true;
int			intake_max_avro_block_size = DEFAULT_AVRO_BLOCK_SIZE;
int			intake_max_nesting_depth = DEFAULT_NESTING_DEPTH;
int			intake_max_partner_tables = DEFAULT_PARTNER_TABLES;
int			intake_max_record_size = DEFAULT_RECORD_SIZE;
int			intake_operation_retention = DEFAULT_RETENTION;
int			intake_max_rejects = DEFAULT_MAX_REJECTS;
int			intake_stage_memory = DEFAULT_STAGE_MEMORY;
char	   *intake_token_audience = NULL;
char	   *intake_writer_role = NULL;

static const struct config_enum_entry authentication_values[] = {
	{"jwt", INTAKE_AUTHENTICATION_JWT, false},
	{"none", INTAKE_AUTHENTICATION_NONE, false},
	{NULL, 0, false}
};

/* One printable ASCII character, or a tab. */
static bool
is_csv_character(const char *value)
{
	return strlen(value) == 1 && (value[0] == '\t' ||
								  (value[0] >= ' ' && value[0] < 0x7f));
}

static bool
check_csv_delimiter(char **newval, void **extra, GucSource source)
{
	if (strcmp(*newval, "auto") == 0 || strcmp(*newval, "\\t") == 0 ||
		is_csv_character(*newval))
		return true;
	GUC_check_errdetail("The delimiter must be \"auto\" or one ASCII character.");
	return false;
}

static bool
check_csv_character(char **newval, void **extra, GucSource source)
{
	if (is_csv_character(*newval))
		return true;
	GUC_check_errdetail("The value must be one ASCII character.");
	return false;
}

/* What CSV looks like when a request does not say it. */
static void
define_csv_settings(void)
{
	/* Partners that cannot set options per request share one dialect. */
	DefineCustomStringVariable("pg_intake.csv_delimiter",
							   "Sets the delimiter of CSV payloads.",
							   "\"auto\" takes the one of ; , TAB | with which "
							   "every header field names a column.",
							   &intake_csv_delimiter, "auto", PGC_USERSET, 0,
							   check_csv_delimiter, NULL, NULL);
	DefineCustomStringVariable("pg_intake.csv_escape",
							   "Sets the escape character of CSV payloads.",
							   NULL,
							   &intake_csv_escape, "\"", PGC_USERSET, 0,
							   check_csv_character, NULL, NULL);
	DefineCustomStringVariable("pg_intake.csv_null",
							   "Sets the unquoted text that means NULL in CSV payloads.",
							   "The empty text keeps a quoted empty field an "
							   "empty string.",
							   &intake_csv_null, "", PGC_USERSET, 0,
							   NULL, NULL, NULL);
	DefineCustomStringVariable("pg_intake.csv_quote",
							   "Sets the quote character of CSV payloads.",
							   NULL,
							   &intake_csv_quote, "\"", PGC_USERSET, 0,
							   check_csv_character, NULL, NULL);
}

/*
 * What one payload may take.  Only a superuser may raise a limit that guards
 * the server's memory.
 */
static void
define_limit_settings(void)
{
	/* Raise it for files whose writer makes blocks of many megabytes. */
	DefineCustomIntVariable("pg_intake.max_avro_block_size",
							"Sets the largest Avro block, as stored and inflated.",
							NULL,
							&intake_max_avro_block_size,
							DEFAULT_AVRO_BLOCK_SIZE, MIN_AVRO_BLOCK_SIZE,
							MAX_BUFFER_SIZE, PGC_SUSET, GUC_UNIT_KB,
							NULL, NULL, NULL);
	/* Raise it for documents that nest deeper; the stack is checked too. */
	DefineCustomIntVariable("pg_intake.max_nesting_depth",
							"Sets how deep arrays and objects may nest.",
							NULL,
							&intake_max_nesting_depth,
							DEFAULT_NESTING_DEPTH, MIN_NESTING_DEPTH,
							MAX_NESTING_DEPTH, PGC_SUSET, 0,
							NULL, NULL, NULL);
	/* A partner whose program has a fault must not fill the catalogs. */
	DefineCustomIntVariable("pg_intake.max_partner_tables",
							"Sets how many tables a partner connection may "
							"define.",
							"0 sets no limit.",
							&intake_max_partner_tables,
							DEFAULT_PARTNER_TABLES, 0, INT_MAX,
							PGC_SIGHUP, 0, NULL, NULL, NULL);
	/* Lower it where clients are not trusted and memory is short. */
	DefineCustomIntVariable("pg_intake.max_record_size",
							"Sets the longest record of an NDJSON or CSV payload.",
							NULL,
							&intake_max_record_size,
							DEFAULT_RECORD_SIZE, MIN_RECORD_SIZE,
							MAX_BUFFER_SIZE, PGC_SUSET, GUC_UNIT_KB,
							NULL, NULL, NULL);
	/* Each takes some hundred bytes of the database, and may have taken two. */
	DefineCustomIntVariable("pg_intake.max_rejects",
							"Sets how many bad records one upload may set aside.",
							"0 sets no limit.",
							&intake_max_rejects,
							DEFAULT_MAX_REJECTS, 0, INT_MAX, PGC_SUSET, 0,
							NULL, NULL, NULL);
}

/*
 * Who may come in over HTTP.  They belong to the server, not to a session:
 * PGC_SIGHUP.  The file's place and who may come in are for superusers' eyes.
 */
static void
define_token_settings(void)
{
	/* The role needs no right but those for the open tables. */
	DefineCustomStringVariable("pg_intake.anonymous_role",
							   "Sets the role of requests when "
							   "pg_intake.authentication is \"none\".",
							   NULL,
							   &intake_anonymous_role, "", PGC_SIGHUP,
							   GUC_SUPERUSER_ONLY, NULL, NULL, NULL);
	/* "none" is for a gateway that only this machine can reach. */
	DefineCustomEnumVariable("pg_intake.authentication",
							 "Sets how requests show who they are.",
							 "\"jwt\" asks for a signed token, \"none\" for "
							 "nothing.",
							 &intake_authentication,
							 INTAKE_AUTHENTICATION_JWT, authentication_values,
							 PGC_SIGHUP, GUC_SUPERUSER_ONLY,
							 NULL, NULL, NULL);
	/* For keys that something else keeps up to date. */
	DefineCustomStringVariable("pg_intake.jwks_file",
							   "Sets the file of keys that sign tokens.",
							   "A JWK Set; it is read again when it has "
							   "changed.",
							   &intake_jwks_file, "", PGC_SIGHUP,
							   GUC_SUPERUSER_ONLY, NULL, NULL, NULL);
	/* Without it a token that was made for another service is good here. */
	DefineCustomStringVariable("pg_intake.jwt_audience",
							   "Sets the audience that a token must be for.",
							   "The empty text takes any token.",
							   &intake_jwt_audience, "", PGC_SIGHUP,
							   GUC_SUPERUSER_ONLY, NULL, NULL, NULL);
	/* Where the keys' owner signs for several issuers. */
	DefineCustomStringVariable("pg_intake.jwt_issuer",
							   "Sets the issuer that a token must be of.",
							   "The empty text takes any token.",
							   &intake_jwt_issuer, "", PGC_SIGHUP,
							   GUC_SUPERUSER_ONLY, NULL, NULL, NULL);
	/* Partners sign for the address by which they reach the gateway. */
	DefineCustomStringVariable("pg_intake.token_audience",
							   "Sets the audience of JWTs that partners "
							   "exchange for tokens.",
							   "The empty text takes any that ends in "
							   "/iam/v1/tokens.",
							   &intake_token_audience, "", PGC_SIGHUP,
							   GUC_SUPERUSER_ONLY, NULL, NULL, NULL);
	/* Spares mapping each subject where an issuer grants roles. */
	DefineCustomStringVariable("pg_intake.writer_role",
							   "Sets the role of subjects that are not mapped "
							   "and have env_datawriter among their roles.",
							   NULL,
							   &intake_writer_role, "", PGC_SIGHUP,
							   GUC_SUPERUSER_ONLY, NULL, NULL, NULL);
}

void
intake_settings_define(void)
{
	/* Turn it off where another extension has formats of these names. */
	DefineCustomBoolVariable("pg_intake.copy",
							 "Makes COPY FROM take the formats ndjson and avro, "
							 "and uploads of format csv.",
							 NULL,
							 &intake_copy, true, PGC_USERSET, 0,
							 NULL, NULL, NULL);
	define_csv_settings();
	define_limit_settings();
	define_token_settings();

	/* Turn it off to see what plain SQL statements would do. */
	DefineCustomBoolVariable("pg_intake.direct_write",
							 "Writes into tables without SQL statements where "
							 "that has the same effect.",
							 NULL,
							 &intake_direct_write, true, PGC_USERSET, 0,
							 NULL, NULL, NULL);
	/* Turn it off where logs are kept by others than the data. */
	DefineCustomBoolVariable("pg_intake.log_values",
							 "Logs errors of uploads with the values that they "
							 "are about.",
							 "Clients are told of them in any case.",
							 &intake_log_values, true, PGC_SUSET, 0,
							 NULL, NULL, NULL);
	/* Must be longer than the longest time in which a client may retry. */
	DefineCustomIntVariable("pg_intake.operation_retention",
							"Sets how long a finished operation is remembered.",
							"0 remembers operations for ever.",
							&intake_operation_retention,
							DEFAULT_RETENTION, 0, INT_MAX, PGC_SUSET,
							GUC_UNIT_MIN, NULL, NULL, NULL);
	/* Staging spills to temporary files beyond it. */
	DefineCustomIntVariable("pg_intake.stage_memory",
							"Sets the memory that staged rows take before they "
							"spill to disk.",
							NULL,
							&intake_stage_memory,
							DEFAULT_STAGE_MEMORY, MIN_STAGE_MEMORY,
							MAX_BUFFER_SIZE, PGC_USERSET, GUC_UNIT_KB,
							NULL, NULL, NULL);
	MarkGUCPrefixReserved("pg_intake");
}
