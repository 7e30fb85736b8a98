/*-------------------------------------------------------------------------
 *
 * visit.c
 *	  A request at a loader: its head and body go there, the answer comes.
 *
 *-------------------------------------------------------------------------
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "http/metrics.h"
#include "http/request_state.h"

static json_t *
make_fields(const Head *head)
{
	json_t	   *list = json_array();

	for (size_t i = 0; i < head->nfields; i++)
		json_array_append_new(list, json_pack("[s, s]", head->fields[i].name,
											  head->fields[i].value));
	/* HTTP/2 says it in another way */
	if (head->authority != NULL && intake_head_get(head, "host") == NULL)
		json_array_append_new(list, json_pack("[s, s]", "host",
											  head->authority));
	return list;
}

static void
send_request(Request *request, Loader *loader)
{
	const Head *head = request->head;
	const char *body = "stream";
	json_t	   *object;

	if (!request->has_body)
		body = "none";
	else if (request->body.has_ended && !request->is_preflight)
		body = "all";
	object = json_pack("{s:s, s:s, s:s, s:s, s:b, s:s, s:s, s:o, s:b, s:s}",
					   "method", head->method,
					   "path", head->path,
					   "query", head->query ? head->query : "",
					   "version", head->version == HTTP_2 ? "2" :
					   head->version == HTTP_1_1 ? "1.1" : "1.0",
					   "tls", request->peer.is_tls,
					   "peer", request->peer.address,
					   "request_id", request->id,
					   "headers", make_fields(head),
					   "preflight", request->is_preflight,
					   "body", body);
	if (object == NULL)
		abort();
	json_object_set_new(object, "content_length", head->content_length < 0 ?
						json_null() : json_integer(head->content_length));
	intake_loader_send(loader, INTAKE_FRAME_REQUEST, object);
}

static void
send_end(Request *request)
{
	json_t	   *object = json_pack("{s:I}", "raw_bytes",
								   (json_int_t) request->body.raw_bytes);
	json_t	   *digests = intake_body_digests(&request->body);

	if (digests != NULL)
		json_object_set_new(object, "digests", digests);
	request->has_sent_end = true;
	intake_loader_send(request->visitor.loader, INTAKE_FRAME_BODY_END,
					   object);
}

static void
send_break(Request *request)
{
	request->has_sent_end = true;
	intake_loader_send(request->visitor.loader, INTAKE_FRAME_BODY_BROKEN,
					   json_pack("{s:s, s:i, s:b}",
								 "reason", request->break_reason,
								 "status", request->break_status,
								 "disconnect", request->is_disconnect));
}

/* The body is not what it should be: nothing more of it goes. */
static void
break_body(Request *request, int status)
{
	if (status == 413)
		intake_metrics_reject(REJECT_TOO_LARGE);
	request->is_broken = true;
	request->is_disconnect = false;
	request->break_status = status;
	request->break_reason = request->body.why;
	event_del(request->timer);
	send_break(request);
}

/* Hands on what there is room for.  False when the body turned out bad. */
static bool
move_body(Request *request)
{
	Loader	   *loader = request->visitor.loader;
	Body	   *body = &request->body;
	size_t		room;
	size_t		n;

	while ((room = intake_loader_room(loader)) > 0)
	{
		size_t		used;
		int			status = intake_body_decode(body, room, &used);

		if (status != 0)
		{
			break_body(request, status);
			return false;
		}
		if (used > 0 && request->stream != NULL)
			request->routine->took(request->stream, used);
		n = evbuffer_get_length(body->ready);
		if (n == 0)
			break;
		intake_loader_send_body(loader, body->ready, n < room ? n : room);
	}
	return true;
}

void
intake_visit_feed(Request *request)
{
	Body	   *body = &request->body;
	int			status;

	if (!request->is_loading || request->has_sent_end ||
		!request->has_body || request->visitor.loader == NULL)
		return;
	/* what is broken by more than a disconnect is not worth its bytes */
	if (!request->is_broken || request->is_disconnect)
	{
		if (!move_body(request) || evbuffer_get_length(body->raw) > 0 ||
			evbuffer_get_length(body->ready) > 0)
			return;
	}
	if (request->is_broken)
		send_break(request);
	else if (body->has_ended)
	{
		status = intake_body_check_end(body);
		if (status != 0)
			break_body(request, status);
		else
			send_end(request);
	}
}

/* A request whose client has gone keeps its loader, and its answer nobody. */
static void
begin_visit(void *owner, Loader *loader)
{
	Request    *request = owner;

	request->is_preflight = !request->is_accepted &&
		!intake_request_is_full(request);
	request->is_loading = !request->is_preflight;
	send_request(request, loader);
	if (request->is_loading)
	{
		intake_visit_feed(request);
		/* what waited is on its way; more may come */
		intake_request_choose(request);
	}
}

static void
give_more(void *owner)
{
	intake_visit_feed(owner);
	intake_request_choose(owner);
}

/*
 * The answer
 */

static bool
take_go_on(Request *request)
{
	if (!request->is_preflight || request->has_head)
		return false;
	request->is_preflight = false;
	request->is_accepted = true;
	if (request->head->expects_continue && request->stream != NULL &&
		request->body.raw_bytes == 0 && !request->body.has_ended)
		request->routine->send_continue(request->stream);
	intake_request_choose(request);
	return true;
}

static void
set_route(Request *request, const char *route)
{
	size_t		len = route != NULL ? strlen(route) : 0;

	if (len == 0 || len >= REQUEST_MAX_ROUTE ||
		strspn(route, "abcdefghijklmnopqrstuvwxyz0123456789_.-") != len)
		route = "other";
	snprintf(request->route, sizeof(request->route), "%s", route);
}

static bool
take_head(Request *request, const json_t *object)
{
	json_int_t	status = json_integer_value(json_object_get(object, "status"));
	Answer		answer;

	if (request->has_head || status < 200 || status > 599)
		return false;
	request->has_head = true;
	request->status = (int) status;
	set_route(request, json_string_value(json_object_get(object, "route")));
	if (request->stream == NULL)
		return true;
	intake_answer_init(&answer, (int) status);
	if (strcmp(request->head->method, "HEAD") == 0)
		answer.is_bodiless = true;
	intake_answer_add_list(&answer, json_object_get(object, "headers"));
	if (intake_answer_get(&answer, "x-request-id") == NULL)
		intake_answer_add(&answer, "x-request-id", request->id);
	request->routine->send_head(request->stream, &answer);
	intake_answer_clear(&answer);
	return true;
}

static bool
take_data(Request *request, const IntakeFrame *frame)
{
	size_t		waiting;

	if (!request->has_head)
		return false;
	if (request->stream == NULL || strcmp(request->head->method, "HEAD") == 0)
		return true;
	waiting = request->routine->send_data(request->stream, frame->payload,
										  frame->len);
	if (waiting > (size_t) request->server->config->limits.buffer_bytes)
		intake_loader_pause(request->visitor.loader, true);
	return true;
}

static bool
take_end(Request *request, const json_t *object)
{
	json_int_t	rows = json_integer_value(json_object_get(object, "rows"));
	Answer		trailers;

	if (!request->has_head)
		return false;
	request->rows = rows > 0 ? (uint64_t) rows : 0;
	request->is_logged = json_is_true(json_object_get(object, "logged"));
	intake_answer_init(&trailers, 0);
	intake_answer_add_list(&trailers, json_object_get(object, "trailers"));
	intake_request_finish(request);
	if (request->stream != NULL)
		request->routine->send_end(request->stream, &trailers);
	intake_answer_clear(&trailers);
	return true;
}

static void
lose_answer(void *owner)
{
	Request    *request = owner;

	request->is_preflight = false;
	request->is_loading = false;
	if (!request->is_answered)
	{
		intake_metrics_reject(REJECT_LOADER);
		if (!request->has_head)
			intake_request_refuse(request, 503,
								  "The loader ended before its answer.", 1);
		else
		{
			intake_request_finish(request);
			if (request->stream != NULL)
				request->routine->reset(request->stream);
		}
	}
	intake_request_release(request);
}

/*
 * Frames of a request that has been answered without its loader (the client
 * broke the protocol in a preflight) are of no interest.
 */
static bool
take_frame(void *owner, const IntakeFrame *frame)
{
	Request    *request = owner;
	json_t	   *object = NULL;
	bool		is_last = request->visitor.place == VISITOR_AWAY;
	bool		is_good = true;

	if (!request->is_answered && frame->type != INTAKE_FRAME_ANSWER_BODY)
		object = json_loadb(frame->payload, frame->len, 0, NULL);
	if (request->is_answered)
		is_good = true;
	else if (frame->type == INTAKE_FRAME_ANSWER_BODY)
		is_good = take_data(request, frame);
	else if (!json_is_object(object))
		is_good = false;
	else if (frame->type == INTAKE_FRAME_ANSWER)
		is_good = take_head(request, object);
	else if (frame->type == INTAKE_FRAME_ANSWER_END)
		is_good = take_end(request, object);
	else if (frame->type == INTAKE_FRAME_GO_ON)
		is_good = take_go_on(request);
	else
		is_good = false;
	json_decref(object);
	if (is_last && is_good)
		intake_request_release(request);
	else if (is_last)
		lose_answer(request);
	return is_good;
}

static void
give_up(void *owner)
{
	Request    *request = owner;

	intake_metrics_reject(REJECT_QUEUE);
	intake_request_refuse(request, 503, "No loader was free in time.", 1);
	intake_request_release(request);
}

static void
look_again(void *owner)
{
	Request    *request = owner;

	if (intake_request_is_hindered(request))
		intake_request_release(request);
}

const VisitRoutine intake_visit_routine = {
	begin_visit, take_frame, give_more, lose_answer, give_up, look_again
};
