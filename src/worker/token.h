/*-------------------------------------------------------------------------
 *
 * token.h
 *	  Who a request is: from its Authorization header to a database role.
 *
 * Raises, and nothing else tells why:
 *
 *	28000	there is no token, or it is not good: 401
 *	42501	it is good, but its subject may not write: 403
 *	F0000	the settings name a role or a file that cannot be used: 503
 *
 * Needs a transaction, as the tables of keys and of principals are read; they
 * are read as they are now, whatever its snapshot.
 *
 *-------------------------------------------------------------------------
 */
#ifndef INTAKE_TOKEN_H
#define INTAKE_TOKEN_H

#include "datatype/timestamp.h"
#include "nodes/pg_list.h"

#include "registry/connection.h"

typedef struct IntakeBearer
{
	const char *subject;		/* to be recorded; NULL: nobody was asked */
	Oid			role;			/* the principal */
	List	   *roles;			/* claim "roles", a list of char * */
	TimestampTz expires_at;		/* DT_NOEND without a token */
	const IntakeConnection *connection; /* the partner's; NULL: none */
} IntakeBearer;

/*
 * The token of a header's value, "Bearer token".  Raises 28000 when there is
 * none.
 */
extern const char *intake_token_extract(const char *authorization);

/*
 * Verifies a token by the trusted keys, the settings and the clock, and maps
 * its subject.  authorization is the header's value, or NULL.
 */
extern IntakeBearer *intake_token_verify(const char *authorization);

/* The same, unless pg_intake.authentication wants no token. */
extern IntakeBearer *intake_token_authenticate(const char *authorization);

#endif							/* INTAKE_TOKEN_H */
