/*-------------------------------------------------------------------------
 *
 * gateway_config.c
 *	  What the HTTP program is told of the settings.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "utils/json.h"

#include "worker/gateway_config.h"
#include "worker/gateway_listen.h"
#include "worker/tls_pair.h"
#include "worker/worker_settings.h"

/* Room for all of a configuration but the certificate and its key. */
#define OTHER_LENGTH (64 * 1024)

/* What the program is told where the settings have no limit. */
#define NO_LIMIT (INT64CONST(1) << 50)

/* How long what follows an early answer is read before the end, ms. */
#define DRAIN_TIME 2000

/* Where TLS is asked for and not to be had, nobody is served without. */
static int
usable_port(const IntakeTlsPair *pair)
{
	if (intake_port == 0 || intake_tls_certificate_file[0] == '\0' ||
		pair != NULL)
		return intake_port;
	ereport(LOG,
			(errcode(ERRCODE_CONFIG_FILE_ERROR),
			 errmsg("the gateway does not listen without its certificate")));
	return 0;
}

static void
append_tls(StringInfo json, const IntakeTlsPair *pair)
{
	appendStringInfoString(json, ", \"tls\": ");
	if (pair == NULL)
	{
		appendStringInfoString(json, "null");
		return;
	}
	appendStringInfoString(json, "{\"certificate\": ");
	escape_json(json, pair->certificate);
	appendStringInfoString(json, ", \"key\": ");
	escape_json(json, pair->key);
	appendStringInfoChar(json, '}');
}

/* A limit of which 0 means that there is none. */
static int64
limit_or_none(int64 limit)
{
	return limit == 0 ? NO_LIMIT : limit;
}

static void
append_limits(StringInfo json)
{
	const struct
	{
		const char *name;
		int64		value;
	}			limits[] = {
		{"header_count", intake_max_header_count},
		{"header_bytes", intake_max_header_size},
		{"body_bytes", limit_or_none((int64) intake_max_body_size * 1024)},
		{"inflated_bytes",
		limit_or_none((int64) intake_max_inflated_size * 1024)},
		{"idle_timeout_ms", intake_idle_timeout},
		{"header_timeout_ms", intake_header_timeout},
		{"body_timeout_ms", intake_body_timeout},
		{"min_upload_rate", intake_min_upload_rate},
		{"max_upload_duration_ms", limit_or_none(intake_max_upload_duration)},
		{"max_connections", intake_max_http_connections},
		{"max_connections_per_address", intake_max_connections_per_address},
		{"max_streams", intake_max_streams},
		{"buffer_bytes", (int64) intake_http_buffer_size * 1024},
		{"max_queue", intake_max_queue},
		{"queue_timeout_ms", intake_queue_timeout},
		{"max_loaders", intake_max_loaders},
		{"drain_ms", DRAIN_TIME},
	};
	int			i;

	appendStringInfoString(json, ", \"limits\": {");
	for (i = 0; i < lengthof(limits); i++)
		appendStringInfo(json, "%s\"%s\": " INT64_FORMAT, i > 0 ? ", " : "",
						 limits[i].name, limits[i].value);
	appendStringInfoChar(json, '}');
}

/*
 * Room for everything: a text that grows leaves copies of the key behind.
 * Escapes make six bytes of one at most.
 */
static void
make_room(StringInfo json, const IntakeTlsPair *pair)
{
	size_t		len = 0;

	if (pair != NULL)
		len = strlen(pair->key) + strlen(pair->certificate);
	enlargeStringInfo(json, (int) (6 * len) + OTHER_LENGTH);
}

void
intake_gateway_config_append(StringInfo json)
{
	static const char *const log_requests[] = {"none", "errors", "all"};
	const IntakeTlsPair *pair = intake_tls_pair_read();

	make_room(json, pair);
	appendStringInfo(json, "{\"port\": %d, ", usable_port(pair));
	intake_gateway_listen_append(json);
	append_tls(json, pair);
	append_limits(json);
	appendStringInfo(json, ", \"log_requests\": \"%s\"}",
					 log_requests[intake_log_requests]);
}
