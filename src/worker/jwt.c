/*-------------------------------------------------------------------------
 *
 * jwt.c
 *	  JSON Web Tokens that are signed.
 *
 * text --> scan_jws: three parts --> header --> (the caller's key) -->
 * signature --> claims
 *
 * Nothing of the claims is read before the signature has been found good, and
 * nothing in a header chooses a key but "kid": "jwk", "jku", "x5c" and their
 * like are ignored.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "mb/pg_wchar.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

#include "convert.h"
#include "discreet_log.h"
#include "worker/good_signature.h"
#include "worker/json_object.h"
#include "worker/jwt.h"
#include "worker/scan_base64url.h"
#include "worker/scan_jws.h"

/* Of a NumericDate: the end of the year 9999. */
#define MAX_SECONDS 253402300799.0

#define UNIX_EPOCH_SECONDS \
	((POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE) * (double) SECS_PER_DAY)

const char *
intake_jwt_show(const char *value)
{
	int			len = strlen(value);

	if (len > INTAKE_MAX_SHOWN_VALUE)
		value = psprintf("%.*s...",
						 pg_mbcliplen(value, len, INTAKE_MAX_SHOWN_VALUE),
						 value);
	return intake_discreet_log_plain(value);
}

/* The JSON object that a part holds; what names it in the error. */
static Jsonb *
read_part(const char *text, size_t len, const char *what)
{
	char	   *bytes = palloc(INTAKE_BASE64URL_BYTES(len) + 1);
	ptrdiff_t	nbytes = intake_scan_base64url_decode(text, len,
													  (uint8_t *) bytes);
	const char *problem = "is not in base64url without padding";
	Jsonb	   *object = NULL;

	if (nbytes >= 0)
		object = intake_json_object_read(bytes, nbytes, &problem);
	if (object == NULL)
		ereport(ERROR,
				(INTAKE_TOKEN_ERROR,
				 errmsg("the token's %s %s", what, problem)));
	return object;
}

/* A member of the header that is a text, or NULL. */
static char *
header_text(const Jsonb *header, const char *name)
{
	char	   *value;

	if (!intake_json_object_text(header, name, &value))
		ereport(ERROR,
				(INTAKE_TOKEN_ERROR,
				 errmsg("member \"%s\" of the token's header is not a text",
						name)));
	return value;
}

/*
 * An access token says "at+jwt" (RFC 9068), others "JWT" or nothing; tokens
 * of another type are signed by the same keys for something else.
 */
static void
read_type(const Jsonb *header, IntakeJwt *jwt)
{
	static const char prefix[] = "application/";
	char	   *type = header_text(header, "typ");
	const char *name = type;

	jwt->type = type;
	if (type == NULL)
		return;
	if (pg_strncasecmp(name, prefix, strlen(prefix)) == 0)
		name += strlen(prefix);
	if (pg_strcasecmp(name, "JWT") != 0 && pg_strcasecmp(name, "at+jwt") != 0)
		ereport(ERROR,
				(INTAKE_TOKEN_ERROR,
				 errmsg("token type \"%s\" is not accepted", intake_jwt_show(type)),
				 errhint("The type is \"JWT\" or \"at+jwt\" where a token has one.")));
}

static void
read_algorithm(const Jsonb *header, int algorithms, IntakeJwt *jwt)
{
	char	   *name = header_text(header, "alg");

	if (name == NULL)
		ereport(ERROR,
				(INTAKE_TOKEN_ERROR,
				 errmsg("the token's header names no algorithm")));
	jwt->algorithm = intake_signature_algorithm(name) & algorithms;
	jwt->algorithm_name = name;
	if (jwt->algorithm == 0)
		ereport(ERROR,
				(INTAKE_TOKEN_ERROR,
				 errmsg("token algorithm \"%s\" is not accepted", intake_jwt_show(name)),
				 algorithms == INTAKE_ALL_ALGORITHMS ?
				 errhint("Tokens are signed by RS256, PS256 or ES256.") : 0));
}

static void
read_header(const Jsonb *header, int algorithms, IntakeJwt *jwt)
{
	read_type(header, jwt);
	if (intake_json_object_member(header, "crit") != NULL)
		ereport(ERROR,
				(INTAKE_TOKEN_ERROR,
				 errmsg("the token's header has critical extensions, which are not supported")));
	read_algorithm(header, algorithms, jwt);
	jwt->kid = header_text(header, "kid");
	if (jwt->kid == NULL)
		ereport(ERROR,
				(INTAKE_TOKEN_ERROR,
				 errmsg("the token's header names no key"),
				 errhint("Member \"kid\" of the header names the key that the token is signed by.")));
}

IntakeJwt *
intake_jwt_read(const char *token, size_t len, int algorithms)
{
	IntakeJwt  *jwt = palloc0(sizeof(IntakeJwt));
	IntakeJws	jws;

	if (len > INTAKE_MAX_TOKEN_LENGTH)
		ereport(ERROR,
				(INTAKE_TOKEN_ERROR,
				 errmsg("the token is longer than %d bytes",
						INTAKE_MAX_TOKEN_LENGTH)));
	if (!intake_scan_jws_split(token, len, &jws))
		ereport(ERROR,
				(INTAKE_TOKEN_ERROR,
				 errmsg("the token is not a signed JSON Web Token"),
				 errdetail("It must be three parts in base64url without padding, with a point between them.")));
	read_header(read_part(jws.header.text, jws.header.len, "header"),
				algorithms, jwt);
	jwt->content = jws.content.text;
	jwt->content_len = jws.content.len;
	jwt->signature = jws.signature.text;
	jwt->signature_len = jws.signature.len;
	jwt->encoded_claims = jws.claims.text;
	jwt->encoded_claims_len = jws.claims.len;
	return jwt;
}

/* Whether the signature, of a key for its algorithm, is good. */
static bool
is_signature_good(const IntakeJwt *jwt, const IntakeJwk *jwk)
{
	IntakeSignatureName name;
	uint8	   *bytes;
	ptrdiff_t	nbytes;
	bool		is_good;

	intake_good_signature_name(jwt, jwk, &name);
	if (intake_good_signature_is_known(&name))
		return true;
	bytes = palloc(INTAKE_BASE64URL_BYTES(jwt->signature_len) + 1);
	nbytes = intake_scan_base64url_decode(jwt->signature, jwt->signature_len,
										  bytes);
	is_good = nbytes >= 0 &&
		intake_signature_is_good(jwk->key, jwt->algorithm, jwt->content,
								 jwt->content_len, bytes, nbytes);
	explicit_bzero(bytes, INTAKE_BASE64URL_BYTES(jwt->signature_len));
	if (is_good)
		intake_good_signature_keep(&name);
	return is_good;
}

bool
intake_jwt_is_signed(IntakeJwt *jwt, const IntakeJwk *jwk)
{
	if (!(jwk->algorithms & jwt->algorithm) || !is_signature_good(jwt, jwk))
		return false;
	jwt->claims = read_part(jwt->encoded_claims, jwt->encoded_claims_len,
							"claims set");
	return true;
}

void
intake_jwt_verify(IntakeJwt *jwt, const IntakeJwk *jwk)
{
	if (!(jwk->algorithms & jwt->algorithm))
		ereport(ERROR,
				(INTAKE_TOKEN_ERROR,
				 errmsg("key \"%s\" is not for token algorithm \"%s\"",
						intake_jwt_show(jwt->kid), jwt->algorithm_name)));
	if (!intake_jwt_is_signed(jwt, jwk))
		ereport(ERROR,
				(INTAKE_TOKEN_ERROR,
				 errmsg("the token's signature is not by key \"%s\"",
						intake_jwt_show(jwt->kid))));
}

static void
refuse_claim(const char *claim, const char *wanted)
{
	ereport(ERROR,
			(INTAKE_TOKEN_ERROR,
			 errmsg("claim \"%s\" of the token is not %s", claim, wanted)));
}

/* A claim that is a time (NumericDate); DT_NOBEGIN if it is not there. */
static TimestampTz
read_time(const IntakeJwt *jwt, const char *claim)
{
	double		seconds;
	bool		is_there;

	if (!intake_json_object_number(jwt->claims, claim, &seconds, &is_there) ||
		(is_there && !(seconds >= 0 && seconds <= MAX_SECONDS)))
		refuse_claim(claim, "a time");
	if (!is_there)
		return DT_NOBEGIN;
	return (TimestampTz) rint((seconds - UNIX_EPOCH_SECONDS) * USECS_PER_SEC);
}

/* Raises what is wrong with a time, and when it is now. */
static void
refuse_time(const char *format, TimestampTz when, TimestampTz now)
{
	char	   *shown = pstrdup(timestamptz_to_str(when));

	ereport(ERROR,
			(INTAKE_TOKEN_ERROR,
			 errmsg_internal(format, shown),
			 errdetail("It is %s by the server's clock.",
					   timestamptz_to_str(now))));
}

void
intake_jwt_check_times(IntakeJwt *jwt)
{
	const int64 skew = INTAKE_CLOCK_SKEW * USECS_PER_SEC;
	TimestampTz now = GetCurrentTimestamp();
	TimestampTz not_before = read_time(jwt, "nbf");

	jwt->expires_at = read_time(jwt, "exp");
	jwt->issued_at = read_time(jwt, "iat");
	if (jwt->expires_at == DT_NOBEGIN)
		ereport(ERROR,
				(INTAKE_TOKEN_ERROR,
				 errmsg("the token does not say when it expires"),
				 errhint("Claim \"exp\" is required.")));
	if (jwt->expires_at <= now - skew)
		refuse_time("the token expired at %s", jwt->expires_at, now);
	if (not_before > now + skew)
		refuse_time("the token is not valid before %s", not_before, now);
	if (jwt->issued_at > now + skew)
		refuse_time("the token was issued in the future, at %s",
					jwt->issued_at, now);
}

char *
intake_jwt_text(const IntakeJwt *jwt, const char *claim)
{
	char	   *value;

	if (!intake_json_object_text(jwt->claims, claim, &value))
		refuse_claim(claim, "a text");
	return value;
}

List *
intake_jwt_texts(const IntakeJwt *jwt, const char *claim)
{
	List	   *values;

	if (!intake_json_object_texts(jwt->claims, claim, &values))
		refuse_claim(claim, "a text or an array of texts");
	return values;
}

void
intake_jwt_check_text(const IntakeJwt *jwt, const char *claim,
					  const char *expected)
{
	char	   *value = intake_jwt_text(jwt, claim);

	if (value != NULL && strcmp(value, expected) == 0)
		return;
	ereport(ERROR,
			(INTAKE_TOKEN_ERROR,
			 errmsg("claim \"%s\" of the token is not \"%s\"", claim,
					intake_jwt_show(expected)),
			 value == NULL ? errdetail("The token does not have it.") :
			 errdetail("It is \"%s\".", intake_jwt_show(value))));
}

void
intake_jwt_check_audience(const IntakeJwt *jwt, const char *expected)
{
	ListCell   *cell;

	foreach(cell, intake_jwt_texts(jwt, "aud"))
	{
		if (strcmp(lfirst(cell), expected) == 0)
			return;
	}
	ereport(ERROR,
			(INTAKE_TOKEN_ERROR,
			 errmsg("the token is not for audience \"%s\"", intake_jwt_show(expected)),
			 errhint("Claim \"aud\" must be it, or an array that has it.")));
}
