/*-------------------------------------------------------------------------
 *
 * definition_key.h
 *	  The grammar of a definition's key items.
 *
 *	item:  column | date_trunc ( 'unit' , name )
 *	name:  identifier | "identifier"
 *
 * A name is that of the column which is called exactly so, or else of the
 * only one that is called so when case is ignored: the documentation's own
 * example writes "FieldName1" for "fieldName1".
 *
 *-------------------------------------------------------------------------
 */
#ifndef INTAKE_DEFINITION_KEY_H
#define INTAKE_DEFINITION_KEY_H

#include "registry/definition.h"

typedef struct IntakeDefinitionItem
{
	const IntakeFieldDef *field;
	const char *unit;			/* NULL: the column itself */
} IntakeDefinitionItem;

/*
 * Reads an item; false if it is none of the two forms, with what is wrong as
 * a sentence in *problem.
 */
extern bool intake_definition_key_parse(const List *fields, const char *item,
										IntakeDefinitionItem *result,
										const char **problem);

/*
 * The item as intake.register_table() takes it.  fields are those that it is
 * parsed with: what comes out is the name of none of them by accident.
 */
extern char *intake_definition_key_sql(const List *fields,
									   const IntakeDefinitionItem *item);

#endif							/* INTAKE_DEFINITION_KEY_H */
