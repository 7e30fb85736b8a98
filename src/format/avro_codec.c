/*-------------------------------------------------------------------------
 *
 * avro_codec.c
 *	  The codecs of Avro's container files: null, deflate, snappy,
 *	  zstandard, bzip2 and xz.
 *
 * One buffer takes the inflated bytes of block after block.  It grows by
 * doubling while a library has more to say, up to the limit, so that a block
 * of a few bytes which claims to be huge costs what it really holds.  The
 * libraries' own state is kept between blocks where they allow it, and freed
 * by a callback of the codec's memory context.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <bzlib.h>
#include <lzma.h>
#include <snappy-c.h>
#include <zlib.h>
#include <zstd.h>
#include <zstd_errors.h>

#include "port/pg_bswap.h"
#include "utils/memutils.h"

#include "compat.h"
#include "convert.h"
#include "format/avro_codec.h"
#include "format/format_text.h"
#include "settings.h"

#define FIRST_BUFFER_SIZE (64 * 1024)

/* What xz may take for its dictionary; the highest preset needs 65 MB. */
#define XZ_MEMORY_LIMIT (128 * 1024 * 1024)

/*
 * Some writers cut a zlib stream to a raw one and leave part of its checksum
 * behind, which nothing but its length tells from garbage.
 */
#define MAX_DEFLATE_REST 4

/* Inflates stored into codec->buffer and sets codec->used. */
typedef void (*InflateFunction) (IntakeAvroCodec *codec, const char *stored,
								 size_t len);

struct IntakeAvroCodec
{
	const char *name;
	InflateFunction inflate;	/* NULL: stored as they are */
	MemoryContext context;
	MemoryContextCallback callback;

	char	   *buffer;
	size_t		size;			/* of the buffer */
	size_t		used;			/* inflated bytes in it */

	/* library state; what is not open is zero */
	z_stream	deflate;
	bool		is_deflate_open;
	ZSTD_DCtx  *zstd;
	bz_stream	bzip2;
	bool		is_bzip2_open;
	lzma_stream xz;
};

/* The limit in bytes.  The libraries count what they are given as an int. */
static size_t
get_limit(void)
{
	return Min((size_t) intake_max_avro_block_size * 1024, PG_INT32_MAX - 1);
}

static void
report_too_large(void)
			pg_attribute_noreturn();

static void
report_too_large(void)
{
	ereport(ERROR,
			(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
			 errmsg("Avro block inflates to more than %d kB",
					intake_max_avro_block_size),
			 errhint("See setting \"%s\".",
					 "pg_intake.max_avro_block_size")));
}

static void
report_damaged(const IntakeAvroCodec *codec, const char *detail)
			pg_attribute_noreturn();

static void
report_damaged(const IntakeAvroCodec *codec, const char *detail)
{
	ereport(ERROR,
			(errcode(ERRCODE_BAD_COPY_FILE_FORMAT),
			 errmsg("could not inflate Avro block with codec \"%s\"",
					codec->name),
			 errdetail("%s", detail)));
}

static void
report_no_memory(const IntakeAvroCodec *codec)
			pg_attribute_noreturn();

static void
report_no_memory(const IntakeAvroCodec *codec)
{
	ereport(ERROR,
			(errcode(ERRCODE_OUT_OF_MEMORY),
			 errmsg("out of memory"),
			 errdetail("Codec \"%s\" could not get memory.", codec->name)));
}

/* Makes the buffer at least this large; what it holds is kept. */
static void
reserve_buffer(IntakeAvroCodec *codec, size_t size)
{
	if (size <= codec->size)
		return;
	if (codec->buffer == NULL)
		codec->buffer = MemoryContextAllocHuge(codec->context, size);
	else
		codec->buffer = repalloc_huge(codec->buffer, size);
	codec->size = size;
}

/*
 * Makes room behind the used bytes when there is none.  The buffer is one
 * byte larger than the limit at most: that byte shows that a block is.
 */
static void
extend_buffer(IntakeAvroCodec *codec)
{
	if (codec->used > get_limit())
		report_too_large();
	if (codec->used < codec->size)
		return;
	reserve_buffer(codec, Min(Max(codec->size * 2, FIRST_BUFFER_SIZE),
							  get_limit() + 1));
}

/* How many bytes a library may write now, as its unsigned int wants it. */
static unsigned int
get_room(const IntakeAvroCodec *codec)
{
	return (unsigned int) Min(codec->size - codec->used, PG_INT32_MAX);
}

static void
report_zlib(const IntakeAvroCodec *codec, int code)
			pg_attribute_noreturn();

static void
report_zlib(const IntakeAvroCodec *codec, int code)
{
	if (code == Z_MEM_ERROR)
		report_no_memory(codec);
	report_damaged(codec, code == Z_BUF_ERROR ?
				   "The compressed data ends early." :
				   "The compressed data is not valid.");
}

static void
inflate_deflate(IntakeAvroCodec *codec, const char *stored, size_t len)
{
	z_stream   *stream = &codec->deflate;
	int			code;

	if (!codec->is_deflate_open)
	{
		code = inflateInit2(stream, -MAX_WBITS);
		codec->is_deflate_open = (code == Z_OK);
	}
	else
		code = inflateReset(stream);
	if (code != Z_OK)
		report_zlib(codec, code);

	stream->next_in = (Bytef *) stored;
	stream->avail_in = len;
	do
	{
		extend_buffer(codec);
		stream->next_out = (Bytef *) codec->buffer + codec->used;
		stream->avail_out = get_room(codec);
		code = inflate(stream, Z_NO_FLUSH);
		codec->used = (char *) stream->next_out - codec->buffer;
		if (code != Z_OK && code != Z_STREAM_END)
			report_zlib(codec, code);
	} while (code != Z_STREAM_END);

	if (stream->avail_in > MAX_DEFLATE_REST)
		report_damaged(codec, "There is something behind the compressed data.");
}

static void
report_snappy(const IntakeAvroCodec *codec, snappy_status status)
			pg_attribute_noreturn();

static void
report_snappy(const IntakeAvroCodec *codec, snappy_status status)
{
	report_damaged(codec, status == SNAPPY_BUFFER_TOO_SMALL ?
				   "The compressed data does not have the length it states." :
				   "The compressed data is not valid.");
}

/* Snappy's bytes are followed by a CRC-32 of what they inflate to. */
static void
inflate_snappy(IntakeAvroCodec *codec, const char *stored, size_t len)
{
	size_t		claimed;
	uint32		checksum;
	snappy_status status;

	if (len < sizeof(checksum))
		report_damaged(codec, "The block has no room for its checksum.");
	len -= sizeof(checksum);
	status = snappy_uncompressed_length(stored, len, &claimed);
	if (status != SNAPPY_OK)
		report_snappy(codec, status);
	if (claimed > get_limit())
		report_too_large();

	/* Checked first, so that a lie costs no memory. */
	status = snappy_validate_compressed_buffer(stored, len);
	if (status != SNAPPY_OK)
		report_snappy(codec, status);
	reserve_buffer(codec, Max(claimed, FIRST_BUFFER_SIZE));
	status = snappy_uncompress(stored, len, codec->buffer, &claimed);
	if (status != SNAPPY_OK)
		report_snappy(codec, status);
	codec->used = claimed;

	memcpy(&checksum, stored + len, sizeof(checksum));
	if (pg_ntoh32(checksum) !=
		crc32(0, (const Bytef *) codec->buffer, codec->used))
		report_damaged(codec, "The checksum does not match.");
}

static void
report_zstd(const IntakeAvroCodec *codec, size_t code)
			pg_attribute_noreturn();

static void
report_zstd(const IntakeAvroCodec *codec, size_t code)
{
	if (ZSTD_getErrorCode(code) == ZSTD_error_memory_allocation)
		report_no_memory(codec);
	if (ZSTD_getErrorCode(code) == ZSTD_error_frameParameter_windowTooLarge)
		report_too_large();
	report_damaged(codec, ZSTD_getErrorName(code));
}

static void
inflate_zstd(IntakeAvroCodec *codec, const char *stored, size_t len)
{
	ZSTD_inBuffer in = {stored, len, 0};
	ZSTD_outBuffer out;
	size_t		before;
	size_t		code;

	if (codec->zstd == NULL)
		codec->zstd = ZSTD_createDCtx();
	if (codec->zstd == NULL)
		report_no_memory(codec);
	code = ZSTD_DCtx_reset(codec->zstd, ZSTD_reset_session_only);
	do
	{
		extend_buffer(codec);
		before = in.pos + codec->used;
		out.dst = codec->buffer;
		out.size = codec->size;
		out.pos = codec->used;
		code = ZSTD_decompressStream(codec->zstd, &out, &in);
		codec->used = out.pos;
		if (ZSTD_isError(code))
			report_zstd(codec, code);
		if (code != 0 && in.pos + codec->used == before)
			report_damaged(codec, "The compressed data ends early.");
	} while (code != 0 || in.pos < in.size);
}

static void
report_bzip2(const IntakeAvroCodec *codec, int code)
			pg_attribute_noreturn();

static void
report_bzip2(const IntakeAvroCodec *codec, int code)
{
	if (code == BZ_MEM_ERROR)
		report_no_memory(codec);
	report_damaged(codec, code == BZ_OK ?
				   "The compressed data ends early." :
				   "The compressed data is not valid.");
}

static void
close_bzip2(IntakeAvroCodec *codec)
{
	if (codec->is_bzip2_open)
		(void) BZ2_bzDecompressEnd(&codec->bzip2);
	codec->is_bzip2_open = false;
}

/* This library has no way to use a stream again. */
static void
inflate_bzip2(IntakeAvroCodec *codec, const char *stored, size_t len)
{
	bz_stream  *stream = &codec->bzip2;
	int			code;

	memset(stream, 0, sizeof(*stream));
	code = BZ2_bzDecompressInit(stream, 0, 0);
	codec->is_bzip2_open = (code == BZ_OK);
	if (code != BZ_OK)
		report_bzip2(codec, code);

	stream->next_in = (char *) stored;
	stream->avail_in = len;
	do
	{
		unsigned int room;

		extend_buffer(codec);
		room = get_room(codec);
		stream->next_out = codec->buffer + codec->used;
		stream->avail_out = room;
		code = BZ2_bzDecompress(stream);
		codec->used = stream->next_out - codec->buffer;
		if (code != BZ_OK && code != BZ_STREAM_END)
			report_bzip2(codec, code);

		/* Room left, yet not the end: it waits for input. */
		if (code == BZ_OK && stream->avail_in == 0 && stream->avail_out > 0)
			report_bzip2(codec, code);
	} while (code != BZ_STREAM_END);

	if (stream->avail_in > 0)
		report_damaged(codec, "There is something behind the compressed data.");
	close_bzip2(codec);
}

static void
report_xz(const IntakeAvroCodec *codec, lzma_ret code)
			pg_attribute_noreturn();

static void
report_xz(const IntakeAvroCodec *codec, lzma_ret code)
{
	switch (code)
	{
		case LZMA_MEM_ERROR:
			report_no_memory(codec);
			break;
		case LZMA_MEMLIMIT_ERROR:
			ereport(ERROR,
					(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
					 errmsg("Avro block needs more than %d kB to be inflated with codec \"%s\"",
							XZ_MEMORY_LIMIT / 1024, codec->name)));
			break;
		case LZMA_BUF_ERROR:
			report_damaged(codec, "The compressed data ends early.");
			break;
		default:
			report_damaged(codec, "The compressed data is not valid.");
	}
}

static void
inflate_xz(IntakeAvroCodec *codec, const char *stored, size_t len)
{
	lzma_stream *stream = &codec->xz;
	lzma_ret	code;

	/* On a stream that was used before, this keeps its memory. */
	code = lzma_stream_decoder(stream, XZ_MEMORY_LIMIT, 0);
	if (code != LZMA_OK)
		report_xz(codec, code);

	stream->next_in = (const uint8_t *) stored;
	stream->avail_in = len;
	do
	{
		extend_buffer(codec);
		stream->next_out = (uint8_t *) codec->buffer + codec->used;
		stream->avail_out = codec->size - codec->used;
		code = lzma_code(stream, stream->avail_in == 0 ?
						 LZMA_FINISH : LZMA_RUN);
		codec->used = (char *) stream->next_out - codec->buffer;
		if (code != LZMA_OK && code != LZMA_STREAM_END)
			report_xz(codec, code);
	} while (code != LZMA_STREAM_END);

	if (stream->avail_in > 0)
		report_damaged(codec, "There is something behind the compressed data.");
}

static const struct
{
	const char *name;
	InflateFunction inflate;
}			codecs[] =
{
	{"null", NULL},
	{"deflate", inflate_deflate},
	{"snappy", inflate_snappy},
	{"zstandard", inflate_zstd},
	{"bzip2", inflate_bzip2},
	{"xz", inflate_xz}
};

/* Frees what the libraries hold; called when the codec's context goes. */
static void
free_libraries(void *arg)
{
	IntakeAvroCodec *codec = arg;

	if (codec->is_deflate_open)
		(void) inflateEnd(&codec->deflate);
	close_bzip2(codec);
	ZSTD_freeDCtx(codec->zstd);
	lzma_end(&codec->xz);
}

static void
report_unknown(const char *name, size_t len)
			pg_attribute_noreturn();

static void
report_unknown(const char *name, size_t len)
{
	ereport(ERROR,
			(errcode(ERRCODE_BAD_COPY_FILE_FORMAT),
			 errmsg("unknown Avro codec \"%s\"",
					intake_format_show(name, len,
									   INTAKE_MAX_SHOWN_VALUE)),
			 errhint("The codecs are null, deflate, snappy, zstandard, bzip2 and xz.")));
}

IntakeAvroCodec *
intake_avro_codec_open(const char *name, size_t len)
{
	IntakeAvroCodec *codec;
	int			i;

	for (i = 0; i < lengthof(codecs); i++)
	{
		if (strlen(codecs[i].name) == len &&
			memcmp(codecs[i].name, name, len) == 0)
			break;
	}
	if (i == lengthof(codecs))
		report_unknown(name, len);

	codec = palloc0(sizeof(IntakeAvroCodec));
	codec->name = codecs[i].name;
	codec->inflate = codecs[i].inflate;
	codec->context = CurrentMemoryContext;
	codec->callback.func = free_libraries;
	codec->callback.arg = codec;
	MemoryContextRegisterResetCallback(codec->context, &codec->callback);
	return codec;
}

const char *
intake_avro_codec_inflate(IntakeAvroCodec *codec, const char *stored,
						  size_t len, size_t *inflated_len)
{
	if (codec->inflate == NULL)
	{
		*inflated_len = len;
		return stored;
	}
	codec->used = 0;
	extend_buffer(codec);
	codec->inflate(codec, stored, len);
	if (codec->used > get_limit())
		report_too_large();
	*inflated_len = codec->used;
	return codec->buffer;
}
