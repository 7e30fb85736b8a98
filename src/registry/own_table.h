/*-------------------------------------------------------------------------
 *
 * own_table.h
 *	  The extension's own tables, read and written without SQL.
 *
 * Nobody but the extension's code writes them, so no right is asked for and
 * no trigger fires.  Rows are read by a fresh catalog snapshot: what is
 * committed, and what this transaction did before this command.
 *
 *-------------------------------------------------------------------------
 */
#ifndef INTAKE_OWN_TABLE_H
#define INTAKE_OWN_TABLE_H

#include "access/htup.h"
#include "access/skey.h"
#include "storage/lockdefs.h"
#include "utils/relcache.h"

/*
 * Whether the extension is there and has the table; if so it stays until the
 * transaction ends: DROP EXTENSION waits, before it has locked anything that
 * we may wait for.
 */
extern bool intake_own_table_hold(const char *name);

/*
 * The table of that name, locked; NULL if the extension is not there.  To be
 * closed by table_close().
 */
extern Relation intake_own_table_open(const char *name, LOCKMODE lockmode);

/* The same; an error (55000) if the extension is not there. */
extern Relation intake_own_table_require(const char *name, LOCKMODE lockmode);

/* The first row that matches, copied, by the index of that name; or NULL. */
extern HeapTuple intake_own_table_find(Relation table, const char *index_name,
									   int nkeys, ScanKey keys);

/* Each makes what it did visible to this transaction. */
extern void intake_own_table_insert(Relation table, const Datum *values,
									const bool *nulls);
extern void intake_own_table_update(Relation table, HeapTuple row,
									const Datum *values, const bool *nulls);
extern void intake_own_table_delete(Relation table, HeapTuple row);

#endif							/* INTAKE_OWN_TABLE_H */
