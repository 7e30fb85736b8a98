/*-------------------------------------------------------------------------
 *
 * client.c
 *	  A client's connection: its transport, its timer, and the protocol.
 *
 *-------------------------------------------------------------------------
 */
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "http/client.h"
#include "http/limits.h"
#include "http/log.h"
#include "http/metrics.h"

/* What is read and dropped behind an answer that came early. */
#define LINGER_MAX (64 * 1024)

static TAILQ_HEAD(ClientList, Client) clients =
TAILQ_HEAD_INITIALIZER(clients);

static void
free_client(Client *client)
{
	if (client->state != NULL)
		client->protocol->free(client->state);
	intake_metrics_bytes(client->transport->bytes_in - client->counted_in,
						 client->transport->bytes_out - client->counted_out);
	event_free(client->timer);
	event_free(client->work_event);
	intake_transport_free(client->transport);
	if (client->address.ss_family != AF_UNSPEC)
		intake_address_leave((struct sockaddr *) &client->address);
	client->server->nconnections--;
	TAILQ_REMOVE(&clients, client, link);
	free(client);
}

static void
count_bytes(Client *client)
{
	Transport  *transport = client->transport;

	intake_metrics_bytes(transport->bytes_in - client->counted_in,
						 transport->bytes_out - client->counted_out);
	client->counted_in = transport->bytes_in;
	client->counted_out = transport->bytes_out;
}

static void
log_bad_tls(Client *client, TransportEnd end)
{
	intake_metrics_reject(REJECT_TLS);
	if (end == TRANSPORT_CLEAR_TEXT)
		intake_log_limited(LOG_KIND_CLEAR_TO_TLS, NULL,
						   "refused clear text from %s at the TLS port",
						   client->peer.address);
	else
		intake_log_limited(LOG_KIND_BAD_TLS, NULL,
						   "could not agree on TLS with %s",
						   client->peer.address);
}

/*
 * To close now would send a reset, which may reach the client before it has
 * read our answer; with a full socket it has the time to look.
 */
static void
linger(Client *client)
{
	struct evbuffer *in = client->transport->in;

	client->discarded += evbuffer_get_length(in);
	evbuffer_drain(in, evbuffer_get_length(in));
	if (client->discarded > LINGER_MAX)
		intake_transport_pause(client->transport, true);
}

static void
take_input(void *owner)
{
	Client	   *client = owner;

	if (client->is_closing)
		return;
	count_bytes(client);
	if (client->is_lingering)
	{
		linger(client);
		return;
	}
	if (client->protocol == NULL)
	{
		client->protocol = client->chooser(client);
		if (client->protocol == NULL || client->is_closing)
			return;
		client->state = client->protocol->begin(client);
	}
	client->protocol->input(client->state);
}

static void
tell_drained(void *owner)
{
	Client	   *client = owner;

	if (!client->is_closing && !client->is_lingering &&
		client->protocol != NULL)
		client->protocol->drained(client->state);
}

static void
take_end(void *owner, TransportEnd end)
{
	Client	   *client = owner;

	if (client->is_closing)
		return;
	if (end == TRANSPORT_BAD_TLS || end == TRANSPORT_CLEAR_TEXT)
		log_bad_tls(client, end);
	if (client->protocol == NULL || client->is_lingering)
	{
		if (end != TRANSPORT_EOF ||
			evbuffer_get_length(client->transport->out) == 0)
			intake_client_close(client);
	}
	else
		client->protocol->ended(client->state, end);
}

static const TransportRoutine client_routine = {
	take_input, tell_drained, take_end
};

static void
handle_timer(evutil_socket_t fd, short what, void *arg)
{
	Client	   *client = arg;

	if (client->is_closing)
		return;
	if (client->is_lingering &&
		evbuffer_get_length(client->transport->out) > 0)
		intake_client_set_timer(client, 100);
	else if (client->is_lingering || client->protocol == NULL)
		intake_client_close(client);
	else
		client->protocol->timeout(client->state);
}

static void
handle_work(evutil_socket_t fd, short what, void *arg)
{
	Client	   *client = arg;

	if (client->is_closing)
		free_client(client);
	else if (client->protocol != NULL && !client->is_lingering)
		client->protocol->work(client->state);
}

static void
name_peer(Client *client, const struct sockaddr *address)
{
	char		host[NI_MAXHOST];
	char		port[NI_MAXSERV];
	socklen_t	len = address->sa_family == AF_INET6 ?
		sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in);

	memcpy(&client->address, address, len);
	if (getnameinfo(address, len, host, sizeof(host), port, sizeof(port),
					NI_NUMERICHOST | NI_NUMERICSERV) != 0)
		return;
	snprintf(client->peer.address, sizeof(client->peer.address),
			 address->sa_family == AF_INET6 ? "[%.50s]:%.6s" : "%.50s:%.6s",
			 host, port);
}

Client *
intake_client_new(Server *server, int fd, SSL *ssl,
				  const struct sockaddr *address, ProtocolChooser chooser)
{
	Client	   *client = calloc(1, sizeof(Client));
	const Limits *limits = &server->config->limits;

	if (client == NULL)
		abort();
	client->server = server;
	client->chooser = chooser;
	client->peer.is_tls = ssl != NULL;
	client->address.ss_family = AF_UNSPEC;
	if (address != NULL)
		name_peer(client, address);
	client->timer = event_new(server->base, -1, 0, handle_timer, client);
	client->work_event = event_new(server->base, -1, 0, handle_work, client);
	if (client->timer == NULL || client->work_event == NULL)
		abort();
	client->transport = intake_transport_new(server->base, fd, ssl,
											 limits->idle_timeout_ms,
											 &client_routine, client);
	server->nconnections++;
	if (server->nconnections > server->most_connections)
		server->most_connections = server->nconnections;
	TAILQ_INSERT_TAIL(&clients, client, link);
	intake_client_set_timer(client, limits->header_timeout_ms);
	return client;
}

void
intake_client_close(Client *client)
{
	client->is_closing = true;
	intake_transport_pause(client->transport, true);
	event_active(client->work_event, 0, 0);
}

void
intake_client_finish(Client *client)
{
	if (client->is_closing || client->is_lingering)
		return;
	client->is_lingering = true;
	intake_transport_finish(client->transport);
	if (client->transport->has_eof &&
		evbuffer_get_length(client->transport->out) == 0)
	{
		intake_client_close(client);
		return;
	}
	intake_transport_pause(client->transport, false);
	/* a little more than none, so that the answer is out */
	intake_client_set_timer(client,
							client->transport->has_eof ? 1 :
							client->server->config->limits.drain_ms + 1);
	linger(client);
}

void
intake_client_work_later(Client *client)
{
	event_active(client->work_event, 0, 0);
}

void
intake_client_set_timer(Client *client, int64_t ms)
{
	struct timeval time;

	if (ms <= 0)
	{
		event_del(client->timer);
		return;
	}
	time.tv_sec = ms / 1000;
	time.tv_usec = ms % 1000 * 1000;
	event_add(client->timer, &time);
}

void
intake_client_retire_all(void)
{
	Client	   *client;

	TAILQ_FOREACH(client, &clients, link)
	{
		if (client->protocol == NULL)
			intake_client_close(client);
		else if (!client->is_closing && !client->is_lingering)
			client->protocol->retire(client->state);
	}
}

void
intake_client_close_all(void)
{
	while (!TAILQ_EMPTY(&clients))
		free_client(TAILQ_FIRST(&clients));
}
