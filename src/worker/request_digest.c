/*-------------------------------------------------------------------------
 *
 * request_digest.c
 *	  Content-Digest and Repr-Digest of a request (RFC 9530).
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <openssl/evp.h>

#include "utils/memutils.h"

#include "worker/json_object.h"
#include "worker/request_digest.h"
#include "worker/status.h"

typedef enum Algorithm
{
	SHA_256,
	SHA_512,
	ALGORITHMS
} Algorithm;

static const char *const names[ALGORITHMS] = {"sha-256", "sha-512"};

struct IntakeRequestDigest
{
	char	   *expected[ALGORITHMS];	/* base64; NULL: not asked for */
	EVP_MD_CTX *contexts[ALGORITHMS];	/* NULL: the program digests */
	bool		is_encoded;
};

static void
free_contexts(void *argument)
{
	IntakeRequestDigest *digest = argument;
	int			i;

	for (i = 0; i < ALGORITHMS; i++)
		EVP_MD_CTX_free(digest->contexts[i]);
}

static void
report_header(const char *name)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("header \"%s\" cannot be used", name),
			 errhint("It must have a digest like sha-256=:base64: or sha-512=:base64:.")));
}

static char *
trim(char *text)
{
	size_t		len;

	while (*text == ' ' || *text == '\t')
		text++;
	len = strlen(text);
	while (len > 0 && (text[len - 1] == ' ' || text[len - 1] == '\t'))
		text[--len] = '\0';
	return text;
}

/*
 * Takes one member "algorithm=:base64:" of a header; true when we know the
 * algorithm.
 */
static bool
take_member(IntakeRequestDigest *digest, const char *header, char *member)
{
	char	   *value = strchr(member, '=');
	size_t		len;
	int			i;

	if (value == NULL)
		report_header(header);
	*value++ = '\0';
	value[strcspn(value, ";")] = '\0';	/* parameters; base64 has no ";" */
	value = trim(value);
	len = strlen(value);
	if (len < 3 || value[0] != ':' || value[len - 1] != ':')
		report_header(header);
	value[len - 1] = '\0';
	value++;
	for (i = 0; i < ALGORITHMS; i++)
	{
		if (strcmp(member, names[i]) != 0)
			continue;
		if (digest->expected[i] != NULL &&
			strcmp(digest->expected[i], value) != 0)
			report_header(header);
		digest->expected[i] = value;
		return true;
	}
	return false;
}

/*
 * Takes a header, which may come in several lines; false when the request has
 * none of the name.
 */
static bool
take_header(IntakeRequestDigest *digest, const IntakeHttpRequest *request,
			const char *name)
{
	bool		is_there = false;
	bool		is_known = false;
	ListCell   *cell;

	foreach(cell, request->headers)
	{
		const IntakeNamedText *header = lfirst(cell);
		char	   *rest;
		char	   *member;

		if (strcmp(header->name, name) != 0)
			continue;
		is_there = true;
		rest = pstrdup(header->value);
		while ((member = strsep(&rest, ",")) != NULL)
			is_known = take_member(digest, name, trim(member)) || is_known;
	}
	if (is_there && !is_known)
		report_header(name);
	return is_there;
}

static void
begin_contexts(IntakeRequestDigest *digest)
{
	const EVP_MD *methods[ALGORITHMS] = {EVP_sha256(), EVP_sha512()};
	MemoryContextCallback *callback = palloc0(sizeof(MemoryContextCallback));
	int			i;

	callback->func = free_contexts;
	callback->arg = digest;
	MemoryContextRegisterResetCallback(CurrentMemoryContext, callback);
	for (i = 0; i < ALGORITHMS; i++)
	{
		if (digest->expected[i] == NULL)
			continue;
		digest->contexts[i] = EVP_MD_CTX_new();
		if (digest->contexts[i] == NULL ||
			EVP_DigestInit_ex(digest->contexts[i], methods[i], NULL) != 1)
			ereport(ERROR,
					(errcode(ERRCODE_OUT_OF_MEMORY),
					 errmsg("could not compute a digest")));
	}
}

IntakeRequestDigest *
intake_request_digest_begin(const IntakeHttpRequest *request)
{
	IntakeRequestDigest *digest = palloc0(sizeof(IntakeRequestDigest));
	const char *encoding = intake_request_header(request, "content-encoding");
	bool		is_wanted;

	is_wanted = take_header(digest, request, "content-digest");
	is_wanted = take_header(digest, request, "repr-digest") || is_wanted;
	if (!is_wanted)
		return NULL;
	digest->is_encoded = encoding != NULL &&
		pg_strcasecmp(encoding, "identity") != 0;
	if (!digest->is_encoded)
		begin_contexts(digest);
	return digest;
}

void
intake_request_digest_update(IntakeRequestDigest *digest, const char *bytes,
							 size_t len)
{
	int			i;

	for (i = 0; digest != NULL && i < ALGORITHMS; i++)
	{
		if (digest->contexts[i] != NULL)
			(void) EVP_DigestUpdate(digest->contexts[i], bytes, len);
	}
}

/* The body's digest in base64, or NULL when it is not to be had. */
static char *
found_digest(IntakeRequestDigest *digest, int i, const Jsonb *end)
{
	unsigned char bytes[EVP_MAX_MD_SIZE];
	unsigned int len;
	char	   *text = NULL;
	JsonbValue *digests;
	JsonbValue	value;

	if (!digest->is_encoded)
	{
		if (EVP_DigestFinal_ex(digest->contexts[i], bytes, &len) != 1)
			return NULL;
		text = palloc(EVP_MAX_MD_SIZE * 2);
		(void) EVP_EncodeBlock((unsigned char *) text, bytes, len);
		return text;
	}
	digests = end == NULL ? NULL : intake_json_object_member(end, "digests");
	if (digests == NULL || digests->type != jbvBinary ||
		!JsonContainerIsObject(digests->val.binary.data) ||
		getKeyJsonValueFromContainer(digests->val.binary.data, names[i],
									 strlen(names[i]), &value) == NULL ||
		value.type != jbvString)
		return NULL;
	return pnstrdup(value.val.string.val, value.val.string.len);
}

void
intake_request_digest_check(IntakeRequestDigest *digest, const Jsonb *end)
{
	int			i;

	for (i = 0; digest != NULL && i < ALGORITHMS; i++)
	{
		char	   *found;

		if (digest->expected[i] == NULL)
			continue;
		found = found_digest(digest, i, end);
		if (found == NULL || strcmp(found, digest->expected[i]) != 0)
			ereport(ERROR,
					(errcode(ERRCODE_INTAKE_STATUS('4', '0', '0')),
					 errmsg("the body does not have the %s digest that was announced",
							names[i]),
					 found == NULL ? 0 :
					 errdetail("It was announced as \"%s\" and is \"%s\".",
							   digest->expected[i], found)));
	}
}
