/*-------------------------------------------------------------------------
 *
 * database_hook.h
 *	  Loaders make way for statements on their database.
 *
 *-------------------------------------------------------------------------
 */
#ifndef INTAKE_DATABASE_HOOK_H
#define INTAKE_DATABASE_HOOK_H

/* Called once, from _PG_init() of a preloaded library. */
extern void intake_database_hook_install(void);

#endif							/* INTAKE_DATABASE_HOOK_H */
