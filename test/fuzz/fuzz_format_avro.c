/*-------------------------------------------------------------------------
 *
 * fuzz_format_avro.c
 *	  The Avro decoder with schema reader, plan, renderer and codecs, with a
 *	  stub of the server.
 *
 * The input's first byte is a set of options, the second chooses how the
 * payload is cut into pieces.  With option IS_FILE the rest is the payload;
 * without, the payload is a file made of it: a third byte that counts its
 * records, the schema up to a NUL byte, then the block's bytes.  So the
 * fuzzer need not guess sync markers.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "lib/stringinfo.h"
#include "mb/pg_wchar.h"

#include "fuzz.h"
#include "stub_server.h"

#define IS_IGNORING	0x01
#define IS_STRICT	0x02
#define IS_FILE		0x04

/* Any bytes will do. */
static const char sync_marker[] = "0123456789abcdef";

typedef struct Payload
{
	char	   *bytes;
	size_t		len;
} Payload;

static void
append(Payload *payload, const void *bytes, size_t len)
{
	payload->bytes = realloc(payload->bytes, payload->len + len + 1);
	if (len > 0)
		memcpy(payload->bytes + payload->len, bytes, len);
	payload->len += len;
}

/* A long that is not negative. */
static void
append_long(Payload *payload, uint64 value)
{
	char		byte;

	for (value *= 2; value > 0x7F; value >>= 7)
	{
		byte = (char) ((value & 0x7F) | 0x80);
		append(payload, &byte, 1);
	}
	byte = (char) value;
	append(payload, &byte, 1);
}

static void
make_payload(Payload *payload, const char *data, size_t len)
{
	unsigned char nrecords = len > 0 ? (unsigned char) data[0] : 0;
	const char *schema = len > 0 ? data + 1 : data;
	const char *end = data + len;
	const char *nul = memchr(schema, '\0', end - schema);
	size_t		schema_len = (nul == NULL ? end : nul) - schema;
	const char *records = nul == NULL ? end : nul + 1;

	append(payload, "Obj\001\002\026avro.schema", 17);
	append_long(payload, schema_len);
	append(payload, schema, schema_len);
	append_long(payload, 0);
	append(payload, sync_marker, 16);
	append_long(payload, nrecords);
	append_long(payload, end - records);
	append(payload, records, end - records);
	append(payload, sync_marker, 16);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	IntakeOptions options;
	Payload		payload = {NULL, 0};

	if (len < 2)
		return 0;
	memset(&options, 0, sizeof(options));
	options.unknown = (data[0] & IS_IGNORING) ? INTAKE_UNKNOWN_IGNORE :
		INTAKE_UNKNOWN_ERROR;
	options.types = (data[0] & IS_STRICT) ? INTAKE_TYPES_STRICT :
		INTAKE_TYPES_LENIENT;
	options.encoding = PG_UTF8;
	if (data[0] & IS_FILE)
		append(&payload, data + 2, len - 2);
	else
		make_payload(&payload, (const char *) data + 2, len - 2);
	stub_check_decode(&intake_format_avro, &options, payload.bytes,
					  payload.len, data[1] + 1);
	free(payload.bytes);
	return 0;
}
