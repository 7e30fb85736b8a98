/*-------------------------------------------------------------------------
 *
 * protocol.c
 *	  Which protocol a client speaks.
 *
 *-------------------------------------------------------------------------
 */
#include <string.h>

#include "http/h1.h"
#include "http/h2.h"
#include "http/log.h"
#include "http/metrics.h"
#include "http/protocol.h"
#include "http/tls.h"

/* More of HTTP/2's preface than any request of HTTP/1 begins with. */
#define PREFACE "PRI * HTTP/2.0\r\n"
#define PREFACE_LEN (sizeof(PREFACE) - 1)
#define TLS_HANDSHAKE 0x16

const ProtocolRoutine *
intake_protocol_choose(Client *client)
{
	struct evbuffer *in = client->transport->in;
	size_t		len = evbuffer_get_length(in);
	const unsigned char *text;

	if (client->transport->ssl != NULL &&
		intake_tls_is_http2(client->transport->ssl))
		return &intake_h2_routine;
	if (len > PREFACE_LEN)
		len = PREFACE_LEN;
	text = evbuffer_pullup(in, (ev_ssize_t) len);
	if (len == 0)
		return NULL;
	if (text[0] == TLS_HANDSHAKE && client->transport->ssl == NULL)
	{
		intake_metrics_reject(REJECT_TLS);
		intake_log_limited(LOG_KIND_TLS_TO_CLEAR, NULL,
						   "refused TLS from %s at a port without TLS",
						   client->peer.address);
		intake_client_close(client);
		return NULL;
	}
	if (memcmp(text, PREFACE, len) != 0)
		return &intake_h1_routine;
	return len == PREFACE_LEN ? &intake_h2_routine : NULL;
}
