/*-------------------------------------------------------------------------
 *
 * request.h
 *	  An HTTP request, as a loader gets it.
 *
 *-------------------------------------------------------------------------
 */
#ifndef INTAKE_REQUEST_H
#define INTAKE_REQUEST_H

#include "nodes/pg_list.h"

#include "worker/link.h"

typedef struct IntakeNamedText
{
	char	   *name;
	char	   *value;
} IntakeNamedText;

typedef struct IntakeHttpRequest
{
	char	   *method;
	char	   *path;			/* as it was sent */
	char	   *query;			/* as it was sent, or NULL */
	List	   *segments;		/* of the path, decoded (char *) */
	List	   *parameters;		/* of the query, decoded (IntakeNamedText) */
	List	   *headers;		/* (IntakeNamedText), names in lower case */
	char	   *version;		/* "1.1" or "2" */
	char	   *peer;
	char	   *request_id;		/* or NULL */
	bool		is_preflight;	/* only the head is asked about */
	bool		has_body;
	IntakeLink *link;			/* brings the body, takes the answer */
} IntakeHttpRequest;

/*
 * Reads the frame's JSON, in the current memory context; segments and
 * parameters are not set.
 */
extern IntakeHttpRequest *intake_request_read(const IntakeFrame *frame,
											  IntakeLink *link);

/*
 * Sets segments and parameters.  Raises 22023 for a path or query that is not
 * well encoded.
 */
extern void intake_request_decode(IntakeHttpRequest *request);

/*
 * The value of a header, or NULL; of several the first.  Raises 22023 when
 * there are several of a header that only one counts of.
 */
extern const char *intake_request_header(const IntakeHttpRequest *request,
										 const char *name);
extern const char *intake_request_sole_header(const IntakeHttpRequest *request,
											  const char *name);

/* The value of a parameter of the query, or NULL. */
extern const char *intake_request_parameter(const IntakeHttpRequest *request,
											const char *name);

#endif							/* INTAKE_REQUEST_H */
