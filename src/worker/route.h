/*-------------------------------------------------------------------------
 *
 * route.h
 *	  What the loaders serve, and how failures are answered.
 *
 *-------------------------------------------------------------------------
 */
#ifndef INTAKE_ROUTE_H
#define INTAKE_ROUTE_H

#include "registry/operation.h"
#include "worker/answer.h"
#include "worker/request.h"
#include "worker/status.h"
#include "worker/token.h"

/* SQLSTATEs of HTTP's own failures; status.c has their statuses. */
#define ERRCODE_INTAKE_NO_ROUTE		MAKE_SQLSTATE('I', 'N', '4', '0', '4')
#define ERRCODE_INTAKE_NO_METHOD	MAKE_SQLSTATE('I', 'N', '4', '0', '5')
#define ERRCODE_INTAKE_MEDIA_TYPE	MAKE_SQLSTATE('I', 'N', '4', '1', '5')

/* What a request's work has come to. */
typedef struct IntakeCall
{
	IntakeBearer *bearer;		/* NULL until authenticated */
	IntakeOperation operation;	/* identity is set once it is claimed */
	bool		has_written;	/* it ran something of the role's */
} IntakeCall;

typedef struct IntakeRoute
{
	const char *name;			/* for counters and the log */
	IntakeFamily family;
	const char *method;
	const char *path;			/* "{x}" stands for any one segment */
	void		(*handle) (const IntakeHttpRequest *request, IntakeCall *call,
						   IntakeAnswer *answer);
} IntakeRoute;

/* The route of a request; raises IN404 or IN405 when there is none. */
extern const IntakeRoute *intake_route_find(const IntakeHttpRequest *request);

/*
 * Makes the answer to an error, in the form of the route's family, and
 * records the failure of an operation that had been claimed.  route may be
 * NULL.  No transaction is open.
 */
extern void intake_route_fail(const IntakeRoute *route,
							  const IntakeHttpRequest *request,
							  const IntakeCall *call, const ErrorData *error,
							  IntakeAnswer *answer);

#endif							/* INTAKE_ROUTE_H */
