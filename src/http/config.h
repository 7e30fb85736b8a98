/*-------------------------------------------------------------------------
 *
 * config.h
 *	  What the gateway wants of the program: a frame of JSON, read.
 *
 *-------------------------------------------------------------------------
 */
#ifndef INTAKE_HTTP_CONFIG_H
#define INTAKE_HTTP_CONFIG_H

#ifdef POSTGRES_H
#error "the HTTP program knows nothing of PostgreSQL"
#endif

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CONFIG_MAX_LISTEN 16

typedef enum LogRequests
{
	LOG_REQUESTS_NONE,
	LOG_REQUESTS_ERRORS,
	LOG_REQUESTS_ALL
} LogRequests;

/* Times in milliseconds, sizes in bytes; each is finite. */
typedef struct Limits
{
	int64_t		header_count;
	int64_t		header_bytes;
	int64_t		body_bytes;
	int64_t		inflated_bytes;
	int64_t		idle_timeout_ms;
	int64_t		header_timeout_ms;
	int64_t		body_timeout_ms;	/* of silence in a body */
	int64_t		min_upload_rate;	/* bytes a second; 0: any */
	int64_t		max_upload_duration_ms;
	int64_t		max_connections;
	int64_t		max_connections_per_address;
	int64_t		max_streams;
	int64_t		buffer_bytes;
	int64_t		max_queue;
	int64_t		queue_timeout_ms;
	int64_t		max_loaders;
	int64_t		drain_ms;
} Limits;

typedef struct Config
{
	char	   *listen[CONFIG_MAX_LISTEN];	/* numeric addresses */
	int			nlisten;
	int			port;			/* 0: none */
	bool		is_tls;
	char	   *certificate;	/* PEM, with its chain; NULL without TLS */
	char	   *key;			/* PEM; wiped by intake_config_free() */
	Limits		limits;
	LogRequests log_requests;
	bool		is_ready;
} Config;

/*
 * Returns a new configuration, or NULL and why not.  A limit that is missing
 * gets its default, one out of its range the range's end.
 */
extern Config *intake_config_read(const char *json, size_t len,
								  char *why, size_t why_size);
extern void intake_config_free(Config *config);

#endif							/* INTAKE_HTTP_CONFIG_H */
