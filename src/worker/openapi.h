/*-------------------------------------------------------------------------
 *
 * openapi.h
 *	  The description of all routes.
 *
 *-------------------------------------------------------------------------
 */
#ifndef INTAKE_OPENAPI_H
#define INTAKE_OPENAPI_H

#include "worker/route.h"

/* GET /openapi.json; ends with a NULL name. */
extern const IntakeRoute intake_routes_openapi[];

#endif							/* INTAKE_OPENAPI_H */
