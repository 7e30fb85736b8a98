/*-------------------------------------------------------------------------
 *
 * key_cache.h
 *	  Keys that were seen lately.
 *
 * Payloads repeat their keys; what is recognised here need not be sorted.
 *
 *-------------------------------------------------------------------------
 */
#ifndef INTAKE_KEY_CACHE_H
#define INTAKE_KEY_CACHE_H

#include "access/tupdesc.h"

typedef struct IntakeKeyCache IntakeKeyCache;

/* For keys of this shape, in the current memory context. */
extern IntakeKeyCache *intake_key_cache_make(TupleDesc desc);

/*
 * Whether the key, byte for byte, is among those seen lately; if not, it is
 * from now on.  False may be said of any key.
 */
extern bool intake_key_cache_has(IntakeKeyCache *cache, const Datum *values,
								 const bool *nulls);

#endif							/* INTAKE_KEY_CACHE_H */
