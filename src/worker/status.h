/*-------------------------------------------------------------------------
 *
 * status.h
 *	  The HTTP status of an error.
 *
 *-------------------------------------------------------------------------
 */
#ifndef INTAKE_STATUS_H
#define INTAKE_STATUS_H

/* The SQLSTATE of a failure that is HTTP's own: "IN" and its status. */
#define ERRCODE_INTAKE_STATUS(a, b, c) MAKE_SQLSTATE('I', 'N', a, b, c)

/* Protocols whose statuses differ. */
typedef enum IntakeFamily
{
	INTAKE_FAMILY_V1,
	INTAKE_FAMILY_PROSTORE,
	INTAKE_FAMILY_DATALENS,
	INTAKE_FAMILIES
} IntakeFamily;

typedef struct IntakeStatus
{
	int			status;
	bool		is_retryable;	/* the same request may succeed later */
} IntakeStatus;

/* The family of a path that no route fits. */
extern IntakeFamily intake_status_family(const char *path);

/* The status that a family answers an error with. */
extern IntakeStatus intake_status_of(int sqlerrcode, IntakeFamily family);

/* The SQLSTATE of a failure that is HTTP's own, of a status 400 to 499. */
extern int	intake_status_code(int status);

/* The reason phrase of a status. */
extern const char *intake_status_phrase(int status);

#endif							/* INTAKE_STATUS_H */
