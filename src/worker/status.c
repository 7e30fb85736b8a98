/*-------------------------------------------------------------------------
 *
 * status.c
 *	  The HTTP status of an error: one table, SQLSTATE by family.
 *
 * The README's table of statuses is this one.  The first row that fits
 * counts: whole SQLSTATEs stand before their classes.  Failures of HTTP's own
 * have their status in the SQLSTATE: IN404, IN415.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "worker/status.h"

typedef struct StatusRow
{
	const char *sqlstate;		/* or its first characters */
	int			statuses[INTAKE_FAMILIES];	/* v1, Prostore, DataLens */
	bool		is_retryable;
} StatusRow;

static const StatusRow rows[] = {
	{"IN423", {409, 423, 423}, true},	/* the same operation is running */
	{"28000", {401, 401, 401}, false},	/* no token, or no good one */
	{"42501", {403, 403, 403}, false},
	{"55P03", {423, 423, 423}, true},	/* the table is busy */
	{"40", {503, 503, 503}, true},	/* serialization, deadlock */
	{"57", {503, 503, 503}, true},	/* shutdown, cancel */
	{"53", {503, 503, 503}, true},	/* memory, disk, connections */
	{"F0", {503, 503, 503}, true},	/* settings that cannot be used */
	{"25006", {503, 503, 503}, true},	/* standby or read-only */
	{"54001", {400, 400, 400}, false},	/* JSON that is nested too deeply */
	{"54", {413, 413, 413}, false},
	{"08", {400, 400, 400}, false},
	{"22023", {400, 400, 400}, false},
	{"23502", {422, 422, 400}, false},	/* null where a definition has none */
	{"2BP01", {500, 500, 400}, false},	/* a view needs a dropped column */
	{"21", {422, 422, 422}, false},
	{"22", {422, 422, 400}, false},
	{"23", {422, 422, 422}, false},
	{"27", {422, 422, 422}, false},
	{"44", {422, 422, 422}, false},
	{"P0", {422, 422, 422}, false}, /* a trigger refuses the row */
	{"2D", {422, 422, 422}, false}, /* or wants to commit */
	{"38", {422, 422, 422}, false}, /* or is in another language */
	{"39", {422, 422, 422}, false},
	{"3F", {500, 500, 503}, true},	/* a connection's schema is renamed */
	{"42", {400, 400, 400}, false},
	{"0A", {400, 400, 400}, false},
	{"55", {409, 409, 503}, false}, /* of a partner's: out of order */
};

/* The status that a SQLSTATE of HTTP's own has in its last three digits. */
static int
own_status(const char *sqlstate)
{
	if (strncmp(sqlstate, "IN4", 3) != 0)
		return 0;
	return atoi(sqlstate + 2);
}

IntakeFamily
intake_status_family(const char *path)
{
	static const struct
	{
		const char *prefix;
		IntakeFamily family;
	} prefixes[] = {
		{"/api/v1/", INTAKE_FAMILY_PROSTORE},
		{"/provider/v1/", INTAKE_FAMILY_DATALENS},
		{"/iam/v1/", INTAKE_FAMILY_DATALENS},
	};
	int			i;

	for (i = 0; i < lengthof(prefixes); i++)
	{
		if (strncmp(path, prefixes[i].prefix, strlen(prefixes[i].prefix)) == 0)
			return prefixes[i].family;
	}
	return INTAKE_FAMILY_V1;
}

IntakeStatus
intake_status_of(int sqlerrcode, IntakeFamily family)
{
	const char *sqlstate = unpack_sql_state(sqlerrcode);
	IntakeStatus result = {own_status(sqlstate), false};
	int			i;

	for (i = 0; i < lengthof(rows); i++)
	{
		if (strncmp(sqlstate, rows[i].sqlstate,
					strlen(rows[i].sqlstate)) != 0)
			continue;
		result.status = rows[i].statuses[family];
		result.is_retryable = rows[i].is_retryable;
		break;
	}
	if (result.status == 0)
		result.status = 500;
	return result;
}

int
intake_status_code(int status)
{
	return ERRCODE_INTAKE_STATUS('0' + status / 100 % 10,
								 '0' + status / 10 % 10, '0' + status % 10);
}

const char *
intake_status_phrase(int status)
{
	switch (status)
	{
		case 200:
			return "OK";
		case 201:
			return "Created";
		case 400:
			return "Bad Request";
		case 401:
			return "Unauthorized";
		case 403:
			return "Forbidden";
		case 404:
			return "Not Found";
		case 405:
			return "Method Not Allowed";
		case 408:
			return "Request Timeout";
		case 409:
			return "Conflict";
		case 413:
			return "Content Too Large";
		case 415:
			return "Unsupported Media Type";
		case 422:
			return "Unprocessable Content";
		case 423:
			return "Locked";
		case 503:
			return "Service Unavailable";
		default:
			return "Internal Server Error";
	}
}
