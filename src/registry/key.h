/*-------------------------------------------------------------------------
 *
 * key.h
 *	  Keys: lists of columns or immutable expressions over a relation.
 *
 * An item that is equal to a column's name, or is nothing but a reference to
 * one, is that column; else it is an SQL expression.  The canonical SQL of an
 * item is what PostgreSQL deparses, with unqualified column names and all
 * else qualified that is not in pg_catalog; it is what the registry stores
 * and what is parsed again.  A column's is its quoted name, so that a column
 * called "lower(a)" and the expression lower(a) stay apart.
 *
 *-------------------------------------------------------------------------
 */
#ifndef INTAKE_KEY_H
#define INTAKE_KEY_H

#include "nodes/primnodes.h"
#include "utils/rel.h"

#include "columns.h"

typedef struct IntakeKeyItem
{
	const char *name;			/* how a payload names it: a column's name,
								 * an expression as it was written */
	const char *sql;			/* canonical, columns unqualified */
	Expr	   *expr;			/* over varno 1; a plain Var for a column */
	AttrNumber	attnum;			/* of a column; 0: an expression */
	Oid			type;			/* of the value, domains kept */
	int32		typmod;
	Oid			collation;
	Oid			eq_operator;	/* of the type's default btree class */
	Oid			lt_operator;
} IntakeKeyItem;

/*
 * Checks the items of a key against the relation and returns them as a list
 * of IntakeKeyItem.  what names the key in messages: "replacing key".
 *
 * Errors: empty list (22023), more items than an index may have (54011),
 * repeated item (42701), not one expression (42601), unknown column (42703),
 * system column, whole row, subquery, set-returning function (0A000),
 * aggregate (42803), window function (42P20), expression without a column
 * (22023), stable or volatile expression (42P17, with a hint at
 * AT TIME ZONE), pseudo-type (42P16), no collation (42P22), type without a
 * default btree operator class (42704).
 */
extern List *intake_key_resolve(Relation rel, List *items, const char *what);

/*
 * The same from what the registry stores: names as written beside canonical
 * SQL.  A column that is gone is an error (55000): the entity is suspended.
 */
extern List *intake_key_reopen(Relation rel, List *names, List *sql,
							   const char *what);

/* A key of plain columns, by attribute numbers. */
extern List *intake_key_of_columns(Relation rel, List *attnums);

/*
 * The key's items as a column set, so that payloads and batches can hold
 * their values.  Conversions are not prepared.
 */
extern IntakeColumnSet *intake_key_as_columns(List *key, const char *owner);

/* Which of the relation's columns the key uses: attribute numbers (ints). */
extern List *intake_key_columns(List *key);

/*
 * The item as SQL with its columns qualified by alias, for generated
 * statements.
 */
extern char *intake_key_item_sql(Relation rel, const IntakeKeyItem *item,
								 const char *alias);

/*
 * Is the stored item with this name and canonical SQL a column?
 */
extern bool intake_key_is_column(const char *name, const char *sql);

/*
 * Are all columns there that a stored key (a list of canonical SQL) uses?
 * Raises no error for what the registry holds and takes no lock.
 */
extern bool intake_key_is_usable(Oid relid, List *sql);

/*
 * The text of an item after column old_name was renamed: identifiers that
 * are references to it are replaced, all else stays as it was written.
 */
extern char *intake_key_rename(const char *item, bool is_column,
							   const char *old_name, const char *new_name);

#endif							/* INTAKE_KEY_H */
