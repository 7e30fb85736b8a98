/*-------------------------------------------------------------------------
 *
 * iam_token.h
 *	  The opaque tokens of partner connections: table
 *	  intake.connection_token.
 *
 * A token is good for 12 hours, as long as its connection is there and has
 * the key it was issued under: a rotated key ends its tokens, those included
 * that are being issued meanwhile.  Only its digest is stored.
 *
 *-------------------------------------------------------------------------
 */
#ifndef INTAKE_IAM_TOKEN_H
#define INTAKE_IAM_TOKEN_H

#include "registry/connection.h"
#include "worker/token.h"

/*
 * Issues a token, in the transaction at hand, and sweeps a bounded number of
 * expired ones.  Of a connection that has many the oldest is ended.
 */
extern char *intake_iam_token_issue(const IntakeConnection *connection,
									TimestampTz *expires_at);

/*
 * Who the bearer of a token is; authorization is the header's value, or NULL.
 * Holds a lock until the transaction ends, so that the connection is not
 * dropped while its bearer works.  Raises 28000 for a token that is not good,
 * 55000 for a connection out of order, 42501 when its role may be nobody's.
 */
extern IntakeBearer *intake_iam_token_verify(const char *authorization);

/* Whether a header's value shows a token that looks like one of these. */
extern bool intake_iam_token_is_shown(const char *authorization);

/* Forgets all tokens of a connection. */
extern void intake_iam_token_end_all(const char *connection_id);

#endif							/* INTAKE_IAM_TOKEN_H */
