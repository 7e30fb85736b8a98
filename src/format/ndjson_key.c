/*-------------------------------------------------------------------------
 *
 * ndjson_key.c
 *	  The keys of object rows, and which columns they name.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "format/ndjson_key.h"

/* How many keys that name no column are remembered. */
#define MAX_IGNORED_KEYS 32

/*
 * Sets what a payload writes for this name; it stays empty when too long, and
 * for a hidden column, which has no name.
 */
static void
set_raw(IntakeNdjsonKey *key, const char *name, size_t len)
{
	size_t		i;

	key->raw_len = 0;
	memset(key->raw, 0, sizeof(key->raw));
	if (len == 0 || len + 2 > sizeof(key->raw))
		return;
	for (i = 0; i < len; i++)
	{
		if (name[i] == '"' || name[i] == '\\' || (unsigned char) name[i] < 0x20)
			return;
	}

	key->raw[0] = '"';
	memcpy(key->raw + 1, name, len);
	key->raw[len + 1] = '"';
	key->raw_len = (int) len + 2;
	memcpy(&key->head, key->raw, sizeof(key->head));
	memset(&key->head_mask, 0, sizeof(key->head_mask));
	memset(&key->head_mask, 0xFF, Min(key->raw_len, sizeof(key->head_mask)));
}

void
intake_ndjson_keys_make(IntakeNdjsonKeys *keys, IntakeColumnSet *columns)
{
	int			ncolumns = columns->ncolumns;
	int			i;

	keys->columns = columns;
	keys->keys = palloc0((ncolumns + MAX_IGNORED_KEYS) *
						 sizeof(IntakeNdjsonKey));
	for (i = 0; i < ncolumns; i++)
	{
		const char *name = columns->columns[i].name;

		set_raw(&keys->keys[i], name, strlen(name));
		keys->keys[i].follower = i + 1 < ncolumns ? i + 1 : -1;
	}
	keys->nkeys = ncolumns;
	keys->first = ncolumns > 0 ? 0 : -1;
}

/* Remembers an ignored name, when there is room; returns its number or -1. */
static int
remember_name(IntakeNdjsonKeys *keys, const char *name, size_t len)
{
	int			ncolumns = keys->columns->ncolumns;
	IntakeNdjsonKey *key = &keys->keys[keys->nkeys];
	int			i;

	if (len + 2 > INTAKE_NDJSON_KEY_SIZE)
		return -1;
	for (i = ncolumns; i < keys->nkeys; i++)
	{
		if (keys->keys[i].raw_len == (int) len + 2 &&
			memcmp(keys->keys[i].raw + 1, name, len) == 0)
			return i;
	}
	if (keys->nkeys == ncolumns + MAX_IGNORED_KEYS)
		return -1;

	set_raw(key, name, len);
	if (key->raw_len == 0)
		return -1;
	key->follower = -1;
	return keys->nkeys++;
}

int
intake_ndjson_keys_find(IntakeNdjsonKeys *keys, const char *name, size_t len,
						bool is_plain, bool is_ignoring)
{
	int			number = intake_columns_find(keys->columns, name, len);

	if (number >= 0)
		return number;
	if (!is_ignoring)
		intake_columns_report_unknown(keys->columns, name, len);
	return is_plain ? remember_name(keys, name, len) : -1;
}
