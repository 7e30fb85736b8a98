/*-------------------------------------------------------------------------
 *
 * stat.h
 *	  What the gateway counts, for views intake.stat and intake.stat_gateway.
 *
 * The HTTP program reports totals since its own start, once a second when
 * they have changed; the gateway keeps them in shared memory, on top of those
 * of the programs before it.  So a counter goes back only when the server's
 * shared memory is made anew; a program that dies takes the last second with
 * it.  A report is not believed: what does not fit is left out, and no counter
 * shrinks or overflows by it.
 *
 * Nothing that a client names is a row: routes are the loaders' own words.
 *
 *-------------------------------------------------------------------------
 */
#ifndef INTAKE_STAT_H
#define INTAKE_STAT_H

#include "utils/jsonb.h"

/* Routes x statuses; the last row is that of all for which there is no room. */
#define INTAKE_STAT_ROWS	128
#define INTAKE_STAT_REASONS 16
#define INTAKE_STAT_NAME	32

/* Counters and gauges, in the order of the columns of intake.stat_gateway. */
#define INTAKE_STAT_COUNTERS 3
#define INTAKE_STAT_GAUGES	 4

typedef struct IntakeStatCounter
{
	int64		current;		/* of the program that runs */
	int64		earlier;		/* of those before it */
} IntakeStatCounter;

typedef struct IntakeStatRow
{
	char		route[INTAKE_STAT_NAME];
	int			status;
	IntakeStatCounter requests;
	double		current_seconds;
	double		earlier_seconds;
} IntakeStatRow;

typedef struct IntakeStatReason
{
	char		name[INTAKE_STAT_NAME];
	IntakeStatCounter count;
} IntakeStatReason;

typedef struct IntakeStat
{
	IntakeStatCounter counters[INTAKE_STAT_COUNTERS];
	int			gauges[INTAKE_STAT_GAUGES];
	int64		certificate_expires;	/* Unix time; 0: no certificate */
	int			nrows;
	IntakeStatRow rows[INTAKE_STAT_ROWS];
	int			nreasons;
	IntakeStatReason reasons[INTAKE_STAT_REASONS];
} IntakeStat;

/* Takes a report of the program; by the gateway only. */
extern void intake_stat_take(const Jsonb *report);

/* No program runs: what it has counted is kept, and its gauges are 0. */
extern void intake_stat_settle(void);

#endif							/* INTAKE_STAT_H */
