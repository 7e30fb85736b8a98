/*-------------------------------------------------------------------------
 *
 * own_route.h
 *	  Health and metrics, answered without a loader.
 *
 *-------------------------------------------------------------------------
 */
#ifndef INTAKE_HTTP_OWN_ROUTE_H
#define INTAKE_HTTP_OWN_ROUTE_H

#ifdef POSTGRES_H
#error "the HTTP program knows nothing of PostgreSQL"
#endif

#include "http/metrics.h"
#include "http/server.h"

/* What the metrics show of the present state. */
extern void intake_own_gauges(const Server *server, Gauges *gauges);

#endif							/* INTAKE_HTTP_OWN_ROUTE_H */
