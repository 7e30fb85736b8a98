/*-------------------------------------------------------------------------
 *
 * scan_jws.h
 *	  The parts of a signed token in its compact form (RFC 7515, section
 *	  7.1): header.claims.signature.  Plain C.
 *
 *-------------------------------------------------------------------------
 */
#ifndef INTAKE_SCAN_JWS_H
#define INTAKE_SCAN_JWS_H

#include <stdbool.h>
#include <stddef.h>

/* Points into the token; still in base64url. */
typedef struct IntakeJwsPart
{
	const char *text;
	size_t		len;
} IntakeJwsPart;

typedef struct IntakeJws
{
	IntakeJwsPart header;
	IntakeJwsPart claims;
	IntakeJwsPart signature;	/* may be empty: that of "none" is */
	IntakeJwsPart content;		/* what the signature is made over */
} IntakeJws;

/*
 * Splits a token.  False unless there are exactly three parts, made of
 * characters of base64url, of which only the signature may be empty.
 */
extern bool intake_scan_jws_split(const char *token, size_t len,
								  IntakeJws *jws);

#endif							/* INTAKE_SCAN_JWS_H */
