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

static void
set_table_tag(LOCKTAG *tag, Oid root)
{
	SET_LOCKTAG_ADVISORY(*tag, MyDatabaseId, 0, root, INTAKE_LOCK_TABLE);
}

void
intake_lock_table(Oid root, bool is_exclusive)
{
	LOCKTAG		tag;

	set_table_tag(&tag, root);
	(void) LockAcquire(&tag, is_exclusive ? ExclusiveLock : ShareLock,
					   false, false);
}

bool
intake_lock_try_table(Oid root)
{
	LOCKTAG		tag;

	set_table_tag(&tag, root);
	return LockAcquire(&tag, ExclusiveLock, false, true) !=
		LOCKACQUIRE_NOT_AVAIL;
}

void
intake_lock_release_table(Oid root)
{
	LOCKTAG		tag;

	set_table_tag(&tag, root);
	(void) LockRelease(&tag, ExclusiveLock, false);
}
