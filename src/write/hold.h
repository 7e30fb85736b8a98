/*-------------------------------------------------------------------------
 *
 * hold.h
 *	  The lock on the target, which is let go while its payload is waited for.
 *
 * As long as nothing has been written, a slow client must not keep others
 * from the target: not an ALTER TABLE, and not those who queue behind it.  So
 * the lock is there whenever the engine runs, and not while a source waits.
 * What may have been changed meanwhile is looked at when it is taken again.
 *
 *-------------------------------------------------------------------------
 */
#ifndef INTAKE_HOLD_H
#define INTAKE_HOLD_H

#include "rewrite/prs2lock.h"
#include "storage/lockdefs.h"
#include "utils/rel.h"
#include "utils/resowner.h"

typedef struct IntakeHold
{
	Relation	rel;			/* stays open */
	LOCKMODE	mode;
	ResourceOwner owner;		/* of the lock */
	TupleDesc	desc;			/* what rel was when it was opened */
	RuleLock   *rules;
	Oid			schema;
	NameData	name;
	bool		is_partition;
	Oid			root;			/* of the partition tree */

	/* from the first release on */
	bool		was_released;
	const char *schema_name;
	struct IntakeDemands *demands;	/* of the columns' domains */
} IntakeHold;

/*
 * rel has just been opened, with a lock of the mode; root is that of its
 * partition tree.
 */
extern IntakeHold *intake_hold_make(Relation rel, Oid root, LOCKMODE mode);

/*
 * Lets the lock go, but none that the transaction had before, and takes it
 * again.  Raises 42P01 when the target has been dropped meanwhile, 40001 when
 * it is not what it was.
 */
extern void intake_hold_release(IntakeHold *hold);
extern void intake_hold_regain(IntakeHold *hold);

/*
 * Of a hold that was released, before anything is written, under the lock:
 * raises 40001 when something else is not what it was at the first release.
 */
extern void intake_hold_settle(IntakeHold *hold);

/* Changes the lock for a stronger one; never has both, so cannot deadlock. */
extern void intake_hold_exchange(IntakeHold *hold, LOCKMODE mode);

/* Raises 40001: the target is not what it was. */
extern void intake_hold_report_changed(Relation rel);

#endif							/* INTAKE_HOLD_H */
