/*-------------------------------------------------------------------------
 *
 * gateway_listen.h
 *	  The addresses that the gateway may listen on.
 *
 *-------------------------------------------------------------------------
 */
#ifndef INTAKE_GATEWAY_LISTEN_H
#define INTAKE_GATEWAY_LISTEN_H

#include "lib/stringinfo.h"

/*
 * Appends member "listen": the addresses of pg_intake.listen_addresses, as
 * numbers.  Those of a network are left out, with a message in the log, when
 * the settings would let anybody in there: without tokens, or with tokens
 * that may have been made for another service (no audience).
 */
extern void intake_gateway_listen_append(StringInfo json);

#endif							/* INTAKE_GATEWAY_LISTEN_H */
