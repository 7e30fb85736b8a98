/*-------------------------------------------------------------------------
 *
 * source_inflate.h
 *	  A source over another one's bytes that inflates gzip and zstd.
 *
 * [read callback] --stored--> (gzip, zstd, or as they are) --> [source.c]
 *
 * Which of them it is, the first bytes say.  A payload may be several gzip
 * members or zstd frames, one behind the other.  Count and digest of the
 * source are those of the inflated payload, so that a compressed payload and
 * a plain one are the same.  Memory does not depend on how long it is: the
 * state of the library, which for zstd is at most a window of 128 MB (what
 * zstd itself takes without --long; its usual levels need 8 MB or less).
 *
 *-------------------------------------------------------------------------
 */
#ifndef INTAKE_SOURCE_INFLATE_H
#define INTAKE_SOURCE_INFLATE_H

#include "source/source.h"

/*
 * Opens what the routine reads; of the source that the routine is given only
 * state is set.  More than max_bytes inflated bytes are an error; 0 is no
 * limit.  Lives in the current memory context.
 */
extern PGDLLEXPORT IntakeSource *
intake_source_open_inflated(const IntakeSourceRoutine *routine, void *inner,
							int encoding, uint64 max_bytes);

/* Whether the payload is compressed; reads its first bytes. */
extern bool intake_source_inflates(IntakeSource *source);

#endif							/* INTAKE_SOURCE_INFLATE_H */
