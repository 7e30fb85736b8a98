/*-------------------------------------------------------------------------
 *
 * route_target.h
 *	  The registered target that a path names.
 *
 *-------------------------------------------------------------------------
 */
#ifndef INTAKE_ROUTE_TARGET_H
#define INTAKE_ROUTE_TARGET_H

#include "lib/stringinfo.h"
#include "registry/entity.h"

/*
 * The table, which is registered and in a schema that the current user may
 * use; raises IN404 for any other, whatever the reason is, and 42501 when the
 * user may not use pg_intake.
 */
extern const IntakeEntity *intake_route_table(const char *schema,
											  const char *table);

/* The same by public name. */
extern const IntakeEntity *intake_route_entity(const char *datamart,
											   const char *entity);

/*
 * Appends member "warnings" to the answer's object when the request's sys_op,
 * which the route calls name, asks for deletes where the kind has none.
 */
extern void intake_route_append_warnings(StringInfo json,
										 const IntakeEntity *entity,
										 const char *name, int sys_op);

#endif							/* INTAKE_ROUTE_TARGET_H */
