/*-------------------------------------------------------------------------
 *
 * write_partition.c
 *	  Partition delete: the rows of the given partition keys are deleted.
 *
 * The records are the keys: the columns of the set are the key's items.
 * With option fast, a key that is the whole bound of a declarative partition
 * empties that partition by TRUNCATE, under the conditions of truncate =>
 * 'fast'; the other keys are deleted row by row.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "utils/lsyscache.h"

#include "write/keys.h"
#include "write/lock.h"
#include "write/partition_bound.h"
#include "write/truncate.h"
#include "write/write.h"

typedef struct PartitionState
{
	IntakeKeys *keys;			/* to be deleted row by row */
	List	   *partitions;		/* OIDs: to be emptied */
} PartitionState;

static void
begin_partition(IntakeWriter *writer)
{
	PartitionState *state = palloc0(sizeof(PartitionState));

	state->keys = intake_keys_make(writer);
	writer->state = state;
	writer->is_staged = true;
}

/* The partition that the key empties as a whole, or InvalidOid. */
static Oid
whole_partition(IntakeWriter *writer, const IntakeRow *row)
{
	if (!writer->options->fast || list_length(writer->key) != 1)
		return InvalidOid;
	return intake_partition_of_key(writer->rel, linitial(writer->key),
								   row->values[0], row->nulls[0]);
}

static void
take_partition(IntakeWriter *writer, IntakeBatch *batch)
{
	PartitionState *state = writer->state;
	int			i;

	for (i = 0; i < batch->nrows; i++)
	{
		const IntakeRow *row = &batch->rows[i];
		Oid			partition = whole_partition(writer, row);
		MemoryContext old;

		if (!OidIsValid(partition))
		{
			intake_keys_put(state->keys, row->values, row->nulls);
			continue;
		}
		old = MemoryContextSwitchTo(writer->context);
		state->partitions = list_append_unique_oid(state->partitions,
												   partition);
		MemoryContextSwitchTo(old);
	}
}

static void
finish_partition(IntakeWriter *writer)
{
	PartitionState *state = writer->state;
	IntakeCounters *counters = writer->counters;
	ListCell   *cell;

	intake_table_lock(writer->target, true);
	counters->rows_deleted = intake_keys_delete_rows(state->keys);
	foreach(cell, state->partitions)
	{
		intake_truncate_partition(writer, lfirst_oid(cell));
		counters->rows_deleted = -1;
	}
	intake_keys_end(state->keys);
}

const IntakeWriteRoutine intake_write_partition = {
	"delete", begin_partition, take_partition, finish_partition
};
