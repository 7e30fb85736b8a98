/*-------------------------------------------------------------------------
 *
 * h1.h
 *	  HTTP/1.0 and HTTP/1.1 on a client's connection.
 *
 * One request at a time: what a client sends ahead waits in the transport's
 * buffer, and there is little room for it.  A body that is not read to its
 * end, and every malformed request, ends the connection.
 *
 *-------------------------------------------------------------------------
 */
#ifndef INTAKE_HTTP_H1_H
#define INTAKE_HTTP_H1_H

#ifdef POSTGRES_H
#error "the HTTP program knows nothing of PostgreSQL"
#endif

#include "http/client.h"

extern const ProtocolRoutine intake_h1_routine;

#endif							/* INTAKE_HTTP_H1_H */
