/*-------------------------------------------------------------------------
 *
 * entity.h
 *	  The table intake.entity: one row a registered target.
 *
 * Only this code and the event trigger for drops write the table, with
 * catalog-style calls, which ask for no rights.
 *
 *-------------------------------------------------------------------------
 */
#ifndef INTAKE_ENTITY_H
#define INTAKE_ENTITY_H

#include "access/htup.h"
#include "datatype/timestamp.h"
#include "registry/target.h"
#include "storage/lockdefs.h"

typedef struct IntakeEntity
{
	Oid			target;
	Oid			row_type;		/* the target's, when it was registered */
	IntakeKind	kind;
	const char *datamart;
	const char *entity;
	IntakeMode	mode;
	List	   *replacing_key;	/* of char *, as in IntakeTarget */
	List	   *replacing_sql;
	List	   *partition_key;
	List	   *partition_sql;
	Jsonb	   *options;		/* never NULL */
	TimestampTz registered_at;
	const char *registered_by;
} IntakeEntity;

/*
 * The table, locked; NULL if the extension is not there.  To be closed by
 * intake_entity_close(), which keeps the lock.
 */
extern Relation intake_entity_open(LOCKMODE lockmode);
extern void intake_entity_close(Relation table);

/*
 * The row of a target, or of a public name; NULL if there is none.  The row
 * may be that of a dropped relation: see intake_entity_is_current().  Sees
 * what is committed and what this transaction did before this command.
 */
extern HeapTuple intake_entity_find(Relation table, Oid target);
extern HeapTuple intake_entity_find_name(Relation table,
										 const char *datamart,
										 const char *entity);

/* The row's values, in the current memory context. */
extern IntakeEntity *intake_entity_read(Relation table, HeapTuple row);

/* Is the relation there that was registered, not one that reuses its OID? */
extern bool intake_entity_is_current(const IntakeEntity *entity);

/*
 * Inserts the entity, or updates the row with it when a value differs other
 * than who registered it and when; row is NULL to insert.  The caller owns
 * the target's ShareUpdateExclusiveLock or a stronger one.
 */
extern void intake_entity_store(Relation table, HeapTuple row,
								const IntakeEntity *entity);
extern void intake_entity_remove(Relation table, HeapTuple row);

#endif							/* INTAKE_ENTITY_H */
