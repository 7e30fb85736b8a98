/*-------------------------------------------------------------------------
 *
 * heap_buffer.c
 *	  Rows on their way into tables, many at once.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/heapam.h"
#include "access/tableam.h"
#include "executor/executor.h"

#include "compat.h"
#include "write/heap_buffer.h"
#include "write/heap_index.h"

/* Rows of one table that go in together. */
#define BUFFER_ROWS 1000

/*
 * More tables than this keep no page pinned and have their buffers freed after
 * a flush.
 */
#define KEPT_BUFFERS 32

/* So many tables have buffers at once; each takes some memory. */
#define MAX_BUFFERS 256

typedef struct HeapBuffer
{
	ResultRelInfo *result;
	BulkInsertState bulk;		/* NULL for rows that go in one by one */
	TupleTableSlot *single;		/* NULL until asked for */
	IntakeIndexQueue *queue;	/* NULL: the executor writes index entries */
	int			nrows;
	TupleTableSlot *slots[BUFFER_ROWS]; /* made when first needed */
	uint64		records[BUFFER_ROWS];
	uint64		lines[BUFFER_ROWS];
} HeapBuffer;

struct IntakeHeapBuffers
{
	EState	   *estate;
	TransitionCaptureState *capture;
	CommandId	command;
	IntakeWritePosition *position;
	MemoryContext context;
	IntakeHeapIndexes *indexes; /* NULL until rows go in many at once */
	List	   *buffers;		/* of HeapBuffer */
};

IntakeHeapBuffers *
intake_heap_buffers_make(EState *estate, TransitionCaptureState *capture,
						 CommandId command, IntakeWritePosition *position)
{
	IntakeHeapBuffers *buffers = palloc0(sizeof(IntakeHeapBuffers));

	buffers->estate = estate;
	buffers->capture = capture;
	buffers->command = command;
	buffers->position = position;
	buffers->context = CurrentMemoryContext;
	return buffers;
}

/*
 * The buffer of a table.  The member of ResultRelInfo that COPY keeps its
 * own buffer in is free here, since no COPY uses this one.
 */
static HeapBuffer *
find_buffer(IntakeHeapBuffers *buffers, ResultRelInfo *result)
{
	HeapBuffer *buffer = (HeapBuffer *) result->ri_CopyMultiInsertBuffer;
	MemoryContext old;

	if (likely(buffer != NULL))
		return buffer;
	if (list_length(buffers->buffers) == MAX_BUFFERS)
		intake_heap_buffers_end(buffers);
	old = MemoryContextSwitchTo(buffers->context);
	buffer = palloc0(sizeof(HeapBuffer));
	buffer->result = result;
	buffers->buffers = lappend(buffers->buffers, buffer);
	result->ri_CopyMultiInsertBuffer = (struct CopyMultiInsertBuffer *) buffer;
	MemoryContextSwitchTo(old);
	return buffer;
}

/* A slot that outlives the batch. */
static TupleTableSlot *
make_slot(IntakeHeapBuffers *buffers, Relation rel)
{
	MemoryContext old = MemoryContextSwitchTo(buffers->context);
	TupleTableSlot *slot = table_slot_create(rel, NULL);

	MemoryContextSwitchTo(old);
	return slot;
}

/* What many rows at once need. */
static void
begin_bulk(IntakeHeapBuffers *buffers, HeapBuffer *buffer)
{
	MemoryContext old = MemoryContextSwitchTo(buffers->context);

	if (buffers->indexes == NULL)
		buffers->indexes = intake_heap_indexes_make(buffers->estate,
													buffers->position);
	buffer->bulk = GetBulkInsertState();
	buffer->queue = intake_index_queue_make(buffers->indexes, buffer->result,
											false);
	MemoryContextSwitchTo(old);
}

/*
 * A row is in the table: now its indexes, or the queue of their entries, and
 * AFTER ROW triggers.
 */
static void
follow_row(IntakeHeapBuffers *buffers, ResultRelInfo *result,
		   IntakeIndexQueue *queue, TupleTableSlot *slot)
{
	List	   *recheck = NIL;

	if (queue != NULL)
		intake_index_queue_add(queue, slot, buffers->position->record,
							   buffers->position->line);
	else if (result->ri_NumIndices > 0)
		recheck = intake_insert_index_tuples(result, slot, buffers->estate);
	/* Of a partition, the root's triggers own the transition table. */
	if (buffers->capture != NULL ||
		(result->ri_TrigDesc != NULL &&
		 result->ri_TrigDesc->trig_insert_after_row))
		ExecARInsertTriggers(buffers->estate, result, slot, recheck,
							 buffers->capture);
	list_free(recheck);
}

/* Inserts the rows of one buffer. */
static void
flush_buffer(IntakeHeapBuffers *buffers, HeapBuffer *buffer)
{
	ResultRelInfo *result = buffer->result;
	EState	   *estate = buffers->estate;
	IntakeWritePosition position = *buffers->position;
	MemoryContext old;
	int			i;

	if (buffer->nrows == 0)
		return;
	if (buffer->bulk == NULL)
		begin_bulk(buffers, buffer);
	buffers->position->record = 0;
	if (buffers->capture != NULL)
		buffers->capture->tcs_original_insert_tuple = NULL;
	old = MemoryContextSwitchTo(GetPerTupleMemoryContext(estate));
	table_multi_insert(result->ri_RelationDesc, buffer->slots, buffer->nrows,
					   buffers->command, 0, buffer->bulk);
	MemoryContextSwitchTo(old);
	if (list_length(buffers->buffers) > KEPT_BUFFERS)
		ReleaseBulkInsertStatePin(buffer->bulk);
	for (i = 0; i < buffer->nrows; i++)
	{
		ResetPerTupleExprContext(estate);
		buffers->position->record = buffer->records[i];
		buffers->position->line = buffer->lines[i];
		follow_row(buffers, result, buffer->queue, buffer->slots[i]);
		ExecClearTuple(buffer->slots[i]);
	}
	*buffers->position = position;
	buffer->nrows = 0;
}

TupleTableSlot *
intake_heap_buffers_next(IntakeHeapBuffers *buffers, ResultRelInfo *result,
						 const IntakeRow *row)
{
	HeapBuffer *buffer = find_buffer(buffers, result);
	int			n;

	if (buffer->nrows == BUFFER_ROWS)
		flush_buffer(buffers, buffer);
	n = buffer->nrows;
	if (unlikely(buffer->slots[n] == NULL))
		buffer->slots[n] = make_slot(buffers, result->ri_RelationDesc);
	buffer->records[n] = row->record;
	buffer->lines[n] = row->line;
	return ExecClearTuple(buffer->slots[n]);
}

void
intake_heap_buffers_keep(IntakeHeapBuffers *buffers, ResultRelInfo *result)
{
	find_buffer(buffers, result)->nrows++;
}

TupleTableSlot *
intake_heap_buffers_single(IntakeHeapBuffers *buffers, ResultRelInfo *result)
{
	HeapBuffer *buffer = find_buffer(buffers, result);

	if (buffer->single == NULL)
		buffer->single = make_slot(buffers, result->ri_RelationDesc);
	return ExecClearTuple(buffer->single);
}

void
intake_heap_buffers_insert_now(IntakeHeapBuffers *buffers,
							   ResultRelInfo *result, TupleTableSlot *slot)
{
	table_tuple_insert(result->ri_RelationDesc, slot, buffers->command, 0,
					   NULL);
	follow_row(buffers, result, NULL, slot);
}

static void
free_buffer(IntakeHeapBuffers *buffers, HeapBuffer *buffer)
{
	int			i;

	buffer->result->ri_CopyMultiInsertBuffer = NULL;
	if (buffer->bulk != NULL)
	{
		FreeBulkInsertState(buffer->bulk);
		table_finish_bulk_insert(buffer->result->ri_RelationDesc, 0);
	}
	for (i = 0; i < BUFFER_ROWS && buffer->slots[i] != NULL; i++)
		ExecDropSingleTupleTableSlot(buffer->slots[i]);
	if (buffer->single != NULL)
		ExecDropSingleTupleTableSlot(buffer->single);
	pfree(buffer);
}

static void
free_buffers(IntakeHeapBuffers *buffers)
{
	ListCell   *cell;

	foreach(cell, buffers->buffers)
		free_buffer(buffers, lfirst(cell));
	list_free(buffers->buffers);
	buffers->buffers = NIL;
	if (buffers->indexes != NULL)
		intake_heap_indexes_reset(buffers->indexes);
}

void
intake_heap_buffers_flush(IntakeHeapBuffers *buffers)
{
	ListCell   *cell;

	foreach(cell, buffers->buffers)
		flush_buffer(buffers, lfirst(cell));
	if (list_length(buffers->buffers) > KEPT_BUFFERS)
		intake_heap_buffers_end(buffers);
}

void
intake_heap_buffers_settle(IntakeHeapBuffers *buffers)
{
	ListCell   *cell;

	foreach(cell, buffers->buffers)
		flush_buffer(buffers, lfirst(cell));
	if (buffers->indexes != NULL)
		intake_heap_indexes_flush(buffers->indexes);
}

void
intake_heap_buffers_end(IntakeHeapBuffers *buffers)
{
	intake_heap_buffers_settle(buffers);
	free_buffers(buffers);
}
