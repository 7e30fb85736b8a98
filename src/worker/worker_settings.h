/*-------------------------------------------------------------------------
 *
 * worker_settings.h
 *	  The configuration parameters of the gateway.
 *
 * All are set in the configuration file and take effect on reload, but for
 * those that size shared memory.
 *
 *-------------------------------------------------------------------------
 */
#ifndef INTAKE_WORKER_SETTINGS_H
#define INTAKE_WORKER_SETTINGS_H

typedef enum IntakeLogRequests
{
	INTAKE_LOG_REQUESTS_NONE,
	INTAKE_LOG_REQUESTS_ERRORS,
	INTAKE_LOG_REQUESTS_ALL
} IntakeLogRequests;

extern char *intake_listen_addresses;
extern int	intake_port;		/* 0: no gateway */
extern char *intake_database;
extern char *intake_tls_certificate_file;
extern char *intake_tls_key_file;
extern int	intake_max_loaders;
extern int	intake_loader_idle_timeout; /* ms */
extern int	intake_shutdown_grace;	/* ms */
extern int	intake_table_lock_timeout;	/* ms */
extern int	intake_log_requests;	/* IntakeLogRequests */

/* Limits of the HTTP program. */
extern int	intake_max_http_connections;
extern int	intake_max_connections_per_address;
extern int	intake_max_streams; /* a connection's, HTTP/2 */
extern int	intake_max_header_count;
extern int	intake_max_header_size; /* bytes */
extern int	intake_max_body_size;	/* kB, as sent; 0: any */
extern int	intake_max_inflated_size;	/* kB; 0: any */
extern int	intake_http_buffer_size;	/* kB, of a request */
extern int	intake_idle_timeout;	/* ms */
extern int	intake_header_timeout;	/* ms */
extern int	intake_body_timeout;	/* ms */
extern int	intake_min_upload_rate; /* bytes a second; 0: any */
extern int	intake_max_upload_duration; /* ms; 0: any */
extern int	intake_max_queue;
extern int	intake_queue_timeout;	/* ms */

/* Defines them; called once, when the library is loaded. */
extern void intake_worker_settings_define(void);

#endif							/* INTAKE_WORKER_SETTINGS_H */
