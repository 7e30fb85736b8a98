/*-------------------------------------------------------------------------
 *
 * source_disk.h
 *	  A file on the server, as COPY FROM 'file' reads one.
 *
 *-------------------------------------------------------------------------
 */
#ifndef INTAKE_SOURCE_DISK_H
#define INTAKE_SOURCE_DISK_H

#include "source/source.h"

/*
 * Opens a file, plain or compressed by gzip or zstd; a relative path starts
 * at the data directory.  Errors unless the current user has the rights of
 * pg_read_server_files, and for what is not a regular file unless takes_any.
 * The file is closed when its end has been read, or with the
 * (sub)transaction.  In the current memory context.
 */
extern IntakeSource *intake_source_open_disk(const char *path, int encoding,
											 bool takes_any);

#endif							/* INTAKE_SOURCE_DISK_H */
