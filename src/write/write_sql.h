/*-------------------------------------------------------------------------
 *
 * write_sql.h
 *	  Set-wise SQL statements over a batch.
 *
 * A statement reads its rows from intake.batch_rows() under the alias "b",
 * whose columns are named c1, c2, ... and typed as the statement's fields,
 * then record and line; in a partial merge also place, the row's number.
 * It runs as the current user through the executor, so that privileges, row
 * security, triggers, constraints and rules hold as in any statement.
 *
 *-------------------------------------------------------------------------
 */
#ifndef INTAKE_WRITE_SQL_H
#define INTAKE_WRITE_SQL_H

#include "executor/spi.h"
#include "lib/stringinfo.h"

#include "write/write.h"

typedef struct IntakeStatement
{
	IntakeWriter *writer;
	MemoryContextCallback callback; /* frees the plan */
	const char *sql;
	SPIPlanPtr	plan;			/* NULL until first run */
	int			nfields;
	const int  *fields;			/* column numbers in the batch's rows */
	TupleDesc	desc;			/* the fields, record, line, maybe place */
	bool		is_positioned;	/* sql has INTAKE_SQL_POSITION */
	int64		inserted;		/* with INTAKE_SQL_WRITTEN */
	int64		updated;
} IntakeStatement;

/*
 * Goes behind WHERE in a statement that handles the batch's rows in turn, so
 * that an error names the record.
 */
#define INTAKE_SQL_POSITION "intake.batch_at(b.record, b.line)"

/*
 * In such a statement, behind DO UPDATE ... WHERE: notes that the row is
 * there; and behind RETURNING: counts the row as inserted or updated.
 */
#define INTAKE_SQL_CONFLICT "intake.batch_conflict()"
#define INTAKE_SQL_WRITTEN "intake.batch_written()"

/*
 * Begins a statement over some columns of a set; sql is set by the caller.
 * Lives in the current memory context, and its plan with it.
 */
extern IntakeStatement *intake_sql_make(IntakeWriter *writer,
										const IntakeColumnSet *columns,
										const int *fields, int nfields);

/*
 * "intake.batch_rows() AS b(c1 pg_catalog.int4, ...)", appended.
 */
extern void intake_sql_append_source(StringInfo sql,
									 const IntakeStatement *statement);

/* "b.c1, b.c2, ...", appended; partial merges add defaults. */
extern void intake_sql_append_fields(StringInfo sql,
									 const IntakeStatement *statement);

/* The relation as SQL names it, and a column of it. */
extern const char *intake_sql_relation(Relation rel);

/* "ONLY " for a table: as ON CONFLICT, leave tables that inherit alone. */
extern const char *intake_sql_only(Relation rel);
extern const char *intake_sql_column(Relation rel, AttrNumber attnum);

/* 'OPERATOR(pg_catalog.=)' for an operator's OID. */
extern char *intake_sql_operator(Oid operator);

/* ' COLLATE pg_catalog."C"' for a collation's OID; empty for InvalidOid. */
extern const char *intake_sql_collation(Oid collation);

/*
 * Runs the statement over the batch, and returns how many rows it handled.
 *
 * sees_all is for statements that delete: where the transaction has one
 * snapshot for all its statements, rows that it does not see are looked at
 * too and raise 40001.
 */
extern int64 intake_sql_run(IntakeStatement *statement, IntakeBatch *batch,
							bool sees_all);

/*
 * For functions that such a statement calls: the row at a place of its batch,
 * or the one that INTAKE_SQL_POSITION is at when place is -1; and the writer.
 * An error when function is called from elsewhere.
 */
extern const IntakeRow *intake_sql_row(int place, const char *function,
									   IntakeWriter **writer);

#endif							/* INTAKE_WRITE_SQL_H */
