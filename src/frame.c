/*-------------------------------------------------------------------------
 *
 * frame.c
 *	  Frames between gateway, HTTP program and loaders.  Plain C: the module
 *	  and the program are both built with it.
 *
 *-------------------------------------------------------------------------
 */
#include <stdint.h>

#include "frame.h"

long
intake_frame_read(const char *buf, size_t len, IntakeFrame *frame)
{
	const unsigned char *head = (const unsigned char *) buf;
	uint32_t	size;

	if (len < 4)
		return 0;
	size = (uint32_t) head[0] << 24 | (uint32_t) head[1] << 16 |
		(uint32_t) head[2] << 8 | head[3];
	if (size < 1 || size > INTAKE_FRAME_MAX + 1)
		return -1;
	if (len - 4 < size)
		return 0;
	frame->type = buf[4];
	frame->payload = buf + INTAKE_FRAME_HEAD;
	frame->len = size - 1;
	return (long) size + 4;
}

void
intake_frame_head(char head[INTAKE_FRAME_HEAD], char type, size_t len)
{
	uint32_t	size = (uint32_t) len + 1;

	head[0] = (char) (size >> 24);
	head[1] = (char) (size >> 16);
	head[2] = (char) (size >> 8);
	head[3] = (char) size;
	head[4] = type;
}
