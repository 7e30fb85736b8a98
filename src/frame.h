/*-------------------------------------------------------------------------
 *
 * frame.h
 *	  Frames between gateway, HTTP program and loaders.  Plain C.
 *
 * A frame is four bytes of length, highest first, a byte of type and a
 * payload; the length counts type and payload.  Payloads are JSON objects in
 * UTF-8, but for the bytes of bodies.  What each type means, and who sends it
 * when, is in src/http/README.md.
 *
 * The caller owns the buffers:
 *
 *		while ((used = intake_frame_read(buf, len, &frame)) > 0)
 *			... frame.payload points into buf; go on behind it ...
 *		0: read more behind what is there; -1: the peer speaks another
 *		language, close the connection.
 *
 * A frame never needs a buffer of more than INTAKE_FRAME_HEAD +
 * INTAKE_FRAME_MAX bytes.
 *
 *-------------------------------------------------------------------------
 */
#ifndef INTAKE_FRAME_H
#define INTAKE_FRAME_H

#include <stddef.h>

#define INTAKE_FRAME_HEAD	5
#define INTAKE_FRAME_MAX	(1024 * 1024)	/* of a payload */
#define INTAKE_FRAME_BODY	(64 * 1024) /* of a piece of a body */

/* gateway to program */
#define INTAKE_FRAME_CONFIGURE	'F'
#define INTAKE_FRAME_UPDATE		'U'
#define INTAKE_FRAME_FINISH		'Z'
/* program to gateway */
#define INTAKE_FRAME_LISTENING	'K'
#define INTAKE_FRAME_WANTED		'N'
#define INTAKE_FRAME_LOG		'L'
#define INTAKE_FRAME_COUNTERS	'S'
/* loader to program */
#define INTAKE_FRAME_HELLO		'H'
#define INTAKE_FRAME_GO_ON		'G'
#define INTAKE_FRAME_ANSWER		'R'
#define INTAKE_FRAME_ANSWER_BODY	'B'
#define INTAKE_FRAME_ANSWER_END	'T'
#define INTAKE_FRAME_RETIRE		'C'
/* program to loader */
#define INTAKE_FRAME_REQUEST	'Q'
#define INTAKE_FRAME_BODY_DATA	'D'
#define INTAKE_FRAME_BODY_END	'E'
#define INTAKE_FRAME_BODY_BROKEN	'X'

typedef struct IntakeFrame
{
	char		type;
	const char *payload;		/* not terminated */
	size_t		len;
} IntakeFrame;

/*
 * Reads the frame that buf begins with.  Returns how many bytes it takes, 0
 * when its end is not there yet, -1 when no frame begins so.
 */
extern long intake_frame_read(const char *buf, size_t len,
							  IntakeFrame *frame);

/* Writes the head of a frame whose payload has len bytes. */
extern void intake_frame_head(char head[INTAKE_FRAME_HEAD], char type,
							  size_t len);

#endif							/* INTAKE_FRAME_H */
