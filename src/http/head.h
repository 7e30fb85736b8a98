/*-------------------------------------------------------------------------
 *
 * head.h
 *	  The head of a request, the same for both versions of HTTP.
 *
 * The readers of HTTP/1.1 and HTTP/2 fill it in; intake_head_check() then
 * says whether it is one that we take.  Names of fields are in lower case;
 * names and values have been checked for their characters, values and paths
 * are UTF-8.
 *
 * Functions that may refuse return 0 or the status to answer with, and leave
 * a sentence in head->why, which never holds what the client sent.
 *
 *-------------------------------------------------------------------------
 */
#ifndef INTAKE_HTTP_HEAD_H
#define INTAKE_HTTP_HEAD_H

#ifdef POSTGRES_H
#error "the HTTP program knows nothing of PostgreSQL"
#endif

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct Field
{
	char	   *name;
	char	   *value;			/* in the same allocation */
} Field;

typedef enum BodyCoding
{
	BODY_IDENTITY,
	BODY_GZIP,
	BODY_ZSTD
} BodyCoding;

typedef enum HttpVersion
{
	HTTP_1_0,
	HTTP_1_1,
	HTTP_2
} HttpVersion;

typedef struct Head
{
	HttpVersion version;
	char		method[16];
	char	   *path;			/* begins with a slash, as received */
	char	   *query;			/* behind the question mark, or NULL */
	char	   *authority;		/* Host or :authority, or NULL */
	Field	   *fields;
	size_t		nfields;
	size_t		nbytes;			/* of all that was added */
	size_t		max_fields;
	size_t		max_bytes;

	/* what the fields say; by intake_head_check() */
	int64_t		content_length; /* -1: not given */
	bool		is_chunked;
	bool		expects_continue;
	bool		closes;
	BodyCoding	coding;
	const char *why;
} Head;

extern Head *intake_head_new(HttpVersion version, size_t max_fields,
							 size_t max_bytes);
extern void intake_head_free(Head *head);

extern int	intake_head_set_method(Head *head, const char *text, size_t len);

/* The request's target; HTTP/1.1's absolute form is taken apart. */
extern int	intake_head_set_target(Head *head, const char *text, size_t len);
extern int	intake_head_set_authority(Head *head, const char *text,
									  size_t len);
extern int	intake_head_add_field(Head *head, const char *name,
								  size_t name_len, const char *value,
								  size_t value_len);

/* Reads what the fields say of the body and the connection. */
extern int	intake_head_check(Head *head);

/* The value of the first field of this name, or NULL. */
extern const char *intake_head_get(const Head *head, const char *name);

#endif							/* INTAKE_HTTP_HEAD_H */
