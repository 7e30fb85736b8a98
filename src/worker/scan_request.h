/*-------------------------------------------------------------------------
 *
 * scan_request.h
 *	  The head of a request, as the HTTP program sends it: JSON.  Plain C.
 *
 * The program is what the Internet talks to, so it is not trusted: whatever
 * it sends, the result is a head whose texts are UTF-8 without NUL, or it is
 * refused.  src/http/README.md tells the members (of "Q"); others are passed
 * over.
 *
 *-------------------------------------------------------------------------
 */
#ifndef INTAKE_SCAN_REQUEST_H
#define INTAKE_SCAN_REQUEST_H

#include <stdbool.h>
#include <stddef.h>

/* Texts end with a NUL, and are NULL when they are not there. */
typedef struct IntakeScanRequest
{
	char	   *method;
	char	   *path;
	char	   *query;
	char	   *version;
	char	   *peer;
	char	   *request_id;
	char	   *body;			/* "none", "all" or "stream" */
	bool		is_preflight;

	/* name, value, name, value ...: one behind the other */
	char	   *headers;
	size_t		nheaders;		/* pairs */
} IntakeScanRequest;

/*
 * Reads a request's JSON.  The texts are written to out, where len bytes
 * suffice.  False unless it is one object whose members that are known are
 * there once and of their type, and method, path and version are there.
 */
extern bool intake_scan_request(const char *json, size_t len, char *out,
								IntakeScanRequest *request);

#endif							/* INTAKE_SCAN_REQUEST_H */
