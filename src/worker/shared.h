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

#include "worker/stat.h"

/* Loaders that there can be at all; pg_intake.max_loaders is at most this. */
#define INTAKE_MAX_LOADERS 256

typedef struct IntakeLoaderSlot
{
	int			pid;			/* 0: not running */
	Oid			database;
	bool		has_connected;	/* to the HTTP program, at some time */
	bool		is_busy;		/* with a request */
	bool		must_retire;	/* its database is wanted by somebody */
	bool		must_end;		/* even when it is busy: FORCE */
	Latch	   *latch;
} IntakeLoaderSlot;

typedef struct IntakeShared
{
	LWLock	   *lock;			/* of all below */
	IntakeLoaderSlot loaders[INTAKE_MAX_LOADERS];
	IntakeStat	stat;
} IntakeShared;

/* NULL when the library was not preloaded. */
extern IntakeShared *intake_shared;

/* Asks for the memory, from _PG_init() of a preloaded library. */
extern void intake_shared_request(void);

/*
 * Enters the loader into the slot that it was started for; false when another
 * has it, which a gateway before this one had started but not seen start.
 */
extern bool intake_shared_enter(int slot);

/*
 * Asks the loaders of a database to retire, those that are busy too when it
 * is to be dropped by force.  Returns how many are left, but for busy ones
 * that were not asked.
 */
extern int	intake_shared_retire(Oid database, bool is_forced);

#endif							/* INTAKE_SHARED_H */
