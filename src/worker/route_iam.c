/*-------------------------------------------------------------------------
 *
 * route_iam.c
 *	  POST /iam/v1/tokens: a partner's JWT or OAuth token in, an opaque token
 *	  out.
 *
 * body --> JSON object --> the connection by the JWT's key, or by the OAuth
 * token's digest --> a new token
 *
 * Nobody is known yet, so the loader's own code does all of it and nothing
 * that a user has made.  Until a signature is found good one text says that
 * it is not, whatever the reason; what is wrong with the claims is told to
 * whoever has the key.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "miscadmin.h"
#include "pgtime.h"
#include "utils/json.h"
#include "utils/timestamp.h"

#include "settings.h"
#include "worker/iam_token.h"
#include "worker/json_object.h"
#include "worker/jwt.h"
#include "worker/request_options.h"
#include "worker/route_iam.h"
#include "worker/secret.h"

/* The longest JWT, and room for what is around it. */
#define MAX_BODY_SIZE (INTAKE_MAX_TOKEN_LENGTH + 4096)

/* How long a JWT may be good for. */
#define MAX_JWT_LIFETIME (INT64CONST(3600) * USECS_PER_SEC)

/* What an audience ends in when no setting says what it is. */
#define AUDIENCE_END "/iam/v1/tokens"

/* Members of the body. */
#define MEMBER_JWT		"jwt"
#define MEMBER_OAUTH	"yandexPassportOauthToken"

static Jsonb *
read_body(IntakeBody *body)
{
	size_t		len;
	char	   *text = intake_body_read_bytes(body, MAX_BODY_SIZE, &len);
	const char *problem;
	Jsonb	   *object = intake_json_object_read(text, len, &problem);

	if (object == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the body %s", problem)));
	return object;
}

static char *
read_member(const Jsonb *object, const char *name)
{
	char	   *value;

	if (!intake_json_object_text(object, name, &value))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("member \"%s\" of the body is not a text", name)));
	return value;
}

/* The connection whose key has signed it. */
static IntakeConnection *
verify_signature(IntakeJwt *jwt)
{
	IntakeConnection *connection = NULL;
	const IntakeJwk *jwk = NULL;
	const char *problem;

	if (strlen(jwt->kid) == INTAKE_ID_LENGTH)
		connection = intake_connection_find_key(jwt->kid);
	if (connection != NULL)
		jwk = intake_jwk_read(connection->public_key, &problem);
	if (jwk == NULL || !intake_jwt_is_signed(jwt, jwk))
		ereport(ERROR,
				(INTAKE_TOKEN_ERROR,
				 errmsg("the JWT is not signed by a known key"),
				 errhint("Its header names the key by \"kid\", the \"svc_acct_key_id\" of intake.create_connection().")));
	return connection;
}

static void
check_type(const IntakeJwt *jwt)
{
	if (jwt->type == NULL || pg_strcasecmp(jwt->type, "JWT") != 0)
		ereport(ERROR,
				(INTAKE_TOKEN_ERROR,
				 errmsg("the JWT's type is not \"JWT\""),
				 errhint("Member \"typ\" of its header is required.")));
}

static void
check_lifetime(const IntakeJwt *jwt)
{
	if (jwt->issued_at == DT_NOBEGIN)
		ereport(ERROR,
				(INTAKE_TOKEN_ERROR,
				 errmsg("the token does not say when it was issued"),
				 errhint("Claim \"iat\" is required.")));
	if (jwt->expires_at - jwt->issued_at > MAX_JWT_LIFETIME)
		ereport(ERROR,
				(INTAKE_TOKEN_ERROR,
				 errmsg("the JWT is good for longer than an hour"),
				 errhint("Claim \"exp\" must be at most 3600 seconds behind \"iat\".")));
}

/* Whether the text ends as the end does. */
static bool
has_end(const char *text, const char *end)
{
	size_t		len = strlen(text);

	return len >= strlen(end) &&
		   strcmp(text + len - strlen(end), end) == 0;
}

static void
check_audience(const IntakeJwt *jwt)
{
	ListCell   *cell;

	if (intake_token_audience[0] != '\0')
	{
		intake_jwt_check_audience(jwt, intake_token_audience);
		return;
	}
	foreach(cell, intake_jwt_texts(jwt, "aud"))
	{
		if (has_end(lfirst(cell), AUDIENCE_END))
			return;
	}
	ereport(ERROR,
			(INTAKE_TOKEN_ERROR,
			 errmsg("the JWT is not for this address"),
			 errhint("Claim \"aud\" must be the URL that it is sent to, which ends in \"%s\".",
					 AUDIENCE_END)));
}

static IntakeConnection *
verify_jwt(const char *text)
{
	IntakeJwt  *jwt = intake_jwt_read(text, strlen(text), INTAKE_PS256);
	IntakeConnection *connection;

	check_type(jwt);
	connection = verify_signature(jwt);
	intake_jwt_check_text(jwt, "iss", connection->service_account_id);
	intake_jwt_check_times(jwt);
	check_lifetime(jwt);
	check_audience(jwt);
	return connection;
}

static IntakeConnection *
verify_oauth(const char *text)
{
	IntakeConnection *connection =
		intake_connection_find_oauth(intake_secret_hash(text));

	if (connection == NULL)
		ereport(ERROR,
				(INTAKE_TOKEN_ERROR,
				 errmsg("the OAuth token is unknown")));
	return connection;
}

/* The connection that the body shows to be its own. */
static IntakeConnection *
authenticate(const Jsonb *object)
{
	char	   *jwt = read_member(object, MEMBER_JWT);
	char	   *oauth = read_member(object, MEMBER_OAUTH);

	if ((jwt == NULL) == (oauth == NULL))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the body must have either member \"%s\" or \"%s\"",
						MEMBER_JWT, MEMBER_OAUTH)));
	return jwt != NULL ? verify_jwt(jwt) : verify_oauth(oauth);
}

/*
 * As RFC 3339 has it in UTC, in the one form that the parsers of all languages
 * take: a Z, and no fraction.
 */
static void
append_end(StringInfo json, TimestampTz expires_at)
{
	pg_time_t	time = timestamptz_to_time_t(expires_at);
	char		text[32];

	pg_strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", pg_gmtime(&time));
	appendStringInfo(json, "\"%s\"", text);
}

/* POST /iam/v1/tokens */
static void
post_token(const IntakeHttpRequest *request, IntakeCall *call,
		   IntakeAnswer *answer)
{
	StringInfo	body = &answer->body;
	TimestampTz expires_at;
	Jsonb	   *object;
	char	   *token;

	intake_media_type_check(request, "application/json",
							"The body is one JSON object, application/json, in UTF-8.");
	PreventCommandIfReadOnly("POST /iam/v1/tokens");
	PreventCommandDuringRecovery("POST /iam/v1/tokens");
	call->body = intake_body_open(request);
	if (request->is_preflight)
	{
		answer->is_preflight = true;
		return;
	}
	object = read_body(call->body);
	intake_body_check(call->body);
	token = intake_iam_token_issue(authenticate(object), &expires_at);
	intake_answer_add_header(answer, "cache-control", "no-store");
	answer->content_type = "application/json";
	appendStringInfo(body, "{\"iamToken\": \"%s\", \"expiresAt\": ", token);
	append_end(body, expires_at);
	appendStringInfoString(body, "}\n");
}

const IntakeRoute intake_routes_iam[] = {
	{
		.name = "iam_token",
		.family = INTAKE_FAMILY_DATALENS,
		.method = "POST",
		.path = "/iam/v1/tokens",
		.summary = "Gives a token for a partner's JWT or OAuth token",
		.body = INTAKE_BODY_JSON,
		.access = INTAKE_ACCESS_EXCHANGE,
		.handle = post_token,
	},
	{.name = NULL}
};
