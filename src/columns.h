/*-------------------------------------------------------------------------
 *
 * columns.h
 *	  The columns a payload may name, and one decoded record.
 *
 * A decoder knows nothing of tables: it fills an IntakeRow by the numbers of
 * an IntakeColumnSet.  The set is made from a relation for an upload and
 * from the items of a key for a partition delete.
 *
 *-------------------------------------------------------------------------
 */
#ifndef INTAKE_COLUMNS_H
#define INTAKE_COLUMNS_H

#include "fmgr.h"
#include "nodes/pg_list.h"
#include "utils/rel.h"

#include "compat.h"

/* The name of the per-record operation field of a merge. */
#define INTAKE_SYS_OP "sys_op"

/* How values become a column's Datum; see convert.c. */
typedef enum IntakeConversion
{
	INTAKE_CONVERT_INPUT,		/* the type's own input function */
	INTAKE_CONVERT_BOOL,
	INTAKE_CONVERT_INT2,
	INTAKE_CONVERT_INT4,
	INTAKE_CONVERT_INT8,
	INTAKE_CONVERT_FLOAT4,
	INTAKE_CONVERT_FLOAT8,
	INTAKE_CONVERT_NUMERIC,
	INTAKE_CONVERT_TEXT,		/* text and varchar without a limit */
	INTAKE_CONVERT_CHARACTER,	/* varchar(n), char(n): blanks count */
	INTAKE_CONVERT_BYTEA,
	INTAKE_CONVERT_UUID,
	INTAKE_CONVERT_DATE,
	INTAKE_CONVERT_TIME,
	INTAKE_CONVERT_TIMESTAMP,
	INTAKE_CONVERT_TIMESTAMPTZ,
	INTAKE_CONVERT_INTERVAL,
	INTAKE_CONVERT_JSON,
	INTAKE_CONVERT_JSONB,
	INTAKE_CONVERT_POINT,
	INTAKE_CONVERT_ARRAY,		/* nested arrays, element by element */
	INTAKE_CONVERT_COMPOSITE	/* nested objects, member by member */
} IntakeConversion;

typedef struct IntakeColumn
{
	const char *name;			/* as a payload writes it */
	AttrNumber	attnum;			/* of the target; 0: not a column of it */
	Oid			type;			/* declared type, maybe a domain */
	int32		typmod;
	Oid			collation;
	bool		is_key;			/* must be given in every record */
	bool		is_key_not_null;	/* and may not be NULL */
	bool		is_unlisted;	/* not among an array row's columns (sys_op) */
	bool		is_hidden;		/* the writer's own; no payload can name it */
	bool		is_sys_op;		/* no column of the target's */

	/* set by intake_convert_prepare() */
	IntakeConversion conversion;
	Oid			base_type;		/* the domain's base, else type */
	int32		base_typmod;
	bool		is_domain;
	bool		is_character;	/* blanks around a CSV value belong to it */
	bool		is_enum;
	bool		is_fast;		/* convert_fast.h may be used for it */
	Oid			input_param;	/* for the input function */
	FmgrInfo	input;
	void	   *domain_cache;	/* domain_check()'s */
	struct IntakeEnumLabels *labels;	/* of an enum, when met */
	struct IntakeColumn *element;	/* of an array */
	struct IntakeColumnSet *members;	/* of a composite */
	MemoryContext context;		/* where the caches live */
} IntakeColumn;

typedef struct IntakeColumnSet
{
	int			ncolumns;
	IntakeColumn *columns;		/* in the target's order; sys_op behind */
	int			sys_op;			/* number of the sys_op field, or -1 */
	const char *owner;			/* for messages: table "sales" */
	List	   *generated;		/* names (char *) that take no value */
} IntakeColumnSet;

/*
 * One decoded record.  Arrays are as long as the column set.  The decoder
 * sets is_set for each column that the record gives; values and nulls count
 * only there.  Values by reference live in the memory context that was
 * current when the decoder was called.
 */
typedef struct IntakeRow
{
	Datum	   *values;
	bool	   *nulls;
	bool	   *is_set;
	uint64		record;			/* 1 is the first */
	uint64		line;			/* line the record starts on; 0: no lines */
} IntakeRow;

/*
 * The columns of a relation that a payload may give.  Generated columns and
 * GENERATED ALWAYS identity columns are left out.  with_sys_op adds the
 * pseudo-column sys_op.  Conversions are prepared.
 */
extern IntakeColumnSet *intake_columns_of_relation(Relation rel,
												   bool with_sys_op);

/*
 * Adds a column that payloads cannot name to a relation's set, once; returns
 * its number.
 */
extern int	intake_columns_add_hidden(IntakeColumnSet *set, Oid type);

/* An empty set of ncolumns, zeroed, in the current memory context. */
extern IntakeColumnSet *intake_columns_make(int ncolumns, const char *owner);

/* The number of the column with this name (not terminated), or -1. */
extern int	intake_columns_find(const IntakeColumnSet *set,
								const char *name, size_t len);

/* The number of the column with this attribute number, or -1. */
extern int	intake_columns_of_attnum(const IntakeColumnSet *set,
									 AttrNumber attnum);

/*
 * Whether a record deletes its row: by the request's sys_op, or, where that
 * is -1, by its own.
 */
extern bool intake_columns_is_delete(const IntakeColumnSet *set, int sys_op,
									 const IntakeRow *row);

/*
 * Raises the error for a name that intake_columns_find() did not find: it
 * lists the columns, or says that the column is generated.
 */
extern void intake_columns_report_unknown(const IntakeColumnSet *set,
										  const char *name, size_t len)
			pg_attribute_noreturn();

/* 'The columns are "a", "b" and 3 more.': for messages. */
extern char *intake_columns_list(const IntakeColumnSet *set);

/* Raises the error for a column that a header or a record gives twice. */
extern void intake_columns_report_repeated(const IntakeColumnSet *set,
										   int column)
			pg_attribute_noreturn();

/*
 * The columns in the order in which header-less CSV fields and array rows
 * give them: those that names lists, or all listed ones when names is NIL.
 * The result has *count entries and lives in the current memory context.
 */
extern int *intake_columns_in_order(const IntakeColumnSet *set, List *names,
									int *count);

#endif							/* INTAKE_COLUMNS_H */
