/*-------------------------------------------------------------------------
 *
 * avro_render.h
 *	  Nested Avro values as JSON text.
 *
 *-------------------------------------------------------------------------
 */
#ifndef INTAKE_AVRO_RENDER_H
#define INTAKE_AVRO_RENDER_H

#include "lib/stringinfo.h"

#include "format/avro_reader.h"

typedef struct IntakeAvroRender IntakeAvroRender;

/* A renderer of what the reader reads, in the current memory context. */
extern IntakeAvroRender *intake_avro_render_make(IntakeAvroReader *reader);

/*
 * Renders the reader's next value.  The text stays good until the next call.
 * is_json says that it goes into json or jsonb: NaN and the infinities are an
 * error then, else strings.  A text longer than pg_intake.max_record_size
 * and a map with a key twice are errors.
 */
extern StringInfo intake_avro_render_run(IntakeAvroRender *render,
										 const IntakeAvroSchema *schema,
										 bool is_json);

#endif							/* INTAKE_AVRO_RENDER_H */
