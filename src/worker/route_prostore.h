/*-------------------------------------------------------------------------
 *
 * route_prostore.h
 *	  Prostore's upload: /api/v1/datamarts/{datamart}/entities/{entity}/upload
 *
 *-------------------------------------------------------------------------
 */
#ifndef INTAKE_ROUTE_PROSTORE_H
#define INTAKE_ROUTE_PROSTORE_H

#include "worker/route.h"

/* Ends with a NULL name. */
extern const IntakeRoute intake_routes_prostore[];

#endif							/* INTAKE_ROUTE_PROSTORE_H */
