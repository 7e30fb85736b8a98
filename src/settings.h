/*-------------------------------------------------------------------------
 *
 * settings.h
 *	  The configuration parameters of pg_intake.
 *
 *-------------------------------------------------------------------------
 */
#ifndef INTAKE_SETTINGS_H
#define INTAKE_SETTINGS_H

/* Who a request is, values of intake_authentication. */
typedef enum IntakeAuthentication
{
	INTAKE_AUTHENTICATION_JWT,
	INTAKE_AUTHENTICATION_NONE
} IntakeAuthentication;

extern char *intake_anonymous_role; /* texts are never NULL; "": not set */
extern int	intake_authentication;
extern bool intake_copy;
extern char *intake_csv_delimiter;
extern char *intake_csv_escape;
extern char *intake_csv_null;
extern char *intake_csv_quote;
extern bool intake_direct_write;
extern char *intake_jwks_file;
extern char *intake_jwt_audience;
extern char *intake_jwt_issuer;
extern bool intake_log_values;
extern int	intake_max_avro_block_size;	/* kB, as stored and inflated */
extern int	intake_max_nesting_depth;
extern int	intake_max_partner_tables;	/* 0: any */
extern int	intake_max_record_size; /* kB */
extern int	intake_max_rejects; /* of one operation; 0: any */
extern int	intake_operation_retention; /* minutes; 0: for ever */
extern int	intake_stage_memory;	/* kB */
extern char *intake_token_audience;
extern char *intake_writer_role;

/* Defines the parameters; called once, when the library is loaded. */
extern void intake_settings_define(void);

#endif							/* INTAKE_SETTINGS_H */
