/*-------------------------------------------------------------------------
 *
 * h1_head.h
 *	  The head of an HTTP/1.1 request, read strictly.
 *
 * Every line ends with CRLF, fields are "name:value" without a blank before
 * the colon, nothing is folded.  A byte that no head can hold is found when
 * it comes, not when the head should have ended.
 *
 * http_parser and llhttp are not used.  Debian 12 has the one and Debian 13
 * the other; both read as other programs might not (bare LF, folded fields,
 * "Host : a", two hosts, and http_parser, as Debian builds it, chunks of a
 * false length).  A strict reader had to stand before either, and is all
 * that is needed.  fuzz_http1_head compares it with http_parser.
 *
 *-------------------------------------------------------------------------
 */
#ifndef INTAKE_HTTP_H1_HEAD_H
#define INTAKE_HTTP_H1_HEAD_H

#ifdef POSTGRES_H
#error "the HTTP program knows nothing of PostgreSQL"
#endif

#include "http/head.h"

typedef struct H1Scan
{
	size_t		scanned;		/* bytes that need no second look */
	size_t		max_bytes;
	const char *why;
} H1Scan;

/*
 * Looks for the end of the head that text begins with.  Called again with
 * the same bytes and more behind them.  Returns the head's length with its
 * empty line, 0 when it goes on, or a negative status.
 */
extern long intake_h1_head_find(H1Scan *scan, const char *text, size_t len);

/* Reads a head so found.  Returns 0 or a status; see head.h. */
extern int	intake_h1_head_read(Head *head, const char *text, size_t len);

#endif							/* INTAKE_HTTP_H1_HEAD_H */
