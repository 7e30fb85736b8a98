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

#endif							/* INTAKE_TRUNCATE_H */
