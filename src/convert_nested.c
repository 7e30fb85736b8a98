/*-------------------------------------------------------------------------
 *
 * convert_nested.c
 *	  What JSON's arrays and objects become.
 *
 * A nested value is first its own text.  json columns take it as that, and
 * convert_jsonb.c makes a jsonb of it; for an array the text is read element
 * by element, for a composite member by member, each of them as a column of
 * its own (with its own domain constraints), so that whatever a column takes
 * is taken inside, too.  The depth of that recursion is the depth of the
 * type, not of the payload.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/geo_decls.h"
#include "utils/lsyscache.h"
#include "utils/typcache.h"

#include "convert.h"
#include "convert_arena.h"
#include "convert_internal.h"
#include "format/scan_json.h"

/* A JSON array on its way into an array column. */
typedef struct ArrayReader
{
	IntakeColumn *element;
	IntakeScanJson scan;
	bool		is_strict;
	bool		takes_arrays;	/* an inner array is an element */

	int			ndims;			/* 0: no element has been read */
	int			deepest;		/* deepest array begun so far */
	int			dims[MAXDIM];	/* -1: none of this depth has ended */
	Datum	   *values;
	bool	   *nulls;
	int			nvalues;
	int			size;			/* of values and nulls */
} ArrayReader;

/* The grammar was checked before: this is for what cannot happen. */
static void
report_json(const IntakeScanJson *scan)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_JSON_TEXT),
			 errmsg("malformed JSON value"),
			 errdetail_internal("It cannot be read: %s.",
								intake_scan_json_reason_text(scan->reason))));
}

/* The value of a string, given with its quotes. */
static Datum
convert_quoted(IntakeColumn *column, const char *json, size_t len,
			   bool is_strict)
{
	const char *raw = json + 1;
	size_t		raw_len = len - 2;
	char	   *plain;
	ptrdiff_t	plain_len;
	Datum		value;

	if (memchr(raw, '\\', raw_len) == NULL)
		return intake_convert_json_string(column, raw, raw_len, is_strict);

	plain = palloc(raw_len);
	plain_len = intake_scan_json_unescape(raw, raw_len, plain);
	if (plain_len < 0)
		intake_convert_report_syntax(column, json, len, NULL);
	value = intake_convert_json_string(column, plain, plain_len, is_strict);
	pfree(plain);
	return value;
}

/* Any JSON value, by its own text. */
static Datum
convert_json(IntakeColumn *column, const char *json, size_t len,
			 bool is_strict, bool *is_null)
{
	*is_null = false;
	switch (*json)
	{
		case '"':
			return convert_quoted(column, json, len, is_strict);
		case '{':
		case '[':
			return intake_convert_json_nested(column, json, len, is_strict);
		case 't':
		case 'f':
			return intake_convert_bool(column, *json == 't', is_strict);
		case 'n':
			*is_null = true;
			return intake_convert_null(column);
		default:
			return intake_convert_json_number(column, json, len, is_strict);
	}
}

/* ---------- arrays ---------- */

static void
report_shape(void)
{
	ereport(ERROR,
			(errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
			 errmsg("multidimensional arrays must have sub-arrays with "
					"matching dimensions")));
}

/* Elements stand at one depth, which the first of them fixes. */
static void
check_element_depth(ArrayReader *reader, int depth)
{
	if (reader->ndims == 0 && reader->deepest == depth)
		reader->ndims = depth + 1;
	else if (reader->ndims != depth + 1)
		report_shape();
}

static void
begin_dimension(ArrayReader *reader, int depth)
{
	check_stack_depth();
	if (depth >= MAXDIM)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("number of array dimensions exceeds the maximum "
						"allowed (%d)", MAXDIM)));
	if (reader->ndims != 0 && depth >= reader->ndims)
		report_shape();
	reader->deepest = Max(reader->deepest, depth);
}

static void
end_dimension(ArrayReader *reader, int depth, int count)
{
	if (reader->dims[depth] < 0)
		reader->dims[depth] = count;
	else if (reader->dims[depth] != count)
		report_shape();
}

static void
make_room(ArrayReader *reader)
{
	if (reader->nvalues < reader->size)
		return;
	if (reader->size >= MaxArraySize / 2)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("array has too many elements")));
	reader->size *= 2;
	reader->values = repalloc(reader->values, sizeof(Datum) * reader->size);
	reader->nulls = repalloc(reader->nulls, sizeof(bool) * reader->size);
}

static void
read_element(ArrayReader *reader, int depth)
{
	check_element_depth(reader, depth);
	if (!intake_scan_json_skip(&reader->scan, INTAKE_JSON_MAX_DEPTH))
		report_json(&reader->scan);
	make_room(reader);
	reader->values[reader->nvalues] =
		convert_json(reader->element, reader->scan.start, reader->scan.len,
					 reader->is_strict, &reader->nulls[reader->nvalues]);
	reader->nvalues++;
}

/* Reads one array, behind its bracket. */
static void
read_dimension(ArrayReader *reader, int depth)
{
	int			count = 0;

	begin_dimension(reader, depth);
	if (intake_scan_json_take(&reader->scan, ']'))
	{
		end_dimension(reader, depth, 0);
		return;
	}

	do
	{
		CHECK_FOR_INTERRUPTS();
		if (!reader->takes_arrays &&
			intake_scan_json_take(&reader->scan, '['))
			read_dimension(reader, depth + 1);
		else
			read_element(reader, depth);
		count++;
	} while (intake_scan_json_take(&reader->scan, ','));

	if (!intake_scan_json_take(&reader->scan, ']'))
		report_json(&reader->scan);
	end_dimension(reader, depth, count);
}

static Datum
make_array(ArrayReader *reader)
{
	Oid			type = reader->element->type;
	int			lower_bounds[MAXDIM];
	int16		typlen;
	bool		typbyval;
	char		typalign;
	int			i;

	if (reader->nvalues == 0)
		return PointerGetDatum(construct_empty_array(type));

	for (i = 0; i < reader->ndims; i++)
		lower_bounds[i] = 1;
	get_typlenbyvalalign(type, &typlen, &typbyval, &typalign);
	return PointerGetDatum(construct_md_array(reader->values, reader->nulls,
											  reader->ndims, reader->dims,
											  lower_bounds, type, typlen,
											  typbyval, typalign));
}

/*
 * Arrays of json, jsonb and point have one dimension: what is an array inside
 * is an element.
 */
static Datum
convert_nested_array(IntakeColumn *column, const char *json, size_t len,
					 bool is_strict)
{
	ArrayReader reader = {0};
	Datum		result;
	int			i;

	reader.element = column->element;
	reader.is_strict = is_strict;
	reader.takes_arrays = intake_convert_is_json(column->element) ||
		column->element->conversion == INTAKE_CONVERT_POINT ||
		column->element->conversion == INTAKE_CONVERT_ARRAY;
	for (i = 0; i < MAXDIM; i++)
		reader.dims[i] = -1;
	reader.size = 64;
	reader.values = palloc(sizeof(Datum) * reader.size);
	reader.nulls = palloc(sizeof(bool) * reader.size);

	intake_scan_json_begin(&reader.scan, json, len);
	if (!intake_scan_json_take(&reader.scan, '['))
		intake_convert_report_mismatch(column, "a JSON object");
	read_dimension(&reader, 0);
	result = make_array(&reader);

	pfree(reader.values);
	pfree(reader.nulls);
	return result;
}

/* ---------- composites ---------- */

/* Reads a member's name and the colon; the number of the member. */
static int
read_member_name(const IntakeColumnSet *members, IntakeScanJson *scan)
{
	const char *name;
	ptrdiff_t	len;
	int			member;

	if (intake_scan_json_next(scan) != INTAKE_JSON_STRING)
		report_json(scan);
	name = scan->start;
	len = scan->len;
	if (scan->has_escapes)
	{
		char	   *plain = palloc(scan->len);

		len = intake_scan_json_unescape(scan->start, scan->len, plain);
		if (len < 0)
			report_json(scan);
		name = plain;
	}

	member = intake_columns_find(members, name, len);
	if (member < 0)
		intake_columns_report_unknown(members, name, len);
	if (!intake_scan_json_take(scan, ':'))
		report_json(scan);
	return member;
}

/* Reads the members that an object gives, behind its brace. */
static void
read_members(IntakeColumnSet *members, IntakeScanJson *scan, bool is_strict,
			 Datum *values, bool *nulls, bool *is_given)
{
	if (intake_scan_json_take(scan, '}'))
		return;
	do
	{
		int			member = read_member_name(members, scan);
		int			i = members->columns[member].attnum - 1;

		if (is_given[i])
			intake_columns_report_repeated(members, member);
		is_given[i] = true;
		if (!intake_scan_json_skip(scan, INTAKE_JSON_MAX_DEPTH))
			report_json(scan);
		values[i] = convert_json(&members->columns[member], scan->start,
								 scan->len, is_strict, &nulls[i]);
	} while (intake_scan_json_take(scan, ','));

	if (!intake_scan_json_take(scan, '}'))
		report_json(scan);
}

static Datum
convert_nested_composite(IntakeColumn *column, const char *json, size_t len,
						 bool is_strict)
{
	IntakeColumnSet *members = column->members;
	TupleDesc	desc;
	IntakeScanJson scan;
	Datum	   *values;
	bool	   *nulls;
	bool	   *is_given;
	HeapTuple	tuple;
	int			i;

	check_stack_depth();
	intake_scan_json_begin(&scan, json, len);
	if (!intake_scan_json_take(&scan, '{'))
		intake_convert_report_mismatch(column, "a JSON array");

	desc = lookup_rowtype_tupdesc(column->base_type, column->base_typmod);
	values = palloc0(sizeof(Datum) * Max(desc->natts, 1));
	nulls = palloc(sizeof(bool) * Max(desc->natts, 1));
	is_given = palloc0(sizeof(bool) * Max(desc->natts, 1));
	memset(nulls, true, desc->natts);

	read_members(members, &scan, is_strict, values, nulls, is_given);
	for (i = 0; i < members->ncolumns; i++)
		if (!is_given[members->columns[i].attnum - 1])
			intake_convert_null(&members->columns[i]);

	tuple = heap_form_tuple(desc, values, nulls);
	ReleaseTupleDesc(desc);
	pfree(values);
	pfree(nulls);
	pfree(is_given);
	return HeapTupleGetDatum(tuple);
}

/* ---------- points ---------- */

/* [lat,lon], checked here for all it has to be */
Datum
intake_convert_json_point_datum(IntakeColumn *column, const char *json,
								size_t len)
{
	Point	   *point = intake_convert_alloc(sizeof(Point));
	IntakeScanJson scan;
	float8		ordinates[2];
	int			i;

	intake_scan_json_begin(&scan, json, len);
	for (i = 0; i < 2; i++)
	{
		if (!intake_scan_json_take(&scan, i == 0 ? '[' : ',') ||
			intake_scan_json_next(&scan) != INTAKE_JSON_NUMBER)
			intake_convert_report_syntax(column, json, len,
										 "A point has two numbers.");
		ordinates[i] = intake_convert_parse_float8(scan.start, scan.len);
	}
	if (!intake_scan_json_take(&scan, ']') ||
		intake_scan_json_next(&scan) != INTAKE_JSON_END)
		intake_convert_report_syntax(column, json, len,
									 "A point has two numbers.");

	point->x = ordinates[0];
	point->y = ordinates[1];
	return PointPGetDatum(point);
}

/* ---------- any nested value ---------- */

static Datum
convert_nested(IntakeColumn *column, const char *json, size_t len,
			   bool is_strict)
{
	bool		is_array = *json == '[';

	switch (column->conversion)
	{
		case INTAKE_CONVERT_JSON:
			return intake_convert_make_text(json, len);
		case INTAKE_CONVERT_JSONB:
			return intake_convert_jsonb_datum(column, json, len);
		case INTAKE_CONVERT_ARRAY:
			return convert_nested_array(column, json, len, is_strict);
		case INTAKE_CONVERT_COMPOSITE:
			return convert_nested_composite(column, json, len, is_strict);
		case INTAKE_CONVERT_POINT:
			if (is_array)
				return intake_convert_json_point_datum(column, json, len);
			break;
		default:
			break;
	}
	intake_convert_report_mismatch(column, is_array ? "a JSON array"
								   : "a JSON object");
}

Datum
intake_convert_json_nested(IntakeColumn *column, const char *json, size_t len,
						   bool is_strict)
{
	return intake_convert_finish(column, convert_nested(column, json, len,
														is_strict));
}
