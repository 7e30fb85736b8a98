/*-------------------------------------------------------------------------
 *
 * convert.c
 *	  From a payload's values to Datums: preparation, input functions, errors.
 *
 * A column's declared type is reduced once, by intake_convert_prepare(), to
 * one of a few conversions of its base type.  Common types are read straight
 * from the payload's bytes; all others go through the type's own input
 * function, which wants a terminated string in the encoding of the server:
 * a scratch copy (see below).  A domain's constraints are checked last, on
 * the finished Datum, so that none of the conversions knows of domains.
 *
 * Texts are in convert_text.c, numbers in convert_number.c and
 * convert_numeric.c, Avro's decimals in convert_decimal.c, dates and times in
 * convert_time.c, intervals in convert_interval.c, JSON's scalars in
 * convert_json.c, its arrays and objects in convert_nested.c and, for jsonb,
 * in convert_jsonb.c, Avro's other logical types in the file of the Datum they
 * make.  convert_fast.h has what is worth being inline in the decoders.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/namespace.h"
#include "catalog/pg_type.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "parser/parse_coerce.h"
#include "pgtime.h"
#include "utils/builtins.h"
#include "utils/datetime.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/typcache.h"

#include "convert.h"
#include "convert_fast.h"
#include "convert_internal.h"
#include "format/scan_utf8.h"

/* Longer texts are copied into the current memory context. */
#define SCRATCH_SIZE 8192

/*
 * The copy for an input function.  It must not be used for an input function
 * that may run code of users, which could upload in turn: those of
 * containers, which check their elements' domains.
 */
static char scratch[SCRATCH_SIZE];

/* ---------- messages ---------- */

bool
intake_convert_needs_encoding(void)
{
	int			encoding = GetDatabaseEncoding();

	return encoding != PG_UTF8 && encoding != PG_SQL_ASCII;
}

/* Copies UTF-8 so that bytes that are no character become question marks. */
static char *
copy_valid(const char *text, size_t len)
{
	char	   *copy = palloc(len + sizeof("..."));
	size_t		done = 0;

	while (done < len)
	{
		size_t		valid = intake_scan_utf8_valid(text + done, len - done);

		memcpy(copy + done, text + done, valid);
		done += valid;
		if (done < len)
			copy[done++] = '?';
	}
	copy[len] = '\0';
	for (done = 0; done < len; done++)
	{
		if (copy[done] == '\0')
			copy[done] = '?';
	}
	return copy;
}

/* UTF-8 as far as the server's encoding has its characters. */
static char *
recode_shown(char *text)
{
	int			len = strlen(text);
	Oid			conversion = FindDefaultConversionProc(PG_UTF8,
													   GetDatabaseEncoding());
	char	   *result = palloc(len * MAX_CONVERSION_GROWTH + 1);
	int			used;

	result[0] = '\0';
	if (!OidIsValid(conversion))
		return result;
	used = pg_do_encoding_conversion_buf(conversion, PG_UTF8,
										 GetDatabaseEncoding(),
										 (unsigned char *) text, len,
										 (unsigned char *) result,
										 len * MAX_CONVERSION_GROWTH + 1, true);
	if (used < len)
		strcat(result, "?");
	return result;
}

char *
intake_convert_show(const char *text, size_t len)
{
	return intake_convert_show_most(text, len, INTAKE_MAX_SHOWN_VALUE);
}

char *
intake_convert_show_most(const char *text, size_t len, size_t max)
{
	size_t		shown = Min(len, max);
	char	   *result;

	/* cut in front of a character, not inside one */
	if (shown < len)
		while (shown > 0 && (text[shown] & 0xC0) == 0x80)
			shown--;

	result = copy_valid(text, shown);
	if (shown < len)
		strcat(result, "...");
	if (intake_convert_needs_encoding())
		result = recode_shown(result);
	return result;
}

const char *
intake_convert_type_name(const IntakeColumn *column)
{
	return format_type_be(column->base_type);
}

void
intake_convert_report_sys_op(const char *text, size_t len)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("invalid value for \"%s\": %s", INTAKE_SYS_OP,
					intake_convert_show(text, len)),
			 errhint("It must be 0 (insert or replace the row), 1 (delete it) or empty.")));
}

void
intake_convert_report_syntax(const IntakeColumn *column,
							 const char *text, size_t len, const char *detail)
{
	if (column->is_sys_op)
		intake_convert_report_sys_op(text, len);
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_TEXT_REPRESENTATION),
			 errmsg("invalid input syntax for type %s: \"%s\"",
					intake_convert_type_name(column),
					intake_convert_show(text, len)),
			 detail ? errdetail_internal("%s", detail) : 0));
}

void
intake_convert_report_range(const IntakeColumn *column,
							const char *text, size_t len)
{
	if (column->is_sys_op)
		intake_convert_report_sys_op(text, len);
	ereport(ERROR,
			(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
			 errmsg("value \"%s\" is out of range for type %s",
					intake_convert_show(text, len),
					intake_convert_type_name(column))));
}

void
intake_convert_report_mismatch(const IntakeColumn *column, const char *what)
{
	if (column->is_sys_op)
		intake_convert_report_sys_op(what, strlen(what));
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_TEXT_REPRESENTATION),
			 errmsg("column of type %s cannot take %s",
					format_type_be(column->type), what)));
}

/* ---------- preparation ---------- */

/* The conversion of a base type that is neither array nor composite. */
static IntakeConversion
choose_conversion(Oid type, int32 typmod)
{
	switch (type)
	{
		case BOOLOID:
			return INTAKE_CONVERT_BOOL;
		case INT2OID:
			return INTAKE_CONVERT_INT2;
		case INT4OID:
			return INTAKE_CONVERT_INT4;
		case INT8OID:
			return INTAKE_CONVERT_INT8;
		case FLOAT4OID:
			return INTAKE_CONVERT_FLOAT4;
		case FLOAT8OID:
			return INTAKE_CONVERT_FLOAT8;
		case NUMERICOID:
			return INTAKE_CONVERT_NUMERIC;
		case TEXTOID:
			return INTAKE_CONVERT_TEXT;
		case VARCHAROID:
			return typmod < 0 ? INTAKE_CONVERT_TEXT : INTAKE_CONVERT_CHARACTER;
		case BPCHAROID:
			return INTAKE_CONVERT_CHARACTER;
		case BYTEAOID:
			return INTAKE_CONVERT_BYTEA;
		case UUIDOID:
			return INTAKE_CONVERT_UUID;
		case DATEOID:
			return INTAKE_CONVERT_DATE;
		case TIMEOID:
			return INTAKE_CONVERT_TIME;
		case TIMESTAMPOID:
			return INTAKE_CONVERT_TIMESTAMP;
		case TIMESTAMPTZOID:
			return INTAKE_CONVERT_TIMESTAMPTZ;
		case INTERVALOID:
			return INTAKE_CONVERT_INTERVAL;
		case JSONOID:
			return INTAKE_CONVERT_JSON;
		case JSONBOID:
			return INTAKE_CONVERT_JSONB;
		case POINTOID:
			return INTAKE_CONVERT_POINT;
		default:
			return INTAKE_CONVERT_INPUT;
	}
}

/* What an array's elements are converted as; it bears the array's name. */
static IntakeColumn *
prepare_element(const IntakeColumn *column, Oid type)
{
	IntakeColumn *element = palloc0(sizeof(IntakeColumn));

	element->name = column->name;
	element->type = type;
	element->typmod = column->base_typmod;
	element->collation = column->collation;
	intake_convert_prepare(element);
	return element;
}

static char *
convert_name(const char *name)
{
	if (intake_convert_needs_encoding())
		return pg_server_to_any(name, strlen(name), PG_UTF8);
	return pstrdup(name);
}

/* The members of a composite type; attnum is that of its row type. */
static IntakeColumnSet *
prepare_members(Oid type, int32 typmod)
{
	TupleDesc	desc = lookup_rowtype_tupdesc(type, typmod);
	IntakeColumnSet *set;
	int			i;

	set = intake_columns_make(desc->natts,
							  psprintf("type %s", format_type_be(type)));
	set->ncolumns = 0;
	for (i = 0; i < desc->natts; i++)
	{
		Form_pg_attribute attribute = TupleDescAttr(desc, i);
		IntakeColumn *member;

		if (attribute->attisdropped)
			continue;
		member = &set->columns[set->ncolumns++];
		member->name = convert_name(NameStr(attribute->attname));
		member->attnum = attribute->attnum;
		member->type = attribute->atttypid;
		member->typmod = attribute->atttypmod;
		member->collation = attribute->attcollation;
		intake_convert_prepare(member);
	}
	ReleaseTupleDesc(desc);
	return set;
}

void
intake_convert_prepare(IntakeColumn *column)
{
	Oid			input_function;
	Oid			element_type;

	check_stack_depth();

	column->context = CurrentMemoryContext;
	column->base_typmod = column->typmod;
	column->base_type = getBaseTypeAndTypmod(column->type,
											 &column->base_typmod);
	column->is_domain = column->base_type != column->type;
	column->is_character = column->base_type == CHAROID ||
		TypeCategory(column->base_type) == TYPCATEGORY_STRING;

	getTypeInputInfo(column->base_type, &input_function,
					 &column->input_param);
	fmgr_info(input_function, &column->input);

	element_type = get_element_type(column->base_type);
	if (OidIsValid(element_type))
	{
		column->conversion = INTAKE_CONVERT_ARRAY;
		column->element = prepare_element(column, element_type);
	}
	else if (column->base_type != RECORDOID &&
			 type_is_rowtype(column->base_type))
	{
		column->conversion = INTAKE_CONVERT_COMPOSITE;
		column->members = prepare_members(column->base_type,
										  column->base_typmod);
	}
	else
		column->conversion = choose_conversion(column->base_type,
											   column->base_typmod);

	column->is_enum = type_is_enum(column->base_type);
	column->is_fast = !column->is_domain &&
		!(column->conversion == INTAKE_CONVERT_TEXT &&
		  intake_convert_needs_encoding());
}

/* ---------- input functions ---------- */

const char *
intake_convert_recode(const char *text, size_t *len)
{
	char	   *recoded;

	if (!intake_convert_needs_encoding())
		return text;
	recoded = pg_any_to_server(text, *len, PG_UTF8);
	if (recoded != text)
		*len = strlen(recoded);
	return recoded;
}

/* Does the type's input function call those of other types? */
static bool
is_container(const IntakeColumn *column)
{
	switch (column->input.fn_oid)
	{
		case F_ARRAY_IN:
		case F_RANGE_IN:
		case F_MULTIRANGE_IN:
		case F_RECORD_IN:
			return true;
		default:
			return false;
	}
}

/* Cuts a message that repeats a value at full length. */
static void
cut_message(char *message)
{
	const int	limit = 2 * INTAKE_MAX_SHOWN_VALUE;

	if (message == NULL || strlen(message) < limit + sizeof("..."))
		return;
	strcpy(message + pg_mbcliplen(message, strlen(message), limit), "...");
}

static void
rethrow_cut(MemoryContext context)
{
	ErrorData  *error;

	MemoryContextSwitchTo(context);
	error = CopyErrorData();
	FlushErrorState();
	cut_message(error->message);
	cut_message(error->detail);
	ReThrowError(error);
}

/* What input functions of dates and times go by. */
typedef struct TimeStyle
{
	int			date_style;
	int			date_order;
	int			interval_style;
	pg_tz	   *timezone;
} TimeStyle;

static TimeStyle
get_time_style(void)
{
	TimeStyle	style = {DateStyle, DateOrder, IntervalStyle, session_timezone};

	return style;
}

static void
set_time_style(TimeStyle style)
{
	DateStyle = style.date_style;
	DateOrder = style.date_order;
	IntervalStyle = style.interval_style;
	session_timezone = style.timezone;
}

/*
 * Calls the input function so that the session's styles and time zone do not
 * count, and that a long value is not repeated at full length in a message.
 */
static Datum
call_input_guarded(IntakeColumn *column, char *text)
{
	MemoryContext context = CurrentMemoryContext;
	TimeStyle	own = get_time_style();
	TimeStyle	iso = {USE_ISO_DATES, DATEORDER_YMD, INTSTYLE_POSTGRES, NULL};
	volatile Datum result = (Datum) 0;

	iso.timezone = pg_tzset("GMT");
	PG_TRY();
	{
		set_time_style(iso);
		result = InputFunctionCall(&column->input, text, column->input_param,
								   column->base_typmod);
		set_time_style(own);
	}
	PG_CATCH();
	{
		set_time_style(own);
		rethrow_cut(context);
	}
	PG_END_TRY();

	return result;
}

/* Does the input function go by the session's styles or time zone? */
static bool
is_session_dependent(const IntakeColumn *column)
{
	return is_container(column) ||
		column->conversion == INTAKE_CONVERT_INTERVAL;
}

Datum
intake_convert_input_datum(IntakeColumn *column, const char *text, size_t len)
{
	char	   *copy = scratch;
	Datum		result;

	text = intake_convert_recode(text, &len);
	if (len >= SCRATCH_SIZE || is_container(column))
		copy = palloc(len + 1);
	memcpy(copy, text, len);
	copy[len] = '\0';

	if (len <= INTAKE_MAX_SHOWN_VALUE && !is_session_dependent(column))
		result = InputFunctionCall(&column->input, copy, column->input_param,
								   column->base_typmod);
	else
		result = call_input_guarded(column, copy);

	if (copy != scratch)
		pfree(copy);
	return result;
}

Datum
intake_convert_finish(IntakeColumn *column, Datum value)
{
	if (column->is_domain)
		domain_check(value, false, column->type, &column->domain_cache,
					 column->context);
	return value;
}

Datum
intake_convert_null(IntakeColumn *column)
{
	if (column->is_domain)
		domain_check((Datum) 0, true, column->type, &column->domain_cache,
					 column->context);
	return (Datum) 0;
}
