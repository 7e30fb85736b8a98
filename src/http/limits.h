/*-------------------------------------------------------------------------
 *
 * limits.h
 *	  Clocks, buckets of tokens, and connections counted by address.
 *
 *-------------------------------------------------------------------------
 */
#ifndef INTAKE_HTTP_LIMITS_H
#define INTAKE_HTTP_LIMITS_H

#ifdef POSTGRES_H
#error "the HTTP program knows nothing of PostgreSQL"
#endif

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

/* Starts full; holds up to `burst` tokens and regains `rate` a second. */
typedef struct Bucket
{
	double		used;
	int64_t		looked_at;		/* ms */
} Bucket;

/* Milliseconds of a clock that never goes back. */
extern int64_t intake_clock_ms(void);

/* Takes tokens; false when there are not enough. */
extern bool intake_bucket_spend(Bucket *bucket, double tokens, double rate,
								double burst);

/*
 * Counts a connection from this address, an IPv6 one by its first 64 bits.
 * False, and not counted, when there are max of them; 0 is no limit.
 */
extern bool intake_address_enter(const struct sockaddr *address, int max);
extern void intake_address_leave(const struct sockaddr *address);

#endif							/* INTAKE_HTTP_LIMITS_H */
