/*-------------------------------------------------------------------------
 *
 * route_iam.h
 *	  The exchange of a partner's JWT or OAuth token for an opaque token.
 *
 *-------------------------------------------------------------------------
 */
#ifndef INTAKE_ROUTE_IAM_H
#define INTAKE_ROUTE_IAM_H

#include "worker/route.h"

/* Ends with a NULL name. */
extern const IntakeRoute intake_routes_iam[];

#endif							/* INTAKE_ROUTE_IAM_H */
