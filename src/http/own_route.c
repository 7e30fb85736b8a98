/*-------------------------------------------------------------------------
 *
 * own_route.c
 *	  Health and metrics, answered without a loader.
 *
 *-------------------------------------------------------------------------
 */
#include <stdlib.h>
#include <string.h>

#include "http/own_route.h"
#include "http/request_state.h"
#include "http/tls.h"

#define HEALTH "/actuator/health"

static void
answer_health(Request *request, bool is_up, const char *down)
{
	const Server *server = request->server;
	json_t	   *object = json_pack("{s:s}", "status", is_up ? "UP" : down);
	struct evbuffer *body = evbuffer_new();
	Answer		answer;
	char	   *text;

	if (!is_up && server->reason[0] != '\0')
		json_object_set_new(object, "reason", json_string(server->reason));
	text = json_dumps(object, JSON_COMPACT);
	if (text == NULL || body == NULL)
		abort();
	evbuffer_add(body, text, strlen(text));
	intake_answer_init(&answer, is_up ? 200 : 503);
	intake_answer_add(&answer, "content-type", "application/json");
	intake_answer_add_number(&answer, "content-length",
							 (long long) strlen(text));
	intake_request_answer(request, &answer, body);
	evbuffer_free(body);
	free(text);
	json_decref(object);
}

void
intake_own_gauges(const Server *server, Gauges *gauges)
{
	PoolCounts	counts = intake_pool_count(server->pool);

	gauges->loaders = counts.loaders;
	gauges->busy = counts.busy;
	gauges->queued = counts.queued;
	gauges->connections = server->nconnections;
	gauges->certificate_expires = server->tls != NULL ?
		intake_tls_expiry(server->tls) : -1;
}

static void
answer_metrics(Request *request)
{
	struct evbuffer *body = evbuffer_new();
	Gauges		gauges;
	Answer		answer;

	if (body == NULL)
		abort();
	intake_own_gauges(request->server, &gauges);
	intake_metrics_print(body, &gauges);
	intake_answer_init(&answer, 200);
	intake_answer_add(&answer, "content-type",
					  "text/plain; version=0.0.4; charset=utf-8");
	intake_answer_add_number(&answer, "content-length",
							 (long long) evbuffer_get_length(body));
	intake_request_answer(request, &answer, body);
	evbuffer_free(body);
}

static void
answer_route(Request *request)
{
	const Server *server = request->server;
	const char *path = request->head->path;
	bool		is_ready = server->is_ready && !server->is_ending;

	if (strcmp(path, "/metrics") == 0)
		answer_metrics(request);
	else if (strcmp(path, HEALTH "/liveness") == 0)
		answer_health(request, true, "DOWN");
	else if (strcmp(path, HEALTH "/readiness") == 0)
		answer_health(request, is_ready && server->is_writable,
					  "OUT_OF_SERVICE");
	else
		answer_health(request, is_ready, "DOWN");
}

bool
intake_own_route(Request *request)
{
	const char *path = request->head->path;
	const char *method = request->head->method;

	if (strcmp(path, "/metrics") == 0)
		strcpy(request->route, "metrics");
	else if (strcmp(path, HEALTH) == 0 ||
			 strcmp(path, HEALTH "/liveness") == 0 ||
			 strcmp(path, HEALTH "/readiness") == 0)
		strcpy(request->route, "health");
	else
		return false;
	if (strcmp(method, "GET") == 0 || strcmp(method, "HEAD") == 0)
		answer_route(request);
	else
		intake_request_refuse(request, 405, "The path is for GET and HEAD.",
							  -1);
	return true;
}
