/*-------------------------------------------------------------------------
 *
 * h1.c
 *	  HTTP/1.0 and HTTP/1.1 on a client's connection.
 *
 *-------------------------------------------------------------------------
 */
#include <stdlib.h>
#include <string.h>

#include "http/h1.h"
#include "http/h1_chunk.h"
#include "http/h1_head.h"

/* What a client may send ahead of an answer. */
#define MAX_AHEAD (64 * 1024)

typedef enum H1State
{
	H1_HEAD,
	H1_BODY,
	H1_ANSWER,					/* the request is read, not answered */
	H1_OVER
} H1State;

typedef struct H1
{
	Client	   *client;
	H1State		state;
	H1Scan		scan;
	bool		has_timer;		/* of the head */

	/* the request */
	Request    *request;
	HttpVersion version;
	bool		closes;
	bool		is_chunked;
	ChunkScan	chunk;
	int64_t		left;			/* of a body with Content-Length */

	/* its answer */
	bool		has_head;
	bool		sends_chunks;
	bool		is_bodiless;
	bool		has_end;
} H1;

static const StreamRoutine h1_stream;
static void read_on(H1 *h1);

/*
 * Answers
 */

static struct evbuffer *
get_out(H1 *h1)
{
	return h1->client->transport->out;
}

static void
print_fields(struct evbuffer *out, const Answer *answer)
{
	for (size_t i = 0; i < answer->nfields; i++)
		evbuffer_add_printf(out, "%s: %s\r\n", answer->fields[i].name,
							answer->fields[i].value);
}

/* Is there nothing more to come of the request? */
static bool
is_read(const H1 *h1)
{
	return h1->state == H1_ANSWER;
}

static void
send_continue(void *stream)
{
	H1		   *h1 = stream;

	if (h1->has_head)
		return;
	evbuffer_add_printf(get_out(h1), "HTTP/1.1 100 Continue\r\n\r\n");
	intake_transport_flush(h1->client->transport);
}

static void
send_head(void *stream, const Answer *answer)
{
	H1		   *h1 = stream;
	struct evbuffer *out = get_out(h1);

	h1->has_head = true;
	h1->is_bodiless = answer->is_bodiless;
	h1->sends_chunks = !answer->has_length && !answer->is_bodiless &&
		h1->version == HTTP_1_1;
	if (!is_read(h1) || h1->client->server->is_ending ||
		(!answer->has_length && !answer->is_bodiless && !h1->sends_chunks))
		h1->closes = true;
	evbuffer_add_printf(out, "HTTP/1.1 %d %s\r\ndate: %s\r\n", answer->status,
						intake_answer_phrase(answer->status),
						intake_answer_date());
	print_fields(out, answer);
	if (h1->sends_chunks)
		evbuffer_add_printf(out, "transfer-encoding: chunked\r\n");
	if (h1->closes)
		evbuffer_add_printf(out, "connection: close\r\n");
	evbuffer_add(out, "\r\n", 2);
	intake_transport_flush(h1->client->transport);
}

static size_t
send_data(void *stream, const char *data, size_t len)
{
	H1		   *h1 = stream;
	struct evbuffer *out = get_out(h1);

	if (len > 0 && !h1->is_bodiless)
	{
		if (h1->sends_chunks)
			evbuffer_add_printf(out, "%zx\r\n", len);
		evbuffer_add(out, data, len);
		if (h1->sends_chunks)
			evbuffer_add(out, "\r\n", 2);
		intake_transport_flush(h1->client->transport);
	}
	return evbuffer_get_length(out);
}

static void
send_end(void *stream, const Answer *trailers)
{
	H1		   *h1 = stream;

	if (h1->sends_chunks)
	{
		evbuffer_add_printf(get_out(h1), "0\r\n");
		if (trailers != NULL)
			print_fields(get_out(h1), trailers);
		evbuffer_add(get_out(h1), "\r\n", 2);
	}
	h1->has_end = true;
	intake_transport_flush(h1->client->transport);
	intake_client_work_later(h1->client);
}

/* The client sees that the answer has no proper end. */
static void
reset_stream(void *stream)
{
	H1		   *h1 = stream;

	h1->closes = true;
	h1->has_end = true;
	intake_client_work_later(h1->client);
}

static void
note_taken(void *stream, size_t n)
{
}

static void
pause_client(void *stream, bool is_paused)
{
	H1		   *h1 = stream;

	intake_transport_pause(h1->client->transport, is_paused);
}

static const StreamRoutine h1_stream = {
	send_continue, send_head, send_data, send_end, reset_stream, note_taken,
	pause_client
};

/*
 * The beginning of the target of a head that was not read, which decides on
 * the answer's form; empty if there is none.
 */
static const char *
peek_path(const H1 *h1, char *text, size_t size)
{
	ev_ssize_t	n = evbuffer_copyout(h1->client->transport->in, text, size - 1);
	const char *blank;

	text[n > 0 ? n : 0] = '\0';
	blank = strchr(text, ' ');
	return blank != NULL ? blank + 1 : "";
}

/* Answers what never became a request, and closes. */
static void
refuse_request(H1 *h1, Head *head, int status, const char *why)
{
	Client	   *client = h1->client;
	struct evbuffer *body = evbuffer_new();
	char		text[64];
	const char *path = head ? head->path : peek_path(h1, text, sizeof(text));
	Answer		answer;

	if (body == NULL)
		abort();
	intake_answer_init(&answer, status);
	intake_request_refuse_bad(client->server, &client->peer, head, &answer,
							  why);
	intake_answer_problem(&answer, body, path, why);
	h1->closes = true;
	send_head(h1, &answer);
	evbuffer_add_buffer(get_out(h1), body);
	evbuffer_free(body);
	intake_answer_clear(&answer);
	intake_head_free(head);
	h1->state = H1_OVER;
	intake_client_finish(client);
}

/*
 * Requests
 */

static void
begin_request(H1 *h1, Head *head)
{
	bool		has_body = head->is_chunked || head->content_length > 0;

	h1->version = head->version;
	h1->closes = head->closes;
	h1->is_chunked = head->is_chunked;
	h1->left = head->content_length;
	memset(&h1->chunk, 0, sizeof(h1->chunk));
	h1->has_head = h1->sends_chunks = h1->is_bodiless = h1->has_end = false;
	h1->state = has_body ? H1_BODY : H1_ANSWER;
	h1->has_timer = false;
	intake_client_set_timer(h1->client, 0);
	h1->request = intake_request_new(h1->client->server, head, has_body,
									 &h1->client->peer, &h1_stream, h1);
	intake_request_start(h1->request);
}

/* The time for a head runs from its first byte. */
static void
await_head(H1 *h1, bool has_begun)
{
	const Limits *limits = &h1->client->server->config->limits;

	if (has_begun && !h1->has_timer)
		intake_client_set_timer(h1->client, limits->header_timeout_ms);
	else if (!has_begun)
		intake_client_set_timer(h1->client, limits->idle_timeout_ms);
	h1->has_timer = has_begun;
}

/* A client that asks and asks but reads nothing is not listened to. */
static bool
is_unread(const H1 *h1)
{
	return evbuffer_get_length(h1->client->transport->out) >
		TRANSPORT_LOW_WATER;
}

/* True when there may be more to read at once. */
static bool
read_head(H1 *h1)
{
	const Limits *limits = &h1->client->server->config->limits;
	struct evbuffer *in = h1->client->transport->in;
	size_t		len = evbuffer_get_length(in);
	const char *text;
	Head	   *head;
	long		end;
	int			status;

	if (is_unread(h1))
	{
		intake_transport_pause(h1->client->transport, true);
		return false;
	}
	h1->scan.max_bytes = (size_t) limits->header_bytes;
	if (len > h1->scan.max_bytes + 1)
		len = h1->scan.max_bytes + 1;
	text = (const char *) evbuffer_pullup(in, (ev_ssize_t) len);
	end = len > 0 ? intake_h1_head_find(&h1->scan, text, len) : 0;
	if (end < 0)
		refuse_request(h1, NULL, (int) -end, h1->scan.why);
	else if (end == 0)
		await_head(h1, len > 0);
	if (end <= 0)
		return false;
	head = intake_head_new(HTTP_1_1, (size_t) limits->header_count,
						   (size_t) limits->header_bytes * 2);
	status = intake_h1_head_read(head, text, (size_t) end);
	memset(&h1->scan, 0, sizeof(h1->scan));
	evbuffer_drain(in, (size_t) end);
	if (status != 0)
	{
		refuse_request(h1, head, status, head->why);
		return false;
	}
	begin_request(h1, head);
	return true;
}

static void
end_body(H1 *h1)
{
	h1->state = H1_ANSWER;
	intake_request_end_body(h1->request);
}

static bool
read_plain(H1 *h1)
{
	struct evbuffer *in = h1->client->transport->in;
	size_t		n = evbuffer_get_length(in);

	if ((int64_t) n > h1->left)
		n = (size_t) h1->left;
	h1->left -= (int64_t) n;
	if (n > 0)
		intake_request_body(h1->request, in, n);
	if (h1->left > 0)
		return false;
	end_body(h1);
	return true;
}

/* One step through chunks; the framing may lie in several pieces. */
static bool
read_chunks(H1 *h1)
{
	struct evbuffer *in = h1->client->transport->in;
	struct evbuffer_iovec piece;
	size_t		used;

	if (evbuffer_peek(in, -1, NULL, &piece, 1) < 1)
		return false;
	switch (intake_h1_chunk_next(&h1->chunk, piece.iov_base, piece.iov_len,
								 &used))
	{
		case CHUNK_MORE:
			evbuffer_drain(in, used);
			return true;
		case CHUNK_DATA:
			evbuffer_drain(in, used);
			intake_request_body(h1->request, in, h1->chunk.data_len);
			return true;
		case CHUNK_END:
			evbuffer_drain(in, used);
			end_body(h1);
			return true;
		default:
			evbuffer_drain(in, evbuffer_get_length(in));
			h1->state = H1_OVER;
			h1->closes = true;
			intake_request_fail_body(h1->request, 400,
									 "A chunk of the body is malformed.",
									 false);
			return false;
	}
}

static void
read_on(H1 *h1)
{
	struct evbuffer *in = h1->client->transport->in;
	bool		goes_on = true;

	while (goes_on && !h1->client->is_closing && !h1->client->is_lingering)
	{
		if (h1->state == H1_HEAD)
			goes_on = read_head(h1);
		else if (h1->state == H1_BODY)
			goes_on = h1->is_chunked ? read_chunks(h1) : read_plain(h1);
		else
			goes_on = false;
	}
	if (h1->state == H1_ANSWER && evbuffer_get_length(in) > MAX_AHEAD)
		intake_transport_pause(h1->client->transport, true);
	else if (h1->state == H1_OVER)
		evbuffer_drain(in, evbuffer_get_length(in));
}

/* A client that sends no more is served what it has sent. */
static void
read_next(H1 *h1)
{
	Transport  *transport = h1->client->transport;

	intake_transport_pause(transport, false);
	read_on(h1);
	if (h1->state == H1_HEAD && transport->has_eof && !transport->is_paused)
		intake_client_finish(h1->client);
}

/* The answer is complete: on to the next request, or to the end. */
static void
end_request(H1 *h1)
{
	Client	   *client = h1->client;

	intake_request_leave(h1->request);
	h1->request = NULL;
	if (h1->closes || h1->state != H1_ANSWER)
	{
		h1->state = H1_OVER;
		intake_client_finish(client);
		return;
	}
	h1->state = H1_HEAD;
	read_next(h1);
}

/*
 * For the client's connection
 */

static void *
begin(Client *client)
{
	H1		   *h1 = calloc(1, sizeof(H1));

	if (h1 == NULL)
		abort();
	h1->client = client;
	h1->version = HTTP_1_1;
	return h1;
}

static void
work(void *state)
{
	H1		   *h1 = state;

	if (h1->request != NULL && h1->has_end)
		end_request(h1);
}

static void
input(void *state)
{
	read_on(state);
}

static void
drained(void *state)
{
	H1		   *h1 = state;

	if (h1->request != NULL)
		intake_request_drained(h1->request);
	else if (h1->state == H1_HEAD)
		read_next(h1);
}

/* A client that sends no more may still read its answer. */
static void
ended(void *state, TransportEnd end)
{
	H1		   *h1 = state;

	if (end != TRANSPORT_EOF)
		intake_client_close(h1->client);
	else if (h1->state == H1_HEAD && !is_unread(h1))
		intake_client_finish(h1->client);
	else if (h1->state == H1_BODY)
	{
		h1->closes = true;
		intake_request_fail_body(h1->request, 408,
								 "The client closed the connection inside "
								 "the body.", true);
	}
}

static void
time_out(void *state)
{
	H1		   *h1 = state;

	if (h1->state != H1_HEAD)
		return;
	if (evbuffer_get_length(h1->client->transport->in) > 0)
		refuse_request(h1, NULL, 408, "The head took too long.");
	else
		intake_client_finish(h1->client);
}

static void
retire(void *state)
{
	H1		   *h1 = state;

	if (h1->state == H1_HEAD)
		intake_client_finish(h1->client);
}

static void
free_state(void *state)
{
	H1		   *h1 = state;

	if (h1->request != NULL)
		intake_request_leave(h1->request);
	free(h1);
}

const ProtocolRoutine intake_h1_routine = {
	begin, input, drained, ended, time_out, work, retire, free_state
};
