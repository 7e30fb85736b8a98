/*-------------------------------------------------------------------------
 *
 * option_table.h
 *	  One table of options: names, types, defaults, doors and texts.
 *
 *-------------------------------------------------------------------------
 */
#ifndef INTAKE_OPTION_TABLE_H
#define INTAKE_OPTION_TABLE_H

typedef enum IntakeOptionType
{
	INTAKE_OPTION_BOOL,
	INTAKE_OPTION_CHARACTER,	/* one ASCII character */
	INTAKE_OPTION_COUNT,
	INTAKE_OPTION_DELIMITER,	/* a character, or auto */
	INTAKE_OPTION_ENCODING,
	INTAKE_OPTION_MAX_ERRORS,	/* a count, or a share of the records */
	INTAKE_OPTION_NAMES,		/* array of names */
	INTAKE_OPTION_TEXT,
	INTAKE_OPTION_WORD			/* one of words */
} IntakeOptionType;

typedef struct IntakeOptionWord
{
	const char *word;
	int			value;
} IntakeOptionWord;

typedef struct IntakeOptionDefinition
{
	const char *name;
	IntakeOptionType type;
	size_t		offset;			/* in IntakeOptions */
	const IntakeOptionWord *words;
	int			doors;
	const char *default_text;	/* for the README */
	const char *text;
} IntakeOptionDefinition;

/* The option of that name; NULL if the door has none. */
extern const IntakeOptionDefinition *
intake_option_table_find(const char *name, int door);

/* The same; an error that lists the valid ones if the door has none. */
extern const IntakeOptionDefinition *
intake_option_table_require(const char *name, int door);

/* The names of the door's options, quoted, for a hint. */
extern char *intake_option_table_names(int door);

/* The name and text of option i of a door, counted from 0; false at the end. */
extern bool intake_option_table_describe(int i, int door, const char **name,
										 const char **text);

#endif							/* INTAKE_OPTION_TABLE_H */
