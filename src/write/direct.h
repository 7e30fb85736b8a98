/*-------------------------------------------------------------------------
 *
 * direct.h
 *	  Which relations are written without SQL.
 *
 *-------------------------------------------------------------------------
 */
#ifndef INTAKE_DIRECT_H
#define INTAKE_DIRECT_H

#include "utils/rel.h"

/*
 * Whether rows may go into the relation through the table access method and
 * the executor's own routines, with the effect of an INSERT.
 */
extern bool intake_direct_applies(Relation rel);

#endif							/* INTAKE_DIRECT_H */
