/*-------------------------------------------------------------------------
 *
 * gateway_listen.c
 *	  The addresses that the gateway may listen on.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "nodes/pg_list.h"
#include "utils/json.h"
#include "utils/varlena.h"

#include "settings.h"
#include "worker/gateway_listen.h"
#include "worker/worker_settings.h"

/* As many as the HTTP program takes. */
#define MAX_ADDRESSES 16

static bool
is_loopback(const struct sockaddr *address)
{
	const struct sockaddr_in *in = (const struct sockaddr_in *) address;
	const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *) address;

	if (address->sa_family == AF_INET)
		return (ntohl(in->sin_addr.s_addr) >> 24) == 127;
	return IN6_IS_ADDR_LOOPBACK(&in6->sin6_addr);
}

/* Whether the settings allow a listener on a network; says why not. */
static bool
may_serve_network(const char *address)
{
	const char *reason = NULL;

	if (intake_authentication == INTAKE_AUTHENTICATION_NONE)
		reason = "pg_intake.authentication is \"none\", which is for loopback addresses only.";
	else if (intake_jwt_audience[0] == '\0')
		reason = "pg_intake.jwt_audience must be set for all but loopback addresses.";
	if (reason == NULL)
		return true;
	ereport(LOG,
			(errcode(ERRCODE_CONFIG_FILE_ERROR),
			 errmsg("the gateway does not listen on address \"%s\"", address),
			 errdetail_internal("%s", reason)));
	return false;
}

/* The address as a number, if it may be listened on. */
static List *
add_address(List *addresses, const struct addrinfo *info)
{
	char		host[NI_MAXHOST];
	ListCell   *cell;

	if (getnameinfo(info->ai_addr, info->ai_addrlen, host, sizeof(host), NULL,
					0, NI_NUMERICHOST) != 0)
		return addresses;
	foreach(cell, addresses)
	{
		if (strcmp(lfirst(cell), host) == 0)
			return addresses;
	}
	if (list_length(addresses) == MAX_ADDRESSES ||
		(!is_loopback(info->ai_addr) && !may_serve_network(host)))
		return addresses;
	return lappend(addresses, pstrdup(host));
}

/* The addresses of a name; "*" is all of the machine's. */
static List *
add_name(List *addresses, const char *name)
{
	struct addrinfo hints = {0};
	struct addrinfo *list = NULL;
	struct addrinfo *it;
	int			code;

	hints.ai_socktype = SOCK_STREAM;
	hints.ai_flags = AI_PASSIVE;
	code = getaddrinfo(strcmp(name, "*") == 0 ? NULL : name, "0", &hints,
					   &list);
	if (code != 0)
	{
		ereport(LOG,
				(errcode(ERRCODE_CONFIG_FILE_ERROR),
				 errmsg("could not resolve address \"%s\" of pg_intake.listen_addresses: %s",
						name, gai_strerror(code))));
		return addresses;
	}
	for (it = list; it != NULL; it = it->ai_next)
	{
		if (it->ai_family == AF_INET || it->ai_family == AF_INET6)
			addresses = add_address(addresses, it);
	}
	freeaddrinfo(list);
	return addresses;
}

void
intake_gateway_listen_append(StringInfo json)
{
	List	   *names = NIL;
	List	   *addresses = NIL;
	ListCell   *cell;

	if (!SplitGUCList(pstrdup(intake_listen_addresses), ',', &names))
		ereport(LOG,
				(errcode(ERRCODE_CONFIG_FILE_ERROR),
				 errmsg("invalid list syntax in parameter \"%s\"",
						"pg_intake.listen_addresses")));
	foreach(cell, names)
		addresses = add_name(addresses, lfirst(cell));
	appendStringInfoString(json, "\"listen\": [");
	foreach(cell, addresses)
	{
		appendStringInfoString(json, cell == list_head(addresses) ? "" : ", ");
		escape_json(json, lfirst(cell));
	}
	appendStringInfoChar(json, ']');
}
