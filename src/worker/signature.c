/*-------------------------------------------------------------------------
 *
 * signature.c
 *	  Public keys and signatures of RFC 7518, by OpenSSL.  Plain C.
 *
 * What goes wrong in OpenSSL leaves entries in its queue of errors, which the
 * server's own connections would take for theirs: each extern function that
 * fails empties it.
 *
 *-------------------------------------------------------------------------
 */
#include "worker/signature.h"

#include <string.h>

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/param_build.h>
#include <openssl/rsa.h>

/* OpenSSL's own limit for moduli of more than 3072 bits. */
#define MAX_EXPONENT_BITS 64

IntakeAlgorithm
intake_signature_algorithm(const char *name)
{
	if (strcmp(name, "RS256") == 0)
		return INTAKE_RS256;
	if (strcmp(name, "PS256") == 0)
		return INTAKE_PS256;
	if (strcmp(name, "ES256") == 0)
		return INTAKE_ES256;
	return 0;
}

/* A key of parameters, which may be NULL; frees them. */
static EVP_PKEY *
make_key(const char *type, OSSL_PARAM *parameters)
{
	EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
	EVP_PKEY   *key = NULL;

	if (context == NULL || parameters == NULL ||
		EVP_PKEY_fromdata_init(context) <= 0 ||
		EVP_PKEY_fromdata(context, &key, EVP_PKEY_PUBLIC_KEY,
						  parameters) <= 0)
		key = NULL;
	EVP_PKEY_CTX_free(context);
	OSSL_PARAM_free(parameters);
	ERR_clear_error();
	return key;
}

/* What is wrong with an RSA key, or NULL. */
static const char *
rsa_problem(const BIGNUM *n, const BIGNUM *e)
{
	if (BN_num_bits(n) < INTAKE_RSA_MIN_BITS)
		return "An RSA modulus must have 2048 bits or more.";
	if (BN_num_bits(n) > INTAKE_RSA_MAX_BITS)
		return "An RSA modulus must have 8192 bits or less.";
	if (!BN_is_odd(n))
		return "An RSA modulus must be odd.";
	if (!BN_is_odd(e) || BN_is_one(e))
		return "An RSA exponent must be odd and greater than 1.";
	if (BN_num_bits(e) > MAX_EXPONENT_BITS)
		return "An RSA exponent must have 64 bits or less.";
	return NULL;
}

static OSSL_PARAM *
rsa_parameters(const BIGNUM *n, const BIGNUM *e)
{
	OSSL_PARAM_BLD *builder = OSSL_PARAM_BLD_new();
	OSSL_PARAM *parameters = NULL;

	if (builder != NULL &&
		OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_N, n) &&
		OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_E, e))
		parameters = OSSL_PARAM_BLD_to_param(builder);
	OSSL_PARAM_BLD_free(builder);
	return parameters;
}

EVP_PKEY *
intake_signature_rsa_key(const uint8_t *modulus, size_t modulus_len,
						 const uint8_t *exponent, size_t exponent_len,
						 const char **problem)
{
	BIGNUM	   *n = BN_bin2bn(modulus, (int) modulus_len, NULL);
	BIGNUM	   *e = BN_bin2bn(exponent, (int) exponent_len, NULL);
	EVP_PKEY   *key = NULL;

	*problem = "OpenSSL makes no RSA key of it.";
	if (n != NULL && e != NULL)
	{
		const char *found = rsa_problem(n, e);

		if (found != NULL)
			*problem = found;
		else
			key = make_key("RSA", rsa_parameters(n, e));
	}
	BN_free(n);
	BN_free(e);
	return key;
}

EVP_PKEY *
intake_signature_p256_key(const uint8_t *x, const uint8_t *y,
						  const char **problem)
{
	uint8_t		point[1 + 2 * INTAKE_P256_BYTES];
	OSSL_PARAM_BLD *builder = OSSL_PARAM_BLD_new();
	OSSL_PARAM *parameters = NULL;

	/* OpenSSL checks that the point is on the curve. */
	*problem = "The point is not on the curve P-256.";
	point[0] = POINT_CONVERSION_UNCOMPRESSED;
	memcpy(point + 1, x, INTAKE_P256_BYTES);
	memcpy(point + 1 + INTAKE_P256_BYTES, y, INTAKE_P256_BYTES);
	if (builder != NULL &&
		OSSL_PARAM_BLD_push_utf8_string(builder, OSSL_PKEY_PARAM_GROUP_NAME,
										"P-256", 0) &&
		OSSL_PARAM_BLD_push_octet_string(builder, OSSL_PKEY_PARAM_PUB_KEY,
										 point, sizeof(point)))
		parameters = OSSL_PARAM_BLD_to_param(builder);
	OSSL_PARAM_BLD_free(builder);
	return make_key("EC", parameters);
}

/*
 * The two halves of an ES256 signature as the DER that OpenSSL verifies; NULL
 * where they are none.  The caller frees it by OPENSSL_free().
 */
static uint8_t *
encode_ecdsa(const uint8_t *signature, size_t signature_len, int *der_len)
{
	ECDSA_SIG  *pair = ECDSA_SIG_new();
	BIGNUM	   *r = NULL;
	BIGNUM	   *s = NULL;
	uint8_t    *der = NULL;

	if (signature_len == 2 * INTAKE_P256_BYTES)
	{
		r = BN_bin2bn(signature, INTAKE_P256_BYTES, NULL);
		s = BN_bin2bn(signature + INTAKE_P256_BYTES, INTAKE_P256_BYTES, NULL);
	}
	if (pair != NULL && r != NULL && s != NULL && ECDSA_SIG_set0(pair, r, s))
	{
		*der_len = i2d_ECDSA_SIG(pair, &der);
		if (*der_len <= 0)
			der = NULL;
	}
	else
	{
		BN_free(r);
		BN_free(s);
	}
	ECDSA_SIG_free(pair);
	return der;
}

static bool
set_padding(EVP_PKEY_CTX *context, IntakeAlgorithm algorithm)
{
	switch (algorithm)
	{
		case INTAKE_RS256:
			return EVP_PKEY_CTX_set_rsa_padding(context,
												RSA_PKCS1_PADDING) > 0;
		case INTAKE_PS256:
			return EVP_PKEY_CTX_set_rsa_padding(context,
												RSA_PKCS1_PSS_PADDING) > 0 &&
				   EVP_PKEY_CTX_set_rsa_mgf1_md(context, EVP_sha256()) > 0 &&
				   EVP_PKEY_CTX_set_rsa_pss_saltlen(context,
													RSA_PSS_SALTLEN_DIGEST) > 0;
		case INTAKE_ES256:
			return true;
	}
	return false;
}

static bool
verify(EVP_PKEY *key, IntakeAlgorithm algorithm, const void *content,
	   size_t content_len, const uint8_t *signature, size_t signature_len)
{
	EVP_MD_CTX *digest = EVP_MD_CTX_new();
	EVP_PKEY_CTX *context;			/* the digest's */
	bool		is_good;

	/* Anything but 1 is a refusal or a failure. */
	is_good = digest != NULL &&
			  EVP_DigestVerifyInit(digest, &context, EVP_sha256(), NULL,
								   key) == 1 &&
			  set_padding(context, algorithm) &&
			  EVP_DigestVerify(digest, signature, signature_len, content,
							   content_len) == 1;
	EVP_MD_CTX_free(digest);
	return is_good;
}

bool
intake_signature_is_good(EVP_PKEY *key, IntakeAlgorithm algorithm,
						 const void *content, size_t content_len,
						 const uint8_t *signature, size_t signature_len)
{
	bool		is_good = false;

	if (algorithm == INTAKE_ES256 && EVP_PKEY_is_a(key, "EC"))
	{
		int			der_len = 0;
		uint8_t    *der = encode_ecdsa(signature, signature_len, &der_len);

		is_good = der != NULL && verify(key, algorithm, content, content_len,
										der, der_len);
		OPENSSL_free(der);
	}
	else if ((algorithm & INTAKE_RSA_ALGORITHMS) && EVP_PKEY_is_a(key, "RSA"))
	{
		/* a shorter one would be taken for one with leading zeros */
		is_good = signature_len == (size_t) EVP_PKEY_get_size(key) &&
				  verify(key, algorithm, content, content_len, signature,
						 signature_len);
	}
	ERR_clear_error();
	return is_good;
}
