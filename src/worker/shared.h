/*-------------------------------------------------------------------------
 *
 * shared.h
 *	  What gateway, loaders and other sessions know of each other.
 *
 * One struct in shared memory, which exists only when the library is
 * preloaded.
 *
 *-------------------------------------------------------------------------
 */
#ifndef INTAKE_SHARED_H
#define INTAKE_SHARED_H

#include "storage/latch.h"
#include "storage/lwlock.h"

/* Loaders that there can be at all; pg_intake.max_loaders is at most this. */
#define INTAKE_MAX_LOADERS 256

typedef struct IntakeLoaderSlot
{
	int			pid;			/* 0: not running */
	Oid			database;
	bool		has_connected;	/* to the HTTP program */
	Latch	   *latch;
} IntakeLoaderSlot;

typedef struct IntakeShared
{
	LWLock	   *lock;			/* of all below */
	int			gateway_pid;	/* 0: none */
	Latch	   *gateway_latch;
	IntakeLoaderSlot loaders[INTAKE_MAX_LOADERS];
} IntakeShared;

/* NULL when the library was not preloaded. */
extern IntakeShared *intake_shared;

/* Asks for the memory, from _PG_init() of a preloaded library. */
extern void intake_shared_request(void);

/* Enters the loader into the slot that it was started for. */
extern void intake_shared_enter(int slot);

#endif							/* INTAKE_SHARED_H */
