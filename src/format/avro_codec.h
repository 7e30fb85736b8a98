/*-------------------------------------------------------------------------
 *
 * avro_codec.h
 *	  The codecs of Avro's container files.
 *
 *-------------------------------------------------------------------------
 */
#ifndef INTAKE_AVRO_CODEC_H
#define INTAKE_AVRO_CODEC_H

typedef struct IntakeAvroCodec IntakeAvroCodec;

/*
 * Opens the codec that a container file's header names (not terminated); an
 * error that lists the codecs if there is none of this name.  It lives in
 * the current memory context and frees what its library holds when that goes.
 */
extern IntakeAvroCodec *intake_avro_codec_open(const char *name, size_t len);

/*
 * Inflates a block.  The result stays good until the next call; it may be
 * the stored bytes themselves.  Errors when they are damaged or when they
 * inflate to more than pg_intake.max_avro_block_size.
 */
extern const char *intake_avro_codec_inflate(IntakeAvroCodec *codec,
											 const char *stored, size_t len,
											 size_t *inflated_len);

#endif							/* INTAKE_AVRO_CODEC_H */
