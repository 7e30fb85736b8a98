/*-------------------------------------------------------------------------
 *
 * tls_pair.h
 *	  The gateway's certificate and its private key, from their files.
 *
 *-------------------------------------------------------------------------
 */
#ifndef INTAKE_TLS_PAIR_H
#define INTAKE_TLS_PAIR_H

typedef struct IntakeTlsPair
{
	char	   *certificate;	/* PEM, with its chain */
	char	   *key;			/* PEM */
} IntakeTlsPair;

/*
 * Reads the files of the settings anew.  Returns the pair that is in them or,
 * when that is no good (a message in the log says why), the one before; NULL
 * when there is none, as without the settings.  It stays until the next call.
 */
extern const IntakeTlsPair *intake_tls_pair_read(void);

#endif							/* INTAKE_TLS_PAIR_H */
