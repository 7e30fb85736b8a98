/*-------------------------------------------------------------------------
 *
 * protocol.h
 *	  Which protocol a client speaks.
 *
 *-------------------------------------------------------------------------
 */
#ifndef INTAKE_HTTP_PROTOCOL_H
#define INTAKE_HTTP_PROTOCOL_H

#ifdef POSTGRES_H
#error "the HTTP program knows nothing of PostgreSQL"
#endif

#include "http/client.h"

/*
 * Chooses by ALPN, else by the first bytes: the preface of HTTP/2, or a
 * request of HTTP/1.1.  TLS where none is spoken is logged and closed.
 */
extern const ProtocolRoutine *intake_protocol_choose(Client *client);

#endif							/* INTAKE_HTTP_PROTOCOL_H */
