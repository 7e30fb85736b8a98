/*-------------------------------------------------------------------------
 *
 * inflate.c
 *	  Content-Encoding gzip and zstd, taken off a piece at a time.
 *
 *-------------------------------------------------------------------------
 */
#include <stdlib.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>

#include "http/inflate.h"

/* zlib: a gzip header and nothing else, with the largest window */
#define GZIP_WINDOW (16 + MAX_WBITS)
/* RFC 9659: a content coding's window is at most 8 MB */
#define ZSTD_WINDOW_LOG 23

struct Inflate
{
	BodyCoding	coding;
	bool		is_whole;		/* at the end of a member */
	bool		is_restarting;	/* gzip: another member may begin */
	z_stream	gzip;
	ZSTD_DStream *zstd;
};

Inflate *
intake_inflate_new(BodyCoding coding)
{
	Inflate    *decoder = calloc(1, sizeof(Inflate));

	if (decoder == NULL)
		return NULL;
	decoder->coding = coding;
	if (coding == BODY_GZIP)
	{
		if (inflateInit2(&decoder->gzip, GZIP_WINDOW) == Z_OK)
			return decoder;
	}
	else
	{
		decoder->zstd = ZSTD_createDStream();
		if (decoder->zstd != NULL &&
			!ZSTD_isError(ZSTD_DCtx_setParameter(decoder->zstd,
												 ZSTD_d_windowLogMax,
												 ZSTD_WINDOW_LOG)))
			return decoder;
		ZSTD_freeDStream(decoder->zstd);
	}
	free(decoder);
	return NULL;
}

void
intake_inflate_free(Inflate *decoder)
{
	if (decoder == NULL)
		return;
	if (decoder->coding == BODY_GZIP)
		inflateEnd(&decoder->gzip);
	else
		ZSTD_freeDStream(decoder->zstd);
	free(decoder);
}

static long
step_gzip(Inflate *decoder, const char **in, size_t *in_len, char *out,
		  size_t out_size)
{
	z_stream   *gzip = &decoder->gzip;
	int			result;

	if (decoder->is_restarting && *in_len > 0)
	{
		inflateReset(gzip);
		decoder->is_restarting = false;
	}
	if (decoder->is_restarting)
		return 0;
	gzip->next_in = (Bytef *) *in;
	gzip->avail_in = (uInt) *in_len;
	gzip->next_out = (Bytef *) out;
	gzip->avail_out = (uInt) out_size;
	result = inflate(gzip, Z_NO_FLUSH);
	decoder->is_whole = decoder->is_restarting = result == Z_STREAM_END;
	*in = (const char *) gzip->next_in;
	*in_len = gzip->avail_in;
	if (result != Z_OK && result != Z_STREAM_END && result != Z_BUF_ERROR)
		return -1;
	return (long) (out_size - gzip->avail_out);
}

static long
step_zstd(Inflate *decoder, const char **in, size_t *in_len, char *out,
		  size_t out_size)
{
	ZSTD_inBuffer input = {*in, *in_len, 0};
	ZSTD_outBuffer output = {out, out_size, 0};
	size_t		result;

	result = ZSTD_decompressStream(decoder->zstd, &output, &input);
	if (ZSTD_isError(result))
		return -1;
	/* called in vain behind a frame's end it asks for the next one's head */
	if (input.pos > 0 || output.pos > 0)
		decoder->is_whole = result == 0;
	*in += input.pos;
	*in_len -= input.pos;
	return (long) output.pos;
}

long
intake_inflate_step(Inflate *decoder, const char **in, size_t *in_len,
					char *out, size_t out_size)
{
	if (decoder->coding == BODY_GZIP)
		return step_gzip(decoder, in, in_len, out, out_size);
	return step_zstd(decoder, in, in_len, out, out_size);
}

bool
intake_inflate_is_whole(const Inflate *decoder)
{
	return decoder->is_whole;
}
