/*-------------------------------------------------------------------------
 *
 * h2_stream.c
 *	  One stream of HTTP/2: a request's head as it comes, its answer as it
 *	  goes.
 *
 *-------------------------------------------------------------------------
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "http/h2_stream.h"

/* A stream's window once its body is being passed on. */
#define WIDE_WINDOW (1024 * 1024)
/* What is read and dropped behind an answer that came early. */
#define DROP_MAX (64 * 1024)
/*
 * With so much of its answers unread a client is not answered any more, and
 * with how much when all together have left so much unread.
 */
#define UNREAD_MAX ((size_t) 128 * 1024)
#define UNREAD_ALL ((size_t) 8 << 20)
#define UNREAD_MIN ((size_t) 8 * 1024)

static const StreamRoutine h2_stream_routine;

H2Stream *
intake_h2_stream_new(H2 *h2, int32_t id)
{
	H2Stream   *stream = calloc(1, sizeof(H2Stream));
	const Limits *limits = &h2->client->server->config->limits;

	if (stream == NULL || (stream->out = evbuffer_new()) == NULL)
		abort();
	stream->h2 = h2;
	stream->id = id;
	stream->head = intake_head_new(HTTP_2, (size_t) limits->header_count,
								   (size_t) limits->header_bytes);
	stream->head_began = intake_clock_ms();
	intake_answer_init(&stream->trailers, 0);
	TAILQ_INSERT_TAIL(&h2->streams, stream, link);
	h2->nstreams++;
	return stream;
}

void
intake_h2_stream_free(H2Stream *stream)
{
	if (stream->request != NULL)
		intake_request_leave(stream->request);
	intake_head_free(stream->head);
	intake_answer_clear(&stream->trailers);
	evbuffer_free(stream->out);
	TAILQ_REMOVE(&stream->h2->streams, stream, link);
	stream->h2->nstreams--;
	free(stream);
}

/*
 * The head
 */

static bool
is_name(const uint8_t *name, size_t len, const char *wanted)
{
	return strlen(wanted) == len && memcmp(name, wanted, len) == 0;
}

/* nghttp2 has seen to it that each pseudo field is there once, and first. */
void
intake_h2_stream_add(H2Stream *stream, const uint8_t *name, size_t name_len,
					 const uint8_t *value, size_t value_len)
{
	Head	   *head = stream->head;
	const char *text = (const char *) value;

	if (head == NULL || stream->status != 0)
		return;
	if (is_name(name, name_len, ":method"))
		stream->status = intake_head_set_method(head, text, value_len);
	else if (is_name(name, name_len, ":path"))
		stream->status = intake_head_set_target(head, text, value_len);
	else if (is_name(name, name_len, ":authority"))
		stream->status = intake_head_set_authority(head, text, value_len);
	else if (name_len > 0 && name[0] != ':')
		stream->status = intake_head_add_field(head, (const char *) name,
											   name_len, text, value_len);
}

static void
refuse_head(H2Stream *stream, int status)
{
	Client	   *client = stream->h2->client;
	struct evbuffer *body = evbuffer_new();
	Answer		answer;

	if (body == NULL)
		abort();
	intake_answer_init(&answer, status);
	intake_request_refuse_bad(client->server, &client->peer, stream->head,
							  &answer, stream->head->why);
	intake_answer_problem(&answer, body, stream->head->path,
						  stream->head->why);
	h2_stream_routine.send_head(stream, &answer);
	evbuffer_add_buffer(stream->out, body);
	stream->moved = intake_clock_ms();
	h2_stream_routine.send_end(stream, NULL);
	evbuffer_free(body);
	intake_answer_clear(&answer);
	intake_head_free(stream->head);
	stream->head = NULL;
}

void
intake_h2_account(H2 *h2)
{
	size_t		unread = evbuffer_get_length(h2->client->transport->out);
	const H2Stream *stream;

	TAILQ_FOREACH(stream, &h2->streams, link)
	{
		unread += evbuffer_get_length(stream->out);
	}
	h2->client->server->unread_bytes += unread - h2->unread;
	h2->unread = unread;
}

static bool
is_unread(H2 *h2)
{
	intake_h2_account(h2);
	return h2->unread >
		(h2->client->server->unread_bytes > UNREAD_ALL ?
		 UNREAD_MIN : UNREAD_MAX);
}

void
intake_h2_stream_begin(H2Stream *stream, bool has_body)
{
	Client	   *client = stream->h2->client;
	int			status = stream->status;

	stream->is_read = !has_body;
	if (is_unread(stream->h2))
	{
		/* nothing has been done: it may ask again once it has read */
		nghttp2_submit_rst_stream(stream->h2->session, NGHTTP2_FLAG_NONE,
								  stream->id, NGHTTP2_REFUSED_STREAM);
		return;
	}
	if (status == 0)
		status = intake_head_check(stream->head);
	if (status != 0)
	{
		refuse_head(stream, status);
		return;
	}
	stream->request = intake_request_new(client->server, stream->head,
										 has_body, &client->peer,
										 &h2_stream_routine, stream);
	stream->head = NULL;
	intake_request_start(stream->request);
}

/*
 * The body
 */

void
intake_h2_stream_take(H2Stream *stream, const uint8_t *data, size_t len)
{
	H2		   *h2 = stream->h2;

	if (stream->request == NULL || stream->end_sent != 0)
	{
		stream->dropped += len;
		if (stream->dropped <= DROP_MAX)
			nghttp2_session_consume_stream(h2->session, stream->id, len);
		return;
	}
	if (evbuffer_add(h2->scratch, data, len) != 0)
		abort();
	intake_request_body(stream->request, h2->scratch, len);
}

/*
 * A client that was answered early gets a moment to notice; one that gives
 * no window for its answer has the time of a silent one.
 */
void
intake_h2_stream_watch(H2Stream *stream, int64_t now)
{
	const Limits *limits = &stream->h2->client->server->config->limits;

	if (evbuffer_get_length(stream->out) > 0 &&
		now - stream->moved > limits->idle_timeout_ms)
	{
		stream->moved = now;
		nghttp2_submit_rst_stream(stream->h2->session, NGHTTP2_FLAG_NONE,
								  stream->id, NGHTTP2_CANCEL);
	}
	if (stream->end_sent == 0 || stream->is_read ||
		(stream->dropped <= DROP_MAX &&
		 now - stream->end_sent < limits->drain_ms))
		return;
	stream->is_read = true;
	nghttp2_submit_rst_stream(stream->h2->session, NGHTTP2_FLAG_NONE,
							  stream->id, NGHTTP2_NO_ERROR);
}

/*
 * The answer
 */

static void
set_pair(nghttp2_nv *pair, const char *name, const char *value)
{
	pair->name = (uint8_t *) name;
	pair->namelen = strlen(name);
	pair->value = (uint8_t *) value;
	pair->valuelen = strlen(value);
	pair->flags = NGHTTP2_NV_FLAG_NONE;
}

static void
send_continue(void *arg)
{
	H2Stream   *stream = arg;
	nghttp2_nv	pair;

	if (stream->has_head)
		return;
	set_pair(&pair, ":status", "100");
	nghttp2_submit_headers(stream->h2->session, NGHTTP2_FLAG_NONE, stream->id,
						   NULL, &pair, 1, NULL);
	intake_client_work_later(stream->h2->client);
}

/* What follows the last byte of the answer. */
static void
end_data(H2Stream *stream, uint32_t *flags)
{
	nghttp2_nv	pairs[ANSWER_MAX_FIELDS];
	size_t		n = stream->trailers.nfields;

	*flags |= NGHTTP2_DATA_FLAG_EOF;
	for (size_t i = 0; i < n; i++)
		set_pair(&pairs[i], stream->trailers.fields[i].name,
				 stream->trailers.fields[i].value);
	if (n > 0 && nghttp2_submit_trailer(stream->h2->session, stream->id,
										pairs, n) == 0)
		*flags |= NGHTTP2_DATA_FLAG_NO_END_STREAM;
}

static ssize_t
read_answer(nghttp2_session *session, int32_t id, uint8_t *buffer, size_t len,
			uint32_t *flags, nghttp2_data_source *source, void *arg)
{
	H2Stream   *stream = source->ptr;
	size_t		n = evbuffer_get_length(stream->out);

	if (n == 0 && !stream->has_end)
		return NGHTTP2_ERR_DEFERRED;
	if (n > len)
		n = len;
	evbuffer_remove(stream->out, buffer, n);
	stream->moved = intake_clock_ms();
	if (evbuffer_get_length(stream->out) == 0)
	{
		if (stream->has_end)
			end_data(stream, flags);
		else if (stream->request != NULL)
			intake_request_drained(stream->request);
	}
	return (ssize_t) n;
}

static void
send_head(void *arg, const Answer *answer)
{
	H2Stream   *stream = arg;
	nghttp2_nv	pairs[ANSWER_MAX_FIELDS + 2];
	nghttp2_data_provider provider;
	char		status[16];
	size_t		n = 2;

	snprintf(status, sizeof(status), "%d", answer->status);
	set_pair(&pairs[0], ":status", status);
	set_pair(&pairs[1], "date", intake_answer_date());
	for (size_t i = 0; i < answer->nfields; i++)
		set_pair(&pairs[n++], answer->fields[i].name,
				 answer->fields[i].value);
	provider.source.ptr = stream;
	provider.read_callback = read_answer;
	stream->has_head = true;
	nghttp2_submit_response(stream->h2->session, stream->id, pairs, n,
							answer->is_bodiless ? NULL : &provider);
	intake_client_work_later(stream->h2->client);
}

static size_t
send_data(void *arg, const char *data, size_t len)
{
	H2Stream   *stream = arg;

	if (evbuffer_get_length(stream->out) == 0)
		stream->moved = intake_clock_ms();
	if (evbuffer_add(stream->out, data, len) != 0)
		abort();
	nghttp2_session_resume_data(stream->h2->session, stream->id);
	intake_client_work_later(stream->h2->client);
	return evbuffer_get_length(stream->out);
}

static void
send_end(void *arg, const Answer *trailers)
{
	H2Stream   *stream = arg;

	for (size_t i = 0; trailers != NULL && i < trailers->nfields; i++)
		intake_answer_add(&stream->trailers, trailers->fields[i].name,
						  trailers->fields[i].value);
	stream->has_end = true;
	nghttp2_session_resume_data(stream->h2->session, stream->id);
	intake_client_work_later(stream->h2->client);
}

static void
reset_stream(void *arg)
{
	H2Stream   *stream = arg;

	nghttp2_submit_rst_stream(stream->h2->session, NGHTTP2_FLAG_NONE,
							  stream->id, NGHTTP2_INTERNAL_ERROR);
	intake_client_work_later(stream->h2->client);
}

/* The body is moving: a wider window keeps it so over long distances. */
static void
give_window(void *arg, size_t n)
{
	H2Stream   *stream = arg;
	nghttp2_session *session = stream->h2->session;

	if (!stream->is_widened)
		nghttp2_session_set_local_window_size(session, NGHTTP2_FLAG_NONE,
											  stream->id, WIDE_WINDOW);
	stream->is_widened = true;
	nghttp2_session_consume_stream(session, stream->id, n);
	intake_client_work_later(stream->h2->client);
}

/* The window does it. */
static void
pause_client(void *arg, bool is_paused)
{
}

static const StreamRoutine h2_stream_routine = {
	send_continue, send_head, send_data, send_end, reset_stream, give_window,
	pause_client
};
