/*-------------------------------------------------------------------------
 *
 * client.h
 *	  A client's connection: its transport, its timer, and the protocol.
 *
 * The protocol is chosen when the first bytes are there.  Its routines are
 * called by the event loop, one at a time; intake_client_close() and
 * intake_client_finish() only note what is to be done, so that a protocol
 * may call them anywhere.
 *
 *-------------------------------------------------------------------------
 */
#ifndef INTAKE_HTTP_CLIENT_H
#define INTAKE_HTTP_CLIENT_H

#ifdef POSTGRES_H
#error "the HTTP program knows nothing of PostgreSQL"
#endif

#include <sys/queue.h>
#include <sys/socket.h>

#include "http/request.h"
#include "http/server.h"
#include "http/transport.h"

typedef struct Client Client;

typedef struct ProtocolRoutine
{
	void	   *(*begin) (Client *client);
	void		(*input) (void *state);
	void		(*drained) (void *state);
	void		(*ended) (void *state, TransportEnd end);
	void		(*timeout) (void *state);

	/* What intake_client_work_later() asked for. */
	void		(*work) (void *state);

	/* The server ends: close when nothing is under way. */
	void		(*retire) (void *state);
	void		(*free) (void *state);
} ProtocolRoutine;

/* NULL: the first bytes do not tell yet, or the client was closed. */
typedef const ProtocolRoutine *(*ProtocolChooser) (Client *client);

struct Client
{
	Server	   *server;
	Transport  *transport;
	Peer		peer;

	/* private */
	struct sockaddr_storage address;
	ProtocolChooser chooser;
	const ProtocolRoutine *protocol;
	void	   *state;
	struct event *timer;
	struct event *work_event;
	uint64_t	counted_in;
	uint64_t	counted_out;
	size_t		discarded;
	bool		is_lingering;
	bool		is_closing;
	TAILQ_ENTRY(Client) link;
};

/* Takes a connected descriptor; -1 is a fuzzer's. */
extern Client *intake_client_new(Server *server, int fd, SSL *ssl,
								 const struct sockaddr *address,
								 ProtocolChooser chooser);

/* Closes the connection as soon as control is back in the loop. */
extern void intake_client_close(Client *client);

/*
 * Sends what is to be sent, shuts our side down, takes and drops a little of
 * what the client still sends (else it would be told of a reset before it
 * has read our answer), closes.  The protocol is not called any more.
 */
extern void intake_client_finish(Client *client);

extern void intake_client_work_later(Client *client);

/* Calls timeout() once, after so long; 0: never. */
extern void intake_client_set_timer(Client *client, int64_t ms);

/* All clients are told to retire, or are closed at once. */
extern void intake_client_retire_all(void);
extern void intake_client_close_all(void);

#endif							/* INTAKE_HTTP_CLIENT_H */
