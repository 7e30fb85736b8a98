/*-------------------------------------------------------------------------
 *
 * h1_chunk.c
 *	  The chunks of an HTTP/1.1 body, read strictly.
 *
 *-------------------------------------------------------------------------
 */
#include <stdbool.h>

#include "hex_digit.h"
#include "http/chars.h"
#include "http/h1_chunk.h"

/* Extensions and trailers of one body; more is a way to burn time. */
#define MAX_EXTRA 16384
#define MAX_DIGITS 15

enum
{
	SIZE,
	EXTENSION,
	SIZE_LF,
	DATA,
	DATA_CR,
	DATA_LF,
	TRAILER_START,
	TRAILER_NAME,
	TRAILER_VALUE,
	TRAILER_LF,
	END_LF,
	ENDED
};

static int
take_size(ChunkScan *scan, char c)
{
	int			digit = intake_hex_digit_value(c);

	if (digit >= 0 && scan->ndigits < MAX_DIGITS)
	{
		scan->left = scan->left * 16 + (uint64_t) digit;
		scan->ndigits++;
		return SIZE;
	}
	if (digit >= 0 || scan->ndigits == 0)
		return -1;
	if (c == '\r')
		return SIZE_LF;
	return c == ';' ? EXTENSION : -1;
}

/* Text up to CR; control characters are refused. */
static int
take_text(ChunkScan *scan, char c, int state, int next)
{
	if (c == '\r')
		return next;
	if (++scan->extra > MAX_EXTRA ||
		((unsigned char) c < ' ' && c != '\t') || c == 127)
		return -1;
	return state;
}

static int
take_trailer(ChunkScan *scan, char c)
{
	if (scan->state == TRAILER_START && c == '\r')
		return END_LF;
	if (scan->state == TRAILER_NAME && c == ':')
		return TRAILER_VALUE;
	if (++scan->extra > MAX_EXTRA || !intake_chars_is_token(c))
		return -1;
	return TRAILER_NAME;
}

/* Returns the state behind a byte that is no data, or -1. */
static int
take_byte(ChunkScan *scan, char c)
{
	switch (scan->state)
	{
		case SIZE:
			return take_size(scan, c);
		case EXTENSION:
			return take_text(scan, c, EXTENSION, SIZE_LF);
		case SIZE_LF:
			scan->ndigits = 0;
			if (c != '\n')
				return -1;
			return scan->left == 0 ? TRAILER_START : DATA;
		case DATA_CR:
			return c == '\r' ? DATA_LF : -1;
		case DATA_LF:
			return c == '\n' ? SIZE : -1;
		case TRAILER_START:
		case TRAILER_NAME:
			return take_trailer(scan, c);
		case TRAILER_VALUE:
			return take_text(scan, c, TRAILER_VALUE, TRAILER_LF);
		case TRAILER_LF:
			return c == '\n' ? TRAILER_START : -1;
		case END_LF:
			return c == '\n' ? ENDED : -1;
		default:
			return -1;
	}
}

ChunkResult
intake_h1_chunk_next(ChunkScan *scan, const char *text, size_t len,
					 size_t *used)
{
	size_t		i = 0;

	while (i < len && scan->state != DATA && scan->state != ENDED)
	{
		scan->state = take_byte(scan, text[i++]);
		if (scan->state < 0)
			return CHUNK_BAD;
	}
	*used = i;
	if (scan->state == ENDED)
		return CHUNK_END;
	if (i == len)
		return CHUNK_MORE;
	scan->data_len = len - i;
	if (scan->data_len > scan->left)
		scan->data_len = (size_t) scan->left;
	scan->left -= scan->data_len;
	if (scan->left == 0)
		scan->state = DATA_CR;
	return CHUNK_DATA;
}
