/*-------------------------------------------------------------------------
 *
 * partial_sql.h
 *	  The SQL of merges that set some columns, or only when they are newer.
 *
 * Pieces of the statements of upsert.c and write_merge.c, which write_sql.h
 * describes; the target's alias is "t".  Without such a merge they are what
 * any statement has.
 *
 *-------------------------------------------------------------------------
 */
#ifndef INTAKE_PARTIAL_SQL_H
#define INTAKE_PARTIAL_SQL_H

#include "write/write_sql.h"

/* A field of the batch for an INSERT: with the default where it is missing. */
extern void intake_partial_append_value(StringInfo sql,
										const IntakeStatement *statement,
										int field);

/*
 * "a = value" for SET, or the old value where the record keeps it.  place is
 * "b.place", or "-1" in ON CONFLICT, where the row is the current one.
 */
extern void intake_partial_append_set(StringInfo sql,
									  const IntakeWriter *writer, int column,
									  const char *value, const char *place);

/* The default of a column that the payload does not mention, for SET. */
extern const char *intake_partial_default(const IntakeWriter *writer,
										  int column);

/* " AND ..." behind WHERE: the record may replace or delete the row. */
extern void intake_partial_append_condition(StringInfo sql,
											const IntakeWriter *writer,
											const char *place);

#endif							/* INTAKE_PARTIAL_SQL_H */
