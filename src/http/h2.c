/*-------------------------------------------------------------------------
 *
 * h2.c
 *	  HTTP/2 on a client's connection, by nghttp2.
 *
 * Frames are sent in work() only: nghttp2 may not be asked for output from
 * inside its callbacks, and a request's answer may come from anywhere.
 *
 *-------------------------------------------------------------------------
 */
#include <stdlib.h>
#include <string.h>

#include "http/h2.h"
#include "http/h2_stream.h"
#include "http/log.h"
#include "http/metrics.h"

#define STREAM_WINDOW (128 * 1024)
#define CONNECTION_WINDOW (8 * 1024 * 1024)
/* What may wait in the transport before frames wait in nghttp2. */
#define MAX_OUT (256 * 1024)
#define TICK_MS 500

/* Frames that ask for nothing, and streams that come to nothing. */
#define FRAMES_BURST 1000
#define FRAMES_A_SECOND 200
#define RESETS_BURST 100
#define RESETS_A_SECOND 10

static void
end_flood(H2 *h2)
{
	if (h2->is_flooded)
		return;
	h2->is_flooded = h2->is_told = true;
	intake_metrics_reject(REJECT_FLOOD);
	intake_log_limited(LOG_KIND_FLOOD, NULL, "cut off %s: too many HTTP/2 "
					   "frames that do no work", h2->client->peer.address);
	nghttp2_session_terminate_session(h2->session, NGHTTP2_ENHANCE_YOUR_CALM);
}

static void
tell_fault(H2 *h2, const char *why)
{
	if (!h2->is_told)
		intake_request_count_bad(h2->client->server, &h2->client->peer, 400,
								 why);
	h2->is_told = true;
}

/*
 * Callbacks of nghttp2
 */

static int
on_begin_headers(nghttp2_session *session, const nghttp2_frame *frame,
				 void *arg)
{
	int32_t		id = frame->hd.stream_id;

	if (frame->headers.cat == NGHTTP2_HCAT_REQUEST)
		nghttp2_session_set_stream_user_data(session, id,
											 intake_h2_stream_new(arg, id));
	return 0;
}

static int
on_header(nghttp2_session *session, const nghttp2_frame *frame,
		  const uint8_t *name, size_t name_len, const uint8_t *value,
		  size_t value_len, uint8_t flags, void *arg)
{
	H2Stream   *stream;

	stream = nghttp2_session_get_stream_user_data(session,
												  frame->hd.stream_id);
	if (stream != NULL && frame->hd.type == NGHTTP2_HEADERS &&
		frame->headers.cat == NGHTTP2_HCAT_REQUEST)
		intake_h2_stream_add(stream, name, name_len, value, value_len);
	return 0;
}

/*
 * Resets the stream of a field that is malformed.  nghttp2 up to 1.52 does so
 * of its own; newer ones would leave the field out and go on.
 */
static int
on_invalid_header(nghttp2_session *session, const nghttp2_frame *frame,
				  const uint8_t *name, size_t name_len, const uint8_t *value,
				  size_t value_len, uint8_t flags, void *arg)
{
	return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
}

static int
on_frame(nghttp2_session *session, const nghttp2_frame *frame, void *arg)
{
	bool		is_last = frame->hd.flags & NGHTTP2_FLAG_END_STREAM;
	H2Stream   *stream;

	if (frame->hd.type != NGHTTP2_HEADERS && frame->hd.type != NGHTTP2_DATA)
		return 0;
	stream = nghttp2_session_get_stream_user_data(session,
												  frame->hd.stream_id);
	if (stream == NULL)
		return 0;
	if (frame->hd.type == NGHTTP2_HEADERS &&
		frame->headers.cat == NGHTTP2_HCAT_REQUEST)
		intake_h2_stream_begin(stream, !is_last);
	else if (is_last)
	{
		stream->is_read = true;
		if (stream->request != NULL)
			intake_request_end_body(stream->request);
	}
	return 0;
}

static int
on_data(nghttp2_session *session, uint8_t flags, int32_t id,
		const uint8_t *data, size_t len, void *arg)
{
	H2Stream   *stream = nghttp2_session_get_stream_user_data(session, id);

	nghttp2_session_consume_connection(session, len);
	if (stream != NULL)
		intake_h2_stream_take(stream, data, len);
	return 0;
}

/* The client is done with it, or we are. */
static int
on_stream_close(nghttp2_session *session, int32_t id, uint32_t code,
				void *arg)
{
	H2Stream   *stream = nghttp2_session_get_stream_user_data(session, id);

	if (stream != NULL)
	{
		nghttp2_session_set_stream_user_data(session, id, NULL);
		intake_h2_stream_free(stream);
	}
	return 0;
}

/* Do we end a stream, or all of them, for what the client did wrong? */
static bool
is_violation(uint32_t code)
{
	return code != NGHTTP2_NO_ERROR && code != NGHTTP2_CANCEL &&
		code != NGHTTP2_INTERNAL_ERROR;
}

/* Whose body breaks so has not gone: there is no part of it to keep. */
static void
break_body(H2Stream *stream, uint32_t code)
{
	if (stream->request != NULL)
		intake_request_fail_body(stream->request, 400,
								 nghttp2_http2_strerror(code), false);
}

static void
break_connection(H2 *h2, uint32_t code)
{
	H2Stream   *stream;

	tell_fault(h2, nghttp2_http2_strerror(code));
	TAILQ_FOREACH(stream, &h2->streams, link)
	{
		break_body(stream, code);
	}
}

/* Streams that we have to reset are as good as ones that are reset. */
static int
on_frame_sent(nghttp2_session *session, const nghttp2_frame *frame, void *arg)
{
	H2		   *h2 = arg;
	uint8_t		type = frame->hd.type;
	H2Stream   *stream;

	if (type == NGHTTP2_RST_STREAM &&
		frame->rst_stream.error_code != NGHTTP2_NO_ERROR &&
		!intake_bucket_spend(&h2->resets, 1, RESETS_A_SECOND, RESETS_BURST))
		end_flood(h2);
	if (type == NGHTTP2_GOAWAY && is_violation(frame->goaway.error_code))
		break_connection(h2, frame->goaway.error_code);
	stream = nghttp2_session_get_stream_user_data(session,
												  frame->hd.stream_id);
	if (stream == NULL)
		return 0;
	if (type == NGHTTP2_RST_STREAM &&
		is_violation(frame->rst_stream.error_code))
		break_body(stream, frame->rst_stream.error_code);
	if ((type == NGHTTP2_HEADERS || type == NGHTTP2_DATA) &&
		(frame->hd.flags & NGHTTP2_FLAG_END_STREAM))
		stream->end_sent = intake_clock_ms();
	return 0;
}

static nghttp2_session *
make_session(H2 *h2)
{
	nghttp2_session_callbacks *callbacks;
	nghttp2_option *option;
	nghttp2_session *session;

	if (nghttp2_session_callbacks_new(&callbacks) != 0 ||
		nghttp2_option_new(&option) != 0)
		abort();
	nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks,
															on_begin_headers);
	nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
	nghttp2_session_callbacks_set_on_invalid_header_callback(callbacks,
															 on_invalid_header);
	nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, on_frame);
	nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks,
															  on_data);
	nghttp2_session_callbacks_set_on_stream_close_callback(callbacks,
														   on_stream_close);
	nghttp2_session_callbacks_set_on_frame_send_callback(callbacks,
														 on_frame_sent);
	nghttp2_option_set_no_auto_window_update(option, 1);
	nghttp2_option_set_max_outbound_ack(option, 200);
	if (nghttp2_session_server_new2(&session, callbacks, h2, option) != 0)
		abort();
	nghttp2_session_callbacks_del(callbacks);
	nghttp2_option_del(option);
	return session;
}

static void
send_settings(H2 *h2)
{
	const Limits *limits = &h2->client->server->config->limits;
	nghttp2_settings_entry entries[] = {
		{NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS,
		(uint32_t) limits->max_streams},
		{NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, STREAM_WINDOW},
		{NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE,
		(uint32_t) limits->header_bytes},
		{NGHTTP2_SETTINGS_ENABLE_PUSH, 0}
	};

	nghttp2_submit_settings(h2->session, NGHTTP2_FLAG_NONE, entries,
							sizeof(entries) / sizeof(entries[0]));
	nghttp2_session_set_local_window_size(h2->session, NGHTTP2_FLAG_NONE, 0,
										  CONNECTION_WINDOW);
}

/*
 * For the client's connection
 */

static void *
begin(Client *client)
{
	H2		   *h2 = calloc(1, sizeof(H2));

	if (h2 == NULL || (h2->scratch = evbuffer_new()) == NULL)
		abort();
	h2->client = client;
	TAILQ_INIT(&h2->streams);
	h2->session = make_session(h2);
	h2->heard = intake_clock_ms();
	h2->nskip = NGHTTP2_CLIENT_MAGIC_LEN;
	send_settings(h2);
	intake_client_set_timer(client, TICK_MS);
	intake_client_work_later(client);
	return h2;
}

/* Lets nghttp2 write, but no more than the client reads. */
static void
work(void *state)
{
	H2		   *h2 = state;
	struct evbuffer *out = h2->client->transport->out;
	const uint8_t *data;
	ssize_t		len = 0;

	while (evbuffer_get_length(out) < MAX_OUT &&
		   (len = nghttp2_session_mem_send(h2->session, &data)) > 0)
	{
		if (evbuffer_add(out, data, (size_t) len) != 0)
			abort();
	}
	intake_transport_flush(h2->client->transport);
	intake_h2_account(h2);
	/* what a client that reads nothing makes us answer stays bounded */
	intake_transport_pause(h2->client->transport,
						   evbuffer_get_length(out) >= MAX_OUT);
	if (len < 0 || (h2->has_eof && h2->nstreams == 0) ||
		(!nghttp2_session_want_read(h2->session) &&
		 !nghttp2_session_want_write(h2->session)))
		intake_client_finish(h2->client);
}

/* A frame whose head is complete. */
static void
charge_frame(H2 *h2)
{
	const uint8_t *head = h2->frame_head;
	size_t		len = (size_t) head[0] << 16 | (size_t) head[1] << 8 | head[2];
	bool		is_work = head[3] == NGHTTP2_HEADERS ||
		(head[3] == NGHTTP2_DATA &&
		 (len > 0 || (head[4] & NGHTTP2_FLAG_END_STREAM)));

	h2->nskip = len;
	if (!is_work && !intake_bucket_spend(&h2->frames, 1, FRAMES_A_SECOND,
										 FRAMES_BURST))
		end_flood(h2);
	if (head[3] == NGHTTP2_RST_STREAM &&
		!intake_bucket_spend(&h2->resets, 1, RESETS_A_SECOND, RESETS_BURST))
		end_flood(h2);
}

/*
 * Finds the frames in what has come.  nghttp2 calls nobody for those that it
 * passes over, as it does with unknown types.
 */
static void
charge_frames(H2 *h2, const uint8_t *bytes, size_t len)
{
	while (len > 0 && !h2->is_flooded)
	{
		size_t		n = len < h2->nskip ? len : h2->nskip;

		bytes += n;
		len -= n;
		h2->nskip -= n;
		if (len == 0)
			return;
		h2->frame_head[h2->nframe_head++] = *bytes++;
		len--;
		if (h2->nframe_head == sizeof(h2->frame_head))
		{
			h2->nframe_head = 0;
			charge_frame(h2);
		}
	}
}

static void
input(void *state)
{
	H2		   *h2 = state;
	struct evbuffer *in = h2->client->transport->in;
	struct evbuffer_iovec piece;
	ssize_t		used = 0;

	h2->heard = intake_clock_ms();
	while (used >= 0 && evbuffer_peek(in, -1, NULL, &piece, 1) > 0 &&
		   piece.iov_len > 0)
	{
		charge_frames(h2, piece.iov_base, piece.iov_len);
		used = nghttp2_session_mem_recv(h2->session, piece.iov_base,
										piece.iov_len);
		evbuffer_drain(in, used > 0 ? (size_t) used : piece.iov_len);
	}
	if (used < 0)
	{
		if (used == NGHTTP2_ERR_FLOODED)
			end_flood(h2);
		tell_fault(h2, nghttp2_strerror((int) used));
		nghttp2_session_terminate_session(h2->session,
										  NGHTTP2_PROTOCOL_ERROR);
	}
	intake_client_work_later(h2->client);
}

static void
drained(void *state)
{
	H2		   *h2 = state;

	intake_client_work_later(h2->client);
}

static void
ended(void *state, TransportEnd end)
{
	H2		   *h2 = state;
	H2Stream   *stream;

	if (end != TRANSPORT_EOF)
	{
		intake_client_close(h2->client);
		return;
	}
	h2->has_eof = true;
	TAILQ_FOREACH(stream, &h2->streams, link)
	{
		if (stream->request != NULL)
			intake_request_fail_body(stream->request, 408,
									 "The client closed the connection "
									 "inside the body.", true);
	}
	intake_client_work_later(h2->client);
}

/* A head that does not end, answers that were early, silence. */
static void
time_out(void *state)
{
	H2		   *h2 = state;
	const Limits *limits = &h2->client->server->config->limits;
	int64_t		now = intake_clock_ms();
	H2Stream   *stream;

	intake_client_set_timer(h2->client, TICK_MS);
	TAILQ_FOREACH(stream, &h2->streams, link)
	{
		intake_h2_stream_watch(stream, now);
		if (stream->head != NULL &&
			now - stream->head_began > limits->header_timeout_ms)
			nghttp2_session_terminate_session(h2->session,
											  NGHTTP2_ENHANCE_YOUR_CALM);
	}
	if (h2->nstreams > 0)
		h2->heard = now;
	else if (now - h2->heard > limits->idle_timeout_ms)
		nghttp2_session_terminate_session(h2->session, NGHTTP2_NO_ERROR);
	intake_client_work_later(h2->client);
}

/* Streams that are open end as they would. */
static void
retire(void *state)
{
	H2		   *h2 = state;

	nghttp2_submit_goaway(h2->session, NGHTTP2_FLAG_NONE,
						  nghttp2_session_get_last_proc_stream_id(h2->session),
						  NGHTTP2_NO_ERROR, NULL, 0);
	intake_client_work_later(h2->client);
}

static void
free_state(void *state)
{
	H2		   *h2 = state;

	while (!TAILQ_EMPTY(&h2->streams))
		intake_h2_stream_free(TAILQ_FIRST(&h2->streams));
	nghttp2_session_del(h2->session);
	h2->client->server->unread_bytes -= h2->unread;
	evbuffer_free(h2->scratch);
	free(h2);
}

const ProtocolRoutine intake_h2_routine = {
	begin, input, drained, ended, time_out, work, retire, free_state
};
