/*-------------------------------------------------------------------------
 *
 * stub_server.h
 *	  As much of a PostgreSQL server as the decoders need, for fuzzers.
 *
 * Memory is malloc'd chunk by chunk, so that the sanitizers see what is done
 * to it; an error unwinds to stub_run().  The stub is stricter than a server:
 * an error without an SQLSTATE or with a text that is not UTF-8, a request of
 * a gigabyte, and more memory than bounded decoders take abort.
 *
 *-------------------------------------------------------------------------
 */
#ifndef INTAKE_STUB_SERVER_H
#define INTAKE_STUB_SERVER_H

#include "postgres.h"

#include "columns.h"
#include "format/format.h"

/* Live bytes that no input of a fuzzer's size may cost. */
#define STUB_MAX_MEMORY ((size_t) 128 * 1024 * 1024)

/* Called when an error is raised, before anything is freed; or NULL. */
extern void (*stub_error_hook) (void);

/*
 * Runs work(arg) in a new memory context, which is gone afterwards.  Returns
 * the SQLSTATE that it ended with, 0 for none.
 */
extern int	stub_run(void (*work) (void *arg), void *arg);

/*
 * Runs work(arg) inside a stub_run(), in the current memory context, which
 * stays as it is left.  Returns the SQLSTATE that it ended with, 0 for none.
 */
extern int	stub_try(void (*work) (void *arg), void *arg);

/* A context below none, and its end; both run callbacks as a server does. */
extern MemoryContext stub_make_context(void);
extern void stub_reset_context(MemoryContext context);
extern void stub_delete_context(MemoryContext context);

/* What decoding a payload came to. */
typedef struct StubOutcome
{
	int			sqlstate;		/* 0: no error */
	uint64		nrecords;		/* decoded without one */
	uint64		nbad;			/* passed over */
	uint64		line;			/* of the position at the end */
	uint64		hash;			/* of all that the rows got */
} StubOutcome;

/*
 * Decodes a payload to its end, or to the first error behind which it cannot
 * go on.  Random is 0 for a source
 * that has the whole payload at hand, else one that brings it in pieces,
 * each time at another place.  is_fast lets the decoder use convert_fast.h.
 */
extern StubOutcome stub_decode(const IntakeFormatRoutine *format,
							   const IntakeOptions *options,
							   const char *payload, size_t len,
							   uint32_t random, bool is_fast);

/* Decodes whole and in pieces; both must come to the same. */
extern void stub_check_decode(const IntakeFormatRoutine *format,
							  const IntakeOptions *options,
							  const char *payload, size_t len,
							  uint32_t random);

#endif							/* INTAKE_STUB_SERVER_H */
