/*-------------------------------------------------------------------------
 *
 * http_stage.c
 *	  The HTTP program without its sockets: a client and loaders of paper.
 *
 * Transports without a descriptor are fed by hand, and what is sent through
 * them is looked at and dropped.
 *
 *-------------------------------------------------------------------------
 */
#include "http/client.h"
#include "http/log.h"
#include "http/protocol.h"

#include "fuzz.h"
#include "http_stage.h"

#define NLOADERS 3
#define MAX_TURNS 200

typedef struct PaperLoader
{
	Transport  *transport;		/* NULL: it has died */
	bool		is_busy;
	bool		is_preflight;
} PaperLoader;

static Server server;
static PaperLoader loaders[NLOADERS];
static uint32_t chance;

static void
drop_line(const char *level, const char *message, const char *detail)
{
	FUZZ_CHECK(strlen(message) > 0);
}

static void
drop_wish(void *arg, int n)
{
	FUZZ_CHECK(n > 0);
}

static void
run_loop(void)
{
	event_base_loop(server.base, EVLOOP_NONBLOCK);
}

static void
feed(PaperLoader *loader, char type, const char *payload)
{
	char		frame[256];

	intake_frame_head(frame, type, strlen(payload));
	memcpy(frame + INTAKE_FRAME_HEAD, payload, strlen(payload));
	intake_transport_feed(loader->transport, frame,
						  INTAKE_FRAME_HEAD + strlen(payload));
}

static void
set_stage(void)
{
	static const char json[] =
	"{\"listen\": [], \"port\": 1, \"limits\": {\"header_bytes\": 4096,"
	" \"header_count\": 20, \"body_bytes\": 300000,"
	" \"inflated_bytes\": 400000, \"max_queue\": 4, \"max_streams\": 8}}";
	char		why[100];

	intake_log_open(drop_line);
	server.base = event_base_new();
	server.config = intake_config_read(json, sizeof(json) - 1, why,
									   sizeof(why));
	FUZZ_CHECK(server.base != NULL && server.config != NULL);
	server.pool = intake_pool_new(server.base, -1, drop_wish, NULL);
	intake_pool_set_limits(server.pool, NLOADERS, 4, 100000, 128 * 1024);
	server.is_ready = server.is_writable = true;
}

static void
revive_loaders(void)
{
	for (int i = 0; i < NLOADERS; i++)
	{
		if (loaders[i].transport != NULL)
			continue;
		memset(&loaders[i], 0, sizeof(loaders[i]));
		loaders[i].transport = intake_pool_add_fed(server.pool);
		feed(&loaders[i], INTAKE_FRAME_HELLO, "{}");
	}
}

/* The end of a visit, in one of several ways. */
static void
answer(PaperLoader *loader, bool may_die)
{
	loader->is_busy = false;
	if (may_die && fuzz_random(&chance) % 16 == 0)
	{
		/* nonsense: the pool drops the loader, and its transport */
		Transport  *transport = loader->transport;

		loader->transport = NULL;
		intake_transport_feed(transport, "\xff\xff\xff\xff", 4);
		return;
	}
	feed(loader, INTAKE_FRAME_ANSWER, fuzz_random(&chance) % 2 ?
		 "{\"status\": 200, \"headers\": [[\"a\", \"b\"]], \"route\": \"v1\"}" :
		 "{\"status\": 422, \"headers\": [[\"content-length\", \"1\"]]}");
	feed(loader, INTAKE_FRAME_ANSWER_BODY, "x");
	feed(loader, INTAKE_FRAME_ANSWER_END, fuzz_random(&chance) % 2 ?
		 "{\"rows\": 1}" : "{\"trailers\": [[\"x-intake-status\", \"422\"]]}");
}

static void
take_request(PaperLoader *loader, const IntakeFrame *frame)
{
	json_t	   *object = json_loadb(frame->payload, frame->len, 0, NULL);

	FUZZ_CHECK(json_is_object(object) && !loader->is_busy);
	loader->is_busy = true;
	loader->is_preflight = json_is_true(json_object_get(object, "preflight"));
	if (loader->is_preflight && fuzz_random(&chance) % 4 != 0)
	{
		loader->is_busy = false;
		feed(loader, INTAKE_FRAME_GO_ON, "{}");
	}
	else if (loader->is_preflight ||
			 strcmp(json_string_value(json_object_get(object, "body")),
					"none") == 0 ||
			 fuzz_random(&chance) % 4 == 0)
		answer(loader, true);
	json_decref(object);
}

/* Reads what was sent to a loader.  True when there was something. */
static bool
play_loader(PaperLoader *loader)
{
	struct evbuffer *out;
	IntakeFrame frame;
	char	   *text;
	size_t		len;
	size_t		at = 0;
	long		used;

	if (loader->transport == NULL ||
		(len = evbuffer_get_length(loader->transport->out)) == 0)
		return false;
	out = loader->transport->out;
	text = malloc(len);
	FUZZ_CHECK(text != NULL &&
			   evbuffer_copyout(out, text, len) == (ev_ssize_t) len);
	intake_transport_take(loader->transport);
	while (loader->transport != NULL && at < len)
	{
		used = intake_frame_read(text + at, len - at, &frame);
		FUZZ_CHECK(used > 0);
		if (frame.type == INTAKE_FRAME_REQUEST)
			take_request(loader, &frame);
		else if (frame.type == INTAKE_FRAME_BODY_DATA)
			FUZZ_CHECK(frame.len > 0 && frame.len <= INTAKE_FRAME_BODY);
		else
		{
			FUZZ_CHECK(frame.type == INTAKE_FRAME_BODY_END ||
					   frame.type == INTAKE_FRAME_BODY_BROKEN);
			if (loader->is_busy)
				answer(loader, true);
		}
		at += (size_t) used;
	}
	free(text);
	return true;
}

/* Lets everybody act until nobody has anything to do. */
static void
play_on(void)
{
	bool		is_moving = true;

	for (int turn = 0; is_moving; turn++)
	{
		FUZZ_CHECK(turn < MAX_TURNS);
		run_loop();
		is_moving = false;
		for (int i = 0; i < NLOADERS; i++)
			is_moving |= play_loader(&loaders[i]);
		revive_loaders();
	}
	run_loop();
}

/* The client may be gone at any time. */
static void
send_piece(Client *client, const char *text, size_t len)
{
	char	   *copy;

	if (server.nconnections == 0)
		return;
	copy = fuzz_copy(text, len);
	intake_transport_feed(client->transport, copy, len);
	free(copy);
	run_loop();
	if (server.nconnections > 0)
		intake_transport_take(client->transport);
	play_on();
	if (server.nconnections > 0)
		intake_transport_take(client->transport);
}

void
http_stage_play(const uint8_t *data, size_t len, const char *prefix,
				size_t prefix_len)
{
	size_t		at = 2;
	size_t		piece;
	Client	   *client;

	if (len < 2)
		return;
	if (server.base == NULL)
		set_stage();
	chance = 1 + data[0] * 256u + data[1];
	piece = data[0] % 4 == 0 ? len : 1 + data[1] % 64u;
	revive_loaders();
	run_loop();
	client = intake_client_new(&server, -1, NULL, NULL,
							   intake_protocol_choose);
	if (prefix_len > 0)
		send_piece(client, prefix, prefix_len);
	for (; at < len; at += piece)
		send_piece(client, (const char *) data + at,
				   len - at < piece ? len - at : piece);
	intake_client_close_all();
	play_on();
	FUZZ_CHECK(server.nconnections == 0);
	FUZZ_CHECK(server.nrequests == 0);
	FUZZ_CHECK(server.waiting_bytes == 0);
}
