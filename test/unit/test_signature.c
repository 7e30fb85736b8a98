/*-------------------------------------------------------------------------
 *
 * test_signature.c
 *	  Signatures against the RFCs' own, and against OpenSSL's in every form
 *	  that is none of ours.
 *
 *-------------------------------------------------------------------------
 */
#include <stdlib.h>
#include <string.h>

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/rsa.h>

#include "tap.h"
#include "worker/scan_base64url.h"
#include "worker/signature.h"

/* RFC 7515, A.2 */
#define RSA_7515 \
	"ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-" \
	"4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r" \
	"2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UT" \
	"o7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxX" \
	"FvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ"
#define CLAIMS_7515 \
	"eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlL" \
	"mNvbS9pc19yb290Ijp0cnVlfQ"
#define SIGNATURE_A2 \
	"cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHI" \
	"m4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB" \
	"--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN938" \
	"3LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QO" \
	"YEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw"
/* A.3 */
#define EC_X "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU"
#define EC_Y "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"
#define SIGNATURE_A3 \
	"DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQx" \
	"fKTUJqPP3-Kg6NU1Q"
/* RFC 7520, 4.1 and 4.2 */
#define RSA_7520 \
	"n4EPtAOCc9AlkeQHPzHStgAbgs7bTZLwUBZdR8_KuKPEHLd4rHVTeT-O-XV2jRojdNhxJ" \
	"WTDvNd7nqQ0VEiZQHz_AJmSCpMaJMRBSFKrKb2wqVwGU_NsYOYL-QtiWN2lbzcEe6XC0d" \
	"Apr5ydQLrHqkHHig3RBordaZ6Aj-oBHqFEHYpPe7Tpe-OfVfHd1E6cS6M1FZcD1NNLYD5" \
	"lFHpPI9bTwJlsde3uhGqC0ZCuEHg8lhzwOHrtIQbS0FVbb9k3-tVTU4fg_3L_vniUFAKw" \
	"uCLqKnS2BYwdq_mzSnbLY7h_qixoR7jig3__kRhuaxwUkRz5iaiQkqgc5gHdrNP5zw"
#define CONTENT_7520 \
	"SXTigJlzIGEgZGFuZ2Vyb3VzIGJ1c2luZXNzLCBGcm9kbywgZ29pbmcgb3V0IHlvdXIgZ" \
	"G9vci4gWW91IHN0ZXAgb250byB0aGUgcm9hZCwgYW5kIGlmIHlvdSBkb24ndCBrZWVwIH" \
	"lvdXIgZmVldCwgdGhlcmXigJlzIG5vIGtub3dpbmcgd2hlcmUgeW91IG1pZ2h0IGJlIHN" \
	"3ZXB0IG9mZiB0by4"
#define HEADER_RS256 \
	"eyJhbGciOiJSUzI1NiIsImtpZCI6ImJpbGJvLmJhZ2dpbnNAaG9iYml0b24uZXhhbXBsZ" \
	"SJ9"
#define HEADER_PS384 \
	"eyJhbGciOiJQUzM4NCIsImtpZCI6ImJpbGJvLmJhZ2dpbnNAaG9iYml0b24uZXhhbXBsZ" \
	"SJ9"
#define SIGNATURE_41 \
	"MRjdkly7_-oTPTS3AXP41iQIGKa80A0ZmTuV5MEaHoxnW2e5CZ5NlKtainoFmKZopdHM1" \
	"O2U4mwzJdQx996ivp83xuglII7PNDi84wnB-BDkoBwA78185hX-Es4JIwmDLJK3lfWRa-" \
	"XtL0RnltuYv746iYTh_qHRD68BNt1uSNCrUCTJDt5aAE6x8wW1Kt9eRo4QPocSadnHXFx" \
	"nt8Is9UzpERV0ePPQdLuW3IS_de3xyIrDaLGdjluPxUAhb6L2aXic1U12podGU0KLUQSE" \
	"_oI-ZnmKJ3F4uOZDnd6QZWJushZ41Axf_fcIe8u9ipH84ogoree7vjbU5y18kDquDg"
#define SIGNATURE_42 \
	"cu22eBqkYDKgIlTpzDXGvaFfz6WGoz7fUDcfT0kkOy42miAh2qyBzk1xEsnk2IpN6-tPi" \
	"d6VrklHkqsGqDqHCdP6O8TTB5dDDItllVo6_1OLPpcbUrhiUSMxbbXUvdvWXzg-UD8bii" \
	"ReQFlfz28zGWVsdiNAUf8ZnyPEgVFn442ZdNqiVJRmBqrYRXe8P_ijQ7p8Vdz0TTrxUeT" \
	"3lm8d9shnr2lfJT8ImUjvAA2Xez2Mlp8cBE5awDzT0qI0n6uiP1aCN_2_jLAeQTlqRHtf" \
	"a64QQSUmFAAjVKPbByi7xho0uTOcbH510a6GYmJUAfmWjwZ6oD4ifKo8DYM-X72Eaw"

static uint8_t buffer[4][2048];

/* Decodes into a buffer of that number; its length. */
static size_t
decode(const char *text, int number)
{
	return intake_scan_base64url_decode(text, strlen(text), buffer[number]);
}

static EVP_PKEY *
rsa_key(const char *modulus)
{
	const char *problem;
	uint8_t		exponent[] = {1, 0, 1};

	return intake_signature_rsa_key(buffer[0], decode(modulus, 0), exponent,
									sizeof(exponent), &problem);
}

static EVP_PKEY *
ec_key(void)
{
	const char *problem;

	decode(EC_X, 0);
	decode(EC_Y, 1);
	return intake_signature_p256_key(buffer[0], buffer[1], &problem);
}

static bool
is_good(EVP_PKEY *key, IntakeAlgorithm algorithm, const char *content,
		const char *signature)
{
	return intake_signature_is_good(key, algorithm, content, strlen(content),
									buffer[2], decode(signature, 2)) &&
		   ERR_peek_error() == 0;
}

static void
test_rfc_7515(void)
{
	const char *rs256 = "eyJhbGciOiJSUzI1NiJ9." CLAIMS_7515;
	const char *es256 = "eyJhbGciOiJFUzI1NiJ9." CLAIMS_7515;
	EVP_PKEY   *rsa = rsa_key(RSA_7515);
	EVP_PKEY   *ec = ec_key();

	ok(is_good(rsa, INTAKE_RS256, rs256, SIGNATURE_A2), "RFC 7515, A.2");
	ok(is_good(ec, INTAKE_ES256, es256, SIGNATURE_A3), "RFC 7515, A.3");
	ok(!is_good(rsa, INTAKE_RS256, es256, SIGNATURE_A2), "another content");
	ok(!is_good(ec, INTAKE_ES256, rs256, SIGNATURE_A3), "of A.3 too");
	ok(!is_good(rsa, INTAKE_PS256, rs256, SIGNATURE_A2), "RS256 is not PS256");
	ok(!is_good(rsa, INTAKE_ES256, es256, SIGNATURE_A3), "RSA, ES256");
	ok(!is_good(ec, INTAKE_RS256, rs256, SIGNATURE_A2), "EC, RS256");
	ok(!is_good(ec, INTAKE_PS256, rs256, SIGNATURE_A2), "EC, PS256");
	ok(!is_good(rsa, INTAKE_RS256, rs256, ""), "no signature");
	ok(!is_good(ec, INTAKE_ES256, es256, ""), "no ES256 signature");
	ok(!is_good(rsa, 0, rs256, SIGNATURE_A2), "no algorithm");
	ok(ERR_peek_error() == 0, "no error of OpenSSL is left behind");
	EVP_PKEY_free(rsa);
	EVP_PKEY_free(ec);
}

static void
test_rfc_7520(void)
{
	EVP_PKEY   *rsa = rsa_key(RSA_7520);
	EVP_PKEY   *other = rsa_key(RSA_7515);

	ok(is_good(rsa, INTAKE_RS256, HEADER_RS256 "." CONTENT_7520, SIGNATURE_41),
	   "RFC 7520, 4.1");
	ok(!is_good(rsa, INTAKE_PS256, HEADER_PS384 "." CONTENT_7520,
				SIGNATURE_42),
	   "RFC 7520, 4.2: PS384 is not PS256");
	ok(!is_good(other, INTAKE_RS256, HEADER_RS256 "." CONTENT_7520,
				SIGNATURE_41),
	   "another key");
	EVP_PKEY_free(rsa);
	EVP_PKEY_free(other);
}

/* Every bit of a signature counts, and its length. */
static void
test_changed_bits(void)
{
	const char *content = "eyJhbGciOiJFUzI1NiJ9." CLAIMS_7515;
	EVP_PKEY   *key = ec_key();
	size_t		len = decode(SIGNATURE_A3, 2);
	int			good = 0;
	size_t		i;

	for (i = 0; i < len * 8; i++)
	{
		buffer[2][i / 8] ^= 1 << i % 8;
		good += intake_signature_is_good(key, INTAKE_ES256, content,
										 strlen(content), buffer[2], len);
		buffer[2][i / 8] ^= 1 << i % 8;
	}
	ok(good == 0, "no bit may change");
	for (i = 0; i <= len + 8; i++)
		good += intake_signature_is_good(key, INTAKE_ES256, content,
										 strlen(content), buffer[2], i);
	ok(good == 1, "one length is good");

	/* CVE-2022-21449: zeros must not be a signature */
	memset(buffer[2], 0, len);
	ok(!intake_signature_is_good(key, INTAKE_ES256, content, strlen(content),
								 buffer[2], len),
	   "r = s = 0");
	EVP_PKEY_free(key);
}

/* Signs by OpenSSL; the signature's length. */
static size_t
sign(EVP_PKEY *key, int padding, int salt, const EVP_MD *hash,
	 const EVP_MD *mask_hash, const char *content, uint8_t *signature)
{
	EVP_MD_CTX *digest = EVP_MD_CTX_new();
	EVP_PKEY_CTX *context;
	size_t		len = sizeof(buffer[0]);

	EVP_DigestSignInit(digest, &context, hash, NULL, key);
	if (padding != 0)
		EVP_PKEY_CTX_set_rsa_padding(context, padding);
	if (padding == RSA_PKCS1_PSS_PADDING)
	{
		EVP_PKEY_CTX_set_rsa_mgf1_md(context, mask_hash);
		EVP_PKEY_CTX_set_rsa_pss_saltlen(context, salt);
	}
	EVP_DigestSign(digest, signature, &len, (const uint8_t *) content,
				   strlen(content));
	EVP_MD_CTX_free(digest);
	return len;
}

typedef struct RsaForm
{
	const char *name;
	int			padding;
	int			salt;
	const EVP_MD *(*hash)(void);
	const EVP_MD *(*mask_hash)(void);
	int			algorithm;		/* of ours, or 0 */
} RsaForm;

static void
test_rsa_forms(void)
{
	static const RsaForm forms[] = {
		{"RS256", RSA_PKCS1_PADDING, 0, EVP_sha256, NULL, INTAKE_RS256},
		{"PS256", RSA_PKCS1_PSS_PADDING, 32, EVP_sha256, EVP_sha256,
		 INTAKE_PS256},
		{"RS384", RSA_PKCS1_PADDING, 0, EVP_sha384, NULL, 0},
		{"RS1", RSA_PKCS1_PADDING, 0, EVP_sha1, NULL, 0},
		{"no salt", RSA_PKCS1_PSS_PADDING, 0, EVP_sha256, EVP_sha256, 0},
		{"a short salt", RSA_PKCS1_PSS_PADDING, 20, EVP_sha256, EVP_sha256,
		 0},
		{"the longest salt", RSA_PKCS1_PSS_PADDING, RSA_PSS_SALTLEN_MAX,
		 EVP_sha256, EVP_sha256, 0},
		{"another mask", RSA_PKCS1_PSS_PADDING, 32, EVP_sha256, EVP_sha1, 0},
		{"PS512", RSA_PKCS1_PSS_PADDING, 64, EVP_sha512, EVP_sha512, 0},
	};
	EVP_PKEY   *key = EVP_RSA_gen(2048);
	const char *content = "content";
	size_t		i;

	for (i = 0; i < sizeof(forms) / sizeof(forms[0]); i++)
	{
		const RsaForm *form = &forms[i];
		size_t		len = sign(key, form->padding, form->salt, form->hash(),
							   form->mask_hash ? form->mask_hash() : NULL,
							   content, buffer[2]);
		int			good = 0;

		if (intake_signature_is_good(key, INTAKE_RS256, content, 7, buffer[2],
									 len))
			good |= INTAKE_RS256;
		if (intake_signature_is_good(key, INTAKE_PS256, content, 7, buffer[2],
									 len))
			good |= INTAKE_PS256;
		ok(good == form->algorithm, form->name);
		buffer[2][len] = 0;
		ok(!intake_signature_is_good(key, INTAKE_RS256, content, 7, buffer[2],
									 len + 1) &&
			   !intake_signature_is_good(key, INTAKE_RS256, content, 7,
										 buffer[2], len - 1),
		   "with another length");
	}
	EVP_PKEY_free(key);
}

/* ES256 by OpenSSL is DER; ours is two numbers of 32 bytes. */
static void
test_ec_forms(void)
{
	EVP_PKEY   *key = EVP_EC_gen("P-256");
	EVP_PKEY   *other = EVP_EC_gen("P-384");
	const char *content = "content";
	uint8_t		halves[64];
	int			good = 0;
	int			i;

	/* often enough to meet numbers with leading zeros */
	for (i = 0; i < 600; i++)
	{
		size_t		len = sign(key, 0, 0, EVP_sha256(), NULL, content,
							   buffer[2]);
		const uint8_t *p = buffer[2];
		ECDSA_SIG  *pair = d2i_ECDSA_SIG(NULL, &p, len);

		BN_bn2binpad(ECDSA_SIG_get0_r(pair), halves, 32);
		BN_bn2binpad(ECDSA_SIG_get0_s(pair), halves + 32, 32);
		ECDSA_SIG_free(pair);
		good += intake_signature_is_good(key, INTAKE_ES256, content, 7,
										 halves, sizeof(halves));
		if (i == 0)
			ok(!intake_signature_is_good(key, INTAKE_ES256, content, 7,
										 buffer[2], len),
			   "DER");
	}
	ok(good == 600, "600 signatures of 64 bytes");
	ok(!intake_signature_is_good(other, INTAKE_ES256, content, 7, halves,
								 sizeof(halves)),
	   "another curve");
	EVP_PKEY_free(key);
	EVP_PKEY_free(other);
}

static bool
is_rsa_key(size_t modulus_len, uint8_t first, uint8_t last,
		   const uint8_t *exponent, size_t exponent_len)
{
	const char *problem;
	EVP_PKEY   *key;

	memset(buffer[3], 0xFF, modulus_len);
	buffer[3][0] = first;
	buffer[3][modulus_len - 1] = last;
	key = intake_signature_rsa_key(buffer[3], modulus_len, exponent,
								   exponent_len, &problem);
	EVP_PKEY_free(key);
	return key != NULL;
}

static void
test_keys(void)
{
	static const uint8_t usual[] = {1, 0, 1};
	static const uint8_t three[] = {3};
	static const uint8_t one[] = {1};
	static const uint8_t zero[] = {0};
	static const uint8_t even[] = {1, 0, 0};
	static const uint8_t long_one[] = {1, 0, 0, 0, 0, 0, 0, 0, 1};
	const char *problem;

	ok(is_rsa_key(256, 0x80, 1, usual, 3), "2048 bits");
	ok(is_rsa_key(1024, 0xFF, 1, usual, 3), "8192 bits");
	ok(is_rsa_key(256, 0x80, 1, three, 1), "exponent 3");
	ok(!is_rsa_key(256, 0x7F, 1, usual, 3), "2047 bits");
	ok(!is_rsa_key(1025, 1, 1, usual, 3), "8193 bits");
	ok(!is_rsa_key(256, 0x80, 2, usual, 3), "an even modulus");
	ok(!is_rsa_key(256, 0x80, 1, one, 1), "exponent 1");
	ok(!is_rsa_key(256, 0x80, 1, zero, 1), "exponent 0");
	ok(!is_rsa_key(256, 0x80, 1, even, 3), "an even exponent");
	ok(!is_rsa_key(256, 0x80, 1, long_one, 9), "an exponent of 65 bits");
	ok(!is_rsa_key(256, 0x80, 1, zero, 0), "no exponent");

	decode(EC_X, 0);
	decode(EC_Y, 1);
	buffer[1][31] ^= 1;
	ok(intake_signature_p256_key(buffer[0], buffer[1], &problem) == NULL,
	   "a point beside the curve");
	memset(buffer[0], 0xFF, 32);
	memset(buffer[1], 0xFF, 32);
	ok(intake_signature_p256_key(buffer[0], buffer[1], &problem) == NULL,
	   "coordinates beyond the field");
	memset(buffer[0], 0, 32);
	memset(buffer[1], 0, 32);
	ok(intake_signature_p256_key(buffer[0], buffer[1], &problem) == NULL,
	   "zeros");
	ok(ERR_peek_error() == 0, "no error of OpenSSL is left behind");
}

static void
test_algorithms(void)
{
	ok(intake_signature_algorithm("RS256") == INTAKE_RS256, "RS256");
	ok(intake_signature_algorithm("PS256") == INTAKE_PS256, "PS256");
	ok(intake_signature_algorithm("ES256") == INTAKE_ES256, "ES256");
	ok(intake_signature_algorithm("") == 0 &&
		   intake_signature_algorithm("none") == 0 &&
		   intake_signature_algorithm("HS256") == 0 &&
		   intake_signature_algorithm("RS2567") == 0 &&
		   intake_signature_algorithm("ES256K") == 0 &&
		   intake_signature_algorithm("es256") == 0,
	   "no other");
}

int
main(void)
{
	test_algorithms();
	test_keys();
	test_rfc_7515();
	test_rfc_7520();
	test_changed_bits();
	test_rsa_forms();
	test_ec_forms();
	return done_testing();
}
