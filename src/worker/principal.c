/*-------------------------------------------------------------------------
 *
 * principal.c
 *	  Which database role the subject of a token is.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/table.h"
#include "access/xlog.h"
#include "catalog/pg_auth_members.h"
#include "fmgr.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "tcop/utility.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/catcache.h"
#include "utils/fmgroids.h"
#include "utils/rel.h"
#include "utils/syscache.h"
#include "utils/timestamp.h"

#include "registry/own_table.h"
#include "worker/principal.h"

PG_FUNCTION_INFO_V1(intake_map_principal);
PG_FUNCTION_INFO_V1(intake_unmap_principal);

/* The columns of intake.principal. */
enum
{
	COLUMN_SUBJECT,
	COLUMN_ROLE_NAME,
	COLUMN_ROLE_OID,
	COLUMN_CLUSTER,
	COLUMN_MAPPED_AT,
	COLUMN_MAPPED_BY,
	COLUMNS
};

static Relation
open_table(LOCKMODE lockmode)
{
	return intake_own_table_require("principal", lockmode);
}

static HeapTuple
find_row(Relation table, const char *subject)
{
	ScanKeyData key;

	ScanKeyInit(&key, COLUMN_SUBJECT + 1, BTEqualStrategyNumber, F_TEXTEQ,
				CStringGetTextDatum(subject));
	return intake_own_table_find(table, "principal_pkey", 1, &key);
}

/* The row's role as long as it is the one that was mapped; its name. */
static Oid
read_row(Relation table, HeapTuple row, char **name)
{
	Datum		values[COLUMNS];
	bool		nulls[COLUMNS];
	Oid			role;

	heap_deform_tuple(row, RelationGetDescr(table), values, nulls);
	*name = pstrdup(NameStr(*DatumGetName(values[COLUMN_ROLE_NAME])));
	role = get_role_oid(*name, true);
	if (DatumGetInt64(values[COLUMN_CLUSTER]) ==
			(int64) GetSystemIdentifier() &&
		DatumGetObjectId(values[COLUMN_ROLE_OID]) != role)
		return InvalidOid;
	return role;
}

/*
 * The superuser among the role and those it is a member of, or InvalidOid.
 * Whether memberships inherit does not matter: SET ROLE makes use of others.
 */
static Oid
find_superuser(Oid role)
{
	List	   *roles = list_make1_oid(role);
	int			i;

	/* the list grows while it is walked */
	for (i = 0; i < list_length(roles); i++)
	{
		Oid			member = list_nth_oid(roles, i);
		CatCList   *memberships;
		int			j;

		if (superuser_arg(member))
			return member;
		memberships = SearchSysCacheList1(AUTHMEMMEMROLE,
										  ObjectIdGetDatum(member));
		for (j = 0; j < memberships->n_members; j++)
		{
			Form_pg_auth_members membership = (Form_pg_auth_members)
				GETSTRUCT(&memberships->members[j]->tuple);

			roles = list_append_unique_oid(roles, membership->roleid);
		}
		ReleaseSysCacheList(memberships);
	}
	return InvalidOid;
}

void
intake_principal_check_role(Oid role)
{
	Oid			superuser = find_superuser(role);

	if (!OidIsValid(superuser))
		return;
	ereport(ERROR,
			(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
			 errmsg("role \"%s\" cannot be a token's principal",
					GetUserNameFromId(role, false)),
			 superuser == role ? errdetail("It is a superuser.") :
			 errdetail("It is a member of superuser \"%s\".",
					   GetUserNameFromId(superuser, false)),
			 errhidestmt(true), errhidecontext(true)));
}

Oid
intake_principal_find(const char *subject)
{
	Relation	table;
	HeapTuple	row;
	char	   *name;
	Oid			role = InvalidOid;

	table = open_table(AccessShareLock);
	row = find_row(table, subject);
	if (row != NULL)
		role = read_row(table, row, &name);
	table_close(table, AccessShareLock);
	if (row == NULL)
		return InvalidOid;

	if (!OidIsValid(role))
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("role \"%s\" of the token's subject was dropped or renamed",
						name),
				 errhint("Map the subject again by intake.map_principal()."),
				 errhidestmt(true), errhidecontext(true)));
	intake_principal_check_role(role);
	return role;
}

static char *
read_subject(FunctionCallInfo fcinfo)
{
	char	   *subject;

	if (PG_ARGISNULL(0))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("argument \"subject\" must not be null")));
	subject = text_to_cstring(PG_GETARG_TEXT_PP(0));
	if (subject[0] == '\0' || strlen(subject) > INTAKE_MAX_SUBJECT_LENGTH)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("a subject must have 1 to %d bytes",
						INTAKE_MAX_SUBJECT_LENGTH)));
	return subject;
}

/*
 * To let tokens act as a role is to grant it.  PostgreSQL to 15 takes a
 * session's own role for one with ADMIN OPTION on itself; here it is not, in
 * any version.
 */
static void
check_admin(Oid role)
{
	if (superuser() ||
		(role != GetUserId() && is_admin_of_role(GetUserId(), role)))
		return;
	ereport(ERROR,
			(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
			 errmsg("must have admin option on role \"%s\"",
					GetUserNameFromId(role, false))));
}

/* To change a mapping is to take the role away from the subject. */
static void
check_row_admin(Relation table, HeapTuple row)
{
	char	   *name;
	Oid			role = read_row(table, row, &name);

	if (OidIsValid(role))
		check_admin(role);
}

static void
form_row(const char *subject, Oid role, Datum *values)
{
	NameData   *names = palloc0(sizeof(NameData) * 2);

	namestrcpy(&names[0], GetUserNameFromId(role, false));
	namestrcpy(&names[1], GetUserNameFromId(GetUserId(), false));
	values[COLUMN_SUBJECT] = CStringGetTextDatum(subject);
	values[COLUMN_ROLE_NAME] = NameGetDatum(&names[0]);
	values[COLUMN_ROLE_OID] = ObjectIdGetDatum(role);
	values[COLUMN_CLUSTER] = Int64GetDatum((int64) GetSystemIdentifier());
	values[COLUMN_MAPPED_AT] = TimestampTzGetDatum(GetCurrentTimestamp());
	values[COLUMN_MAPPED_BY] = NameGetDatum(&names[1]);
}

/* Whether the row maps to the role by all that it has. */
static bool
is_mapped_to(Relation table, HeapTuple row, const Datum *wanted)
{
	Datum		values[COLUMNS];
	bool		nulls[COLUMNS];

	heap_deform_tuple(row, RelationGetDescr(table), values, nulls);
	return strcmp(NameStr(*DatumGetName(values[COLUMN_ROLE_NAME])),
				  NameStr(*DatumGetName(wanted[COLUMN_ROLE_NAME]))) == 0 &&
		   values[COLUMN_ROLE_OID] == wanted[COLUMN_ROLE_OID] &&
		   DatumGetInt64(values[COLUMN_CLUSTER]) ==
			   DatumGetInt64(wanted[COLUMN_CLUSTER]);
}

Oid
intake_principal_read_role(FunctionCallInfo fcinfo, int number)
{
	Oid			role;

	if (PG_ARGISNULL(number))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("argument \"role\" must not be null")));
	role = PG_GETARG_OID(number);
	if (!SearchSysCacheExists1(AUTHOID, ObjectIdGetDatum(role)))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("role with OID %u does not exist", role)));
	return role;
}

/* intake.map_principal(subject text, role regrole) RETURNS void */
Datum
intake_map_principal(PG_FUNCTION_ARGS)
{
	char	   *subject = read_subject(fcinfo);
	Oid			role;
	Datum		values[COLUMNS];
	bool		nulls[COLUMNS] = {0};
	Relation	table;
	HeapTuple	row;

	PreventCommandIfReadOnly("intake.map_principal()");
	PreventCommandDuringRecovery("intake.map_principal()");
	role = intake_principal_read_role(fcinfo, 1);
	check_admin(role);
	intake_principal_check_role(role);

	table = open_table(ShareRowExclusiveLock);
	row = find_row(table, subject);
	form_row(subject, role, values);
	if (row == NULL)
		intake_own_table_insert(table, values, nulls);
	else if (!is_mapped_to(table, row, values))
	{
		check_row_admin(table, row);
		intake_own_table_update(table, row, values, nulls);
	}
	table_close(table, NoLock);
	PG_RETURN_VOID();
}

/* intake.unmap_principal(subject text) RETURNS bool */
Datum
intake_unmap_principal(PG_FUNCTION_ARGS)
{
	char	   *subject = read_subject(fcinfo);
	Relation	table;
	HeapTuple	row;

	PreventCommandIfReadOnly("intake.unmap_principal()");
	PreventCommandDuringRecovery("intake.unmap_principal()");
	table = open_table(ShareRowExclusiveLock);
	row = find_row(table, subject);
	if (row != NULL)
	{
		check_row_admin(table, row);
		intake_own_table_delete(table, row);
	}
	table_close(table, NoLock);
	PG_RETURN_BOOL(row != NULL);
}
