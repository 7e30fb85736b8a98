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

/* A set-returning function that fills a tuplestore in one call. */
#if PG_VERSION_NUM >= 150000
#define intake_init_materialized_srf(fcinfo) InitMaterializedSRF(fcinfo, 0)
#else
#define intake_init_materialized_srf(fcinfo) \
	do { \
		ReturnSetInfo *info_ = (ReturnSetInfo *) (fcinfo)->resultinfo; \
		MemoryContext old_ = \
			MemoryContextSwitchTo(info_->econtext->ecxt_per_query_memory); \
		TupleDesc	desc_; \
		if (get_call_result_type(fcinfo, NULL, &desc_) != TYPEFUNC_COMPOSITE) \
			elog(ERROR, "return type must be a row type"); \
		info_->returnMode = SFRM_Materialize; \
		info_->setDesc = desc_; \
		info_->setResult = tuplestore_begin_heap(true, false, work_mem); \
		MemoryContextSwitchTo(old_); \
	} while (0)
#endif

/* Whether the role owns the relation, or is a member of the owner. */
#if PG_VERSION_NUM < 160000
#define intake_is_owner(relid, role) pg_class_ownercheck(relid, role)
#else
#define intake_is_owner(relid, role) \
	object_ownercheck(RelationRelationId, relid, role)
#endif

#endif							/* INTAKE_COMPAT_H */
