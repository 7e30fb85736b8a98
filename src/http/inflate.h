/*-------------------------------------------------------------------------
 *
 * inflate.h
 *	  Content-Encoding gzip and zstd, taken off a piece at a time.
 *
 * A body may hold several members or frames, one behind the other.  How much
 * comes out in all is the caller's to limit: a step never writes more than
 * there is room for.
 *
 *-------------------------------------------------------------------------
 */
#ifndef INTAKE_HTTP_INFLATE_H
#define INTAKE_HTTP_INFLATE_H

#ifdef POSTGRES_H
#error "the HTTP program knows nothing of PostgreSQL"
#endif

#include <stdbool.h>
#include <stddef.h>

#include "http/head.h"

typedef struct Inflate Inflate;

/* NULL when there is no memory. */
extern Inflate *intake_inflate_new(BodyCoding coding);
extern void intake_inflate_free(Inflate *inflate);

/*
 * Reads from *in (moved on, *in_len lowered), writes to out; returns how much
 * was written, or -1 when the bytes are no such coding.  Nothing written and
 * nothing read: it wants more to read.
 */
extern long intake_inflate_step(Inflate *inflate, const char **in,
								size_t *in_len, char *out, size_t out_size);

/* May the body end here, between two members? */
extern bool intake_inflate_is_whole(const Inflate *inflate);

#endif							/* INTAKE_HTTP_INFLATE_H */
