/*-------------------------------------------------------------------------
 *
 * route_datalens_data.h
 *	  DataLens' data methods: /provider/v1/connection/{}/table/{}/data
 *
 *-------------------------------------------------------------------------
 */
#ifndef INTAKE_ROUTE_DATALENS_DATA_H
#define INTAKE_ROUTE_DATALENS_DATA_H

#include "worker/route.h"

/* Headers of the two. */
extern const IntakeRouteHeader intake_route_datalens_write_headers[];
extern const IntakeRouteHeader intake_route_datalens_delete_headers[];

/* POST: writes rows. */
extern void intake_route_datalens_write(const IntakeHttpRequest *request,
										IntakeCall *call,
										IntakeAnswer *answer);

/* DELETE: deletes the partitions that the body lists. */
extern void intake_route_datalens_delete(const IntakeHttpRequest *request,
										 IntakeCall *call,
										 IntakeAnswer *answer);

#endif							/* INTAKE_ROUTE_DATALENS_DATA_H */
