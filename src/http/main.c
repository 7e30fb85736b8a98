/*-------------------------------------------------------------------------
 *
 * main.c
 *	  pg_intake_http: HTTP in front of the loaders of pg_intake.
 *
 *		clients --- pg_intake_http --- loaders
 *						|
 *					 gateway
 *
 * The gateway starts us with descriptor 3 connected to it and descriptor 4
 * listening for loaders.  We have nothing else: certificate and key come
 * through the control socket, the log goes there.  We end when it does.
 *
 *-------------------------------------------------------------------------
 */
#include <fcntl.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif
#include <openssl/rand.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "http/client.h"
#include "http/confine.h"
#include "http/control.h"
#include "http/limits.h"
#include "http/listener.h"
#include "http/log.h"
#include "http/own_route.h"
#include "http/tls.h"

#define CONTROL_FD 3
#define LOADERS_FD 4
#define OTHER_FDS 5
#define CROWD 64

static Server server;
static struct event *report_event;
static struct event *end_event;
static int64_t end_deadline;
static char *last_report;

static void
report_listening(json_t *report)
{
	intake_control_send(INTAKE_FRAME_LISTENING, report);
}

static void
report_wanted(void *arg, int n)
{
	intake_control_send(INTAKE_FRAME_WANTED, json_pack("{s:i}", "wanted", n));
}

/*
 * What a crowd has needed goes back to the kernel when half of it has left:
 * malloc() keeps what lies below any small piece that is in use.
 */
static void
give_memory_back(void)
{
	if (server.most_connections < CROWD ||
		server.nconnections > server.most_connections / 2)
		return;
	server.most_connections = server.nconnections;
#ifdef __GLIBC__
	malloc_trim(0);
#endif
}

/* Counters go when they have changed. */
static void
report_counters(evutil_socket_t fd, short what, void *arg)
{
	Gauges		gauges;
	json_t	   *object;
	char	   *text;

	give_memory_back();
	intake_own_gauges(&server, &gauges);
	object = intake_metrics_json(&gauges);
	text = json_dumps(object, JSON_COMPACT);
	if (text != NULL && (last_report == NULL ||
						 strcmp(last_report, text) != 0))
	{
		free(last_report);
		last_report = text;
		intake_control_send(INTAKE_FRAME_COUNTERS, object);
		return;
	}
	free(text);
	json_decref(object);
}

/*
 * Configuration
 */

/* A bad pair: the old one stays; when there is none, nobody is served. */
static void
configure_tls(Config *config)
{
	char		why[256];
	SSL_CTX    *tls = NULL;

	if (config->is_tls)
	{
		tls = intake_tls_new(config->certificate, config->key, why,
							 sizeof(why));
		if (tls == NULL)
		{
			intake_log(LOG_LEVEL_WARNING, why,
					   "could not load the certificate and its key");
			if (server.tls == NULL)
				config->port = 0;
			return;
		}
	}
	SSL_CTX_free(server.tls);
	server.tls = tls;
}

static void
configure(const IntakeFrame *frame)
{
	char		why[128];
	Config	   *config = intake_config_read(frame->payload, frame->len, why,
											sizeof(why));
	const Limits *limits;

	if (config == NULL)
	{
		intake_log(LOG_LEVEL_WARNING, why,
				   "the gateway sent a configuration that does not fit");
		return;
	}
	configure_tls(config);
	if (server.config == NULL)
		server.is_ready = config->is_ready;
	intake_config_free(server.config);
	server.config = config;
	limits = &config->limits;
	intake_pool_set_limits(server.pool, (int) limits->max_loaders,
						   (int) limits->max_queue, limits->queue_timeout_ms,
						   (size_t) limits->buffer_bytes);
	server.is_ending = config->port == 0;
	intake_listener_configure(&server, report_listening);
	if (server.is_ending)
		intake_client_retire_all();
}

static void
update(const json_t *object)
{
	const char *reason = json_string_value(json_object_get(object, "reason"));

	server.is_ready = !json_is_false(json_object_get(object, "ready"));
	server.is_writable = !json_is_false(json_object_get(object, "writable"));
	snprintf(server.reason, sizeof(server.reason), "%s",
			 reason != NULL ? reason : "");
	intake_pool_review(server.pool);
}

/*
 * The end
 */

/* Ends when nothing is under way, or the time is over. */
static void
look_for_end(evutil_socket_t fd, short what, void *arg)
{
	if ((server.nrequests == 0 && server.nconnections == 0) ||
		intake_clock_ms() >= end_deadline)
		event_base_loopbreak(server.base);
}

static void
finish(const json_t *object)
{
	json_int_t	grace = json_integer_value(json_object_get(object, "grace_ms"));
	struct timeval often = {0, 20000};

	server.is_ending = true;
	end_deadline = intake_clock_ms() + (grace > 0 ? grace : 0);
	intake_listener_close_all();
	intake_client_retire_all();
	if (end_event == NULL)
		end_event = event_new(server.base, -1, EV_PERSIST, look_for_end,
							  NULL);
	if (end_event == NULL)
		abort();
	event_add(end_event, &often);
}

static void
take_frame(const IntakeFrame *frame)
{
	json_t	   *object;

	if (frame->type == INTAKE_FRAME_CONFIGURE)
	{
		configure(frame);
		return;
	}
	object = json_loadb(frame->payload, frame->len, 0, NULL);
	if (frame->type == INTAKE_FRAME_UPDATE && server.config != NULL)
		update(object);
	else if (frame->type == INTAKE_FRAME_FINISH)
		finish(object);
	json_decref(object);
}

/* Nobody is left whom we could serve: loaders hear it by our end. */
static void
end_now(void)
{
	_exit(0);
}

static const ControlRoutine control_routine = {take_frame, end_now};

/*
 * The start
 */

static void
die(const char *why)
{
	fprintf(stderr, "pg_intake_http: %s\n", why);
	exit(1);
}

static void
begin_loop(void)
{
	struct event_config *config = event_config_new();
	struct timeval second = {1, 0};

	if (config == NULL)
		die("out of memory");
	event_config_set_flag(config, EVENT_BASE_FLAG_IGNORE_ENV |
						  EVENT_BASE_FLAG_NOLOCK);
	server.base = event_base_new_with_config(config);
	event_config_free(config);
	if (server.base == NULL)
		die("no event loop");
	intake_control_open(server.base, CONTROL_FD, &control_routine);
	server.pool = intake_pool_new(server.base, LOADERS_FD, report_wanted,
								  NULL);
	server.is_writable = true;
	report_event = event_new(server.base, -1, EV_PERSIST, report_counters,
							 NULL);
	if (report_event == NULL)
		die("out of memory");
	event_add(report_event, &second);
}

/* What libraries read from files is read before there are none. */
static void
warm_up(void)
{
	unsigned char byte;

	OPENSSL_init_ssl(OPENSSL_INIT_LOAD_SSL_STRINGS, NULL);
	if (RAND_bytes(&byte, 1) != 1)
		die("no random numbers");
}

/* The last counters are those of connections that have just been closed. */
static void
clean_up(void)
{
	intake_listener_close_all();
	intake_client_close_all();
	report_counters(-1, 0, NULL);
	intake_control_close();
}

int
main(int argc, char **argv)
{
	bool		is_confined = true;

	if (argc == 2 && strcmp(argv[1], "--unconfined") == 0)
		is_confined = false;	/* for valgrind, which needs files */
	else if (argc != 1)
		die("the gateway of pg_intake starts this program; "
			"it takes no arguments");
	if (fcntl(CONTROL_FD, F_SETFL, O_NONBLOCK) != 0 ||
		fcntl(LOADERS_FD, F_SETFL, O_NONBLOCK) != 0)
		die("the gateway of pg_intake starts this program");
	if (is_confined)
		intake_confine_begin(OTHER_FDS);
	/* a client that goes away while we write is no reason to die */
	signal(SIGPIPE, SIG_IGN);
	warm_up();
	begin_loop();
	if (is_confined)
		intake_confine();
	event_base_dispatch(server.base);
	clean_up();
	return 0;
}
