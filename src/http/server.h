/*-------------------------------------------------------------------------
 *
 * server.h
 *	  What all of the program shares: its loop, its settings, its state.
 *
 *-------------------------------------------------------------------------
 */
#ifndef INTAKE_HTTP_SERVER_H
#define INTAKE_HTTP_SERVER_H

#ifdef POSTGRES_H
#error "the HTTP program knows nothing of PostgreSQL"
#endif

#include <event2/event.h>
#include <openssl/ssl.h>
#include <stdbool.h>
#include <stddef.h>

#include "http/config.h"
#include "http/loader_pool.h"

typedef struct Server
{
	struct event_base *base;
	Config	   *config;			/* replaced by a reload */
	SSL_CTX    *tls;			/* NULL: we speak clear text */
	LoaderPool *pool;
	bool		is_ready;
	bool		is_writable;
	bool		is_ending;		/* connections close when they are idle */
	char		reason[256];	/* why it is not ready */
	int			nconnections;
	int			most_connections;	/* since memory was given back */
	int			nrequests;
	size_t		waiting_bytes;	/* of bodies that are at no loader */
	size_t		unread_bytes;	/* of answers that HTTP/2 clients do not read */
} Server;

#endif							/* INTAKE_HTTP_SERVER_H */
