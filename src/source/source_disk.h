/*-------------------------------------------------------------------------
 *
 * source_disk.h
 *	  A file on the server, as COPY FROM 'file' reads one.
 *
 * The path is absolute or relative to the data directory.  The file is closed
 * when its end has been read, or with the (sub)transaction.  A source needs
 * both of these: intake_source_open(&intake_source_disk, file, encoding).
 *
 *-------------------------------------------------------------------------
 */
#ifndef INTAKE_SOURCE_DISK_H
#define INTAKE_SOURCE_DISK_H

#include "source/source.h"

/* Raises the error of COPY unless the current user may read server files. */
extern void intake_source_disk_check_rights(void);

/*
 * Opens a file, which must be a regular one: the state of a source with the
 * routine below, in the current memory context.  Rights are the caller's to
 * check.
 */
extern void *intake_source_disk_open(const char *path);

/* The length of the file that was opened, in bytes. */
extern int64 intake_source_disk_size(const void *file);

extern const IntakeSourceRoutine intake_source_disk;

#endif							/* INTAKE_SOURCE_DISK_H */
