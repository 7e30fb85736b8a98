/*-------------------------------------------------------------------------
 *
 * key.c
 *	  Keys: lists of columns or immutable expressions over a relation.
 *
 * text --raw parse--> names --transform--> expression --deparse--> SQL
 *
 * An item is parsed as the caller wrote it, under the caller's search_path,
 * and written down as canonical SQL.  The expression that is worked with is
 * always the one parsed from the canonical SQL, under settings of our own
 * (key_text.h): at registration and at each upload it is the same.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/sysattr.h"
#include "catalog/pg_collation.h"
#include "catalog/pg_type.h"
#include "mb/pg_wchar.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/optimizer.h"
#include "parser/parse_collate.h"
#include "parser/parse_expr.h"
#include "parser/parse_node.h"
#include "parser/parse_relation.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/ruleutils.h"
#include "utils/typcache.h"

#include "convert.h"
#include "registry/key.h"
#include "registry/key_text.h"

/* Where an error is: the item, and the key it is of. */
typedef struct KeyPlace
{
	const char *what;			/* "replacing key" */
	const char *text;			/* the item, as it is being read */
	char	   *shown;			/* the same, cut for messages */
} KeyPlace;

static KeyPlace
make_place(const char *what, const char *text)
{
	int			len = strlen(text);
	KeyPlace	place;

	place.what = what;
	place.text = text;
	place.shown = pstrdup(text);
	if (len > INTAKE_MAX_SHOWN_VALUE)
		place.shown[pg_mbcliplen(text, len, INTAKE_MAX_SHOWN_VALUE)] = '\0';
	return place;
}

/*
 * Error context while PostgreSQL's parser reads an item.  Positions are those
 * in the item, not in the client's statement.
 */
static void
add_error_context(void *arg)
{
	const KeyPlace *place = arg;
	int			position = geterrposition();

	if (position > 0)
	{
		errposition(0);
		internalerrposition(position);
		internalerrquery(place->text);
	}
	errcontext("%s item \"%s\"", place->what, place->shown);
}

/* Refuses what cannot be evaluated row by row. */
static void
check_shape(const ParseState *pstate, Node *node, const KeyPlace *place)
{
	if (pstate->p_hasSubLinks)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("%s item \"%s\" contains a subquery",
						place->what, place->shown)));
	if (pstate->p_hasAggs)
		ereport(ERROR,
				(errcode(ERRCODE_GROUPING_ERROR),
				 errmsg("%s item \"%s\" contains an aggregate function",
						place->what, place->shown)));
	if (pstate->p_hasWindowFuncs)
		ereport(ERROR,
				(errcode(ERRCODE_WINDOWING_ERROR),
				 errmsg("%s item \"%s\" contains a window function",
						place->what, place->shown)));
	if (expression_returns_set(node))
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("%s item \"%s\" contains a set-returning function",
						place->what, place->shown)));
}

/* Parses an item over the relation, whose columns are those of varno 1. */
static Node *
transform_item(ParseState *pstate, Relation rel, const char *text)
{
	ParseNamespaceItem *nsitem;
	Node	   *node;

	pstate->p_sourcetext = text;
	nsitem = addRangeTableEntryForRelation(pstate, rel, AccessShareLock,
										   NULL, false, true);
	addNSItemToQuery(pstate, nsitem, false, true, true);

	/*
	 * No restriction by the parser: its messages would speak of index
	 * expressions.
	 */
	node = transformExpr(pstate, intake_key_text_parse(text),
						 EXPR_KIND_OTHER);
	assign_expr_collations(pstate, node);

	return node;
}

/* The expression of an item under the current settings. */
static Node *
read_item(Relation rel, KeyPlace *place)
{
	ErrorContextCallback callback;
	ParseState *pstate = make_parsestate(NULL);
	Node	   *node;

	callback.callback = add_error_context;
	callback.arg = place;
	callback.previous = error_context_stack;
	error_context_stack = &callback;
	node = transform_item(pstate, rel, place->text);
	error_context_stack = callback.previous;

	check_shape(pstate, node, place);
	free_parsestate(pstate);

	return node;
}

static bool
is_column_reference(Node *node)
{
	if (IsA(node, RelabelType) &&
		((RelabelType *) node)->relabelformat == COERCE_IMPLICIT_CAST)
		node = (Node *) ((RelabelType *) node)->arg;
	return IsA(node, Var);
}

/*
 * date_trunc('unit', column) as PostgreSQL reads it depends on the session's
 * time zone when the column is a date or a timestamptz.  Exactly this form
 * is taken as its immutable neighbour: a date as it stands, an instant in
 * UTC.  Everything else comes back as it is.
 */
static Node *
pin_date_trunc(Node *node)
{
	FuncExpr   *call = (FuncExpr *) node;
	Node	   *value;
	FuncExpr   *local;

	if (!IsA(node, FuncExpr) || call->funcid != F_DATE_TRUNC_TEXT_TIMESTAMPTZ ||
		!IsA(linitial(call->args), Const))
		return node;

	value = lsecond(call->args);
	if (IsA(value, FuncExpr) &&
		((FuncExpr *) value)->funcid == F_TIMESTAMPTZ_DATE &&
		((FuncExpr *) value)->funcformat == COERCE_IMPLICIT_CAST &&
		is_column_reference(linitial(((FuncExpr *) value)->args)))
		local = makeFuncExpr(F_TIMESTAMP_DATE, TIMESTAMPOID,
							 ((FuncExpr *) value)->args,
							 InvalidOid, InvalidOid, COERCE_EXPLICIT_CAST);
	else if (is_column_reference(value))
	{
		Const	   *zone = makeConst(TEXTOID, -1, DEFAULT_COLLATION_OID, -1,
									 CStringGetTextDatum("UTC"), false, false);

		local = makeFuncExpr(F_TIMEZONE_TEXT_TIMESTAMPTZ, TIMESTAMPOID,
							 list_make2(zone, value),
							 InvalidOid, InvalidOid, COERCE_SQL_SYNTAX);
	}
	else
		return node;

	return (Node *) makeFuncExpr(F_DATE_TRUNC_TEXT_TIMESTAMP, TIMESTAMPOID,
								 list_make2(linitial(call->args), local),
								 InvalidOid, InvalidOid,
								 COERCE_EXPLICIT_CALL);
}

/* Refuses system columns, whole rows and expressions without a column. */
static void
check_columns(Node *node, const KeyPlace *place)
{
	Bitmapset  *attnums = NULL;
	int			member = -1;

	pull_varattnos(node, 1, &attnums);
	if (bms_is_empty(attnums))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s item \"%s\" uses no column",
						place->what, place->shown)));

	while ((member = bms_next_member(attnums, member)) >= 0)
	{
		AttrNumber	attnum = member + FirstLowInvalidHeapAttributeNumber;

		if (attnum == 0)
			ereport(ERROR,
					(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
					 errmsg("%s item \"%s\" uses a whole row",
							place->what, place->shown)));
		if (attnum < 0)
			ereport(ERROR,
					(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
					 errmsg("%s item \"%s\" uses a system column",
							place->what, place->shown)));
	}
}

/* The planned form is looked at: inlining and defaults may add functions. */
static void
check_immutable(Node *node, const KeyPlace *place)
{
	Node	   *planned;
	bool		is_volatile;

	planned = (Node *) expression_planner((Expr *) copyObject(node));
	if (!contain_mutable_functions(planned))
		return;

	is_volatile = contain_volatile_functions(planned);
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_OBJECT_DEFINITION),
			 errmsg("%s item \"%s\" uses a function that is not immutable",
					place->what, place->shown),
			 is_volatile ?
			 errhint("A key must have the same value for a row at any time.") :
			 errhint("The value of the item may depend on the session's settings. For days, months and the like use date_trunc('month', column), date_trunc('month', column::timestamp) for a date, or date_trunc('month', column AT TIME ZONE 'UTC') for a timestamp with time zone.")));
}

/* Fills the members that follow from the type; refuses unusable types. */
static void
fill_type(IntakeKeyItem *item, const KeyPlace *place)
{
	TypeCacheEntry *type;

	item->type = exprType((Node *) item->expr);
	item->typmod = exprTypmod((Node *) item->expr);
	item->collation = exprCollation((Node *) item->expr);

	if (get_typtype(getBaseType(item->type)) == TYPTYPE_PSEUDO)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_TABLE_DEFINITION),
				 errmsg("%s item \"%s\" has pseudo-type %s",
						place->what, place->shown,
						format_type_be(item->type))));
	if (type_is_collatable(item->type) && !OidIsValid(item->collation))
		ereport(ERROR,
				(errcode(ERRCODE_INDETERMINATE_COLLATION),
				 errmsg("could not determine which collation to use for %s item \"%s\"",
						place->what, place->shown),
				 errhint("Use the COLLATE clause to set the collation explicitly.")));

	/* A hash class alone gives an equality operator, but no order. */
	type = lookup_type_cache(item->type, TYPECACHE_EQ_OPR | TYPECACHE_LT_OPR |
							 TYPECACHE_BTREE_OPFAMILY);
	if (!OidIsValid(type->eq_opr) || !OidIsValid(type->lt_opr))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("%s item \"%s\" has type %s, which has no default btree operator class",
						place->what, place->shown,
						format_type_be(item->type))));
	item->eq_operator = type->eq_opr;
	item->lt_operator = type->lt_opr;
}

static IntakeKeyItem *
make_column_item(Relation rel, AttrNumber attnum, const char *what)
{
	Form_pg_attribute attribute = TupleDescAttr(RelationGetDescr(rel),
												attnum - 1);
	IntakeKeyItem *item = palloc0(sizeof(IntakeKeyItem));
	KeyPlace	place;
	int			nest_level = intake_key_settings_begin(true);

	item->name = pstrdup(NameStr(attribute->attname));
	item->sql = pstrdup(quote_identifier(item->name));
	intake_key_settings_end(nest_level);
	item->attnum = attnum;
	item->expr = (Expr *) makeVar(1, attnum, attribute->atttypid,
								  attribute->atttypmod,
								  attribute->attcollation, 0);
	place = make_place(what, item->name);
	fill_type(item, &place);

	return item;
}

/* The item of canonical SQL, read under the settings of key_text.h. */
static IntakeKeyItem *
make_item(Relation rel, const char *name, const char *sql, const char *what)
{
	IntakeKeyItem *item = palloc0(sizeof(IntakeKeyItem));
	KeyPlace	read_place = make_place(what, sql);
	KeyPlace	place = make_place(what, name);

	item->name = pstrdup(name);
	item->sql = pstrdup(sql);
	item->expr = (Expr *) read_item(rel, &read_place);
	if (IsA(item->expr, Var))
		item->attnum = ((Var *) item->expr)->varattno;
	fill_type(item, &place);

	return item;
}

static char *
deparse_item(Relation rel, Node *node, const char *alias, bool is_qualified)
{
	return deparse_expression(node,
							  deparse_context_for(alias, RelationGetRelid(rel)),
							  is_qualified, false);
}

static IntakeKeyItem *
resolve_expression(Relation rel, const char *text, const char *what)
{
	KeyPlace	place = make_place(what, text);
	Node	   *node = pin_date_trunc(read_item(rel, &place));
	IntakeKeyItem *item;
	int			nest_level;
	char	   *sql;

	check_columns(node, &place);
	if (IsA(node, Var))
		return make_column_item(rel, ((Var *) node)->varattno, what);
	check_immutable(node, &place);

	nest_level = intake_key_settings_begin(true);
	sql = deparse_item(rel, node, RelationGetRelationName(rel), false);
	item = make_item(rel, text, sql, what);
	intake_key_settings_end(nest_level);

	return item;
}

static IntakeKeyItem *
resolve_item(Relation rel, const char *text, const char *what)
{
	AttrNumber	attnum = InvalidAttrNumber;

	if (strlen(text) < NAMEDATALEN)
		attnum = get_attnum(RelationGetRelid(rel), text);
	if (attnum > 0)
		return make_column_item(rel, attnum, what);

	return resolve_expression(rel, text, what);
}

List *
intake_key_resolve(Relation rel, List *items, const char *what)
{
	List	   *key = NIL;
	ListCell   *cell;
	ListCell   *other;

	if (items == NIL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s is empty", what),
				 errhint("NULL stands for none.")));
	if (list_length(items) > INDEX_MAX_KEYS)
		ereport(ERROR,
				(errcode(ERRCODE_TOO_MANY_COLUMNS),
				 errmsg("%s has more than %d items", what, INDEX_MAX_KEYS)));

	foreach(cell, items)
	{
		IntakeKeyItem *item = resolve_item(rel, lfirst(cell), what);

		foreach(other, key)
		{
			IntakeKeyItem *earlier = lfirst(other);

			if (equal(earlier->expr, item->expr))
				ereport(ERROR,
						(errcode(ERRCODE_DUPLICATE_COLUMN),
						 errmsg("%s item \"%s\" is repeated", what,
								make_place(what, lfirst(cell)).shown)));
		}
		key = lappend(key, item);
	}
	return key;
}

/* Raises the error of a suspended entity if a column of the item is gone. */
static void
check_columns_exist(Relation rel, const char *sql, const char *what)
{
	ListCell   *cell;

	foreach(cell, intake_key_text_columns(intake_key_text_parse(sql)))
	{
		const char *column = lfirst(cell);

		if (get_attnum(RelationGetRelid(rel), column) != InvalidAttrNumber)
			continue;
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("the registration of table \"%s\" is suspended",
						RelationGetRelationName(rel)),
				 errdetail("Column \"%s\" of the %s does not exist any more.",
						   column, what),
				 errhint("Register the table again with another key.")));
	}
}

List *
intake_key_reopen(Relation rel, List *names, List *sql, const char *what)
{
	List	   *key = NIL;
	ListCell   *name;
	ListCell   *text;
	int			nest_level = intake_key_settings_begin(true);

	if (list_length(names) != list_length(sql))
		ereport(ERROR,
				(errcode(ERRCODE_DATA_CORRUPTED),
				 errmsg("the %s of table \"%s\" has %d names and %d items",
						what, RelationGetRelationName(rel),
						list_length(names), list_length(sql))));
	forboth(name, names, text, sql)
	{
		check_columns_exist(rel, lfirst(text), what);
		key = lappend(key, make_item(rel, lfirst(name), lfirst(text), what));
	}
	intake_key_settings_end(nest_level);

	return key;
}

List *
intake_key_of_columns(Relation rel, List *attnums)
{
	List	   *key = NIL;
	ListCell   *cell;

	foreach(cell, attnums)
		key = lappend(key, make_column_item(rel, lfirst_int(cell), "key"));

	return key;
}

List *
intake_key_columns(List *key)
{
	Bitmapset  *attnums = NULL;
	List	   *columns = NIL;
	ListCell   *cell;
	int			member = -1;

	foreach(cell, key)
		pull_varattnos((Node *) ((IntakeKeyItem *) lfirst(cell))->expr, 1,
					   &attnums);
	while ((member = bms_next_member(attnums, member)) >= 0)
		columns = lappend_int(columns,
							  member + FirstLowInvalidHeapAttributeNumber);

	return columns;
}

char *
intake_key_item_sql(Relation rel, const IntakeKeyItem *item,
					const char *alias)
{
	int			nest_level = intake_key_settings_begin(false);
	char	   *sql = deparse_item(rel, (Node *) item->expr, alias, true);

	intake_key_settings_end(nest_level);
	return sql;
}

IntakeColumnSet *
intake_key_as_columns(List *key, const char *owner)
{
	IntakeColumnSet *set = intake_columns_make(list_length(key), owner);
	ListCell   *cell;

	foreach(cell, key)
	{
		const IntakeKeyItem *item = lfirst(cell);
		IntakeColumn *column = &set->columns[foreach_current_index(cell)];

		column->name = item->name;
		column->type = item->type;
		column->typmod = item->typmod;
		column->collation = item->collation;
	}
	return set;
}
