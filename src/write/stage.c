/*-------------------------------------------------------------------------
 *
 * stage.c
 *	  Rows that wait until the whole payload is known to be good.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "miscadmin.h"

#include "settings.h"
#include "write/stage.h"

TupleDesc
intake_stage_desc(const IntakeColumnSet *columns)
{
	int			n = columns->ncolumns;
	TupleDesc	desc = CreateTemplateTupleDesc(n + 2);
	int			i;

	for (i = 0; i < n; i++)
		TupleDescInitEntry(desc, i + 1, NULL, columns->columns[i].type,
						   columns->columns[i].typmod, 0);
	TupleDescInitEntry(desc, n + 1, "record", INT8OID, -1, 0);
	TupleDescInitEntry(desc, n + 2, "line", INT8OID, -1, 0);
	return desc;
}

void
intake_stage_form(const IntakeRow *row, int ncolumns, Datum *values,
				  bool *nulls)
{
	memcpy(values, row->values, ncolumns * sizeof(Datum));
	memcpy(nulls, row->nulls, ncolumns * sizeof(bool));
	values[ncolumns] = Int64GetDatum((int64) row->record);
	values[ncolumns + 1] = Int64GetDatum((int64) row->line);
	nulls[ncolumns] = nulls[ncolumns + 1] = false;
}

void
intake_stage_deform(TupleTableSlot *slot, int ncolumns, IntakeRow *row)
{
	slot_getallattrs(slot);
	memcpy(row->values, slot->tts_values, ncolumns * sizeof(Datum));
	memcpy(row->nulls, slot->tts_isnull, ncolumns * sizeof(bool));
	row->record = DatumGetInt64(slot->tts_values[ncolumns]);
	row->line = DatumGetInt64(slot->tts_values[ncolumns + 1]);
}

IntakeStage *
intake_stage_make(const IntakeColumnSet *columns)
{
	IntakeStage *stage = palloc(sizeof(IntakeStage));
	TupleDesc	desc = intake_stage_desc(columns);

	stage->store = tuplestore_begin_heap(false, false, intake_stage_memory);
	stage->slot = MakeSingleTupleTableSlot(desc, &TTSOpsMinimalTuple);
	stage->values = palloc(desc->natts * sizeof(Datum));
	stage->nulls = palloc(desc->natts * sizeof(bool));
	return stage;
}

void
intake_stage_put_row(IntakeStage *stage, const IntakeRow *row, int ncolumns)
{
	intake_stage_form(row, ncolumns, stage->values, stage->nulls);
	tuplestore_putvalues(stage->store, stage->slot->tts_tupleDescriptor,
						 stage->values, stage->nulls);
}

void
intake_stage_put(IntakeStage *stage, const IntakeBatch *batch)
{
	int			i;

	for (i = 0; i < batch->nrows; i++)
		intake_stage_put_row(stage, &batch->rows[i], batch->ncolumns);
}

bool
intake_stage_next(IntakeStage *stage, TupleTableSlot *slot)
{
	return tuplestore_gettupleslot(stage->store, true, true, slot);
}

bool
intake_stage_get(IntakeStage *stage, IntakeBatch *batch,
				 IntakeDefaults *defaults)
{
	MemoryContext old;

	CHECK_FOR_INTERRUPTS();
	intake_batch_clear(batch);
	old = MemoryContextSwitchTo(batch->context);
	while (!intake_batch_is_full(batch) &&
		   tuplestore_gettupleslot(stage->store, true, true, stage->slot))
	{
		IntakeRow  *row = intake_batch_next(batch);

		/* The batch's context keeps the tuple. */
		stage->slot->tts_flags &= ~TTS_FLAG_SHOULDFREE;
		intake_stage_deform(stage->slot, batch->ncolumns, row);
		intake_defaults_complete_late(defaults, row);
		batch->nrows++;
	}
	MemoryContextSwitchTo(old);
	return batch->nrows > 0;
}

/* The store's read pointers: the reader's, and the mark. */
#define READER 0
#define MARK 1

void
intake_stage_allow_marks(IntakeStage *stage)
{
	if (tuplestore_alloc_read_pointer(stage->store, 0) != MARK)
		elog(ERROR, "a stage has one mark");
}

void
intake_stage_mark(IntakeStage *stage)
{
	tuplestore_copy_read_pointer(stage->store, READER, MARK);
}

void
intake_stage_go_back(IntakeStage *stage)
{
	tuplestore_copy_read_pointer(stage->store, MARK, READER);
}

void
intake_stage_end(IntakeStage *stage)
{
	ExecDropSingleTupleTableSlot(stage->slot);
	tuplestore_end(stage->store);
}
