/*-------------------------------------------------------------------------
 *
 * keys.h
 *	  Distinct keys, and the deletion of the rows that have them.
 *
 * Serves replace and partition delete.  Keys are sorted in at most
 * pg_intake.stage_memory and then on disk; NULL equals NULL.
 *
 *-------------------------------------------------------------------------
 */
#ifndef INTAKE_KEYS_H
#define INTAKE_KEYS_H

#include "write/write.h"

typedef struct IntakeKeys IntakeKeys;

/* No keys yet, of writer->key, in the current memory context. */
extern IntakeKeys *intake_keys_make(IntakeWriter *writer);

/* Adds a key: one value an item. */
extern void intake_keys_put(IntakeKeys *keys, const Datum *values,
							const bool *nulls);

/* Deletes the rows that have any of the keys; returns how many. */
extern int64 intake_keys_delete_rows(IntakeKeys *keys);

/* Frees memory and files. */
extern void intake_keys_end(IntakeKeys *keys);

#endif							/* INTAKE_KEYS_H */
