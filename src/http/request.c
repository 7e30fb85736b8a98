/*-------------------------------------------------------------------------
 *
 * request.c
 *	  A request's life: head, waiting, time limits, answers of our own.
 *
 * A request is freed when the stream has left and it is in no queue and at
 * no loader.
 *
 *-------------------------------------------------------------------------
 */
#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "http/chars.h"
#include "http/limits.h"
#include "http/log.h"
#include "http/metrics.h"
#include "http/request_state.h"

/* How long the rest of a small body is waited for before a preflight. */
#define COLLECT_MS 20
#define TICK_MS 1000
#define RATE_WINDOW_MS 10000

/*
 * What may wait in all at no loader.  Behind the first line a body is worth a
 * loader whatever its size, and no more of it is read; behind the second the
 * request is refused.
 */
#define WAITING_MANY ((size_t) 12 << 20)
#define WAITING_MOST ((size_t) 24 << 20)

/* Of the text that tells a request's names. */
#define MAX_IDS (2 * REQUEST_MAX_ID + 32)

static void watch_body(evutil_socket_t fd, short what, void *arg);
static void account_body(Request *request);

/*
 * Makes the id of a request whose head may be NULL: the client's own, cut at
 * a character, or a random UUID.
 */
static void
make_id(const Head *head, char id[REQUEST_MAX_ID + 1])
{
	const char *given = head == NULL ? NULL :
		intake_head_get(head, "x-request-id");
	unsigned char r[16];
	size_t		len;

	if (given != NULL && *given != '\0')
	{
		len = strlen(given);
		if (len > REQUEST_MAX_ID)
			len = REQUEST_MAX_ID;
		while (len > 0 && !intake_chars_are_utf8(given, len))
			len--;
		memcpy(id, given, len);
		id[len] = '\0';
		return;
	}
	if (RAND_bytes(r, sizeof(r)) != 1)
		abort();
	r[6] = (r[6] & 0x0f) | 0x40;
	r[8] = (r[8] & 0x3f) | 0x80;
	snprintf(id, REQUEST_MAX_ID + 1,
			 "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-"
			 "%02x%02x%02x%02x%02x%02x", r[0], r[1], r[2], r[3], r[4], r[5],
			 r[6], r[7], r[8], r[9], r[10], r[11], r[12], r[13], r[14], r[15]);
}

Request *
intake_request_new(Server *server, Head *head, bool has_body,
				   const Peer *peer, const StreamRoutine *routine,
				   void *stream)
{
	Request    *request = calloc(1, sizeof(Request));
	const Limits *limits = &server->config->limits;

	if (request == NULL)
		abort();
	request->server = server;
	request->head = head;
	request->has_body = has_body;
	request->peer = *peer;
	request->routine = routine;
	request->stream = stream;
	request->visitor.routine = &intake_visit_routine;
	request->visitor.owner = request;
	request->began = request->heard = intake_clock_ms();
	request->rate_began = request->began;
	request->timer = event_new(server->base, -1, 0, watch_body, request);
	if (request->timer == NULL)
		abort();
	strcpy(request->route, "http");
	make_id(head, request->id);
	intake_body_init(&request->body, head, limits->body_bytes,
					 head->coding == BODY_IDENTITY ? limits->body_bytes :
					 limits->inflated_bytes);
	server->nrequests++;
	return request;
}

void
intake_request_release(Request *request)
{
	if (request->stream != NULL || request->visitor.place != VISITOR_AWAY)
		return;
	intake_request_finish(request);
	request->server->waiting_bytes -= request->counted;
	request->server->nrequests--;
	event_free(request->timer);
	intake_body_clear(&request->body);
	intake_head_free(request->head);
	free(request);
}

/* The client's name of its query, as the URL writes it; len is 0: none. */
static const char *
find_query_id(const Head *head, size_t *len)
{
	static const char *const names[] = {"queryId=", "query_id="};
	const char *at = head == NULL ? NULL : head->query;

	for (; at != NULL; at = strchr(at, '&'))
	{
		at += *at == '&';
		for (int i = 0; i < 2; i++)
		{
			size_t		name_len = strlen(names[i]);

			if (strncmp(at, names[i], name_len) != 0)
				continue;
			*len = strcspn(at + name_len, "&");
			*len = *len < REQUEST_MAX_ID ? *len : REQUEST_MAX_ID;
			return at + name_len;
		}
	}
	*len = 0;
	return "";
}

/* Writes which request it is, for the log. */
static void
print_ids(char out[MAX_IDS], const char *id, const Head *head)
{
	size_t		len;
	const char *query = find_query_id(head, &len);

	snprintf(out, MAX_IDS, "request id %s%s%.*s", id,
			 len > 0 ? ", query id " : "", (int) len, query);
}

/*
 * The answer's end
 */

/* How much is logged of why a body broke. */
#define MAX_REASON 100

/* One entry a request: a failure that a loader has logged is none of ours. */
static void
log_request(const Request *request, int64_t duration)
{
	LogRequests wanted = request->server->config->log_requests;
	const char *why = request->break_reason;
	char		ids[MAX_IDS];
	char		detail[MAX_IDS + MAX_REASON + 128];

	if (wanted == LOG_REQUESTS_NONE || request->is_logged ||
		(wanted == LOG_REQUESTS_ERRORS && request->status < 400 &&
		 request->status != 0))
		return;
	print_ids(ids, request->id, request->head);
	snprintf(detail, sizeof(detail), "%s, from %s, %lld bytes%s%.*s",
			 ids, request->peer.address,
			 (long long) request->body.raw_bytes,
			 why == NULL ? "" : ", ", MAX_REASON, why == NULL ? "" : why);
	intake_log(LOG_LEVEL_LOG, detail, "%s %.200s: %d after %lld ms",
			   request->head->method, request->head->path, request->status,
			   (long long) duration);
}

/* A status of 0 is that of a client who went away before it had one. */
void
intake_request_finish(Request *request)
{
	int64_t		duration;

	if (request->is_answered)
		return;
	request->is_answered = true;
	duration = intake_clock_ms() - request->began;
	event_del(request->timer);
	evbuffer_drain(request->body.raw, evbuffer_get_length(request->body.raw));
	evbuffer_drain(request->body.ready,
				   evbuffer_get_length(request->body.ready));
	account_body(request);
	if (request->visitor.place != VISITOR_AT_LOADER)
		intake_pool_leave(request->server->pool, &request->visitor);
	intake_metrics_request(request->route, request->status, duration);
	intake_metrics_rows(request->rows);
	log_request(request, duration);
}

void
intake_request_answer(Request *request, Answer *answer, struct evbuffer *body)
{
	void	   *stream = request->stream;
	const char *text = (const char *) evbuffer_pullup(body, -1);
	size_t		len = evbuffer_get_length(body);

	request->status = answer->status;
	request->has_head = true;
	if (intake_answer_get(answer, "x-request-id") == NULL)
		intake_answer_add(answer, "x-request-id", request->id);
	if (strcmp(request->head->method, "HEAD") == 0)
		answer->is_bodiless = true;
	intake_request_finish(request);
	if (stream != NULL)
	{
		request->routine->send_head(stream, answer);
		if (!answer->is_bodiless && len > 0)
			request->routine->send_data(stream, text, len);
		request->routine->send_end(stream, NULL);
	}
	intake_answer_clear(answer);
}

void
intake_request_refuse(Request *request, int status, const char *detail,
					  int retry_after)
{
	struct evbuffer *body = evbuffer_new();
	Answer		answer;

	if (body == NULL)
		abort();
	intake_answer_init(&answer, status);
	if (status == 405)
		intake_answer_add(&answer, "allow", "GET, HEAD");
	if (retry_after >= 0)
		intake_answer_add_number(&answer, "retry-after", retry_after);
	intake_answer_add(&answer, "x-request-id", request->id);
	intake_answer_problem(&answer, body, request->head->path, detail);
	intake_request_answer(request, &answer, body);
	evbuffer_free(body);
}

/*
 * Waiting
 */

/* Says why no loader will serve such a request now, or NULL. */
static const char *
find_obstacle(const Request *request)
{
	const Server *server = request->server;
	const char *method = request->head->method;

	if (!server->is_ready)
		return server->reason[0] ? server->reason :
			"The server is not ready.";
	if (!server->is_writable && strcmp(method, "GET") != 0 &&
		strcmp(method, "HEAD") != 0 && strcmp(method, "OPTIONS") != 0)
		return server->reason[0] ? server->reason :
			"The server takes no writes.";
	return NULL;
}

static bool
refuse_hindered(Request *request, const char *obstacle)
{
	if (obstacle == NULL)
		return false;
	intake_metrics_reject(REJECT_NOT_READY);
	intake_request_refuse(request, 503, obstacle, 5);
	return true;
}

bool
intake_request_is_hindered(Request *request)
{
	return refuse_hindered(request, find_obstacle(request));
}

bool
intake_request_is_full(const Request *request)
{
	return !request->has_body || request->body.has_ended ||
		request->is_broken ||
		evbuffer_get_length(request->body.raw) >= REQUEST_FULL ||
		request->server->waiting_bytes > WAITING_MANY;
}

/* Keeps the count of what waits at no loader. */
static void
account_body(Request *request)
{
	size_t		now = 0;

	if (!request->is_loading)
		now = evbuffer_get_length(request->body.raw);
	request->server->waiting_bytes += now - request->counted;
	request->counted = now;
}

/* Nothing is read while enough of it waits. */
static void
pace_client(Request *request)
{
	bool		is_paused;

	if (request->body.has_ended || request->is_broken)
		is_paused = false;
	else if (request->is_loading)
		is_paused = evbuffer_get_length(request->body.raw) >=
			(size_t) request->server->config->limits.buffer_bytes;
	else
		is_paused = intake_request_is_full(request);
	if (is_paused == request->is_paused || request->stream == NULL)
		return;
	request->is_paused = is_paused;
	request->heard = request->rate_began = intake_clock_ms();
	request->rate_bytes = request->body.raw_bytes;
	request->routine->pause(request->stream, is_paused);
}

/* A body that drips in goes to a loader that has nothing else to do. */
static bool
is_slow_visitor(const Request *request)
{
	return request->is_accepted &&
		request->visitor.place == VISITOR_AWAY &&
		evbuffer_get_length(request->body.raw) > 0;
}

void
intake_request_choose(Request *request)
{
	Visitor    *visitor = &request->visitor;
	LoaderPool *pool = request->server->pool;
	bool		is_urgent;

	if (request->is_answered)
		return;
	account_body(request);
	pace_client(request);
	if (visitor->place == VISITOR_AT_LOADER ||
		visitor->place == VISITOR_QUEUED)
		return;
	is_urgent = intake_request_is_full(request) ||
		(request->wants_preflight && !request->is_accepted);
	if ((!is_urgent && !is_slow_visitor(request)) ||
		intake_request_is_hindered(request) ||
		intake_pool_queue(pool, visitor, !is_urgent))
		return;
	intake_metrics_reject(REJECT_QUEUE);
	intake_request_refuse(request, 503,
						  "Too many requests wait for a loader already.", 1);
}

/*
 * The head
 */

/* Says why a new request is not taken now, or NULL. */
static const char *
find_first_obstacle(const Request *request)
{
	const Server *server = request->server;
	const Limits *limits = &server->config->limits;

	if (server->is_ending)
		return "The server is shutting down.";
	/* HTTP/2 would hold more of them than connections, at no cost */
	if (server->nrequests > limits->max_connections + limits->max_queue)
		return "Too many requests are open.";
	return find_obstacle(request);
}

static void
set_timer(Request *request, int64_t ms)
{
	struct timeval time;

	time.tv_sec = ms / 1000;
	time.tv_usec = ms % 1000 * 1000;
	event_add(request->timer, &time);
}

void
intake_request_start(Request *request)
{
	if (intake_own_route(request) ||
		refuse_hindered(request, find_first_obstacle(request)))
		return;
	if (request->head->content_length > request->body.max_raw)
	{
		intake_metrics_reject(REJECT_TOO_LARGE);
		intake_request_refuse(request, 413,
							  "The body is longer than pg_intake.max_body_size.",
							  -1);
		return;
	}
	if (!request->has_body)
		request->body.has_ended = true;
	else
		set_timer(request, COLLECT_MS);
	/* a client that waits for us sends nothing before the preflight */
	request->wants_preflight = request->head->expects_continue;
	if (!request->has_body || request->wants_preflight)
		intake_request_choose(request);
}

/*
 * The body
 */

void
intake_request_body(Request *request, struct evbuffer *from, size_t n)
{
	int			status;

	if (request->is_answered || request->is_broken)
	{
		evbuffer_drain(from, n);
		if (request->stream != NULL)
			request->routine->took(request->stream, n);
		return;
	}
	request->heard = intake_clock_ms();
	status = intake_body_add(&request->body, from, n);
	if (status != 0)
	{
		intake_metrics_reject(REJECT_TOO_LARGE);
		evbuffer_drain(from, n);
		intake_request_fail_body(request, status, request->body.why, false);
		return;
	}
	if (request->is_loading)
	{
		intake_visit_feed(request);
		pace_client(request);
		return;
	}
	if (request->server->waiting_bytes > WAITING_MOST)
	{
		intake_metrics_reject(REJECT_QUEUE);
		intake_request_refuse(request, 503,
							  "Too many bodies wait for a loader already.", 1);
		return;
	}
	intake_request_choose(request);
}

void
intake_request_end_body(Request *request)
{
	if (request->is_answered || request->is_broken)
		return;
	request->body.has_ended = true;
	event_del(request->timer);
	if (request->is_loading)
		intake_visit_feed(request);
	else
		intake_request_choose(request);
}

/*
 * A disconnect goes to a loader, which records it.  Before there is a loader,
 * anything else is answered here: nothing has begun.
 */
void
intake_request_fail_body(Request *request, int status, const char *why,
						 bool is_disconnect)
{
	if (request->is_answered || request->is_broken || request->body.has_ended)
		return;
	request->is_broken = true;
	request->break_status = status;
	request->break_reason = why;
	request->is_disconnect = is_disconnect;
	event_del(request->timer);
	if (request->is_loading)
		intake_visit_feed(request);
	else if (request->has_head)
		return;					/* the answer is on its way */
	else if (is_disconnect)
		intake_request_choose(request);
	else
		intake_request_refuse(request, status, why, -1);
}

void
intake_request_drained(Request *request)
{
	if (request->visitor.loader != NULL)
		intake_loader_pause(request->visitor.loader, false);
}

void
intake_request_leave(Request *request)
{
	request->stream = NULL;
	/* nobody will hear what a question is answered with */
	if (request->visitor.place == VISITOR_QUEUED &&
		(strcmp(request->head->method, "GET") == 0 ||
		 strcmp(request->head->method, "HEAD") == 0))
		intake_pool_leave(request->server->pool, &request->visitor);
	else if (request->has_body && !request->body.has_ended)
		intake_request_fail_body(request, 408, "The client went away.", true);
	if (request->visitor.loader != NULL)
		intake_loader_pause(request->visitor.loader, false);
	intake_request_release(request);
}

/*
 * Time limits
 */

static bool
is_too_slow(Request *request, int64_t now)
{
	int64_t		rate = request->server->config->limits.min_upload_rate;
	int64_t		time = now - request->rate_began;
	int64_t		bytes = request->body.raw_bytes - request->rate_bytes;

	if (time < RATE_WINDOW_MS)
		return false;
	request->rate_began = now;
	request->rate_bytes = request->body.raw_bytes;
	return bytes < rate * time / 1000;
}

/* Is it the client whom we wait for? */
static bool
is_clients_turn(const Request *request)
{
	return !request->is_paused &&
		(request->is_accepted || request->is_loading ||
		 !request->head->expects_continue) &&
		evbuffer_get_length(request->body.raw) < REQUEST_FULL;
}

static void
break_slow(Request *request, const char *why, bool is_disconnect)
{
	intake_metrics_reject(REJECT_SLOW);
	intake_request_fail_body(request, 408, why, is_disconnect);
}

static void
watch_body(evutil_socket_t fd, short what, void *arg)
{
	Request    *request = arg;
	const Limits *limits = &request->server->config->limits;
	int64_t		now = intake_clock_ms();

	if (request->is_answered || request->is_broken ||
		request->body.has_ended)
		return;
	set_timer(request, TICK_MS);
	if (!request->wants_preflight)
	{
		request->wants_preflight = true;
		intake_request_choose(request);
		return;
	}
	if (!is_clients_turn(request))
	{
		request->heard = request->rate_began = now;
		request->rate_bytes = request->body.raw_bytes;
	}
	if (now - request->began > limits->max_upload_duration_ms)
		break_slow(request, "The upload took too long.", false);
	else if (now - request->heard > limits->body_timeout_ms)
		break_slow(request, "The client fell silent.", true);
	else if (is_too_slow(request, now))
		break_slow(request, "The upload was too slow.", false);
}

void
intake_request_refuse_bad(Server *server, const Peer *peer, const Head *head,
						  Answer *answer, const char *why)
{
	char		id[REQUEST_MAX_ID + 1];
	char		ids[MAX_IDS];
	char		detail[MAX_IDS + 256];

	make_id(head, id);
	print_ids(ids, id, head);
	snprintf(detail, sizeof(detail), "%.200s (%s)",
			 why == NULL ? "No reason was given." : why, ids);
	intake_request_count_bad(server, peer, answer->status, detail);
	intake_answer_add(answer, "x-request-id", id);
}

void
intake_request_count_bad(Server *server, const Peer *peer, int status,
						 const char *why)
{
	intake_metrics_request("http", status, 0);
	intake_metrics_reject(REJECT_BAD_REQUEST);
	intake_log_limited(LOG_KIND_BAD_REQUEST, why,
					   "refused a request from %s: %d", peer->address, status);
}
