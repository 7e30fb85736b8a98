/*-------------------------------------------------------------------------
 *
 * scan_csv.c
 *	  CSV records and their fields.  Plain C.
 *
 * 64 bytes at a time are turned into bit masks of the bytes that matter, and
 * only those are looked at one by one: delimiters, quotes and line ends
 * outside quotes, quotes and escapes inside.  The masks are made with SSE2
 * where the processor has it; with INTAKE_SCAN_PLAIN defined only the plain
 * way is built.  Both give the same answers.
 *
 * No byte at or behind text[len] is ever read.
 *
 *-------------------------------------------------------------------------
 */
#include <string.h>

#if defined(__SSE2__) && !defined(INTAKE_SCAN_PLAIN)
#include <emmintrin.h>
#define USE_SSE2 1
#endif

#include "format/scan_csv.h"

#define BLOCK_SIZE 64

/* Bit i stands for byte i of a block. */
typedef struct BlockMasks
{
	uint64_t	plain;			/* what matters outside quotes */
	uint64_t	quoted;			/* what matters inside */
	uint64_t	line_ends;		/* CR and LF */
	uint64_t	delimiters;
	bool		has_high;
	bool		has_nul;
} BlockMasks;

void
intake_scan_csv_begin(IntakeScanCsv *scan, char delimiter, char quote,
					  char escape)
{
	memset(scan, 0, sizeof(*scan));
	scan->delimiter = delimiter;
	scan->quote = quote;
	scan->escape = escape;
}

#ifdef USE_SSE2

/* The masks of the BLOCK_SIZE bytes at p. */
static inline void
classify_block(const IntakeScanCsv *scan, const char *p, BlockMasks *masks)
{
	const __m128i delimiter = _mm_set1_epi8(scan->delimiter);
	const __m128i quote = _mm_set1_epi8(scan->quote);
	const __m128i escape = _mm_set1_epi8(scan->escape);
	const __m128i cr = _mm_set1_epi8('\r');
	const __m128i lf = _mm_set1_epi8('\n');
	__m128i		high = _mm_setzero_si128();
	__m128i		low = _mm_set1_epi8((char) 0xFF);
	int			i;

	masks->plain = masks->quoted = 0;
	masks->line_ends = masks->delimiters = 0;
	for (i = 0; i < BLOCK_SIZE; i += 16)
	{
		__m128i		bytes = _mm_loadu_si128((const __m128i *) (p + i));
		__m128i		quotes = _mm_cmpeq_epi8(bytes, quote);
		__m128i		ends = _mm_or_si128(_mm_cmpeq_epi8(bytes, cr),
										_mm_cmpeq_epi8(bytes, lf));
		__m128i		delimiters = _mm_cmpeq_epi8(bytes, delimiter);
		__m128i		plain = _mm_or_si128(delimiters,
										 _mm_or_si128(quotes, ends));
		__m128i		quoted = _mm_or_si128(quotes,
										  _mm_cmpeq_epi8(bytes, escape));

		masks->plain |=
			(uint64_t) (unsigned) _mm_movemask_epi8(plain) << i;
		masks->quoted |=
			(uint64_t) (unsigned) _mm_movemask_epi8(quoted) << i;
		masks->line_ends |=
			(uint64_t) (unsigned) _mm_movemask_epi8(ends) << i;
		masks->delimiters |=
			(uint64_t) (unsigned) _mm_movemask_epi8(delimiters) << i;
		high = _mm_or_si128(high, bytes);
		low = _mm_min_epu8(low, bytes);
	}
	masks->has_high = _mm_movemask_epi8(high) != 0;
	low = _mm_cmpeq_epi8(low, _mm_setzero_si128());
	masks->has_nul = _mm_movemask_epi8(low) != 0;
}

#else

/* The masks of the BLOCK_SIZE bytes at p. */
static inline void
classify_block(const IntakeScanCsv *scan, const char *p, BlockMasks *masks)
{
	unsigned char high = 0;
	int			i;

	memset(masks, 0, sizeof(*masks));
	for (i = 0; i < BLOCK_SIZE; i++)
	{
		uint64_t	bit = UINT64_C(1) << i;
		char		c = p[i];

		if (c == '\r' || c == '\n')
			masks->line_ends |= bit;
		if (c == '\r' || c == '\n' || c == scan->delimiter ||
			c == scan->quote)
			masks->plain |= bit;
		if (c == scan->delimiter)
			masks->delimiters |= bit;
		if (c == scan->quote || c == scan->escape)
			masks->quoted |= bit;
		high |= (unsigned char) c;
		if (c == '\0')
			masks->has_nul = true;
	}
	masks->has_high = (high & 0x80) != 0;
}

#endif

/* The masks of fewer bytes than a block has. */
static void
classify_tail(const IntakeScanCsv *scan, const char *p, size_t len,
			  BlockMasks *masks)
{
	char		block[BLOCK_SIZE];
	uint64_t	valid = (UINT64_C(1) << len) - 1;

	/* neither NUL nor high; what else it may be is masked out */
	memset(block, 'x', sizeof(block));
	memcpy(block, p, len);
	classify_block(scan, block, masks);
	masks->plain &= valid;
	masks->quoted &= valid;
	masks->line_ends &= valid;
	masks->delimiters &= valid;
}

/* The arguments of intake_scan_csv_next(). */
typedef struct CsvText
{
	const char *text;
	size_t		len;
	bool		is_final;
	IntakeCsvField *fields;
	size_t		max_fields;
} CsvText;

/* Ends the field in front of text[end]. */
static inline void
put_field(IntakeScanCsv *scan, const CsvText *in, size_t end)
{
	size_t		start = scan->field_start;

	if (scan->nfields < in->max_fields)
	{
		IntakeCsvField *field = &in->fields[scan->nfields];

		field->start = start;
		field->len = end - start;
		if (scan->nquotes == 0)
			field->quoting = INTAKE_CSV_PLAIN;
		else if (scan->nquotes == 2 && !scan->is_escaped &&
				 in->text[start] == scan->quote &&
				 in->text[end - 1] == scan->quote)
			field->quoting = INTAKE_CSV_QUOTED;
		else
			field->quoting = INTAKE_CSV_MIXED;
	}
	scan->nfields++;
	scan->field_start = end + 1;
	scan->nquotes = 0;
	scan->is_escaped = false;
}

/* Line ends among len bytes; CRLF is one. */
static size_t
count_line_ends(const char *text, size_t len)
{
	const char *end = text + len;
	const char *p = text;
	size_t		count = 0;

	while ((p = memchr(p, '\n', (size_t) (end - p))) != NULL)
	{
		count++;
		p++;
	}
	p = text;
	while ((p = memchr(p, '\r', (size_t) (end - p))) != NULL)
	{
		p++;
		if (p == end || *p != '\n')
			count++;
	}
	return count;
}

/* The record's content ends at end, it itself (with its line end) at len. */
static inline void
put_record(IntakeScanCsv *scan, const CsvText *in, size_t end, size_t len)
{
	put_field(scan, in, end);
	scan->len = len;
	scan->nlines = 1;
	if (scan->has_line_end)
		scan->nlines += count_line_ends(in->text, end);
	scan->is_inside = false;
}

/*
 * How many bytes the escape or quote at text[at], inside quotes, takes: 2
 * with what it escapes, 0 when the byte behind it must be known first.  Ends
 * the quotes when that is what it means.
 *
 * Where escape and quote are one character nothing needs to be known: the
 * second of two opens the quotes again.
 */
static inline size_t
read_quoted(IntakeScanCsv *scan, const CsvText *in, size_t at)
{
	char		c = in->text[at];

	if (c == scan->escape && c != scan->quote)
	{
		char		next;

		if (at + 1 == in->len)
			return in->is_final ? 1 : 0;
		next = in->text[at + 1];
		if (next != scan->quote && next != scan->escape)
			return 1;
		scan->is_escaped = true;
		return 2;
	}
	scan->is_quoted = false;
	scan->nquotes++;
	return 1;
}

/*
 * Reads the delimiter, quote or line end at text[at], outside quotes.
 * Returns 1, or 0 when the byte behind it must be known first; where the
 * record ends, is_inside is no longer set.
 */
static inline size_t
read_plain(IntakeScanCsv *scan, const CsvText *in, size_t at)
{
	char		c = in->text[at];

	if (c == scan->delimiter)
		put_field(scan, in, at);
	else if (c == scan->quote)
	{
		scan->is_quoted = true;
		scan->nquotes++;
	}
	else if (c == '\n')
		put_record(scan, in, at, at + 1);
	else if (at + 1 < in->len)
		put_record(scan, in, at, at + (in->text[at + 1] == '\n' ? 2 : 1));
	else if (in->is_final)
		put_record(scan, in, at, at + 1);
	else
		return 0;
	return 1;
}

/*
 * Ends the fields that delimiters end before anything else happens in the
 * block at scanned, outside quotes.  Returns the bits that are done with.
 */
static inline uint64_t
put_plain_fields(IntakeScanCsv *scan, const CsvText *in,
				 const BlockMasks *masks)
{
	uint64_t	others = masks->plain & ~masks->delimiters;
	uint64_t	before = (others & (~others + 1)) - 1;
	uint64_t	hits = masks->delimiters & before;
	size_t		start = scan->field_start;
	size_t		nfields = scan->nfields;

	for (; hits != 0; hits &= hits - 1)
	{
		size_t		at = scan->scanned + (size_t) __builtin_ctzll(hits);

		if (nfields < in->max_fields)
		{
			IntakeCsvField *field = &in->fields[nfields];

			field->start = start;
			field->len = at - start;
			field->quoting = INTAKE_CSV_PLAIN;
		}
		nfields++;
		start = at + 1;
	}
	scan->field_start = start;
	scan->nfields = nfields;
	return before;
}

/*
 * Goes through the block at scanned, of size bytes, and moves scanned to
 * where to go on.  Returns false when more text is needed for that.
 */
static inline bool
scan_block(IntakeScanCsv *scan, const CsvText *in, const BlockMasks *masks,
		   size_t size)
{
	size_t		base = scan->scanned;
	size_t		next = base + size;
	uint64_t	todo = ~UINT64_C(0);

	if (!scan->is_quoted && scan->nquotes == 0)
		todo = ~put_plain_fields(scan, in, masks);
	for (;;)
	{
		bool		is_quoted = scan->is_quoted;
		uint64_t	hits = todo & (is_quoted ? masks->quoted : masks->plain);
		uint64_t	bit = hits & (~hits + 1);
		size_t		at;
		size_t		taken;

		/* with no hit left, bit - 1 is all ones */
		if (is_quoted && (masks->line_ends & todo & (bit - 1)) != 0)
			scan->has_line_end = true;
		if (hits == 0)
			break;
		todo &= ~(bit | (bit - 1));
		at = base + (size_t) __builtin_ctzll(hits);
		taken = is_quoted ? read_quoted(scan, in, at) :
			read_plain(scan, in, at);
		if (taken == 0)
		{
			scan->scanned = at;
			return false;
		}
		if (!scan->is_inside)
			return true;
		if (taken == 2)
		{
			/* what is escaped may lie behind the block */
			todo &= ~(bit << 1);
			if (next < at + 2)
				next = at + 2;
		}
	}
	scan->scanned = next;
	return true;
}

/* Nothing of the next record has been scanned. */
static inline void
begin_record(IntakeScanCsv *scan)
{
	scan->nfields = 0;
	scan->may_hold_nul = false;
	scan->may_hold_high = false;
	scan->is_inside = true;
	scan->is_quoted = false;
	scan->is_escaped = false;
	scan->has_line_end = false;
	scan->scanned = 0;
	scan->field_start = 0;
	scan->nquotes = 0;
}

IntakeCsvResult
intake_scan_csv_next(IntakeScanCsv *scan, const char *text, size_t len,
					 bool is_final, IntakeCsvField *fields,
					 size_t max_fields)
{
	CsvText		in = {text, len, is_final, fields, max_fields};

	if (!scan->is_inside)
	{
		if (len == 0)
			return is_final ? INTAKE_CSV_END : INTAKE_CSV_MORE;
		begin_record(scan);
	}

	while (scan->scanned < len)
	{
		size_t		left = len - scan->scanned;
		BlockMasks	masks;

		if (left < BLOCK_SIZE)
			classify_tail(scan, text + scan->scanned, left, &masks);
		else
			classify_block(scan, text + scan->scanned, &masks);
		scan->may_hold_nul |= masks.has_nul;
		scan->may_hold_high |= masks.has_high;
		if (!scan_block(scan, &in, &masks,
						left < BLOCK_SIZE ? left : BLOCK_SIZE))
			return INTAKE_CSV_MORE;
		if (!scan->is_inside)
			return INTAKE_CSV_RECORD;
	}

	if (!is_final)
		return INTAKE_CSV_MORE;
	if (scan->is_quoted)
		return INTAKE_CSV_UNTERMINATED;
	put_record(scan, &in, len, len);
	return INTAKE_CSV_RECORD;
}

/* Where escape and quote are one: copies what lies between quotes in runs. */
static size_t
unquote_runs(char quote, const char *text, size_t len, char *out)
{
	const char *p = text;
	const char *end = text + len;
	bool		is_quoted = false;
	size_t		used = 0;

	while (p < end)
	{
		const char *found = memchr(p, quote, (size_t) (end - p));
		size_t		run = (size_t) ((found != NULL ? found : end) - p);

		memcpy(out + used, p, run);
		used += run;
		if (found == NULL)
			break;
		p = found + 1;
		if (is_quoted && p < end && *p == quote)
			out[used++] = *p++;
		else
			is_quoted = !is_quoted;
	}
	return used;
}

size_t
intake_scan_csv_unquote(const IntakeScanCsv *scan, const char *text,
						size_t len, char *out)
{
	bool		is_quoted = false;
	size_t		used = 0;
	size_t		i;

	if (scan->escape == scan->quote)
		return unquote_runs(scan->quote, text, len, out);
	for (i = 0; i < len; i++)
	{
		char		c = text[i];

		if (is_quoted && c == scan->escape && i + 1 < len &&
			(text[i + 1] == scan->quote || text[i + 1] == scan->escape))
			out[used++] = text[++i];
		else if (c == scan->quote)
			is_quoted = !is_quoted;
		else
			out[used++] = c;
	}
	return used;
}
