/*-------------------------------------------------------------------------
 *
 * fuzz_format_csv.c
 *	  The CSV decoder, with a stub of the server.
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
	static char *const delimiters[] = {",", ";", "auto", "\t"};
	IntakeOptions options;

	if (len < 2)
		return 0;
	memset(&options, 0, sizeof(options));
	options.delimiter = delimiters[data[0] & 3];
	options.quote = "\"";
	options.escape = (data[0] & 4) ? "\\" : "\"";
	options.null = (data[0] & 8) ? "NULL" : NULL;
	options.header = (data[0] & 16) == 0;
	options.unknown = (data[0] & 32) ? INTAKE_UNKNOWN_IGNORE :
		INTAKE_UNKNOWN_ERROR;
	options.types = (data[0] & 64) ? INTAKE_TYPES_STRICT :
		INTAKE_TYPES_LENIENT;
	options.encoding = PG_UTF8;
	stub_check_decode(&intake_format_csv, &options, (const char *) data + 2,
					  len - 2, data[1] + 1);
	return 0;
}
