/*-------------------------------------------------------------------------
 *
 * key_text.h
 *	  The text of a key's items, before anything is looked up in a catalog.
 *
 *-------------------------------------------------------------------------
 */
#ifndef INTAKE_KEY_TEXT_H
#define INTAKE_KEY_TEXT_H

#include "nodes/pg_list.h"
#include "nodes/nodes.h"

/*
 * The raw parse tree of one SQL expression; 42601 if the text is anything
 * else.  Looks nothing up.
 */
extern Node *intake_key_text_parse(const char *text);

/*
 * The names of the columns that a raw parse tree refers to, qualifiers left
 * out, as a list of char *.
 */
extern List *intake_key_text_columns(Node *raw);

/*
 * Settings under which canonical SQL is written and read, so that it means
 * the same whatever the session's are.  begin returns what end takes; an
 * error in between restores the session's settings with its transaction.
 *
 * How a string literal reads stays the session's business when is_stored is
 * false: for SQL that the session is to run.
 */
extern int	intake_key_settings_begin(bool is_stored);
extern void intake_key_settings_end(int nest_level);

#endif							/* INTAKE_KEY_TEXT_H */
