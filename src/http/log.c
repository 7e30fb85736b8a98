/*-------------------------------------------------------------------------
 *
 * log.c
 *	  What the program tells the server's log.
 *
 *-------------------------------------------------------------------------
 */
#include <stdarg.h>
#include <stdio.h>

#include "http/limits.h"
#include "http/log.h"

#define MAX_LINE 512
#define LINES_AT_ONCE 5
#define LINES_A_SECOND 0.1

static const char *const level_names[] = {"debug", "log", "warning"};

static LogSink log_sink;
static Bucket kind_buckets[LOG_KIND_COUNT];
static unsigned long kind_unsaid[LOG_KIND_COUNT];

void
intake_log_open(LogSink sink)
{
	log_sink = sink;
}

static void
write_line(LogLevel level, const char *message, const char *detail)
{
	if (log_sink != NULL)
		log_sink(level_names[level], message, detail);
	else
		fprintf(stderr, "%s: %s%s%s\n", level_names[level], message,
				detail ? ": " : "", detail ? detail : "");
}

void
intake_log(LogLevel level, const char *detail, const char *format, ...)
{
	char		line[MAX_LINE];
	va_list		args;

	va_start(args, format);
	vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	write_line(level, line, detail);
}

void
intake_log_limited(LogKind kind, const char *detail, const char *format, ...)
{
	char		line[MAX_LINE];
	char		more[128];
	va_list		args;

	if (!intake_bucket_spend(&kind_buckets[kind], 1, LINES_A_SECOND,
							 LINES_AT_ONCE))
	{
		kind_unsaid[kind]++;
		return;
	}
	va_start(args, format);
	vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	if (kind_unsaid[kind] > 0)
	{
		snprintf(more, sizeof(more), "%lu more of this kind were not logged.",
				 kind_unsaid[kind]);
		kind_unsaid[kind] = 0;
		detail = detail ? detail : more;
	}
	write_line(LOG_LEVEL_LOG, line, detail);
}
