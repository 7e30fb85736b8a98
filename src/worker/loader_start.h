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
extern pgsocket intake_loader_listen(void);

/* Starts as many loaders as are wanted and allowed. */
extern void intake_loaders_start(int wanted);

/* Forgets loaders that have ended; true when one could not do its work. */
extern bool intake_loaders_reap(void);

/* Ends all of them. */
extern void intake_loaders_terminate(void);

/* How many there are. */
extern int	intake_loaders_count(void);

#endif							/* INTAKE_LOADER_START_H */
