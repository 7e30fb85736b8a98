/*-------------------------------------------------------------------------
 *
 * hex_digit.h
 *	  Hexadecimal digits.  Plain C, for the module and the HTTP program.
 *
 *-------------------------------------------------------------------------
 */
#ifndef INTAKE_HEX_DIGIT_H
#define INTAKE_HEX_DIGIT_H

/* The value of a hexadecimal digit, or -1. */
static inline int
intake_hex_digit_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

#endif							/* INTAKE_HEX_DIGIT_H */
