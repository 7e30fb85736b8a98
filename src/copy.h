/*-------------------------------------------------------------------------
 *
 * copy.h
 *	  The COPY door: COPY ... FROM ... WITH (FORMAT ndjson | avro | csv, ...).
 *
 * The library must be loaded before the statement runs: by
 * shared_preload_libraries, session_preload_libraries or LOAD.
 *
 *-------------------------------------------------------------------------
 */
#ifndef INTAKE_COPY_H
#define INTAKE_COPY_H

/*
 * Puts the door into the chain of ProcessUtility hooks; called once, when the
 * library is loaded.  Statements that are not ours go on to the next hook.
 */
extern void intake_copy_install(void);

#endif							/* INTAKE_COPY_H */
