/*-------------------------------------------------------------------------
 *
 * connection_sql.h
 *	  What the SQL functions of partner connections share.
 *
 *-------------------------------------------------------------------------
 */
#ifndef INTAKE_CONNECTION_SQL_H
#define INTAKE_CONNECTION_SQL_H

#include "fmgr.h"

#include "registry/connection.h"

/* The first argument; raises 22004 when it is NULL. */
extern char *intake_connection_read_id(FunctionCallInfo fcinfo);

/*
 * The connection, locked; raises 42704 when it is not there, 42501 unless the
 * current user is its owner or a member of him, or a superuser.
 */
extern IntakeConnection *
intake_connection_require(const char *connection_id, LOCKMODE lockmode);

/*
 * Executes a fixed statement as the cluster's first superuser; what is put
 * into it is quoted.
 */
extern void intake_connection_execute(const char *command);

#endif							/* INTAKE_CONNECTION_SQL_H */
