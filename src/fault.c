/*-------------------------------------------------------------------------
 *
 * fault.c
 *	  Where in the payload the last error was.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "lib/stringinfo.h"

#include "discreet_log.h"
#include "fault.h"

static IntakeFault fault;

/* Takes note of where the progress is. */
static void
set_fault(const IntakeProgress *progress)
{
	const IntakePosition *position = &progress->position;

	memset(&fault, 0, sizeof(fault));
	fault.record = progress->write_position.record;
	fault.line = progress->write_position.line;
	if (progress->is_decoding)
	{
		fault.record = position->record;
		fault.line = position->line;
	}
	if (!progress->source->has_lines ||
		(fault.record == 0 && !progress->is_decoding))
		fault.line = 0;
	if (progress->is_decoding && position->column != NULL)
		strlcpy(fault.column, intake_convert_show(position->column,
												  strlen(position->column)),
				sizeof(fault.column));
	fault.has_value = progress->is_decoding && position->value != NULL;
	if (fault.has_value)
		strlcpy(fault.value, intake_convert_show(position->value,
												 position->value_len),
				sizeof(fault.value));
}

void
intake_fault_report(void *arg)
{
	const IntakeProgress *progress = arg;
	StringInfoData text;
	char	   *kept;

	set_fault(progress);
	initStringInfo(&text);
	appendStringInfo(&text, progress->is_delete ?
					 "delete of partitions of table \"%s\"" :
					 "upload into table \"%s\"", progress->relation);
	if (fault.record > 0)
		appendStringInfo(&text, ", record " UINT64_FORMAT, fault.record);
	if (fault.line > 0)
		appendStringInfo(&text, ", line " UINT64_FORMAT, fault.line);
	if (fault.column[0] != '\0')
		appendStringInfo(&text, ", column \"%s\"", fault.column);
	kept = pstrdup(text.data);
	if (fault.has_value)
		appendStringInfo(&text, ": \"%s\"", fault.value);
	intake_discreet_log_context(text.data, kept);
}

const IntakeFault *
intake_fault_last(void)
{
	return &fault;
}

void
intake_fault_forget(void)
{
	memset(&fault, 0, sizeof(fault));
}
