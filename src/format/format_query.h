/*-------------------------------------------------------------------------
 *
 * format_query.h
 *	  The "format" of intake.upload_query(): the rows of a query.
 *
 * The payload is the text of the query, in the server's encoding; the source
 * has it at hand.  Beginning the decoder runs the query with the rights of
 * the current user, under a snapshot of its own, and each record is one row
 * of it: nothing that the operation writes is seen by the query.  The query's
 * columns are matched to the target's by name and converted as INSERT ...
 * SELECT converts them.
 *
 * It is not among the formats that have a name: a request says is_query.
 *
 *-------------------------------------------------------------------------
 */
#ifndef INTAKE_FORMAT_QUERY_H
#define INTAKE_FORMAT_QUERY_H

#include "format/format.h"

extern const IntakeFormatRoutine intake_format_query;

#endif							/* INTAKE_FORMAT_QUERY_H */
