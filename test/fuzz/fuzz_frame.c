/*-------------------------------------------------------------------------
 *
 * fuzz_frame.c
 *	  Frames: read from any bytes, whole and in pieces, and written again.
 *
 *-------------------------------------------------------------------------
 */
#include "frame.h"

#include "fuzz.h"

/* A reader that has only the first `len` bytes may ask for more only. */
static void
check_pieces(const char *text, size_t len, const IntakeFrame *whole,
			 long used)
{
	IntakeFrame frame;
	size_t		step = len / 16 + 1;

	for (size_t part = 0; part < len; part += step)
	{
		char	   *copy = fuzz_copy(text, part);
		long		result = intake_frame_read(copy, part, &frame);

		if (used > 0 && (size_t) used <= part)
			FUZZ_CHECK(result == used && frame.type == whole->type &&
					   frame.len == whole->len);
		else
			FUZZ_CHECK(result == 0 || (used < 0 && result < 0));
		free(copy);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	char	   *text = fuzz_copy(data, len);
	size_t		at = 0;
	IntakeFrame frame;
	long		used;

	while ((used = intake_frame_read(text + at, len - at, &frame)) > 0)
	{
		char		head[INTAKE_FRAME_HEAD];

		FUZZ_CHECK((size_t) used <= len - at);
		FUZZ_CHECK(frame.len <= INTAKE_FRAME_MAX);
		FUZZ_CHECK(frame.payload + frame.len == text + at + used);
		intake_frame_head(head, frame.type, frame.len);
		FUZZ_CHECK(memcmp(head, text + at, sizeof(head)) == 0);
		check_pieces(text + at, len - at, &frame, used);
		at += (size_t) used;
	}
	check_pieces(text + at, len - at, &frame, used);
	free(text);
	return 0;
}
