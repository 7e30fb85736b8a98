/*-------------------------------------------------------------------------
 *
 * heap_buffer.h
 *	  Rows on their way into tables, many at once.
 *
 * Each table that rows go into has a buffer of slots.  When a buffer is full
 * its rows go into the table, their index entries and AFTER ROW triggers to
 * queues.  A slot refers to the values of its row: they must live
 * until the flush.
 *
 *-------------------------------------------------------------------------
 */
#ifndef INTAKE_HEAP_BUFFER_H
#define INTAKE_HEAP_BUFFER_H

#include "commands/trigger.h"
#include "nodes/execnodes.h"

#include "write/batch.h"

typedef struct IntakeHeapBuffers IntakeHeapBuffers;

/* No buffers yet, in the current memory context. */
extern IntakeHeapBuffers *
intake_heap_buffers_make(EState *estate, TransitionCaptureState *capture,
						 CommandId command, IntakeWritePosition *position);

/*
 * The next free slot for the table, empty.  Flushes when the buffer is full.
 * The slot counts only once it is kept.
 */
extern TupleTableSlot *intake_heap_buffers_next(IntakeHeapBuffers *buffers,
												ResultRelInfo *result,
												const IntakeRow *row);
extern void intake_heap_buffers_keep(IntakeHeapBuffers *buffers,
									 ResultRelInfo *result);

/* A slot for one row that goes in at once. */
extern TupleTableSlot *intake_heap_buffers_single(IntakeHeapBuffers *buffers,
												  ResultRelInfo *result);

/* Inserts one row at once. */
extern void intake_heap_buffers_insert_now(IntakeHeapBuffers *buffers,
										   ResultRelInfo *result,
										   TupleTableSlot *slot);

/*
 * Inserts all rows that wait; their index entries may wait on.  Frees buffers
 * when there are many.
 */
extern void intake_heap_buffers_flush(IntakeHeapBuffers *buffers);

/* Inserts all rows and index entries that wait. */
extern void intake_heap_buffers_settle(IntakeHeapBuffers *buffers);

/* The same, and frees all buffers. */
extern void intake_heap_buffers_end(IntakeHeapBuffers *buffers);

#endif							/* INTAKE_HEAP_BUFFER_H */
