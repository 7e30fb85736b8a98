/*-------------------------------------------------------------------------
 *
 * reject_record.h
 *	  The stored rejects of operations.
 *
 * They lie in the same time slice as their operation's record and go with
 * it.  sys_cn says whose they are: no two runs of an operation share one.
 *
 *-------------------------------------------------------------------------
 */
#ifndef INTAKE_REJECT_RECORD_H
#define INTAKE_REJECT_RECORD_H

#include "access/tupdesc.h"
#include "utils/tuplestore.h"

/* Columns of intake.reject, in the order of the table. */
enum
{
	REJECT_SYS_CN = 1,
	REJECT_TARGET,
	REJECT_RECORD,
	REJECT_LINE_NUMBER,
	REJECT_LINE,
	REJECT_COLUMN,
	REJECT_VALUE,
	REJECT_MESSAGE,
	REJECT_DETAIL,
	REJECT_SQLSTATE,
	REJECT_COLUMNS = REJECT_SQLSTATE
};

/* A descriptor like the table's, in the current memory context. */
extern TupleDesc intake_reject_record_desc(void);

/*
 * Writes the rows of a store, which have the descriptor above, into a slice;
 * their sys_cn and target are set.
 */
extern void intake_reject_record_write(int slice, int64 sys_cn, Oid target,
									   Tuplestorestate *store,
									   TupleDesc desc);

/* Deletes the rejects of an operation from a slice. */
extern void intake_reject_record_forget(int slice, int64 sys_cn);

#endif							/* INTAKE_REJECT_RECORD_H */
