/*-------------------------------------------------------------------------
 *
 * dry_run.h
 *	  An operation that is done and undone.
 *
 *-------------------------------------------------------------------------
 */
#ifndef INTAKE_DRY_RUN_H
#define INTAKE_DRY_RUN_H

#include "ingest.h"

typedef void (*IntakeWork) (const IntakeRequest *request,
							IntakeOperation *operation);

/*
 * Does the work, checks deferred constraints as a commit would, and undoes
 * everything; a NOTICE says so.  The operation, which the work has put into
 * the current memory context, tells what was done; it has no sys_cn and no
 * expires_at, since there is no record of it.
 */
extern void intake_dry_run(IntakeWork work, const IntakeRequest *request,
						   IntakeOperation *operation);

#endif							/* INTAKE_DRY_RUN_H */
