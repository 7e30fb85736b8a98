/*-------------------------------------------------------------------------
 *
 * partial.h
 *	  Merges that set some columns of a row, or only when they are newer.
 *
 * With update_columns => 'present' a record sets the columns that it gives.
 * With newer_by a record has a version, the value of one column, and leaves
 * alone a row whose own is greater; NULL is less than any value, and a record
 * that deletes without a version always does.
 *
 * Rows of such a merge carry a hidden column, the change: which columns they
 * give, and, when they stand for several records, in which steps they apply.
 * A step has a guard, a version, and the columns that it sets in a row whose
 * version is not above the guard.  Steps come by ascending guards.
 *
 *-------------------------------------------------------------------------
 */
#ifndef INTAKE_PARTIAL_H
#define INTAKE_PARTIAL_H

#include "utils/sortsupport.h"

#include "columns.h"
#include "options.h"
#include "write/batch.h"

struct IntakeMergeKey;
struct IntakeWriter;

/* A version that a row is compared with. */
typedef struct IntakeGuard
{
	bool		is_always;		/* above all others */
	bool		is_null;		/* below all others */
	Datum		value;
} IntakeGuard;

typedef struct IntakeStep
{
	IntakeGuard guard;
	bool		is_whole;		/* sets all columns: a delete came before */
	bool	   *sets;			/* by column number */
} IntakeStep;

typedef struct IntakePartial
{
	IntakeColumnSet *columns;
	int			sys_op;			/* of the request; -1: each record's own */
	bool		is_present;		/* records set what they give */
	int			newer_by;		/* column number, or -1 */
	AttrNumber	newer_attnum;	/* of the target */
	bool		is_by_value;	/* the type of the versions */
	int16		length;
	SortSupportData comparator;
	int			change;			/* number of the hidden column */
	bool	   *is_left_out;	/* by column: some record does not give it */
	bool		has_steps;		/* so have rows that were written */
} IntakePartial;

/*
 * What the options ask for, NULL when they ask for nothing of the kind; adds
 * the hidden column to the set, whose key columns are marked.  In the current
 * memory context.
 */
extern IntakePartial *intake_partial_make(Relation rel,
										  IntakeColumnSet *columns,
										  const IntakeOptions *options,
										  int sys_op);

/* Notes which columns a decoded row gives, before it is staged. */
extern void intake_partial_note(IntakePartial *partial, IntakeRow *row);

/* The reverse, for a batch that is to be written: sets is_set. */
extern void intake_partial_restore(IntakePartial *partial,
								   IntakeBatch *batch);

/* Which columns a staged row gives, by its values. */
extern void intake_partial_given(const IntakePartial *partial,
								 const Datum *values, const bool *nulls,
								 bool *given);

/* The version of a record, by its values. */
extern IntakeGuard intake_partial_version(const IntakePartial *partial,
										  const Datum *values,
										  const bool *nulls);
extern int	intake_partial_compare(const IntakePartial *partial,
								   const IntakeGuard *one,
								   const IntakeGuard *two);

/* The change of a row that stands for several records. */
extern Datum intake_partial_change(const IntakePartial *partial,
								   const bool *given, const IntakeStep *steps,
								   int nsteps);

/* Whether a row stands for several records. */
extern bool intake_partial_is_combined(const IntakePartial *partial,
									   const IntakeRow *row);

/*
 * Whether a row may change or delete one that has the version given last, and
 * whether it sets the column when it does.  Without newer_by there is none.
 */
extern bool intake_partial_replaces(IntakePartial *partial,
									const IntakeRow *row, Datum version,
									bool is_null);
extern bool intake_partial_sets(IntakePartial *partial, const IntakeRow *row,
								int column, Datum version, bool is_null);

/*
 * Whether rows that have been written or are being so may set the column in a
 * row that is there; and whether some of them leave it as it is.  partial may
 * be NULL.
 */
extern bool intake_partial_may_set(const struct IntakeWriter *writer,
								   int column);
extern bool intake_partial_may_keep(const struct IntakeWriter *writer,
									int column);

/*
 * Whether INSERT ... ON CONFLICT does: the row it would insert goes through
 * defaults, constraints and policies even when it is there, and must not fail
 * for what a record leaves out.  To be asked when all records are known.
 */
extern bool intake_partial_suits_conflict(const struct IntakeWriter *writer,
										  const struct IntakeMergeKey *key);

/* Gives rows that are to be inserted the defaults of what they leave out. */
extern void intake_partial_complete(const struct IntakeWriter *writer,
									IntakeBatch *batch);

#endif							/* INTAKE_PARTIAL_H */
