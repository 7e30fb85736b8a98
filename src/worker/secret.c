/*-------------------------------------------------------------------------
 *
 * secret.c
 *	  Ids and secrets that nobody can guess, and their digests.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "common/cryptohash.h"
#include "common/sha2.h"

#include "compat.h"
#include "worker/scan_base64url.h"
#include "worker/secret.h"

#define TOKEN_BYTES 32

static void
fill_random(void *bytes, size_t len)
{
	if (!pg_strong_random(bytes, len))
		ereport(ERROR,
				(errcode(ERRCODE_INTERNAL_ERROR),
				 errmsg("could not generate random values")));
}

char *
intake_secret_make_id(void)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz234567";
	uint8		bytes[INTAKE_ID_LENGTH];
	char	   *id = palloc(INTAKE_ID_LENGTH + 1);
	int			i;

	fill_random(bytes, sizeof(bytes));
	for (i = 0; i < INTAKE_ID_LENGTH; i++)
		id[i] = letters[bytes[i] % 32];
	id[INTAKE_ID_LENGTH] = '\0';
	return id;
}

char *
intake_secret_make_token(const char *prefix)
{
	size_t		len = strlen(prefix);
	uint8		bytes[TOKEN_BYTES];
	char	   *token = palloc0(len + INTAKE_BASE64URL_LENGTH(TOKEN_BYTES) + 1);

	fill_random(bytes, sizeof(bytes));
	memcpy(token, prefix, len);
	intake_scan_base64url_encode(bytes, sizeof(bytes), token + len);
	return token;
}

bytea *
intake_secret_hash(const char *text)
{
	pg_cryptohash_ctx *context = pg_cryptohash_create(PG_SHA256);
	bytea	   *hash = palloc(VARHDRSZ + PG_SHA256_DIGEST_LENGTH);

	SET_VARSIZE(hash, VARHDRSZ + PG_SHA256_DIGEST_LENGTH);
	if (context == NULL || pg_cryptohash_init(context) < 0 ||
		pg_cryptohash_update(context, (const uint8 *) text,
							 strlen(text)) < 0 ||
		pg_cryptohash_final(context, (uint8 *) VARDATA(hash),
							PG_SHA256_DIGEST_LENGTH) < 0)
		ereport(ERROR,
				(errcode(ERRCODE_INTERNAL_ERROR),
				 errmsg("could not compute a SHA-256 digest")));
	pg_cryptohash_free(context);
	return hash;
}
