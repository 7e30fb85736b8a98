/*-------------------------------------------------------------------------
 *
 * refused_row.h
 *	  What is reported of a row that the target has refused.
 *
 *-------------------------------------------------------------------------
 */
#ifndef INTAKE_REFUSED_ROW_H
#define INTAKE_REFUSED_ROW_H

#include "write/write.h"

/*
 * Adds the row to writer->rejects: the record's number and line, the row as a
 * JSON object, and the column at fault, if it is one, with its value.
 */
extern void intake_refused_row_add(IntakeWriter *writer, const IntakeRow *row,
								   const ErrorData *error);

#endif							/* INTAKE_REFUSED_ROW_H */
