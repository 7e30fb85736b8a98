/*-------------------------------------------------------------------------
 *
 * config.c
 *	  What the gateway wants of the program: a frame of JSON, read.
 *
 * The gateway has checked the settings; ranges are kept here too, since a
 * limit that is not finite is no limit.
 *
 *-------------------------------------------------------------------------
 */
#include <jansson.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "http/config.h"

#define KB INT64_C(1024)
#define MB (KB * 1024)
#define GB (MB * 1024)
#define DAY INT64_C(86400000)

typedef struct LimitRule
{
	const char *name;
	size_t		offset;
	int64_t		usual;
	int64_t		min;
	int64_t		max;
} LimitRule;

#define RULE(name, usual, min, max) \
	{#name, offsetof(Limits, name), usual, min, max}

static const LimitRule limit_rules[] = {
	RULE(header_count, 100, 8, 1000),
	RULE(header_bytes, 32 * KB, KB, 256 * KB),
	RULE(body_bytes, 64 * GB, 0, INT64_C(1) << 50),
	RULE(inflated_bytes, 64 * GB, 0, INT64_C(1) << 50),
	RULE(idle_timeout_ms, 60000, 100, DAY),
	RULE(header_timeout_ms, 10000, 100, DAY),
	RULE(body_timeout_ms, 60000, 100, DAY),
	RULE(min_upload_rate, 0, 0, GB),
	RULE(max_upload_duration_ms, 12 * 3600000, 100, 30 * DAY),
	RULE(max_connections, 2000, 1, 100000),
	RULE(max_connections_per_address, 0, 0, 100000),
	RULE(max_streams, 32, 1, 1000),
	RULE(buffer_bytes, MB, 128 * KB, 64 * MB),
	RULE(max_queue, 100, 0, 100000),
	RULE(queue_timeout_ms, 30000, 100, DAY),
	RULE(max_loaders, 4, 1, 1000),
	RULE(drain_ms, 2000, 0, 60000)
};

static void
read_limits(Limits *limits, json_t *object)
{
	for (size_t i = 0; i < sizeof(limit_rules) / sizeof(*limit_rules); i++)
	{
		const LimitRule *rule = &limit_rules[i];
		json_t	   *member = json_object_get(object, rule->name);
		int64_t		value = rule->usual;

		if (json_is_integer(member))
			value = json_integer_value(member);
		if (value < rule->min)
			value = rule->min;
		if (value > rule->max)
			value = rule->max;
		memcpy((char *) limits + rule->offset, &value, sizeof(value));
	}
}

static const char *
read_listen(Config *config, json_t *object)
{
	json_t	   *list = json_object_get(object, "listen");
	json_int_t	port = json_integer_value(json_object_get(object, "port"));

	if (port < 0 || port > 65535)
		return "port is out of range";
	config->port = (int) port;
	if (json_array_size(list) > CONFIG_MAX_LISTEN)
		return "too many addresses to listen on";
	for (size_t i = 0; i < json_array_size(list); i++)
	{
		const char *address = json_string_value(json_array_get(list, i));

		if (address == NULL)
			return "an address to listen on is no text";
		config->listen[config->nlisten] = strdup(address);
		if (config->listen[config->nlisten++] == NULL)
			return "out of memory";
	}
	return NULL;
}

static const char *
read_tls(Config *config, json_t *object)
{
	json_t	   *tls = json_object_get(object, "tls");
	const char *certificate;
	const char *key;

	config->is_tls = json_is_object(tls);
	if (!config->is_tls)
		return NULL;
	certificate = json_string_value(json_object_get(tls, "certificate"));
	key = json_string_value(json_object_get(tls, "key"));
	if (certificate == NULL || key == NULL)
		return "tls lacks certificate or key";
	config->certificate = strdup(certificate);
	config->key = strdup(key);
	if (config->certificate == NULL || config->key == NULL)
		return "out of memory";
	return NULL;
}

static void
read_switches(Config *config, json_t *object)
{
	const char *requests;

	requests = json_string_value(json_object_get(object, "log_requests"));
	if (requests != NULL && strcmp(requests, "all") == 0)
		config->log_requests = LOG_REQUESTS_ALL;
	else if (requests != NULL && strcmp(requests, "errors") == 0)
		config->log_requests = LOG_REQUESTS_ERRORS;
	config->is_ready = !json_is_false(json_object_get(object, "ready"));
}

Config *
intake_config_read(const char *json, size_t len, char *why, size_t why_size)
{
	Config	   *config = calloc(1, sizeof(Config));
	json_t	   *object = json_loadb(json, len, 0, NULL);
	const char *fault;

	if (config == NULL)
		fault = "out of memory";
	else if (!json_is_object(object))
		fault = "it is no JSON object";
	else if ((fault = read_listen(config, object)) == NULL)
		fault = read_tls(config, object);
	if (fault == NULL)
	{
		read_limits(&config->limits, json_object_get(object, "limits"));
		read_switches(config, object);
	}
	else
	{
		snprintf(why, why_size, "%s", fault);
		intake_config_free(config);
		config = NULL;
	}
	json_decref(object);
	return config;
}

void
intake_config_free(Config *config)
{
	if (config == NULL)
		return;
	for (int i = 0; i < config->nlisten; i++)
		free(config->listen[i]);
	free(config->certificate);
	if (config->key != NULL)
		OPENSSL_cleanse(config->key, strlen(config->key));
	free(config->key);
	free(config);
}
