/*-------------------------------------------------------------------------
 *
 * route_connection.h
 *	  The partner connection that a path names.
 *
 *-------------------------------------------------------------------------
 */
#ifndef INTAKE_ROUTE_CONNECTION_H
#define INTAKE_ROUTE_CONNECTION_H

#include "worker/route.h"

/* What a route wants of header X-DL-Client-Id. */
typedef enum IntakeClientRule
{
	INTAKE_CLIENT_UNASKED,		/* nothing: it may not be linked yet */
	INTAKE_CLIENT_OPTIONAL,		/* right where it is sent; a client is linked */
	INTAKE_CLIENT_REQUIRED		/* the linked client's */
} IntakeClientRule;

/*
 * The bearer's connection, for a path "/provider/v1/connection/{id}/...".
 * Raises 42501 when the path's is another one, there or not, or when the
 * rule is broken; 22023 when a header that is required is missing.
 */
extern const IntakeConnection *
intake_route_connection(const IntakeHttpRequest *request,
						const IntakeCall *call, IntakeClientRule rule);

#endif							/* INTAKE_ROUTE_CONNECTION_H */
