/*-------------------------------------------------------------------------
 *
 * convert_text.c
 *	  From texts to Datums: those of character types, and the choice of the
 *	  way for all others.
 *
 * A way that is quicker than the type's input function takes the usual forms
 * and leaves all else, bad or not, to that function.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "mb/pg_wchar.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/geo_decls.h"
#include "utils/lsyscache.h"
#include "utils/uuid.h"

#include "convert.h"
#include "convert_fast.h"
#include "convert_internal.h"
#include "format/scan_json.h"
#include "format/scan_utf8.h"
#include "hex_digit.h"

/* The length of a UUID as text, in the canonical form. */
#define UUID_TEXT_LEN 36

/* The labels of an enum that a column remembers. */
#define MAX_LABELS 32

typedef struct EnumLabel
{
	size_t		len;
	Datum		value;
	char		label[NAMEDATALEN];
} EnumLabel;

typedef struct IntakeEnumLabels
{
	int			count;
	EnumLabel	labels[MAX_LABELS];
} IntakeEnumLabels;

static Datum
convert_text_bool(IntakeColumn *column, const char *text, size_t len)
{
	const char *trimmed = text;
	size_t		trimmed_len = len;
	bool		value;

	intake_convert_trim(&trimmed, &trimmed_len);
	if (!parse_bool_with_len(trimmed, trimmed_len, &value))
		intake_convert_report_syntax(column, text, len, NULL);
	return BoolGetDatum(value);
}

Datum
intake_convert_make_text(const char *text, size_t len)
{
	text = intake_convert_recode(text, &len);
	return intake_convert_make_varlena(text, len);
}

/* Reads 8-4-4-4-12; false for every other form. */
static bool
read_canonical_uuid(const char *text, size_t len, uint8 *bytes)
{
	int			i = 0;
	int			filled = 0;

	if (len != UUID_TEXT_LEN)
		return false;
	while (i < UUID_TEXT_LEN)
	{
		int			high;
		int			low;

		if (i == 8 || i == 13 || i == 18 || i == 23)
		{
			if (text[i++] != '-')
				return false;
			continue;
		}
		high = intake_hex_digit_value(text[i]);
		low = intake_hex_digit_value(text[i + 1]);
		if (high < 0 || low < 0)
			return false;
		bytes[filled++] = (uint8) (high << 4 | low);
		i += 2;
	}
	return true;
}

static Datum
convert_text_uuid(IntakeColumn *column, const char *text, size_t len)
{
	pg_uuid_t	uuid;
	pg_uuid_t  *result;

	if (!read_canonical_uuid(text, len, uuid.data))
		return intake_convert_input_datum(column, text, len);
	result = intake_convert_alloc(sizeof(pg_uuid_t));
	*result = uuid;
	return UUIDPGetDatum(result);
}

/*
 * varchar(n) and char(n) of a text that is not too long for sure: characters
 * are not more than bytes.  char(n) is padded, which takes ASCII.
 */
static Datum
convert_text_character(IntakeColumn *column, const char *text, size_t len)
{
	size_t		size = (size_t) (column->base_typmod - VARHDRSZ);
	struct varlena *result;

	if (column->base_typmod < (int32) VARHDRSZ || len > size ||
		intake_convert_needs_encoding())
		return intake_convert_input_datum(column, text, len);
	if (column->base_type == VARCHAROID)
		return intake_convert_make_varlena(text, len);
	if (!intake_scan_utf8_is_ascii_text(text, len))
		return intake_convert_input_datum(column, text, len);

	result = intake_convert_alloc(VARHDRSZ + size);
	SET_VARSIZE(result, VARHDRSZ + size);
	memcpy(VARDATA(result), text, len);
	memset(VARDATA(result) + len, ' ', size - len);
	return PointerGetDatum(result);
}

/* \x0123: the hexadecimal form without blanks. */
static Datum
convert_text_bytea(IntakeColumn *column, const char *text, size_t len)
{
	struct varlena *result;
	unsigned char *bytes;
	size_t		size;
	size_t		i;

	if (len < 2 || text[0] != '\\' || text[1] != 'x' || len % 2 != 0)
		return intake_convert_input_datum(column, text, len);

	size = (len - 2) / 2;
	result = intake_convert_alloc(VARHDRSZ + size);
	SET_VARSIZE(result, VARHDRSZ + size);
	bytes = (unsigned char *) VARDATA(result);
	for (i = 0; i < size; i++)
	{
		int			high = intake_hex_digit_value(text[2 + 2 * i]);
		int			low = intake_hex_digit_value(text[3 + 2 * i]);

		if (high < 0 || low < 0)
			return intake_convert_input_datum(column, text, len);
		bytes[i] = (unsigned char) (high << 4 | low);
	}
	return PointerGetDatum(result);
}

/*
 * The grammar of json is that of RFC 8259; what our scanner refuses besides,
 * as \u0000, is not for it to judge.
 */
static Datum
convert_text_json(IntakeColumn *column, const char *text, size_t len)
{
	IntakeScanJson scan;

	intake_scan_json_begin(&scan, text, len);
	if (!intake_scan_json_skip(&scan, INTAKE_JSON_MAX_DEPTH / 10) ||
		intake_scan_json_next(&scan) != INTAKE_JSON_END)
		return intake_convert_input_datum(column, text, len);
	return intake_convert_make_text(text, len);
}

/* An enum's labels are looked up once, as many as there is room for. */
static Datum
convert_text_enum(IntakeColumn *column, const char *text, size_t len)
{
	IntakeEnumLabels *labels = column->labels;
	EnumLabel  *label;
	Datum		value;
	int			i;

	for (i = 0; labels != NULL && i < labels->count; i++)
	{
		label = &labels->labels[i];
		if (label->len == len && memcmp(label->label, text, len) == 0)
			return label->value;
	}

	value = intake_convert_input_datum(column, text, len);
	if (labels == NULL)
		labels = column->labels =
			MemoryContextAllocZero(column->context, sizeof(IntakeEnumLabels));
	if (labels->count < MAX_LABELS && len < NAMEDATALEN)
	{
		label = &labels->labels[labels->count++];
		label->len = len;
		label->value = value;
		memcpy(label->label, text, len);
	}
	return value;
}

/* Moves *p over blanks. */
static void
skip_blanks(const char **p, const char *limit)
{
	while (*p < limit && intake_convert_is_blank(**p))
		(*p)++;
}

/* A number with blanks around it; false for what is not a plain decimal. */
static bool
read_ordinate(const char **p, const char *limit, float8 *result)
{
	IntakeDecimal decimal;

	skip_blanks(p, limit);
	if (!intake_scan_decimal(p, limit, &decimal) ||
		!intake_scan_float8(&decimal, result))
		return false;
	skip_blanks(p, limit);
	return true;
}

/* (x,y); false for all else, bad or not. */
static bool
read_usual_point(const char *p, size_t len, Point *point)
{
	const char *limit = p + len;

	return len > 1 && *p++ == '(' && *--limit == ')' &&
		read_ordinate(&p, limit, &point->x) && p < limit && *p++ == ',' &&
		read_ordinate(&p, limit, &point->y) && p == limit;
}

/* [lat,lon] as DataLens writes it, besides PostgreSQL's own forms. */
static Datum
convert_text_point(IntakeColumn *column, const char *text, size_t len)
{
	const char *trimmed = text;
	size_t		trimmed_len = len;
	Point		point;
	Point	   *result;

	if (read_usual_point(text, len, &point))
	{
		result = intake_convert_alloc(sizeof(Point));
		*result = point;
		return PointPGetDatum(result);
	}
	intake_convert_trim(&trimmed, &trimmed_len);
	if (trimmed_len > 0 && trimmed[0] == '[')
		return intake_convert_json_point_datum(column, trimmed, trimmed_len);
	return intake_convert_input_datum(column, text, len);
}

static bool
is_array_of_times(const IntakeColumn *column)
{
	switch (column->element->conversion)
	{
		case INTAKE_CONVERT_DATE:
		case INTAKE_CONVERT_TIME:
		case INTAKE_CONVERT_TIMESTAMP:
		case INTAKE_CONVERT_TIMESTAMPTZ:
			return true;
		default:
			return false;
	}
}

/*
 * '{2020-01-01,NULL}' as an array of dates or times: PostgreSQL reads it as
 * texts, each of which is then read by our rules.
 */
static Datum
convert_text_times(IntakeColumn *column, const char *letters, size_t len)
{
	IntakeColumn *element = column->element;
	ArrayType  *texts;
	Datum	   *values;
	bool	   *nulls;
	int			n;
	int			i;
	int16		typlen;
	bool		typbyval;
	char		typalign;

	texts = DatumGetArrayTypeP(OidInputFunctionCall(F_ARRAY_IN,
													pnstrdup(letters, len),
													TEXTOID, -1));
	deconstruct_array(texts, TEXTOID, -1, false, TYPALIGN_INT,
					  &values, &nulls, &n);
	for (i = 0; i < n; i++)
	{
		text	   *value;

		if (nulls[i])
		{
			values[i] = intake_convert_null(element);
			continue;
		}
		value = DatumGetTextPP(values[i]);
		values[i] = intake_convert_text(element, VARDATA_ANY(value),
										VARSIZE_ANY_EXHDR(value));
	}
	get_typlenbyvalalign(element->type, &typlen, &typbyval, &typalign);
	return PointerGetDatum(construct_md_array(values, nulls, ARR_NDIM(texts),
											  ARR_DIMS(texts),
											  ARR_LBOUND(texts),
											  element->type, typlen, typbyval,
											  typalign));
}

Datum
intake_convert_text_datum(IntakeColumn *column, const char *text, size_t len)
{
	Datum		value;

	switch (column->conversion)
	{
		case INTAKE_CONVERT_BOOL:
			return convert_text_bool(column, text, len);
		case INTAKE_CONVERT_INT2:
		case INTAKE_CONVERT_INT4:
		case INTAKE_CONVERT_INT8:
			return intake_convert_integer_datum(column, text, len);
		case INTAKE_CONVERT_FLOAT4:
		case INTAKE_CONVERT_FLOAT8:
			return intake_convert_float_datum(column, text, len);
		case INTAKE_CONVERT_NUMERIC:
			if (intake_convert_fast_numeric(column, text, len, &value))
				return value;
			return intake_convert_input_datum(column, text, len);
		case INTAKE_CONVERT_TEXT:
			return intake_convert_make_text(text, len);
		case INTAKE_CONVERT_CHARACTER:
			return convert_text_character(column, text, len);
		case INTAKE_CONVERT_BYTEA:
			return convert_text_bytea(column, text, len);
		case INTAKE_CONVERT_JSON:
			return convert_text_json(column, text, len);
		case INTAKE_CONVERT_JSONB:
			return intake_convert_jsonb_datum(column, text, len);
		case INTAKE_CONVERT_UUID:
			return convert_text_uuid(column, text, len);
		case INTAKE_CONVERT_DATE:
		case INTAKE_CONVERT_TIME:
		case INTAKE_CONVERT_TIMESTAMP:
		case INTAKE_CONVERT_TIMESTAMPTZ:
			return intake_convert_time_datum(column, text, len);
		case INTAKE_CONVERT_INTERVAL:
			return intake_convert_interval_datum(column, text, len);
		case INTAKE_CONVERT_POINT:
			return convert_text_point(column, text, len);
		case INTAKE_CONVERT_ARRAY:
			if (is_array_of_times(column))
				return convert_text_times(column, text, len);
			return intake_convert_input_datum(column, text, len);
		case INTAKE_CONVERT_INPUT:
			if (column->base_type == TIMETZOID)
				return intake_convert_time_datum(column, text, len);
			if (column->is_enum)
				return convert_text_enum(column, text, len);
			return intake_convert_input_datum(column, text, len);
		default:
			return intake_convert_input_datum(column, text, len);
	}
}

Datum
intake_convert_text(IntakeColumn *column, const char *text, size_t len)
{
	Datum		value;

	if (column->is_fast &&
		intake_convert_fast_text(column, text, len, &value))
		return value;
	value = intake_convert_text_datum(column, text, len);
	return column->is_domain ? intake_convert_finish(column, value) : value;
}

/*
 * An Avro value in a form that is a text: for character columns, and as a
 * string for json and jsonb.
 */
Datum
intake_convert_string_form(IntakeColumn *column, const char *text,
						   const char *what)
{
	if (!column->is_character && column->conversion != INTAKE_CONVERT_JSON &&
		column->conversion != INTAKE_CONVERT_JSONB)
		intake_convert_report_mismatch(column, what);
	return intake_convert_json_string(column, text, strlen(text), false);
}

/* ---------- bytes of Avro ---------- */

/* Bytes as a text, which they must be. */
static Datum
convert_bytes_text(IntakeColumn *column, const char *bytes, size_t len)
{
	if (memchr(bytes, '\0', len) != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_UNTRANSLATABLE_CHARACTER),
				 errmsg("a NUL character cannot be in a text")));
	if (intake_scan_utf8_valid(bytes, len) < len)
		ereport(ERROR,
				(errcode(ERRCODE_CHARACTER_NOT_IN_REPERTOIRE),
				 errmsg("bytes for a text are not UTF-8")));
	return intake_convert_text(column, bytes, len);
}

Datum
intake_convert_bytes(IntakeColumn *column, const uint8 *bytes, size_t len)
{
	Datum		value;

	/* bytes promotes to string */
	if (column->is_character)
		return convert_bytes_text(column, (const char *) bytes, len);
	if (column->conversion != INTAKE_CONVERT_BYTEA)
		intake_convert_report_mismatch(column, "Avro bytes");

	value = intake_convert_make_varlena((const char *) bytes, len);
	return column->is_domain ? intake_convert_finish(column, value) : value;
}

Datum
intake_convert_uuid(IntakeColumn *column, const uint8 bytes[16])
{
	pg_uuid_t  *uuid = palloc(sizeof(pg_uuid_t));
	char	   *text;
	Datum		value;

	memcpy(uuid->data, bytes, UUID_LEN);
	if (column->conversion == INTAKE_CONVERT_UUID)
		return intake_convert_finish(column, UUIDPGetDatum(uuid));

	text = DatumGetCString(DirectFunctionCall1(uuid_out, UUIDPGetDatum(uuid)));
	value = intake_convert_string_form(column, text, "an Avro uuid");
	pfree(text);
	pfree(uuid);
	return value;
}
