/*-------------------------------------------------------------------------
 *
 * jwk.c
 *	  Public keys as JSON (RFC 7517, RFC 7518 section 6, RFC 7638).
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "common/cryptohash.h"
#include "common/sha2.h"
#include "utils/memutils.h"

#include "compat.h"
#include "worker/json_object.h"
#include "worker/jwk.h"
#include "worker/scan_base64url.h"

/* Decoded members of a key; one byte more than the largest modulus has. */
#define MAX_INTEGER_BYTES (INTAKE_RSA_MAX_BITS / 8 + 1)

typedef struct Integer
{
	uint8		bytes[MAX_INTEGER_BYTES];
	size_t		len;
	const char *text;			/* the member's value */
} Integer;

/* Members of private and of shared keys (RFC 7518, sections 6.2.2 to 6.4). */
static const char *const private_members[] = {
	"d", "p", "q", "dp", "dq", "qi", "oth", "k"
};

/* Reads a member in base64url; false, and what is wrong, if it is none. */
static bool
read_integer(const Jsonb *object, const char *name, Integer *integer,
			 const char **problem)
{
	char	   *text;
	size_t		len;
	ptrdiff_t	bytes = -1;

	if (intake_json_object_text(object, name, &text) && text != NULL)
	{
		len = strlen(text);
		if (INTAKE_BASE64URL_BYTES(len) > MAX_INTEGER_BYTES)
		{
			*problem = psprintf("Member \"%s\" is too long.", name);
			return false;
		}
		bytes = intake_scan_base64url_decode(text, len, integer->bytes);
	}
	if (bytes <= 0)
	{
		*problem = psprintf("Member \"%s\" must be a number in base64url without padding.",
							name);
		return false;
	}
	integer->len = bytes;
	integer->text = text;
	return true;
}

/* A number of as many bytes as it takes, so that it has one form only. */
static bool
read_number(const Jsonb *object, const char *name, Integer *integer,
			const char **problem)
{
	if (!read_integer(object, name, integer, problem))
		return false;
	if (integer->bytes[0] != 0)
		return true;
	*problem = psprintf("Member \"%s\" must not begin with zero bytes.", name);
	return false;
}

static bool
read_coordinate(const Jsonb *object, const char *name, Integer *integer,
				const char **problem)
{
	if (!read_integer(object, name, integer, problem))
		return false;
	if (integer->len == INTAKE_P256_BYTES)
		return true;
	*problem = psprintf("Member \"%s\" must have %d bytes.", name,
						INTAKE_P256_BYTES);
	return false;
}

/* SHA-256 of the members that make the key, in base64url (RFC 7638). */
static char *
make_thumbprint(const char *members)
{
	pg_cryptohash_ctx *context = pg_cryptohash_create(PG_SHA256);
	uint8		digest[PG_SHA256_DIGEST_LENGTH];
	char	   *text = palloc0(INTAKE_BASE64URL_LENGTH(sizeof(digest)) + 1);

	if (context == NULL || pg_cryptohash_init(context) < 0 ||
		pg_cryptohash_update(context, (const uint8 *) members,
							 strlen(members)) < 0 ||
		pg_cryptohash_final(context, digest, sizeof(digest)) < 0)
		ereport(ERROR,
				(errcode(ERRCODE_INTERNAL_ERROR),
				 errmsg("could not compute a SHA-256 digest")));
	pg_cryptohash_free(context);
	intake_scan_base64url_encode(digest, sizeof(digest), text);
	return text;
}

static bool
read_rsa(const Jsonb *object, IntakeJwk *jwk, const char **problem)
{
	Integer		n;
	Integer		e;

	if (!read_number(object, "n", &n, problem) ||
		!read_number(object, "e", &e, problem))
		return false;
	jwk->algorithms = INTAKE_RSA_ALGORITHMS;
	jwk->thumbprint =
		make_thumbprint(psprintf("{\"e\":\"%s\",\"kty\":\"RSA\",\"n\":\"%s\"}",
								 e.text, n.text));
	jwk->key = intake_signature_rsa_key(n.bytes, n.len, e.bytes, e.len,
										problem);
	return jwk->key != NULL;
}

static bool
read_ec(const Jsonb *object, IntakeJwk *jwk, const char **problem)
{
	char	   *curve;
	Integer		x;
	Integer		y;

	if (!intake_json_object_text(object, "crv", &curve) || curve == NULL ||
		strcmp(curve, "P-256") != 0)
	{
		*problem = "Member \"crv\" must be \"P-256\".";
		return false;
	}
	if (!read_coordinate(object, "x", &x, problem) ||
		!read_coordinate(object, "y", &y, problem))
		return false;
	jwk->algorithms = INTAKE_ES256;
	jwk->thumbprint =
		make_thumbprint(psprintf("{\"crv\":\"P-256\",\"kty\":\"EC\",\"x\":\"%s\",\"y\":\"%s\"}",
								 x.text, y.text));
	jwk->key = intake_signature_p256_key(x.bytes, y.bytes, problem);
	return jwk->key != NULL;
}

/* Whether a key is meant to verify signatures, where it says what for. */
static bool
check_purpose(const Jsonb *object, const char **problem)
{
	char	   *use;
	List	   *operations;
	ListCell   *cell;

	*problem = "Member \"use\" must be \"sig\" where it is there.";
	if (!intake_json_object_text(object, "use", &use) ||
		(use != NULL && strcmp(use, "sig") != 0))
		return false;

	*problem = "Member \"key_ops\" must hold \"verify\" where it is there.";
	if (intake_json_object_member(object, "key_ops") == NULL)
		return true;
	if (!intake_json_object_texts(object, "key_ops", &operations))
		return false;
	foreach(cell, operations)
	{
		if (strcmp(lfirst(cell), "verify") == 0)
			return true;
	}
	return false;
}

/* Narrows the key's algorithms to the one that it is for, if it says so. */
static bool
read_alg(const Jsonb *object, IntakeJwk *jwk, const char **problem)
{
	char	   *alg;

	if (!intake_json_object_text(object, "alg", &alg))
		jwk->algorithms = 0;
	else if (alg != NULL)
		jwk->algorithms &= intake_signature_algorithm(alg);
	jwk->alg = alg;
	if (jwk->algorithms != 0)
		return true;
	*problem = "Member \"alg\" must be \"RS256\" or \"PS256\" for an RSA key, \"ES256\" for an EC key, where it is there.";
	return false;
}

static void
free_key(void *key)
{
	EVP_PKEY_free(key);
}

/* The memory context frees the key, whatever happens from here on. */
static void
own_key(EVP_PKEY *key)
{
	MemoryContextCallback *callback = palloc0(sizeof(*callback));

	callback->func = free_key;
	callback->arg = key;
	MemoryContextRegisterResetCallback(CurrentMemoryContext, callback);
}

static bool
read_key(const Jsonb *object, IntakeJwk *jwk, const char **problem)
{
	char	   *kty;

	if (!intake_json_object_text(object, "kty", &kty))
		kty = NULL;
	if (kty != NULL && strcmp(kty, "RSA") == 0)
	{
		jwk->kty = "RSA";
		return read_rsa(object, jwk, problem);
	}
	if (kty != NULL && strcmp(kty, "EC") == 0)
	{
		jwk->kty = "EC";
		return read_ec(object, jwk, problem);
	}
	*problem = "Member \"kty\" must be \"RSA\" or \"EC\".";
	return false;
}

IntakeJwk *
intake_jwk_read(const Jsonb *object, const char **problem)
{
	IntakeJwk  *jwk = palloc0(sizeof(IntakeJwk));
	char	   *kid;
	int			i;

	*problem = "A key must be an object.";
	if (!JB_ROOT_IS_OBJECT(object))
		return NULL;
	for (i = 0; i < lengthof(private_members); i++)
	{
		if (intake_json_object_member(object, private_members[i]) == NULL)
			continue;
		*problem = psprintf("Member \"%s\" belongs to a private or secret key, which must not be given away.",
							private_members[i]);
		return NULL;
	}
	*problem = "Member \"kid\" must be a text.";
	if (!intake_json_object_text(object, "kid", &kid))
		return NULL;
	jwk->kid = kid;
	if (!check_purpose(object, problem) || !read_key(object, jwk, problem))
		return NULL;
	own_key(jwk->key);
	return read_alg(object, jwk, problem) ? jwk : NULL;
}
