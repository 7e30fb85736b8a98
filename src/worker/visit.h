/*-------------------------------------------------------------------------
 *
 * visit.h
 *	  One request's visit at a loader.
 *
 *-------------------------------------------------------------------------
 */
#ifndef INTAKE_VISIT_H
#define INTAKE_VISIT_H

#include "worker/link.h"

/*
 * Serves the request of the frame and answers it; errors are answered and
 * logged.  All memory is from the context, which the caller resets.  Called
 * with cancels held off (HOLD_CANCEL_INTERRUPTS), as they are afterwards: one
 * ends a request's work, not the loader, and not an answer on its way.
 */
extern void intake_visit(IntakeLink *link, const IntakeFrame *frame,
						 MemoryContext context);

#endif							/* INTAKE_VISIT_H */
