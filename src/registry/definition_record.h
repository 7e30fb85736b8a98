/*-------------------------------------------------------------------------
 *
 * definition_record.h
 *	  The table intake.connection_table: stored definitions.
 *
 * Rows are read as they are now, whatever the transaction's snapshot.  Who
 * writes one holds the definition's lock or the table's.
 *
 *-------------------------------------------------------------------------
 */
#ifndef INTAKE_DEFINITION_RECORD_H
#define INTAKE_DEFINITION_RECORD_H

#include "registry/definition.h"

/* The stored definition, with name and last upload; NULL: none. */
extern IntakeDefinition *
			intake_definition_record_find(const char *connection_id,
										  const char *table);

/* All of a connection's, ordered by name. */
extern List *intake_definition_record_list(const char *connection_id);

/* How many there are. */
extern int	intake_definition_record_count(const char *connection_id);

/* Stores the definition; the time of the last upload stays. */
extern void intake_definition_record_store(const char *connection_id,
										   const char *table,
										   const IntakeDefinition *definition);

/* Sets the time of the last upload to now. */
extern void intake_definition_record_touch(const char *connection_id,
										   const char *table);

/* False when there was none. */
extern bool intake_definition_record_remove(const char *connection_id,
											const char *table);

#endif							/* INTAKE_DEFINITION_RECORD_H */
