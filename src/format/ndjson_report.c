/*-------------------------------------------------------------------------
 *
 * ndjson_report.c
 *	  What is wrong with a line of NDJSON.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "format/format_text.h"
#include "format/ndjson_decoder.h"
#include "format/scan_utf8.h"
#include "settings.h"

/* How much of the line an error shows from where it is at fault, in bytes. */
#define MAX_SHOWN_FAULT 40

/* Does the line begin as a JSON array of records does? */
static bool
is_array_of_records(const IntakeNdjson *json)
{
	IntakeScanJson scan;

	intake_scan_json_begin(&scan, json->text, json->text_len);
	if (!intake_scan_json_take(&scan, '['))
		return false;
	intake_scan_json_skip_blanks(&scan);
	return scan.cursor == scan.limit ||
		*scan.cursor == '{' || *scan.cursor == '[';
}

/* The hint for a line that ends too early. */
static const char *
hint_cut(const IntakeNdjson *json)
{
	if (json->record == 1 && is_array_of_records(json))
		return "The payload seems to be one JSON array of records. Write each record on a line of its own, without brackets around them and commas between them.";
	return "A record must stand on one line.";
}

/* What stands at p, for a message. */
static char *
show_found(const IntakeNdjson *json, const char *p)
{
	size_t		left = (size_t) (json->scan.limit - p);

	if (left == 0)
		return pstrdup("the end of the line");
	return psprintf("\"%s\"", intake_format_show(p, left, MAX_SHOWN_FAULT));
}

/*
 * Raises the error for a line that is not UTF-8: that is the better news
 * than what it does to the grammar.  Returns when the line is fine.
 */
static void
check_encoding(const IntakeNdjson *json)
{
	size_t		valid = intake_scan_utf8_valid(json->text, json->text_len);

	if (valid < json->text_len)
		intake_format_report_utf8(json->text + valid,
								  json->text_len - valid);
}

void
intake_ndjson_report_fault(IntakeNdjson *json)
{
	IntakeJsonReason reason = json->scan.reason;
	const char *fault = json->scan.fault;

	check_encoding(json);
	switch (reason)
	{
		case INTAKE_JSON_BAD_NUL:
			ereport(ERROR,
					(errcode(ERRCODE_UNTRANSLATABLE_CHARACTER),
					 errmsg("unsupported Unicode escape sequence"),
					 errdetail("No text value can hold \\u0000.")));
			break;
		case INTAKE_JSON_TOO_DEEP:
			ereport(ERROR,
					(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
					 errmsg("JSON is nested more deeply than pg_intake.max_nesting_depth"),
					 errdetail("The limit is %d levels.",
							   intake_max_nesting_depth)));
			break;
		case INTAKE_JSON_CUT:
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_JSON_TEXT),
					 errmsg("invalid JSON: the line ends inside a value"),
					 errhint("%s", hint_cut(json))));
			break;
		default:
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_JSON_TEXT),
					 errmsg("invalid JSON: %s",
							intake_scan_json_reason_text(reason)),
					 errdetail("The fault is at byte %zu of the line: %s.",
							   (size_t) (fault - json->text) + 1,
							   show_found(json, fault))));
	}
	pg_unreachable();
}

void
intake_ndjson_report_unexpected(IntakeNdjson *json, const char *expected)
{
	const char *found = json->scan.cursor;
	IntakeJsonToken token = intake_scan_json_next(&json->scan);

	check_encoding(json);

	/* a word or number that is bad behind its start is the better news */
	if (token == INTAKE_JSON_BAD && json->scan.fault > found)
		intake_ndjson_report_fault(json);
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_JSON_TEXT),
			 errmsg("invalid JSON: expected %s", expected),
			 errdetail("Found %s at byte %zu of the line.",
					   show_found(json, found),
					   (size_t) (found - json->text) + 1),
			 found == json->scan.limit ?
			 errhint("%s", hint_cut(json)) : 0));
}

void
intake_ndjson_report_count(IntakeNdjson *json, int have)
{
	json->base.position->column = NULL;
	json->base.position->value = NULL;
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_JSON_TEXT),
			 errmsg_plural("record has %d value, %d expected",
						   "record has %d values, %d expected",
						   have, have, json->nvalues),
			 have > 0 && is_array_of_records(json) ?
			 errhint("If the line is an array of records, write each record on a line of its own.") : 0));
}

void
intake_ndjson_check_first(IntakeNdjson *json)
{
	IntakeScanJson scan = json->scan;
	int			have = 0;

	if (!is_array_of_records(json) || !intake_scan_json_take(&scan, '['))
		return;
	do
	{
		intake_scan_json_skip_blanks(&scan);
		if (scan.cursor == scan.limit)
		{
			json->scan.reason = INTAKE_JSON_CUT;
			intake_ndjson_report_fault(json);
		}
		if (!intake_scan_json_skip(&scan, intake_max_nesting_depth))
			return;
		have++;
	} while (intake_scan_json_take(&scan, ','));
	if (intake_scan_json_take(&scan, ']') && have != json->nvalues)
		intake_ndjson_report_count(json, have);
}
