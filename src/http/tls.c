/*-------------------------------------------------------------------------
 *
 * tls.c
 *	  Certificate, key and the ways in which we speak TLS.
 *
 *-------------------------------------------------------------------------
 */
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "http/tls.h"

static const unsigned char protocols[] = "\x02h2\x08http/1.1";

/* A client that offers neither is served HTTP/1.1 without a word. */
static int
choose_protocol(SSL *ssl, const unsigned char **out, unsigned char *out_len,
				const unsigned char *in, unsigned int in_len, void *arg)
{
	if (SSL_select_next_proto((unsigned char **) out, out_len, protocols,
							  sizeof(protocols) - 1, in,
							  in_len) == OPENSSL_NPN_NEGOTIATED)
		return SSL_TLSEXT_ERR_OK;
	return SSL_TLSEXT_ERR_ALERT_FATAL;
}

/* A key with a passphrase is refused: there is nobody to ask. */
static int
refuse_passphrase(char *buffer, int size, int is_writing, void *arg)
{
	return -1;
}

static bool
use_certificate(SSL_CTX *context, BIO *text)
{
	X509	   *certificate;
	bool		is_good;

	certificate = PEM_read_bio_X509_AUX(text, NULL, refuse_passphrase, NULL);
	if (certificate == NULL)
		return false;
	is_good = SSL_CTX_use_certificate(context, certificate) == 1;
	X509_free(certificate);
	while (is_good && (certificate = PEM_read_bio_X509(text, NULL,
													   refuse_passphrase,
													   NULL)) != NULL)
	{
		is_good = SSL_CTX_add0_chain_cert(context, certificate) == 1;
		if (!is_good)
			X509_free(certificate);
	}
	/* the text's end is an error of the reader's, not of ours */
	if (is_good)
		ERR_clear_error();
	return is_good;
}

static bool
use_key(SSL_CTX *context, BIO *text)
{
	EVP_PKEY   *key = PEM_read_bio_PrivateKey(text, NULL, refuse_passphrase,
											  NULL);
	bool		is_good = key != NULL &&
		SSL_CTX_use_PrivateKey(context, key) == 1;

	EVP_PKEY_free(key);
	return is_good;
}

static void
set_manners(SSL_CTX *context)
{
	SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
	SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION |
						SSL_OP_NO_COMPRESSION | SSL_OP_IGNORE_UNEXPECTED_EOF |
						SSL_OP_CIPHER_SERVER_PREFERENCE);
	SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE |
					 SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
					 SSL_MODE_RELEASE_BUFFERS);
	SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_alpn_select_cb(context, choose_protocol, NULL);
}

static void
explain(char *why, size_t why_size, const char *what)
{
	const char *reason = ERR_reason_error_string(ERR_peek_last_error());

	snprintf(why, why_size, "%s: %s", what,
			 reason ? reason : "nothing of the kind is in it");
	ERR_clear_error();
}

SSL_CTX *
intake_tls_new(const char *certificate, const char *key,
			   char *why, size_t why_size)
{
	SSL_CTX    *context = SSL_CTX_new(TLS_server_method());
	BIO		   *certificate_text = BIO_new_mem_buf(certificate, -1);
	BIO		   *key_text = BIO_new_mem_buf(key, -1);
	const char *fault = NULL;

	ERR_clear_error();
	if (context == NULL || certificate_text == NULL || key_text == NULL)
		fault = "TLS";
	else if (!use_certificate(context, certificate_text))
		fault = "certificate";
	else if (!use_key(context, key_text))
		fault = "key";
	else if (SSL_CTX_check_private_key(context) != 1)
		fault = "certificate and key";
	BIO_free(certificate_text);
	BIO_free(key_text);
	if (fault != NULL)
	{
		explain(why, why_size, fault);
		SSL_CTX_free(context);
		return NULL;
	}
	set_manners(context);
	return context;
}

int64_t
intake_tls_expiry(const SSL_CTX *context)
{
	const X509 *certificate = SSL_CTX_get0_certificate(context);
	ASN1_TIME  *epoch = ASN1_TIME_set(NULL, 0);
	int			days;
	int			seconds;
	int64_t		expiry = -1;

	if (certificate != NULL && epoch != NULL &&
		ASN1_TIME_diff(&days, &seconds, epoch,
					   X509_get0_notAfter(certificate)))
		expiry = (int64_t) days * 86400 + seconds;
	ASN1_TIME_free(epoch);
	return expiry;
}

SSL *
intake_tls_accept(SSL_CTX *context, int fd)
{
	SSL		   *ssl = SSL_new(context);

	if (ssl == NULL || SSL_set_fd(ssl, fd) != 1)
	{
		SSL_free(ssl);
		ERR_clear_error();
		return NULL;
	}
	SSL_set_accept_state(ssl);
	return ssl;
}

bool
intake_tls_is_http2(const SSL *ssl)
{
	const unsigned char *name;
	unsigned int len;

	SSL_get0_alpn_selected(ssl, &name, &len);
	return len == 2 && memcmp(name, "h2", 2) == 0;
}
