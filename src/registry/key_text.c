/*-------------------------------------------------------------------------
 *
 * key_text.c
 *	  The text of a key's items, before anything is looked up in a catalog.
 *
 * An item is kept twice: as it was written, because a payload names it so,
 * and as canonical SQL.  Both hold column names, so both are rewritten when
 * a column is renamed: by the places of the references in the raw parse
 * tree, which leaves everything else as it was written.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <ctype.h>

#include "lib/stringinfo.h"
#include "nodes/nodeFuncs.h"
#include "nodes/parsenodes.h"
#include "parser/parser.h"
#include "parser/scansup.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"

#include "registry/key.h"
#include "registry/key_text.h"

/* Is this SELECT a target list of one item and nothing else? */
static bool
is_bare_expression(const SelectStmt *select)
{
	const ResTarget *target;

	if (select->distinctClause != NIL || select->fromClause != NIL ||
		select->whereClause != NULL || select->groupClause != NIL ||
		select->havingClause != NULL || select->windowClause != NIL ||
		select->sortClause != NIL || select->limitOffset != NULL ||
		select->limitCount != NULL || select->lockingClause != NIL ||
		select->op != SETOP_NONE || list_length(select->targetList) != 1)
		return false;

	target = linitial_node(ResTarget, select->targetList);
	if (target->name != NULL || target->indirection != NIL)
		return false;
	if (IsA(target->val, ColumnRef))
		return IsA(llast(((ColumnRef *) target->val)->fields), String);
	return true;
}

Node *
intake_key_text_parse(const char *text)
{
	List	   *parsed = raw_parser(text, RAW_PARSE_PLPGSQL_EXPR);
	SelectStmt *select;

	select = castNode(SelectStmt, linitial_node(RawStmt, parsed)->stmt);
	if (!is_bare_expression(select))
		ereport(ERROR,
				(errcode(ERRCODE_SYNTAX_ERROR),
				 errmsg("an item must be one column or one expression")));

	return linitial_node(ResTarget, select->targetList)->val;
}

/* Walker: appends the ColumnRef nodes that end in a name. */
static bool
collect_references(Node *node, List **references)
{
	if (node == NULL)
		return false;
	if (IsA(node, ColumnRef))
	{
		if (IsA(llast(((ColumnRef *) node)->fields), String))
			*references = lappend(*references, node);
		return false;
	}
	return raw_expression_tree_walker(node, collect_references, references);
}

static char *
get_referenced_name(const ColumnRef *reference)
{
	return strVal(llast(reference->fields));
}

List *
intake_key_text_columns(Node *raw)
{
	List	   *references = NIL;
	List	   *names = NIL;
	ListCell   *cell;

	collect_references(raw, &references);
	foreach(cell, references)
		names = lappend(names, get_referenced_name(lfirst(cell)));

	return names;
}

/*
 * Parses without raising syntax errors; NULL instead.  A stored text may
 * stop being an expression when a newer server reserves one of its words.
 * Nothing is looked up and nothing but memory is taken, so that an error can
 * be dropped without a subtransaction.
 */
static Node *
parse_quietly(const char *text)
{
	MemoryContext context = CurrentMemoryContext;
	Node	   *volatile raw = NULL;
	int			nest_level = intake_key_settings_begin(true);

	PG_TRY();
	{
		raw = intake_key_text_parse(text);
	}
	PG_CATCH();
	{
		MemoryContextSwitchTo(context);
		if (geterrcode() != ERRCODE_SYNTAX_ERROR)
			PG_RE_THROW();
		FlushErrorState();
	}
	PG_END_TRY();
	intake_key_settings_end(nest_level);

	return raw;
}

/* The byte after the identifier at p, or NULL if it is spelled U&"...". */
static const char *
skip_identifier(const char *p)
{
	if ((p[0] == 'U' || p[0] == 'u') && p[1] == '&')
		return NULL;
	if (*p != '"')
	{
		while (isalnum((unsigned char) *p) || *p == '_' || *p == '$' ||
			   IS_HIGHBIT_SET(*p))
			p++;
		return p;
	}

	for (p++; *p != '\0'; p++)
	{
		if (*p != '"')
			continue;
		if (p[1] != '"')
			return p + 1;
		p++;
	}
	return NULL;
}

/*
 * Finds the last identifier of a reference, the column's name: its start,
 * and its end in *end.  NULL if the reference is written in a way that is
 * not followed here (Unicode escapes, comments between its parts).
 */
static const char *
find_column_name(const char *text, const ColumnRef *reference,
				 const char **end)
{
	const char *p = text + reference->location;
	int			nqualifiers = list_length(reference->fields) - 1;

	while (nqualifiers-- > 0)
	{
		p = skip_identifier(p);
		if (p == NULL)
			return NULL;
		while (scanner_isspace(*p))
			p++;
		if (*p++ != '.')
			return NULL;
		while (scanner_isspace(*p))
			p++;
	}

	*end = skip_identifier(p);
	return *end == NULL ? NULL : p;
}

static int
compare_locations(const ListCell *a, const ListCell *b)
{
	return ((const ColumnRef *) lfirst(a))->location -
		((const ColumnRef *) lfirst(b))->location;
}

/*
 * An item that cannot be parsed comes back as it is.
 */
char *
intake_key_rename(const char *item, bool is_column, const char *old_name,
				  const char *new_name)
{
	StringInfoData result;
	List	   *references = NIL;
	ListCell   *cell;
	const char *rest = item;

	if (is_column)
		return pstrdup(strcmp(item, old_name) == 0 ? new_name : item);

	collect_references(parse_quietly(item), &references);
	list_sort(references, compare_locations);

	initStringInfo(&result);
	foreach(cell, references)
	{
		const ColumnRef *reference = lfirst(cell);
		const char *start;
		const char *end;

		if (strcmp(get_referenced_name(reference), old_name) != 0)
			continue;
		start = find_column_name(item, reference, &end);
		if (start == NULL)
			continue;
		appendBinaryStringInfo(&result, rest, start - rest);
		appendStringInfoString(&result, quote_identifier(new_name));
		rest = end;
	}
	appendStringInfoString(&result, rest);

	return result.data;
}

bool
intake_key_is_column(const char *name, const char *sql)
{
	Node	   *raw = parse_quietly(sql);

	return raw != NULL && IsA(raw, ColumnRef) &&
		strcmp(get_referenced_name((ColumnRef *) raw), name) == 0;
}

bool
intake_key_is_usable(Oid relid, List *sql)
{
	ListCell   *item;
	ListCell   *name;

	foreach(item, sql)
	{
		Node	   *raw = parse_quietly(lfirst(item));

		if (raw == NULL)
			return false;
		foreach(name, intake_key_text_columns(raw))
		{
			if (get_attnum(relid, lfirst(name)) == InvalidAttrNumber)
				return false;
		}
	}
	return true;
}

static void
set_locally(const char *name, const char *value)
{
	(void) set_config_option(name, value, PGC_USERSET, PGC_S_SESSION,
							 GUC_ACTION_SAVE, true, 0, false);
}

int
intake_key_settings_begin(bool is_stored)
{
	int			nest_level = NewGUCNestLevel();

	/* pg_temp last: a type in it could stand in for one of pg_catalog. */
	set_locally("search_path", "pg_catalog, pg_temp");
	/* Constants are written by their types' output functions. */
	set_locally("DateStyle", "ISO, YMD");
	set_locally("IntervalStyle", "postgres");
	set_locally("extra_float_digits", "3");
	/* A backslash is one in literals that are written and in those read. */
	if (is_stored)
		set_locally("standard_conforming_strings", "on");
	/* The same text each time, so that a repeated call finds no change. */
	set_locally("quote_all_identifiers", "off");

	return nest_level;
}

void
intake_key_settings_end(int nest_level)
{
	AtEOXact_GUC(true, nest_level);
}
