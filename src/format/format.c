/*-------------------------------------------------------------------------
 *
 * format.c
 *	  The formats by name, and what the decoders of text formats share.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "lib/stringinfo.h"

#include "convert.h"
#include "format/format.h"
#include "format/format_text.h"
#include "format/scan_utf8.h"
#include "settings.h"

static const IntakeFormatRoutine *const formats[] = {
	&intake_format_ndjson,
	&intake_format_csv,
	&intake_format_avro
};

const IntakeFormatRoutine *
intake_format_find(const char *name)
{
	StringInfoData valid;
	int			i;

	for (i = 0; i < lengthof(formats); i++)
	{
		if (strcmp(formats[i]->name, name) == 0)
			return formats[i];
	}

	initStringInfo(&valid);
	for (i = 0; i < lengthof(formats); i++)
		appendStringInfo(&valid, "%s\"%s\"", i > 0 ? ", " : "",
						 formats[i]->name);
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("unrecognized format \"%s\"",
					intake_format_show(name, strlen(name),
									   INTAKE_MAX_SHOWN_VALUE)),
			 errhint("Valid formats are %s.", valid.data)));
}

void
intake_format_skip_bom(IntakeSource *source)
{
	while (source->limit - source->cursor < 3 && intake_source_fill(source))
		;
	if (source->limit - source->cursor >= 3 &&
		memcmp(source->cursor, "\xEF\xBB\xBF", 3) == 0)
		source->cursor += 3;
}

char *
intake_format_show(const char *text, size_t len, size_t max)
{
	const char *nul = len > 0 ? memchr(text, '\0', len) : NULL;
	size_t		shown = nul != NULL ? (size_t) (nul - text) : len;

	shown = Min(shown, max);
	shown = intake_scan_utf8_valid(text, shown);
	return psprintf("%.*s%s", (int) shown, text, shown < len ? "..." : "");
}

void
intake_format_report_utf8(const char *text, size_t len)
{
	StringInfoData bytes;
	size_t		broken = intake_scan_utf8_broken(text, len);
	size_t		i;

	initStringInfo(&bytes);
	for (i = 0; i < broken; i++)
		appendStringInfo(&bytes, "%s0x%02x", i > 0 ? " " : "",
						 (unsigned char) text[i]);
	ereport(ERROR,
			(errcode(ERRCODE_CHARACTER_NOT_IN_REPERTOIRE),
			 errmsg("invalid byte sequence for encoding \"UTF8\": %s",
					bytes.data),
			 errhint("Option encoding names the payload's encoding.")));
}

void
intake_format_report_long_record(void)
{
	ereport(ERROR,
			(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
			 errmsg("record is longer than pg_intake.max_record_size"),
			 errdetail("The limit is %d kB.", intake_max_record_size)));
}
