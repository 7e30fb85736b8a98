/*-------------------------------------------------------------------------
 *
 * convert.h
 *	  From a payload's values to Datums.
 *
 * Each function takes one value of the payload in one of the forms that
 * formats have (text, JSON scalar, nested JSON, number, bytes) and returns
 * the Datum for the column, domain constraints checked, in the current
 * memory context.  A value that does not fit is an error with an SQLSTATE of
 * class 22 or 23 whose message shows the value; the position is put into
 * CONTEXT by ingest.c.
 *
 * Texts come in as UTF-8 that the decoder has checked, without NUL bytes and
 * not terminated.
 *
 *-------------------------------------------------------------------------
 */
#ifndef INTAKE_CONVERT_H
#define INTAKE_CONVERT_H

#include "columns.h"

/* How much of a value an error message shows, in bytes. */
#define INTAKE_MAX_SHOWN_VALUE 200

/*
 * Fills the conversion members of a column from its type and typmod.  Caches
 * live in the current memory context.
 */
extern void intake_convert_prepare(IntakeColumn *column);

/*
 * A value for a message: UTF-8 bytes as text of the server's encoding, cut at
 * INTAKE_MAX_SHOWN_VALUE bytes; bytes that are no character of it are shown
 * as "?".  Never raises an error, so that an error's context may call it.
 */
extern char *intake_convert_show(const char *text, size_t len);

/* The same, cut at max bytes. */
extern char *intake_convert_show_most(const char *text, size_t len,
									  size_t max);

/*
 * Raises 22023 for a value, or what it is in words, that the field sys_op
 * cannot have.
 */
extern void intake_convert_report_sys_op(const char *text, size_t len)
			pg_attribute_noreturn();

/* The Datum for NULL: checks domain constraints, returns 0. */
extern Datum intake_convert_null(IntakeColumn *column);

/* A text: a CSV field, a JSON string's value, an Avro string. */
extern Datum intake_convert_text(IntakeColumn *column, const char *text,
								 size_t len);

/*
 * A JSON number in its own letters (RFC 8259 grammar, already checked).
 * is_strict (option types => 'strict') refuses it for columns that are not
 * numeric.  Integer columns take 1, 1.0 and 1e3, not 1.5.
 */
extern Datum intake_convert_json_number(IntakeColumn *column,
										const char *number, size_t len,
										bool is_strict);

/* A JSON string's value, unescaped. */
extern Datum intake_convert_json_string(IntakeColumn *column,
										const char *text, size_t len,
										bool is_strict);

/* true or false, of JSON or Avro. */
extern Datum intake_convert_bool(IntakeColumn *column, bool value,
								 bool is_strict);

/*
 * A JSON object or array, as its own text, already checked for grammar.
 * Goes into json, jsonb, arrays, composites and point.
 */
extern Datum intake_convert_json_nested(IntakeColumn *column,
										const char *json, size_t len,
										bool is_strict);

/* An Avro int or long. */
extern Datum intake_convert_int64(IntakeColumn *column, int64 value);

/* An Avro float (is_single) or double. */
extern Datum intake_convert_float(IntakeColumn *column, double value,
								  bool is_single);

/* Avro bytes or fixed without a logical type. */
extern Datum intake_convert_bytes(IntakeColumn *column, const uint8 *bytes,
								  size_t len);

/*
 * Avro decimal: a big-endian two's-complement integer of len bytes, to be
 * divided by 10^scale.
 */
extern Datum intake_convert_decimal(IntakeColumn *column,
									const uint8 *unscaled, size_t len,
									int scale);

/* Days since 1970-01-01. */
extern Datum intake_convert_days(IntakeColumn *column, int64 days);

/* Microseconds since midnight. */
extern Datum intake_convert_time_of_day(IntakeColumn *column,
										int64 microseconds);

/*
 * Microseconds since 1970-01-01 00:00:00, UTC for an instant, without a zone
 * when is_local.  A column of type timestamp takes either.
 */
extern Datum intake_convert_instant(IntakeColumn *column,
									int64 microseconds, bool is_local);

/* Avro duration. */
extern Datum intake_convert_duration(IntakeColumn *column, uint32 months,
									 uint32 days, uint32 milliseconds);

/* 16 bytes of a UUID. */
extern Datum intake_convert_uuid(IntakeColumn *column,
								 const uint8 bytes[16]);

#endif							/* INTAKE_CONVERT_H */
