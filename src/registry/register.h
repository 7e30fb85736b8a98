/*-------------------------------------------------------------------------
 *
 * register.h
 *	  Registration of a table by the extension itself.
 *
 *-------------------------------------------------------------------------
 */
#ifndef INTAKE_REGISTER_H
#define INTAKE_REGISTER_H

#include "nodes/pg_list.h"

/*
 * What intake.register_table() does with kind proxy and these keys (char *;
 * NIL: none), as the current user, who owns the table.  Public name, options
 * and mode stay as they are; indexes that it made for other keys are dropped.
 * The caller has locked the table as the statements on its indexes need it,
 * and closed it.
 */
extern void intake_register_proxy(Oid relid, List *replacing_key,
								  List *partition_key);

#endif							/* INTAKE_REGISTER_H */
