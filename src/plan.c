/*-------------------------------------------------------------------------
 *
 * plan.c
 *	  What an operation is going to do: mode, key, columns, privileges.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/objectaddress.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "rewrite/prs2lock.h"
#include "utils/acl.h"
#include "utils/lsyscache.h"

#include "convert.h"
#include "format/format_query.h"
#include "plan.h"
#include "registry/key.h"
#include "registry/key_index.h"
#include "write/merge_key.h"

/* The mode: the request's, the target's, or by what keys the target has. */
static IntakeMode
choose_mode(const IntakeRequest *request, Relation rel,
			const IntakeTarget *target)
{
	if (request->mode != INTAKE_MODE_DEFAULT)
		return request->mode;
	if (target->mode != INTAKE_MODE_DEFAULT)
		return target->mode;
	if (target->kind == INTAKE_KIND_NONE)
		return INTAKE_MODE_APPEND;
	if (target->replacing_key != NIL)
		return INTAKE_MODE_REPLACE;
	if (intake_key_index_has_primary(rel))
		return INTAKE_MODE_MERGE;
	return INTAKE_MODE_APPEND;
}

/* Rules that would run a second statement over the same batch. */
static bool
has_also_rule(Relation rel)
{
	int			i;

	for (i = 0; rel->rd_rules != NULL && i < rel->rd_rules->numLocks; i++)
	{
		RewriteRule *rule = rel->rd_rules->rules[i];

		if (rule->event != CMD_SELECT &&
			(!rule->isInstead || rule->qual != NULL ||
			 list_length(rule->actions) != 1))
			return true;
	}
	return false;
}

/* Refuses what the relation cannot take. */
static void
check_mode(Relation rel, IntakeMode mode, const IntakeOptions *options)
{
	char		relkind = rel->rd_rel->relkind;

	if (mode == INTAKE_MODE_MERGE && relkind != RELKIND_RELATION &&
		relkind != RELKIND_PARTITIONED_TABLE)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("cannot merge into \"%s\"",
						RelationGetRelationName(rel)),
				 errdetail("Mode merge works on tables and partitioned tables."),
				 errhint("Use mode append or replace.")));
	if (has_also_rule(rel))
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("cannot upload into \"%s\" because it has rules",
						RelationGetRelationName(rel)),
				 errdetail("Only rules DO INSTEAD one statement, without a condition, are supported."),
				 errhint("Use triggers.")));
	if (options->key_given && mode == INTAKE_MODE_APPEND)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("option \"key\" needs mode merge or replace")));
	if (options->merge_option != NULL && mode != INTAKE_MODE_MERGE)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("option \"%s\" needs mode merge",
						options->merge_option)));
	if (options->truncate == INTAKE_TRUNCATE_FAST &&
		relkind != RELKIND_RELATION && relkind != RELKIND_PARTITIONED_TABLE)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("truncate => 'fast' works on tables and partitioned tables only")));
}

/* Which sys_op counts for all records; -1: each record's own. */
static int
choose_sys_op(const IntakeRequest *request, const IntakeTarget *target,
			  IntakeMode mode)
{
	if (request->sys_op == INTAKE_NO_SYS_OP)
		return -1;
	if (request->sys_op < 0 || request->sys_op > 1)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("invalid value for \"%s\": %d", INTAKE_SYS_OP,
						request->sys_op),
				 errhint("It must be 0 (insert or replace the rows) or 1 (delete them).")));
	if (target->kind == INTAKE_KIND_PROXY ||
		target->kind == INTAKE_KIND_STANDALONE)
	{
		if (request->sys_op == 1)
			ereport(WARNING,
					(errcode(ERRCODE_WARNING),
					 errmsg("\"%s\" is ignored because the target is a %s table",
							INTAKE_SYS_OP, intake_kind_name(target->kind))));
		return -1;
	}
	if (mode != INTAKE_MODE_MERGE)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("\"%s\" needs mode merge", INTAKE_SYS_OP)));
	return request->sys_op;
}

/* The attribute numbers of named columns, checked. */
static List *
attnums_of_names(Relation rel, List *names)
{
	List	   *attnums = NIL;
	ListCell   *cell;

	foreach(cell, names)
	{
		AttrNumber	attnum = get_attnum(RelationGetRelid(rel), lfirst(cell));

		if (attnum <= 0)
			ereport(ERROR,
					(errcode(ERRCODE_UNDEFINED_COLUMN),
					 errmsg("column \"%s\" of option \"key\" does not exist",
							(char *) lfirst(cell))));
		if (list_member_int(attnums, attnum))
			ereport(ERROR,
					(errcode(ERRCODE_DUPLICATE_COLUMN),
					 errmsg("column \"%s\" is given twice in option \"key\"",
							(char *) lfirst(cell))));
		attnums = lappend_int(attnums, attnum);
	}
	return attnums;
}

/* A key of replace or partition delete: the option's, else the target's. */
static List *
choose_key(IntakePlan *plan, List *names, List *sql, const char *what)
{
	if (plan->options->key_given)
		return intake_key_of_columns(plan->rel,
									 attnums_of_names(plan->rel,
													  plan->options->key));
	if (names == NIL)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("table \"%s\" has no %s",
						RelationGetRelationName(plan->rel), what),
				 errhint("Register one with intake.register_table(), or name its columns in option \"key\".")));
	return intake_key_reopen(plan->rel, names, sql, what);
}

/* Marks columns of the set as the key's, which each record has to give. */
static void
mark_key_columns(IntakePlan *plan, List *attnums, bool is_not_null)
{
	ListCell   *cell;

	foreach(cell, attnums)
	{
		int			column = intake_columns_of_attnum(plan->columns,
													   lfirst_int(cell));

		if (column < 0)
			ereport(ERROR,
					(errcode(ERRCODE_GENERATED_ALWAYS),
					 errmsg("key column \"%s\" is generated and takes no value",
							get_attname(RelationGetRelid(plan->rel),
										lfirst_int(cell), false))));
		plan->columns->columns[column].is_key = true;
		plan->columns->columns[column].is_key_not_null = is_not_null;
		plan->has_key = true;
	}
}

static List *
merge_attnums(IntakePlan *plan)
{
	IntakeMergeKey *key;
	List	   *attnums = NIL;
	int			i;

	(void) attnums_of_names(plan->rel, plan->options->key);
	key = intake_merge_key(plan->rel, plan->options->key);
	for (i = 0; i < key->ncolumns; i++)
		attnums = lappend_int(attnums, key->attnums[i]);
	return attnums;
}

/* The items of the partition key as columns of the payload. */
static IntakeColumnSet *
columns_of_key(IntakePlan *plan, const List *names)
{
	IntakeColumnSet *set;
	int			i;

	set = intake_key_as_columns(plan->key,
								psprintf("the partition key of table \"%s\"",
										 RelationGetRelationName(plan->rel)));
	for (i = 0; i < set->ncolumns; i++)
	{
		set->columns[i].is_key = true;
		if (i < list_length(names))
			set->columns[i].name = list_nth(names, i);
		intake_convert_prepare(&set->columns[i]);
	}
	plan->has_key = true;
	return set;
}

/* Columns, key and writer of the mode. */
static void
plan_mode(IntakePlan *plan, const IntakeRequest *request)
{
	IntakeTarget *target = plan->target;
	bool		with_sys_op = plan->mode == INTAKE_MODE_MERGE &&
		(target->kind == INTAKE_KIND_NONE ||
		 target->kind == INTAKE_KIND_LOGICAL);

	if (plan->mode == INTAKE_MODE_DELETE)
	{
		plan->writer = &intake_write_partition;
		plan->key = choose_key(plan, target->partition_key,
							   target->partition_sql, "partition key");
		plan->columns = columns_of_key(plan, request->key_names);
		return;
	}
	plan->columns = intake_columns_of_relation(plan->rel, with_sys_op);
	if (plan->mode == INTAKE_MODE_MERGE)
	{
		plan->writer = &intake_write_merge;
		mark_key_columns(plan, merge_attnums(plan), true);
		plan->partial = intake_partial_make(plan->rel, plan->columns,
											plan->options, plan->sys_op);
	}
	else if (plan->mode == INTAKE_MODE_REPLACE)
	{
		plan->writer = &intake_write_replace;
		plan->key = choose_key(plan, target->replacing_key,
							   target->replacing_sql, "replacing key");
		mark_key_columns(plan, intake_key_columns(plan->key), false);
	}
	else
		plan->writer = &intake_write_append;
}

/* The privileges that the mode needs on the target. */
static AclMode
needed_privileges(const IntakePlan *plan)
{
	AclMode		mode = 0;

	switch (plan->mode)
	{
		case INTAKE_MODE_REPLACE:
			mode = ACL_SELECT | ACL_INSERT | ACL_DELETE;
			break;
		case INTAKE_MODE_MERGE:
			mode = ACL_SELECT;
			if (plan->sys_op == 1)
				mode |= ACL_DELETE;
			else if (plan->options->existing == INTAKE_EXISTING_KEEP)
				mode |= ACL_INSERT;
			else
				mode |= ACL_INSERT | ACL_UPDATE;
			break;
		case INTAKE_MODE_DELETE:
			mode = ACL_SELECT | ACL_DELETE;
			break;
		default:
			mode = ACL_INSERT;
			break;
	}
	if (plan->options->truncate == INTAKE_TRUNCATE_DELETE)
		mode |= ACL_DELETE;
	else if (plan->options->truncate == INTAKE_TRUNCATE_FAST)
		mode |= ACL_TRUNCATE;
	return mode;
}

/* On the relation or on some column of it. */
static void
check_privilege(Oid relid, AclMode privilege)
{
	Oid			role = GetUserId();

	if (pg_class_aclcheck(relid, role, privilege) == ACLCHECK_OK ||
		pg_attribute_aclcheck_all(relid, role, privilege,
								  ACLMASK_ANY) == ACLCHECK_OK)
		return;
	aclcheck_error(ACLCHECK_NO_PRIV,
				   get_relkind_objtype(get_rel_relkind(relid)),
				   get_rel_name(relid));
}

/*
 * Privileges on some columns are enough here; the executor checks each
 * statement to the letter.
 */
void
intake_plan_check_privileges(const IntakePlan *plan)
{
	static const AclMode modes[] = {
		ACL_SELECT, ACL_INSERT, ACL_UPDATE, ACL_DELETE, ACL_TRUNCATE
	};
	AclMode		needed = needed_privileges(plan);
	int			i;

	for (i = 0; i < lengthof(modes); i++)
	{
		if (needed & modes[i])
			check_privilege(RelationGetRelid(plan->rel), modes[i]);
	}
}

static void
choose_format(IntakePlan *plan, const IntakeRequest *request)
{
	if (request->is_query)
	{
		plan->format = &intake_format_query;
		return;
	}
	plan->format = intake_format_find(request->format);
	if (plan->format->is_binary && request->is_text)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("a payload in format \"%s\" must be of type bytea",
						plan->format->name)));
}

IntakePlan *
intake_plan_make(const IntakeRequest *request, Relation rel,
				 IntakeTarget *target, IntakeOptions *options)
{
	IntakePlan *plan = palloc0(sizeof(IntakePlan));

	plan->rel = rel;
	plan->target = target;
	plan->options = options;
	plan->is_exclusive = request->is_exclusive;
	choose_format(plan, request);
	plan->mode = choose_mode(request, rel, target);
	check_mode(rel, plan->mode, options);
	plan->sys_op = choose_sys_op(request, target, plan->mode);
	/* early, before the payload is decoded */
	intake_plan_check_privileges(plan);
	plan_mode(plan, request);
	plan->defaults = intake_defaults_make(plan->columns, rel, plan->sys_op);
	if (plan->mode != INTAKE_MODE_DELETE)
		plan->rejects = intake_rejects_make(options,
											request->source->has_lines);
	plan->defaults->is_eager = plan->rejects != NULL;
	plan->defaults->is_lazy = plan->partial != NULL &&
		plan->partial->is_present;
	return plan;
}

void
intake_plan_report_missing_key(const IntakeColumnSet *columns,
							   const IntakeColumn *column)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_COLUMN_REFERENCE),
			 errmsg("payload does not give key column \"%s\"", column->name),
			 errdetail_internal("%s", intake_columns_list(columns))));
}

void
intake_plan_check_given(const IntakePlan *plan, const bool *given)
{
	int			i;

	for (i = 0; i < plan->columns->ncolumns; i++)
	{
		if (plan->columns->columns[i].is_key && !given[i])
			intake_plan_report_missing_key(plan->columns,
										   &plan->columns->columns[i]);
	}
}
