/*-------------------------------------------------------------------------
 *
 * gateway.h
 *	  The worker that owns the HTTP program.
 *
 *-------------------------------------------------------------------------
 */
#ifndef INTAKE_GATEWAY_H
#define INTAKE_GATEWAY_H

/* Registers the worker, from _PG_init() of a preloaded library. */
extern void intake_gateway_register(void);

/* Its main function. */
extern PGDLLEXPORT void intake_gateway_main(Datum argument);

#endif							/* INTAKE_GATEWAY_H */
