/*-------------------------------------------------------------------------
 *
 * fuzz_format_ndjson.c
 *	  The NDJSON decoder, with a stub of the server.
 *
 * The input's first byte is a set of options, the second chooses how the
 * rest is cut into pieces.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "mb/pg_wchar.h"

#include "fuzz.h"
#include "stub_server.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	IntakeOptions options;

	if (len < 2)
		return 0;
	memset(&options, 0, sizeof(options));
	options.unknown = (data[0] & 1) ? INTAKE_UNKNOWN_IGNORE :
		INTAKE_UNKNOWN_ERROR;
	options.types = (data[0] & 2) ? INTAKE_TYPES_STRICT :
		INTAKE_TYPES_LENIENT;
	options.encoding = PG_UTF8;
	stub_check_decode(&intake_format_ndjson, &options,
					  (const char *) data + 2, len - 2, data[1] + 1);
	return 0;
}
