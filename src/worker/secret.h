/*-------------------------------------------------------------------------
 *
 * secret.h
 *	  Ids and secrets that nobody can guess, and their digests.
 *
 * Of a secret only the digest is kept.  It is looked up by an index, so that
 * how long a comparison takes tells nothing.
 *
 *-------------------------------------------------------------------------
 */
#ifndef INTAKE_SECRET_H
#define INTAKE_SECRET_H

/* Lower-case letters and digits of 100 random bits. */
#define INTAKE_ID_LENGTH 20

extern char *intake_secret_make_id(void);

/* The prefix, and 256 random bits in base64url. */
extern char *intake_secret_make_token(const char *prefix);

/* SHA-256 of a text. */
extern bytea *intake_secret_hash(const char *text);

#endif							/* INTAKE_SECRET_H */
