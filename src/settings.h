/*-------------------------------------------------------------------------
 *
 * settings.h
 *	  The configuration parameters of pg_intake.
 *
 *-------------------------------------------------------------------------
 */
#ifndef INTAKE_SETTINGS_H
#define INTAKE_SETTINGS_H

extern bool intake_copy;
extern char *intake_csv_delimiter;
extern char *intake_csv_escape;
extern char *intake_csv_null;
extern char *intake_csv_quote;
extern bool intake_direct_write;
extern int	intake_max_avro_block_size;	/* kB, as stored and inflated */
extern int	intake_max_nesting_depth;
extern int	intake_max_record_size; /* kB */
extern int	intake_operation_retention; /* minutes; 0: for ever */
extern int	intake_stage_memory;	/* kB */

/* Defines the parameters; called once, when the library is loaded. */
extern void intake_settings_define(void);

#endif							/* INTAKE_SETTINGS_H */
