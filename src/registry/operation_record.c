/*-------------------------------------------------------------------------
 *
 * operation_record.c
 *	  The stored records of operations, in their time slices.
 *
 * A record belongs to a role.  The role's OID decides in the cluster that
 * wrote the record, so that a renamed role keeps its operations; elsewhere
 * (after a restore, where OIDs are others) the role's name does.
 *
 * All of this is done with catalog-style calls: no privileges are checked
 * (nobody but this code writes these tables), no trigger fires, and no
 * snapshot of the caller's is used.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "access/xact.h"
#include "access/xlog.h"
#include "catalog/indexing.h"
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "miscadmin.h"
#include "storage/bufmgr.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"
#include "utils/varlena.h"

#include "compat.h"
#include "registry/operation_record.h"
#include "registry/reject_record.h"

/* Slices of intake.operation; sql/pg_intake--1.0.sql makes as many. */
#define SLICES 8

/* Columns of intake.operation, in the order of the table. */
enum
{
	COLUMN_OPERATION = 1,
	COLUMN_ROLE_NAME,
	COLUMN_ROLE_OID,
	COLUMN_CLUSTER,
	COLUMN_LOGIN_NAME,
	COLUMN_DOOR,
	COLUMN_STATE,
	COLUMN_TARGET,
	COLUMN_MODE,
	COLUMN_REQUEST,
	COLUMN_DIGEST,
	COLUMN_SYS_CN,
	COLUMN_STARTED_AT,
	COLUMN_FINISHED_AT,
	COLUMN_EXPIRES_AT,
	COLUMN_BYTES_RECEIVED,
	COLUMN_ROWS_RECEIVED,
	COLUMN_ROWS_INSERTED,
	COLUMN_ROWS_UPDATED,
	COLUMN_ROWS_DELETED,
	COLUMN_ROWS_SKIPPED,
	COLUMN_ROWS_REJECTED,
	COLUMN_ERRORS,
	COLUMN_ERROR,
	COLUMN_QUERY_ID,
	COLUMN_REQUEST_ID,
	COLUMN_SUBJECT,
	COLUMN_ANSWER,
	COLUMNS = COLUMN_ANSWER
};

/* Values of column state. */
#define STATE_SUCCEEDED 's'
#define STATE_PARTIAL	'p'
#define STATE_FAILED	'f'

/* A record in a slice. */
typedef struct Record
{
	int			number;			/* of the slice */
	Relation	slice;
	HeapTuple	tuple;
	Datum		values[COLUMNS];
	bool		nulls[COLUMNS];
} Record;

/* Called with each record of a UUID; true ends the search. */
typedef bool (*RecordVisitor) (const Record *record, void *state);

Oid
intake_record_relation(const char *name)
{
	Oid			schema = get_namespace_oid("intake", true);
	Oid			relid = InvalidOid;

	if (OidIsValid(schema))
		relid = get_relname_relid(name, schema);
	if (!OidIsValid(relid))
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("relation intake.%s does not exist", name),
				 errhint("Run CREATE EXTENSION pg_intake in this database.")));
	return relid;
}

static Oid
slice_relation(int slice)
{
	char		name[NAMEDATALEN];

	snprintf(name, sizeof(name), "operation_%d", slice);
	return intake_record_relation(name);
}

/*
 * The slice that new records go into: the one that was opened last.  Before
 * the first rotation there is none on record, and the first slice is meant.
 */
static int
current_slice(void)
{
	Relation	rel = table_open(intake_record_relation("operation_slice"),
								 AccessShareLock);
	SysScanDesc scan = systable_beginscan(rel, InvalidOid, false,
										  SnapshotSelf, 0, NULL);
	HeapTuple	tuple;
	int			slice = 0;
	TimestampTz newest = DT_NOBEGIN;

	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		Datum		values[2];
		bool		nulls[2];

		heap_deform_tuple(tuple, RelationGetDescr(rel), values, nulls);
		if (DatumGetTimestampTz(values[1]) > newest)
		{
			newest = DatumGetTimestampTz(values[1]);
			slice = DatumGetInt32(values[0]);
		}
	}
	systable_endscan(scan);
	table_close(rel, AccessShareLock);
	return slice;
}

/* The index on a slice's column operation. */
static Oid
slice_index(Relation slice)
{
	List	   *indexes = RelationGetIndexList(slice);

	if (indexes == NIL)
		elog(ERROR, "relation %s has no index",
			 RelationGetRelationName(slice));
	return linitial_oid(indexes);
}

/* Visits the records of a UUID in one slice; true when the visitor ended it. */
static bool
visit_slice(int number, Relation slice, const pg_uuid_t *uuid,
			RecordVisitor visit, void *state)
{
	ScanKeyData key;
	SysScanDesc scan;
	Record		record = {.number = number, .slice = slice};
	bool		is_found = false;

	ScanKeyInit(&key, COLUMN_OPERATION, BTEqualStrategyNumber, F_UUID_EQ,
				UUIDPGetDatum(uuid));
	scan = systable_beginscan(slice, slice_index(slice), true, SnapshotSelf,
							  1, &key);
	while (!is_found &&
		   HeapTupleIsValid(record.tuple = systable_getnext(scan)))
	{
		heap_deform_tuple(record.tuple, RelationGetDescr(slice),
						  record.values, record.nulls);
		is_found = visit(&record, state);
	}
	systable_endscan(scan);
	return is_found;
}

/* Visits the records of a UUID in all slices. */
static void
visit_records(const pg_uuid_t *uuid, LOCKMODE lockmode, RecordVisitor visit,
			  void *state)
{
	bool		is_found = false;
	int			i;

	for (i = 0; i < SLICES && !is_found; i++)
	{
		Relation	slice = table_open(slice_relation(i), lockmode);

		if (RelationGetNumberOfBlocks(slice) > 0)
			is_found = visit_slice(i, slice, uuid, visit, state);
		table_close(slice, lockmode == AccessShareLock ? lockmode : NoLock);
	}
}

#define VALUE(record, column) ((record)->values[(column) - 1])
#define IS_NULL(record, column) ((record)->nulls[(column) - 1])

static int64
cluster_identifier(void)
{
	return (int64) GetSystemIdentifier();
}

/* Whether the record is one of the role's operations. */
static bool
belongs_to(const Record *record, Oid role)
{
	if (DatumGetInt64(VALUE(record, COLUMN_CLUSTER)) == cluster_identifier())
		return DatumGetObjectId(VALUE(record, COLUMN_ROLE_OID)) == role;
	return strcmp(NameStr(*DatumGetName(VALUE(record, COLUMN_ROLE_NAME))),
				  GetUserNameFromId(role, false)) == 0;
}

static int64
int_value(const Record *record, int column, int64 null_value)
{
	return IS_NULL(record, column) ? null_value :
		DatumGetInt64(VALUE(record, column));
}

static char *
text_value(const Record *record, int column)
{
	return IS_NULL(record, column) ? NULL :
		TextDatumGetCString(VALUE(record, column));
}

/* Sets the operation's answer from its record. */
static void
read_record(const Record *record, IntakeOperation *operation)
{
	IntakeCounters *counters = &operation->counters;
	bytea	   *digest = DatumGetByteaPP(VALUE(record, COLUMN_DIGEST));

	operation->is_partial =
		DatumGetChar(VALUE(record, COLUMN_STATE)) == STATE_PARTIAL;
	operation->identity.target = text_value(record, COLUMN_TARGET);
	operation->identity.request = text_value(record, COLUMN_REQUEST);
	operation->mode = text_value(record, COLUMN_MODE);
	operation->sys_cn = int_value(record, COLUMN_SYS_CN, 0);
	operation->started_at = int_value(record, COLUMN_STARTED_AT, 0);
	operation->finished_at = int_value(record, COLUMN_FINISHED_AT, 0);
	operation->expires_at = int_value(record, COLUMN_EXPIRES_AT, 0);
	counters->bytes_received = int_value(record, COLUMN_BYTES_RECEIVED, 0);
	counters->rows_received = int_value(record, COLUMN_ROWS_RECEIVED, 0);
	counters->rows_inserted = int_value(record, COLUMN_ROWS_INSERTED, 0);
	counters->rows_updated = int_value(record, COLUMN_ROWS_UPDATED, 0);
	counters->rows_deleted = int_value(record, COLUMN_ROWS_DELETED, -1);
	counters->rows_skipped = int_value(record, COLUMN_ROWS_SKIPPED, 0);
	counters->rows_rejected = int_value(record, COLUMN_ROWS_REJECTED, 0);
	if (!IS_NULL(record, COLUMN_ERRORS))
		operation->errors = DatumGetJsonbPCopy(VALUE(record, COLUMN_ERRORS));
	if (!IS_NULL(record, COLUMN_ANSWER))
		operation->answer = DatumGetJsonbPCopy(VALUE(record, COLUMN_ANSWER));
	memcpy(operation->digest, VARDATA_ANY(digest), INTAKE_DIGEST_LENGTH);
}

/* Sets what is on record of an earlier run's failure. */
static void
read_failure(const Record *record, IntakeOperation *operation)
{
	operation->failed_target = text_value(record, COLUMN_TARGET);
	operation->failed_at = int_value(record, COLUMN_FINISHED_AT, 0);
	operation->failure_expires_at = int_value(record, COLUMN_EXPIRES_AT, 0);
	if (!IS_NULL(record, COLUMN_ERROR))
		operation->failure = DatumGetJsonbPCopy(VALUE(record, COLUMN_ERROR));
}

typedef struct FindState
{
	IntakeOperation *operation;
	IntakeOperationState state;
} FindState;

static bool
find_visitor(const Record *record, void *arg)
{
	FindState  *find = arg;

	if (!belongs_to(record, find->operation->principal))
		return false;
	if (DatumGetChar(VALUE(record, COLUMN_STATE)) == STATE_FAILED)
	{
		find->state = INTAKE_OPERATION_FAILED;
		read_failure(record, find->operation);
		return false;
	}
	find->state = INTAKE_OPERATION_SUCCEEDED;
	read_record(record, find->operation);
	return true;
}

IntakeOperationState
intake_record_find(IntakeOperation *operation)
{
	FindState	find = {operation, INTAKE_OPERATION_UNKNOWN};

	visit_records(&operation->uuid, AccessShareLock, find_visitor, &find);
	return find.state;
}

static bool
delete_failed_visitor(const Record *record, void *arg)
{
	const IntakeOperation *operation = arg;

	if (belongs_to(record, operation->principal) &&
		DatumGetChar(VALUE(record, COLUMN_STATE)) == STATE_FAILED)
		CatalogTupleDelete(record->slice, &record->tuple->t_self);
	return false;
}

/* Whether the current user may make the record be forgotten. */
static bool
may_forget(const Record *record)
{
	List	   *name;
	Oid			relid;

	name = textToQualifiedNameList(DatumGetTextPP(VALUE(record,
														COLUMN_TARGET)));
	relid = RangeVarGetRelid(makeRangeVarFromNameList(name), NoLock, true);
	if (OidIsValid(relid))
		return intake_is_owner(relid, GetUserId());
	return superuser() || belongs_to(record, GetUserId());
}

typedef struct ForgetState
{
	int			forgotten;
	int			refused;		/* others' */
} ForgetState;

static bool
forget_visitor(const Record *record, void *arg)
{
	ForgetState *state = arg;
	Oid			role = DatumGetObjectId(VALUE(record, COLUMN_ROLE_OID));

	if (!may_forget(record))
	{
		state->refused++;
		return false;
	}
	intake_operation_lock(role, DatumGetUUIDP(VALUE(record, COLUMN_OPERATION)));
	CatalogTupleDelete(record->slice, &record->tuple->t_self);
	if (!IS_NULL(record, COLUMN_SYS_CN))
		intake_reject_record_forget(record->number,
									int_value(record, COLUMN_SYS_CN, 0));
	state->forgotten++;
	return false;
}

int
intake_record_forget(const pg_uuid_t *uuid)
{
	ForgetState state = {0, 0};

	visit_records(uuid, RowExclusiveLock, forget_visitor, &state);
	if (state.forgotten == 0 && state.refused > 0)
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("must be owner of the target to forget an operation")));
	return state.forgotten;
}

static void
set_text(Record *record, int column, const char *value)
{
	IS_NULL(record, column) = (value == NULL);
	if (value != NULL)
		VALUE(record, column) = CStringGetTextDatum(value);
}

static void
set_int(Record *record, int column, int64 value, int64 null_value)
{
	IS_NULL(record, column) = (value == null_value);
	VALUE(record, column) = Int64GetDatum(value);
}

static void
set_jsonb(Record *record, int column, Jsonb *value)
{
	IS_NULL(record, column) = (value == NULL);
	if (value != NULL)
		VALUE(record, column) = JsonbPGetDatum(value);
}

/* Who did it, and through which door. */
static void
set_origin(Record *record, const IntakeOperation *operation)
{
	NameData   *role = palloc(sizeof(NameData));
	NameData   *login = palloc(sizeof(NameData));
	bool		has_login = strcmp(operation->door, "http") != 0;

	namestrcpy(role, GetUserNameFromId(operation->principal, false));
	namestrcpy(login, GetUserNameFromId(GetSessionUserId(), false));
	VALUE(record, COLUMN_OPERATION) = UUIDPGetDatum(&operation->uuid);
	VALUE(record, COLUMN_ROLE_NAME) = NameGetDatum(role);
	VALUE(record, COLUMN_ROLE_OID) = ObjectIdGetDatum(operation->principal);
	VALUE(record, COLUMN_CLUSTER) = Int64GetDatum(cluster_identifier());
	VALUE(record, COLUMN_LOGIN_NAME) = NameGetDatum(login);
	IS_NULL(record, COLUMN_LOGIN_NAME) = !has_login;
	set_text(record, COLUMN_DOOR, operation->door);
	set_text(record, COLUMN_QUERY_ID, operation->query_id);
	set_text(record, COLUMN_REQUEST_ID, operation->request_id);
	set_text(record, COLUMN_SUBJECT, operation->subject);
}

static void
set_counters(Record *record, const IntakeCounters *counters)
{
	set_int(record, COLUMN_BYTES_RECEIVED, counters->bytes_received, -1);
	set_int(record, COLUMN_ROWS_RECEIVED, counters->rows_received, -1);
	set_int(record, COLUMN_ROWS_INSERTED, counters->rows_inserted, -1);
	set_int(record, COLUMN_ROWS_UPDATED, counters->rows_updated, -1);
	set_int(record, COLUMN_ROWS_DELETED, counters->rows_deleted, -1);
	set_int(record, COLUMN_ROWS_SKIPPED, counters->rows_skipped, -1);
	set_int(record, COLUMN_ROWS_REJECTED, counters->rows_rejected, -1);
}

/* The values of a record. */
static void
form_record(Record *record, const IntakeOperation *operation,
			IntakeOperationState state, Jsonb *error)
{
	char		letter = STATE_SUCCEEDED;
	bytea	   *digest = palloc(VARHDRSZ + INTAKE_DIGEST_LENGTH);

	if (state == INTAKE_OPERATION_FAILED)
		letter = STATE_FAILED;
	else if (operation->is_partial)
		letter = STATE_PARTIAL;
	SET_VARSIZE(digest, VARHDRSZ + INTAKE_DIGEST_LENGTH);
	memcpy(VARDATA(digest), operation->digest, INTAKE_DIGEST_LENGTH);

	set_origin(record, operation);
	VALUE(record, COLUMN_STATE) = CharGetDatum(letter);
	set_text(record, COLUMN_TARGET, operation->identity.target);
	set_text(record, COLUMN_MODE, operation->mode);
	set_text(record, COLUMN_REQUEST, operation->identity.request);
	VALUE(record, COLUMN_DIGEST) = PointerGetDatum(digest);
	set_int(record, COLUMN_SYS_CN, operation->sys_cn, 0);
	set_int(record, COLUMN_STARTED_AT, operation->started_at, 0);
	set_int(record, COLUMN_FINISHED_AT, operation->finished_at, 0);
	set_int(record, COLUMN_EXPIRES_AT, operation->expires_at, 0);
	set_counters(record, &operation->counters);
	set_jsonb(record, COLUMN_ERRORS, operation->errors);
	set_jsonb(record, COLUMN_ERROR, error);
	set_jsonb(record, COLUMN_ANSWER, state == INTAKE_OPERATION_SUCCEEDED ?
			  operation->answer : NULL);
}

int
intake_record_write(const IntakeOperation *operation,
					IntakeOperationState state, Jsonb *error)
{
	Record		record = {0};
	int			slice;

	if (operation->has_failed)
		visit_records(&operation->uuid, RowExclusiveLock,
					  delete_failed_visitor,
					  unconstify(IntakeOperation *, operation));
	form_record(&record, operation, state, error);
	slice = current_slice();
	record.slice = table_open(slice_relation(slice), RowExclusiveLock);
	record.tuple = heap_form_tuple(RelationGetDescr(record.slice),
								   record.values, record.nulls);
	CatalogTupleInsert(record.slice, record.tuple);
	table_close(record.slice, NoLock);
	/* What the caller runs next in this command sees the record. */
	CommandCounterIncrement();
	return slice;
}
