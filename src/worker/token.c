/*-------------------------------------------------------------------------
 *
 * token.c
 *	  Who a request is.
 *
 * Authorization header --> jwt.c: the token --> trusted_key.c: its key -->
 * signature, times, issuer, audience --> principal.c: subject to role
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "fmgr.h"
#include "funcapi.h"
#include "utils/acl.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

#include "settings.h"
#include "worker/iam_token.h"
#include "worker/jwt.h"
#include "worker/principal.h"
#include "worker/token.h"
#include "worker/trusted_key.h"

PG_FUNCTION_INFO_V1(intake_verify_token);

/* Who has it in claim "roles" may write without being mapped. */
#define ROLE_OF_WRITERS "env_datawriter"

/* The columns of intake.verify_token(). */
enum
{
	COLUMN_SUBJECT,
	COLUMN_ROLE,
	COLUMN_ROLES,
	COLUMN_EXPIRES_AT,
	COLUMNS
};

/*
 * The token in a header's value "Bearer token" (RFC 6750).  What else it may
 * be is not shown: a token may have been put where it does not belong.
 */
const char *
intake_token_extract(const char *authorization)
{
	static const char scheme[] = "Bearer ";
	const char *token = authorization;

	if (authorization == NULL || authorization[0] == '\0')
		ereport(ERROR,
				(INTAKE_TOKEN_ERROR,
				 errmsg("there is no token"),
				 errhint("Send it in a header \"Authorization: Bearer ...\".")));
	if (pg_strncasecmp(authorization, scheme, strlen(scheme)) != 0)
		ereport(ERROR,
				(INTAKE_TOKEN_ERROR,
				 errmsg("the authorization is not a bearer token"),
				 errhint("It must be \"Bearer\", a space and the token.")));
	token += strlen(scheme);
	while (*token == ' ')
		token++;
	return token;
}

/* The role that a setting names. */
static Oid
configured_role(const char *name, const char *setting)
{
	Oid			role = get_role_oid(name, true);

	if (!OidIsValid(role))
		ereport(ERROR,
				(errcode(ERRCODE_CONFIG_FILE_ERROR),
				 errmsg("the role of setting \"%s\" does not exist", setting),
				 errdetail_log("It is \"%s\".", name),
				 INTAKE_HIDE_STATEMENT));
	intake_principal_check_role(role);
	return role;
}

static bool
is_writer(const IntakeBearer *bearer)
{
	ListCell   *cell;

	foreach(cell, bearer->roles)
	{
		if (strcmp(lfirst(cell), ROLE_OF_WRITERS) == 0)
			return true;
	}
	return false;
}

static void
map_subject(IntakeBearer *bearer)
{
	bearer->role = intake_principal_find(bearer->subject);
	if (OidIsValid(bearer->role))
		return;
	if (!is_writer(bearer))
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("the token's subject is not mapped to a role"),
				 errhint("Map it by intake.map_principal(), or give the token \"%s\" among its roles.",
						 ROLE_OF_WRITERS),
				 INTAKE_HIDE_STATEMENT));
	if (intake_writer_role[0] == '\0')
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("the token's subject is not mapped to a role"),
				 errhint("Map it by intake.map_principal(), or set pg_intake.writer_role."),
				 INTAKE_HIDE_STATEMENT));
	bearer->role = configured_role(intake_writer_role,
								   "pg_intake.writer_role");
}

static IntakeJwt *
verify_jwt(const char *token)
{
	IntakeJwt  *jwt = intake_jwt_read(token, strlen(token),
									  INTAKE_ALL_ALGORITHMS);
	const IntakeJwk *jwk = intake_trusted_key_find(jwt->kid);

	if (jwk == NULL)
		ereport(ERROR,
				(INTAKE_TOKEN_ERROR,
				 errmsg("the token is signed by unknown key \"%s\"",
						intake_jwt_show(jwt->kid)),
				 errhint("View intake.trusted_keys lists the keys that are known.")));
	intake_jwt_verify(jwt, jwk);
	intake_jwt_check_times(jwt);
	if (intake_jwt_issuer[0] != '\0')
		intake_jwt_check_text(jwt, "iss", intake_jwt_issuer);
	if (intake_jwt_audience[0] != '\0')
		intake_jwt_check_audience(jwt, intake_jwt_audience);
	return jwt;
}

static char *
read_subject(const IntakeJwt *jwt)
{
	char	   *subject = intake_jwt_text(jwt, "sub");

	if (subject == NULL || subject[0] == '\0')
		ereport(ERROR,
				(INTAKE_TOKEN_ERROR,
				 errmsg("the token names no subject"),
				 errhint("Claim \"sub\" is required.")));
	if (strlen(subject) > INTAKE_MAX_SUBJECT_LENGTH)
		ereport(ERROR,
				(INTAKE_TOKEN_ERROR,
				 errmsg("the token's subject is longer than %d bytes",
						INTAKE_MAX_SUBJECT_LENGTH)));
	return subject;
}

IntakeBearer *
intake_token_verify(const char *authorization)
{
	IntakeBearer *bearer = palloc0(sizeof(IntakeBearer));
	IntakeJwt  *jwt = verify_jwt(intake_token_extract(authorization));

	bearer->subject = read_subject(jwt);
	bearer->roles = intake_jwt_texts(jwt, "roles");
	bearer->expires_at = jwt->expires_at;
	map_subject(bearer);
	return bearer;
}

IntakeBearer *
intake_token_authenticate(const char *authorization)
{
	IntakeBearer *bearer;

	if (intake_authentication == INTAKE_AUTHENTICATION_JWT)
		return intake_token_verify(authorization);

	bearer = palloc0(sizeof(IntakeBearer));
	bearer->expires_at = DT_NOEND;
	bearer->role = configured_role(intake_anonymous_role,
								   "pg_intake.anonymous_role");
	return bearer;
}

static Datum
texts_to_array(List *texts)
{
	Datum	   *items = palloc(sizeof(Datum) * (list_length(texts) + 1));
	int			count = 0;
	ListCell   *cell;

	foreach(cell, texts)
		items[count++] = CStringGetTextDatum(lfirst(cell));
	return PointerGetDatum(construct_array(items, count, TEXTOID, -1, false,
										   TYPALIGN_INT));
}

/* Each kind of token is verified whatever the settings want. */
static IntakeBearer *
verify_any(const char *authorization)
{
	if (intake_iam_token_is_shown(authorization))
		return intake_iam_token_verify(authorization);
	return intake_token_verify(authorization);
}

/*
 * intake.verify_token(authorization text) RETURNS record
 *
 * NULL is a request that shows no token.
 */
Datum
intake_verify_token(PG_FUNCTION_ARGS)
{
	IntakeBearer *bearer = PG_ARGISNULL(0) ?
		intake_token_authenticate(NULL) :
		verify_any(text_to_cstring(PG_GETARG_TEXT_PP(0)));
	Datum		values[COLUMNS];
	bool		nulls[COLUMNS] = {0};
	TupleDesc	tupdesc;

	if (get_call_result_type(fcinfo, NULL, &tupdesc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	nulls[COLUMN_SUBJECT] = bearer->subject == NULL;
	if (bearer->subject != NULL)
		values[COLUMN_SUBJECT] = CStringGetTextDatum(bearer->subject);
	values[COLUMN_ROLE] = ObjectIdGetDatum(bearer->role);
	values[COLUMN_ROLES] = texts_to_array(bearer->roles);
	values[COLUMN_EXPIRES_AT] = TimestampTzGetDatum(bearer->expires_at);
	PG_RETURN_DATUM(HeapTupleGetDatum(
		heap_form_tuple(BlessTupleDesc(tupdesc), values, nulls)));
}
