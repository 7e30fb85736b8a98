/*-------------------------------------------------------------------------
 *
 * openapi.c
 *	  The description of all routes, made from their table.
 *
 * The HTTP program's own routes are not in that table: they are listed here.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "utils/json.h"

#include "option_table.h"
#include "options.h"
#include "worker/openapi.h"
#include "worker/request_options.h"

#define VERSION "1.0"
#define LIVENESS "/actuator/health/liveness"

/* What the program answers without a loader. */
static const IntakeRoute program_routes[] = {
	{
		.name = "health",
		.family = INTAKE_FAMILY_V1,
		.method = "GET",
		.path = "/actuator/health",
		.summary = "Tells whether the gateway runs",
		.access = INTAKE_ACCESS_PUBLIC,
	},
	{
		.name = "health",
		.family = INTAKE_FAMILY_V1,
		.method = "GET",
		.path = LIVENESS,
		.summary = "Tells whether the gateway runs",
		.access = INTAKE_ACCESS_PUBLIC,
	},
	{
		.name = "health",
		.family = INTAKE_FAMILY_V1,
		.method = "GET",
		.path = "/actuator/health/readiness",
		.summary = "Tells whether uploads are taken",
		.access = INTAKE_ACCESS_PUBLIC,
	},
	{
		.name = "metrics",
		.family = INTAKE_FAMILY_V1,
		.method = "GET",
		.path = "/metrics",
		.summary = "Counters for Prometheus",
		.access = INTAKE_ACCESS_PUBLIC,
	},
};

/* A comma, unless what comes is the first of its list. */
static void
separate(StringInfo json)
{
	char		last = json->data[json->len - 1];

	if (last != '{' && last != '[')
		appendStringInfoString(json, ", ");
}

static void
append_parameter(StringInfo json, const char *name, const char *place,
				 bool is_required, const char *text)
{
	separate(json);
	appendStringInfoString(json, "{\"name\": ");
	escape_json(json, name);
	appendStringInfo(json, ", \"in\": \"%s\", \"required\": %s", place,
					 is_required ? "true" : "false");
	if (text != NULL)
	{
		appendStringInfoString(json, ", \"description\": ");
		escape_json(json, text);
	}
	appendStringInfoString(json, ", \"schema\": {\"type\": \"string\"}}");
}

/* "{x}" of the path. */
static void
append_path_parameters(StringInfo json, const char *path)
{
	const char *begin = path;

	while ((begin = strchr(begin, '{')) != NULL)
	{
		const char *end = strchr(begin, '}');

		append_parameter(json, pnstrdup(begin + 1, end - begin - 1), "path",
						 true, NULL);
		begin = end;
	}
}

static void
append_query_parameters(StringInfo json, const IntakeRoute *route)
{
	int			door = route->body == INTAKE_BODY_PARTITIONS ?
		INTAKE_DOOR_DELETE : INTAKE_DOOR_UPLOAD;
	const char *name;
	const char *text;
	int			i;

	if (route->body == INTAKE_BODY_NONE)
		return;
	for (i = 0; route->parameters != NULL && route->parameters[i] != NULL; i++)
		append_parameter(json, route->parameters[i], "query", false,
						 NULL);
	if (route->has_options)
	{
		for (i = 0; intake_option_table_describe(i, door, &name, &text); i++)
			append_parameter(json, name, "query", false, text);
	}
}

static void
append_headers(StringInfo json, const IntakeRoute *route)
{
	const IntakeRouteHeader *header = route->headers;

	for (; header != NULL && header->name != NULL; header++)
		append_parameter(json, header->name, "header", header->is_required,
						 header->text);
	if (route->body == INTAKE_BODY_NONE ||
		route->family == INTAKE_FAMILY_DATALENS)
		return;
	if (strcmp(route->method, "POST") == 0)
		append_parameter(json, "Idempotency-Key", "header", false,
						 "the UUID of the operation");
	append_parameter(json, "Content-Digest", "header", false,
					 "sha-256 or sha-512 of the body (RFC 9530); Repr-Digest is the same");
}

/* Whether the route takes a body of that type. */
static bool
takes_type(const IntakeRoute *route, const IntakeMediaType *type)
{
	if (route->family == INTAKE_FAMILY_DATALENS &&
		route->body == INTAKE_BODY_UPLOAD)
		return strcmp(type->name, "application/x-ndjson") == 0;
	if (route->family == INTAKE_FAMILY_PROSTORE)
		return type->is_prostore;
	if (type->is_array)
		return true;
	return route->body == INTAKE_BODY_UPLOAD;
}

static void
append_body(StringInfo json, const IntakeRoute *route)
{
	int			i;

	if (route->body == INTAKE_BODY_NONE)
		return;
	appendStringInfoString(json, ", \"requestBody\": {\"required\": true, \"content\": {");
	for (i = 0; intake_media_types[i].name != NULL; i++)
	{
		const IntakeMediaType *type = &intake_media_types[i];

		if (!takes_type(route, type))
			continue;
		separate(json);
		appendStringInfo(json, "\"%s\": {}", type->name);
	}
	appendStringInfoString(json, "}}");
}

static void
append_response(StringInfo json, const char *status, const char *text,
				const char *type)
{
	separate(json);
	appendStringInfo(json, "\"%s\": {\"description\": \"%s\"", status, text);
	if (type != NULL)
		appendStringInfo(json, ", \"content\": {\"%s\": {}}", type);
	appendStringInfoChar(json, '}');
}

/* What the program answers: it knows no failure but not to be ready. */
static void
append_program_responses(StringInfo json, const IntakeRoute *route)
{
	if (strcmp(route->name, "metrics") == 0)
	{
		append_response(json, "200", "OK", "text/plain");
		return;
	}
	append_response(json, "200", "OK", "application/json");
	if (strcmp(route->path, LIVENESS) != 0)
		append_response(json, "503", "Not now", "application/json");
}

static void
append_loader_responses(StringInfo json, const IntakeRoute *route)
{
	bool		is_v1 = route->family == INTAKE_FAMILY_V1;

	if (route->is_bodiless)
		append_response(json, "204", "It was done", NULL);
	else if (route->body != INTAKE_BODY_NONE && is_v1)
	{
		append_response(json, "200", "The operation was done before, or this was a dry run",
						"application/json");
		append_response(json, "201", "The operation was done",
						"application/json");
	}
	else
		append_response(json, "200", "OK", "application/json");
	append_response(json, "default", "A failure", is_v1 ?
					"application/problem+json" : "application/json");
}

static void
append_responses(StringInfo json, const IntakeRoute *route)
{
	appendStringInfoString(json, ", \"responses\": {");
	if (route->handle == NULL)
		append_program_responses(json, route);
	else
		append_loader_responses(json, route);
	appendStringInfoChar(json, '}');
	if (route->access != INTAKE_ACCESS_TOKEN)
		appendStringInfoString(json, ", \"security\": []");
	else if (route->family == INTAKE_FAMILY_DATALENS)
		appendStringInfoString(json, ", \"security\": [{\"iam_token\": []}]");
}

/* The method's member of a path's object. */
static void
append_method(StringInfo json, const IntakeRoute *route)
{
	char	   *method = pstrdup(route->method);
	char	   *c;

	for (c = method; *c != '\0'; c++)
		*c = pg_ascii_tolower((unsigned char) *c);
	separate(json);
	appendStringInfo(json, "\"%s\": {\"summary\": ", method);
	escape_json(json, route->summary);
	appendStringInfoString(json, ", \"parameters\": [");
	append_path_parameters(json, route->path);
	append_query_parameters(json, route);
	append_headers(json, route);
	appendStringInfoChar(json, ']');
	append_body(json, route);
	append_responses(json, route);
	appendStringInfoChar(json, '}');
}

/* A path's object, unless an earlier route has made it. */
static void
append_path(StringInfo json, int first)
{
	const IntakeRoute *route = intake_route_get(first);
	const IntakeRoute *other;
	int			i;

	for (i = 0; i < first; i++)
	{
		if (strcmp(intake_route_get(i)->path, route->path) == 0)
			return;
	}
	separate(json);
	escape_json(json, route->path);
	appendStringInfoString(json, ": {");
	for (i = first; (other = intake_route_get(i)) != NULL; i++)
	{
		if (strcmp(other->path, route->path) == 0)
			append_method(json, other);
	}
	appendStringInfoChar(json, '}');
}

static void
get_openapi(const IntakeHttpRequest *request, IntakeCall *call,
			IntakeAnswer *answer)
{
	StringInfo	json = &answer->body;
	int			i;

	answer->content_type = "application/json";
	appendStringInfoString(json, "{\"openapi\": \"3.1.0\", "
						   "\"info\": {\"title\": \"pg_intake\", \"version\": \"" VERSION "\"}, "
						   "\"components\": {\"securitySchemes\": {\"token\": "
						   "{\"type\": \"http\", \"scheme\": \"bearer\", \"bearerFormat\": \"JWT\"}, "
						   "\"iam_token\": {\"type\": \"http\", \"scheme\": \"bearer\"}}}, "
						   "\"security\": [{\"token\": []}], \"paths\": {");
	for (i = 0; intake_route_get(i) != NULL; i++)
		append_path(json, i);
	for (i = 0; i < lengthof(program_routes); i++)
	{
		separate(json);
		escape_json(json, program_routes[i].path);
		appendStringInfoString(json, ": {");
		append_method(json, &program_routes[i]);
		appendStringInfoChar(json, '}');
	}
	appendStringInfoString(json, "}}\n");
}

const IntakeRoute intake_routes_openapi[] = {
	{
		.name = "openapi",
		.family = INTAKE_FAMILY_V1,
		.method = "GET",
		.path = "/openapi.json",
		.summary = "Describes the routes",
		.access = INTAKE_ACCESS_PUBLIC,
		.handle = get_openapi,
	},
	{.name = NULL}
};
