/*-------------------------------------------------------------------------
 *
 * format_text.h
 *	  What the decoders of text formats share.
 *
 *-------------------------------------------------------------------------
 */
#ifndef INTAKE_FORMAT_TEXT_H
#define INTAKE_FORMAT_TEXT_H

#include "compat.h"
#include "source/source.h"

/* Passes over a byte order mark at the start of the payload. */
extern void intake_format_skip_bom(IntakeSource *source);

/*
 * A palloc'd copy to show in a message: cut at max bytes and at the first
 * byte that no message can hold, with "..." behind it then.
 */
extern char *intake_format_show(const char *text, size_t len, size_t max);

/* Raises the error for the broken character at text. */
extern void intake_format_report_utf8(const char *text, size_t len)
			pg_attribute_noreturn();

/* Raises the error for a record longer than pg_intake.max_record_size. */
extern void intake_format_report_long_record(void)
			pg_attribute_noreturn();

#endif							/* INTAKE_FORMAT_TEXT_H */
