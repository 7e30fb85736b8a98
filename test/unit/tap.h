/*-------------------------------------------------------------------------
 *
 * tap.h
 *	  What a unit test prints (Test Anything Protocol).
 *
 * For one source file a program: the counters live here.
 *
 *-------------------------------------------------------------------------
 */
#ifndef INTAKE_TAP_H
#define INTAKE_TAP_H

#include <stdbool.h>
#include <stdio.h>

static int	tap_count;
static int	tap_failed;

/* One test; returns whether it passed. */
static inline bool
ok(bool passed, const char *name)
{
	const char *p;

	tap_count++;
	if (!passed)
		tap_failed++;
	printf("%s %d - ", passed ? "ok" : "not ok", tap_count);

	/* names may quote input: keep them on their line, without directives */
	for (p = name; *p != '\0'; p++)
	{
		if ((unsigned char) *p < 0x20 || (unsigned char) *p >= 0x7F ||
			*p == '#' || *p == '\\')
			printf("\\x%02x", (unsigned char) *p);
		else
			putchar(*p);
	}
	putchar('\n');
	fflush(stdout);
	return passed;
}

/* The plan, at the end; what main() returns. */
static inline int
done_testing(void)
{
	printf("1..%d\n", tap_count);
	return tap_failed == 0 ? 0 : 1;
}

#endif							/* INTAKE_TAP_H */
