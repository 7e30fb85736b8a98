/*-------------------------------------------------------------------------
 *
 * convert_arena.c
 *	  Memory for values by reference.
 *
 * There is one block at a time, of the memory context that asked last; a
 * callback of that context forgets the block when it goes.  A context which
 * asks again after another one did gets a new block and loses the rest of
 * its old one: that is the case of an upload in another one's conversion,
 * by a trigger or a domain's function, and not worth a list of blocks.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "utils/memutils.h"
#include "utils/palloc.h"

#include "convert_arena.h"

/* Blocks double from the first size to the last in one context. */
#define MIN_BLOCK_SIZE 8192
#define MAX_BLOCK_SIZE (512 * 1024)

/* Larger values are chunks of their own. */
#define MAX_VALUE_SIZE 4096

IntakeArena intake_convert_arena;

/* The context that had the last block, to be compared only, and its size. */
static MemoryContext last_context;
static size_t block_size;

static void
forget_block(void *context)
{
	if (intake_convert_arena.context == (MemoryContext) context)
		memset(&intake_convert_arena, 0, sizeof(intake_convert_arena));
}

/* Gives the arena a new block in the current memory context. */
static void
make_block(void)
{
	IntakeArena *arena = &intake_convert_arena;
	MemoryContext context = CurrentMemoryContext;

	if (context != last_context)
		block_size = MIN_BLOCK_SIZE;
	else if (arena->context == context)
		block_size = Min(block_size * 2, MAX_BLOCK_SIZE);
	last_context = context;

	if (arena->context != context)
	{
		MemoryContextCallback *callback = palloc(sizeof(*callback));

		callback->func = forget_block;
		callback->arg = context;
		MemoryContextRegisterResetCallback(context, callback);
	}

	/* nothing must be left half done if there is no memory */
	memset(arena, 0, sizeof(*arena));
	arena->next = palloc(block_size);
	arena->limit = arena->next + block_size;
	arena->context = context;
}

void *
intake_convert_alloc_slow(size_t size)
{
	char	   *result;

	if (size > MAX_VALUE_SIZE)
		return palloc(size);
	make_block();
	result = intake_convert_arena.next;
	intake_convert_arena.next += MAXALIGN(size);
	return result;
}
