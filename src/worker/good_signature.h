/*-------------------------------------------------------------------------
 *
 * good_signature.h
 *	  Signatures of tokens that have been found good in this process.
 *
 * A client sends the same token with each request.  Whether a signature is
 * by a key depends on nothing but the bytes of both, so it need not be
 * computed twice.  Nothing else about a token is remembered: that its key is
 * trusted still, its times and its subject are looked at each time.
 *
 *-------------------------------------------------------------------------
 */
#ifndef INTAKE_GOOD_SIGNATURE_H
#define INTAKE_GOOD_SIGNATURE_H

#include "worker/jwk.h"
#include "worker/jwt.h"

/* What stands for a token, an algorithm and a key: their SHA-256. */
typedef struct IntakeSignatureName
{
	uint8		digest[32];
} IntakeSignatureName;

extern void intake_good_signature_name(const IntakeJwt *jwt,
									   const IntakeJwk *jwk,
									   IntakeSignatureName *name);

extern bool intake_good_signature_is_known(const IntakeSignatureName *name);

/* Remembers it, in the place of the oldest when there are many. */
extern void intake_good_signature_keep(const IntakeSignatureName *name);

#endif							/* INTAKE_GOOD_SIGNATURE_H */
