/*-------------------------------------------------------------------------
 *
 * view.c
 *	  What an updatable view stands for.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "nodes/parsenodes.h"
#include "nodes/primnodes.h"
#include "optimizer/tlist.h"
#include "parser/parsetree.h"
#include "rewrite/rewriteHandler.h"

#include "view.h"

static bool
has_instead_trigger(Relation view)
{
	TriggerDesc *triggers = view->trigdesc;

	return triggers != NULL &&
		(triggers->trig_insert_instead_row ||
		 triggers->trig_update_instead_row ||
		 triggers->trig_delete_instead_row);
}

Oid
intake_view_base(Relation view, AttrNumber attnum, AttrNumber *base_attnum)
{
	Query	   *query;
	RangeTblRef *from;
	TargetEntry *column;

	if (view->rd_rel->relkind != RELKIND_VIEW || has_instead_trigger(view))
		return InvalidOid;
	query = get_view_query(view);
	if (view_query_is_auto_updatable(query, false) != NULL)
		return InvalidOid;
	from = linitial_node(RangeTblRef, query->jointree->fromlist);
	if (base_attnum != NULL)
	{
		column = get_tle_by_resno(query->targetList, attnum);
		*base_attnum = 0;
		if (column != NULL && IsA(column->expr, Var))
			*base_attnum = ((Var *) column->expr)->varattno;
	}
	return rt_fetch(from->rtindex, query->rtable)->relid;
}
