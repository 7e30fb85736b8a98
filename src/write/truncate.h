/*-------------------------------------------------------------------------
 *
 * truncate.h
 *	  Option truncate: the target is emptied before the rows are written.
 *
 *-------------------------------------------------------------------------
 */
#ifndef INTAKE_TRUNCATE_H
#define INTAKE_TRUNCATE_H

#include "write/write.h"

/*
 * Empties the target as writer->options->truncate says and counts the rows
 * (-1 after TRUNCATE).  The caller holds the table lock.
 */
extern void intake_truncate(IntakeWriter *writer);

/*
 * Empties one partition of the target by TRUNCATE; refused where that does
 * less than a DELETE would.  The caller holds the table lock.
 */
extern void intake_truncate_partition(IntakeWriter *writer, Oid partition);

#endif							/* INTAKE_TRUNCATE_H */
