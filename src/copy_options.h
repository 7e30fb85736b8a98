/*-------------------------------------------------------------------------
 *
 * copy_options.h
 *	  What a COPY statement asks for, as a request.
 *
 *-------------------------------------------------------------------------
 */
#ifndef INTAKE_COPY_OPTIONS_H
#define INTAKE_COPY_OPTIONS_H

#include "ingest.h"
#include "nodes/parsenodes.h"
#include "parser/parse_node.h"

/*
 * Whether the statement is ours: a COPY FROM in format ndjson or avro, or in
 * format csv with an option that PostgreSQL's COPY does not have.  Raises no
 * error.
 */
extern bool intake_copy_is_upload(const CopyStmt *stmt);

/*
 * Sets format, operation, mode, sys_op and options of the request from such a
 * statement.  An option that is neither ours nor of use here is an error.
 */
extern void intake_copy_parse(ParseState *pstate, const CopyStmt *stmt,
							  IntakeRequest *request);

#endif							/* INTAKE_COPY_OPTIONS_H */
