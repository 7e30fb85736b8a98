/*-------------------------------------------------------------------------
 *
 * log.h
 *	  What the program tells the server's log.
 *
 * A line goes to the gateway, which reports it.  No header's value, no token
 * and no byte of a body may be in it.  What a client can cause again and
 * again is limited by kind: a few lines at once, then one each ten seconds
 * that tells how many there were.
 *
 *-------------------------------------------------------------------------
 */
#ifndef INTAKE_HTTP_LOG_H
#define INTAKE_HTTP_LOG_H

#ifdef POSTGRES_H
#error "the HTTP program knows nothing of PostgreSQL"
#endif

typedef enum LogLevel
{
	LOG_LEVEL_DEBUG,
	LOG_LEVEL_LOG,
	LOG_LEVEL_WARNING
} LogLevel;

typedef enum LogKind
{
	LOG_KIND_BAD_REQUEST,
	LOG_KIND_BAD_TLS,
	LOG_KIND_CLEAR_TO_TLS,
	LOG_KIND_TLS_TO_CLEAR,
	LOG_KIND_FLOOD,
	LOG_KIND_TOO_MANY,
	LOG_KIND_LOADER,
	LOG_KIND_COUNT
} LogKind;

typedef void (*LogSink) (const char *level, const char *message,
						 const char *detail);

/* Where lines go from now on; before, and with NULL, to standard error. */
extern void intake_log_open(LogSink sink);

/* Writes a line; detail may be NULL. */
extern void intake_log(LogLevel level, const char *detail,
					   const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* The same, for what a client can repeat: level LOG. */
extern void intake_log_limited(LogKind kind, const char *detail,
							   const char *format, ...)
	__attribute__((format(printf, 3, 4)));

#endif							/* INTAKE_HTTP_LOG_H */
