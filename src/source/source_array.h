/*-------------------------------------------------------------------------
 *
 * source_array.h
 *	  The elements of a JSON array as NDJSON, one line an element.
 *
 * The array is text that comes from another source, in UTF-8; it is never in
 * memory as a whole, nor as a value of type jsonb, which may take a hundred
 * times its text.  Elements are told apart here; whether each is JSON is for
 * the decoder to say.  Count and digest are those of the lines.
 *
 *-------------------------------------------------------------------------
 */
#ifndef INTAKE_SOURCE_ARRAY_H
#define INTAKE_SOURCE_ARRAY_H

#include "source/source.h"

/*
 * Opens the source, of which nothing has been read.  Reading raises 22P02
 * where the text is no array, with the hint.
 */
extern IntakeSource *intake_source_open_array(IntakeSource *text,
											  const char *hint);

#endif							/* INTAKE_SOURCE_ARRAY_H */
