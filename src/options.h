/*-------------------------------------------------------------------------
 *
 * options.h
 *	  The options of an upload, checked in one place for all doors.
 *
 *-------------------------------------------------------------------------
 */
#ifndef INTAKE_OPTIONS_H
#define INTAKE_OPTIONS_H

#include "nodes/pg_list.h"
#include "utils/jsonb.h"

typedef enum IntakeTruncate
{
	INTAKE_TRUNCATE_NO,
	INTAKE_TRUNCATE_DELETE,		/* true: by DELETE */
	INTAKE_TRUNCATE_FAST		/* 'fast': by TRUNCATE */
} IntakeTruncate;

typedef enum IntakeExisting
{
	INTAKE_EXISTING_UPDATE,		/* a present row is replaced */
	INTAKE_EXISTING_KEEP		/* a present row is left alone */
} IntakeExisting;

typedef enum IntakeUpdateColumns
{
	INTAKE_UPDATE_ALL,			/* what a record leaves out gets its default */
	INTAKE_UPDATE_PRESENT		/* it keeps its value */
} IntakeUpdateColumns;

typedef enum IntakeUnknown
{
	INTAKE_UNKNOWN_ERROR,
	INTAKE_UNKNOWN_IGNORE
} IntakeUnknown;

typedef enum IntakeTypes
{
	INTAKE_TYPES_LENIENT,
	INTAKE_TYPES_STRICT
} IntakeTypes;

typedef enum IntakeRows
{
	INTAKE_ROWS_ANY,
	INTAKE_ROWS_ARRAY
} IntakeRows;

/* How many bad records are set aside instead of failing the operation. */
typedef struct IntakeMaxErrors
{
	int64		count;
	int64		per_million;	/* of the records; 0: count counts */
	const char *text;			/* the share as it was given */
} IntakeMaxErrors;

typedef struct IntakeOptions
{
	/* CSV; each of the first three is one ASCII character */
	char	   *delimiter;		/* or 'auto' */
	char	   *quote;
	char	   *escape;
	char	   *null;			/* NULL: an unquoted empty field is NULL */
	bool		header;
	List	   *columns;		/* names (char *); NIL: the table's */
	int			encoding;		/* of the payload */

	/* matching and conversion */
	int			unknown;		/* IntakeUnknown */
	int			types;			/* IntakeTypes */
	int			rows;			/* IntakeRows */

	/* writing */
	List	   *key;			/* names (char *); NIL: the target's */
	bool		key_given;		/* by the call, not by the registration */
	int			existing;		/* IntakeExisting */
	int			update_columns; /* IntakeUpdateColumns */
	char	   *newer_by;		/* column, or NULL */
	const char *merge_option;	/* of these two, what the call gives; NULL */
	int			truncate;		/* IntakeTruncate */
	bool		allow_empty;
	bool		fast;			/* partition delete by TRUNCATE */
	bool		dry_run;		/* everything is undone */

	/* bad records */
	IntakeMaxErrors max_errors;
	int			max_error_report;	/* so many are in the answer */

	char	   *query_id;		/* NULL: none */
} IntakeOptions;

/* Which calls take an option. */
#define INTAKE_DOOR_UPLOAD		0x01
#define INTAKE_DOOR_DELETE		0x02
#define INTAKE_DOOR_REGISTER	0x04	/* as a default of the target */

/*
 * Sets the options that a JSON object gives, for one of the doors above.  An
 * unrecognised option is an error that lists the valid ones, a bad value one
 * that says what is valid.  With base, which may be NULL, the defaults of a
 * registered target are set first.
 */
extern IntakeOptions *intake_options_parse(Jsonb *given, Jsonb *base,
										   int door);

/* Whether the options tolerate any bad record. */
static inline bool
intake_options_tolerate(const IntakeOptions *options)
{
	return options->max_errors.count > 0 ||
		options->max_errors.per_million > 0;
}

/*
 * The same of the given options alone, for what must be known before the
 * target is: values are checked, combinations are not.
 */
extern IntakeOptions *intake_options_peek(Jsonb *given, int door);

/*
 * Whether the door has an option of this name, and *is_list whether its value
 * is a list of names.
 */
extern bool intake_options_has(const char *name, int door, bool *is_list);

/*
 * Whether the value of an option is a list of names; an unrecognised option
 * is an error.
 */
extern bool intake_options_takes_names(const char *name, int door);

/*
 * The given options without those that a repeat of an operation may change
 * (query_id, dry_run), as text that is equal when the options are.
 */
extern char *intake_options_identity(Jsonb *given);

#endif							/* INTAKE_OPTIONS_H */
