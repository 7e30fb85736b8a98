/*-------------------------------------------------------------------------
 *
 * metrics.c
 *	  What is counted, for /metrics and for the gateway.
 *
 *-------------------------------------------------------------------------
 */
#include <stdio.h>
#include <string.h>

#include "http/metrics.h"

#define MAX_SERIES 256
#define MAX_ROUTE 24

/* Where those are counted for which there is no series of their own. */
#define OTHER_ROUTE "other"
#define OTHER_STATUS 0

/* upper bounds in milliseconds; one more bucket has no bound */
static const int64_t bounds[] = {5, 25, 100, 500, 2500, 10000, 60000, 600000};

#define NBOUNDS (sizeof(bounds) / sizeof(bounds[0]))

typedef struct Series
{
	char		route[MAX_ROUTE];
	int			status;
	uint64_t	count;
	double		seconds;
	uint64_t	buckets[NBOUNDS];	/* of at most so long */
} Series;

static const char *const reject_names[REJECT_COUNT] = {
	"bad_request", "connections", "connections_per_address", "queue",
	"not_ready", "slow", "too_large", "flood", "tls", "loader"
};

static Series series[MAX_SERIES];
static int	nseries;
static uint64_t bytes_in;
static uint64_t bytes_out;
static uint64_t rows_in;
static uint64_t rejects[REJECT_COUNT];

/* The series of a route and a status, else the last one: of all others. */
static Series *
find_series(const char *route, int status)
{
	for (int i = 0; i < nseries; i++)
	{
		if (series[i].status == status &&
			strncmp(series[i].route, route, MAX_ROUTE - 1) == 0)
			return &series[i];
	}
	if (nseries == MAX_SERIES)
		return &series[MAX_SERIES - 1];
	if (nseries == MAX_SERIES - 1)
	{
		route = OTHER_ROUTE;
		status = OTHER_STATUS;
	}
	snprintf(series[nseries].route, MAX_ROUTE, "%s", route);
	series[nseries].status = status;
	return &series[nseries++];
}

void
intake_metrics_request(const char *route, int status, int64_t duration_ms)
{
	Series	   *one = find_series(route, status);

	one->count++;
	one->seconds += (double) duration_ms / 1000;
	for (size_t i = 0; i < NBOUNDS; i++)
		one->buckets[i] += duration_ms <= bounds[i];
}

void
intake_metrics_bytes(uint64_t in, uint64_t out)
{
	bytes_in += in;
	bytes_out += out;
}

void
intake_metrics_rows(uint64_t rows)
{
	rows_in += rows;
}

void
intake_metrics_reject(RejectReason reason)
{
	rejects[reason]++;
}

static void
print_type(struct evbuffer *out, const char *name, const char *type,
		   const char *help)
{
	evbuffer_add_printf(out, "# HELP pg_intake_%s %s\n# TYPE pg_intake_%s %s\n",
						name, help, name, type);
}

static void
print_number(struct evbuffer *out, const char *name, const char *type,
			 const char *help, long long value)
{
	print_type(out, name, type, help);
	evbuffer_add_printf(out, "pg_intake_%s %lld\n", name, value);
}

static void
print_requests(struct evbuffer *out)
{
	print_type(out, "http_requests_total", "counter",
			   "Requests answered, by route and status.");
	for (int i = 0; i < nseries; i++)
		evbuffer_add_printf(out, "pg_intake_http_requests_total"
							"{route=\"%s\",status=\"%d\"} %llu\n",
							series[i].route, series[i].status,
							(unsigned long long) series[i].count);
}

static void
print_durations(struct evbuffer *out)
{
	const char *name = "pg_intake_http_request_duration_seconds";

	print_type(out, "http_request_duration_seconds", "histogram",
			   "From a request's head to the end of its answer.");
	for (int i = 0; i < nseries; i++)
	{
		char		labels[MAX_ROUTE + 40];

		snprintf(labels, sizeof(labels), "route=\"%.23s\",status=\"%d\"",
				 series[i].route, series[i].status);
		for (size_t j = 0; j < NBOUNDS; j++)
			evbuffer_add_printf(out, "%s_bucket{%s,le=\"%g\"} %llu\n", name,
								labels, (double) bounds[j] / 1000,
								(unsigned long long) series[i].buckets[j]);
		evbuffer_add_printf(out, "%s_bucket{%s,le=\"+Inf\"} %llu\n", name,
							labels, (unsigned long long) series[i].count);
		evbuffer_add_printf(out, "%s_sum{%s} %.3f\n%s_count{%s} %llu\n",
							name, labels, series[i].seconds, name, labels,
							(unsigned long long) series[i].count);
	}
}

void
intake_metrics_print(struct evbuffer *out, const Gauges *gauges)
{
	print_requests(out);
	print_durations(out);
	print_number(out, "http_bytes_received_total", "counter",
				 "Bytes from clients, TLS taken off.", bytes_in);
	print_number(out, "http_bytes_sent_total", "counter",
				 "Bytes to clients, before TLS.", bytes_out);
	print_number(out, "rows_received_total", "counter",
				 "Records in uploads.", rows_in);
	print_type(out, "http_rejected_total", "counter",
			   "What was refused by the HTTP program itself, by reason.");
	for (int i = 0; i < REJECT_COUNT; i++)
		evbuffer_add_printf(out, "pg_intake_http_rejected_total"
							"{reason=\"%s\"} %llu\n", reject_names[i],
							(unsigned long long) rejects[i]);
	print_number(out, "loaders", "gauge", "Loaders there are.",
				 gauges->loaders);
	print_number(out, "loaders_busy", "gauge", "Loaders at work.",
				 gauges->busy);
	print_number(out, "http_queue", "gauge", "Requests waiting for a loader.",
				 gauges->queued);
	print_number(out, "http_connections", "gauge", "Open connections.",
				 gauges->connections);
	if (gauges->certificate_expires >= 0)
		print_number(out, "certificate_expiry_timestamp_seconds", "gauge",
					 "When the TLS certificate ends.",
					 gauges->certificate_expires);
}

json_t *
intake_metrics_json(const Gauges *gauges)
{
	json_t	   *requests = json_array();
	json_t	   *rejected = json_object();

	for (int i = 0; i < nseries; i++)
		json_array_append_new(requests,
							  json_pack("{s:s, s:i, s:I, s:f}",
										"route", series[i].route,
										"status", series[i].status,
										"count", (json_int_t) series[i].count,
										"seconds", series[i].seconds));
	for (int i = 0; i < REJECT_COUNT; i++)
		json_object_set_new(rejected, reject_names[i],
							json_integer((json_int_t) rejects[i]));
	return json_pack("{s:o, s:I, s:I, s:I, s:i, s:i, s:i, s:i, s:o, s:o}",
					 "requests", requests,
					 "bytes_in", (json_int_t) bytes_in,
					 "bytes_out", (json_int_t) bytes_out,
					 "rows", (json_int_t) rows_in,
					 "loaders_busy", gauges->busy,
					 "loaders", gauges->loaders,
					 "queued", gauges->queued,
					 "connections", gauges->connections,
					 "rejected", rejected,
					 "certificate_expires", gauges->certificate_expires < 0 ?
					 json_null() :
					 json_integer(gauges->certificate_expires));
}
