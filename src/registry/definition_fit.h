/*-------------------------------------------------------------------------
 *
 * definition_fit.h
 *	  Whether a partner's table still is what its definition says.
 *
 *-------------------------------------------------------------------------
 */
#ifndef INTAKE_DEFINITION_FIT_H
#define INTAKE_DEFINITION_FIT_H

#include "registry/definition.h"

/*
 * How far the table is from its stored definition: SAME; KEYS, when it was
 * registered with others; SCHEMA, when a column is gone.  Columns that were
 * added, and types that were changed, are the users' own business.  Takes no
 * lock that lasts.
 */
extern IntakeChange intake_definition_fit_check(Oid relid,
												const IntakeDefinition *stored);

/* Raises 55000, with the reason, unless that is SAME. */
extern void intake_definition_fit_require(Oid relid,
										  const IntakeDefinition *stored);

#endif							/* INTAKE_DEFINITION_FIT_H */
