/*-------------------------------------------------------------------------
 *
 * body.h
 *	  The body of a request: raw bytes in, decoded bytes out, both counted.
 *
 *		protocol --> raw --(digest, inflate)--> ready --> a loader
 *
 * Nothing is decoded before a loader wants it, so that only requests that
 * are at a loader have the memory of a decoder, and a bomb of zeros is never
 * larger than the room that was asked for.
 *
 *-------------------------------------------------------------------------
 */
#ifndef INTAKE_HTTP_BODY_H
#define INTAKE_HTTP_BODY_H

#ifdef POSTGRES_H
#error "the HTTP program knows nothing of PostgreSQL"
#endif

#include <event2/buffer.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "http/head.h"
#include "http/inflate.h"

typedef struct BodyDigest BodyDigest;

typedef struct Body
{
	struct evbuffer *raw;		/* not decoded yet */
	struct evbuffer *ready;		/* not handed on yet */
	BodyCoding	coding;
	Inflate    *inflate;
	BodyDigest *digest;			/* NULL: nobody asked for one */
	int64_t		max_raw;
	int64_t		max_ready;
	int64_t		raw_bytes;		/* that came, without framing */
	int64_t		ready_bytes;	/* that were decoded */
	bool		has_ended;		/* no more raw bytes will come */
	const char *why;			/* with a status */
} Body;

extern void intake_body_init(Body *body, const Head *head, int64_t max_raw,
							 int64_t max_ready);
extern void intake_body_clear(Body *body);

/* Takes n bytes from the front of a buffer.  Returns 0 or a status. */
extern int	intake_body_add(Body *body, struct evbuffer *from, size_t n);

/*
 * Decodes until `room` bytes are ready or the raw ones are used up.  *used
 * is how many raw bytes went.  Returns 0 or a status.
 */
extern int	intake_body_decode(Body *body, size_t room, size_t *used);

/* All bytes came and are ready: one cut inside a member is refused. */
extern int	intake_body_check_end(Body *body);

/* {"sha-256": ..., "sha-512": ...} of the raw bytes, or NULL. */
extern json_t *intake_body_digests(Body *body);

#endif							/* INTAKE_HTTP_BODY_H */
