/*-------------------------------------------------------------------------
 *
 * private_key.c
 *	  New RSA keys, by OpenSSL.  Plain C.
 *
 * As in signature.c, OpenSSL's queue of errors is left empty.
 *
 *-------------------------------------------------------------------------
 */
#include "worker/private_key.h"

#include <string.h>

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

/* The key as PKCS#8 in PEM. */
static bool
write_pem(EVP_PKEY *key, char *out, size_t size)
{
	BIO		   *bio = BIO_new(BIO_s_secmem());
	const char *text;
	long		len;
	bool		is_good = false;

	if (bio != NULL &&
		PEM_write_bio_PKCS8PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL))
	{
		len = BIO_get_mem_data(bio, &text);
		if (len > 0 && (size_t) len < size)
		{
			memcpy(out, text, len);
			out[len] = '\0';
			is_good = true;
		}
	}
	BIO_free(bio);
	return is_good;
}

/* One of the public numbers, big-endian. */
static bool
write_number(EVP_PKEY *key, const char *name, uint8_t *out, size_t size,
			 size_t *len)
{
	BIGNUM	   *number = NULL;
	bool		is_good = false;

	if (EVP_PKEY_get_bn_param(key, name, &number) &&
		(size_t) BN_num_bytes(number) <= size)
	{
		*len = BN_bn2bin(number, out);
		is_good = true;
	}
	BN_free(number);
	return is_good;
}

bool
intake_private_key_make(IntakePrivateKey *key)
{
	EVP_PKEY   *made = EVP_RSA_gen(INTAKE_PRIVATE_KEY_BITS);
	bool		is_good;

	is_good = made != NULL &&
			  write_pem(made, key->pem, sizeof(key->pem)) &&
			  write_number(made, OSSL_PKEY_PARAM_RSA_N, key->modulus,
						   sizeof(key->modulus), &key->modulus_len) &&
			  write_number(made, OSSL_PKEY_PARAM_RSA_E, key->exponent,
						   sizeof(key->exponent), &key->exponent_len);
	EVP_PKEY_free(made);
	ERR_clear_error();
	return is_good;
}
