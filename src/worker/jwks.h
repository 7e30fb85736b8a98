/*-------------------------------------------------------------------------
 *
 * jwks.h
 *	  The file of trusted keys: a JWK Set (RFC 7517, section 5).
 *
 * pg_intake.jwks_file names it; a relative path is below the data directory.
 * Its keys are trusted as those of intake.trust_key() are, so it must be a
 * file of the server's user or root's that nobody else may write to.  It is
 * read by each process when it is first needed, and again once it has
 * changed: another inode, size or time.
 *
 * A key of the set that is none for us (another type, for encryption, without
 * a name, private) is left out and logged, as the RFC wants it.  A file that
 * cannot be used as a whole gives no keys at all, whatever it gave before:
 * keys that are taken out of it must go at once.
 *
 *-------------------------------------------------------------------------
 */
#ifndef INTAKE_JWKS_H
#define INTAKE_JWKS_H

#include "nodes/pg_list.h"
#include "worker/jwk.h"

/*
 * The keys, a list of IntakeJwk that lives until the next call; NIL without
 * the setting.  *problem is NULL, or why the file cannot be used: it has been
 * logged then.
 */
extern List *intake_jwks_keys(const char **problem);

/* The key of that name, or NULL; F0000 when the file cannot be used. */
extern const IntakeJwk *intake_jwks_find(const char *kid);

#endif							/* INTAKE_JWKS_H */
