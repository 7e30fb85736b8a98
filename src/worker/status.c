/*-------------------------------------------------------------------------
 *
 * status.c
 *	  The HTTP status of an error: one table, SQLSTATE by family.
 *
 * The README's table of statuses is this one.  The first row that fits
 * counts: whole SQLSTATEs stand before their classes.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "worker/status.h"

typedef struct StatusRow
{
	const char *sqlstate;		/* or its first characters */
	int			statuses[INTAKE_FAMILIES];	/* v1, Prostore */
	bool		is_retryable;
} StatusRow;

static const StatusRow rows[] = {
	{"IN423", {409, 423}, true},	/* the same operation is running */
	{"IN422", {422, 422}, false},
	{"IN404", {404, 404}, false},	/* no such route */
	{"IN405", {405, 405}, false},
	{"IN415", {415, 415}, false},
	{"IN428", {428, 428}, false},
	{"28", {401, 401}, false},
	{"42501", {403, 403}, false},
	{"42P01", {404, 404}, false},
	{"3F000", {404, 404}, false},
	{"42704", {404, 404}, false},
	{"55P03", {423, 423}, true},	/* the table is busy */
	{"40", {503, 503}, true},	/* serialization, deadlock */
	{"57014", {503, 503}, true},
	{"57", {503, 503}, true},	/* shutdown */
	{"53", {503, 503}, true},	/* memory, disk, connections */
	{"58", {503, 503}, true},
	{"F0", {503, 503}, true},	/* settings that cannot be used */
	{"25006", {503, 503}, true},	/* standby or read-only */
	{"54", {413, 413}, false},
	{"08", {400, 400}, false},
	{"22023", {400, 400}, false},
	{"22", {422, 422}, false},
	{"23", {422, 422}, false},
	{"44000", {422, 422}, false},
	{"42", {400, 400}, false},
	{"0A", {400, 400}, false},
	{"55000", {409, 409}, false},
};

IntakeStatus
intake_status_of(int sqlerrcode, IntakeFamily family)
{
	const char *sqlstate = unpack_sql_state(sqlerrcode);
	IntakeStatus result = {500, false};
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
	return result;
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
		case 428:
			return "Precondition Required";
		case 503:
			return "Service Unavailable";
		default:
			return "Internal Server Error";
	}
}
