/*-------------------------------------------------------------------------
 *
 * target.h
 *	  What the registry knows about a relation that uploads go into.
 *
 * SQL may upload into any relation; registration (intake.register_table)
 * gives it a kind, a default mode, default options and keys made of
 * expressions, and opens it to HTTP under a public name.
 *
 *-------------------------------------------------------------------------
 */
#ifndef INTAKE_TARGET_H
#define INTAKE_TARGET_H

#include "utils/jsonb.h"
#include "utils/rel.h"

typedef enum IntakeKind
{
	INTAKE_KIND_NONE,			/* not registered */
	INTAKE_KIND_LOGICAL,
	INTAKE_KIND_PROXY,
	INTAKE_KIND_STANDALONE
} IntakeKind;

typedef enum IntakeMode
{
	INTAKE_MODE_DEFAULT,		/* none given */
	INTAKE_MODE_APPEND,
	INTAKE_MODE_REPLACE,
	INTAKE_MODE_MERGE,
	INTAKE_MODE_DELETE			/* a partition delete; no upload gives it */
} IntakeMode;

typedef struct IntakeTarget
{
	Oid			relid;
	Oid			root;			/* of the partition tree; else relid */
	char	   *name;			/* qualified and quoted where needed */
	IntakeKind	kind;
	IntakeMode	mode;			/* the registered default, or DEFAULT */
	List	   *replacing_key;	/* of char *: items as registered; NIL */
	List	   *partition_key;
	List	   *replacing_sql;	/* of char *: the same, canonical SQL */
	List	   *partition_sql;
	Jsonb	   *options;		/* default options, or NULL */
} IntakeTarget;

/*
 * What the registry says about the relation; kind is INTAKE_KIND_NONE when
 * it says nothing.  Allocated in the current memory context.
 */
extern IntakeTarget *intake_target_lookup(Relation rel);

/* The root of its partition tree, or of what a view shows. */
extern Oid	intake_target_root(Relation rel);

/* 'logical', 'proxy', 'standalone'; NULL for INTAKE_KIND_NONE. */
extern const char *intake_kind_name(IntakeKind kind);

/* The mode with this name; an error that lists the modes if there is none. */
extern PGDLLEXPORT IntakeMode intake_mode_parse(const char *name);
extern const char *intake_mode_name(IntakeMode mode);

#endif							/* INTAKE_TARGET_H */
