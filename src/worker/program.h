/*-------------------------------------------------------------------------
 *
 * program.h
 *	  The HTTP program, as the gateway's child.
 *
 *-------------------------------------------------------------------------
 */
#ifndef INTAKE_PROGRAM_H
#define INTAKE_PROGRAM_H

#include "datatype/timestamp.h"

#include "worker/link.h"

typedef struct IntakeProgram
{
	pid_t		pid;			/* 0: it does not run */
	IntakeLink *link;			/* its control socket */
	TimestampTz next_start;		/* not before */
	int			delay;			/* ms before the start after next */
} IntakeProgram;

/*
 * Starts the program with its end of a new control socket as descriptor 3
 * and the listening socket for loaders as 4.  False, with a message in the
 * log and a later next_start, when that fails.  In the current memory
 * context.
 */
extern bool intake_program_start(IntakeProgram *program, pgsocket listener);

/*
 * Ends the program if it has not ended by itself, and takes note of it: sets
 * next_start and, unless that was expected, says so in the log.
 */
extern void intake_program_end(IntakeProgram *program, bool is_expected);

/* It has run well: the next start after an end need not wait long. */
extern void intake_program_settle(IntakeProgram *program);

#endif							/* INTAKE_PROGRAM_H */
