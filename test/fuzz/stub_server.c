/*-------------------------------------------------------------------------
 *
 * stub_server.c
 *	  Memory, errors, lists and a few functions of a PostgreSQL server.
 *
 * StringInfo, hashes, shortest decimals and the like are PostgreSQL's own,
 * from libpgcommon.  What is here answers as a server would where decoders
 * depend on the answer, and with anything else where they do not.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <setjmp.h>

#include "fmgr.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "nodes/pg_list.h"
#include "utils/builtins.h"
#include "utils/formatting.h"
#include "utils/json.h"
#include "utils/memutils.h"

#include "compat.h"
#include "fuzz.h"
#include "stub_server.h"

/* Stack that may be used before check_stack_depth() says no. */
#define MAX_STACK (3 * 1024 * 1024)

#define MAX_MESSAGE 4096

/* A context is a list of chunks and what to call when it goes. */
typedef struct Chunk
{
	struct Chunk *next;
	struct Chunk *previous;
	struct Context *context;
	size_t		size;
} Chunk;

typedef struct Context
{
	Chunk		chunks;			/* head of a ring */
	MemoryContextCallback *callbacks;
} Context;

MemoryContext CurrentMemoryContext = NULL;
volatile sig_atomic_t InterruptPending = false;

void		(*stub_error_hook) (void) = NULL;

static size_t live_bytes;
static sigjmp_buf unwind;
static const char *stack_base;
static int	last_sqlstate;

/*
 * Memory
 */

MemoryContext
stub_make_context(void)
{
	Context    *context = malloc(sizeof(Context));

	FUZZ_CHECK(context != NULL);
	context->callbacks = NULL;
	context->chunks.next = context->chunks.previous = &context->chunks;
	return (MemoryContext) context;
}

static void
free_chunk(Chunk *chunk)
{
	chunk->next->previous = chunk->previous;
	chunk->previous->next = chunk->next;
	live_bytes -= chunk->size;
	free(chunk);
}

void
stub_reset_context(MemoryContext given)
{
	Context    *context = (Context *) given;

	while (context->callbacks != NULL)
	{
		MemoryContextCallback *callback = context->callbacks;

		context->callbacks = callback->next;
		callback->func(callback->arg);
	}
	while (context->chunks.next != &context->chunks)
		free_chunk(context->chunks.next);
}

void
stub_delete_context(MemoryContext context)
{
	stub_reset_context(context);
	free(context);
}

static void
link_chunk(Chunk *chunk, Context *context, size_t size)
{
	chunk->size = size;
	chunk->context = context;
	chunk->next = context->chunks.next;
	chunk->previous = &context->chunks;
	chunk->next->previous = chunk;
	context->chunks.next = chunk;
	live_bytes += size;
	FUZZ_CHECK(live_bytes <= STUB_MAX_MEMORY);
}

static Chunk *
get_chunk(void *pointer)
{
	FUZZ_CHECK(pointer != NULL);
	return (Chunk *) pointer - 1;
}

/* In a server, too, no decoder may ask for a gigabyte. */
void *
MemoryContextAllocExtended(MemoryContext context, Size size, int flags)
{
	Chunk	   *chunk;

	FUZZ_CHECK(context != NULL);
	FUZZ_CHECK(AllocSizeIsValid(size) && size <= STUB_MAX_MEMORY);
	chunk = malloc(sizeof(Chunk) + size);
	FUZZ_CHECK(chunk != NULL);
	link_chunk(chunk, (Context *) context, size);

	/* whatever is left alone is not zero */
	memset(chunk + 1, (flags & MCXT_ALLOC_ZERO) ? 0 : 0x7F, size);
	return chunk + 1;
}

void *
MemoryContextAlloc(MemoryContext context, Size size)
{
	return MemoryContextAllocExtended(context, size, 0);
}

void *
MemoryContextAllocHuge(MemoryContext context, Size size)
{
	return MemoryContextAllocExtended(context, size, MCXT_ALLOC_HUGE);
}

void *
MemoryContextAllocZero(MemoryContext context, Size size)
{
	return MemoryContextAllocExtended(context, size, MCXT_ALLOC_ZERO);
}

void *
palloc(Size size)
{
	return MemoryContextAlloc(CurrentMemoryContext, size);
}

void *
palloc0(Size size)
{
	return MemoryContextAllocZero(CurrentMemoryContext, size);
}

void *
palloc_extended(Size size, int flags)
{
	return MemoryContextAllocExtended(CurrentMemoryContext, size, flags);
}

void *
repalloc(void *pointer, Size size)
{
	Chunk	   *old = get_chunk(pointer);
	void	   *result;

	result = MemoryContextAlloc((MemoryContext) old->context, size);
	memcpy(result, pointer, Min(old->size, size));
	free_chunk(old);
	return result;
}

void *
repalloc_huge(void *pointer, Size size)
{
	return repalloc(pointer, size);
}

void
pfree(void *pointer)
{
	free_chunk(get_chunk(pointer));
}

char *
pnstrdup(const char *text, Size len)
{
	size_t		copied = strnlen(text, len);
	char	   *result = palloc(copied + 1);

	memcpy(result, text, copied);
	result[copied] = '\0';
	return result;
}

char *
pstrdup(const char *text)
{
	return pnstrdup(text, strlen(text));
}

void
MemoryContextRegisterResetCallback(MemoryContext context,
								   MemoryContextCallback *callback)
{
	callback->next = ((Context *) context)->callbacks;
	((Context *) context)->callbacks = callback;
}

/*
 * Errors
 */

/* Formats a part of a message, which must be something that can be sent. */
static int
check_message(const char *format, va_list arguments)
{
	char		message[MAX_MESSAGE];
	int			len = pg_vsnprintf(message, sizeof(message), format,
								   arguments);

	FUZZ_CHECK(len > 0 && len < MAX_MESSAGE);
	FUZZ_CHECK(fuzz_utf8_valid(message, len) == (size_t) len);
	return 0;
}

#define DEFINE_MESSAGE(name) \
int \
name(const char *format, ...) \
{ \
	va_list		arguments; \
	\
	va_start(arguments, format); \
	(void) check_message(format, arguments); \
	va_end(arguments); \
	return 0; \
}

DEFINE_MESSAGE(errmsg)
DEFINE_MESSAGE(errmsg_internal)
DEFINE_MESSAGE(errdetail)
DEFINE_MESSAGE(errdetail_internal)
DEFINE_MESSAGE(errhint)
DEFINE_MESSAGE(errcontext_msg)

int
errmsg_plural(const char *one, const char *many, unsigned long n, ...)
{
	va_list		arguments;

	va_start(arguments, n);
	(void) check_message(n == 1 ? one : many, arguments);
	va_end(arguments);
	return 0;
}

int
errdetail_plural(const char *one, const char *many, unsigned long n, ...)
{
	va_list		arguments;

	va_start(arguments, n);
	(void) check_message(n == 1 ? one : many, arguments);
	va_end(arguments);
	return 0;
}

bool
errstart(int level, const char *domain)
{
	FUZZ_CHECK(level == ERROR);
	last_sqlstate = 0;
	return true;
}

bool
errstart_cold(int level, const char *domain)
{
	return errstart(level, domain);
}

int
errcode(int sqlstate)
{
	last_sqlstate = sqlstate;
	return 0;
}

void
errfinish(const char *file, int line, const char *function)
{
	FUZZ_CHECK(last_sqlstate != 0 &&
			   last_sqlstate != ERRCODE_INTERNAL_ERROR);
	if (stub_error_hook != NULL)
		stub_error_hook();
	siglongjmp(unwind, 1);
}

int
stub_run(void (*work) (void *arg), void *arg)
{
	MemoryContext context = stub_make_context();
	char		here;

	CurrentMemoryContext = context;
	stack_base = &here;
	last_sqlstate = 0;
	if (sigsetjmp(unwind, 0) == 0)
	{
		work(arg);
		last_sqlstate = 0;
	}
	CurrentMemoryContext = NULL;
	stub_delete_context(context);
	return last_sqlstate;
}

int
stub_try(void (*work) (void *arg), void *arg)
{
	MemoryContext context = CurrentMemoryContext;
	sigjmp_buf	outer;
	int			sqlstate = 0;

	memcpy(&outer, &unwind, sizeof(sigjmp_buf));
	if (sigsetjmp(unwind, 0) == 0)
		work(arg);
	else
		sqlstate = last_sqlstate;
	memcpy(&unwind, &outer, sizeof(sigjmp_buf));
	CurrentMemoryContext = context;
	return sqlstate;
}

bool
stack_is_too_deep(void)
{
	char		here;

	return labs(stack_base - &here) > MAX_STACK;
}

void
check_stack_depth(void)
{
	if (stack_is_too_deep())
		ereport(ERROR,
				(errcode(ERRCODE_STATEMENT_TOO_COMPLEX),
				 errmsg("stack depth limit exceeded")));
}

void
ProcessInterrupts(void)
{
}

void
ExceptionalCondition(INTAKE_ASSERTION_PARAMETERS)
{
	fprintf(stderr, "%s:%d: failed assertion: %s\n", file, line, condition);
	abort();
}

/*
 * Lists
 */

List *
lappend(List *list, void *datum)
{
	if (list == NIL)
	{
		list = palloc0(sizeof(List));
		list->type = T_List;
	}
	if (list->length == list->max_length)
	{
		list->max_length = Max(list->max_length * 2, 4);
		list->elements = list->elements == NULL ?
			palloc(list->max_length * sizeof(ListCell)) :
			repalloc(list->elements, list->max_length * sizeof(ListCell));
	}
	list->elements[list->length++].ptr_value = datum;
	return list;
}

void
list_free(List *list)
{
	if (list == NIL)
		return;
	pfree(list->elements);
	pfree(list);
}

/*
 * Types and encodings
 */

int
pg_lltoa(int64 value, char *digits)
{
	return pg_sprintf(digits, INT64_FORMAT, value);
}

uint64
hex_encode(const char *source, size_t len, char *out)
{
	static const char digits[] = "0123456789abcdef";
	size_t		i;

	for (i = 0; i < len; i++)
	{
		*out++ = digits[(unsigned char) source[i] >> 4];
		*out++ = digits[source[i] & 0x0F];
	}
	return len * 2;
}

/* Only numeric_out() is called so; any number will do. */
Datum
numeric_out(PG_FUNCTION_ARGS)
{
	return CStringGetDatum(pstrdup("-12.50"));
}

Datum
DirectFunctionCall1Coll(PGFunction function, Oid collation, Datum argument)
{
	FUZZ_CHECK(function == numeric_out);
	return numeric_out(NULL);
}

char *
JsonEncodeDateTime(char *buffer, Datum value, Oid type, const int *zone)
{
	strcpy(buffer, "2004-02-29T12:30:15.123456");
	return buffer;
}

char *
str_tolower(const char *text, size_t len, Oid collation)
{
	char	   *result = pnstrdup(text, len);
	size_t		i;

	for (i = 0; i < len; i++)
		result[i] = pg_ascii_tolower((unsigned char) result[i]);
	return result;
}

/* Valid UTF-8 of the server is valid UTF-8. */
char *
pg_server_to_any(const char *text, int len, int encoding)
{
	return unconstify(char *, text);
}

void
report_invalid_encoding(int encoding, const char *text, int len)
{
	FUZZ_CHECK(fuzz_utf8_valid(text, len) < (size_t) len);
	ereport(ERROR,
			(errcode(ERRCODE_CHARACTER_NOT_IN_REPERTOIRE),
			 errmsg("invalid byte sequence")));
}
