/*-------------------------------------------------------------------------
 *
 * json_object.h
 *	  Small JSON objects from outside: headers and claims of tokens, keys.
 *
 * They are hostile.  A text is scanned first, for UTF-8, all of the grammar
 * and a limit of nesting, and only then made a jsonb.  An object that has a
 * member twice is refused, nested ones too (RFC 7515, section 4): jsonb would
 * keep the last, another reader the first, and the two would disagree on what
 * was signed.
 *
 *-------------------------------------------------------------------------
 */
#ifndef INTAKE_JSON_OBJECT_H
#define INTAKE_JSON_OBJECT_H

#include "nodes/pg_list.h"
#include "utils/jsonb.h"

/*
 * Reads a text in UTF-8, in the current memory context.  NULL, and what is
 * wrong with it (as in "the header ..."), if it is no such object.  The caller
 * limits the length.
 */
extern Jsonb *intake_json_object_read(const char *text, size_t len,
									  const char **problem);

/* A member in the object, or NULL. */
extern JsonbValue *intake_json_object_member(const Jsonb *object,
											 const char *name);

/*
 * A member of some type: false when it is there and of another type, and
 * *value is NULL, or NIL, when it is not there.  texts takes a string, or an
 * array of strings.
 */
extern bool intake_json_object_text(const Jsonb *object, const char *name,
									char **value);
extern bool intake_json_object_texts(const Jsonb *object, const char *name,
									 List **value);

/* The same for a number; *is_there tells whether it was there. */
extern bool intake_json_object_number(const Jsonb *object, const char *name,
									  double *value, bool *is_there);

/* Pushes a text, as a key, a value or an element, onto what is being made. */
extern void intake_json_object_push(JsonbParseState **state,
									JsonbIteratorToken token,
									const char *text);

#endif							/* INTAKE_JSON_OBJECT_H */
