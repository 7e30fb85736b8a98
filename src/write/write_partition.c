/*-------------------------------------------------------------------------
 *
 * write_partition.c
 *	  Partition delete: the rows of the given partition keys are deleted.
 *
 * The records are the keys: the columns of the set are the key's items.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "write/keys.h"
#include "write/lock.h"
#include "write/write.h"

static void
begin_partition(IntakeWriter *writer)
{
	writer->state = intake_keys_make(writer);
}

static void
take_partition(IntakeWriter *writer, IntakeBatch *batch)
{
	int			i;

	for (i = 0; i < batch->nrows; i++)
		intake_keys_put(writer->state, batch->rows[i].values,
						batch->rows[i].nulls);
}

static void
finish_partition(IntakeWriter *writer)
{
	intake_table_lock(writer->target, true);
	writer->counters->rows_deleted =
		intake_keys_delete_rows(writer->state);
	intake_keys_end(writer->state);
}

const IntakeWriteRoutine intake_write_partition = {
	"delete", begin_partition, take_partition, finish_partition
};
