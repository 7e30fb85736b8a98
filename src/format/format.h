/*-------------------------------------------------------------------------
 *
 * format.h
 *	  The pull decoders: one record of a payload at a time.
 *
 * [source] --bytes--> scan_*.c --tokens--> format_*.c --values--> convert.c
 *
 * The scan_*.c files are plain C (no PostgreSQL header), take pointers and
 * lengths, and answer with tokens, "bad" or "need more", so that they can be
 * fuzzed and tested outside the server.  The format_*.c files are the
 * decoders: they feed the scanner from the source and put values into a row.
 *
 *-------------------------------------------------------------------------
 */
#ifndef INTAKE_FORMAT_H
#define INTAKE_FORMAT_H

#include "columns.h"
#include "options.h"
#include "source/source.h"

/*
 * Where a decoder is, for CONTEXT.  The decoder keeps it current *before*
 * it does what may fail.
 */
typedef struct IntakePosition
{
	uint64		record;			/* 0: before the first (header) */
	uint64		line;			/* 0: the format has no lines */
	const char *column;			/* name, or NULL */
	const char *value;			/* not terminated; NULL: none to show */
	size_t		value_len;
} IntakePosition;

typedef struct IntakeDecoder IntakeDecoder;

typedef struct IntakeFormatRoutine
{
	const char *name;			/* 'ndjson', 'csv', 'avro' */
	bool		is_binary;		/* cannot come in a text value */

	/*
	 * Reads what comes before the first record, matches it to the columns,
	 * and returns the decoder, allocated in the current memory context, with
	 * the public members set.
	 */
	IntakeDecoder *(*begin) (IntakeSource *source, IntakeColumnSet *columns,
							 const IntakeOptions *options,
							 IntakePosition *position);

	/*
	 * Decodes the next record into row and returns true, or returns false at
	 * the end of the payload.  Values by reference are allocated in the
	 * current memory context.
	 */
	bool		(*next) (IntakeDecoder *decoder, IntakeRow *row);

	/*
	 * Goes behind the record for which next() has raised an error with this
	 * SQLSTATE.  False when it is not known where the record ends: nothing
	 * can be read any more then.  What is wrong behind the fault with the
	 * record as such is an error.
	 */
	bool		(*skip) (IntakeDecoder *decoder, int sqlstate);

	/*
	 * The text of the record that was decoded or skipped last, UTF-8
	 * unchecked, without its line end; it stays until next() is called.
	 * NULL for a binary format.
	 */
	const char *(*text) (const IntakeDecoder *decoder, size_t *len);

	/* Frees what no memory context does. */
	void		(*end) (IntakeDecoder *decoder);
} IntakeFormatRoutine;

struct IntakeDecoder
{
	const IntakeFormatRoutine *routine;
	IntakeSource *source;
	IntakeColumnSet *columns;
	IntakePosition *position;	/* the caller's */

	/*
	 * Which columns every record gives, by column number; NULL when each
	 * record says so itself (object rows).
	 */
	bool	   *given;

	/*
	 * Decoding may run functions that look at the target, or write to it: no
	 * row may be on its way into the target meanwhile.
	 */
	bool		is_volatile;
};

extern const IntakeFormatRoutine intake_format_ndjson;
extern const IntakeFormatRoutine intake_format_csv;
extern const IntakeFormatRoutine intake_format_avro;

/* The format with this name; an error that lists the formats if none has. */
extern const IntakeFormatRoutine *intake_format_find(const char *name);

#endif							/* INTAKE_FORMAT_H */
