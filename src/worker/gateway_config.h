/*-------------------------------------------------------------------------
 *
 * gateway_config.h
 *	  What the HTTP program is told of the settings.
 *
 *-------------------------------------------------------------------------
 */
#ifndef INTAKE_GATEWAY_CONFIG_H
#define INTAKE_GATEWAY_CONFIG_H

#include "lib/stringinfo.h"

/*
 * Appends the settings as the JSON of a configuration frame.  Addresses are
 * resolved and TLS files read now; one that is no good leaves what there was
 * before, with a message in the log.
 */
extern void intake_gateway_config_append(StringInfo json);

#endif							/* INTAKE_GATEWAY_CONFIG_H */
