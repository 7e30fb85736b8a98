/*-------------------------------------------------------------------------
 *
 * decode.h
 *	  Records into batches of rows.
 *
 *-------------------------------------------------------------------------
 */
#ifndef INTAKE_DECODE_H
#define INTAKE_DECODE_H

#include "plan.h"

/*
 * Decodes, checks and completes records until the batch is full; false when
 * the payload has ended.  Where plan->rejects is set, bad records go there.
 */
extern bool intake_decode_batch(IntakePlan *plan, IntakeDecoder *decoder,
								IntakeBatch *batch);

#endif							/* INTAKE_DECODE_H */
