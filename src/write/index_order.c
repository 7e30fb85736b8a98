/*-------------------------------------------------------------------------
 *
 * index_order.c
 *	  An order of rows that is close to the order of an index.
 *
 * The first columns of the index give one or two words each: integers and
 * times themselves, the leading bits of floats, the bytes of texts and UUIDs
 * behind what all of the rows have in common, the server's abbreviated keys
 * for other types that have them.  Rows are sorted by the last word first;
 * each sort is a radix sort, which skips the bytes that are the same in all.
 *
 * Keys that the index takes for equal get equal words, so that they go in in
 * the order of their rows: of two that a unique index cannot hold, the second
 * is the one at fault.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "access/stratnum.h"
#include "access/transam.h"
#include "catalog/pg_index.h"
#include "catalog/pg_type.h"
#include "port/pg_bswap.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/sortsupport.h"
#include "utils/uuid.h"

#include "compat.h"
#include "write/index_order.h"

/* Columns that are looked at; the others hardly matter for pages. */
#define MAX_COLUMNS 3

#define SIGN_BIT (UINT64CONST(1) << 63)

typedef enum PlaceKind
{
	PLACE_SIGNED,
	PLACE_UNSIGNED,
	PLACE_FLOAT4,
	PLACE_FLOAT8,
	PLACE_UUID,
	PLACE_BYTES,				/* of a varlena */
	PLACE_PADDED,				/* the same, without trailing blanks */
	PLACE_ABBREVIATED,
	PLACE_UNKNOWN
} PlaceKind;

typedef struct PlaceColumn
{
	PlaceKind	kind;
	int			length;			/* of a value by value, in bytes */
	uint64		null_place;
	uint64		flips;			/* what a descending order inverts */
	SortSupport sort;			/* of PLACE_ABBREVIATED */
} PlaceColumn;

struct IntakeIndexOrder
{
	int			ncolumns;
	PlaceColumn columns[MAX_COLUMNS];
};

/* A row's number and the word that it is sorted by. */
typedef struct Place
{
	uint64		word;
	uint32		row;
} Place;

/* The kinds of types whose values say where they are. */
static PlaceKind
kind_of_type(Oid type)
{
	switch (getBaseType(type))
	{
		case INT2OID:
		case INT4OID:
		case INT8OID:
		case DATEOID:
		case TIMEOID:
		case TIMESTAMPOID:
		case TIMESTAMPTZOID:
		case CASHOID:
			return PLACE_SIGNED;
		case OIDOID:
		case BOOLOID:
			return PLACE_UNSIGNED;
		case FLOAT4OID:
			return PLACE_FLOAT4;
		case FLOAT8OID:
			return PLACE_FLOAT8;
		case UUIDOID:
			return PLACE_UUID;
		case TEXTOID:
		case VARCHAROID:
		case BYTEAOID:
			return PLACE_BYTES;
		case BPCHAROID:
			return PLACE_PADDED;
		default:
			return PLACE_UNKNOWN;
	}
}

/*
 * The kind of a column of the index.  What an extension's operator class or a
 * collation takes for equal may be different bytes.
 */
static PlaceKind
kind_of_column(Relation index, int i)
{
	Oid			collation = index->rd_indcollation[i];

	if (index->rd_opfamily[i] >= FirstNormalObjectId)
		return PLACE_UNKNOWN;
	if (OidIsValid(collation) && !get_collation_isdeterministic(collation))
		return PLACE_UNKNOWN;
	return kind_of_type(TupleDescAttr(RelationGetDescr(index), i)->atttypid);
}

/* Asks the type's operator class for abbreviated keys; false without. */
static bool
find_abbreviation(PlaceColumn *column, Relation index, int i)
{
	SortSupport sort = palloc0(sizeof(SortSupportData));

	sort->ssup_cxt = CurrentMemoryContext;
	sort->ssup_collation = index->rd_indcollation[i];
	sort->ssup_attno = i + 1;
	sort->abbreviate = true;
	intake_prepare_index_sort(index, sort);
	column->sort = sort;
	return sort->abbrev_converter != NULL;
}

/* Numeric's abbreviated keys descend, and are signed. */
static uint64
abbreviation_flips(Relation index, int i)
{
	Oid			type = TupleDescAttr(RelationGetDescr(index), i)->atttypid;

	return getBaseType(type) == NUMERICOID ? ~SIGN_BIT : 0;
}

static bool
add_column(IntakeIndexOrder *order, Relation index, int i)
{
	Form_pg_attribute attribute = TupleDescAttr(RelationGetDescr(index), i);
	PlaceColumn *column = &order->columns[order->ncolumns];
	int			option = index->rd_indoption[i];

	column->kind = kind_of_column(index, i);
	column->length = attribute->attlen;
	if (option & INDOPTION_DESC)
		column->flips = PG_UINT64_MAX;
	if ((option & INDOPTION_NULLS_FIRST) == 0)
		column->null_place = PG_UINT64_MAX;
	if (column->kind == PLACE_UNKNOWN)
	{
		if (!find_abbreviation(column, index, i))
			return false;
		column->kind = PLACE_ABBREVIATED;
		column->flips ^= abbreviation_flips(index, i);
	}
	order->ncolumns++;
	return true;
}

IntakeIndexOrder *
intake_index_order_make(Relation index)
{
	IntakeIndexOrder *order = palloc0(sizeof(IntakeIndexOrder));
	int			nkeys = IndexRelationGetNumberOfKeyAttributes(index);
	int			i;

	for (i = 0; i < Min(nkeys, MAX_COLUMNS); i++)
	{
		if (!add_column(order, index, i))
			break;
	}
	return order->ncolumns > 0 ? order : NULL;
}

/*
 * The bytes of a value that has any; none for one that is compressed or
 * stored elsewhere.
 */
static const char *
bytes_of(const PlaceColumn *column, Datum value, int *length)
{
	struct varlena *varlena = (struct varlena *) DatumGetPointer(value);

	if (column->kind == PLACE_UUID)
	{
		*length = UUID_LEN;
		return (const char *) DatumGetUUIDP(value)->data;
	}
	*length = 0;
	if (VARATT_IS_EXTERNAL(varlena) || VARATT_IS_COMPRESSED(varlena))
		return NULL;
	*length = VARSIZE_ANY_EXHDR(varlena);
	if (column->kind == PLACE_PADDED)
		*length = bpchartruelen(VARDATA_ANY(varlena), *length);
	return VARDATA_ANY(varlena);
}

/* Up to eight bytes from an offset on, the first one on top. */
static uint64
word_of_bytes(const char *bytes, int length, int offset)
{
	uint64		word = 0;

	if (offset < length)
		memcpy(&word, bytes + offset, Min(length - offset, sizeof(word)));
	return pg_ntoh64(word);
}

/* A float's bits, as a number that ascends with it; 0 is -0, a NaN any NaN. */
static uint64
word_of_float(float8 number)
{
	union
	{
		float8		number;
		uint64		bits;
	}			pun;

	if (isnan(number))
		return PG_UINT64_MAX;
	pun.number = number == 0 ? 0 : number;
	return (pun.bits & SIGN_BIT) ? ~pun.bits : pun.bits | SIGN_BIT;
}

static uint64
word_of_integer(Datum value, int length)
{
	switch (length)
	{
		case 2:
			return (uint64) (int64) DatumGetInt16(value) ^ SIGN_BIT;
		case 4:
			return (uint64) (int64) DatumGetInt32(value) ^ SIGN_BIT;
		default:
			return (uint64) DatumGetInt64(value) ^ SIGN_BIT;
	}
}

/* The value's word; of bytes, those from the offset on. */
static uint64
word_of(const PlaceColumn *column, Datum value, int offset)
{
	const char *bytes;
	int			length;

	switch (column->kind)
	{
		case PLACE_SIGNED:
			return word_of_integer(value, column->length);
		case PLACE_UNSIGNED:
			return (uint64) DatumGetUInt32(value);
		case PLACE_FLOAT4:
			return word_of_float(DatumGetFloat4(value));
		case PLACE_FLOAT8:
			return word_of_float(DatumGetFloat8(value));
		case PLACE_ABBREVIATED:
			return (uint64) column->sort->abbrev_converter(value,
														   column->sort);
		default:
			bytes = bytes_of(column, value, &length);
			return word_of_bytes(bytes, length, offset);
	}
}

/* How many bytes all values of the column have in common at their start. */
static int
common_length(const PlaceColumn *column, const Datum *values,
			  const bool *nulls, int natts, int count)
{
	const char *first = NULL;
	int			common = 0;
	int			i;

	for (i = 0; i < count && (first == NULL || common > 0); i++)
	{
		const char *bytes;
		int			length;
		int			n;

		if (nulls[(size_t) i * natts])
			continue;
		bytes = bytes_of(column, values[(size_t) i * natts], &length);
		if (first == NULL)
		{
			first = bytes;
			common = length;
		}
		common = Min(common, length);
		for (n = 0; n < common && bytes[n] == first[n];)
			n++;
		common = n;
	}
	return common;
}

/* Sorts by one byte, keeping the order of equal ones. */
static void
sort_by_byte(const Place *from, Place *to, int count, int shift,
			 const uint32 *frequencies)
{
	uint32		starts[256];
	uint32		start = 0;
	int			i;

	for (i = 0; i < 256; i++)
	{
		starts[i] = start;
		start += frequencies[i];
	}
	for (i = 0; i < count; i++)
		to[starts[(from[i].word >> shift) & 0xFF]++] = from[i];
}

static bool
is_sorted(const Place *places, int count)
{
	int			i;

	for (i = 1; i < count; i++)
	{
		if (places[i - 1].word > places[i].word)
			return false;
	}
	return true;
}

/* Sorts by the words; returns which of the two arrays holds the result. */
static Place *
sort_by_word(Place *places, Place *spare, int count)
{
	uint32		frequencies[8][256] = {{0}};
	int			byte;
	int			i;

	if (is_sorted(places, count))
		return places;
	for (i = 0; i < count; i++)
	{
		for (byte = 0; byte < 8; byte++)
			frequencies[byte][(places[i].word >> (8 * byte)) & 0xFF]++;
	}
	for (byte = 0; byte < 8; byte++)
	{
		int			first = (places[0].word >> (8 * byte)) & 0xFF;
		Place	   *sorted = spare;

		if (frequencies[byte][first] == (uint32) count)
			continue;
		sort_by_byte(places, spare, count, 8 * byte, frequencies[byte]);
		spare = places;
		places = sorted;
	}
	return places;
}

/* Gives each place the column's word of its row. */
static void
set_words(const PlaceColumn *column, Place *places, const Datum *values,
		  const bool *nulls, int natts, int count, int offset)
{
	int			i;

	for (i = 0; i < count; i++)
	{
		size_t		at = (size_t) places[i].row * natts;

		places[i].word = column->null_place;
		if (!nulls[at])
			places[i].word = word_of(column, values[at], offset) ^
				column->flips;
	}
}

uint32 *
intake_index_order_sort(const IntakeIndexOrder *order, const Datum *values,
						const bool *nulls, int natts, int count)
{
	Place	   *arrays = palloc(2 * count * sizeof(Place));
	Place	   *places = arrays;
	uint32	   *rows = palloc(count * sizeof(uint32));
	int			column;
	int			i;

	for (i = 0; i < count; i++)
		places[i].row = i;
	for (column = order->ncolumns - 1; column >= 0; column--)
	{
		const PlaceColumn *it = &order->columns[column];
		bool		is_bytes = it->kind == PLACE_BYTES ||
			it->kind == PLACE_PADDED || it->kind == PLACE_UUID;
		int			offset = 0;
		int			word;

		if (is_bytes)
			offset = common_length(it, values + column, nulls + column,
								   natts, count);
		for (word = is_bytes ? 1 : 0; word >= 0; word--)
		{
			Place	   *spare = places == arrays ? arrays + count : arrays;

			set_words(it, places, values + column, nulls + column, natts,
					  count, offset + 8 * word);
			places = sort_by_word(places, spare, count);
		}
	}
	for (i = 0; i < count; i++)
		rows[i] = places[i].row;
	pfree(arrays);
	return rows;
}
