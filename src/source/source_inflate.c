/*-------------------------------------------------------------------------
 *
 * source_inflate.c
 *	  A source over another one's bytes that inflates gzip and zstd.
 *
 * The libraries are fed from a buffer of stored bytes and write where the
 * reader wants the inflated ones; neither side is ever held whole.  They may
 * still have something to say when all input is taken, so a stream has ended
 * early only when a call with no input left brings nothing.
 *
 * What the libraries hold is freed by a callback of the memory context.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <zlib.h>
#include <zstd.h>
#include <zstd_errors.h>

#include "miscadmin.h"
#include "utils/memutils.h"

#include "compat.h"
#include "source/source_inflate.h"

#define INPUT_SIZE (64 * 1024)

/* The longest mark at the beginning of a payload. */
#define MARK_SIZE 4

typedef struct Inflate Inflate;

/* A kind of compression. */
typedef struct InflateMethod
{
	const char *name;
	const char *part;			/* what a payload may have several of */

	/*
	 * Inflates from the input to out, and returns how many bytes it wrote;
	 * sets is_in_part.
	 */
	size_t		(*inflate) (Inflate *state, char *out, size_t len);
} InflateMethod;

struct Inflate
{
	IntakeSource inner;			/* what its routine needs of a source */
	const InflateMethod *method;	/* NULL: not compressed */
	bool		is_recognized;
	uint64		max_bytes;		/* 0: no limit */
	uint64		written;		/* inflated bytes so far */

	/* stored bytes */
	unsigned char *input;
	size_t		pos;			/* of the first unused one */
	size_t		len;
	bool		is_ended;		/* there are no more behind them */
	uint64		before;			/* the input buffer's first */

	uint64		parts;			/* members or frames begun */
	bool		is_in_part;

	/* library state */
	z_stream	gzip;
	bool		is_gzip_open;
	ZSTD_DCtx  *zstd;
	MemoryContextCallback callback;
};

static void
free_libraries(void *arg)
{
	Inflate    *state = arg;

	if (state->is_gzip_open)
		(void) inflateEnd(&state->gzip);
	ZSTD_freeDCtx(state->zstd);
}

static void
report_damaged(const Inflate *state, const char *why)
			pg_attribute_noreturn();

static void
report_damaged(const Inflate *state, const char *why)
{
	ereport(ERROR,
			(errcode(ERRCODE_BAD_COPY_FILE_FORMAT),
			 errmsg("compressed payload is damaged: %s", why),
			 errdetail("It was found in %s %s " UINT64_FORMAT ", near byte " UINT64_FORMAT ".",
					   state->method->name, state->method->part,
					   state->parts, state->before + state->pos)));
}

static void
report_truncated(const Inflate *state)
			pg_attribute_noreturn();

static void
report_truncated(const Inflate *state)
{
	ereport(ERROR,
			(errcode(ERRCODE_BAD_COPY_FILE_FORMAT),
			 errmsg("compressed payload ends early"),
			 errdetail("It ends inside %s %s " UINT64_FORMAT ", after byte " UINT64_FORMAT ".",
					   state->method->name, state->method->part,
					   state->parts, state->before + state->pos)));
}

static void
report_no_memory(const Inflate *state)
			pg_attribute_noreturn();

static void
report_no_memory(const Inflate *state)
{
	ereport(ERROR,
			(errcode(ERRCODE_OUT_OF_MEMORY),
			 errmsg("out of memory"),
			 errdetail("The library for %s could not get memory.",
					   state->method->name)));
}

static void
report_zlib(const Inflate *state, int code)
			pg_attribute_noreturn();

static void
report_zlib(const Inflate *state, int code)
{
	if (code == Z_MEM_ERROR)
		report_no_memory(state);
	report_damaged(state, state->gzip.msg != NULL ?
				   state->gzip.msg : zError(code));
}

/* Opens the library for the first member, or makes it ready for another. */
static void
begin_member(Inflate *state)
{
	z_stream   *stream = &state->gzip;
	int			code;

	if (state->is_gzip_open)
		code = inflateReset(stream);
	else
	{
		/* 16 more than the window's bits: with gzip's header and checksum */
		code = inflateInit2(stream, MAX_WBITS + 16);
		state->is_gzip_open = (code == Z_OK);
	}
	if (code != Z_OK)
		report_zlib(state, code);
}

static size_t
inflate_gzip(Inflate *state, char *out, size_t len)
{
	z_stream   *stream = &state->gzip;
	uInt		room = (uInt) Min(len, PG_INT32_MAX);
	int			code;

	if (!state->is_in_part)
		begin_member(state);
	stream->next_in = state->input + state->pos;
	stream->avail_in = (uInt) (state->len - state->pos);
	stream->next_out = (Bytef *) out;
	stream->avail_out = room;
	code = inflate(stream, Z_NO_FLUSH);
	state->pos = state->len - stream->avail_in;

	/* Z_BUF_ERROR: there was nothing to do; the caller knows why. */
	if (code != Z_OK && code != Z_STREAM_END && code != Z_BUF_ERROR)
		report_zlib(state, code);
	state->is_in_part = (code != Z_STREAM_END);
	return room - stream->avail_out;
}

static void
report_zstd(const Inflate *state, size_t code)
			pg_attribute_noreturn();

static void
report_zstd(const Inflate *state, size_t code)
{
	switch (ZSTD_getErrorCode(code))
	{
		case ZSTD_error_memory_allocation:
			report_no_memory(state);
			break;
		case ZSTD_error_frameParameter_windowTooLarge:
			ereport(ERROR,
					(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
					 errmsg("compressed payload needs too much memory"),
					 errdetail("Windows of zstd frames are taken up to 128 MB.")));
			break;
		default:
			report_damaged(state, ZSTD_getErrorName(code));
	}
}

static size_t
inflate_zstd(Inflate *state, char *out, size_t len)
{
	ZSTD_inBuffer in = {state->input, state->len, state->pos};
	ZSTD_outBuffer to = {out, len, 0};
	size_t		code;

	if (state->zstd == NULL)
		state->zstd = ZSTD_createDCtx();
	if (state->zstd == NULL)
		report_no_memory(state);
	code = ZSTD_decompressStream(state->zstd, &to, &in);
	state->pos = in.pos;
	if (ZSTD_isError(code))
		report_zstd(state, code);
	state->is_in_part = (code != 0);
	return to.pos;
}

static const InflateMethod gzip_method = {"gzip", "member", inflate_gzip};
static const InflateMethod zstd_method = {"zstd", "frame", inflate_zstd};

/* Reads more stored bytes behind those at hand. */
static void
read_input(Inflate *state)
{
	size_t		unused = state->len - state->pos;
	size_t		n;

	CHECK_FOR_INTERRUPTS();
	memmove(state->input, state->input + state->pos, unused);
	state->before += state->pos;
	state->pos = 0;
	state->len = unused;
	n = state->inner.routine->read(&state->inner,
									 (char *) state->input + unused,
									 INPUT_SIZE - unused);
	state->len += n;
	state->is_ended = (n == 0);
}

/*
 * Tells by the first bytes whether they are compressed, once.  No text in an
 * encoding that we know begins like that, and no Avro file.
 */
static void
recognize_method(Inflate *state)
{
	const unsigned char *mark = state->input;

	if (state->is_recognized)
		return;
	while (state->len < MARK_SIZE && !state->is_ended)
		read_input(state);
	state->is_recognized = true;
	if (state->len >= 2 && mark[0] == 0x1f && mark[1] == 0x8b)
		state->method = &gzip_method;
	else if (state->len >= 4 &&
			 (memcmp(mark, "\x28\xb5\x2f\xfd", 4) == 0 ||
			  ((mark[0] & 0xf0) == 0x50 &&	/* a skippable frame */
			   memcmp(mark + 1, "\x2a\x4d\x18", 3) == 0)))
		state->method = &zstd_method;
}

/* Bytes that are not compressed: first those that were looked at. */
static size_t
read_plain(Inflate *state, char *out, size_t len)
{
	size_t		n = Min(len, state->len - state->pos);

	if (n == 0)
		return state->is_ended ? 0 :
			state->inner.routine->read(&state->inner, out, len);
	memcpy(out, state->input + state->pos, n);
	state->pos += n;
	return n;
}

static void
check_limit(const Inflate *state)
{
	if (state->max_bytes > 0 && state->written > state->max_bytes)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("compressed payload inflates to more than " UINT64_FORMAT " bytes",
						state->max_bytes)));
}

/* Inflates until there is something to give, or the payload has ended. */
static size_t
read_compressed(Inflate *state, char *out, size_t len)
{
	for (;;)
	{
		size_t		n;

		if (state->pos == state->len && !state->is_ended)
			read_input(state);
		if (!state->is_in_part)
		{
			if (state->pos == state->len)
				return 0;
			state->parts++;
		}
		n = state->method->inflate(state, out, len);
		state->written += n;
		check_limit(state);
		if (n > 0)
			return n;
		if (state->is_in_part && state->is_ended &&
			state->pos == state->len)
			report_truncated(state);
	}
}

static size_t
read_inflated(IntakeSource *source, char *out, size_t len)
{
	Inflate    *state = source->state;

	recognize_method(state);
	if (state->method == NULL)
		return read_plain(state, out, len);
	return read_compressed(state, out, len);
}

static const IntakeSourceRoutine inflate_routine = {"inflate", read_inflated};

IntakeSource *
intake_source_open_inflated(const IntakeSourceRoutine *routine, void *inner,
							int encoding, uint64 max_bytes)
{
	Inflate    *state = palloc0(sizeof(Inflate));

	state->inner.routine = routine;
	state->inner.state = inner;
	state->max_bytes = max_bytes;
	state->input = palloc(INPUT_SIZE);
	state->callback.func = free_libraries;
	state->callback.arg = state;
	MemoryContextRegisterResetCallback(CurrentMemoryContext,
									   &state->callback);
	return intake_source_open(&inflate_routine, state, encoding);
}

bool
intake_source_inflates(IntakeSource *source)
{
	Inflate    *state = source->state;

	recognize_method(state);
	return state->method != NULL;
}
