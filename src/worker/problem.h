/*-------------------------------------------------------------------------
 *
 * problem.h
 *	  An error as an answer.
 *
 * Messages, details and hints are the error's own; no text is made here, but
 * for the hint at clients that take line ends away.
 *
 *-------------------------------------------------------------------------
 */
#ifndef INTAKE_PROBLEM_H
#define INTAKE_PROBLEM_H

#include "utils/jsonb.h"

#include "worker/route.h"

/*
 * The error as the registry keeps it: sqlstate, message, detail, hint,
 * constraint, record, line, column, value; those that it has.
 */
extern Jsonb *intake_problem_describe(const ErrorData *error);

/*
 * Makes the answer, in the form of the route's family; route and request may
 * be NULL.
 */
extern void intake_problem_answer(const IntakeRoute *route,
								  const IntakeHttpRequest *request,
								  const IntakeCall *call,
								  const ErrorData *error,
								  IntakeAnswer *answer);

#endif							/* INTAKE_PROBLEM_H */
