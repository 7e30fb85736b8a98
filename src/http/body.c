/*-------------------------------------------------------------------------
 *
 * body.c
 *	  The body of a request: raw bytes in, decoded bytes out, both counted.
 *
 *-------------------------------------------------------------------------
 */
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#include "http/body.h"

#define PIECE (64 * 1024)
/* What is shorter than that is copied; see append_raw(). */
#define COPIED (16 * 1024)

struct BodyDigest
{
	EVP_MD_CTX *sha256;
	EVP_MD_CTX *sha512;
};

/*
 * Without a coding the loader has the very bytes that were digested; only
 * with one does it depend on us.
 */
static BodyDigest *
begin_digest(const Head *head)
{
	BodyDigest *digest;

	if (head->coding == BODY_IDENTITY ||
		(intake_head_get(head, "content-digest") == NULL &&
		 intake_head_get(head, "repr-digest") == NULL))
		return NULL;
	digest = calloc(1, sizeof(BodyDigest));
	if (digest == NULL)
		abort();
	digest->sha256 = EVP_MD_CTX_new();
	digest->sha512 = EVP_MD_CTX_new();
	if (digest->sha256 == NULL || digest->sha512 == NULL ||
		!EVP_DigestInit_ex(digest->sha256, EVP_sha256(), NULL) ||
		!EVP_DigestInit_ex(digest->sha512, EVP_sha512(), NULL))
		abort();
	return digest;
}

void
intake_body_init(Body *body, const Head *head, int64_t max_raw,
				 int64_t max_ready)
{
	memset(body, 0, sizeof(*body));
	body->raw = evbuffer_new();
	body->ready = evbuffer_new();
	if (body->raw == NULL || body->ready == NULL)
		abort();
	body->coding = head->coding;
	body->digest = begin_digest(head);
	body->max_raw = max_raw;
	body->max_ready = max_ready;
}

void
intake_body_clear(Body *body)
{
	if (body->raw == NULL)
		return;
	evbuffer_free(body->raw);
	evbuffer_free(body->ready);
	intake_inflate_free(body->inflate);
	if (body->digest != NULL)
	{
		EVP_MD_CTX_free(body->digest->sha256);
		EVP_MD_CTX_free(body->digest->sha512);
		free(body->digest);
	}
	memset(body, 0, sizeof(*body));
}

static int
refuse(Body *body, int status, const char *why)
{
	body->why = why;
	return status;
}

/*
 * Moving takes over the memory that the bytes came in, which may be kilobytes
 * for one of them: a client would have as much of it as it cares to cut its
 * body into pieces.
 */
static void
append_raw(Body *body, struct evbuffer *from, size_t n)
{
	static char copy[COPIED];

	if (n < COPIED ?
		evbuffer_remove(from, copy, n) != (int) n ||
		evbuffer_add(body->raw, copy, n) != 0 :
		evbuffer_remove_buffer(from, body->raw, n) != (int) n)
		abort();
}

int
intake_body_add(Body *body, struct evbuffer *from, size_t n)
{
	body->raw_bytes += (int64_t) n;
	if (body->raw_bytes > body->max_raw)
		return refuse(body, 413, "The body is longer than pg_intake.max_body_size.");
	append_raw(body, from, n);
	return 0;
}

/* Digests and drops n bytes from the front of the raw ones. */
static void
digest_front(Body *body, const char *text, size_t n)
{
	if (body->digest == NULL || n == 0)
		return;
	if (!EVP_DigestUpdate(body->digest->sha256, text, n) ||
		!EVP_DigestUpdate(body->digest->sha512, text, n))
		abort();
}

/* One step; *used grows by the raw bytes that went. */
static long
decode_piece(Body *body, size_t *used)
{
	static char out[PIECE];
	struct evbuffer_iovec piece = {NULL, 0};
	const char *in;
	size_t		in_len;
	long		made;

	evbuffer_peek(body->raw, -1, NULL, &piece, 1);
	in = piece.iov_base;
	in_len = piece.iov_len < PIECE ? piece.iov_len : PIECE;
	piece.iov_len = in_len;
	made = intake_inflate_step(body->inflate, &in, &in_len, out, PIECE);
	if (made < 0)
		return -1;
	piece.iov_len -= in_len;
	digest_front(body, piece.iov_base, piece.iov_len);
	if (made > 0 && evbuffer_add(body->ready, out, (size_t) made) != 0)
		abort();
	evbuffer_drain(body->raw, piece.iov_len);
	*used += piece.iov_len;
	body->ready_bytes += made;
	return made + (long) piece.iov_len;
}

static int
move_plain(Body *body, size_t room, size_t *used)
{
	size_t		ready = evbuffer_get_length(body->ready);
	size_t		n = evbuffer_get_length(body->raw);

	if (ready >= room)
		return 0;
	if (n > room - ready)
		n = room - ready;
	*used = n;
	body->ready_bytes += (int64_t) n;
	if (body->ready_bytes > body->max_ready)
		return refuse(body, 413, "The body is longer than pg_intake.max_body_size.");
	if (evbuffer_remove_buffer(body->raw, body->ready, n) != (int) n)
		abort();
	return 0;
}

int
intake_body_decode(Body *body, size_t room, size_t *used)
{
	*used = 0;
	if (body->coding == BODY_IDENTITY)
		return move_plain(body, room, used);
	if (body->inflate == NULL)
		body->inflate = intake_inflate_new(body->coding);
	if (body->inflate == NULL)
		return refuse(body, 503, "There is no memory to decode the body.");
	while (evbuffer_get_length(body->ready) < room)
	{
		long		done = decode_piece(body, used);

		if (done < 0)
			return refuse(body, 400,
						  "The body is not what Content-Encoding says.");
		if (body->ready_bytes > body->max_ready)
			return refuse(body, 413, "The decoded body is longer than pg_intake.max_inflated_size.");
		if (done == 0)
			break;
	}
	return 0;
}

int
intake_body_check_end(Body *body)
{
	if (body->coding != BODY_IDENTITY && body->raw_bytes > 0 &&
		!intake_inflate_is_whole(body->inflate))
		return refuse(body, 400, "The body ends inside its encoding.");
	return 0;
}

static void
add_digest(json_t *object, const char *name, EVP_MD_CTX *context)
{
	unsigned char sum[EVP_MAX_MD_SIZE];
	unsigned char text[EVP_MAX_MD_SIZE * 2];
	unsigned int len;

	if (!EVP_DigestFinal_ex(context, sum, &len))
		abort();
	EVP_EncodeBlock(text, sum, (int) len);
	json_object_set_new(object, name, json_string((const char *) text));
}

json_t *
intake_body_digests(Body *body)
{
	json_t	   *object;

	if (body->digest == NULL)
		return NULL;
	object = json_object();
	add_digest(object, "sha-256", body->digest->sha256);
	add_digest(object, "sha-512", body->digest->sha512);
	return object;
}
