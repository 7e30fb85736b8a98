/*-------------------------------------------------------------------------
 *
 * principal.h
 *	  Which database role the subject of a token is: table intake.principal.
 *
 * A row counts as long as the role it was mapped to is there under the same
 * name and OID: a role that reuses the OID, or is made anew under the name,
 * takes no mapping over, and a renamed role has to be mapped again.  In
 * another cluster, where a dump was restored and OIDs are others, the name
 * alone decides, as it does for the dump's GRANTs.
 *
 *-------------------------------------------------------------------------
 */
#ifndef INTAKE_PRINCIPAL_H
#define INTAKE_PRINCIPAL_H

#include "fmgr.h"

/* The longest subject, in bytes. */
#define INTAKE_MAX_SUBJECT_LENGTH 1024

/*
 * The role that the subject is mapped to, or InvalidOid.  Raises 42501 when
 * the role is gone, or is one that no token may act as.
 */
extern Oid	intake_principal_find(const char *subject);

/*
 * Raises 42501 unless a token may act as the role: no superuser, and no
 * member of one, directly or not.
 */
extern void intake_principal_check_role(Oid role);

/*
 * The argument "role" of a SQL function, a regrole.  Raises 22004 when it is
 * NULL, 42704 when there is no such role.
 */
extern Oid	intake_principal_read_role(FunctionCallInfo fcinfo, int number);

#endif							/* INTAKE_PRINCIPAL_H */
