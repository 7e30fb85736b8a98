/*-------------------------------------------------------------------------
 *
 * test_scan_jws.c
 *	  The parts of a token.
 *
 *-------------------------------------------------------------------------
 */
#include <stdlib.h>
#include <string.h>

#include "tap.h"
#include "worker/scan_jws.h"

static bool
is_part(IntakeJwsPart part, const char *text)
{
	return part.len == strlen(text) && memcmp(part.text, text, part.len) == 0;
}

static void
test_good(void)
{
	IntakeJws	jws;

	ok(intake_scan_jws_split("ab.c-_.9", 8, &jws), "three parts");
	ok(is_part(jws.header, "ab"), "the header");
	ok(is_part(jws.claims, "c-_"), "the claims");
	ok(is_part(jws.signature, "9"), "the signature");
	ok(is_part(jws.content, "ab.c-_"), "what is signed");
	ok(intake_scan_jws_split("a.b.", 4, &jws) && jws.signature.len == 0,
	   "no signature");
}

static void
test_refused(void)
{
	static const char *const refused[] = {
		"", ".", "..", "...", "a", "a.b", ".b.c", "a..c", "..c", "a.b.c.",
		"a.b.c.d", "a.b.c.d.e", ".a.b.c", "a.b.c ", " a.b.c", "a.b.c=",
		"a=.b.c", "a.b+.c", "a.b/.c", "a.b\n.c", "a.b.c\n", "a,b,c",
		"a.b.\xC3\xA9"
	};
	IntakeJws	jws;
	size_t		i;

	for (i = 0; i < sizeof(refused) / sizeof(refused[0]); i++)
	{
		size_t		len = strlen(refused[i]);
		char	   *copy = malloc(len + 1);

		memcpy(copy, refused[i], len);
		copy = realloc(copy, len == 0 ? 1 : len);
		ok(!intake_scan_jws_split(copy, len, &jws), refused[i]);
		free(copy);
	}
	ok(!intake_scan_jws_split("a.b\0.c", 6, &jws), "a NUL");
}

int
main(void)
{
	test_good();
	test_refused();
	return done_testing();
}
