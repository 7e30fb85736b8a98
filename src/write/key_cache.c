/*-------------------------------------------------------------------------
 *
 * key_cache.c
 *	  Keys that were seen lately.
 *
 * A table of images of keys, each in the one slot that its hash says; the
 * latest stays.  It is small enough for the processor's own cache.  Keys with
 * long values have no image.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "common/hashfn.h"

#include "write/key_cache.h"

#define SLOTS 16384				/* a power of two */
#define IMAGE_SIZE 31

typedef struct Slot
{
	uint8		length;			/* 0: nothing was here */
	char		image[IMAGE_SIZE];
} Slot;

struct IntakeKeyCache
{
	TupleDesc	desc;
	Slot	   *slots;
};

IntakeKeyCache *
intake_key_cache_make(TupleDesc desc)
{
	IntakeKeyCache *cache = palloc(sizeof(IntakeKeyCache));

	cache->desc = desc;
	cache->slots = palloc0(SLOTS * sizeof(Slot));
	return cache;
}

/* Appends bytes to the image; false when they do not fit. */
static bool
append(Slot *slot, const void *bytes, size_t len)
{
	if (slot->length + len > IMAGE_SIZE)
		return false;
	memcpy(slot->image + slot->length, bytes, len);
	slot->length += len;
	return true;
}

/* Appends a value with its length, so that no two keys have one image. */
static bool
append_value(Slot *slot, Form_pg_attribute attribute, Datum value)
{
	struct varlena *varlena;
	uint8		length;

	if (attribute->attbyval)
		return append(slot, &value, sizeof(Datum));
	if (attribute->attlen > 0)
		return append(slot, DatumGetPointer(value), attribute->attlen);
	if (attribute->attlen != -1)
		return false;
	varlena = (struct varlena *) DatumGetPointer(value);
	if (VARATT_IS_EXTERNAL(varlena) || VARATT_IS_COMPRESSED(varlena) ||
		VARSIZE_ANY_EXHDR(varlena) > IMAGE_SIZE)
		return false;
	length = VARSIZE_ANY_EXHDR(varlena);
	return append(slot, &length, 1) &&
		append(slot, VARDATA_ANY(varlena), length);
}

/* Makes the image of a key; false when it has none. */
static bool
make_image(const IntakeKeyCache *cache, const Datum *values,
		   const bool *nulls, Slot *image)
{
	int			i;

	image->length = 0;
	for (i = 0; i < cache->desc->natts; i++)
	{
		if (!append(image, &nulls[i], 1))
			return false;
		if (!nulls[i] && !append_value(image, TupleDescAttr(cache->desc, i),
									   values[i]))
			return false;
	}
	return true;
}

bool
intake_key_cache_has(IntakeKeyCache *cache, const Datum *values,
					 const bool *nulls)
{
	Slot		image;
	Slot	   *slot;
	uint32		hash;

	if (!make_image(cache, values, nulls, &image))
		return false;
	hash = hash_bytes((const unsigned char *) image.image, image.length);
	slot = &cache->slots[hash & (SLOTS - 1)];
	if (slot->length == image.length &&
		memcmp(slot->image, image.image, image.length) == 0)
		return true;
	*slot = image;
	return false;
}
