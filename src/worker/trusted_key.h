/*-------------------------------------------------------------------------
 *
 * trusted_key.h
 *	  The keys by which tokens may be signed: those of table
 *	  intake.trusted_key and those of pg_intake.jwks_file.
 *
 *-------------------------------------------------------------------------
 */
#ifndef INTAKE_TRUSTED_KEY_H
#define INTAKE_TRUSTED_KEY_H

#include "worker/jwk.h"

/*
 * The key of that name, or NULL.  The table's goes before the file's.  It
 * lives as long as the current memory context, at most until the next call.
 */
extern const IntakeJwk *intake_trusted_key_find(const char *kid);

#endif							/* INTAKE_TRUSTED_KEY_H */
