/*-------------------------------------------------------------------------
 *
 * tls.h
 *	  Certificate, key and the ways in which we speak TLS.
 *
 *-------------------------------------------------------------------------
 */
#ifndef INTAKE_HTTP_TLS_H
#define INTAKE_HTTP_TLS_H

#ifdef POSTGRES_H
#error "the HTTP program knows nothing of PostgreSQL"
#endif

#include <openssl/ssl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * TLS 1.2 and up with a certificate, its chain and its key in PEM; ALPN h2
 * and http/1.1.  NULL, and why, when the two are no pair.
 */
extern SSL_CTX *intake_tls_new(const char *certificate, const char *key,
							   char *why, size_t why_size);

/* When the certificate ends, in seconds of Unix time; -1: unknown. */
extern int64_t intake_tls_expiry(const SSL_CTX *context);

/* A connection that accepts; NULL without memory. */
extern SSL *intake_tls_accept(SSL_CTX *context, int fd);

/* Did the client choose HTTP/2? */
extern bool intake_tls_is_http2(const SSL *ssl);

#endif							/* INTAKE_HTTP_TLS_H */
