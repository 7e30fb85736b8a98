/*-------------------------------------------------------------------------
 *
 * jwk.h
 *	  Public keys as JSON (RFC 7517): RSA, and EC on the curve P-256.
 *
 * A key with a private member is refused: it has been where it must not be.
 * Members "use", "key_ops" and "alg" are respected where they are there;
 * members that we do not know are ignored, as the RFC wants it.
 *
 *-------------------------------------------------------------------------
 */
#ifndef INTAKE_JWK_H
#define INTAKE_JWK_H

#include "utils/jsonb.h"
#include "worker/signature.h"

typedef struct IntakeJwk
{
	const char *kid;			/* its own member, or NULL */
	const char *kty;			/* "RSA" or "EC" */
	const char *alg;			/* the one it is for; NULL: all of its type */
	int			algorithms;		/* bits of IntakeAlgorithm */
	EVP_PKEY   *key;
	const char *thumbprint;		/* RFC 7638, by SHA-256 */
} IntakeJwk;

/*
 * For reports while a statement may run that holds a token or a key, which
 * must not get into the log.
 */
#define INTAKE_HIDE_STATEMENT errhidestmt(true), errhidecontext(true)

/* The longest name of a key, in bytes. */
#define INTAKE_MAX_KID_LENGTH 256

/*
 * Reads a key, in the current memory context, which also owns what OpenSSL
 * has of it.  NULL, and what is wrong, a sentence, if it is none that
 * can be trusted.
 */
extern IntakeJwk *intake_jwk_read(const Jsonb *object, const char **problem);

#endif							/* INTAKE_JWK_H */
