/*-------------------------------------------------------------------------
 *
 * compat.h
 *	  What differs between PostgreSQL 14 and 18, and nowhere else.
 *
 *-------------------------------------------------------------------------
 */
#ifndef INTAKE_COMPAT_H
#define INTAKE_COMPAT_H

#if PG_VERSION_NUM < 140000
#error "pg_intake needs PostgreSQL 14 or later"
#endif

#if PG_VERSION_NUM < 150000
#define MarkGUCPrefixReserved(prefix) EmitWarningsOnPlaceholders(prefix)
#define intake_tuplesort_begin_heap(desc, nkeys, atts, ops, colls, nulls, mem) \
	tuplesort_begin_heap(desc, nkeys, atts, ops, colls, nulls, mem, NULL, false)
#else
#define intake_tuplesort_begin_heap(desc, nkeys, atts, ops, colls, nulls, mem) \
	tuplesort_begin_heap(desc, nkeys, atts, ops, colls, nulls, mem, NULL, \
						 TUPLESORT_NONE)
#endif

#endif							/* INTAKE_COMPAT_H */
