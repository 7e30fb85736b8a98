/*-------------------------------------------------------------------------
 *
 * source_spool.h
 *	  A payload that is received whole before it is used.
 *
 *-------------------------------------------------------------------------
 */
#ifndef INTAKE_SOURCE_SPOOL_H
#define INTAKE_SOURCE_SPOOL_H

#include "source/source.h"

/*
 * Reads all of a UTF-8 source, of which nothing has been read, into a
 * temporary file, and returns a source of the same bytes that never waits.
 * The file is gone when its end has been read, or with the (sub)transaction;
 * temp_file_limit applies.  In the current memory context.
 */
extern IntakeSource *intake_source_open_spool(IntakeSource *source);

#endif							/* INTAKE_SOURCE_SPOOL_H */
