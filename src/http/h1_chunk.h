/*-------------------------------------------------------------------------
 *
 * h1_chunk.h
 *	  The chunks of an HTTP/1.1 body, read strictly.
 *
 * Sizes are one to fifteen hexadecimal digits, lines end with CRLF.
 * Extensions and trailer fields are checked and ignored; they are bounded.
 *
 *-------------------------------------------------------------------------
 */
#ifndef INTAKE_HTTP_H1_CHUNK_H
#define INTAKE_HTTP_H1_CHUNK_H

#ifdef POSTGRES_H
#error "the HTTP program knows nothing of PostgreSQL"
#endif

#include <stddef.h>
#include <stdint.h>

typedef enum ChunkResult
{
	CHUNK_MORE,					/* all text is used up */
	CHUNK_DATA,					/* text[used], data_len bytes: data */
	CHUNK_END,					/* the body has ended */
	CHUNK_BAD
} ChunkResult;

typedef struct ChunkScan
{
	int			state;
	int			ndigits;
	uint64_t	left;			/* of the chunk's data */
	size_t		extra;			/* bytes of extensions and trailers so far */
	size_t		data_len;
} ChunkScan;

/*
 * Reads on.  *used is how much of the text is behind us; when there is data
 * it begins there, and the caller goes on data_len bytes further.
 */
extern ChunkResult intake_h1_chunk_next(ChunkScan *scan, const char *text,
										size_t len, size_t *used);

#endif							/* INTAKE_HTTP_H1_CHUNK_H */
