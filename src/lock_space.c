/*-------------------------------------------------------------------------
 *
 * lock_space.c
 *	  The table lock, for those who write and those who define.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "miscadmin.h"
#include "storage/lock.h"

#include "lock_space.h"

void
intake_lock_table(Oid root, bool is_exclusive)
{
	LOCKTAG		tag;

	SET_LOCKTAG_ADVISORY(tag, MyDatabaseId, 0, root, INTAKE_LOCK_TABLE);
	(void) LockAcquire(&tag, is_exclusive ? ExclusiveLock : ShareLock,
					   false, false);
}
