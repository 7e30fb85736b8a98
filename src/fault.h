/*-------------------------------------------------------------------------
 *
 * fault.h
 *	  Where in the payload the last error was.
 *
 * The engine says as it goes where it is; an error takes the place over into
 * its CONTEXT, and it stays known for whoever answers in another form.
 *
 *-------------------------------------------------------------------------
 */
#ifndef INTAKE_FAULT_H
#define INTAKE_FAULT_H

#include "convert.h"
#include "format/format.h"
#include "source/source.h"
#include "write/batch.h"

/* Where an operation is. */
typedef struct IntakeProgress
{
	const IntakeSource *source;
	const char *relation;		/* the target's name */
	bool		is_delete;		/* of partitions */
	bool		is_decoding;	/* else writing, or what is done once */
	IntakePosition position;
	IntakeWritePosition write_position;
} IntakeProgress;

/* Room for what is shown of a value, with the dots behind a cut one. */
#define INTAKE_FAULT_LENGTH (4 * INTAKE_MAX_SHOWN_VALUE + 16)

/*
 * Where in the payload the last error was, in the database's encoding; the
 * members are what its CONTEXT says in words.
 */
typedef struct IntakeFault
{
	uint64		record;			/* 0: not in a record */
	uint64		line;			/* 0: not known */
	char		column[INTAKE_FAULT_LENGTH];	/* "": none */
	bool		has_value;
	char		value[INTAKE_FAULT_LENGTH];
} IntakeFault;

/*
 * An error context callback, with an IntakeProgress: adds where in the payload
 * it happened to the error's CONTEXT, and takes note of it.
 */
extern void intake_fault_report(void *progress);

/*
 * Where the error was that the last intake_ingest() has raised; empty after
 * one that went well, or when it was forgotten.  Whoever serves one client
 * after another forgets it in between.
 */
extern const IntakeFault *intake_fault_last(void);
extern void intake_fault_forget(void);

#endif							/* INTAKE_FAULT_H */
