/*-------------------------------------------------------------------------
 *
 * fuzz_http1.c
 *	  A connection of HTTP/1.1, from its bytes to the loaders' frames.
 *
 *-------------------------------------------------------------------------
 */
#include "fuzz.h"
#include "http_stage.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	http_stage_play(data, len, "", 0);
	return 0;
}
