/*-------------------------------------------------------------------------
 *
 * problem.h
 *	  An error as an answer's body.
 *
 * Messages, details and hints are the error's own; no text is made here.
 *
 *-------------------------------------------------------------------------
 */
#ifndef INTAKE_PROBLEM_H
#define INTAKE_PROBLEM_H

#include "worker/route.h"

/*
 * Appends the members of a JSON object that tell of the error: sqlstate,
 * message, detail, hint, constraint, record, line, column, value; those that
 * it has.
 */
extern void intake_problem_append_members(StringInfo json,
										  const ErrorData *error);

/* Makes the answer, in the form of the route's family. */
extern void intake_problem_answer(const IntakeRoute *route,
								  const IntakeHttpRequest *request,
								  const ErrorData *error,
								  IntakeAnswer *answer);

#endif							/* INTAKE_PROBLEM_H */
