/*-------------------------------------------------------------------------
 *
 * h2.h
 *	  HTTP/2 on a client's connection, by nghttp2.
 *
 * A stream's window is given back when its bytes were passed on to a loader;
 * the connection's at once, so that one stream cannot stop the others.  What
 * that leaves in memory has a limit of its own (request.c).
 *
 * A client that floods us (resets, settings, pings, empty frames) is told
 * to calm down, and is gone.
 *
 *-------------------------------------------------------------------------
 */
#ifndef INTAKE_HTTP_H2_H
#define INTAKE_HTTP_H2_H

#ifdef POSTGRES_H
#error "the HTTP program knows nothing of PostgreSQL"
#endif

#include "http/client.h"

extern const ProtocolRoutine intake_h2_routine;

#endif							/* INTAKE_HTTP_H2_H */
