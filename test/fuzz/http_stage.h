/*-------------------------------------------------------------------------
 *
 * http_stage.h
 *	  The HTTP program without its sockets: a client and loaders of paper.
 *
 *-------------------------------------------------------------------------
 */
#ifndef INTAKE_HTTP_STAGE_H
#define INTAKE_HTTP_STAGE_H

#include <stddef.h>
#include <stdint.h>

/*
 * A client sends `prefix` and the input, whole or in pieces, and goes away;
 * loaders answer as the input's first bytes choose.  In the end nothing may
 * be left: no request, no connection, no byte that waits.
 */
extern void http_stage_play(const uint8_t *data, size_t len,
							const char *prefix, size_t prefix_len);

#endif							/* INTAKE_HTTP_STAGE_H */
