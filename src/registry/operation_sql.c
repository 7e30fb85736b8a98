/*-------------------------------------------------------------------------
 *
 * operation_sql.c
 *	  SQL functions on operations.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xlog.h"
#include "catalog/pg_type.h"
#include "common/cryptohash.h"
#include "common/sha1.h"
#include "lib/stringinfo.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "tcop/utility.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/timestamp.h"

#include "registry/operation_record.h"
#include "settings.h"

PG_FUNCTION_INFO_V1(intake_forget_operation);
PG_FUNCTION_INFO_V1(intake_operation_retention_interval);
PG_FUNCTION_INFO_V1(intake_operation_status);
PG_FUNCTION_INFO_V1(intake_operation_uuid);
PG_FUNCTION_INFO_V1(intake_record_failure);

/* What a failure may say of itself, in bytes; anybody may record some. */
#define MAX_FAILURE_SIZE (64 * 1024)

#define MINUTES_PER_DAY (HOURS_PER_DAY * MINS_PER_HOUR)

/* The namespace of intake.operation_uuid(); never to be changed. */
static const uint8 uuid_namespace[UUID_LEN] = {
	0xbc, 0x67, 0xf8, 0x33, 0x2f, 0x9a, 0x4a, 0xf4,
	0x9d, 0x39, 0xd2, 0x11, 0xd0, 0x1c, 0x1c, 0x70
};

/*
 * intake.operation_status(operation uuid) RETURNS text
 *
 * What became of the caller's operation.  The record is looked for before
 * and after the claim is, so that an operation that ends meanwhile is not
 * called unknown.
 */
Datum
intake_operation_status(PG_FUNCTION_ARGS)
{
	IntakeOperation operation = {.uuid = *PG_GETARG_UUID_P(0)};
	IntakeOperationState state;

	operation.principal = GetUserId();
	state = intake_record_find(&operation);
	if (state != INTAKE_OPERATION_SUCCEEDED)
	{
		if (intake_operation_is_running(operation.principal, &operation.uuid))
			PG_RETURN_TEXT_P(cstring_to_text("running"));
		state = intake_record_find(&operation);
	}
	if (state == INTAKE_OPERATION_SUCCEEDED)
		PG_RETURN_TEXT_P(cstring_to_text("succeeded"));
	if (state == INTAKE_OPERATION_FAILED)
		PG_RETURN_TEXT_P(cstring_to_text("failed"));
	PG_RETURN_TEXT_P(cstring_to_text("unknown"));
}

/* SHA-1 of the namespace and the name (RFC 4122, section 4.3). */
static void
digest_name(const StringInfo name, uint8 digest[SHA1_DIGEST_LENGTH])
{
	pg_cryptohash_ctx *context = pg_cryptohash_create(PG_SHA1);

	if (context == NULL || pg_cryptohash_init(context) < 0 ||
		pg_cryptohash_update(context, uuid_namespace, UUID_LEN) < 0 ||
		pg_cryptohash_update(context, (uint8 *) name->data, name->len) < 0 ||
		pg_cryptohash_final(context, digest, SHA1_DIGEST_LENGTH) < 0)
		ereport(ERROR,
				(errcode(ERRCODE_INTERNAL_ERROR),
				 errmsg("could not compute a SHA-1 digest")));
	pg_cryptohash_free(context);
}

/*
 * intake.operation_uuid(VARIADIC parts text[]) RETURNS uuid
 *
 * The version 5 UUID, in a namespace of ours, of the parts in UTF-8, each as
 * its length in bytes, a colon, its bytes and a comma: ('ab', 'c') and
 * ('a', 'bc') differ.
 */
Datum
intake_operation_uuid(PG_FUNCTION_ARGS)
{
	ArrayType  *array = PG_GETARG_ARRAYTYPE_P(0);
	Datum	   *parts;
	bool	   *nulls;
	int			nparts;
	int			i;
	StringInfoData name;
	uint8		digest[SHA1_DIGEST_LENGTH];
	pg_uuid_t  *uuid = palloc(sizeof(pg_uuid_t));

	deconstruct_array(array, TEXTOID, -1, false, TYPALIGN_INT,
					  &parts, &nulls, &nparts);
	initStringInfo(&name);
	for (i = 0; i < nparts; i++)
	{
		char	   *part;

		if (nulls[i])
			ereport(ERROR,
					(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
					 errmsg("part %d of an operation's name must not be null",
							i + 1)));
		part = TextDatumGetCString(parts[i]);
		part = pg_server_to_any(part, strlen(part), PG_UTF8);
		appendStringInfo(&name, "%zu:%s,", strlen(part), part);
	}
	digest_name(&name, digest);
	memcpy(uuid->data, digest, UUID_LEN);
	uuid->data[6] = (uuid->data[6] & 0x0f) | 0x50;
	uuid->data[8] = (uuid->data[8] & 0x3f) | 0x80;
	PG_RETURN_UUID_P(uuid);
}

/* intake.forget_operation(operation uuid) RETURNS bool */
Datum
intake_forget_operation(PG_FUNCTION_ARGS)
{
	PreventCommandIfReadOnly("intake.forget_operation()");
	PreventCommandDuringRecovery("intake.forget_operation()");
	PG_RETURN_BOOL(intake_record_forget(PG_GETARG_UUID_P(0)) > 0);
}

/*
 * intake.record_failure(operation uuid, target regclass, error jsonb)
 * RETURNS bool
 */
Datum
intake_record_failure(PG_FUNCTION_ARGS)
{
	IntakeOperation operation = {.uuid = *PG_GETARG_UUID_P(0)};
	Oid			relid = PG_GETARG_OID(1);
	char	   *name = get_rel_name(relid);
	Jsonb	   *error = PG_GETARG_JSONB_P(2);

	if (VARSIZE(error) > MAX_FAILURE_SIZE)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("argument \"error\" must not be longer than %d bytes",
						MAX_FAILURE_SIZE)));
	if (name == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE),
				 errmsg("relation with OID %u does not exist", relid)));
	operation.door = "sql";
	operation.mode = "unknown";
	operation.identity.target =
		quote_qualified_identifier(get_namespace_name(get_rel_namespace(relid)),
								   name);
	operation.identity.request = "";
	PG_RETURN_BOOL(intake_operation_fail(&operation, error));
}

/* intake.operation_retention() RETURNS interval */
Datum
intake_operation_retention_interval(PG_FUNCTION_ARGS)
{
	Interval   *interval = palloc0(sizeof(Interval));

	interval->day = intake_operation_retention / MINUTES_PER_DAY;
	interval->time = (intake_operation_retention % MINUTES_PER_DAY) *
		USECS_PER_MINUTE;
	PG_RETURN_INTERVAL_P(interval);
}
