/*-------------------------------------------------------------------------
 *
 * route_datalens.h
 *	  DataLens' endpoint: /provider/v1/connection/{connection_id}/...
 *
 *-------------------------------------------------------------------------
 */
#ifndef INTAKE_ROUTE_DATALENS_H
#define INTAKE_ROUTE_DATALENS_H

#include "registry/definition.h"
#include "worker/route.h"

/* Ends with one whose name is NULL. */
extern const IntakeRoute intake_routes_datalens[];

/*
 * The table of a path ".../table/{table_name}/...".  Raises 22023 for a name
 * that no table can have.
 */
extern const char *
intake_route_datalens_table(const IntakeHttpRequest *request);

/*
 * Reads a definition of the table that a client has sent, text in the
 * database's encoding.  Raises 22P02 and 22023 for what is none, or says that
 * it is another table's; what names it in messages.
 */
extern IntakeDefinition *intake_route_datalens_definition(const char *table,
														  const char *text,
														  const char *what);

/*
 * For a body that is one JSON object: raises IN415 unless the request says
 * so or says nothing.
 */
extern void
intake_route_datalens_check_json(const IntakeHttpRequest *request);

/*
 * Says of an error of a lock that was not to be had what a partner can know of
 * it.  Others stay as they are.
 */
extern void intake_route_datalens_reword(ErrorData *error, const char *table);

#endif							/* INTAKE_ROUTE_DATALENS_H */
