/*-------------------------------------------------------------------------
 *
 * view.h
 *	  What an updatable view stands for.
 *
 *-------------------------------------------------------------------------
 */
#ifndef INTAKE_VIEW_H
#define INTAKE_VIEW_H

#include "utils/rel.h"

/*
 * The relation whose rows an automatically updatable view writes, which may
 * be a view again; InvalidOid for everything else, a view with INSTEAD OF
 * triggers among it.  With attnum, the view's column, *base_attnum is set to
 * the column that it shows, or to 0.
 */
extern Oid	intake_view_base(Relation view, AttrNumber attnum,
							 AttrNumber *base_attnum);

#endif							/* INTAKE_VIEW_H */
