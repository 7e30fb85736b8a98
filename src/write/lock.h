/*-------------------------------------------------------------------------
 *
 * lock.h
 *	  The table lock of ours: uploads among themselves.
 *
 * It is on the root of the target's partition tree, until the transaction
 * ends.  Readers and writers that are no uploads never meet it.
 *
 *-------------------------------------------------------------------------
 */
#ifndef INTAKE_LOCK_H
#define INTAKE_LOCK_H

#include "registry/target.h"

/*
 * Waits for the lock; lock_timeout applies.  Shared by appends and merges of
 * one batch, exclusive for everything else.
 */
extern void intake_table_lock(const IntakeTarget *target, bool is_exclusive);

#endif							/* INTAKE_LOCK_H */
