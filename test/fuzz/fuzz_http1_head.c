/*-------------------------------------------------------------------------
 *
 * fuzz_http1_head.c
 *	  HTTP/1.1's head and chunks: whole, in pieces, and by another reader.
 *
 * What our strict reader takes http_parser must take as well, with the same
 * method, target, fields and body: then nobody behind or before us reads it
 * in another way.  Where http_parser is not installed that part is left out.
 *
 *-------------------------------------------------------------------------
 */
#include "http/h1_chunk.h"
#include "http/h1_head.h"

#include "fuzz.h"

#if defined(__has_include)
#if __has_include(<http_parser.h>)
#include <http_parser.h>
#define HAS_ORACLE 1
#endif
#endif

#define MAX_HEAD 4096
#define MAX_TEXT 65536

/* What the other reader saw. */
typedef struct Seen
{
	char		target[MAX_TEXT];
	size_t		target_len;
	size_t		nfields;
	char		body[MAX_TEXT];
	size_t		body_len;
	int			is_complete;
} Seen;

static long
find_in_pieces(const char *text, size_t len, uint32_t seed)
{
	H1Scan		scan = {0, MAX_HEAD, NULL};
	size_t		part = 0;
	long		result = 0;

	while (result == 0 && part < len)
	{
		char	   *copy;

		part += 1 + fuzz_random(&seed) % 20;
		if (part > len)
			part = len;
		copy = fuzz_copy(text, part);
		result = intake_h1_head_find(&scan, copy, part);
		free(copy);
	}
	return result;
}

/* Decodes chunks; returns the length, -1 bad, -2 not all there. */
static long
decode_chunks(const char *text, size_t len, char *body, uint32_t seed)
{
	ChunkScan	scan;
	size_t		at = 0;
	size_t		made = 0;
	size_t		used;

	memset(&scan, 0, sizeof(scan));
	while (at < len)
	{
		size_t		part = seed ? 1 + fuzz_random(&seed) % 10 : len - at;
		char	   *copy;
		ChunkResult result;

		if (part > len - at)
			part = len - at;
		copy = fuzz_copy(text + at, part);
		result = intake_h1_chunk_next(&scan, copy, part, &used);
		FUZZ_CHECK(result == CHUNK_BAD || used <= part);
		if (result == CHUNK_DATA)
		{
			FUZZ_CHECK(scan.data_len > 0 && used + scan.data_len <= part);
			memcpy(body + made, copy + used, scan.data_len);
			made += scan.data_len;
			used += scan.data_len;
		}
		free(copy);
		if (result == CHUNK_BAD)
			return -1;
		if (result == CHUNK_END)
			return (long) made;
		at += used;
	}
	return -2;
}

#ifdef HAS_ORACLE

static int
see_target(http_parser *parser, const char *text, size_t len)
{
	Seen	   *seen = parser->data;

	memcpy(seen->target + seen->target_len, text, len);
	seen->target_len += len;
	return 0;
}

static int
see_field(http_parser *parser, const char *text, size_t len)
{
	Seen	   *seen = parser->data;

	seen->nfields += seen->is_complete == 0;
	return 0;
}

static int
see_body(http_parser *parser, const char *text, size_t len)
{
	Seen	   *seen = parser->data;

	memcpy(seen->body + seen->body_len, text, len);
	seen->body_len += len;
	return 0;
}

static int
see_head(http_parser *parser)
{
	((Seen *) parser->data)->is_complete = 1;
	return 0;
}

static int
see_end(http_parser *parser)
{
	((Seen *) parser->data)->is_complete = 2;
	http_parser_pause(parser, 1);
	return 0;
}

static void
ask_other(const char *text, size_t len, http_parser *parser, Seen *seen)
{
	http_parser_settings settings;

	http_parser_settings_init(&settings);
	settings.on_url = see_target;
	settings.on_header_field = see_field;
	settings.on_headers_complete = see_head;
	settings.on_body = see_body;
	settings.on_message_complete = see_end;
	memset(seen, 0, sizeof(*seen));
	http_parser_init(parser, HTTP_REQUEST);
	parser->data = seen;
	http_parser_execute(parser, &settings, text, len);
}

static void
compare(const char *text, size_t len, const Head *head, long body_len,
		const char *body)
{
	static Seen seen;
	http_parser parser;
	const char *target = memchr(text, ' ', len) + 1;

	ask_other(text, len, &parser, &seen);
	/* it takes a name that begins like Transfer-Encoding for that one */
	if (HTTP_PARSER_ERRNO(&parser) == HPE_UNEXPECTED_CONTENT_LENGTH &&
		intake_head_get(head, "transfer-encoding") == NULL)
		return;
	FUZZ_CHECK(seen.is_complete >= 1);
	FUZZ_CHECK(strcmp(http_method_str(parser.method), head->method) == 0);
	FUZZ_CHECK(memcmp(target, seen.target, seen.target_len) == 0);
	FUZZ_CHECK(target[seen.target_len] == ' ');
	FUZZ_CHECK(seen.nfields == head->nfields);
	if (head->is_chunked && body_len >= 0)
	{
		/* it may refuse a trailer field, which we ignore */
		FUZZ_CHECK(seen.is_complete == 2 ||
				   HTTP_PARSER_ERRNO(&parser) != HPE_OK);
		FUZZ_CHECK(seen.body_len == (size_t) body_len &&
				   memcmp(seen.body, body, seen.body_len) == 0);
	}
	else if (!head->is_chunked && head->content_length > 0)
	{
		size_t		rest = seen.body_len;

		FUZZ_CHECK(rest <= (size_t) head->content_length);
		FUZZ_CHECK((seen.is_complete == 2) ==
				   (rest == (size_t) head->content_length));
	}
}

#else

static void
compare(const char *text, size_t len, const Head *head, long body_len,
		const char *body)
{
}

#endif

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static char body[MAX_TEXT];
	static char pieces[MAX_TEXT];
	H1Scan		scan = {0, MAX_HEAD, NULL};
	char	   *text;
	Head	   *head;
	long		end;
	long		body_len = -2;

	if (len == 0 || len > MAX_TEXT)
		return 0;
	text = fuzz_copy(data, len);
	end = intake_h1_head_find(&scan, text, len);
	FUZZ_CHECK(end == find_in_pieces(text, len, (uint32_t) len * 31 + 1));
	if (end > 0)
	{
		char	   *copy = fuzz_copy(text, (size_t) end);
		int			status;

		head = intake_head_new(HTTP_1_1, 50, MAX_HEAD);
		status = intake_h1_head_read(head, copy, (size_t) end);
		FUZZ_CHECK(status == 0 || (status >= 400 && head->why != NULL));
		if (status == 0 && head->is_chunked)
		{
			body_len = decode_chunks(text + end, len - end, body, 0);
			FUZZ_CHECK(body_len == decode_chunks(text + end, len - end,
												 pieces, 12345));
			FUZZ_CHECK(body_len < 0 ||
					   memcmp(body, pieces, (size_t) body_len) == 0);
		}
		if (status == 0)
			compare(text, len, head, body_len, body);
		intake_head_free(head);
		free(copy);
	}
	free(text);
	return 0;
}
