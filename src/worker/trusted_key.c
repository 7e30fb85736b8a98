/*-------------------------------------------------------------------------
 *
 * trusted_key.c
 *	  The keys by which tokens may be signed.
 *
 * Whoever may call intake.trust_key() can sign tokens for every subject, so
 * nobody may but superusers and those whom they grant it to.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "fmgr.h"
#include "funcapi.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "tcop/utility.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/timestamp.h"
#include "utils/tuplestore.h"

#include "compat.h"
#include "registry/own_table.h"
#include "worker/jwks.h"
#include "worker/trusted_key.h"

PG_FUNCTION_INFO_V1(intake_all_trusted_keys);
PG_FUNCTION_INFO_V1(intake_distrust_key);
PG_FUNCTION_INFO_V1(intake_trust_key);

/* The columns of intake.trusted_key. */
enum
{
	COLUMN_KID,
	COLUMN_JWK,
	COLUMN_ADDED_AT,
	COLUMN_ADDED_BY,
	COLUMNS
};

/* The columns of intake.trusted_keys. */
enum
{
	LIST_KID,
	LIST_KTY,
	LIST_ALG,
	LIST_THUMBPRINT,
	LIST_SOURCE,
	LIST_ADDED_AT,
	LIST_ADDED_BY,
	LIST_COLUMNS
};

/* A key must fit into a row as it is. */
#define MAX_JWK_SIZE (6 * 1024)

/* So many keys are kept ready. */
#define MADE_KEYS 8

static Relation
open_table(LOCKMODE lockmode)
{
	return intake_own_table_require("trusted_key", lockmode);
}

static HeapTuple
find_row(Relation table, const char *kid)
{
	ScanKeyData key;

	ScanKeyInit(&key, COLUMN_KID + 1, BTEqualStrategyNumber, F_TEXTEQ,
				CStringGetTextDatum(kid));
	return intake_own_table_find(table, "trusted_key_pkey", 1, &key);
}

/*
 * Keys that have been made of rows, by the rows' bytes: to make one takes
 * OpenSSL as long as to verify a signature by it.  Whether a row is there is
 * looked at each time.
 */
typedef struct MadeKey
{
	MemoryContext context;		/* of the rest; NULL: no key */
	Jsonb	   *source;
	IntakeJwk  *jwk;
} MadeKey;

static MadeKey made_keys[MADE_KEYS];
static int	next_made = 0;		/* takes the place of the oldest */

static bool
is_made_of(const MadeKey *made, const Jsonb *source)
{
	return made->context != NULL &&
		VARSIZE(made->source) == VARSIZE(source) &&
		memcmp(made->source, source, VARSIZE(source)) == 0;
}

/*
 * The key of such a row, which is good until MADE_KEYS others are asked for;
 * NULL, and what is wrong, if it is none.
 */
static const IntakeJwk *
make_key(const Jsonb *source, const char **problem)
{
	MadeKey		made;
	MemoryContext old;
	int			i;

	for (i = 0; i < MADE_KEYS; i++)
	{
		if (is_made_of(&made_keys[i], source))
			return made_keys[i].jwk;
	}
	/* first below the caller's, so that an error leaves nothing behind */
	made.context = AllocSetContextCreate(CurrentMemoryContext,
										 "pg_intake trusted key",
										 ALLOCSET_SMALL_SIZES);
	old = MemoryContextSwitchTo(made.context);
	made.source = palloc(VARSIZE(source));
	memcpy(made.source, source, VARSIZE(source));
	made.jwk = intake_jwk_read(made.source, problem);
	MemoryContextSwitchTo(old);
	if (made.jwk == NULL)
		return NULL;
	MemoryContextSetParent(made.context, TopMemoryContext);
	if (made_keys[next_made].context != NULL)
		MemoryContextDelete(made_keys[next_made].context);
	made_keys[next_made] = made;
	next_made = (next_made + 1) % MADE_KEYS;
	return made.jwk;
}

/* The row's key; NULL, and what is wrong with it, if it is none any more. */
static const IntakeJwk *
read_row(Relation table, HeapTuple row, const char **problem)
{
	bool		is_null;
	Datum		jwk = heap_getattr(row, COLUMN_JWK + 1,
								   RelationGetDescr(table), &is_null);

	return make_key(DatumGetJsonbP(jwk), problem);
}

const IntakeJwk *
intake_trusted_key_find(const char *kid)
{
	Relation	table;
	HeapTuple	row;
	const IntakeJwk *jwk = NULL;
	const char *problem;

	if (strlen(kid) > INTAKE_MAX_KID_LENGTH)
		return NULL;
	table = open_table(AccessShareLock);
	row = find_row(table, kid);
	if (row != NULL)
		jwk = read_row(table, row, &problem);
	table_close(table, AccessShareLock);

	/* trust_key() stores no such key; whoever did, it is no key */
	if (row != NULL && jwk == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_DATA_CORRUPTED),
				 errmsg("trusted key \"%s\" cannot be used", kid),
				 errdetail_internal("%s", problem),
				 INTAKE_HIDE_STATEMENT));
	return jwk != NULL ? jwk : intake_jwks_find(kid);
}

static char *
read_kid(FunctionCallInfo fcinfo)
{
	char	   *kid;

	if (PG_ARGISNULL(0))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("argument \"kid\" must not be null")));
	kid = text_to_cstring(PG_GETARG_TEXT_PP(0));
	if (strlen(kid) > INTAKE_MAX_KID_LENGTH)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the name of a key must not be longer than %d bytes",
						INTAKE_MAX_KID_LENGTH)));
	return kid;
}

/* The argument, checked to be a key of that name. */
static Jsonb *
read_jwk(FunctionCallInfo fcinfo, const char *kid)
{
	Jsonb	   *jwk;
	IntakeJwk  *key;
	const char *problem;

	if (PG_ARGISNULL(1))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("argument \"jwk\" must not be null")));
	jwk = PG_GETARG_JSONB_P(1);
	key = intake_jwk_read(jwk, &problem);
	if (key != NULL && key->kid != NULL && strcmp(key->kid, kid) != 0)
		problem = "Member \"kid\" is another one.";
	else if (key != NULL && VARSIZE(jwk) > MAX_JWK_SIZE)
		problem = "It is too long; members such as \"x5c\" may be left out.";
	else if (key != NULL)
		return jwk;
	/* the statement may hold a private key */
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("cannot trust key \"%s\"", kid),
			 errdetail_internal("%s", problem),
			 INTAKE_HIDE_STATEMENT));
}

/* Whether the row has just this key. */
static bool
has_jwk(Relation table, HeapTuple row, Jsonb *jwk)
{
	bool		is_null;
	Datum		stored = heap_getattr(row, COLUMN_JWK + 1,
									  RelationGetDescr(table), &is_null);

	return compareJsonbContainers(&DatumGetJsonbP(stored)->root,
								  &jwk->root) == 0;
}

/* intake.trust_key(kid text, jwk jsonb) RETURNS void */
Datum
intake_trust_key(PG_FUNCTION_ARGS)
{
	char	   *kid = read_kid(fcinfo);
	Jsonb	   *jwk = read_jwk(fcinfo, kid);
	Datum		values[COLUMNS];
	bool		nulls[COLUMNS] = {0};
	NameData	user;
	Relation	table;
	HeapTuple	row;

	PreventCommandIfReadOnly("intake.trust_key()");
	PreventCommandDuringRecovery("intake.trust_key()");
	table = open_table(ShareRowExclusiveLock);
	row = find_row(table, kid);
	if (row != NULL && !has_jwk(table, row, jwk))
		ereport(ERROR,
				(errcode(ERRCODE_DUPLICATE_OBJECT),
				 errmsg("another key \"%s\" is trusted", kid),
				 errhint("Give the new key another name, or call intake.distrust_key() first.")));
	if (row == NULL)
	{
		namestrcpy(&user, GetUserNameFromId(GetUserId(), false));
		values[COLUMN_KID] = CStringGetTextDatum(kid);
		values[COLUMN_JWK] = JsonbPGetDatum(jwk);
		values[COLUMN_ADDED_AT] = TimestampTzGetDatum(GetCurrentTimestamp());
		values[COLUMN_ADDED_BY] = NameGetDatum(&user);
		intake_own_table_insert(table, values, nulls);
	}
	table_close(table, NoLock);
	PG_RETURN_VOID();
}

/* intake.distrust_key(kid text) RETURNS bool */
Datum
intake_distrust_key(PG_FUNCTION_ARGS)
{
	char	   *kid = read_kid(fcinfo);
	Relation	table;
	HeapTuple	row;

	PreventCommandIfReadOnly("intake.distrust_key()");
	PreventCommandDuringRecovery("intake.distrust_key()");
	table = open_table(ShareRowExclusiveLock);
	row = find_row(table, kid);
	if (row != NULL)
		intake_own_table_delete(table, row);
	table_close(table, NoLock);
	PG_RETURN_BOOL(row != NULL);
}

/* What a row of the list says of the key itself; kid is set by the caller. */
static void
set_key(Datum *values, bool *nulls, const IntakeJwk *jwk, const char *source)
{
	values[LIST_SOURCE] = CStringGetTextDatum(source);
	nulls[LIST_KTY] = nulls[LIST_THUMBPRINT] = jwk == NULL;
	nulls[LIST_ALG] = jwk == NULL || jwk->alg == NULL;
	if (jwk == NULL)
		return;
	values[LIST_KTY] = CStringGetTextDatum(jwk->kty);
	values[LIST_THUMBPRINT] = CStringGetTextDatum(jwk->thumbprint);
	if (jwk->alg != NULL)
		values[LIST_ALG] = CStringGetTextDatum(jwk->alg);
}

static void
list_table(ReturnSetInfo *result)
{
	Relation	table = open_table(AccessShareLock);
	SysScanDesc scan = systable_beginscan(table, InvalidOid, false, NULL, 0,
										  NULL);
	HeapTuple	row;

	while (HeapTupleIsValid(row = systable_getnext(scan)))
	{
		Datum		stored[COLUMNS];
		bool		stored_nulls[COLUMNS];
		Datum		values[LIST_COLUMNS];
		bool		nulls[LIST_COLUMNS] = {0};
		const char *problem;

		heap_deform_tuple(row, RelationGetDescr(table), stored, stored_nulls);
		values[LIST_KID] = stored[COLUMN_KID];
		set_key(values, nulls, read_row(table, row, &problem), "table");
		values[LIST_ADDED_AT] = stored[COLUMN_ADDED_AT];
		values[LIST_ADDED_BY] = stored[COLUMN_ADDED_BY];
		tuplestore_putvalues(result->setResult, result->setDesc, values,
							 nulls);
	}
	systable_endscan(scan);
	table_close(table, AccessShareLock);
}

static void
list_file(ReturnSetInfo *result)
{
	const char *problem;
	ListCell   *cell;

	foreach(cell, intake_jwks_keys(&problem))
	{
		const IntakeJwk *jwk = lfirst(cell);
		Datum		values[LIST_COLUMNS];
		bool		nulls[LIST_COLUMNS] = {0};

		values[LIST_KID] = CStringGetTextDatum(jwk->kid);
		set_key(values, nulls, jwk, "file");
		nulls[LIST_ADDED_AT] = nulls[LIST_ADDED_BY] = true;
		tuplestore_putvalues(result->setResult, result->setDesc, values,
							 nulls);
	}
	if (problem != NULL)
		ereport(WARNING,
				(errcode(ERRCODE_CONFIG_FILE_ERROR),
				 errmsg("the file of trusted keys cannot be used"),
				 errdetail_internal("%s", problem)));
}

/* intake.all_trusted_keys(), for view intake.trusted_keys */
Datum
intake_all_trusted_keys(PG_FUNCTION_ARGS)
{
	intake_init_materialized_srf(fcinfo);
	list_table((ReturnSetInfo *) fcinfo->resultinfo);
	list_file((ReturnSetInfo *) fcinfo->resultinfo);
	return (Datum) 0;
}
