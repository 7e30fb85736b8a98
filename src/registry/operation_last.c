/*-------------------------------------------------------------------------
 *
 * operation_last.c
 *	  The session's last operation, for intake.last_upload().
 *
 * A list, the newest first: at most one operation of each open subtransaction
 * and, at its end, one that is committed.  Entries of a subtransaction become
 * its parent's, or go with it.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "utils/memutils.h"

#include "compat.h"
#include "registry/operation_last.h"

/* No subtransaction has this number: the entry is committed. */
#define COMMITTED InvalidSubTransactionId

typedef struct LastOperation
{
	IntakeOperation operation;
	SubTransactionId subid;
	struct LastOperation *older;
} LastOperation;

static LastOperation *last = NULL;
static bool is_watching = false;

static void
free_entry(LastOperation *entry)
{
	if (entry->operation.errors != NULL)
		pfree(entry->operation.errors);
	pfree(entry);
}

/* Forgets the newest entry. */
static void
pop_entry(void)
{
	LastOperation *entry = last;

	last = entry->older;
	free_entry(entry);
}

/* Hands the newest entry over; an older one of the new owner goes. */
static void
reassign_entry(SubTransactionId subid)
{
	LastOperation *older = last->older;

	last->subid = subid;
	if (older != NULL && older->subid == subid)
	{
		last->older = older->older;
		free_entry(older);
	}
}

static void
end_subtransaction(SubXactEvent event, SubTransactionId subid,
				   SubTransactionId parent, void *arg)
{
	if (last == NULL || last->subid != subid)
		return;
	if (event == SUBXACT_EVENT_COMMIT_SUB)
		reassign_entry(parent);
	else if (event == SUBXACT_EVENT_ABORT_SUB)
		pop_entry();
}

static void
end_transaction(XactEvent event, void *arg)
{
	if (event == XACT_EVENT_COMMIT)
	{
		if (last != NULL && last->subid != COMMITTED)
			reassign_entry(COMMITTED);
	}
	else if (event == XACT_EVENT_ABORT || event == XACT_EVENT_PREPARE)
	{
		while (last != NULL && last->subid != COMMITTED)
			pop_entry();
	}
}

/* A copy of what intake_operation_last() promises, where sessions live. */
static LastOperation *
copy_operation(const IntakeOperation *operation)
{
	MemoryContext old = MemoryContextSwitchTo(TopMemoryContext);
	LastOperation *entry = palloc0(sizeof(LastOperation));
	IntakeOperation *copy = &entry->operation;

	copy->uuid = operation->uuid;
	copy->principal = operation->principal;
	copy->is_replayed = operation->is_replayed;
	copy->is_partial = operation->is_partial;
	copy->sys_cn = operation->sys_cn;
	copy->started_at = operation->started_at;
	copy->finished_at = operation->finished_at;
	copy->expires_at = operation->expires_at;
	copy->counters = operation->counters;
	if (operation->errors != NULL)
	{
		copy->errors = palloc(VARSIZE(operation->errors));
		memcpy(copy->errors, operation->errors, VARSIZE(operation->errors));
	}
	MemoryContextSwitchTo(old);
	return entry;
}

void
intake_operation_last_keep(const IntakeOperation *operation)
{
	LastOperation *entry;

	if (!is_watching)
	{
		RegisterXactCallback(end_transaction, NULL);
		RegisterSubXactCallback(end_subtransaction, NULL);
		is_watching = true;
	}
	entry = copy_operation(operation);
	entry->older = last;
	last = entry;
	reassign_entry(GetCurrentSubTransactionId());
}

const IntakeOperation *
intake_operation_last(void)
{
	return last != NULL ? &last->operation : NULL;
}

void
intake_operation_last_forget(void)
{
	while (last != NULL)
		pop_entry();
}
