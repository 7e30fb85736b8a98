/*-------------------------------------------------------------------------
 *
 * link.h
 *	  A socket that carries frames, seen from a backend.
 *
 *-------------------------------------------------------------------------
 */
#ifndef INTAKE_LINK_H
#define INTAKE_LINK_H

#include "frame.h"

typedef struct IntakeLink IntakeLink;

typedef enum IntakeLinkEvent
{
	INTAKE_LINK_FRAME,
	INTAKE_LINK_NOTHING,		/* the time is over, or the latch was set */
	INTAKE_LINK_CLOSED			/* by the peer, or broken */
} IntakeLinkEvent;

/* Over a connected socket, in the current memory context. */
extern IntakeLink *intake_link_make(pgsocket socket);

extern pgsocket intake_link_socket(const IntakeLink *link);

/*
 * The next frame, whose payload is good until the next call.  Waits for up to
 * timeout ms (0: not at all, -1: for ever); with wakes, returns NOTHING when
 * the process's latch is set, else goes on after the interrupts are seen to.
 */
extern IntakeLinkEvent intake_link_receive(IntakeLink *link,
										   IntakeFrame *frame, long timeout,
										   bool wakes);

/*
 * Takes a frame, to be sent together with what follows it; much is sent at
 * once, which may fail as sending may.
 */
extern bool intake_link_put(IntakeLink *link, char type, const void *payload,
							size_t len, long timeout);

/* Sends what was put, as intake_link_send() does. */
extern bool intake_link_flush(IntakeLink *link, long timeout);

/*
 * Sends a frame and what was put before it, waiting while the peer is slow,
 * for up to timeout ms (-1: for ever).  False when the peer has gone or the
 * time is over; the link is as good as closed then.
 */
extern bool intake_link_send(IntakeLink *link, char type, const void *payload,
							 size_t len, long timeout);

/* Whether the peer has gone, as far as that is known now. */
extern bool intake_link_is_closed(IntakeLink *link);

/* Closes the socket and frees the link. */
extern void intake_link_close(IntakeLink *link);

#endif							/* INTAKE_LINK_H */
