/*-------------------------------------------------------------------------
 *
 * loader_start.h
 *	  The gateway's view of its loaders.
 *
 *-------------------------------------------------------------------------
 */
#ifndef INTAKE_LOADER_START_H
#define INTAKE_LOADER_START_H

/* Where loaders find the HTTP program, below the data directory. */
#define INTAKE_LOADER_SOCKET "pg_stat_tmp/pg_intake.loaders"

/* A socket that listens there; raises an error when that is not possible. */
extern pgsocket intake_loaders_listen(void);

/* Starts as many loaders as are wanted and allowed, unless it is too early. */
extern void intake_loaders_start(int wanted);

/* What kept loaders from their work may be gone: it is not too early. */
extern void intake_loaders_retry(void);

/*
 * Takes note of loaders that have connected or ended.  Returns why there is
 * none that could do any work, or NULL when there is no such reason.
 */
extern const char *intake_loaders_look(void);

#endif							/* INTAKE_LOADER_START_H */
