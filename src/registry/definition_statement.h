/*-------------------------------------------------------------------------
 *
 * definition_statement.h
 *	  The statements that make a table what its definition says.
 *
 * Their text is fixed but for names, which are quoted and qualified, and
 * types, which are ours.  They run as the current user.
 *
 *-------------------------------------------------------------------------
 */
#ifndef INTAKE_DEFINITION_STATEMENT_H
#define INTAKE_DEFINITION_STATEMENT_H

#include "registry/definition.h"

/* CREATE TABLE; schema and name are none of any relation. */
extern void intake_definition_create(const char *schema, const char *name,
									 const IntakeDefinition *definition);

/*
 * TRUNCATE and ALTER TABLE, from one schema to the other.  What the user has
 * done to the columns since is undone where the new schema needs it: types,
 * NOT NULL, columns that are gone; columns of the user's own stay.
 */
extern void intake_definition_alter(Oid relid, const IntakeDefinition *old,
									const IntakeDefinition *definition);

/* DROP TABLE. */
extern void intake_definition_drop(Oid relid);

/*
 * Sets the comments that titles are.  A title that is as it was leaves the
 * comment alone, whatever the user has made of it; old is NULL for a new table.
 */
extern void intake_definition_comment(Oid relid, const IntakeDefinition *old,
									  const IntakeDefinition *definition);

#endif							/* INTAKE_DEFINITION_STATEMENT_H */
