/*-------------------------------------------------------------------------
 *
 * route_v1.h
 *	  The native endpoint: /v1/tables/{schema}/{table}/...
 *
 *-------------------------------------------------------------------------
 */
#ifndef INTAKE_ROUTE_V1_H
#define INTAKE_ROUTE_V1_H

#include "worker/route.h"

/* Ends with a NULL name. */
extern const IntakeRoute intake_routes_v1[];

#endif							/* INTAKE_ROUTE_V1_H */
