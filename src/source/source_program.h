/*-------------------------------------------------------------------------
 *
 * source_program.h
 *	  What a program on the server prints, as COPY FROM PROGRAM reads it.
 *
 * The program is started by the first read, so that it does not run for a
 * request that is refused.  It is ended when its output has been read, or
 * with the (sub)transaction in which the first read was.
 *
 *-------------------------------------------------------------------------
 */
#ifndef INTAKE_SOURCE_PROGRAM_H
#define INTAKE_SOURCE_PROGRAM_H

#include "source/source.h"

/*
 * Opens the output of a command for the server's shell.  Errors unless the
 * current user has the rights of pg_execute_server_program; so does the read
 * at the end when the program has failed.
 */
extern IntakeSource *intake_source_open_program(const char *command,
												int encoding);

#endif							/* INTAKE_SOURCE_PROGRAM_H */
