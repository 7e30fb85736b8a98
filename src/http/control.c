/*-------------------------------------------------------------------------
 *
 * control.c
 *	  The gateway: its wishes come, our reports go.
 *
 *-------------------------------------------------------------------------
 */
#include <stdlib.h>
#include <string.h>

#include "http/chars.h"
#include "http/control.h"
#include "http/log.h"
#include "http/transport.h"

/* A gateway that reads nothing costs us so much, then lines are lost. */
#define MAX_OUT (1024 * 1024)

static Transport *transport;
static const ControlRoutine *routine;

static void
write_log(const char *level, const char *message, const char *detail)
{
	json_t	   *object;

	if (!intake_chars_are_utf8(message, strlen(message)) ||
		(detail != NULL && !intake_chars_are_utf8(detail, strlen(detail))))
		return;
	object = json_pack("{s:s, s:s}", "level", level, "message", message);
	json_object_set_new(object, "detail", detail ? json_string(detail) :
						json_null());
	intake_control_send(INTAKE_FRAME_LOG, object);
}

static void
take_input(void *owner)
{
	struct evbuffer *in = transport->in;
	size_t		len = evbuffer_get_length(in);
	IntakeFrame frame;
	long		used;

	while (len > 0)
	{
		used = intake_frame_read((const char *) evbuffer_pullup(in, -1), len,
								 &frame);
		if (used < 0)
		{
			intake_log(LOG_LEVEL_WARNING, NULL,
					   "the gateway sent a frame that does not fit");
			routine->ended();
			return;
		}
		if (used == 0)
			return;
		routine->frame(&frame);
		evbuffer_drain(in, (size_t) used);
		len -= (size_t) used;
	}
}

static void
take_end(void *owner, TransportEnd end)
{
	routine->ended();
}

static const TransportRoutine control_routine = {take_input, NULL, take_end};

void
intake_control_open(struct event_base *base, int fd,
					const ControlRoutine *callbacks)
{
	routine = callbacks;
	transport = intake_transport_new(base, fd, NULL, 0, &control_routine,
									 NULL);
	intake_log_open(write_log);
}

void
intake_control_send(char type, json_t *object)
{
	char	   *text = json_dumps(object, JSON_COMPACT);
	char		head[INTAKE_FRAME_HEAD];

	json_decref(object);
	if (text == NULL)
		return;
	if (evbuffer_get_length(transport->out) < MAX_OUT)
	{
		intake_frame_head(head, type, strlen(text));
		evbuffer_add(transport->out, head, sizeof(head));
		evbuffer_add(transport->out, text, strlen(text));
		intake_transport_flush(transport);
	}
	free(text);
}

void
intake_control_close(void)
{
	intake_log_open(NULL);
	evbuffer_write(transport->out, transport->fd);
	intake_transport_free(transport);
}
