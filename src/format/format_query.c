/*-------------------------------------------------------------------------
 *
 * format_query.c
 *	  The decoder of intake.upload_query(): rows of a query.
 *
 * [portal] --row--> (copied into the batch) --casts--> IntakeRow
 *
 * The query runs in a portal of its own, as a cursor's does, whose row is
 * fetched when it is wanted: so memory stays flat, the position of an error
 * is right, and what the portal holds is its own, whatever subtransactions
 * the writers use between two rows.  The portal is pinned: no trigger can
 * close it.
 *
 * A query column whose type and type modifier are those of the target's
 * column is copied.  Any other gets the expression that INSERT ... SELECT
 * would compute: PostgreSQL's parser makes it, over a slot of the query's
 * row.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/detoast.h"
#include "catalog/pg_type.h"
#include "executor/executor.h"
#include "executor/spi.h"
#include "mb/pg_wchar.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/optimizer.h"
#include "parser/parse_coerce.h"
#include "parser/parse_node.h"
#include "tcop/pquery.h"
#include "tcop/utility.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/plancache.h"
#include "utils/portal.h"

#include "convert.h"
#include "format/format_query.h"

/* One column of the query that goes into one of the target. */
typedef struct QueryField
{
	int			attribute;		/* of the query's row, from 0 */
	int			number;			/* of the target's column */
	bool		is_byval;
	int16		length;
	ExprState  *cast;			/* NULL: as it is */
} QueryField;

typedef struct QueryDecoder
{
	IntakeDecoder base;
	DestReceiver receiver;		/* of the portal's rows */
	Portal		portal;
	TupleDesc	desc;			/* of the query's rows */
	List	   *targets;		/* its target list, as it was analyzed */
	QueryField *fields;
	int			nfields;
	EState	   *estate;			/* of the casts */
	TupleTableSlot *slot;		/* what the casts compute from */
	MemoryContext batch;		/* where the row goes that is fetched */
	uint64		record;
} QueryDecoder;

/* The names of a decoder's receiver lie in the decoder. */
static QueryDecoder *
decoder_of_receiver(DestReceiver *receiver)
{
	return (QueryDecoder *) ((char *) receiver -
							 offsetof(QueryDecoder, receiver));
}

/*
 * As INSERT ... SELECT does: a literal takes the type of the column it goes
 * into, and is no text.
 */
static void
set_up_parser(ParseState *pstate, void *arg)
{
	pstate->p_resolve_unknowns = false;
}

/* Refuses what is not one statement that returns rows and writes none. */
static void
check_query(SPIPlanPtr plan)
{
	List	   *sources = SPI_plan_get_plan_sources(plan);
	CachedPlanSource *source;
	Query	   *query;

	if (list_length(sources) != 1)
		ereport(ERROR,
				(errcode(ERRCODE_SYNTAX_ERROR),
				 errmsg("query to upload must be one statement"),
				 list_length(sources) == 0 ? errdetail("It is empty.") :
				 errdetail("There are %d.", list_length(sources))));
	source = linitial(sources);
	query = list_length(source->query_list) == 1 ?
		linitial_node(Query, source->query_list) : NULL;
	if (query == NULL || query->commandType != CMD_SELECT)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("cannot upload the rows of %s",
						query != NULL ? CreateCommandName((Node *) query) :
						GetCommandTagName(source->commandTag)),
				 errhint("The query must be a SELECT, VALUES or TABLE.")));
	if (query->hasModifyingCTE)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("cannot upload the rows of a query with a data-modifying statement in WITH")));
}

/* Notes what is to be known of the analyzed query; context is the decoder's. */
static void
note_query(QueryDecoder *query, SPIPlanPtr plan, MemoryContext context)
{
	CachedPlanSource *source = linitial(SPI_plan_get_plan_sources(plan));
	Query	   *analyzed = linitial_node(Query, source->query_list);
	MemoryContext old = MemoryContextSwitchTo(context);

	query->targets = copyObject(analyzed->targetList);
	query->base.is_volatile =
		contain_volatile_functions_not_nextval((Node *) analyzed);
	MemoryContextSwitchTo(old);
}

/*
 * Opens the portal.  Its snapshot is taken now: what this transaction has
 * done before is seen, what it does from here on is not.
 */
static void
open_portal(QueryDecoder *query, const char *sql)
{
	MemoryContext context = CurrentMemoryContext;
	SPIPlanPtr	plan;

	SPI_connect();
	plan = SPI_prepare_params(sql, set_up_parser, NULL, CURSOR_OPT_NO_SCROLL);
	if (plan == NULL)
		elog(ERROR, "SPI_prepare_params failed: %s",
			 SPI_result_code_string(SPI_result));
	check_query(plan);
	note_query(query, plan, context);
	query->portal = SPI_cursor_open(NULL, plan, NULL, NULL, false);
	PinPortal(query->portal);
	SPI_finish();
	query->desc = CreateTupleDescCopy(query->portal->tupDesc);
}

/* A column's name as column sets have it. */
static const char *
payload_name(Form_pg_attribute attribute)
{
	const char *name = NameStr(attribute->attname);

	return pg_server_to_any(name, strlen(name), PG_UTF8);
}

/*
 * What a cast computes from: the query's column, or, for a literal that has
 * no type yet, the literal.
 */
static Expr *
make_input(const QueryDecoder *query, int attribute)
{
	Form_pg_attribute form = TupleDescAttr(query->desc, attribute);

	if (form->atttypid == UNKNOWNOID)
	{
		TargetEntry *target = list_nth_node(TargetEntry, query->targets,
											attribute);

		if (IsA(target->expr, Const))
			return target->expr;
	}
	return (Expr *) makeVar(1, attribute + 1, form->atttypid,
							form->atttypmod, form->attcollation, 0);
}

/* Raises the error of INSERT for a type that cannot be assigned. */
static void
report_type(const IntakeColumn *column, Oid type)
{
	ereport(ERROR,
			(errcode(ERRCODE_DATATYPE_MISMATCH),
			 errmsg("column \"%s\" is of type %s but expression is of type %s",
					intake_convert_show(column->name, strlen(column->name)),
					format_type_be(column->type), format_type_be(type)),
			 errhint("You will need to rewrite or cast the expression.")));
}

/* Sets the field's cast, when it needs one. */
static void
make_cast(QueryDecoder *query, QueryField *field)
{
	const IntakeColumn *column = &query->base.columns->columns[field->number];
	Expr	   *input = make_input(query, field->attribute);
	Oid			type = exprType((Node *) input);
	Expr	   *expr;

	query->base.position->column = column->name;
	if (type == UNKNOWNOID && !IsA(input, Const))
		report_type(column, type);
	expr = (Expr *) coerce_to_target_type(NULL, (Node *) input, type,
										  column->type, column->typmod,
										  COERCION_ASSIGNMENT,
										  COERCE_IMPLICIT_CAST, -1);
	if (expr == NULL)
		report_type(column, type);
	if (expr != input || IsA(input, Const))
		field->cast = ExecInitExpr(expression_planner(expr), NULL);
	query->base.position->column = NULL;
}

/* Adds the query's column as a field, unless the target has none for it. */
static void
add_field(QueryDecoder *query, int attribute, const IntakeOptions *options)
{
	Form_pg_attribute form = TupleDescAttr(query->desc, attribute);
	IntakeColumnSet *columns = query->base.columns;
	const char *name = payload_name(form);
	int			number = intake_columns_find(columns, name, strlen(name));
	QueryField *field;

	if (number < 0)
	{
		if (options->unknown != INTAKE_UNKNOWN_IGNORE)
			intake_columns_report_unknown(columns, name, strlen(name));
		return;
	}
	if (query->base.given[number])
		intake_columns_report_repeated(columns, number);
	query->base.given[number] = true;
	field = &query->fields[query->nfields++];
	field->attribute = attribute;
	field->number = number;
	field->is_byval = form->attbyval;
	field->length = form->attlen;
	make_cast(query, field);
}

/* Matches the query's columns to the target's. */
static void
match_columns(QueryDecoder *query, const IntakeOptions *options)
{
	int			i;

	query->fields = palloc0(sizeof(QueryField) * Max(query->desc->natts, 1));
	query->estate = CreateExecutorState();
	query->slot = MakeSingleTupleTableSlot(query->desc, &TTSOpsVirtual);
	GetPerTupleExprContext(query->estate)->ecxt_scantuple = query->slot;
	for (i = 0; i < query->desc->natts; i++)
		add_field(query, i, options);
	if (query->nfields == 0)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_COLUMN),
				 errmsg("query gives no column of %s",
						query->base.columns->owner),
				 errdetail_internal("%s",
									intake_columns_list(query->base.columns))));
}

/*
 * A value that outlives the query: the rows may be staged, and a value stored
 * out of line may be gone when they are written.
 */
static Datum
copy_value(const QueryField *field, Datum value)
{
	if (!field->is_byval && field->length == -1)
	{
		struct varlena *varlena = (struct varlena *) DatumGetPointer(value);

		if (VARATT_IS_EXTERNAL(varlena))
			return PointerGetDatum(detoast_external_attr(varlena));
	}
	return datumCopy(value, field->is_byval, field->length);
}

/* Takes a row from the portal: its fields' values go into the slot. */
static bool
receive_row(TupleTableSlot *row, DestReceiver *receiver)
{
	QueryDecoder *query = decoder_of_receiver(receiver);
	TupleTableSlot *slot = query->slot;
	MemoryContext old = MemoryContextSwitchTo(query->batch);
	int			i;

	slot_getallattrs(row);
	ExecClearTuple(slot);
	memset(slot->tts_isnull, true, query->desc->natts * sizeof(bool));
	for (i = 0; i < query->nfields; i++)
	{
		const QueryField *field = &query->fields[i];
		int			attribute = field->attribute;

		if (row->tts_isnull[attribute])
			continue;
		slot->tts_values[attribute] =
			copy_value(field, row->tts_values[attribute]);
		slot->tts_isnull[attribute] = false;
	}
	ExecStoreVirtualTuple(slot);
	MemoryContextSwitchTo(old);
	return true;
}

static void
start_receiving(DestReceiver *receiver, int operation, TupleDesc desc)
{
	/* the decoder knows the rows already */
}

static void
stop_receiving(DestReceiver *receiver)
{
	/* rows come one call at a time */
}

static IntakeDecoder *
begin_query(IntakeSource *source, IntakeColumnSet *columns,
			const IntakeOptions *options, IntakePosition *position)
{
	QueryDecoder *query = palloc0(sizeof(QueryDecoder));

	query->base.routine = &intake_format_query;
	query->base.source = source;
	query->base.columns = columns;
	query->base.position = position;
	query->base.given = palloc0(columns->ncolumns * sizeof(bool) + 1);
	query->receiver.receiveSlot = receive_row;
	query->receiver.rStartup = start_receiving;
	query->receiver.rShutdown = stop_receiving;
	query->receiver.rDestroy = stop_receiving;
	query->receiver.mydest = DestNone;

	memset(position, 0, sizeof(*position));
	open_portal(query, pnstrdup(source->cursor,
								source->limit - source->cursor));
	match_columns(query, options);
	return &query->base;
}

/* Fetches the next row into the slot; false behind the last one. */
static bool
fetch_row(QueryDecoder *query)
{
	Portal		portal = query->portal;

	/* A trigger that knows the portal's name could have fetched from it. */
	if (portal->portalPos != query->record)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_CURSOR_STATE),
				 errmsg("rows of the query that is being uploaded were fetched by someone else")));
	query->batch = CurrentMemoryContext;
	return PortalRunFetch(portal, FETCH_FORWARD, 1, &query->receiver) > 0;
}

/* The field's value of the row that was fetched. */
static Datum
convert_field(QueryDecoder *query, const QueryField *field, bool *is_null)
{
	ExprContext *context;

	if (field->cast == NULL)
	{
		*is_null = query->slot->tts_isnull[field->attribute];
		return query->slot->tts_values[field->attribute];
	}
	context = GetPerTupleExprContext(query->estate);
	query->base.position->column =
		query->base.columns->columns[field->number].name;
	return ExecEvalExpr(field->cast, context, is_null);
}

static bool
next_query(IntakeDecoder *decoder, IntakeRow *row)
{
	QueryDecoder *query = (QueryDecoder *) decoder;
	int			i;

	decoder->position->record = query->record + 1;
	ResetPerTupleExprContext(query->estate);
	if (!fetch_row(query))
		return false;
	row->record = ++query->record;
	row->line = 0;
	memcpy(row->is_set, decoder->given,
		   decoder->columns->ncolumns * sizeof(bool));
	for (i = 0; i < query->nfields; i++)
	{
		int			number = query->fields[i].number;

		row->values[number] = convert_field(query, &query->fields[i],
											&row->nulls[number]);
	}
	decoder->position->column = NULL;
	return true;
}

/*
 * A row whose casts have failed has been fetched, and the portal is at the
 * next one.  The query's own errors are its end.
 */
static bool
skip_query(IntakeDecoder *decoder, int sqlstate)
{
	return ((QueryDecoder *) decoder)->record == decoder->position->record;
}

/* Ends the query, and with it its snapshot, before the stage is applied. */
static void
end_query(IntakeDecoder *decoder)
{
	QueryDecoder *query = (QueryDecoder *) decoder;

	UnpinPortal(query->portal);
	SPI_cursor_close(query->portal);
	ExecDropSingleTupleTableSlot(query->slot);
	FreeExecutorState(query->estate);
}

const IntakeFormatRoutine intake_format_query = {
	.name = "query",
	.is_binary = false,
	.begin = begin_query,
	.next = next_query,
	.skip = skip_query,
	.text = NULL,
	.end = end_query
};
