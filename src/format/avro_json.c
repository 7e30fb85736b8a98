/*-------------------------------------------------------------------------
 *
 * avro_json.c
 *	  Reading the JSON of an Avro schema, value by value.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "convert.h"
#include "format/avro_json.h"
#include "format/format_text.h"

static const char *const member_names[INTAKE_NMEMBERS] = {
	"type", "name", "namespace", "fields", "symbols", "items", "values",
	"size", "aliases", "logicalType", "precision", "scale"
};

void
intake_avro_json_report(const char *detail, const char *shown)
{
	ereport(ERROR,
			(errcode(ERRCODE_BAD_COPY_FILE_FORMAT),
			 errmsg("invalid Avro schema"),
			 shown == NULL ? errdetail("%s", detail) :
			 errdetail(detail, intake_format_show(shown, strlen(shown),
										   INTAKE_MAX_SHOWN_VALUE))));
}

/* Raises the error for a schema whose text is not JSON. */
static void report_syntax(const IntakeScanJson *scan)
			pg_attribute_noreturn();

static void
report_syntax(const IntakeScanJson *scan)
{
	ereport(ERROR,
			(errcode(ERRCODE_BAD_COPY_FILE_FORMAT),
			 errmsg("Avro schema is not valid JSON"),
			 errdetail_internal("%s",
								intake_scan_json_reason_text(scan->reason))));
}

IntakeAvroText
intake_avro_json_take(IntakeScanJson *scan)
{
	IntakeAvroText	text;

	if (!intake_scan_json_skip(scan, INTAKE_JSON_MAX_DEPTH))
		report_syntax(scan);
	text.start = scan->start;
	text.len = scan->len;
	return text;
}

char *
intake_avro_json_string(IntakeAvroText text)
{
	char	   *value;
	ptrdiff_t	len;

	if (text.start == NULL || *text.start != '"')
		return NULL;
	value = palloc(text.len);
	len = intake_scan_json_unescape(text.start + 1, text.len - 2, value);
	if (len < 0)
		intake_avro_json_report("A string has a bad escape.", NULL);
	value[len] = '\0';
	return value;
}

bool
intake_avro_json_integer(IntakeAvroText text, int *value)
{
	bool		is_negative;
	size_t		i = 0;

	if (text.start == NULL || text.len == 0)
		return false;
	is_negative = (*text.start == '-');
	if (is_negative)
		i++;
	if (i == text.len || text.len - i > 9)
		return false;
	for (*value = 0; i < text.len; i++)
	{
		if (text.start[i] < '0' || text.start[i] > '9')
			return false;
		*value = *value * 10 + (text.start[i] - '0');
	}
	if (is_negative)
		*value = -*value;
	return true;
}

void
intake_avro_json_begin(IntakeScanJson *scan, IntakeAvroText text)
{
	intake_scan_json_begin(scan, text.start + 1, text.len - 2);
}

bool
intake_avro_json_iterate(IntakeScanJson *scan, IntakeAvroText *element)
{
	intake_scan_json_skip_blanks(scan);
	if (scan->cursor == scan->limit)
		return false;
	*element = intake_avro_json_take(scan);
	(void) intake_scan_json_take(scan, ',');
	return true;
}

/* Notes a member that means something; it may be there once. */
static void
note_member(IntakeAvroObject *object, const char *key, IntakeAvroText value)
{
	int			i;

	for (i = 0; i < INTAKE_NMEMBERS; i++)
	{
		if (strcmp(member_names[i], key) != 0)
			continue;
		if (object->members[i].start != NULL)
			intake_avro_json_report("An object has the member \"%s\" twice.", key);
		object->members[i] = value;
	}
}

void
intake_avro_json_object(IntakeAvroText text, IntakeAvroObject *object)
{
	IntakeScanJson scan;
	IntakeAvroText	name;
	char	   *key;

	memset(object, 0, sizeof(*object));
	intake_avro_json_begin(&scan, text);
	while (intake_avro_json_iterate(&scan, &name))
	{
		key = intake_avro_json_string(name);
		if (key == NULL || !intake_scan_json_take(&scan, ':'))
			report_syntax(&scan);
		note_member(object, key, intake_avro_json_take(&scan));
		pfree(key);
		(void) intake_scan_json_take(&scan, ',');
	}
}
