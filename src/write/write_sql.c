/*-------------------------------------------------------------------------
 *
 * write_sql.c
 *	  Set-wise SQL statements over a batch.
 *
 * [batch] --intake.batch_rows()--> statement --executor--> relation
 *
 * The batch that a running statement may read is a session variable, armed
 * just before the statement starts and taken by the first call of
 * intake.batch_rows(): a trigger that calls the function finds nothing.
 * Behind the last row comes one whose record is NULL; intake.batch_at()
 * leaves it out and notes that no row is being written any more, so that an
 * error of the statement's end (a foreign key, say) is not blamed on the
 * last record.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/xact.h"
#include "catalog/pg_collation.h"
#include "catalog/pg_operator.h"
#include "catalog/pg_type.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "nodes/supportnodes.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/snapmgr.h"
#include "utils/syscache.h"
#include "utils/tuplestore.h"

#include "write/partial_sql.h"
#include "write/write_sql.h"

PG_FUNCTION_INFO_V1(intake_batch_at);
PG_FUNCTION_INFO_V1(intake_batch_conflict);
PG_FUNCTION_INFO_V1(intake_batch_rows);
PG_FUNCTION_INFO_V1(intake_batch_support);
PG_FUNCTION_INFO_V1(intake_batch_written);

/* What the statement that is starting may read. */
typedef struct Feed
{
	IntakeStatement *statement;
	const IntakeBatch *batch;	/* NULL once it was taken */
	const IntakeBatch *taken;	/* NULL until then */
	int			place;			/* of the row that batch_at() has come to */
	bool		is_conflict;	/* the row being written is there */
	MemoryContext query;		/* of the statement that took it */
} Feed;

static Feed *feed = NULL;

static void
free_plan(void *arg)
{
	IntakeStatement *statement = arg;

	if (statement->plan != NULL)
		SPI_freeplan(statement->plan);
}

IntakeStatement *
intake_sql_make(IntakeWriter *writer, const IntakeColumnSet *columns,
				const int *fields, int nfields)
{
	IntakeStatement *statement = palloc0(sizeof(IntakeStatement));
	int			i;

	statement->callback.func = free_plan;
	statement->callback.arg = statement;
	MemoryContextRegisterResetCallback(CurrentMemoryContext,
									   &statement->callback);
	statement->writer = writer;
	statement->nfields = nfields;
	statement->fields = fields;
	statement->desc = CreateTemplateTupleDesc(nfields + 2 +
											  (writer->partial != NULL));
	for (i = 0; i < nfields; i++)
	{
		const IntakeColumn *column = &columns->columns[fields[i]];

		TupleDescInitEntry(statement->desc, i + 1, NULL, column->type,
						   column->typmod, 0);
	}
	TupleDescInitEntry(statement->desc, nfields + 1, "record", INT8OID, -1, 0);
	TupleDescInitEntry(statement->desc, nfields + 2, "line", INT8OID, -1, 0);
	if (writer->partial != NULL)
		TupleDescInitEntry(statement->desc, nfields + 3, "place", INT4OID, -1,
						   0);
	return statement;
}

void
intake_sql_append_source(StringInfo sql, const IntakeStatement *statement)
{
	int			i;

	appendStringInfoString(sql, "intake.batch_rows() AS b(");
	for (i = 0; i < statement->nfields; i++)
	{
		Form_pg_attribute field = TupleDescAttr(statement->desc, i);

		appendStringInfo(sql, "c%d %s, ", i + 1,
						 format_type_extended(field->atttypid,
											  field->atttypmod,
											  FORMAT_TYPE_TYPEMOD_GIVEN |
											  FORMAT_TYPE_FORCE_QUALIFY));
	}
	appendStringInfo(sql, "record pg_catalog.int8, line pg_catalog.int8%s)",
					 statement->writer->partial != NULL ?
					 ", place pg_catalog.int4" : "");
}

void
intake_sql_append_fields(StringInfo sql, const IntakeStatement *statement)
{
	int			i;

	for (i = 0; i < statement->nfields; i++)
	{
		if (i > 0)
			appendStringInfoString(sql, ", ");
		intake_partial_append_value(sql, statement, i);
	}
}

const char *
intake_sql_relation(Relation rel)
{
	char	   *schema = get_namespace_name(RelationGetNamespace(rel));

	return quote_qualified_identifier(schema, RelationGetRelationName(rel));
}

const char *
intake_sql_only(Relation rel)
{
	return rel->rd_rel->relkind == RELKIND_RELATION ? "ONLY " : "";
}

const char *
intake_sql_column(Relation rel, AttrNumber attnum)
{
	Form_pg_attribute attribute = TupleDescAttr(RelationGetDescr(rel),
												attnum - 1);

	return quote_identifier(NameStr(attribute->attname));
}

char *
intake_sql_operator(Oid operator)
{
	HeapTuple	tuple = SearchSysCache1(OPEROID, ObjectIdGetDatum(operator));
	Form_pg_operator form;
	char	   *result;

	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for operator %u", operator);
	form = (Form_pg_operator) GETSTRUCT(tuple);
	result = psprintf("OPERATOR(%s.%s)",
					  quote_identifier(get_namespace_name(form->oprnamespace)),
					  NameStr(form->oprname));
	ReleaseSysCache(tuple);
	return result;
}

const char *
intake_sql_collation(Oid collation)
{
	HeapTuple	tuple;
	Form_pg_collation form;
	char	   *schema;
	char	   *result;

	if (!OidIsValid(collation))
		return "";
	tuple = SearchSysCache1(COLLOID, ObjectIdGetDatum(collation));
	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for collation %u", collation);
	form = (Form_pg_collation) GETSTRUCT(tuple);
	schema = get_namespace_name(form->collnamespace);
	result = psprintf(" COLLATE %s",
					  quote_qualified_identifier(schema,
												 NameStr(form->collname)));
	ReleaseSysCache(tuple);
	return result;
}

/* Prepares the statement, in a procedure that is connected to SPI. */
static void
prepare_statement(IntakeStatement *statement)
{
	if (statement->plan != NULL)
		return;
	statement->plan = SPI_prepare(statement->sql, 0, NULL);
	if (statement->plan == NULL)
		elog(ERROR, "SPI_prepare failed: %s", SPI_result_code_string(SPI_result));
	SPI_keepplan(statement->plan);
}

/* Runs the prepared statement under the snapshot that it needs. */
static void
execute_statement(IntakeStatement *statement, bool sees_all)
{
	int			result;

	if (sees_all && IsolationUsesXactSnapshot())
	{
		CommandCounterIncrement();
		result = SPI_execute_snapshot(statement->plan, NULL, NULL,
									  GetLatestSnapshot(),
									  GetTransactionSnapshot(),
									  false, true, 0);
	}
	else
		result = SPI_execute_plan(statement->plan, NULL, NULL, false, 0);
	if (result < 0)
		elog(ERROR, "SPI_execute_plan failed: %s",
			 SPI_result_code_string(result));
}

int64
intake_sql_run(IntakeStatement *statement, IntakeBatch *batch, bool sees_all)
{
	Feed	   *outer = feed;
	Feed		own = {.statement = statement, .batch = batch, .place = -1};
	int64		processed = 0;

	SPI_connect();
	PG_TRY();
	{
		feed = &own;
		prepare_statement(statement);
		execute_statement(statement, sees_all);
		processed = (int64) SPI_processed;
	}
	PG_FINALLY();
	{
		feed = outer;
	}
	PG_END_TRY();
	SPI_finish();
	statement->writer->position->record = 0;
	return processed;
}

/* Raises the error for a call from outside our own statements. */
static void
report_no_batch(const char *function)
{
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("%s may only be called by pg_intake itself", function)));
}

/*
 * Whether the caller is the statement that took the batch, and not a trigger
 * of its target, say: an expression's functions are set up in the memory
 * context of their statement.
 */
static void
check_caller(FunctionCallInfo fcinfo, const char *function)
{
	if (feed == NULL || feed->query == NULL ||
		fcinfo->flinfo->fn_mcxt != feed->query)
		report_no_batch(function);
}

const IntakeRow *
intake_sql_row(int place, const char *function, IntakeWriter **writer)
{
	if (feed == NULL || feed->taken == NULL)
		report_no_batch(function);
	if (place < 0)
		place = feed->place;
	if (place < 0 || place >= feed->taken->nrows)
		report_no_batch(function);
	*writer = feed->statement->writer;
	return &feed->taken->rows[place];
}

/* Puts the statement's fields of one row into the tuplestore. */
static void
put_row(Tuplestorestate *store, const IntakeStatement *statement,
		const IntakeRow *row, int place, Datum *values, bool *nulls)
{
	int			n = statement->nfields;
	int			i;

	for (i = 0; i < n; i++)
	{
		values[i] = row->values[statement->fields[i]];
		nulls[i] = row->nulls[statement->fields[i]];
	}
	values[n] = Int64GetDatum((int64) row->record);
	values[n + 1] = Int64GetDatum((int64) row->line);
	nulls[n] = nulls[n + 1] = false;
	if (statement->writer->partial != NULL)
	{
		values[n + 2] = Int32GetDatum(place);
		nulls[n + 2] = false;
	}
	tuplestore_putvalues(store, statement->desc, values, nulls);
}

/* Fills the tuplestore with the batch, and with the row that ends it. */
static void
put_batch(Tuplestorestate *store, const IntakeStatement *statement,
		  const IntakeBatch *batch)
{
	int			natts = statement->desc->natts;
	Datum	   *values = palloc0(natts * sizeof(Datum));
	bool	   *nulls = palloc0(natts * sizeof(bool));
	int			i;

	for (i = 0; i < batch->nrows; i++)
		put_row(store, statement, &batch->rows[i], i, values, nulls);
	if (statement->is_positioned)
	{
		memset(nulls, true, natts);
		tuplestore_putvalues(store, statement->desc, values, nulls);
	}
}

/*
 * intake.batch_rows() RETURNS SETOF record
 *
 * The fields of the batch's rows for the statement that has just started.
 */
Datum
intake_batch_rows(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *info = (ReturnSetInfo *) fcinfo->resultinfo;
	MemoryContext old;
	const IntakeBatch *batch;
	bool		is_random;

	if (feed == NULL || feed->batch == NULL)
		report_no_batch("intake.batch_rows()");
	if (info == NULL || !IsA(info, ReturnSetInfo) ||
		(info->allowedModes & SFRM_Materialize) == 0)
		report_no_batch("intake.batch_rows()");
	batch = feed->taken = feed->batch;
	feed->batch = NULL;
	feed->query = info->econtext->ecxt_per_query_memory;

	old = MemoryContextSwitchTo(info->econtext->ecxt_per_query_memory);
	info->returnMode = SFRM_Materialize;
	info->setDesc = CreateTupleDescCopy(feed->statement->desc);
	is_random = (info->allowedModes & SFRM_Materialize_Random) != 0;
	info->setResult = tuplestore_begin_heap(is_random, false, work_mem);
	MemoryContextSwitchTo(old);
	put_batch(info->setResult, feed->statement, batch);
	return (Datum) 0;
}

/*
 * intake.batch_at(record bigint, line bigint) RETURNS bool
 *
 * Notes which row the statement is at; false for the row that ends a batch.
 */
Datum
intake_batch_at(PG_FUNCTION_ARGS)
{
	IntakeWritePosition *position;

	check_caller(fcinfo, "intake.batch_at()");
	feed->is_conflict = false;
	feed->place++;
	position = feed->statement->writer->position;
	if (PG_ARGISNULL(0))
	{
		position->record = 0;
		PG_RETURN_BOOL(false);
	}
	position->record = PG_GETARG_INT64(0);
	position->line = PG_GETARG_INT64(1);
	PG_RETURN_BOOL(true);
}

/*
 * intake.batch_conflict() RETURNS bool
 *
 * Notes that the row being written is there; true: it is to be updated.
 */
Datum
intake_batch_conflict(PG_FUNCTION_ARGS)
{
	check_caller(fcinfo, "intake.batch_conflict()");
	feed->is_conflict = true;
	PG_RETURN_BOOL(true);
}

/*
 * intake.batch_written() RETURNS bool
 *
 * Counts the row that has just been written; true: it was updated.
 */
Datum
intake_batch_written(PG_FUNCTION_ARGS)
{
	check_caller(fcinfo, "intake.batch_written()");
	if (feed->is_conflict)
		feed->statement->updated++;
	else
		feed->statement->inserted++;
	PG_RETURN_BOOL(feed->is_conflict);
}

/*
 * intake.batch_support(internal) RETURNS internal
 *
 * Tells the planner how many rows intake.batch_rows() returns.
 */
Datum
intake_batch_support(PG_FUNCTION_ARGS)
{
	Node	   *request = (Node *) PG_GETARG_POINTER(0);

	if (IsA(request, SupportRequestRows) && feed != NULL &&
		feed->batch != NULL)
	{
		((SupportRequestRows *) request)->rows = feed->batch->nrows;
		PG_RETURN_POINTER(request);
	}
	PG_RETURN_POINTER(NULL);
}
