/*-------------------------------------------------------------------------
 *
 * jwks.c
 *	  The file of trusted keys.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "storage/fd.h"
#include "utils/memutils.h"

#include "compat.h"
#include "settings.h"
#include "worker/json_object.h"
#include "worker/jwks.h"

#define MAX_FILE_SIZE (256 * 1024)

/* What this process knows of the file. */
typedef struct KeyFile
{
	MemoryContext context;		/* of the rest; NULL: nothing was read yet */
	char	   *path;
	struct stat state;			/* all zero: it was not there */
	List	   *keys;			/* of IntakeJwk */
	const char *problem;
} KeyFile;

static KeyFile key_file;

/* Why others could have written the file, or NULL. */
static const char *
check_file(const struct stat *state)
{
	if (!S_ISREG(state->st_mode))
		return "It is not a regular file.";
	if (state->st_uid != geteuid() && state->st_uid != 0)
		return "It must belong to the user who runs the server, or to root.";
	if (state->st_mode & (S_IWGRP | S_IWOTH))
		return "It must be writable for its owner only.";
	if (state->st_size > MAX_FILE_SIZE)
		return psprintf("It is longer than %d bytes.", MAX_FILE_SIZE);
	return NULL;
}

/* The file's bytes; NULL and the problem if they cannot be had. */
static char *
read_file(const char *path, size_t *len, const char **problem)
{
	/* without O_NONBLOCK a named pipe would wait for its writer */
	int			fd = OpenTransientFile(path, O_RDONLY | O_NONBLOCK | PG_BINARY);
	struct stat state;
	char	   *bytes = NULL;
	ssize_t		nread = 0;

	if (fd < 0 || fstat(fd, &state) != 0)
		*problem = psprintf("It could not be opened: %m.");
	else if ((*problem = check_file(&state)) == NULL)
	{
		bytes = palloc(state.st_size + 1);
		*len = 0;
		while (*len < state.st_size &&
			   (nread = read(fd, bytes + *len, state.st_size - *len)) > 0)
			*len += nread;
		if (nread < 0)
		{
			*problem = psprintf("It could not be read: %m.");
			bytes = NULL;
		}
	}
	if (fd >= 0)
		CloseTransientFile(fd);
	return bytes;
}

static bool
has_key(List *keys, const char *kid)
{
	ListCell   *cell;

	foreach(cell, keys)
	{
		if (strcmp(((IntakeJwk *) lfirst(cell))->kid, kid) == 0)
			return true;
	}
	return false;
}

/* Adds a key of the set to the list, unless it is none for us. */
static List *
add_key(List *keys, JsonbValue *item, int number, const char *path)
{
	const char *problem = "A key must be an object.";
	IntakeJwk  *jwk = NULL;

	if (item->type == jbvBinary)
		jwk = intake_jwk_read(JsonbValueToJsonb(item), &problem);
	if (jwk != NULL && jwk->kid == NULL)
		problem = "It has no member \"kid\".";
	else if (jwk != NULL && has_key(keys, jwk->kid))
		problem = "A key before it has the same \"kid\".";
	else if (jwk != NULL)
		return lappend(keys, jwk);
	ereport(LOG,
			(errcode(ERRCODE_CONFIG_FILE_ERROR),
			 errmsg("key %d of file \"%s\" is not used", number, path),
			 errdetail_internal("%s", problem),
			 INTAKE_HIDE_STATEMENT));
	return keys;
}

/* The keys of a set; NIL and the problem if it is none. */
static List *
read_keys(const Jsonb *set, const char *path, const char **problem)
{
	JsonbValue *array = intake_json_object_member(set, "keys");
	JsonbIterator *iterator;
	JsonbIteratorToken token;
	JsonbValue	item;
	List	   *keys = NIL;
	int			number = 0;

	if (array == NULL || array->type != jbvBinary ||
		!JsonContainerIsArray(array->val.binary.data))
	{
		*problem = "It has no array \"keys\".";
		return NIL;
	}
	iterator = JsonbIteratorInit(array->val.binary.data);
	while ((token = JsonbIteratorNext(&iterator, &item, true)) != WJB_DONE)
	{
		if (token == WJB_ELEM)
			keys = add_key(keys, &item, ++number, path);
	}
	return keys;
}

/* Reads the file into file->keys, or file->problem. */
static void
load_keys(KeyFile *file)
{
	size_t		len;
	char	   *bytes = read_file(file->path, &len, &file->problem);
	const char *problem;
	Jsonb	   *set;

	if (bytes == NULL)
		return;
	set = intake_json_object_read(bytes, len, &problem);
	if (set == NULL)
		file->problem = psprintf("It %s.", problem);
	else
		file->keys = read_keys(set, file->path, &file->problem);
}

/* What the file is now; all zero if it cannot be looked at. */
static void
look_at_file(struct stat *state)
{
	memset(state, 0, sizeof(*state));
	if (stat(intake_jwks_file, state) != 0)
		memset(state, 0, sizeof(*state));
}

static bool
is_same_time(const struct timespec *a, const struct timespec *b)
{
	return a->tv_sec == b->tv_sec && a->tv_nsec == b->tv_nsec;
}

/* What was read, or that nothing could be, holds until the file changes. */
static bool
is_current(const KeyFile *file, const struct stat *state)
{
	const struct stat *known = &file->state;

	return file->context != NULL &&
		   strcmp(file->path, intake_jwks_file) == 0 &&
		   known->st_dev == state->st_dev && known->st_ino == state->st_ino &&
		   known->st_size == state->st_size &&
		   is_same_time(&known->st_mtim, &state->st_mtim) &&
		   is_same_time(&known->st_ctim, &state->st_ctim);
}

/*
 * The file is looked at before it is read: should it change in between, the
 * next look finds it changed.
 */
static void
refresh_file(void)
{
	KeyFile		fresh = {0};
	MemoryContext old_context;

	look_at_file(&fresh.state);
	if (is_current(&key_file, &fresh.state))
		return;

	/* first below the caller's, so that an error leaves nothing behind */
	fresh.context = AllocSetContextCreate(CurrentMemoryContext,
										  "pg_intake key file",
										  ALLOCSET_DEFAULT_SIZES);
	old_context = MemoryContextSwitchTo(fresh.context);
	fresh.path = pstrdup(intake_jwks_file);
	load_keys(&fresh);
	MemoryContextSwitchTo(old_context);
	MemoryContextSetParent(fresh.context, TopMemoryContext);

	if (key_file.context != NULL)
		MemoryContextDelete(key_file.context);
	key_file = fresh;
	if (fresh.problem != NULL)
		ereport(LOG,
				(errcode(ERRCODE_CONFIG_FILE_ERROR),
				 errmsg("cannot use the keys of file \"%s\"", fresh.path),
				 errdetail_internal("%s", fresh.problem),
				 INTAKE_HIDE_STATEMENT));
}

List *
intake_jwks_keys(const char **problem)
{
	*problem = NULL;
	if (intake_jwks_file[0] == '\0')
		return NIL;
	refresh_file();
	*problem = key_file.problem;
	return key_file.keys;
}

const IntakeJwk *
intake_jwks_find(const char *kid)
{
	const char *problem;
	ListCell   *cell;

	foreach(cell, intake_jwks_keys(&problem))
	{
		const IntakeJwk *jwk = lfirst(cell);

		if (strcmp(jwk->kid, kid) == 0)
			return jwk;
	}
	if (problem != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_CONFIG_FILE_ERROR),
				 errmsg("the file of trusted keys cannot be used"),
				 errdetail_log("File \"%s\": %s", key_file.path, problem),
				 errhint("The server's log says why."),
				 INTAKE_HIDE_STATEMENT));
	return NULL;
}
