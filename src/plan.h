/*-------------------------------------------------------------------------
 *
 * plan.h
 *	  What an operation is going to do: mode, key, columns, privileges.
 *
 *-------------------------------------------------------------------------
 */
#ifndef INTAKE_PLAN_H
#define INTAKE_PLAN_H

#include "format/format.h"
#include "ingest.h"
#include "write/write.h"

typedef struct IntakePlan
{
	Relation	rel;
	IntakeTarget *target;
	IntakeOptions *options;
	IntakeMode	mode;
	int			sys_op;			/* that counts; -1: each record's own */
	List	   *key;			/* of IntakeKeyItem */
	bool		has_key;		/* some column of the set is a key's */
	IntakeColumnSet *columns;
	IntakeDefaults *defaults;
	IntakePartial *partial;		/* NULL: whole rows, in any case */
	const IntakeFormatRoutine *format;
	const IntakeWriteRoutine *writer;
	IntakeRejects *rejects;		/* NULL: the first bad record is an error */
	bool		is_exclusive;	/* no other upload works on the target */
} IntakePlan;

/*
 * Resolves what the request leaves to the target, and checks that it can be
 * done and that the current user may do it.
 */
extern IntakePlan *intake_plan_make(const IntakeRequest *request, Relation rel,
									IntakeTarget *target,
									IntakeOptions *options);

/*
 * Raises the error of PostgreSQL unless the current user has the privileges
 * that the mode needs, which may have been revoked since the plan was made, on
 * the relation or on some column of it.
 */
extern void intake_plan_check_privileges(const IntakePlan *plan);

/* A header must give the key's columns. */
extern void intake_plan_check_given(const IntakePlan *plan, const bool *given);

/* Raises the error for a key column that the payload does not give. */
extern void intake_plan_report_missing_key(const IntakeColumnSet *columns,
										   const IntakeColumn *column);

#endif							/* INTAKE_PLAN_H */
