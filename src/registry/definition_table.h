/*-------------------------------------------------------------------------
 *
 * definition_table.h
 *	  The tables of a partner connection, made as their definitions say.
 *
 * A table of a connection is one in its schema that is its role's, has a
 * stored definition (intake.connection_table) and is registered.  Another
 * relation of the name, such as one that the user made after dropping the
 * table, is none.  All statements are fixed ones, carried out as the current
 * user, who is the connection's role.
 *
 * A name's definition has a lock of its own.  It comes before the table's
 * lock, which comes before the table lock of uploads (lock_space.h).  Each
 * waits as lock_timeout says.
 *
 *-------------------------------------------------------------------------
 */
#ifndef INTAKE_DEFINITION_TABLE_H
#define INTAKE_DEFINITION_TABLE_H

#include "registry/connection.h"
#include "registry/definition.h"

/* Whose definition it is that a table is to meet. */
typedef enum IntakeApplyMode
{
	INTAKE_APPLY_WHOLE,			/* update table's: what is absent goes */
	INTAKE_APPLY_ALTER,			/* a write's: what is absent stays */
	INTAKE_APPLY_CREATE			/* a write's that must not change a table */
} IntakeApplyMode;

typedef struct IntakeApplied
{
	Oid			relid;
	const IntakeDefinition *old;	/* NULL: the table was made */
	const IntakeDefinition *now;
	bool		was_data_dropped;
} IntakeApplied;

/*
 * The table and its stored definition, in the current memory context;
 * InvalidOid and NULL when it is none of the connection's.  Raises 22023 for a
 * name that no table can have.  lockmode is NoLock, or ExclusiveLock to keep
 * the definition as it is until the transaction ends.
 */
extern Oid	intake_definition_table_find(const IntakeConnection *connection,
										 const char *table,
										 IntakeDefinition **stored,
										 LOCKMODE lockmode);

/* The stored definitions (IntakeDefinition) of all tables, by name. */
extern List *intake_definition_table_list(const IntakeConnection *connection);

/*
 * Sees to it that the table is as the definition says.  It is created when it
 * is missing.  If its schema is another it is emptied, and its columns are
 * dropped, added and changed in place; nothing goes by CASCADE, so that a view
 * in the way is an error (2BP01, 0A000) that names it.  Titles become
 * comments.  The table lock is held exclusively, and the table's own as the
 * work needs it, until the transaction ends; when nothing has to be done, only
 * the definition's lock is.
 */
extern void intake_definition_table_apply(const IntakeConnection *connection,
										  const char *table,
										  IntakeDefinition *definition,
										  IntakeApplyMode mode,
										  IntakeApplied *applied);

/*
 * Drops the table, its definition and its registration; false when there is
 * no definition.  Raises 2BP01 when something depends on the table.
 */
extern bool intake_definition_table_drop(const IntakeConnection *connection,
										 const char *table);

/* Sets the time of the last upload; the caller holds the table lock. */
extern void intake_definition_table_touch(const IntakeConnection *connection,
										  const char *table);

#endif							/* INTAKE_DEFINITION_TABLE_H */
