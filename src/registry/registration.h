/*-------------------------------------------------------------------------
 *
 * registration.h
 *	  What a table is to be registered as, checked step by step.
 *
 *		IntakeRegistration call = {0};
 *
 *		intake_registration_open(&call, relid);
 *		...			kind and keys by the functions below; names, mode, options
 *		intake_registration_complete(&call);
 *		...			call.entity is what is stored
 *		relation_close(call.rel, NoLock);
 *
 *-------------------------------------------------------------------------
 */
#ifndef INTAKE_REGISTRATION_H
#define INTAKE_REGISTRATION_H

#include "nodes/pg_list.h"
#include "options.h"
#include "registry/entity.h"
#include "utils/relcache.h"

typedef struct IntakeRegistration
{
	Relation	rel;
	IntakeEntity entity;
	IntakeOptions *options;		/* those of entity, parsed */
	List	   *replacing;		/* of IntakeKeyItem */
	List	   *partition;
} IntakeRegistration;

/*
 * Opens a relation that the current user owns, locked until the transaction
 * ends.  The right is asked for before the lock, so that others cannot block
 * the table, and again after it.
 */
extern Relation intake_registration_open_own(Oid relid);

/* The same for one that is of a kind to be registered: sets rel. */
extern void intake_registration_open(IntakeRegistration *call, Oid relid);

/* The kind of that name, or for NULL the one that the table suggests. */
extern void intake_registration_set_kind(IntakeRegistration *call,
										 const char *kind,
										 bool has_replacing_key);

/* The keys, by their items as they were given (char *). */
extern void intake_registration_set_replacing_key(IntakeRegistration *call,
												  List *items);
extern void intake_registration_set_partition_key(IntakeRegistration *call,
												  List *items);

/*
 * Sets what follows from the table, the keys and the caller, and checks the
 * mode, where one was set, against all that.
 */
extern void intake_registration_complete(IntakeRegistration *call);

#endif							/* INTAKE_REGISTRATION_H */
