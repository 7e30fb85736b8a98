/*-------------------------------------------------------------------------
 *
 * lock.c
 *	  The table lock of ours.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "miscadmin.h"
#include "storage/lock.h"

#include "lock_space.h"
#include "write/lock.h"

void
intake_table_lock(const IntakeTarget *target, bool is_exclusive)
{
	LOCKTAG		tag;

	SET_LOCKTAG_ADVISORY(tag, MyDatabaseId, 0, target->root,
						 INTAKE_LOCK_TABLE);
	(void) LockAcquire(&tag, is_exclusive ? ExclusiveLock : ShareLock,
					   false, false);
}
