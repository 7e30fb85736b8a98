/*-------------------------------------------------------------------------
 *
 * convert_internal.h
 *	  What the convert*.c files share.
 *
 * The functions named intake_convert_..._datum() return the Datum of the
 * base type, in the current memory context: domain constraints are for their
 * callers to check, by intake_convert_finish().
 *
 *-------------------------------------------------------------------------
 */
#ifndef INTAKE_CONVERT_INTERNAL_H
#define INTAKE_CONVERT_INTERNAL_H

#include "compat.h"
#include "convert.h"

/* The blanks that PostgreSQL's input functions skip around a value. */
static inline bool
intake_convert_is_blank(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

/* Takes the blanks around a value away. */
static inline void
intake_convert_trim(const char **text, size_t *len)
{
	while (*len > 0 && intake_convert_is_blank(**text))
	{
		(*text)++;
		(*len)--;
	}
	while (*len > 0 && intake_convert_is_blank((*text)[*len - 1]))
		(*len)--;
}

/* Whether the column's values are JSON texts, nested or not. */
static inline bool
intake_convert_is_json(const IntakeColumn *column)
{
	return column->conversion == INTAKE_CONVERT_JSON ||
		column->conversion == INTAKE_CONVERT_JSONB;
}

/* convert.c */

/* The name of the column's declared type, for messages. */
extern const char *intake_convert_type_name(const IntakeColumn *column);

/* Are texts to be converted from UTF-8? */
extern bool intake_convert_needs_encoding(void);

/* Checks the constraints of a domain, and returns the value. */
extern Datum intake_convert_finish(IntakeColumn *column, Datum value);

/* The type's own input function, on a text in UTF-8. */
extern Datum intake_convert_input_datum(IntakeColumn *column,
										const char *text, size_t len);
extern Datum intake_convert_text_datum(IntakeColumn *column,
									   const char *text, size_t len);

/* A text in the encoding of the server; not terminated. */
extern const char *intake_convert_recode(const char *text, size_t *len);

/* A Datum of type text, from the arena. */
extern Datum intake_convert_make_text(const char *text, size_t len);

/*
 * The Datum, constraints checked, of an Avro value in a form that is a text;
 * what names it for the error of a column that takes no text.
 */
extern Datum intake_convert_string_form(IntakeColumn *column,
										const char *text, const char *what);

/* invalid input syntax for type integer: "x" (22P02); detail may be NULL */
extern void intake_convert_report_syntax(const IntakeColumn *column,
										 const char *text, size_t len,
										 const char *detail)
			pg_attribute_noreturn();

/* value "x" is out of range for type integer (22003) */
extern void intake_convert_report_range(const IntakeColumn *column,
										const char *text, size_t len)
			pg_attribute_noreturn();

/* column of type integer cannot take a JSON object (42804) */
extern void intake_convert_report_mismatch(const IntakeColumn *column,
										   const char *what)
			pg_attribute_noreturn();

/* convert_number.c */

/* Texts, as the types' input functions read them. */
extern Datum intake_convert_integer_datum(IntakeColumn *column,
										  const char *text, size_t len);
extern Datum intake_convert_float_datum(IntakeColumn *column,
										const char *text, size_t len);
extern float8 intake_convert_parse_float8(const char *text, size_t len);

/*
 * A number by its letters (RFC 8259 grammar); what names it for the error of
 * a column that takes no number.
 */
extern Datum intake_convert_letters_datum(IntakeColumn *column,
										  const char *letters, size_t len,
										  const char *what);

/* convert_time.c: date, time, timetz, timestamp, timestamptz */
extern Datum intake_convert_time_datum(IntakeColumn *column,
									   const char *text, size_t len);

/* Says how a date or time is to be written; 22007. */
extern void intake_convert_report_time(const IntakeColumn *column,
									   const char *text, size_t len,
									   const char *detail)
			pg_attribute_noreturn();

/* convert_interval.c: the usual forms quickly, all others as interval_in() */
extern Datum intake_convert_interval_datum(IntakeColumn *column,
										   const char *text, size_t len);

/* convert_jsonb.c */

/* JSON, as jsonb_in() reads it. */
extern Datum intake_convert_jsonb_datum(IntakeColumn *column,
										const char *json, size_t len);

/* A text as a JSON string. */
extern Datum intake_convert_jsonb_string_datum(const char *string,
											   size_t len);

/* convert_nested.c */
extern Datum intake_convert_json_point_datum(IntakeColumn *column,
											 const char *json, size_t len);

#endif							/* INTAKE_CONVERT_INTERNAL_H */
