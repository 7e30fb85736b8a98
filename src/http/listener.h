/*-------------------------------------------------------------------------
 *
 * listener.h
 *	  The sockets that clients connect to.
 *
 *-------------------------------------------------------------------------
 */
#ifndef INTAKE_HTTP_LISTENER_H
#define INTAKE_HTTP_LISTENER_H

#ifdef POSTGRES_H
#error "the HTTP program knows nothing of PostgreSQL"
#endif

#include <jansson.h>

#include "http/server.h"

/* Called with a reference to {"listening": [...], "failed": [...]}. */
typedef void (*ListenReport) (json_t *report);

/*
 * Opens what the configuration names and closes what it does not; those that
 * stay are not touched.  Addresses that are in use are tried again, less and
 * less often.  Reports after each change.
 */
extern void intake_listener_configure(Server *server, ListenReport report);
extern void intake_listener_close_all(void);

#endif							/* INTAKE_HTTP_LISTENER_H */
