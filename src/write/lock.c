/*-------------------------------------------------------------------------
 *
 * lock.c
 *	  The table lock of ours.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "lock_space.h"
#include "write/lock.h"

void
intake_table_lock(const IntakeTarget *target, bool is_exclusive)
{
	intake_lock_table(target->root, is_exclusive);
}
