/*-------------------------------------------------------------------------
 *
 * h1_head.c
 *	  The head of an HTTP/1.1 request, read strictly.
 *
 *-------------------------------------------------------------------------
 */
#include <string.h>

#include "http/chars.h"
#include "http/h1_head.h"

static long
refuse_scan(H1Scan *scan, int status, const char *why)
{
	scan->why = why;
	return -status;
}

/* One byte that may not be where it is? */
static bool
is_misplaced(const char *text, size_t i)
{
	unsigned char c = (unsigned char) text[i];

	if (c == '\n')
		return i == 0 || text[i - 1] != '\r';
	if (i > 0 && text[i - 1] == '\r')
		return true;
	return (c < ' ' && c != '\t' && c != '\r') || c == 127;
}

long
intake_h1_head_find(H1Scan *scan, const char *text, size_t len)
{
	if (len > 0 && !intake_chars_is_token(text[0]))
		return refuse_scan(scan, 400, "The request line is malformed.");
	for (size_t i = scan->scanned; i < len; i++)
	{
		if (i >= scan->max_bytes)
			return memchr(text, '\n', i) == NULL ?
				refuse_scan(scan, 414, "The request's target is too long.") :
				refuse_scan(scan, 431, "The head is too long.");
		if (is_misplaced(text, i))
			return refuse_scan(scan, 400,
							   "There is a byte that no head can hold.");
		if (text[i] == '\n' && i >= 3 && text[i - 2] == '\n')
			return (long) i + 1;
	}
	scan->scanned = len;
	return 0;
}

static int
read_version(Head *head, const char *text, size_t len)
{
	if (len != 8 || memcmp(text, "HTTP/", 5) != 0 || text[6] != '.' ||
		text[5] < '0' || text[5] > '9' || text[7] < '0' || text[7] > '9')
	{
		head->why = "The request line is malformed.";
		return 400;
	}
	if (text[5] != '1' || text[7] > '1')
	{
		head->why = "The version is neither HTTP/1.0 nor HTTP/1.1.";
		return 505;
	}
	head->version = text[7] == '0' ? HTTP_1_0 : HTTP_1_1;
	return 0;
}

/* "method SP target SP version" */
static int
read_request_line(Head *head, const char *line, size_t len)
{
	const char *first = memchr(line, ' ', len);
	const char *target = first != NULL ? first + 1 : NULL;
	const char *second = NULL;
	int			target_status;
	int			status;

	if (first != NULL)
		second = memchr(target, ' ', line + len - target);
	if (second == NULL)
	{
		head->why = "The request line is malformed.";
		return 400;
	}
	/* first, as the form of a refusal depends on the path */
	target_status = intake_head_set_target(head, target, second - target);
	status = read_version(head, second + 1, line + len - second - 1);
	if (status == 0)
		status = intake_head_set_method(head, line, first - line);
	return status != 0 ? status : target_status;
}

/*
 * RFC 9110 lets tabs stand around a value.  Who stands before us may not, and
 * so find the body's end elsewhere: in what says where it is none is taken.
 */
static bool
has_tab_in_framing(const Field *field, const char *text, size_t len)
{
	return memchr(text, '\t', len) != NULL &&
		(strcmp(field->name, "content-length") == 0 ||
		 strcmp(field->name, "transfer-encoding") == 0);
}

/* Reads a line "name: value" without its end into the head. */
static int
read_field(Head *head, const char *line, size_t len)
{
	const char *colon = memchr(line, ':', len);
	const char *value;
	const char *end = line + len;
	int			status;

	if (colon == NULL || colon == line)
	{
		head->why = "A header line is malformed.";
		return 400;
	}
	value = colon + 1;
	while (value < end && (*value == ' ' || *value == '\t'))
		value++;
	while (end > value && (end[-1] == ' ' || end[-1] == '\t'))
		end--;
	status = intake_head_add_field(head, line, colon - line,
								   value, end - value);
	if (status == 0 &&
		has_tab_in_framing(&head->fields[head->nfields - 1], colon,
						   line + len - colon))
	{
		head->why = "There is a tab in a header line of the body's length.";
		return 400;
	}
	return status;
}

/* Every line is known to end with CRLF, the last one to be empty. */
int
intake_h1_head_read(Head *head, const char *text, size_t len)
{
	const char *end = text + len - 2;
	const char *next = memchr(text, '\r', len);
	int			status = read_request_line(head, text, next - text);

	for (text = next + 2; status == 0 && text < end; text = next + 2)
	{
		next = memchr(text, '\r', end - text);
		status = read_field(head, text, next - text);
	}
	if (status == 0)
		status = intake_head_check(head);
	return status;
}
