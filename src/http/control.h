/*-------------------------------------------------------------------------
 *
 * control.h
 *	  The gateway: its wishes come, our reports go.
 *
 *-------------------------------------------------------------------------
 */
#ifndef INTAKE_HTTP_CONTROL_H
#define INTAKE_HTTP_CONTROL_H

#ifdef POSTGRES_H
#error "the HTTP program knows nothing of PostgreSQL"
#endif

#include <event2/event.h>
#include <jansson.h>

#include "frame.h"

typedef struct ControlRoutine
{
	void		(*frame) (const IntakeFrame *frame);
	void		(*ended) (void);	/* the gateway has gone, so we go */
} ControlRoutine;

/* Takes the descriptor; the log goes there from now on. */
extern void intake_control_open(struct event_base *base, int fd,
								const ControlRoutine *routine);

/* Sends a frame of JSON and takes the reference. */
extern void intake_control_send(char type, json_t *object);

/* Writes what is to be sent, as far as the gateway takes it at once. */
extern void intake_control_close(void);

#endif							/* INTAKE_HTTP_CONTROL_H */
