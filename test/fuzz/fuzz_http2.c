/*-------------------------------------------------------------------------
 *
 * fuzz_http2.c
 *	  A connection of HTTP/2, from its frames to the loaders' frames.
 *
 *-------------------------------------------------------------------------
 */
#include "fuzz.h"
#include "http_stage.h"

static const char preface[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
"\0\0\0\4\0\0\0\0\0";			/* and settings, without which all ends */

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	http_stage_play(data, len, preface, sizeof(preface) - 1);
	return 0;
}
