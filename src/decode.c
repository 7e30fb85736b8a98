/*-------------------------------------------------------------------------
 *
 * decode.c
 *	  Records into batches of rows.
 *
 *	decoder --row--> sys_op, key --> defaults --> batch
 *
 * Where bad records are tolerated, records are decoded in a subtransaction,
 * as many as go until a batch is full or one is bad: a type's input function
 * may hold resources when it raises an error.  The rows before the bad record
 * stay, their values being in the batch's context.  A default that has
 * written to the database ends its subtransaction: what it did for a good
 * record is not undone with a bad one.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/transam.h"
#include "access/xact.h"
#include "miscadmin.h"
#include "utils/memutils.h"

#include "convert.h"
#include "decode.h"
#include "subtransaction.h"

/* sys_op must be empty, 0 or 1. */
static void
check_sys_op(const IntakeColumnSet *columns, const IntakeRow *row,
			 IntakePosition *position)
{
	int			column = columns->sys_op;
	int16		value;

	if (!row->is_set[column] || row->nulls[column])
		return;
	value = DatumGetInt16(row->values[column]);
	if (value == 0 || value == 1)
		return;
	position->column = INTAKE_SYS_OP;
	position->value = psprintf("%d", value);
	position->value_len = strlen(position->value);
	intake_convert_report_sys_op(position->value, position->value_len);
}

/* Each record must give the key, and where NULL finds nothing, a value. */
static void
check_key(const IntakeColumnSet *columns, const IntakeRow *row,
		  IntakePosition *position)
{
	int			i;

	for (i = 0; i < columns->ncolumns; i++)
	{
		const IntakeColumn *column = &columns->columns[i];

		if (!column->is_key)
			continue;
		position->column = column->name;
		if (!row->is_set[i])
			intake_plan_report_missing_key(columns, column);
		if (column->is_key_not_null && row->nulls[i])
			ereport(ERROR,
					(errcode(ERRCODE_NOT_NULL_VIOLATION),
					 errmsg("null value in key column \"%s\"", column->name)));
	}
	position->column = NULL;
}

/* Each record that does not delete must give its version. */
static void
check_version(const IntakePlan *plan, const IntakeRow *row,
			  IntakePosition *position)
{
	int			column = plan->partial->newer_by;

	if (column < 0 || row->is_set[column] ||
		intake_columns_is_delete(plan->columns, plan->sys_op, row))
		return;
	position->column = plan->columns->columns[column].name;
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_COLUMN_REFERENCE),
			 errmsg("payload does not give column \"%s\" of option \"newer_by\"",
					position->column)));
}

/*
 * Decodes the next record behind the batch's rows; false at the end.  is_read
 * says afterwards, and after an error, whether the decoder is behind it.
 */
static bool
decode_row(IntakePlan *plan, IntakeDecoder *decoder, IntakeBatch *batch,
		   bool *is_read)
{
	MemoryContext old = MemoryContextSwitchTo(batch->context);
	IntakeRow  *row = intake_batch_next(batch);
	IntakePosition *position = decoder->position;

	*is_read = false;
	if (!decoder->routine->next(decoder, row))
	{
		MemoryContextSwitchTo(old);
		return false;
	}
	*is_read = true;
	position->value = NULL;
	position->column = NULL;
	if (plan->columns->sys_op >= 0)
		check_sys_op(plan->columns, row, position);
	if (plan->has_key)
		check_key(plan->columns, row, position);
	if (plan->partial != NULL)
		check_version(plan, row, position);
	if (decoder->given == NULL)
		intake_defaults_complete(plan->defaults, batch, row);
	batch->nrows++;
	MemoryContextSwitchTo(old);
	return true;
}

/* Decoding in subtransactions. */
typedef struct TolerantDecoding
{
	IntakePlan *plan;
	IntakeDecoder *decoder;
	IntakeBatch *batch;
	bool		has_more;
	bool		is_read;		/* of the record that failed */
} TolerantDecoding;

static bool
decode_rows(void *arg)
{
	TolerantDecoding *decoding = arg;

	while (decoding->has_more && !intake_batch_is_full(decoding->batch))
	{
		decoding->has_more = decode_row(decoding->plan, decoding->decoder,
										decoding->batch, &decoding->is_read);
		if (TransactionIdIsValid(GetCurrentTransactionIdIfAny()))
			break;
	}
	return true;
}

/* A part of the payload as the server's text; NULL for NULL. */
static char *
show_part(const char *text, size_t len)
{
	return text == NULL ? NULL :
		intake_convert_show_most(text, len, INTAKE_MAX_REJECT_TEXT);
}

/*
 * Sets the record aside that has failed, and goes behind it.  Raises its
 * error when it is none to be tolerated, or when nothing can be read any
 * more.
 */
static void
set_aside(TolerantDecoding *decoding, ErrorData *error)
{
	IntakeDecoder *decoder = decoding->decoder;
	const IntakePosition *position = decoder->position;
	IntakeReject reject = {0};
	size_t		len = 0;

	if (!intake_rejects_tolerates(error))
		ReThrowError(error);
	reject.record = position->record;
	reject.line = position->line;
	reject.error = error;
	if (position->column != NULL)
		reject.column = show_part(position->column, strlen(position->column));
	reject.value = show_part(position->value, position->value_len);
	if (!decoding->is_read &&
		!decoder->routine->skip(decoder, error->sqlerrcode))
		ReThrowError(error);
	if (decoder->routine->text != NULL)
	{
		const char *text = decoder->routine->text(decoder, &len);

		reject.text = show_part(text, len);
	}
	intake_rejects_add(decoding->plan->rejects, &reject);
}

static bool
decode_tolerantly(IntakePlan *plan, IntakeDecoder *decoder,
				  IntakeBatch *batch)
{
	TolerantDecoding decoding = {plan, decoder, batch, true, false};
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext,
												  "pg_intake bad record",
												  ALLOCSET_DEFAULT_SIZES);
	MemoryContext old = MemoryContextSwitchTo(context);

	while (decoding.has_more && !intake_batch_is_full(batch))
	{
		ErrorData  *error = intake_subtransaction_run(decode_rows, &decoding);

		if (error != NULL)
			set_aside(&decoding, error);
		MemoryContextReset(context);
		CHECK_FOR_INTERRUPTS();
	}
	MemoryContextSwitchTo(old);
	MemoryContextDelete(context);
	return decoding.has_more;
}

bool
intake_decode_batch(IntakePlan *plan, IntakeDecoder *decoder,
					IntakeBatch *batch)
{
	bool		has_more = true;
	bool		is_read;

	if (plan->rejects != NULL)
		return decode_tolerantly(plan, decoder, batch);
	while (has_more && !intake_batch_is_full(batch))
		has_more = decode_row(plan, decoder, batch, &is_read);
	return has_more;
}
