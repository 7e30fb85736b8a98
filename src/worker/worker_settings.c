/*-------------------------------------------------------------------------
 *
 * worker_settings.c
 *	  The configuration parameters of the gateway, in alphabetical order of
 *	  their groups' names.
 *
 * Every parameter has a row in the README's table of settings.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <limits.h>

#include "utils/guc.h"

#include "worker/worker_settings.h"

char	   *intake_listen_addresses = NULL;
int			intake_port = 0;
char	   *intake_database = NULL;
char	   *intake_tls_certificate_file = NULL;
char	   *intake_tls_key_file = NULL;
int			intake_max_loaders = 4;
int			intake_loader_idle_timeout = 60 * 1000;
int			intake_shutdown_grace = 5 * 1000;
int			intake_table_lock_timeout = 10 * 1000;
int			intake_log_requests = INTAKE_LOG_REQUESTS_ERRORS;

int			intake_max_http_connections = 2000;
int			intake_max_connections_per_address = 1000;
int			intake_max_streams = 32;
int			intake_max_header_count = 100;
int			intake_max_header_size = 32 * 1024;
int			intake_max_body_size = 64 * 1024 * 1024;	/* 64 GB */
int			intake_max_inflated_size = 64 * 1024 * 1024;
int			intake_http_buffer_size = 1024;
int			intake_idle_timeout = 60 * 1000;
int			intake_header_timeout = 10 * 1000;
int			intake_body_timeout = 30 * 1000;
int			intake_min_upload_rate = 1024;
int			intake_max_upload_duration = 12 * 60 * 60 * 1000;
int			intake_max_queue = 100;
int			intake_queue_timeout = 10 * 1000;

static const struct config_enum_entry log_requests_words[] = {
	{"none", INTAKE_LOG_REQUESTS_NONE, false},
	{"errors", INTAKE_LOG_REQUESTS_ERRORS, false},
	{"all", INTAKE_LOG_REQUESTS_ALL, false},
	{NULL, 0, false}
};

/* A whole number that is set in the configuration file. */
typedef struct Number
{
	const char *name;
	const char *text;
	const char *detail;
	int		   *variable;
	int			min;
	int			max;
	int			flags;			/* unit */
} Number;

static const Number numbers[] = {
	/* Raise it where clients pause in their bodies for good reasons. */
	{"pg_intake.body_timeout",
		"Sets how long the gateway waits for more of a body.",
		NULL, &intake_body_timeout, 1, INT_MAX, GUC_UNIT_MS},
	/* Raise it for clients far away; each byte of a head counts. */
	{"pg_intake.header_timeout",
		"Sets how long a client may take for the head of a request.",
		NULL, &intake_header_timeout, 1, INT_MAX, GUC_UNIT_MS},
	/* More lets a fast client run ahead of a busy loader. */
	{"pg_intake.http_buffer_size",
		"Sets how much of a body waits for a loader before the client does.",
		NULL, &intake_http_buffer_size, 128, 64 * 1024, GUC_UNIT_KB},
	{"pg_intake.idle_timeout",
		"Sets how long a connection may be idle between requests.",
		NULL, &intake_idle_timeout, 1, INT_MAX, GUC_UNIT_MS},
	/* Starting one takes some milliseconds, keeping one a connection slot. */
	{"pg_intake.loader_idle_timeout",
		"Sets how long an idle loader stays.",
		NULL, &intake_loader_idle_timeout, 100, INT_MAX, GUC_UNIT_MS},
	{"pg_intake.max_body_size",
		"Sets the longest body, as it is sent.",
		"0 sets no limit.",
		&intake_max_body_size, 0, INT_MAX, GUC_UNIT_KB},
	{"pg_intake.max_connections_per_address",
		"Sets how many connections one address may have.",
		NULL, &intake_max_connections_per_address, 1, 100000, 0},
	{"pg_intake.max_header_count",
		"Sets how many headers a request may have.",
		NULL, &intake_max_header_count, 10, 1000, 0},
	{"pg_intake.max_header_size",
		"Sets how long the headers of a request may be in all.",
		NULL, &intake_max_header_size, 1024, 1024 * 1024, GUC_UNIT_BYTE},
	{"pg_intake.max_http_connections",
		"Sets how many connections the gateway has at once.",
		NULL, &intake_max_http_connections, 1, 100000, 0},
	/* A bomb of a megabyte inflates to a gigabyte. */
	{"pg_intake.max_inflated_size",
		"Sets the longest body after Content-Encoding has been undone.",
		"0 sets no limit.",
		&intake_max_inflated_size, 0, INT_MAX, GUC_UNIT_KB},
	/* Each takes one of max_worker_processes. */
	{"pg_intake.max_loaders",
		"Sets how many uploads the gateway runs at once.",
		NULL, &intake_max_loaders, 1, 256, 0},
	{"pg_intake.max_queue",
		"Sets how many requests may wait for a loader.",
		"Others are answered 503.",
		&intake_max_queue, 0, 100000, 0},
	{"pg_intake.max_streams",
		"Sets how many requests one HTTP/2 connection may have at once.",
		NULL, &intake_max_streams, 1, 1000, 0},
	{"pg_intake.max_upload_duration",
		"Sets how long one upload may take.",
		"0 sets no limit.",
		&intake_max_upload_duration, 0, INT_MAX, GUC_UNIT_MS},
	/* Keeps clients that send a byte a second from holding on. */
	{"pg_intake.min_upload_rate",
		"Sets the slowest rate of a body, in bytes a second.",
		"0 sets no limit.",
		&intake_min_upload_rate, 0, INT_MAX, 0},
	{"pg_intake.queue_timeout",
		"Sets how long a request may wait for a loader.",
		NULL, &intake_queue_timeout, 0, INT_MAX, GUC_UNIT_MS},
	/* Longer than what most uploads take, shorter than what the stop may. */
	{"pg_intake.shutdown_grace",
		"Sets how long running uploads may go on when the server stops.",
		NULL, &intake_shutdown_grace, 0, INT_MAX, GUC_UNIT_MS},
	{"pg_intake.table_lock_timeout",
		"Sets how long an upload over HTTP waits for a table's lock.",
		"It is answered 423 then.",
		&intake_table_lock_timeout, 0, INT_MAX, GUC_UNIT_MS},
};

static void
define_numbers(void)
{
	int			i;

	for (i = 0; i < lengthof(numbers); i++)
	{
		const Number *it = &numbers[i];

		DefineCustomIntVariable(it->name, it->text, it->detail, it->variable,
								*it->variable, it->min, it->max, PGC_SIGHUP,
								it->flags, NULL, NULL, NULL);
	}
}

void
intake_worker_settings_define(void)
{
	define_numbers();
	DefineCustomStringVariable("pg_intake.database",
							   "Sets the database that the gateway writes to.",
							   NULL,
							   &intake_database, "postgres", PGC_SIGHUP, 0,
							   NULL, NULL, NULL);
	/* Anything but loopback wants TLS and an audience of the tokens. */
	DefineCustomStringVariable("pg_intake.listen_addresses",
							   "Sets the addresses that the gateway listens on.",
							   "A comma-separated list of host names and IP "
							   "addresses.",
							   &intake_listen_addresses, "localhost",
							   PGC_SIGHUP, GUC_LIST_INPUT, NULL, NULL, NULL);
	DefineCustomEnumVariable("pg_intake.log_requests",
							 "Sets which requests are logged.",
							 NULL,
							 &intake_log_requests, INTAKE_LOG_REQUESTS_ERRORS,
							 log_requests_words, PGC_SIGHUP, 0,
							 NULL, NULL, NULL);
	DefineCustomIntVariable("pg_intake.port",
							"Sets the port that the gateway listens on.",
							"0 turns the gateway off.",
							&intake_port, 0, 0, 65535, PGC_SIGHUP, 0,
							NULL, NULL, NULL);
	DefineCustomStringVariable("pg_intake.tls_certificate_file",
							   "Sets the file of the certificate chain, in PEM.",
							   "With it, the port speaks TLS only.",
							   &intake_tls_certificate_file, "", PGC_SIGHUP,
							   GUC_SUPERUSER_ONLY, NULL, NULL, NULL);
	DefineCustomStringVariable("pg_intake.tls_key_file",
							   "Sets the file of the certificate's private key.",
							   "Nobody but its owner may be able to read it.",
							   &intake_tls_key_file, "", PGC_SIGHUP,
							   GUC_SUPERUSER_ONLY, NULL, NULL, NULL);
}
