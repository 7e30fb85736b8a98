/*-------------------------------------------------------------------------
 *
 * ingest.c
 *	  The engine behind all doors: one operation, from claim to record.
 *
 *	claim -> (a repeat: drain, compare, answer)
 *		  -> plan: target, mode, key, columns, privileges
 *		  -> loop: decoder fills a batch, writer takes it
 *		  -> writer applies what it staged -> record
 *
 * Everything happens in the caller's transaction.  Memory: the operation
 * context holds what lives as long as the operation, the batch context the
 * values of the rows of one batch.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/relation.h"
#include "access/xact.h"
#include "access/xlog.h"
#include "catalog/catalog.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/json.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"

#include "decode.h"
#include "dry_run.h"
#include "fault.h"
#include "format/format.h"
#include "ingest.h"
#include "plan.h"
#include "progress.h"
#include "registry/operation_last.h"
#include "write/hold.h"
#include "write/write.h"

/* The request as it was made, for the comparison with a repeat. */
static char *
describe_request(const IntakeRequest *request)
{
	StringInfoData text;

	initStringInfo(&text);
	appendStringInfo(&text, "{\"format\": \"%s\"", request->format);
	if (request->mode != INTAKE_MODE_DEFAULT)
		appendStringInfo(&text, ", \"mode\": \"%s\"",
						 intake_mode_name(request->mode));
	if (request->sys_op != INTAKE_NO_SYS_OP)
		appendStringInfo(&text, ", \"sys_op\": %d", request->sys_op);
	appendStringInfo(&text, ", \"options\": %s}",
					 intake_options_identity(request->options));
	return text.data;
}

/* Whose options the request may have. */
static int
door_of_request(const IntakeRequest *request)
{
	return request->mode == INTAKE_MODE_DELETE ? INTAKE_DOOR_DELETE :
		INTAKE_DOOR_UPLOAD;
}

/*
 * The target is not there, or no more: name, quoted, is what it was called
 * before its lock was waited for.  Whoever has found it then may look for it
 * again.
 */
static void
report_no_target(const IntakeRequest *request, const char *name)
{
	if (name != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
				 errmsg("table %s was dropped meanwhile", name)));
	ereport(ERROR,
			(errcode(ERRCODE_UNDEFINED_TABLE),
			 errmsg("relation with OID %u does not exist", request->relid)));
}

/* Opens the target, with the lock of any INSERT. */
static Relation
open_target(const IntakeRequest *request)
{
	Oid			relid = request->relid;
	const char *name = request->target_name;
	Relation	rel;

	PreventCommandIfReadOnly("a pg_intake upload");
	PreventCommandDuringRecovery("a pg_intake upload");
	if (name == NULL && (name = get_rel_name(relid)) != NULL)
		name = quote_identifier(name);
	rel = try_relation_open(relid, RowExclusiveLock);
	if (rel == NULL)
		report_no_target(request, name);
	switch (rel->rd_rel->relkind)
	{
		case RELKIND_RELATION:
		case RELKIND_PARTITIONED_TABLE:
		case RELKIND_FOREIGN_TABLE:
		case RELKIND_VIEW:
			break;
		default:
			ereport(ERROR,
					(errcode(ERRCODE_WRONG_OBJECT_TYPE),
					 errmsg("cannot upload into \"%s\"",
							RelationGetRelationName(rel)),
					 errdetail("A target is a table, a foreign table or a view.")));
	}
	if (IsSystemRelation(rel))
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("cannot upload into system catalog \"%s\"",
						RelationGetRelationName(rel))));
	return rel;
}

static void
release_target(void *argument)
{
	intake_hold_release(argument);
}

static void
regain_target(void *argument)
{
	intake_hold_regain(argument);
}

/* The target is let go while the source waits; until it is written to. */
static void
hold_target(IntakeSource *source, IntakeHold *hold)
{
	source->hold.release = release_target;
	source->hold.regain = regain_target;
	source->hold.argument = hold;
}

/*
 * Others may have changed the target and who may write it, where it was let
 * go.
 */
static void
check_held(const IntakePlan *plan, IntakeHold *hold)
{
	if (!hold->was_released)
		return;
	intake_hold_settle(hold);
	intake_plan_check_privileges(plan);
}

/*
 * From now on the target is held until the transaction ends.  What an
 * operation is numbered with may take an XID, which holds back vacuum as a
 * snapshot does: so that is not done earlier.
 */
static void
begin_to_write(const IntakePlan *plan, IntakeSource *source,
			   IntakeOperation *operation)
{
	if (source->hold.argument != NULL)
		check_held(plan, source->hold.argument);
	memset(&source->hold, 0, sizeof(source->hold));
	if (operation->sys_cn == 0)
		intake_operation_number(operation);
}

/* Answers a repeat from the record, when it is one. */
static void
answer_repeat(const IntakeRequest *request,
			  const IntakeRequestIdentity *identity,
			  IntakeOperation *operation)
{
	uint8		digest[INTAKE_DIGEST_LENGTH];

	if (request->source == NULL)
	{
		intake_operation_check_repeat(operation, identity, NULL);
		return;
	}
	/* What was done of one that was cut is its beginning. */
	if (operation->is_partial)
		intake_source_limit_digest(request->source,
								   operation->counters.bytes_received);
	intake_source_drain(request->source);
	intake_source_digest(request->source, digest);
	intake_operation_check_repeat(operation, identity, digest);
}

/* Shows the records so far, which are rows or have been set aside. */
static void
report_progress(const IntakePlan *plan, const IntakeSource *source,
				int64 rows)
{
	int64		rejected = intake_rejects_count(plan->rejects);

	intake_progress_report(source, rows + rejected, rejected);
}

/* The loop: batches from the decoder to the writer; returns their rows. */
static int64
move_rows(const IntakeRequest *request, IntakePlan *plan,
		  IntakeDecoder *decoder, IntakeWriter *writer,
		  IntakeOperation *operation, IntakeProgress *progress)
{
	IntakeBatch *batch = intake_batch_make(plan->columns->ncolumns,
										   INTAKE_BATCH_ROWS);
	IntakeWatch *watch = request->watch;
	int64		received = 0;
	bool		has_more = true;

	if (watch != NULL)
		watch->waiting = &batch->nrows;

	while (has_more)
	{
		progress->is_decoding = true;
		has_more = intake_decode_batch(plan, decoder, batch);
		progress->is_decoding = false;
		received += batch->nrows;
		report_progress(plan, decoder->source, received);
		if (batch->nrows > 0 && !writer->is_staged)
			begin_to_write(plan, decoder->source, operation);
		if (batch->nrows > 0)
			writer->routine->take(writer, batch);
		intake_batch_clear(batch);
		if (watch != NULL)
		{
			watch->written = received;
			watch->on_batch(watch);
		}
		CHECK_FOR_INTERRUPTS();
	}
	return received;
}

/* Begins the decoder: reads what comes before the first record. */
static IntakeDecoder *
begin_decoder(const IntakeRequest *request, IntakePlan *plan,
			  IntakeProgress *progress)
{
	IntakeDecoder *decoder;

	progress->is_decoding = true;
	plan->defaults->column = &progress->position.column;
	decoder = plan->format->begin(request->source, plan->columns,
								  plan->options, &progress->position);
	progress->position.column = NULL;
	progress->position.value = NULL;
	if (decoder->given != NULL)
	{
		intake_plan_check_given(plan, decoder->given);
		intake_defaults_mention_all(plan->defaults, decoder->given);
	}
	progress->is_decoding = false;
	return decoder;
}

/*
 * Where rows are deleted to make place for the payload's, what the target
 * refuses fails the operation: a key would be deleted and not filled again.
 */
static void
begin_writer(IntakeWriter *writer, IntakePlan *plan,
			 const IntakeDecoder *decoder, IntakeOperation *operation,
			 IntakeProgress *progress)
{
	writer->routine = plan->writer;
	writer->rel = plan->rel;
	writer->target = plan->target;
	writer->columns = plan->columns;
	writer->defaults = plan->defaults;
	writer->partial = plan->partial;
	writer->options = plan->options;
	writer->key = plan->key;
	writer->sys_op = plan->sys_op;
	if (plan->mode != INTAKE_MODE_REPLACE &&
		plan->options->truncate == INTAKE_TRUNCATE_NO)
		writer->rejects = plan->rejects;
	writer->needs_stage = decoder->is_volatile;
	writer->is_exclusive = plan->is_exclusive;
	writer->counters = &operation->counters;
	writer->position = &progress->write_position;
	writer->context = CurrentMemoryContext;
	writer->routine->begin(writer);
}

/* Decodes and writes the payload, and closes the target. */
static void
run_operation(const IntakeRequest *request, IntakePlan *plan,
			  IntakeOperation *operation, IntakeProgress *progress)
{
	IntakeWriter writer = {0};
	IntakeHold *hold = intake_hold_make(plan->rel, plan->target->root,
										RowExclusiveLock);
	IntakeCounters *counters = &operation->counters;
	IntakeDecoder *decoder;

	hold_target(request->source, hold);
	decoder = begin_decoder(request, plan, progress);
	begin_writer(&writer, plan, decoder, operation, progress);
	counters->rows_received = move_rows(request, plan, decoder, &writer,
										operation, progress) +
		intake_rejects_count(plan->rejects);
	decoder->routine->end(decoder);
	intake_source_drain(request->source);
	operation->is_partial = request->source->is_cut;
	operation->cut_reason = request->source->cut_reason;
	counters->bytes_received = (int64) intake_source_received(request->source);
	intake_source_digest(request->source, operation->digest);

	if (plan->options->truncate != INTAKE_TRUNCATE_NO &&
		!plan->options->allow_empty &&
		counters->rows_received == intake_rejects_count(plan->rejects))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("payload without records would leave the target empty"),
				 errhint("Give option \"allow_empty\" if that is meant.")));
	begin_to_write(plan, request->source, operation);
	if (plan->options->truncate == INTAKE_TRUNCATE_FAST)
		intake_hold_exchange(hold, AccessExclusiveLock);
	writer.routine->finish(&writer);
	relation_close(writer.rel, NoLock);
	if (plan->rejects != NULL)
	{
		intake_rejects_judge(plan->rejects, counters->rows_received);
		counters->rows_rejected = intake_rejects_count(plan->rejects);
		operation->errors = intake_rejects_report(plan->rejects);
	}
}

/* Plans and runs a claimed operation, and writes its record. */
static void
perform_operation(const IntakeRequest *request, Relation rel,
				  IntakeTarget *target, IntakeOptions *options,
				  IntakeOperation *operation)
{
	IntakeProgress progress = {.source = request->source};
	ErrorContextCallback callback;
	IntakePlan *plan = intake_plan_make(request, rel, target, options);

	operation->mode = intake_mode_name(plan->mode);
	progress.is_delete = request->mode == INTAKE_MODE_DELETE;
	progress.relation = pstrdup(RelationGetRelationName(rel));
	callback.callback = intake_fault_report;
	callback.arg = &progress;
	callback.previous = error_context_stack;
	error_context_stack = &callback;

	intake_progress_begin(RelationGetRelid(rel), request->source);
	run_operation(request, plan, operation, &progress);
	intake_progress_end(request->source);

	error_context_stack = callback.previous;
	operation->relid = request->relid;
	operation->rejects = plan->rejects;
	intake_operation_finish(operation);
	operation->rejects = NULL;
	if (plan->rejects != NULL)
		intake_rejects_end(plan->rejects);
}

/* The options that count for the target, which says the source's encoding. */
static IntakeOptions *
parse_options(const IntakeRequest *request, const IntakeTarget *target)
{
	IntakeOptions *options = intake_options_parse(request->options,
												  target->options,
												  door_of_request(request));

	if (!request->is_text && !intake_format_find(request->format)->is_binary)
		intake_source_set_encoding(request->source, options->encoding);
	return options;
}

/* Sets what the operation is called. */
static void
name_operation(const IntakeRequest *request, const IntakeOptions *options,
			   IntakeOperation *operation)
{
	operation->uuid = request->uuid;
	operation->door = request->door;
	operation->query_id = options->query_id;
	operation->request_id = request->request_id;
}

/*
 * Claims the operation, and performs it unless it has been done.  Closes the
 * target.
 */
static void
claim_and_perform(const IntakeRequest *request, Relation rel,
				  IntakeOperation *operation)
{
	IntakeTarget *target = intake_target_lookup(rel);
	IntakeOptions *options = parse_options(request, target);
	IntakeRequestIdentity identity;

	identity.target = target->name;
	identity.request = describe_request(request);
	name_operation(request, options, operation);
	if (intake_operation_claim(operation))
	{
		relation_close(rel, RowExclusiveLock);
		answer_repeat(request, &identity, operation);
		return;
	}
	operation->identity = identity;
	PG_TRY();
	{
		perform_operation(request, rel, target, options, operation);
	}
	PG_FINALLY();
	{
		intake_operation_leave(operation);
	}
	PG_END_TRY();
}

/* Performs an operation whose door has yet to make its target ready. */
static void
prepare_and_perform(const IntakeRequest *request, IntakeOperation *operation)
{
	IntakeRequest prepared = *request;
	IntakeOptions *options;
	IntakeTarget *target;
	Relation	rel;

	request->prepare(&prepared, operation);
	rel = open_target(&prepared);
	request->verify(&prepared);
	target = intake_target_lookup(rel);
	options = parse_options(&prepared, target);
	perform_operation(&prepared, rel, target, options, operation);
}

/*
 * The same where the target is made ready within the operation: whether it is
 * a repeat is known without the target.
 */
static void
claim_and_prepare(const IntakeRequest *request, IntakeOperation *operation)
{
	IntakeRequestIdentity identity = {
		request->target_name, request->identity
	};

	name_operation(request, intake_options_peek(request->options,
												door_of_request(request)),
				   operation);
	if (intake_operation_claim(operation))
	{
		answer_repeat(request, &identity, operation);
		return;
	}
	operation->identity = identity;
	PG_TRY();
	{
		prepare_and_perform(request, operation);
	}
	PG_FINALLY();
	{
		intake_operation_leave(operation);
	}
	PG_END_TRY();
}

static void
ingest(const IntakeRequest *request, IntakeOperation *operation)
{
	if (request->prepare != NULL)
		claim_and_prepare(request, operation);
	else
		claim_and_perform(request, open_target(request), operation);
}

void
intake_ingest(const IntakeRequest *request, IntakeOperation *operation)
{
	MemoryContext caller = CurrentMemoryContext;
	MemoryContext context = AllocSetContextCreate(caller,
												  "pg_intake operation",
												  ALLOCSET_DEFAULT_SIZES);

	IntakeOptions *options;

	intake_fault_forget();
	MemoryContextSwitchTo(context);
	options = intake_options_peek(request->options, door_of_request(request));
	if (options->dry_run)
		intake_dry_run(ingest, request, operation);
	else
		ingest(request, operation);
	intake_fault_forget();
	MemoryContextSwitchTo(caller);
	intake_operation_last_keep(operation);
}
