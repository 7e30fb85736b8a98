/*-------------------------------------------------------------------------
 *
 * ndjson_key.h
 *	  The keys of object rows, and which columns they name.
 *
 * Object rows of one payload tend to have the same keys in the same order.
 * So for each key it is remembered which one followed it last time, and a
 * key that is the expected one costs one comparison.
 *
 *-------------------------------------------------------------------------
 */
#ifndef INTAKE_NDJSON_KEY_H
#define INTAKE_NDJSON_KEY_H

#include "columns.h"

/* Longer keys are not remembered. */
#define INTAKE_NDJSON_KEY_SIZE 80

/*
 * A key that has been met.  raw is how a payload writes it, in quotes; raw_len
 * is 0 when it may only be written with escapes.
 */
typedef struct IntakeNdjsonKey
{
	int			raw_len;
	int			follower;		/* the key that came behind it, or -1 */
	uint64		head;			/* the first 8 bytes of raw, or fewer */
	uint64		head_mask;		/* those that count */
	char		raw[INTAKE_NDJSON_KEY_SIZE];
} IntakeNdjsonKey;

/* The first ncolumns are the columns', those behind them are ignored. */
typedef struct IntakeNdjsonKeys
{
	IntakeColumnSet *columns;
	IntakeNdjsonKey *keys;
	int			nkeys;
	int			first;			/* of the last object row, or -1 */
} IntakeNdjsonKeys;

/* Makes the keys of the columns, in the current memory context. */
extern void intake_ndjson_keys_make(IntakeNdjsonKeys *keys,
									IntakeColumnSet *columns);

/*
 * The number of a key that is not the expected one: the column's, or one
 * beyond the columns' for a name that is ignored, or -1 for an ignored one
 * that is not remembered.  Without is_ignoring, an error that lists the
 * columns.  The name is not terminated; is_plain says that it was written
 * without escapes.
 */
extern int	intake_ndjson_keys_find(IntakeNdjsonKeys *keys, const char *name,
									size_t len, bool is_plain,
									bool is_ignoring);

/* Moves *cursor over the key if that is what comes next. */
static inline bool
intake_ndjson_key_match(const IntakeNdjsonKey *key, const char **cursor,
						const char *limit)
{
	size_t		left = (size_t) (limit - *cursor);
	uint64		head;

	if (left < sizeof(head) || left < (size_t) key->raw_len)
		return false;
	memcpy(&head, *cursor, sizeof(head));
	if (((head ^ key->head) & key->head_mask) != 0 ||
		(key->raw_len > (int) sizeof(head) &&
		 memcmp(*cursor + sizeof(head), key->raw + sizeof(head),
				key->raw_len - sizeof(head)) != 0))
		return false;
	*cursor += key->raw_len;
	return key->raw_len > 0;
}

#endif							/* INTAKE_NDJSON_KEY_H */
