/*-------------------------------------------------------------------------
 *
 * truncate.c
 *	  Option truncate: the target is emptied before the rows are written.
 *
 * true deletes row by row: readers keep their snapshot, triggers fire.
 * 'fast' is TRUNCATE, which takes ACCESS EXCLUSIVE and shows an older
 * snapshot an empty table; it is refused where a DELETE would have done
 * more than remove rows.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/relation.h"
#include "access/table.h"
#include "catalog/pg_inherits.h"
#include "commands/trigger.h"
#include "utils/rls.h"

#include "write/truncate.h"
#include "write/write_sql.h"

/* Raises the error for a target that TRUNCATE must not empty. */
static void
report_not_fast(Relation rel, const char *reason)
{
	ereport(ERROR,
			(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
			 errmsg("TRUNCATE must not empty \"%s\" because it has %s",
					RelationGetRelationName(rel), reason),
			 errhint("Use truncate => true, or leave option \"fast\" out.")));
}

/* A DELETE trigger of a user's, or a foreign key that refers to the table. */
static void
check_triggers(Relation rel)
{
	TriggerDesc *triggers = rel->trigdesc;

	if (triggers == NULL)
		return;
	if (triggers->trig_delete_before_row || triggers->trig_delete_after_row ||
		triggers->trig_delete_instead_row ||
		triggers->trig_delete_before_statement ||
		triggers->trig_delete_after_statement)
		report_not_fast(rel, "DELETE triggers or referencing foreign keys");
}

/* Row-level security may hide rows that TRUNCATE would remove. */
static void
check_policies(Relation rel)
{
	if (check_enable_rls(RelationGetRelid(rel), InvalidOid,
						 true) == RLS_ENABLED)
		report_not_fast(rel, "row-level security");
}

/* Checks the whole tree of partitions and children. */
static void
check_fast(Relation rel)
{
	Oid			relid = RelationGetRelid(rel);
	List	   *relids = find_all_inheritors(relid, AccessShareLock, NULL);
	ListCell   *cell;

	check_policies(rel);
	foreach(cell, relids)
	{
		Relation	child = table_open(lfirst_oid(cell), NoLock);

		check_triggers(child);
		table_close(child, NoLock);
	}
}

/* Runs a statement without a batch; returns how many rows it handled. */
static int64
run_statement(IntakeWriter *writer, const char *command, const char *relation,
			  bool sees_all)
{
	IntakeStatement *statement = intake_sql_make(writer, writer->columns,
												 NULL, 0);
	int64		processed;

	statement->sql = psprintf("%s %s", command, relation);
	processed = intake_sql_run(statement, NULL, sees_all);
	return processed;
}

/*
 * TRUNCATE wants a table that nobody has open in this session, ourselves
 * included; the lock stays.
 */
static void
truncate_fast(IntakeWriter *writer)
{
	Oid			relid = RelationGetRelid(writer->rel);
	const char *name = intake_sql_relation(writer->rel);

	check_fast(writer->rel);
	relation_close(writer->rel, NoLock);
	(void) run_statement(writer, "TRUNCATE", name, false);
	writer->rel = relation_open(relid, NoLock);
	writer->defaults->rel = writer->rel;
}

void
intake_truncate_partition(IntakeWriter *writer, Oid partition)
{
	Relation	rel = relation_open(partition, AccessShareLock);
	const char *name = intake_sql_relation(rel);

	check_triggers(writer->rel);
	check_policies(writer->rel);
	check_fast(rel);
	relation_close(rel, NoLock);
	(void) run_statement(writer, "TRUNCATE", name, false);
}

void
intake_truncate(IntakeWriter *writer)
{
	if (writer->options->truncate == INTAKE_TRUNCATE_FAST)
	{
		truncate_fast(writer);
		writer->counters->rows_deleted = -1;
	}
	else
		writer->counters->rows_deleted =
			run_statement(writer, "DELETE FROM",
						  intake_sql_relation(writer->rel), true);
}
