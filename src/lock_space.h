/*-------------------------------------------------------------------------
 *
 * lock_space.h
 *	  The locks of our own.
 *
 * They are advisory locks whose last field is none that PostgreSQL's own
 * functions use (those use 1 and 2); pg_locks shows it as objsubid.
 *
 *-------------------------------------------------------------------------
 */
#ifndef INTAKE_LOCK_SPACE_H
#define INTAKE_LOCK_SPACE_H

/* (database, 64 hash bits of principal and UUID): a claim */
#define INTAKE_LOCK_OPERATION	0x4901

/* (database, 0, root of the partition tree): the table lock */
#define INTAKE_LOCK_TABLE		0x4902

/* (database, 64 hash bits of its id): a partner connection */
#define INTAKE_LOCK_CONNECTION	0x4903

/* (database, 64 hash bits of connection and table): a table's definition */
#define INTAKE_LOCK_DEFINITION	0x4904

/*
 * Waits for the table lock, until the transaction ends; lock_timeout applies.
 * What waited may have changed the catalogs.
 */
extern void intake_lock_table(Oid root, bool is_exclusive);

/* Takes it exclusively if nobody has it; gives it back. */
extern bool intake_lock_try_table(Oid root);
extern void intake_lock_release_table(Oid root);

#endif							/* INTAKE_LOCK_SPACE_H */
