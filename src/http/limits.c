/*-------------------------------------------------------------------------
 *
 * limits.c
 *	  Clocks, buckets of tokens, and connections counted by address.
 *
 * Addresses are in a hash table of chains.  Its size is fixed: there are no
 * more entries than connections, and these have a limit.  The hash is keyed
 * by a random number, so that nobody can choose addresses of one chain.
 *
 *-------------------------------------------------------------------------
 */
#include <netinet/in.h>
#include <openssl/rand.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "http/limits.h"

#define TABLE_SIZE 4096

typedef struct AddressCount
{
	struct AddressCount *next;
	uint64_t	address;
	int			count;
} AddressCount;

static AddressCount *address_table[TABLE_SIZE];
static uint64_t hash_key;

int64_t
intake_clock_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t) now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

bool
intake_bucket_spend(Bucket *bucket, double tokens, double rate, double burst)
{
	int64_t		now = intake_clock_ms();

	bucket->used -= (double) (now - bucket->looked_at) * rate / 1000;
	bucket->looked_at = now;
	if (bucket->used < 0)
		bucket->used = 0;
	if (bucket->used + tokens > burst)
		return false;
	bucket->used += tokens;
	return true;
}

/* An IPv4 address mapped into IPv6 counts as that IPv4 address. */
static uint64_t
reduce_address(const struct sockaddr *address)
{
	const struct sockaddr_in6 *six = (const struct sockaddr_in6 *) address;
	uint64_t	result = 0;
	uint32_t	four;

	if (address->sa_family == AF_INET6 &&
		!IN6_IS_ADDR_V4MAPPED(&six->sin6_addr))
	{
		memcpy(&result, &six->sin6_addr, sizeof(result));
		return result;
	}
	if (address->sa_family == AF_INET6)
		memcpy(&four, six->sin6_addr.s6_addr + 12, sizeof(four));
	else if (address->sa_family == AF_INET)
		four = ((const struct sockaddr_in *) address)->sin_addr.s_addr;
	else
		four = 0;
	return four;
}

static AddressCount **
find_address(uint64_t address)
{
	AddressCount **place;
	uint64_t	hash;

	while (hash_key == 0)
	{
		if (RAND_bytes((unsigned char *) &hash_key, sizeof(hash_key)) != 1)
			abort();
		hash_key |= 1;
	}
	hash = (address ^ hash_key) * UINT64_C(0x9E3779B97F4A7C15);
	hash = (hash ^ (hash >> 29)) * hash_key;
	place = &address_table[(hash >> 40) % TABLE_SIZE];
	while (*place != NULL && (*place)->address != address)
		place = &(*place)->next;
	return place;
}

bool
intake_address_enter(const struct sockaddr *address, int max)
{
	uint64_t	reduced = reduce_address(address);
	AddressCount **place = find_address(reduced);

	if (*place == NULL)
	{
		*place = calloc(1, sizeof(AddressCount));
		if (*place == NULL)
			return false;
		(*place)->address = reduced;
	}
	if (max > 0 && (*place)->count >= max)
		return false;
	(*place)->count++;
	return true;
}

void
intake_address_leave(const struct sockaddr *address)
{
	AddressCount **place = find_address(reduce_address(address));
	AddressCount *entry = *place;

	if (entry == NULL || --entry->count > 0)
		return;
	*place = entry->next;
	free(entry);
}
