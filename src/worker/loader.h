/*-------------------------------------------------------------------------
 *
 * loader.h
 *	  The worker that runs uploads that come over HTTP.
 *
 *-------------------------------------------------------------------------
 */
#ifndef INTAKE_LOADER_H
#define INTAKE_LOADER_H

/* Its main function; the argument is the slot in shared memory. */
extern PGDLLEXPORT void intake_loader_main(Datum argument);

#endif							/* INTAKE_LOADER_H */
