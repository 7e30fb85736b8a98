/*-------------------------------------------------------------------------
 *
 * chars.c
 *	  Which bytes may stand where in a head (RFC 9110, RFC 3986), UTF-8.
 *
 *-------------------------------------------------------------------------
 */
#include <string.h>

#include "format/scan_utf8.h"
#include "hex_digit.h"
#include "http/chars.h"

static bool
is_alphanumeric(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
		(c >= '0' && c <= '9');
}

static bool
is_one_of(char c, const char *set)
{
	return c != '\0' && strchr(set, c) != NULL;
}

bool
intake_chars_is_token(char c)
{
	return is_alphanumeric(c) || is_one_of(c, "!#$%&'*+-.^_`|~");
}

bool
intake_chars_are_token(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++)
	{
		if (!intake_chars_is_token(text[i]))
			return false;
	}
	return len > 0;
}

bool
intake_chars_are_value(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++)
	{
		unsigned char c = (unsigned char) text[i];

		if ((c < ' ' && c != '\t') || c == 127)
			return false;
	}
	return intake_chars_are_utf8(text, len);
}

static bool
are_uri_chars(const char *text, size_t len, const char *others)
{
	for (size_t i = 0; i < len; i++)
	{
		if (text[i] == '%')
		{
			if (len - i < 3 || intake_hex_digit_value(text[i + 1]) < 0 ||
				intake_hex_digit_value(text[i + 2]) < 0 ||
				(text[i + 1] == '0' && text[i + 2] == '0'))
				return false;
			i += 2;
		}
		else if (!is_alphanumeric(text[i]) && !is_one_of(text[i], others))
			return false;
	}
	return true;
}

bool
intake_chars_are_path(const char *text, size_t len)
{
	return len > 0 && text[0] == '/' &&
		are_uri_chars(text, len, "-._~!$&'()*+,;=:@/");
}

/*
 * Many clients leave square brackets, braces and the vertical bar as they
 * are in queries; nothing is ambiguous about them there.
 */
bool
intake_chars_are_query(const char *text, size_t len)
{
	return are_uri_chars(text, len, "-._~!$&'()*+,;=:@/?[]{}|\"\\^`");
}

static bool
are_port(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++)
	{
		if (text[i] < '0' || text[i] > '9')
			return false;
	}
	return len <= 5;
}

bool
intake_chars_are_authority(const char *text, size_t len)
{
	const char *end;
	const char *colon;

	if (len > 0 && text[0] == '[')
	{
		end = memchr(text, ']', len);
		if (end == NULL || end - text < 3)
			return false;
		for (const char *c = text + 1; c < end; c++)
		{
			if (intake_hex_digit_value(*c) < 0 && !is_one_of(*c, ":."))
				return false;
		}
		end++;
		return end == text + len ||
			(*end == ':' && are_port(end + 1, text + len - end - 1));
	}
	/* a comma may stand in a name, but would be a list's */
	colon = memchr(text, ':', len);
	end = colon != NULL ? colon : text + len;
	return end > text &&
		are_uri_chars(text, end - text, "-._~!$&'()*+;=") &&
		(colon == NULL || are_port(colon + 1, text + len - colon - 1));
}

bool
intake_chars_are_utf8(const char *text, size_t len)
{
	return intake_scan_utf8_valid(text, len) == len;
}
