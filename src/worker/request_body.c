/*-------------------------------------------------------------------------
 *
 * request_body.c
 *	  The body of an HTTP request as a payload.
 *
 * The HTTP program has undone chunks and Content-Encoding; what comes in
 * frames is the payload.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "mb/pg_wchar.h"
#include "miscadmin.h"

#include "worker/request_body.h"

typedef struct BodyState
{
	IntakeLink *link;
	IntakeFrame frame;			/* the piece at hand */
	size_t		used;			/* so many of its bytes have been read */
	bool		is_ended;
} BodyState;

/* The body ends before its end: the frame says why. */
static void
report_broken(const IntakeFrame *frame)
{
	bool		has_gone;

	has_gone = strstr(pnstrdup(frame->payload, frame->len),
					  "\"disconnect\": true") != NULL ||
		strstr(pnstrdup(frame->payload, frame->len),
			   "\"disconnect\":true") != NULL;
	if (has_gone)
		ereport(ERROR,
				(errcode(ERRCODE_CONNECTION_FAILURE),
				 errmsg("the client has gone before the end of the body")));
	ereport(ERROR,
			(errcode(ERRCODE_PROTOCOL_VIOLATION),
			 errmsg("the body is broken")));
}

/* Takes the next frame; the body is over when it says so. */
static void
next_frame(BodyState *state)
{
	state->used = state->frame.len = 0;
	if (intake_link_receive(state->link, &state->frame, -1,
							false) != INTAKE_LINK_FRAME)
		ereport(ERROR,
				(errcode(ERRCODE_CONNECTION_FAILURE),
				 errmsg("the HTTP program has gone")));
	switch (state->frame.type)
	{
		case INTAKE_FRAME_BODY_DATA:
			break;
		case INTAKE_FRAME_BODY_END:
			state->is_ended = true;
			break;
		case INTAKE_FRAME_BODY_BROKEN:
			report_broken(&state->frame);
			break;
		default:
			ereport(ERROR,
					(errcode(ERRCODE_PROTOCOL_VIOLATION),
					 errmsg("unexpected frame \"%c\" in a body",
							state->frame.type)));
	}
}

static size_t
read_body(IntakeSource *source, char *out, size_t len)
{
	BodyState  *state = source->state;
	size_t		n;

	while (!state->is_ended && state->used == state->frame.len)
		next_frame(state);
	if (state->is_ended)
		return 0;
	n = Min(len, state->frame.len - state->used);
	memcpy(out, state->frame.payload + state->used, n);
	state->used += n;
	return n;
}

static const IntakeSourceRoutine body_routine = {"request", read_body};

IntakeSource *
intake_request_open_body(const IntakeHttpRequest *request)
{
	BodyState  *state = palloc0(sizeof(BodyState));
	IntakeSource *source;

	state->link = request->link;
	state->is_ended = !request->has_body;
	source = intake_source_open(&body_routine, state, PG_UTF8);
	source->kind = INTAKE_SOURCE_CLIENT;
	return source;
}
