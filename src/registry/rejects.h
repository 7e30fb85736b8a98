/*-------------------------------------------------------------------------
 *
 * rejects.h
 *	  The bad records that one operation sets aside.
 *
 * decoder --bad record--> (limit) --> store, spilling --> intake.reject_N
 *								   +-> the first ones --> answer, DETAIL
 *
 * Nothing is written before the operation ends: a client that sends slowly
 * must not hold a transaction id.
 *
 *-------------------------------------------------------------------------
 */
#ifndef INTAKE_REJECTS_H
#define INTAKE_REJECTS_H

#include "options.h"

/* How much of a text is kept, in bytes. */
#define INTAKE_MAX_REJECT_TEXT 10000

/* All texts are in the server's encoding; NULL where there is none. */
typedef struct IntakeReject
{
	uint64		record;
	uint64		line;			/* 0: no lines */
	const char *text;			/* the record itself */
	const char *column;
	const char *value;
	const ErrorData *error;
} IntakeReject;

typedef struct IntakeRejects IntakeRejects;

/*
 * None yet, in the current memory context and resource owner; NULL when the
 * options tolerate none.  has_lines: line numbers are of the client's making.
 */
extern IntakeRejects *intake_rejects_make(const IntakeOptions *options,
										  bool has_lines);

/*
 * Whether the error is one of the data, as record or row, so that the record
 * may be set aside.
 */
extern bool intake_rejects_tolerates(const ErrorData *error);

/*
 * Adds a copy.  Raises the error of the whole operation when there are more
 * than max_errors, a count.
 */
extern void intake_rejects_add(IntakeRejects *rejects,
							   const IntakeReject *reject);

/* How many there are; 0 for NULL. */
extern int64 intake_rejects_count(const IntakeRejects *rejects);

/*
 * Raises the error of the whole operation when more than max_errors, a share,
 * of so many records are bad.
 */
extern void intake_rejects_judge(const IntakeRejects *rejects, int64 received);

/*
 * The first by record number, at most max_error_report, as a JSON array; NULL
 * when there are none.
 */
extern Jsonb *intake_rejects_report(const IntakeRejects *rejects);

/* Writes all of them into a slice, as those of an operation. */
extern void intake_rejects_store(IntakeRejects *rejects, int slice,
								 int64 sys_cn, Oid target);

/* Frees memory and files. */
extern void intake_rejects_end(IntakeRejects *rejects);

#endif							/* INTAKE_REJECTS_H */
