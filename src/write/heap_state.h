/*-------------------------------------------------------------------------
 *
 * heap_state.h
 *	  What the executor's routines need to write into one table without a
 *	  plan, and the values of columns that the payload leaves out.
 *
 *-------------------------------------------------------------------------
 */
#ifndef INTAKE_HEAP_STATE_H
#define INTAKE_HEAP_STATE_H

#include "nodes/execnodes.h"

#include "write/write.h"

/* A column that the payload does not mention, and what it gets. */
typedef struct IntakeComputed
{
	AttrNumber	attnum;
	ExprState  *expression;
} IntakeComputed;

typedef struct IntakeHeapState
{
	IntakeWriter *writer;
	EState	   *estate;
	RangeTblEntry *entry;		/* of the target */
	ResultRelInfo *result;		/* of the target */
	MemoryContext context;

	/* for the columns mentioned so far */
	int			nmentioned;
	int			nfields;
	int		   *fields;			/* column numbers */
	int			ncomputed;
	IntakeComputed *computed;
	bool		is_volatile;	/* a computed value may look at the table */
} IntakeHeapState;

/* Opens the target and its indexes for a command. */
extern void intake_heap_state_begin(IntakeHeapState *state,
									IntakeWriter *writer, CmdType command);

/*
 * Takes note of the columns that are mentioned by now; true when that has
 * changed since the last call.
 */
extern bool intake_heap_state_follow(IntakeHeapState *state);

/* The attribute numbers of those columns, for privileges. */
extern Bitmapset *intake_heap_state_columns(const IntakeHeapState *state);

/*
 * Puts the row's values and the computed ones into the slot; attributes that
 * are neither stay as they are.
 */
extern void intake_heap_state_fill(IntakeHeapState *state,
								   const IntakeRow *row,
								   TupleTableSlot *slot);

/*
 * The same for a row that goes over another one, whose values are in the slot:
 * columns that it does not set stay as they are.  False, and nothing is done,
 * when it may not replace that one.
 */
extern bool intake_heap_state_overlay(IntakeHeapState *state,
									  const IntakeRow *row,
									  TupleTableSlot *slot);

/* Generated columns and constraints of the table that takes the row. */
extern void intake_heap_state_check(IntakeHeapState *state,
									ResultRelInfo *result,
									TupleTableSlot *slot, CmdType command,
									bool needs_partition_check);

/* Closes everything. */
extern void intake_heap_state_end(IntakeHeapState *state);

#endif							/* INTAKE_HEAP_STATE_H */
