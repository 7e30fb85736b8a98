/*-------------------------------------------------------------------------
 *
 * gateway_config.c
 *	  What the HTTP program is told of the settings.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <sys/stat.h>
#include <unistd.h>

#include "storage/fd.h"
#include "utils/json.h"
#include "utils/memutils.h"

#include "worker/gateway_config.h"
#include "worker/gateway_listen.h"
#include "worker/worker_settings.h"

/* Room for all of a configuration but the certificate and its key. */
#define OTHER_LENGTH (64 * 1024)

#define MAX_PEM_SIZE (1024 * 1024)

/* What the program is told where the settings have no limit. */
#define NO_LIMIT (INT64CONST(1) << 50)

/* How long what follows an early answer is read before the end, ms. */
#define DRAIN_TIME 2000

/* The last good pair; both NULL without TLS. */
static char *certificate = NULL;
static char *private_key = NULL;

/* Whether the file's contents may be trusted with, or as, a secret. */
static bool
check_file(const char *path, const struct stat *status, bool is_secret)
{
	if (!S_ISREG(status->st_mode) || status->st_size > MAX_PEM_SIZE)
	{
		ereport(LOG,
				(errmsg("file \"%s\" is no PEM file", path)));
		return false;
	}
	if (is_secret &&
		((status->st_uid != geteuid() && status->st_uid != 0) ||
		 (status->st_mode & (S_IWGRP | S_IXGRP | S_IRWXO)) != 0 ||
		 (status->st_uid != 0 && (status->st_mode & S_IRGRP) != 0)))
	{
		ereport(LOG,
				(errmsg("private key file \"%s\" has group or world access",
						path),
				 errdetail("It must have permissions u=rw (0600) or less if owned by the database user, or u=rw,g=r (0640) or less if owned by root.")));
		return false;
	}
	return true;
}

/* Reads a PEM file; NULL, with a message in the log, when that fails. */
static char *
read_file(const char *path, bool is_secret)
{
	FILE	   *file = AllocateFile(path, PG_BINARY_R);
	struct stat status;
	char	   *text = NULL;

	if (file == NULL || fstat(fileno(file), &status) != 0)
		ereport(LOG,
				(errcode_for_file_access(),
				 errmsg("could not open file \"%s\": %m", path)));
	else if (check_file(path, &status, is_secret))
	{
		/* No copy in a buffer of the library's. */
		(void) setvbuf(file, NULL, _IONBF, 0);
		text = MemoryContextAllocZero(TopMemoryContext, status.st_size + 1);
		if (fread(text, 1, status.st_size, file) != (size_t) status.st_size)
		{
			ereport(LOG,
					(errcode_for_file_access(),
					 errmsg("could not read file \"%s\": %m", path)));
			pfree(text);
			text = NULL;
		}
	}
	if (file != NULL)
		FreeFile(file);
	return text;
}

static void
free_key(char *key)
{
	if (key == NULL)
		return;
	explicit_bzero(key, strlen(key));
	pfree(key);
}

static void
free_pair(void)
{
	free_key(private_key);
	free_key(certificate);
	private_key = certificate = NULL;
}

/* Reads the pair anew; the old one stays when the new one is no good. */
static void
read_pair(void)
{
	char	   *new_certificate;
	char	   *new_key;

	if (intake_tls_certificate_file[0] == '\0')
	{
		free_pair();
		return;
	}
	new_certificate = read_file(intake_tls_certificate_file, false);
	new_key = read_file(intake_tls_key_file, true);
	if (new_certificate == NULL || new_key == NULL)
	{
		free_key(new_certificate);
		free_key(new_key);
		return;
	}
	free_pair();
	certificate = new_certificate;
	private_key = new_key;
}

/* Where TLS is asked for and not to be had, nobody is served without. */
static int
usable_port(void)
{
	if (intake_port == 0 || intake_tls_certificate_file[0] == '\0' ||
		certificate != NULL)
		return intake_port;
	ereport(LOG,
			(errcode(ERRCODE_CONFIG_FILE_ERROR),
			 errmsg("the gateway does not listen without its certificate")));
	return 0;
}

static void
append_tls(StringInfo json)
{
	appendStringInfoString(json, ", \"tls\": ");
	if (certificate == NULL)
	{
		appendStringInfoString(json, "null");
		return;
	}
	appendStringInfoString(json, "{\"certificate\": ");
	escape_json(json, certificate);
	appendStringInfoString(json, ", \"key\": ");
	escape_json(json, private_key);
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
make_room(StringInfo json)
{
	size_t		pair = 0;

	if (private_key != NULL)
		pair = strlen(private_key) + strlen(certificate);
	enlargeStringInfo(json, (int) (6 * pair) + OTHER_LENGTH);
}

void
intake_gateway_config_append(StringInfo json)
{
	static const char *const log_requests[] = {"none", "errors", "all"};

	read_pair();
	make_room(json);
	appendStringInfo(json, "{\"port\": %d, ", usable_port());
	intake_gateway_listen_append(json);
	append_tls(json);
	append_limits(json);
	appendStringInfo(json, ", \"log_requests\": \"%s\"}",
					 log_requests[intake_log_requests]);
}
