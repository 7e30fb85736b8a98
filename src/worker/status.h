/*-------------------------------------------------------------------------
 *
 * status.h
 *	  The HTTP status of an error.
 *
 *-------------------------------------------------------------------------
 */
#ifndef INTAKE_STATUS_H
#define INTAKE_STATUS_H

/* Protocols whose statuses differ. */
typedef enum IntakeFamily
{
	INTAKE_FAMILY_V1,
	INTAKE_FAMILY_PROSTORE,
	INTAKE_FAMILIES
} IntakeFamily;

typedef struct IntakeStatus
{
	int			status;
	bool		is_retryable;	/* the same request may succeed later */
} IntakeStatus;

/* The status that a family answers an error with. */
extern IntakeStatus intake_status_of(int sqlerrcode, IntakeFamily family);

/* The reason phrase of a status. */
extern const char *intake_status_phrase(int status);

#endif							/* INTAKE_STATUS_H */
