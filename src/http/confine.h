/*-------------------------------------------------------------------------
 *
 * confine.h
 *	  What the program may not do once it has begun.
 *
 *-------------------------------------------------------------------------
 */
#ifndef INTAKE_HTTP_CONFINE_H
#define INTAKE_HTTP_CONFINE_H

#ifdef POSTGRES_H
#error "the HTTP program knows nothing of PostgreSQL"
#endif

/*
 * A session of its own, default signals, none blocked, no descriptor from
 * `first_fd` on.  For the start of main().
 */
extern void intake_confine_begin(int first_fd);

/*
 * From here on: no new privileges, no files, no programs, no traces, and of
 * the system calls those that a server of sockets needs.  What the kernel
 * does not have is left out.
 */
extern void intake_confine(void);

#endif							/* INTAKE_HTTP_CONFINE_H */
