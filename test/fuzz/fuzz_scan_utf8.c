/*-------------------------------------------------------------------------
 *
 * fuzz_scan_utf8.c
 *	  The UTF-8 scanner against a decoder that takes a byte at a time.
 *
 *-------------------------------------------------------------------------
 */
#include "format/scan_utf8.h"

#include "fuzz.h"

#define INTAKE_SCAN_PLAIN
#define intake_scan_utf8_valid plain_utf8_valid
#define intake_scan_utf8_broken plain_utf8_broken
#include "format/scan_utf8.c"
#undef intake_scan_utf8_valid
#undef intake_scan_utf8_broken

/* What a decoder would show of the broken character at text. */
static void
check_broken(const char *text, size_t len)
{
	size_t		broken = intake_scan_utf8_broken(text, len);

	FUZZ_CHECK(broken == plain_utf8_broken(text, len));
	FUZZ_CHECK(broken >= 1 && broken <= 4 && broken <= len);
	FUZZ_CHECK(fuzz_utf8_valid(text, broken) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	char	   *text = fuzz_copy(data, len);
	size_t		from = 0;

	/* go on behind each broken character, so that all of the input counts */
	for (;;)
	{
		size_t		valid = intake_scan_utf8_valid(text + from, len - from);

		FUZZ_CHECK(valid == fuzz_utf8_valid(text + from, len - from));
		FUZZ_CHECK(valid == plain_utf8_valid(text + from, len - from));
		from += valid;
		if (from == len)
			break;
		check_broken(text + from, len - from);
		from++;
	}
	free(text);
	return 0;
}
