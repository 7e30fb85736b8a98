/*-------------------------------------------------------------------------
 *
 * convert_arena.h
 *	  Memory for values by reference: cheaper than palloc(), never freed.
 *
 * Values are cut one behind the other from blocks of the current memory
 * context, and go when that is reset.  What is returned is no chunk of its
 * own: pfree(), repalloc() and GetMemoryChunkContext() must never see it.
 * So it is for the values of rows only, which nobody frees one by one.
 *
 *-------------------------------------------------------------------------
 */
#ifndef INTAKE_CONVERT_ARENA_H
#define INTAKE_CONVERT_ARENA_H

#include "compat.h"

typedef struct IntakeArena
{
	MemoryContext context;		/* that the block is in; NULL: no block */
	char	   *next;			/* free bytes of the block */
	char	   *limit;
} IntakeArena;

extern IntakeArena intake_convert_arena;

/* The part of intake_convert_alloc() for when the block does not suffice. */
extern void *intake_convert_alloc_slow(size_t size);

/* size bytes, at most aligned, in the current memory context. */
static inline void *
intake_convert_alloc(size_t size)
{
	IntakeArena *arena = &intake_convert_arena;
	size_t		aligned = MAXALIGN(size);
	char	   *result = arena->next;

	if (unlikely(arena->context != CurrentMemoryContext ||
				 aligned > (size_t) (arena->limit - result)))
		return intake_convert_alloc_slow(size);
	arena->next = result + aligned;
	return result;
}

/* A text (or bytea) of these bytes, which are in the server's encoding. */
static inline Datum
intake_convert_make_varlena(const char *bytes, size_t len)
{
	struct varlena *result = intake_convert_alloc(VARHDRSZ + len);

	SET_VARSIZE(result, VARHDRSZ + len);
	memcpy(VARDATA(result), bytes, len);
	return PointerGetDatum(result);
}

#endif							/* INTAKE_CONVERT_ARENA_H */
