/*-------------------------------------------------------------------------
 *
 * private_key.h
 *	  New RSA keys, by OpenSSL.  Plain C.
 *
 *-------------------------------------------------------------------------
 */
#ifndef INTAKE_PRIVATE_KEY_H
#define INTAKE_PRIVATE_KEY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define INTAKE_PRIVATE_KEY_BITS 2048

/* A key, whole in this struct: nothing of OpenSSL's is left behind. */
typedef struct IntakePrivateKey
{
	char		pem[4096];		/* PKCS#8, not encrypted, ends with NUL */
	uint8_t		modulus[INTAKE_PRIVATE_KEY_BITS / 8];
	size_t		modulus_len;
	uint8_t		exponent[8];
	size_t		exponent_len;
} IntakePrivateKey;

/*
 * Makes a key, which takes some tenths of a second.  False when OpenSSL
 * cannot.  The caller wipes it when it is done.
 */
extern bool intake_private_key_make(IntakePrivateKey *key);

#endif							/* INTAKE_PRIVATE_KEY_H */
