/*-------------------------------------------------------------------------
 *
 * request_body.h
 *	  The body of an HTTP request as a payload.
 *
 *-------------------------------------------------------------------------
 */
#ifndef INTAKE_REQUEST_BODY_H
#define INTAKE_REQUEST_BODY_H

#include "source/source.h"
#include "worker/request.h"

/*
 * Opens the body.  Reading raises 08006 when the client has gone before its
 * end, 08P01 when the body is broken.
 */
extern IntakeSource *intake_request_open_body(const IntakeHttpRequest *request);

#endif							/* INTAKE_REQUEST_BODY_H */
