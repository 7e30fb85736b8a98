/*-------------------------------------------------------------------------
 *
 * connection.h
 *	  Partner connections: table intake.connection.
 *
 * A connection is what one partner gets: a service account with one key, a
 * NOLOGIN role, and a schema that the role owns.  Its rows are written by the
 * extension, never by the rights of whoever runs.
 *
 * The role counts as long as it is there under the same name and OID, its
 * owner likewise: a role that reuses the OID, or is made anew under the name,
 * takes nothing over.  In another cluster, where a dump was restored and OIDs
 * are others, the names alone decide.
 *
 * Rows are read as they are now, whatever the transaction's snapshot, and on a
 * standby too.
 *
 *-------------------------------------------------------------------------
 */
#ifndef INTAKE_CONNECTION_H
#define INTAKE_CONNECTION_H

#include "access/htup.h"
#include "datatype/timestamp.h"
#include "storage/lockdefs.h"
#include "utils/jsonb.h"

/* The longest title, in bytes: a row must fit into a page as it is. */
#define INTAKE_MAX_TITLE_LENGTH 1024

/* Each connection's role, and its schema unless it got another name. */
#define INTAKE_CONNECTION_PREFIX "intake_"

typedef struct IntakeConnection
{
	const char *connection_id;
	const char *title;
	const char *schema;
	const char *role_name;
	Oid			role;			/* InvalidOid: dropped or renamed */
	const char *owner_name;		/* who made the connection */
	Oid			owner;			/* InvalidOid: dropped or renamed */
	const char *service_account_id;
	const char *key_id;			/* changes whenever secrets do */
	const Jsonb *public_key;	/* a JWK */
	const bytea *oauth_hash;	/* of the OAuth token; NULL: it has none */
	const char *client_id;		/* linked; NULL: none */
	const char *last_client_id; /* the one it had last; NULL: none yet */
	TimestampTz created_at;

	/* as they are stored */
	Oid			role_oid;
	Oid			owner_oid;
	int64		cluster;
	HeapTuple	row;			/* NULL: not stored yet */
} IntakeConnection;

/* Each: a copy in the current memory context; NULL: there is none. */
extern IntakeConnection *intake_connection_find(const char *connection_id);
extern IntakeConnection *intake_connection_find_key(const char *key_id);
extern IntakeConnection *intake_connection_find_oauth(const bytea *hash);

/*
 * Locks what the connection is until the transaction ends, whether it is
 * there or not.  Who works with its tables takes AccessShareLock, who changes
 * its row ShareUpdateExclusiveLock, who drops it AccessExclusiveLock.  To be
 * called before it is looked for.
 */
extern void intake_connection_lock(const char *connection_id,
								   LOCKMODE lockmode);

/*
 * Raises 55000 when the connection is out of order: its role or its schema is
 * gone, or the schema is not the role's.
 */
extern void intake_connection_check(const IntakeConnection *connection);

/*
 * Stores a new connection, or what has changed of one; roles of a new one
 * only.
 */
extern void intake_connection_store(IntakeConnection *connection);

/*
 * Removes its row and the definitions of its tables.  The caller holds
 * AccessExclusiveLock on it.
 */
extern void intake_connection_remove(const IntakeConnection *connection);

/*
 * Links the connection to a client, or to none (NULL); the last one stays in
 * last_client_id.  The caller holds ShareUpdateExclusiveLock on it.  Raises
 * 42704 when it is not there.
 */
extern void intake_connection_set_client(const char *connection_id,
										 const char *client_id);

#endif							/* INTAKE_CONNECTION_H */
