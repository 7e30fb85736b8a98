/*-------------------------------------------------------------------------
 *
 * signature.h
 *	  Public keys and signatures of RFC 7518, by OpenSSL.  Plain C.
 *
 * RS256, PS256 (the salt is as long as the hash) and ES256, and no other: no
 * secret is shared with whoever makes tokens, and no other curve or hash is
 * in use where tokens for us come from.
 *
 *-------------------------------------------------------------------------
 */
#ifndef INTAKE_SIGNATURE_H
#define INTAKE_SIGNATURE_H

#include <openssl/evp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bits, so that a key can say which of them it is for. */
typedef enum IntakeAlgorithm
{
	INTAKE_RS256 = 1,
	INTAKE_PS256 = 2,
	INTAKE_ES256 = 4
} IntakeAlgorithm;

#define INTAKE_RSA_ALGORITHMS	(INTAKE_RS256 | INTAKE_PS256)
#define INTAKE_RSA_MIN_BITS		2048
#define INTAKE_RSA_MAX_BITS		8192
#define INTAKE_P256_BYTES		32	/* of a coordinate, half a signature */

/* By its name in a token's header; 0 for any other name. */
extern IntakeAlgorithm intake_signature_algorithm(const char *name);

/*
 * A key of a modulus and an exponent, both big-endian.  NULL, and what is
 * wrong with them, a sentence, when they are no key that can be trusted.
 * The caller frees it by EVP_PKEY_free().
 */
extern EVP_PKEY *intake_signature_rsa_key(const uint8_t *modulus,
										  size_t modulus_len,
										  const uint8_t *exponent,
										  size_t exponent_len,
										  const char **problem);

/* A key of a point of P-256, INTAKE_P256_BYTES each, in the same way. */
extern EVP_PKEY *intake_signature_p256_key(const uint8_t *x, const uint8_t *y,
										   const char **problem);

/*
 * Whether the signature of content is by the key.  False for whatever else
 * is wrong as well; the key's type must fit the algorithm.
 */
extern bool intake_signature_is_good(EVP_PKEY *key,
									 IntakeAlgorithm algorithm,
									 const void *content, size_t content_len,
									 const uint8_t *signature,
									 size_t signature_len);

#endif							/* INTAKE_SIGNATURE_H */
