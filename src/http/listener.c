/*-------------------------------------------------------------------------
 *
 * listener.c
 *	  The sockets that clients connect to.
 *
 *-------------------------------------------------------------------------
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "http/client.h"
#include "http/limits.h"
#include "http/listener.h"
#include "http/log.h"
#include "http/metrics.h"
#include "http/protocol.h"
#include "http/tls.h"

#define MAX_LISTENERS CONFIG_MAX_LISTEN
#define BACKLOG 1024
#define ACCEPTS_A_TURN 64
#define RETRY_FIRST_MS 100
#define RETRY_LAST_MS 10000
#define REST_MS 100

#define TURN_AWAY(status) \
	"HTTP/1.1 " status "\r\nretry-after: 1\r\n" \
	"content-length: 0\r\nconnection: close\r\n\r\n"

/* For a crowd, and for one client that is too many by itself. */
static const char busy_answer[] = TURN_AWAY("503 Service Unavailable");
static const char address_answer[] = TURN_AWAY("429 Too Many Requests");

typedef struct Listener
{
	char		name[80];		/* "127.0.0.1:9090"; "" is a free place */
	struct sockaddr_storage address;
	socklen_t	address_len;
	int			fd;				/* -1: not bound yet */
	int			fault;			/* errno of the last try */
	int64_t		retry_ms;
	struct event *event;		/* accepts, or tries again */
	Server	   *server;
} Listener;

static Listener listeners[MAX_LISTENERS];
static ListenReport tell;

static void
report_all(void)
{
	json_t	   *listening = json_array();
	json_t	   *failed = json_array();

	for (int i = 0; i < MAX_LISTENERS; i++)
	{
		const Listener *one = &listeners[i];

		if (one->name[0] == '\0')
			continue;
		if (one->fd >= 0)
			json_array_append_new(listening, json_string(one->name));
		else
			json_array_append_new(failed, json_pack("{s:s, s:s}",
													"address", one->name,
													"error",
													strerror(one->fault)));
	}
	tell(json_pack("{s:o, s:o}", "listening", listening, "failed", failed));
}

/*
 * Accepting
 */

static void
turn_away(Server *server, int fd, const char *answer)
{
	/* best effort: the socket's buffer is empty */
	if (server->tls == NULL)
		send(fd, answer, strlen(answer), MSG_NOSIGNAL | MSG_DONTWAIT);
	close(fd);
}

static void
begin_client(Server *server, int fd, const struct sockaddr *address)
{
	const Limits *limits = &server->config->limits;
	int			one = 1;
	SSL		   *ssl = NULL;

	if (server->nconnections >= limits->max_connections)
	{
		intake_metrics_reject(REJECT_CONNECTIONS);
		intake_log_limited(LOG_KIND_TOO_MANY, NULL, "too many connections");
		turn_away(server, fd, busy_answer);
		return;
	}
	if (!intake_address_enter(address,
							  (int) limits->max_connections_per_address))
	{
		intake_metrics_reject(REJECT_ADDRESS);
		intake_log_limited(LOG_KIND_TOO_MANY, NULL,
						   "too many connections from one address");
		turn_away(server, fd, address_answer);
		return;
	}
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &one, sizeof(one));
	if (server->tls != NULL)
	{
		ssl = intake_tls_accept(server->tls, fd);
		if (ssl == NULL)
		{
			intake_address_leave(address);
			close(fd);
			return;
		}
	}
	intake_client_new(server, fd, ssl, address, intake_protocol_choose);
}

static void watch_listener(Listener *listener, short what, int64_t ms);

static void
accept_clients(Listener *listener)
{
	for (int i = 0; i < ACCEPTS_A_TURN; i++)
	{
		struct sockaddr_storage address;
		socklen_t	len = sizeof(address);
		int			fd = accept4(listener->fd, (struct sockaddr *) &address,
								 &len, SOCK_NONBLOCK | SOCK_CLOEXEC);

		if (fd >= 0)
			begin_client(listener->server, fd, (struct sockaddr *) &address);
		else if (errno == EAGAIN || errno == EWOULDBLOCK)
			return;
		else if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS ||
				 errno == ENOMEM)
		{
			intake_log_limited(LOG_KIND_TOO_MANY, strerror(errno),
							   "could not accept a connection");
			watch_listener(listener, 0, REST_MS);
			return;
		}
	}
}

/*
 * Binding
 */

/* Returns a listening socket, or -1 and errno. */
static int
bind_listener(const Listener *listener)
{
	int			family = listener->address.ss_family;
	int			one = 1;
	int			fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC,
							0);
	int			fault;

	if (fd < 0)
		return -1;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof(one));
	if (bind(fd, (const struct sockaddr *) &listener->address,
			 listener->address_len) == 0 && listen(fd, BACKLOG) == 0)
		return fd;
	fault = errno;
	close(fd);
	errno = fault;
	return -1;
}

static void
try_listener(Listener *listener)
{
	listener->fd = bind_listener(listener);
	if (listener->fd >= 0)
	{
		watch_listener(listener, EV_READ, 0);
		return;
	}
	listener->fault = errno;
	if (listener->retry_ms == 0)
	{
		intake_log(LOG_LEVEL_LOG, strerror(listener->fault),
				   "could not listen on %s, will try again", listener->name);
		listener->retry_ms = RETRY_FIRST_MS;
	}
	else if (listener->retry_ms < RETRY_LAST_MS)
		listener->retry_ms *= 2;
	watch_listener(listener, 0, listener->retry_ms);
}

static void
handle_listener(evutil_socket_t fd, short what, void *arg)
{
	Listener   *listener = arg;

	if (listener->fd >= 0 && (what & EV_TIMEOUT))
		watch_listener(listener, EV_READ, 0);
	else if (listener->fd >= 0)
		accept_clients(listener);
	else
	{
		try_listener(listener);
		if (listener->fd >= 0)
			report_all();
	}
}

/* Waits for connections, or for a time. */
static void
watch_listener(Listener *listener, short what, int64_t ms)
{
	struct timeval time;

	time.tv_sec = ms / 1000;
	time.tv_usec = ms % 1000 * 1000;
	if (listener->event != NULL)
		event_free(listener->event);
	listener->event = event_new(listener->server->base,
								what ? listener->fd : -1,
								what ? what | EV_PERSIST : 0,
								handle_listener, listener);
	if (listener->event == NULL)
		abort();
	event_add(listener->event, what ? NULL : &time);
}

static void
close_listener(Listener *listener)
{
	if (listener->event != NULL)
		event_free(listener->event);
	if (listener->name[0] != '\0' && listener->fd >= 0)
		close(listener->fd);
	memset(listener, 0, sizeof(*listener));
}

/*
 * Configuration
 */

static bool
read_address(Listener *listener, const char *text, int port)
{
	struct sockaddr_in *four = (struct sockaddr_in *) &listener->address;
	struct sockaddr_in6 *six = (struct sockaddr_in6 *) &listener->address;

	if (inet_pton(AF_INET, text, &four->sin_addr) == 1)
	{
		four->sin_family = AF_INET;
		four->sin_port = htons((uint16_t) port);
		listener->address_len = sizeof(*four);
		return true;
	}
	if (inet_pton(AF_INET6, text, &six->sin6_addr) != 1)
		return false;
	six->sin6_family = AF_INET6;
	six->sin6_port = htons((uint16_t) port);
	listener->address_len = sizeof(*six);
	return true;
}

static void
name_listener(char *name, size_t size, const char *text, int port)
{
	snprintf(name, size, strchr(text, ':') ? "[%.60s]:%d" : "%.60s:%d",
			 text, port);
}

static Listener *
find_listener(const char *name)
{
	for (int i = 0; i < MAX_LISTENERS; i++)
	{
		if (strcmp(listeners[i].name, name) == 0)
			return &listeners[i];
	}
	return NULL;
}

static void
open_listener(Server *server, const char *text, int port)
{
	char		name[sizeof(listeners[0].name)];
	Listener   *listener;

	name_listener(name, sizeof(name), text, port);
	if (find_listener(name) != NULL)
		return;
	listener = find_listener("");
	if (listener == NULL)
		return;
	if (!read_address(listener, text, port))
	{
		intake_log(LOG_LEVEL_WARNING, NULL,
				   "cannot listen on \"%.60s\": it is no address", text);
		return;
	}
	strcpy(listener->name, name);
	listener->server = server;
	try_listener(listener);
}

static bool
is_wanted(const Listener *listener, const Config *config)
{
	char		name[sizeof(listener->name)];

	for (int i = 0; config->port != 0 && i < config->nlisten; i++)
	{
		name_listener(name, sizeof(name), config->listen[i], config->port);
		if (strcmp(name, listener->name) == 0)
			return true;
	}
	return false;
}

void
intake_listener_configure(Server *server, ListenReport report)
{
	const Config *config = server->config;

	tell = report;
	for (int i = 0; i < MAX_LISTENERS; i++)
	{
		if (listeners[i].name[0] != '\0' && !is_wanted(&listeners[i], config))
			close_listener(&listeners[i]);
	}
	for (int i = 0; config->port != 0 && i < config->nlisten; i++)
		open_listener(server, config->listen[i], config->port);
	report_all();
}

void
intake_listener_close_all(void)
{
	for (int i = 0; i < MAX_LISTENERS; i++)
		close_listener(&listeners[i]);
}
