/*-------------------------------------------------------------------------
 *
 * request_options.h
 *	  What a request's head says of the upload: format, mode, options, UUID.
 *
 *-------------------------------------------------------------------------
 */
#ifndef INTAKE_REQUEST_OPTIONS_H
#define INTAKE_REQUEST_OPTIONS_H

#include "ingest.h"
#include "options.h"
#include "worker/request.h"

/* A Content-Type that a payload may have. */
typedef struct IntakeMediaType
{
	const char *name;
	const char *format;
	bool		is_array;		/* one JSON array, not a line a record */
	bool		is_prostore;	/* Prostore's upload takes it, too */
} IntakeMediaType;

/* Ends with a NULL name. */
extern const IntakeMediaType intake_media_types[];

/*
 * The media type of the request's body, and its parameters (IntakeNamedText,
 * names in lower case, each once).  Raises IN415 when it is none of those
 * above, or of Prostore's.
 */
extern const IntakeMediaType *
intake_media_type_of(const IntakeHttpRequest *request, bool for_prostore,
					 List **parameters);

/* Raises IN415 for a charset that is not JSON's. */
extern void intake_media_type_check_utf8(const List *parameters);

/*
 * Raises IN415, with the hint, unless the body has the wanted media type, in
 * UTF-8 if it names a charset.
 */
extern void intake_media_type_check(const IntakeHttpRequest *request,
									const char *wanted, const char *hint);

/*
 * Sets mode, sys_op and options from the parameters of the query; door is
 * one of options.h, names are separated by commas or a JSON array.  Raises
 * 22023 for what no upload has.  type_parameters may be NIL.  Returns
 * whether it is a dry run.
 */
extern bool intake_request_set_options(IntakeRequest *upload,
									   const IntakeHttpRequest *request,
									   List *type_parameters, int door);

/* Raises 22023 for a parameter of the query that is given twice. */
extern void intake_request_check_repeated(const IntakeHttpRequest *request);

/* The UUID of a text in its usual form; raises 22023 for any other text. */
extern pg_uuid_t intake_request_uuid(const char *text);

/*
 * The UUID of a header, bare or quoted; false when there is none.
 */
extern bool intake_request_key(const IntakeHttpRequest *request,
							   const char *header, pg_uuid_t *uuid);

#endif							/* INTAKE_REQUEST_OPTIONS_H */
