/*-------------------------------------------------------------------------
 *
 * request_digest.h
 *	  Content-Digest and Repr-Digest of a request (RFC 9530).
 *
 * Both are of the bytes that are sent, with the Content-Encoding that they
 * have.  The HTTP program undoes the encoding: then it has digested the bytes
 * too and says so at the body's end.
 *
 *-------------------------------------------------------------------------
 */
#ifndef INTAKE_REQUEST_DIGEST_H
#define INTAKE_REQUEST_DIGEST_H

#include "utils/jsonb.h"

#include "worker/request.h"

typedef struct IntakeRequestDigest IntakeRequestDigest;

/*
 * What the request's headers ask to be checked, in the current memory
 * context; NULL when they ask for nothing.  Raises 22023 for a header that
 * cannot be read, or that has no algorithm that we know.
 */
extern IntakeRequestDigest *
intake_request_digest_begin(const IntakeHttpRequest *request);

/* Takes bytes of the body, in order; digest may be NULL. */
extern void intake_request_digest_update(IntakeRequestDigest *digest,
										 const char *bytes, size_t len);

/*
 * Raises IN400 when the body is not the one that was announced; end is what
 * the program said at the body's end, or NULL.
 */
extern void intake_request_digest_check(IntakeRequestDigest *digest,
										const Jsonb *end);

#endif							/* INTAKE_REQUEST_DIGEST_H */
