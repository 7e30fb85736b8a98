/*-------------------------------------------------------------------------
 *
 * good_signature.c
 *	  Signatures of tokens that have been found good in this process.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "common/cryptohash.h"
#include "common/sha2.h"

#include "worker/good_signature.h"

/* So many clients of one loader need no signature computed again. */
#define KEPT_NAMES 256

StaticAssertDecl(sizeof(IntakeSignatureName) == PG_SHA256_DIGEST_LENGTH,
				 "a name is a SHA-256 digest");

static IntakeSignatureName names[KEPT_NAMES];
static int	nnames = 0;
static int	oldest = 0;

static bool
add_bytes(pg_cryptohash_ctx *context, const void *bytes, size_t len)
{
	return pg_cryptohash_update(context, bytes, len) >= 0;
}

/*
 * What comes first has a length of its own, so that no two tokens or keys
 * give the same bytes: the thumbprint stands for the key's members.
 */
void
intake_good_signature_name(const IntakeJwt *jwt, const IntakeJwk *jwk,
						   IntakeSignatureName *name)
{
	pg_cryptohash_ctx *context = pg_cryptohash_create(PG_SHA256);
	uint64		head[2] = {jwt->algorithm, jwt->content_len};

	if (context == NULL || pg_cryptohash_init(context) < 0 ||
		!add_bytes(context, head, sizeof(head)) ||
		!add_bytes(context, jwk->thumbprint, strlen(jwk->thumbprint)) ||
		!add_bytes(context, jwt->content, jwt->content_len) ||
		!add_bytes(context, jwt->signature, jwt->signature_len) ||
		pg_cryptohash_final(context, name->digest, sizeof(name->digest)) < 0)
		ereport(ERROR,
				(errcode(ERRCODE_INTERNAL_ERROR),
				 errmsg("could not compute a SHA-256 digest")));
	pg_cryptohash_free(context);
}

bool
intake_good_signature_is_known(const IntakeSignatureName *name)
{
	int			i;

	for (i = 0; i < nnames; i++)
	{
		if (memcmp(&names[i], name, sizeof(*name)) == 0)
			return true;
	}
	return false;
}

void
intake_good_signature_keep(const IntakeSignatureName *name)
{
	if (nnames < KEPT_NAMES)
	{
		names[nnames++] = *name;
		return;
	}
	names[oldest] = *name;
	oldest = (oldest + 1) % KEPT_NAMES;
}
