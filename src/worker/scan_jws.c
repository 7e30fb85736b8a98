/*-------------------------------------------------------------------------
 *
 * scan_jws.c
 *	  The parts of a signed token in its compact form.  Plain C.
 *
 *-------------------------------------------------------------------------
 */
#include "worker/scan_jws.h"

static bool
is_base64url(char c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
		   (c >= '0' && c <= '9') || c == '-' || c == '_';
}

bool
intake_scan_jws_split(const char *token, size_t len, IntakeJws *jws)
{
	IntakeJwsPart parts[3];
	int			nparts = 0;
	size_t		from = 0;
	size_t		i;

	for (i = 0; i <= len; i++)
	{
		if (i < len && is_base64url(token[i]))
			continue;
		if ((i < len && token[i] != '.') || nparts == 3)
			return false;
		parts[nparts].text = token + from;
		parts[nparts].len = i - from;
		nparts++;
		from = i + 1;
	}
	if (nparts != 3 || parts[0].len == 0 || parts[1].len == 0)
		return false;

	jws->header = parts[0];
	jws->claims = parts[1];
	jws->signature = parts[2];
	jws->content.text = token;
	jws->content.len = parts[0].len + 1 + parts[1].len;
	return true;
}
