/*-------------------------------------------------------------------------
 *
 * metrics.h
 *	  What is counted, for /metrics and for the gateway.
 *
 * Nothing that a client names is a label: routes are the loaders' own words.
 * There is room for 255 pairs of a route and a status; all others are counted
 * as route "other", status 0.
 *
 *-------------------------------------------------------------------------
 */
#ifndef INTAKE_HTTP_METRICS_H
#define INTAKE_HTTP_METRICS_H

#ifdef POSTGRES_H
#error "the HTTP program knows nothing of PostgreSQL"
#endif

#include <event2/buffer.h>
#include <jansson.h>
#include <stdint.h>

typedef enum RejectReason
{
	REJECT_BAD_REQUEST,
	REJECT_CONNECTIONS,
	REJECT_ADDRESS,
	REJECT_QUEUE,
	REJECT_NOT_READY,
	REJECT_SLOW,
	REJECT_TOO_LARGE,
	REJECT_FLOOD,
	REJECT_TLS,
	REJECT_LOADER,
	REJECT_COUNT
} RejectReason;

/* What is not counted here, but read when it is shown. */
typedef struct Gauges
{
	int			loaders;
	int			busy;
	int			queued;
	int			connections;
	int64_t		certificate_expires;	/* -1: no certificate */
} Gauges;

extern void intake_metrics_request(const char *route, int status,
								   int64_t duration_ms);
extern void intake_metrics_bytes(uint64_t in, uint64_t out);
extern void intake_metrics_rows(uint64_t rows);
extern void intake_metrics_reject(RejectReason reason);

/* In the text form of Prometheus. */
extern void intake_metrics_print(struct evbuffer *out, const Gauges *gauges);

/* As an object for the gateway; a new reference. */
extern json_t *intake_metrics_json(const Gauges *gauges);

#endif							/* INTAKE_HTTP_METRICS_H */
