/*-------------------------------------------------------------------------
 *
 * scan_request.c
 *	  The head of a request, as the HTTP program sends it: JSON.  Plain C.
 *
 * A text takes one byte less than its JSON: two quotes go, a NUL comes.
 *
 *-------------------------------------------------------------------------
 */
#include <string.h>

#include "format/scan_json.h"
#include "worker/scan_request.h"

/* Of what is passed over. */
#define MAX_DEPTH 16

typedef struct HeadScan
{
	IntakeScanJson json;
	char	   *out;			/* the next text goes here */
	bool		has_preflight;
	IntakeScanRequest *request;
} HeadScan;

typedef struct Member
{
	const char *name;
	bool		(*read) (HeadScan *scan);
	size_t		offset;			/* of a text in IntakeScanRequest */
} Member;

/* The text of the string that was read last, or NULL. */
static char *
take_text(HeadScan *scan)
{
	char	   *text = scan->out;
	ptrdiff_t	len = intake_scan_json_unescape(scan->json.start,
												scan->json.len, text);

	if (len < 0)
		return NULL;
	text[len] = '\0';
	scan->out += len + 1;
	return text;
}

static char *
read_text(HeadScan *scan)
{
	return intake_scan_json_next(&scan->json) == INTAKE_JSON_STRING ?
		take_text(scan) : NULL;
}

/* ["name", "value"] */
static bool
read_header(HeadScan *scan)
{
	return intake_scan_json_take(&scan->json, '[') &&
		read_text(scan) != NULL &&
		intake_scan_json_take(&scan->json, ',') &&
		read_text(scan) != NULL &&
		intake_scan_json_take(&scan->json, ']');
}

static bool
read_headers(HeadScan *scan)
{
	IntakeScanRequest *request = scan->request;

	if (request->headers != NULL || !intake_scan_json_take(&scan->json, '['))
		return false;
	request->headers = scan->out;
	if (intake_scan_json_take(&scan->json, ']'))
		return true;
	do
	{
		if (!read_header(scan))
			return false;
		request->nheaders++;
	} while (intake_scan_json_take(&scan->json, ','));
	return intake_scan_json_take(&scan->json, ']');
}

static bool
read_preflight(HeadScan *scan)
{
	IntakeJsonToken token = intake_scan_json_next(&scan->json);

	if (scan->has_preflight)
		return false;
	scan->has_preflight = true;
	scan->request->is_preflight = token == INTAKE_JSON_TRUE;
	return token == INTAKE_JSON_TRUE || token == INTAKE_JSON_FALSE;
}

static bool
skip_value(HeadScan *scan)
{
	return intake_scan_json_skip(&scan->json, MAX_DEPTH);
}

#define TEXT(name) {#name, NULL, offsetof(IntakeScanRequest, name)}

static const Member members[] = {
	TEXT(method),
	TEXT(path),
	TEXT(query),
	TEXT(version),
	TEXT(peer),
	TEXT(request_id),
	TEXT(body),
	{"headers", read_headers, 0},
	{"preflight", read_preflight, 0}
};

static const Member unknown_member = {"", skip_value, 0};

static const Member *
find_member(const char *name)
{
	size_t		i;

	for (i = 0; i < sizeof(members) / sizeof(members[0]); i++)
	{
		if (strcmp(name, members[i].name) == 0)
			return &members[i];
	}
	return &unknown_member;
}

static bool
read_text_member(HeadScan *scan, size_t offset)
{
	char	  **place = (char **) ((char *) scan->request + offset);

	if (*place != NULL)
		return false;
	*place = read_text(scan);
	return *place != NULL;
}

/* The name's room is free again for the value. */
static bool
read_member(HeadScan *scan)
{
	const Member *member;
	char	   *name = read_text(scan);

	if (name == NULL || !intake_scan_json_take(&scan->json, ':'))
		return false;
	member = find_member(name);
	scan->out = name;
	return member->read != NULL ? member->read(scan) :
		read_text_member(scan, member->offset);
}

static bool
read_object(HeadScan *scan)
{
	if (!intake_scan_json_take(&scan->json, '{'))
		return false;
	if (intake_scan_json_take(&scan->json, '}'))
		return true;
	do
	{
		if (!read_member(scan))
			return false;
	} while (intake_scan_json_take(&scan->json, ','));
	return intake_scan_json_take(&scan->json, '}');
}

bool
intake_scan_request(const char *json, size_t len, char *out,
					IntakeScanRequest *request)
{
	HeadScan	scan;

	memset(request, 0, sizeof(*request));
	scan.out = out;
	scan.has_preflight = false;
	scan.request = request;
	intake_scan_json_begin(&scan.json, json, len);
	return read_object(&scan) &&
		intake_scan_json_next(&scan.json) == INTAKE_JSON_END &&
		request->method != NULL && request->path != NULL &&
		request->version != NULL;
}
