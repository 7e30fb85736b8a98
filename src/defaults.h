/*-------------------------------------------------------------------------
 *
 * defaults.h
 *	  Which columns a payload has mentioned, and defaults for the records
 *	  that leave one out.
 *
 * Columns that no record mentions are left to the INSERT, which fills in
 * their defaults and needs no privilege on them.  A column that at least one
 * record mentions is named in the INSERT; the records without it get its
 * default here: each its own, so that nextval() counts once a record.  Where
 * rows that are there keep such values (is_lazy), only those that are new get
 * defaults, when they are inserted.
 *
 *-------------------------------------------------------------------------
 */
#ifndef INTAKE_DEFAULTS_H
#define INTAKE_DEFAULTS_H

#include "columns.h"
#include "nodes/execnodes.h"
#include "write/batch.h"

typedef struct IntakeDefaults
{
	IntakeColumnSet *columns;
	Relation	rel;			/* NULL: no column has a default */
	int			sys_op;			/* of the request; -1: each record's own */
	bool	   *mentioned;		/* by column number */
	int			nmentioned;
	bool		is_lazy;		/* defaults are for intake_defaults_fill() */

	/*
	 * Records before this one, by column number, were staged before the
	 * column was mentioned: the stage has no value for them.
	 */
	uint64	   *staged_before;
	bool		has_late;		/* some staged_before is set */

	/*
	 * For who sets bad records aside: a record is refused as soon as it
	 * leaves out what its column's domain wants.
	 */
	bool		is_eager;

	/* the name of the column whose default is at work; NULL: nobody asks */
	const char **column;

	ExprState **expressions;	/* NULL: none; made when first needed */
	bool	   *is_prepared;
	EState	   *estate;
} IntakeDefaults;

/* Nothing is mentioned yet; in the current memory context. */
extern IntakeDefaults *intake_defaults_make(IntakeColumnSet *columns,
											Relation rel, int sys_op);

/* All records give these columns, by column number. */
extern void intake_defaults_mention_all(IntakeDefaults *defaults,
										const bool *given);

/*
 * Completes the row that was decoded behind the batch's rows: notes the
 * columns it mentions, gives it the defaults of those it leaves out, and
 * gives the batch's earlier rows those of columns it mentions first.
 */
extern void intake_defaults_complete(IntakeDefaults *defaults,
									 IntakeBatch *batch, IntakeRow *row);

/*
 * Gives a row that comes back from a stage the defaults of columns that were
 * mentioned only after it.
 */
extern void intake_defaults_complete_late(IntakeDefaults *defaults,
										  IntakeRow *row);

/*
 * Gives a row whose is_set is right the defaults of the mentioned columns that
 * it leaves out.  In the current memory context.
 */
extern void intake_defaults_fill(IntakeDefaults *defaults, IntakeRow *row);

/* The default of any column of the target, in the current memory context. */
extern Datum intake_defaults_value(IntakeDefaults *defaults, int column,
								   bool *is_null);

#endif							/* INTAKE_DEFAULTS_H */
