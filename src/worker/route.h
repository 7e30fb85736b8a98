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
#include "worker/request_body.h"
#include "worker/status.h"
#include "worker/token.h"

/* How much of a query's name is taken, in bytes. */
#define INTAKE_MAX_QUERY_ID 128

/* What a request's work has come to, for the answer to its failure. */
typedef struct IntakeCall
{
	IntakeBearer *bearer;		/* NULL until authenticated */
	const struct IntakeEntity *entity;	/* the target's, or NULL */
	IntakeBody *body;			/* NULL until opened */
	const char *format;			/* of the body, or NULL */
	bool		is_dry_run;
	IntakeOperation operation;	/* identity is set once it is claimed */
	TimestampTz started_at;
	const char *query_id;		/* of the client's, or NULL */
} IntakeCall;

/* What a route's body is, for the description of the routes. */
typedef enum IntakeRouteBody
{
	INTAKE_BODY_NONE,
	INTAKE_BODY_UPLOAD,
	INTAKE_BODY_PARTITIONS,
	INTAKE_BODY_JSON			/* one object */
} IntakeRouteBody;

/*
 * Who may come.  A token is what the route's family has: a JWT, or for
 * DataLens an opaque one.
 */
typedef enum IntakeAccess
{
	INTAKE_ACCESS_TOKEN,		/* work as the token's role */
	INTAKE_ACCESS_PUBLIC,		/* anybody; no transaction */
	INTAKE_ACCESS_EXCHANGE		/* anybody; work of our own code only, which
								 * has the loader's own rights */
} IntakeAccess;

/* A header of a route's requests. */
typedef struct IntakeRouteHeader
{
	const char *name;			/* NULL: the end of the list */
	bool		is_required;
	const char *text;			/* for the description */
} IntakeRouteHeader;

/*
 * The handler does the work, as the principal and in a transaction, and makes
 * the answer; for a preflight it checks the head and sets is_preflight in it.
 */
typedef struct IntakeRoute
{
	const char *name;			/* for counters and the log */
	IntakeFamily family;
	const char *method;
	const char *path;			/* "{x}" stands for any one segment */
	const char *summary;		/* for the description */
	IntakeRouteBody body;
	IntakeAccess access;
	void		(*handle) (const IntakeHttpRequest *request, IntakeCall *call,
						   IntakeAnswer *answer);
	const char *const *parameters;	/* of the query, beside the options */
	const IntakeRouteHeader *headers;	/* the route's own; or NULL */
	bool		has_options;	/* those of the door are parameters */
	bool		is_bodiless;	/* the answer is 204 */
} IntakeRoute;

/* Route i of all, counted from 0, or NULL. */
extern const IntakeRoute *intake_route_get(int i);

/* The route of a request; raises IN404 or IN405 when there is none. */
extern const IntakeRoute *intake_route_find(const IntakeHttpRequest *request);

/* The methods that the request's path has, as header Allow wants them. */
extern char *intake_route_methods(const IntakeHttpRequest *request);

/*
 * Begins a transaction of a request's, in which nothing waits for a lock
 * longer than pg_intake.table_lock_timeout.
 */
extern void intake_route_begin_transaction(void);

/*
 * Records the failure of an operation that had been claimed, in a transaction
 * of its own; none is open.  Raises no error, but logs it.
 */
extern void intake_route_record_failure(const IntakeCall *call,
										const ErrorData *error);

#endif							/* INTAKE_ROUTE_H */
