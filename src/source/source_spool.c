/*-------------------------------------------------------------------------
 *
 * source_spool.c
 *	  A payload that is received whole before it is used.
 *
 * For operations that would lock others out of the target while their client
 * takes its time.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "mb/pg_wchar.h"
#include "storage/buffile.h"

#include "source/source_spool.h"

typedef struct Spool
{
	BufFile    *file;			/* NULL: its end has been read */
} Spool;

static size_t
read_spool(IntakeSource *source, char *out, size_t len)
{
	Spool	   *spool = source->state;
	size_t		n;

	if (spool->file == NULL)
		return 0;
	n = BufFileRead(spool->file, out, len);
	if (n == 0)
	{
		BufFileClose(spool->file);
		spool->file = NULL;
	}
	return n;
}

static const IntakeSourceRoutine spool_routine = {"spool", read_spool};

/* Writes the source's bytes, window by window. */
static void
fill_file(BufFile *file, IntakeSource *source)
{
	do
	{
		BufFileWrite(file, unconstify(char *, source->cursor),
					 source->limit - source->cursor);
		source->cursor = source->limit;
	} while (intake_source_fill(source));
	if (BufFileSeek(file, 0, 0, SEEK_SET) != 0)
		ereport(ERROR,
				(errcode_for_file_access(),
				 errmsg("could not rewind a temporary file: %m")));
}

IntakeSource *
intake_source_open_spool(IntakeSource *source)
{
	Spool	   *spool = palloc(sizeof(Spool));
	IntakeSource *result;

	spool->file = BufFileCreateTemp(false);
	fill_file(spool->file, source);
	result = intake_source_open(&spool_routine, spool, PG_UTF8);
	result->is_cut = source->is_cut;
	result->cut_reason = source->cut_reason;
	result->has_lines = source->has_lines;
	result->kind = source->kind;
	result->total = (int64) intake_source_received(source);
	return result;
}
