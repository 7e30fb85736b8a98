/*-------------------------------------------------------------------------
 *
 * jwt.h
 *	  JSON Web Tokens (RFC 7519) that are signed (RFC 7515).
 *
 * In this order: read it, which looks at its header only; find the key by
 * jwt->kid, wherever the caller's keys are; verify it by the key; only then
 * look at its claims.
 *
 *		jwt = intake_jwt_read(text, len, INTAKE_ALL_ALGORITHMS);
 *		jwk = ... jwt->kid ...
 *		intake_jwt_verify(jwt, jwk);
 *		intake_jwt_check_times(jwt);
 *		intake_jwt_check_text(jwt, "iss", issuer);
 *
 * Each raises 28000 with what is wrong.  Neither the token nor its signature
 * is ever shown, and the statement that holds it is kept out of the server's
 * log; the server's log and the bearer may see the values of claims.
 *
 *-------------------------------------------------------------------------
 */
#ifndef INTAKE_JWT_H
#define INTAKE_JWT_H

#include "datatype/timestamp.h"
#include "nodes/pg_list.h"
#include "worker/jwk.h"

#define INTAKE_ALL_ALGORITHMS (INTAKE_RS256 | INTAKE_PS256 | INTAKE_ES256)

/* Longer tokens are refused unread. */
#define INTAKE_MAX_TOKEN_LENGTH (16 * 1024)

/* How far the clocks of who makes tokens and of ours may be apart. */
#define INTAKE_CLOCK_SKEW 60	/* seconds */

/* The head of each error about a token. */
#define INTAKE_TOKEN_ERROR \
	errcode(ERRCODE_INVALID_AUTHORIZATION_SPECIFICATION), INTAKE_HIDE_STATEMENT

typedef struct IntakeJwt
{
	IntakeAlgorithm algorithm;
	const char *algorithm_name;
	const char *type;			/* "JWT", "at+jwt", as it is written; or NULL */
	const char *kid;			/* which key it says it is signed by */

	/* in intake_jwt_verify() */
	Jsonb	   *claims;

	/* in intake_jwt_check_times() */
	TimestampTz expires_at;
	TimestampTz issued_at;		/* DT_NOBEGIN: it does not say */

	/* bytes of the token, as they came */
	const char *content;
	size_t		content_len;
	const char *signature;
	size_t		signature_len;
	const char *encoded_claims;
	size_t		encoded_claims_len;
} IntakeJwt;

/*
 * The token, which must outlive what is returned.  algorithms: bits of those
 * that the caller takes.
 */
extern IntakeJwt *intake_jwt_read(const char *token, size_t len,
								  int algorithms);

/*
 * Whether the key is for the token's algorithm and has signed it; reads the
 * claims then, which may raise an error.
 */
extern bool intake_jwt_is_signed(IntakeJwt *jwt, const IntakeJwk *jwk);

/* The same, and raises an error where it is not. */
extern void intake_jwt_verify(IntakeJwt *jwt, const IntakeJwk *jwk);

/* Checks "exp", which must be there, "nbf" and "iat" against the clock. */
extern void intake_jwt_check_times(IntakeJwt *jwt);

/* Checks that a claim is this text. */
extern void intake_jwt_check_text(const IntakeJwt *jwt, const char *claim,
								  const char *expected);

/* Checks that "aud" is this text, or an array that has it. */
extern void intake_jwt_check_audience(const IntakeJwt *jwt,
									  const char *expected);

/* A text of a token, cut at a limit, for a message. */
extern const char *intake_jwt_show(const char *value);

/* A claim that is a text, NULL if it is not there; or a list of texts. */
extern char *intake_jwt_text(const IntakeJwt *jwt, const char *claim);
extern List *intake_jwt_texts(const IntakeJwt *jwt, const char *claim);

#endif							/* INTAKE_JWT_H */
