/*-------------------------------------------------------------------------
 *
 * source_file.h
 *	  Payloads that the server reads: files and the output of programs.
 *
 * The file is opened, or the program started, by the first read, so that
 * nothing of it happens to a request that is refused.  It is closed at its
 * end, or with the (sub)transaction in which the first read was.
 *
 *-------------------------------------------------------------------------
 */
#ifndef INTAKE_SOURCE_FILE_H
#define INTAKE_SOURCE_FILE_H

#include "source/source.h"

/*
 * Opens a file of the server; a relative path starts at the data directory.
 * Errors unless the current user has the rights of pg_read_server_files.
 */
extern IntakeSource *intake_source_open_file(const char *path, int encoding);

/*
 * Opens the output of a command for the server's shell.  Errors unless the
 * current user has the rights of pg_execute_server_program; so does the read
 * at the end when the program has failed.
 */
extern IntakeSource *intake_source_open_program(const char *command,
												int encoding);

#endif							/* INTAKE_SOURCE_FILE_H */
