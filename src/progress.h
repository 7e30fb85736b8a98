/*-------------------------------------------------------------------------
 *
 * progress.h
 *	  What pg_stat_progress_copy shows of an upload.
 *
 * PostgreSQL has one such report a session.  An upload inside another
 * command that reports (of a trigger that COPY fires, for one, or of a query
 * that is uploaded) leaves it to that command.
 *
 *-------------------------------------------------------------------------
 */
#ifndef INTAKE_PROGRESS_H
#define INTAKE_PROGRESS_H

#include "source/source.h"

/* Begins the report of an upload into the relation. */
extern void intake_progress_begin(Oid relid, const IntakeSource *source);

/* Shows how far it is: records of the payload, and those set aside. */
extern void intake_progress_report(const IntakeSource *source, int64 records,
								   int64 rejected);

/*
 * Shows the same again after a subtransaction was rolled back, which ends
 * the report.
 */
extern void intake_progress_resume(void);

/* Ends the report, when it is that of this upload. */
extern void intake_progress_end(const IntakeSource *source);

#endif							/* INTAKE_PROGRESS_H */
