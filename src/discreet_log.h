/*-------------------------------------------------------------------------
 *
 * discreet_log.h
 *	  What the server's log says of errors whose texts show values.
 *
 * With pg_intake.log_values off, an error that a payload has raised goes to
 * its client as it is and into the log without values: its message is the one
 * that PostgreSQL's source has ('invalid input syntax for type %s: "%s"'), its
 * CONTEXT where in the payload it was, and there is neither DETAIL nor
 * statement.
 *
 *-------------------------------------------------------------------------
 */
#ifndef INTAKE_DISCREET_LOG_H
#define INTAKE_DISCREET_LOG_H

/*
 * For an error context callback: adds text to the CONTEXT of the error, of
 * which kept may be logged.  The error is a payload's from now on.
 */
extern void intake_discreet_log_context(const char *text, const char *kept);

/*
 * Like EmitErrorReport(), for an error that is a payload's wherever it comes
 * from: of its CONTEXT the last line is logged, and what is kept.
 */
extern void intake_discreet_log_emit(void);

/*
 * The text with control characters as \x and two digits each, for lines of the
 * log and pg_stat_activity: it comes from whoever can reach the gateway, and
 * is read on terminals.  A text without any comes back as it is.
 */
extern const char *intake_discreet_log_plain(const char *text);

/* Installs the hook; called once, when the library is loaded. */
extern void intake_discreet_log_install(void);

#endif							/* INTAKE_DISCREET_LOG_H */
