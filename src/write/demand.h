/*-------------------------------------------------------------------------
 *
 * demand.h
 *	  What the domains of a relation's columns demand of values.
 *
 *-------------------------------------------------------------------------
 */
#ifndef INTAKE_DEMAND_H
#define INTAKE_DEMAND_H

#include "access/tupdesc.h"
#include "nodes/pg_list.h"

typedef struct IntakeDemands
{
	List	   *domains;		/* OIDs: all that were looked at */
	List	   *checks;			/* OIDs of constraints */
	List	   *not_null;		/* of domains */
} IntakeDemands;

/* What is demanded now, in the current memory context. */
extern IntakeDemands *intake_demands_find(TupleDesc desc);

/* Whether values that met the first may be some that do not meet the second. */
extern bool intake_demands_differ(const IntakeDemands *before,
								  const IntakeDemands *now);

#endif							/* INTAKE_DEMAND_H */
