/*-------------------------------------------------------------------------
 *
 * source_copy.h
 *	  COPY data that the session's client sends.
 *
 *-------------------------------------------------------------------------
 */
#ifndef INTAKE_SOURCE_COPY_H
#define INTAKE_SOURCE_COPY_H

#include "source/source.h"

/*
 * Opens what the client is going to send.  It is asked for it (CopyInResponse)
 * by the first read, so that a request that is refused costs it nothing.  Must
 * be read to its end, unless an error is raised.  Errors when the session has
 * no client.
 *
 * While a read waits for the client it may release the portal's snapshot and
 * take a new one: in READ COMMITTED, as long as the transaction has written
 * nothing.
 */
extern IntakeSource *intake_source_open_copy(int encoding);

#endif							/* INTAKE_SOURCE_COPY_H */
