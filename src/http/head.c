/*-------------------------------------------------------------------------
 *
 * head.c
 *	  The head of a request, the same for both versions of HTTP.
 *
 * This is the strict reading: what two programs might read in two ways is
 * refused, not repaired, so that nobody can smuggle a request past a proxy.
 *
 *-------------------------------------------------------------------------
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "http/chars.h"
#include "http/head.h"

/* As many bytes a field costs beside its text, as HTTP/2 counts. */
#define FIELD_COST 32
/* 10^18 - 1 at most: no sum of ours overflows. */
#define MAX_LENGTH_DIGITS 18

static const char *const known_methods[] = {
	"GET", "HEAD", "PUT", "POST", "DELETE", "PATCH", "OPTIONS"
};

Head *
intake_head_new(HttpVersion version, size_t max_fields, size_t max_bytes)
{
	Head	   *head = calloc(1, sizeof(Head));

	if (head == NULL)
		abort();
	head->version = version;
	head->max_fields = max_fields;
	head->max_bytes = max_bytes;
	head->content_length = -1;
	return head;
}

void
intake_head_free(Head *head)
{
	if (head == NULL)
		return;
	for (size_t i = 0; i < head->nfields; i++)
		free(head->fields[i].name);
	free(head->fields);
	free(head->path);
	free(head->query);
	free(head->authority);
	free(head);
}

static int
refuse(Head *head, int status, const char *why)
{
	head->why = why;
	return status;
}

static char *
copy_text(const char *text, size_t len)
{
	char	   *copy = malloc(len + 1);

	if (copy == NULL)
		abort();
	if (len > 0)
		memcpy(copy, text, len);
	copy[len] = '\0';
	return copy;
}

int
intake_head_set_method(Head *head, const char *text, size_t len)
{
	if (!intake_chars_are_token(text, len))
		return refuse(head, 400, "The method is malformed.");
	for (size_t i = 0; i < sizeof(known_methods) / sizeof(char *); i++)
	{
		if (strlen(known_methods[i]) == len &&
			memcmp(known_methods[i], text, len) == 0)
		{
			strcpy(head->method, known_methods[i]);
			return 0;
		}
	}
	return refuse(head, 501, "The method is not known.");
}

/* Cuts "http://authority" off; the authority must be Host's. */
static int
set_absolute(Head *head, const char **text, size_t *len)
{
	size_t		scheme = 0;
	const char *slash;
	int			status;

	if (*len > 7 && strncasecmp(*text, "http://", 7) == 0)
		scheme = 7;
	else if (*len > 8 && strncasecmp(*text, "https://", 8) == 0)
		scheme = 8;
	if (scheme == 0 || head->version == HTTP_2)
		return refuse(head, 400, "The request's target is malformed.");
	*text += scheme;
	*len -= scheme;
	slash = memchr(*text, '/', *len);
	if (slash == NULL)
		return refuse(head, 400, "The request's target has no path.");
	status = intake_head_set_authority(head, *text, slash - *text);
	*len -= slash - *text;
	*text = slash;
	return status;
}

int
intake_head_set_target(Head *head, const char *text, size_t len)
{
	const char *question;
	size_t		path_len;

	head->nbytes += len;
	if (head->nbytes > head->max_bytes)
		return refuse(head, 414, "The request's target is too long.");
	if (len > 0 && text[0] != '/')
	{
		int			status = set_absolute(head, &text, &len);

		if (status != 0)
			return status;
	}
	question = memchr(text, '?', len);
	path_len = question != NULL ? (size_t) (question - text) : len;
	if (head->path != NULL)
		return refuse(head, 400, "The request has two targets.");
	/* also that of a refusal: its beginning decides on the answer's form */
	head->path = copy_text(text, path_len);
	if (!intake_chars_are_path(text, path_len) ||
		(question != NULL &&
		 !intake_chars_are_query(question + 1, len - path_len - 1)))
		return refuse(head, 400, "The request's target has a character that must be percent-encoded, or a bad %xx.");
	if (question != NULL)
		head->query = copy_text(question + 1, len - path_len - 1);
	return 0;
}

/* A second one must say the same. */
int
intake_head_set_authority(Head *head, const char *text, size_t len)
{
	if (!intake_chars_are_authority(text, len))
		return refuse(head, 400, "The host is malformed.");
	if (head->authority == NULL)
	{
		head->authority = copy_text(text, len);
		return 0;
	}
	if (strlen(head->authority) != len ||
		strncasecmp(head->authority, text, len) != 0)
		return refuse(head, 400, "The request names two hosts.");
	return 0;
}

/* The first field and then each power of two: there is room for so many. */
static void
grow_fields(Head *head)
{
	size_t		n = head->nfields;

	if (n != 0 && (n & (n - 1)) != 0)
		return;
	head->fields = realloc(head->fields,
						   (n == 0 ? 1 : 2 * n) * sizeof(Field));
	if (head->fields == NULL)
		abort();
}

int
intake_head_add_field(Head *head, const char *name, size_t name_len,
					  const char *value, size_t value_len)
{
	Field	   *field;

	head->nbytes += name_len + value_len + FIELD_COST;
	if (head->nfields >= head->max_fields)
		return refuse(head, 431, "There are too many header fields.");
	if (head->nbytes > head->max_bytes)
		return refuse(head, 431, "The header fields are too long.");
	if (!intake_chars_are_token(name, name_len))
		return refuse(head, 400, "A header field's name is malformed.");
	if (!intake_chars_are_value(value, value_len))
		return refuse(head, 400, "A header field's value is malformed.");
	grow_fields(head);
	field = &head->fields[head->nfields++];
	field->name = malloc(name_len + value_len + 2);
	if (field->name == NULL)
		abort();
	for (size_t i = 0; i < name_len; i++)
		field->name[i] = name[i] >= 'A' && name[i] <= 'Z' ?
			name[i] - 'A' + 'a' : name[i];
	field->name[name_len] = '\0';
	field->value = field->name + name_len + 1;
	if (value_len > 0)
		memcpy(field->value, value, value_len);
	field->value[value_len] = '\0';
	return 0;
}

const char *
intake_head_get(const Head *head, const char *name)
{
	for (size_t i = 0; i < head->nfields; i++)
	{
		if (strcmp(head->fields[i].name, name) == 0)
			return head->fields[i].value;
	}
	return NULL;
}

static int
check_length(Head *head, const char *value)
{
	size_t		len = strspn(value, "0123456789");
	int64_t		length = 0;

	if (len == 0 || len > MAX_LENGTH_DIGITS || value[len] != '\0')
		return refuse(head, 400, "Content-Length is malformed.");
	if (head->content_length >= 0)
		return refuse(head, 400, "Content-Length is there twice.");
	for (size_t i = 0; i < len; i++)
		length = length * 10 + (value[i] - '0');
	head->content_length = length;
	return 0;
}

static int
check_transfer_coding(Head *head, const char *value)
{
	if (head->version != HTTP_1_1)
		return refuse(head, 400,
					  "Transfer-Encoding belongs to HTTP/1.1 only.");
	if (head->is_chunked)
		return refuse(head, 400, "Transfer-Encoding is there twice.");
	if (strcasecmp(value, "chunked") != 0)
		return refuse(head, 501, "Transfer-Encoding is not chunked.");
	head->is_chunked = true;
	return 0;
}

/* One coding: a list of them is not worth a client's trouble. */
static int
check_coding(Head *head, const char *value)
{
	if (head->coding != BODY_IDENTITY)
		return refuse(head, 415, "Content-Encoding is there twice.");
	if (strcasecmp(value, "gzip") == 0 || strcasecmp(value, "x-gzip") == 0)
		head->coding = BODY_GZIP;
	else if (strcasecmp(value, "zstd") == 0)
		head->coding = BODY_ZSTD;
	else if (strcasecmp(value, "identity") != 0)
		return refuse(head, 415,
					  "Content-Encoding is none of gzip, zstd, identity.");
	return 0;
}

/* Is the word one of the list's, whatever its case? */
static bool
has_word(const char *list, const char *word)
{
	size_t		len = strlen(word);

	while (*list != '\0')
	{
		size_t		part;

		list += strspn(list, ", \t");
		part = strcspn(list, ", \t");
		if (part == len && strncasecmp(list, word, len) == 0)
			return true;
		list += part;
	}
	return false;
}

static int
check_field(Head *head, const Field *field)
{
	if (strcmp(field->name, "content-length") == 0)
		return check_length(head, field->value);
	if (strcmp(field->name, "transfer-encoding") == 0)
		return check_transfer_coding(head, field->value);
	if (strcmp(field->name, "content-encoding") == 0)
		return check_coding(head, field->value);
	if (strcmp(field->name, "connection") == 0)
		head->closes |= has_word(field->value, "close");
	else if (strcmp(field->name, "expect") == 0)
	{
		if (strcasecmp(field->value, "100-continue") != 0)
			return refuse(head, 417, "Expect is not 100-continue.");
		head->expects_continue = head->version != HTTP_1_0;
	}
	else if (strcmp(field->name, "host") == 0)
		return intake_head_set_authority(head, field->value,
										 strlen(field->value));
	return 0;
}

/* Host is there once; HTTP/2 may say it by :authority. */
static int
check_host(Head *head)
{
	int			nhosts = 0;

	for (size_t i = 0; i < head->nfields; i++)
		nhosts += strcmp(head->fields[i].name, "host") == 0;
	if (nhosts > 1)
		return refuse(head, 400, "The request names two hosts.");
	if (nhosts == 0 && (head->version == HTTP_1_1 ||
						(head->version == HTTP_2 && head->authority == NULL)))
		return refuse(head, 400, "The request names no host.");
	return 0;
}

int
intake_head_check(Head *head)
{
	int			status = check_host(head);

	for (size_t i = 0; status == 0 && i < head->nfields; i++)
		status = check_field(head, &head->fields[i]);
	if (status != 0)
		return status;
	if (head->is_chunked && head->content_length >= 0)
		return refuse(head, 400,
					  "Content-Length and Transfer-Encoding are both there.");
	if (head->version == HTTP_1_0)
		head->closes = true;
	if (head->path == NULL || head->method[0] == '\0')
		return refuse(head, 400, "The request has no target.");
	return 0;
}
