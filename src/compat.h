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
#include "miscadmin.h"			/* work_mem, for a set-returning function */
#endif
#if PG_VERSION_NUM >= 160000
#include "varatt.h"				/* before, a part of postgres.h */
#endif

/* Behind a declaration; 18 has only pg_noreturn, which goes before it. */
#ifndef pg_attribute_noreturn
#define pg_attribute_noreturn() __attribute__((__noreturn__))
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

/* Asks for shared memory, from _PG_init(); request() makes the calls. */
#if PG_VERSION_NUM < 150000
#define intake_request_hook_type shmem_startup_hook_type
#define intake_request_shared_memory(request) (request)()
#else
#define intake_request_hook_type shmem_request_hook_type
#define intake_request_shared_memory(request) \
	do { \
		previous_request_hook = shmem_request_hook; \
		shmem_request_hook = (request); \
	} while (0)
#endif

/* Where pg_stat_progress_copy shows records that were set aside. */
#if PG_VERSION_NUM < 170000
#define INTAKE_PROGRESS_REJECTED PROGRESS_COPY_TUPLES_EXCLUDED
#else
#define INTAKE_PROGRESS_REJECTED PROGRESS_COPY_TUPLES_SKIPPED
#endif

/*
 * Types of protocol messages, and whether bytes of the client's have been
 * received that nobody has taken yet.
 */
#if PG_VERSION_NUM < 170000
#define intake_has_received() pq_buffer_has_data()
#define PqMsg_CopyData			'd'
#define PqMsg_CopyDone			'c'
#define PqMsg_CopyFail			'f'
#define PqMsg_CopyInResponse	'G'
#define PqMsg_Flush				'H'
#define PqMsg_Sync				'S'
#else
#include "libpq/protocol.h"
#define intake_has_received() (pq_buffer_remaining_data() > 0)
#endif

/* What a failed assertion calls, which the fuzzers' server defines. */
#if PG_VERSION_NUM < 160000
#define INTAKE_ASSERTION_PARAMETERS \
	const char *condition, const char *kind, const char *file, int line
#else
#define INTAKE_ASSERTION_PARAMETERS \
	const char *condition, const char *file, int line
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

/*
 * Whether the role owns the relation, or is a member of the owner; and whether
 * it may use the schema, create relations in it, or schemas in the database.
 */
#if PG_VERSION_NUM < 160000
#define intake_is_owner(relid, role) pg_class_ownercheck(relid, role)
#define intake_may_use(schema, role) \
	(pg_namespace_aclcheck(schema, role, ACL_USAGE) == ACLCHECK_OK)
#define intake_may_create_in(schema, role) \
	(pg_namespace_aclcheck(schema, role, ACL_CREATE) == ACLCHECK_OK)
#define intake_may_use_schema(schema, role) \
	(pg_namespace_aclcheck(schema, role, ACL_USAGE) == ACLCHECK_OK)
#define intake_may_create_in_database(database, role) \
	(pg_database_aclcheck(database, role, ACL_CREATE) == ACLCHECK_OK)
#else
#define intake_is_owner(relid, role) \
	object_ownercheck(RelationRelationId, relid, role)
#define intake_may_use(schema, role) \
	(object_aclcheck(NamespaceRelationId, schema, role, ACL_USAGE) == \
	 ACLCHECK_OK)
#define intake_may_create_in(schema, role) \
	(object_aclcheck(NamespaceRelationId, schema, role, ACL_CREATE) == \
	 ACLCHECK_OK)
#define intake_may_use_schema(schema, role) \
	(object_aclcheck(NamespaceRelationId, schema, role, ACL_USAGE) == \
	 ACLCHECK_OK)
#define intake_may_create_in_database(database, role) \
	(object_aclcheck(DatabaseRelationId, database, role, ACL_CREATE) == \
	 ACLCHECK_OK)
#endif

/* Rounds a timestamp to the precision of its type; errors out of range. */
#if PG_VERSION_NUM < 160000
#define intake_round_timestamp(timestamp, typmod) \
	AdjustTimestampForTypmod(timestamp, typmod)
#else
#define intake_round_timestamp(timestamp, typmod) \
	((void) AdjustTimestampForTypmod(timestamp, typmod, NULL))
#endif

/* Errors when the relation cannot be the target of the command. */
#if PG_VERSION_NUM < 170000
#define intake_check_result(result, command) \
	CheckValidResultRel(result, command)
#elif PG_VERSION_NUM < 180000
#define intake_check_result(result, command) \
	CheckValidResultRel(result, command, NIL)
#else
#define intake_check_result(result, command) \
	CheckValidResultRel(result, command, ONCONFLICT_NONE, NIL)
#endif

/*
 * The executor's range table of one entry, and the check of rights on some of
 * its columns; the entry keeps the columns for messages that show rows.
 */
#if PG_VERSION_NUM < 160000
#define intake_init_range_table(estate, entry) \
	ExecInitRangeTable(estate, list_make1(entry))
#define intake_check_rights(estate, entry, rights, reads, inserts, updates) \
	do { \
		(entry)->requiredPerms = (rights); \
		(entry)->selectedCols = (reads); \
		(entry)->insertedCols = (inserts); \
		(entry)->updatedCols = (updates); \
		(void) ExecCheckRTPerms(list_make1(entry), true); \
	} while (0)
#else
#if PG_VERSION_NUM < 180000
#define INTAKE_UNPRUNED
#else
#define INTAKE_UNPRUNED , bms_make_singleton(1)
#endif
#define intake_init_range_table(estate, entry) \
	do { \
		List	   *infos_ = NIL; \
		(void) addRTEPermissionInfo(&infos_, entry); \
		ExecInitRangeTable(estate, list_make1(entry), \
						   infos_ INTAKE_UNPRUNED); \
	} while (0)
#define intake_check_rights(estate, entry, rights, reads, inserts, updates) \
	do { \
		RTEPermissionInfo *info_ = linitial((estate)->es_rteperminfos); \
		info_->requiredPerms = (rights); \
		info_->selectedCols = (reads); \
		info_->insertedCols = (inserts); \
		info_->updatedCols = (updates); \
		(void) ExecCheckPermissions(list_make1(entry), list_make1(info_), \
									true); \
	} while (0)
#endif

/* The index of a primary key that is not deferrable, or InvalidOid. */
#if PG_VERSION_NUM < 180000
#define intake_primary_key_index(rel) RelationGetPrimaryKeyIndex(rel)
#else
#define intake_primary_key_index(rel) RelationGetPrimaryKeyIndex(rel, false)
#endif

/* An index scan without an order; EXPLAIN counts nothing of it. */
#if PG_VERSION_NUM < 180000
#define intake_begin_index_scan(rel, index, snapshot, nkeys) \
	index_beginscan(rel, index, snapshot, nkeys, 0)
#else
#define intake_begin_index_scan(rel, index, snapshot, nkeys) \
	index_beginscan(rel, index, snapshot, NULL, nkeys, 0)
#endif

/* How the values of an index's column are compared, ascending. */
#if PG_VERSION_NUM < 180000
#define intake_prepare_index_sort(index, sort) \
	PrepareSortSupportFromIndexRel(index, BTLessStrategyNumber, sort)
#else
#define intake_prepare_index_sort(index, sort) \
	PrepareSortSupportFromIndexRel(index, false, sort)
#endif

/*
 * The map from a partitioned table's rows to a partition's, or NULL; NULL also
 * for a table that stands alone, which PostgreSQL 16 and later must not ask.
 */
#if PG_VERSION_NUM < 160000
#define intake_root_to_partition_map(result, estate) \
	((result)->ri_RootToPartitionMap)
#else
#define intake_root_to_partition_map(result, estate) \
	((result)->ri_RootResultRelInfo == NULL ? NULL : \
	 ExecGetRootToChildMap(result, estate))
#endif

/* Index entries of an inserted row. */
#if PG_VERSION_NUM < 160000
#define intake_insert_index_tuples(result, slot, estate) \
	ExecInsertIndexTuples(result, slot, estate, false, false, NULL, NIL)
#else
#define intake_insert_index_tuples(result, slot, estate) \
	ExecInsertIndexTuples(result, slot, estate, false, false, NULL, NIL, false)
#endif

/* The entries of an updated row, as far as its indexes need them. */
#if PG_VERSION_NUM < 160000
#define IntakeUpdateIndexes bool
#define intake_updates_all_indexes(indexes) (indexes)
#define intake_update_index_tuples(result, slot, estate, indexes) \
	((indexes) ? ExecInsertIndexTuples(result, slot, estate, true, false, \
									   NULL, NIL) : NIL)
#define intake_epq_init(epq, estate) \
	EvalPlanQualInit(epq, estate, NULL, NIL, -1)
#else
#define IntakeUpdateIndexes TU_UpdateIndexes
#define intake_updates_all_indexes(indexes) ((indexes) == TU_All)
#define intake_update_index_tuples(result, slot, estate, indexes) \
	((indexes) != TU_None ? \
	 ExecInsertIndexTuples(result, slot, estate, true, false, NULL, NIL, \
						   (indexes) == TU_Summarizing) : NIL)
#define intake_epq_init(epq, estate) \
	EvalPlanQualInit(epq, estate, NULL, NIL, -1, NIL)
#endif

/* AFTER ROW triggers of a DELETE. */
#if PG_VERSION_NUM < 150000
#define intake_after_row_delete(estate, result, tid) \
	ExecARDeleteTriggers(estate, result, tid, NULL, NULL)
#else
#define intake_after_row_delete(estate, result, tid) \
	ExecARDeleteTriggers(estate, result, tid, NULL, NULL, false)
#endif

/* Row triggers of an UPDATE of a row that is locked. */
#if PG_VERSION_NUM < 150000
#define intake_before_row_update(estate, epq, result, tid, slot) \
	ExecBRUpdateTriggers(estate, epq, result, tid, NULL, slot)
#define intake_after_row_update(estate, result, tid, slot, recheck) \
	ExecARUpdateTriggers(estate, result, tid, NULL, slot, recheck, NULL)
#else
#if PG_VERSION_NUM < 160000
#define intake_before_row_update(estate, epq, result, tid, slot) \
	ExecBRUpdateTriggers(estate, epq, result, tid, NULL, slot, NULL)
#elif PG_VERSION_NUM < 180000
#define intake_before_row_update(estate, epq, result, tid, slot) \
	ExecBRUpdateTriggers(estate, epq, result, tid, NULL, slot, NULL, NULL)
#else
#define intake_before_row_update(estate, epq, result, tid, slot) \
	ExecBRUpdateTriggers(estate, epq, result, tid, NULL, slot, NULL, NULL, \
						 false)
#endif
#define intake_after_row_update(estate, result, tid, slot, recheck) \
	ExecARUpdateTriggers(estate, result, NULL, NULL, tid, NULL, slot, \
						 recheck, NULL, false)
#endif

/* Events to wait for, until they are freed. */
#if PG_VERSION_NUM < 170000
#define intake_make_wait_set(nevents) \
	CreateWaitEventSet(TopMemoryContext, nevents)
#else
#define intake_make_wait_set(nevents) CreateWaitEventSet(NULL, nevents)
#endif

#endif							/* INTAKE_COMPAT_H */
