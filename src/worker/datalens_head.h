/*-------------------------------------------------------------------------
 *
 * datalens_head.h
 *	  What the head of a DataLens write says.
 *
 *-------------------------------------------------------------------------
 */
#ifndef INTAKE_DATALENS_HEAD_H
#define INTAKE_DATALENS_HEAD_H

#include "registry/definition.h"
#include "utils/uuid.h"
#include "worker/request.h"

typedef struct IntakeDatalensHead
{
	pg_uuid_t	uuid;
	const char *table;			/* the path's */
	const char *definition;		/* X-DL-Table-Definition, which can be read;
								 * NULL: none */
	bool		truncates;		/* X-DL-Force-Truncate */
	bool		may_alter;		/* X-DL-Allow-Alter-Table */
} IntakeDatalensHead;

/*
 * Reads the headers of a write, in the current memory context.  Raises 22023
 * for those that are missing or malformed, IN415 for another type of body.
 */
extern IntakeDatalensHead *
intake_datalens_head_read(const IntakeHttpRequest *request);

/* The head's definition anew, for who changes it. */
extern IntakeDefinition *
intake_datalens_head_definition(const IntakeDatalensHead *head);

/*
 * What a repeat of the write must have, as text that is equal when the
 * headers say the same.
 */
extern char *intake_datalens_head_identity(const IntakeDatalensHead *head);

#endif							/* INTAKE_DATALENS_HEAD_H */
