/*-------------------------------------------------------------------------
 *
 * definition.h
 *	  What a partner says a table is: DataLens' table definition.
 *
 * Made of JSON that is hostile.  A definition that could be parsed has one
 * column or more, with names that PostgreSQL can hold, and keys whose items
 * are columns of it or date_trunc('unit', column); nothing of it was or will
 * be read as SQL.
 *
 *-------------------------------------------------------------------------
 */
#ifndef INTAKE_DEFINITION_H
#define INTAKE_DEFINITION_H

#include "lib/stringinfo.h"
#include "nodes/pg_list.h"
#include "utils/jsonb.h"
#include "utils/timestamp.h"

typedef enum IntakeFieldType
{
	INTAKE_FIELD_STRING,
	INTAKE_FIELD_INTEGER,
	INTAKE_FIELD_FLOAT,
	INTAKE_FIELD_DATE,
	INTAKE_FIELD_DATETIME,
	INTAKE_FIELD_BOOLEAN,
	INTAKE_FIELD_GEOPOINT
} IntakeFieldType;

typedef struct IntakeFieldDef
{
	const char *name;
	const char *title;			/* NULL: none */
	bool		is_nullable;
	IntakeFieldType type;
} IntakeFieldDef;

typedef struct IntakeDefinition
{
	const char *name;			/* of its table; NULL: the JSON has none */
	TimestampTz uploaded_at;	/* its last upload; 0: none yet */
	const char *title;			/* NULL: none */
	List	   *fields;			/* of IntakeFieldDef */
	List	   *partition_key;	/* of char *, as written; NIL: none */
	List	   *replacing_key;
	bool		has_partition_key;	/* the JSON had the member */
	bool		has_replacing_key;
} IntakeDefinition;

/* How far two definitions differ; what comes later includes the earlier. */
typedef enum IntakeChange
{
	INTAKE_DEFINITION_SAME,
	INTAKE_DEFINITION_TITLES,
	INTAKE_DEFINITION_KEYS,
	INTAKE_DEFINITION_SCHEMA	/* a column's name, type, nullable, place */
} IntakeChange;

/*
 * Reads a definition, in the current memory context.  Raises 22023, with the
 * place in the JSON, for all that is wrong.  No member twice: jsonb cannot
 * tell, so a text is to be read by intake_json_object_read().  What answers
 * show of a table besides is taken, too: its name, and "meta", which counts
 * for nothing.
 */
extern IntakeDefinition *intake_definition_parse(const Jsonb *json);

/* The same as JSON that intake_definition_parse() reads. */
extern Jsonb *intake_definition_make_json(const IntakeDefinition *definition);

/* Appends the definition as answers show it: name and last upload, too. */
extern void intake_definition_append(StringInfo json,
									 const IntakeDefinition *definition);

/* Raises 22023 unless a table can have the name. */
extern void intake_definition_check_name(const char *name);

/* Are the keys' items the same texts, in their order? */
extern bool intake_definition_same_key(const List *a, const List *b);

extern IntakeChange intake_definition_compare(const IntakeDefinition *old,
											  const IntakeDefinition *other);

/*
 * What a write says its table is, beside what the table is: true if nothing
 * need be done.  Raises 22023, with the first difference, if they differ and
 * may_alter is false.  What the write leaves out stays: keys, as long as the
 * schema is the same, and titles; titles alone change only with may_alter.
 */
extern bool intake_definition_is_met(IntakeDefinition *given,
									 const IntakeDefinition *stored,
									 bool may_alter);

/*
 * An item of one of the definition's keys as intake.register_table() takes
 * it: a column's name, or an expression whose identifiers are quoted.
 */
extern char *intake_definition_key_item(const IntakeDefinition *definition,
										const char *item);

/* The column of exactly that name; NULL: there is none. */
extern const IntakeFieldDef *
intake_definition_find_field(const List *fields, const char *name);

/* The columns' names in order (char *), as option "columns" takes them. */
extern List *intake_definition_columns(const IntakeDefinition *definition);

/* The type: DataLens' name, the column's OID, and its qualified SQL. */
extern const char *intake_definition_type_name(IntakeFieldType type);
extern Oid	intake_definition_type_oid(IntakeFieldType type);
extern const char *intake_definition_type_sql(IntakeFieldType type);

#endif							/* INTAKE_DEFINITION_H */
