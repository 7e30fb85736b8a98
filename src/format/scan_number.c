/*-------------------------------------------------------------------------
 *
 * scan_number.c
 *	  Numbers in the forms that nearly all payloads have.  Plain C.
 *
 * A decimal becomes a float in one of two ways.  Where its digits and its
 * power of ten are both exact in the binary type, one multiplication or
 * division is rounded correctly by IEEE 754 (Clinger 1990).  Else the digits
 * are multiplied with 128 bits of the power of five (Eisel, Lemire 2021):
 * the product is off by less than one in its last place, so its upper bits
 * are right unless a carry could run through all the others, or they could
 * stand for an exact tie.  Both are left to the caller's slower way.
 *
 *-------------------------------------------------------------------------
 */
#include <float.h>

#include "format/scan_number.h"

/* Is float and double arithmetic done in the type's own precision? */
#if defined(FLT_EVAL_METHOD) && FLT_EVAL_METHOD == 0
#define HAS_EXACT_ARITHMETIC 1
#else
#define HAS_EXACT_ARITHMETIC 0
#endif

/* The powers of ten in powers_of_five. */
#define MAX_POWER 64

/* Digits of an exponent that cannot overflow an int. */
#define MAX_EXPONENT_DIGITS 5

typedef struct PowerOfFive
{
	uint64_t	high;
	uint64_t	low;
} PowerOfFive;

/*
 * The highest 128 bits of 5^-64 to 5^64: cut for the positive powers, cut
 * and one more for the negative ones, which are never exact.
 */
static const PowerOfFive powers_of_five[] = {
	{UINT64_C(0xA87FEA27A539E9A5), UINT64_C(0x3F2398D747B36225)},
	{UINT64_C(0xD29FE4B18E88640E), UINT64_C(0x8EEC7F0D19A03AAE)},
	{UINT64_C(0x83A3EEEEF9153E89), UINT64_C(0x1953CF68300424AD)},
	{UINT64_C(0xA48CEAAAB75A8E2B), UINT64_C(0x5FA8C3423C052DD8)},
	{UINT64_C(0xCDB02555653131B6), UINT64_C(0x3792F412CB06794E)},
	{UINT64_C(0x808E17555F3EBF11), UINT64_C(0xE2BBD88BBEE40BD1)},
	{UINT64_C(0xA0B19D2AB70E6ED6), UINT64_C(0x5B6ACEAEAE9D0EC5)},
	{UINT64_C(0xC8DE047564D20A8B), UINT64_C(0xF245825A5A445276)},
	{UINT64_C(0xFB158592BE068D2E), UINT64_C(0xEED6E2F0F0D56713)},
	{UINT64_C(0x9CED737BB6C4183D), UINT64_C(0x55464DD69685606C)},
	{UINT64_C(0xC428D05AA4751E4C), UINT64_C(0xAA97E14C3C26B887)},
	{UINT64_C(0xF53304714D9265DF), UINT64_C(0xD53DD99F4B3066A9)},
	{UINT64_C(0x993FE2C6D07B7FAB), UINT64_C(0xE546A8038EFE402A)},
	{UINT64_C(0xBF8FDB78849A5F96), UINT64_C(0xDE98520472BDD034)},
	{UINT64_C(0xEF73D256A5C0F77C), UINT64_C(0x963E66858F6D4441)},
	{UINT64_C(0x95A8637627989AAD), UINT64_C(0xDDE7001379A44AA9)},
	{UINT64_C(0xBB127C53B17EC159), UINT64_C(0x5560C018580D5D53)},
	{UINT64_C(0xE9D71B689DDE71AF), UINT64_C(0xAAB8F01E6E10B4A7)},
	{UINT64_C(0x9226712162AB070D), UINT64_C(0xCAB3961304CA70E9)},
	{UINT64_C(0xB6B00D69BB55C8D1), UINT64_C(0x3D607B97C5FD0D23)},
	{UINT64_C(0xE45C10C42A2B3B05), UINT64_C(0x8CB89A7DB77C506B)},
	{UINT64_C(0x8EB98A7A9A5B04E3), UINT64_C(0x77F3608E92ADB243)},
	{UINT64_C(0xB267ED1940F1C61C), UINT64_C(0x55F038B237591ED4)},
	{UINT64_C(0xDF01E85F912E37A3), UINT64_C(0x6B6C46DEC52F6689)},
	{UINT64_C(0x8B61313BBABCE2C6), UINT64_C(0x2323AC4B3B3DA016)},
	{UINT64_C(0xAE397D8AA96C1B77), UINT64_C(0xABEC975E0A0D081B)},
	{UINT64_C(0xD9C7DCED53C72255), UINT64_C(0x96E7BD358C904A22)},
	{UINT64_C(0x881CEA14545C7575), UINT64_C(0x7E50D64177DA2E55)},
	{UINT64_C(0xAA242499697392D2), UINT64_C(0xDDE50BD1D5D0B9EA)},
	{UINT64_C(0xD4AD2DBFC3D07787), UINT64_C(0x955E4EC64B44E865)},
	{UINT64_C(0x84EC3C97DA624AB4), UINT64_C(0xBD5AF13BEF0B113F)},
	{UINT64_C(0xA6274BBDD0FADD61), UINT64_C(0xECB1AD8AEACDD58F)},
	{UINT64_C(0xCFB11EAD453994BA), UINT64_C(0x67DE18EDA5814AF3)},
	{UINT64_C(0x81CEB32C4B43FCF4), UINT64_C(0x80EACF948770CED8)},
	{UINT64_C(0xA2425FF75E14FC31), UINT64_C(0xA1258379A94D028E)},
	{UINT64_C(0xCAD2F7F5359A3B3E), UINT64_C(0x096EE45813A04331)},
	{UINT64_C(0xFD87B5F28300CA0D), UINT64_C(0x8BCA9D6E188853FD)},
	{UINT64_C(0x9E74D1B791E07E48), UINT64_C(0x775EA264CF55347E)},
	{UINT64_C(0xC612062576589DDA), UINT64_C(0x95364AFE032A819E)},
	{UINT64_C(0xF79687AED3EEC551), UINT64_C(0x3A83DDBD83F52205)},
	{UINT64_C(0x9ABE14CD44753B52), UINT64_C(0xC4926A9672793543)},
	{UINT64_C(0xC16D9A0095928A27), UINT64_C(0x75B7053C0F178294)},
	{UINT64_C(0xF1C90080BAF72CB1), UINT64_C(0x5324C68B12DD6339)},
	{UINT64_C(0x971DA05074DA7BEE), UINT64_C(0xD3F6FC16EBCA5E04)},
	{UINT64_C(0xBCE5086492111AEA), UINT64_C(0x88F4BB1CA6BCF585)},
	{UINT64_C(0xEC1E4A7DB69561A5), UINT64_C(0x2B31E9E3D06C32E6)},
	{UINT64_C(0x9392EE8E921D5D07), UINT64_C(0x3AFF322E62439FD0)},
	{UINT64_C(0xB877AA3236A4B449), UINT64_C(0x09BEFEB9FAD487C3)},
	{UINT64_C(0xE69594BEC44DE15B), UINT64_C(0x4C2EBE687989A9B4)},
	{UINT64_C(0x901D7CF73AB0ACD9), UINT64_C(0x0F9D37014BF60A11)},
	{UINT64_C(0xB424DC35095CD80F), UINT64_C(0x538484C19EF38C95)},
	{UINT64_C(0xE12E13424BB40E13), UINT64_C(0x2865A5F206B06FBA)},
	{UINT64_C(0x8CBCCC096F5088CB), UINT64_C(0xF93F87B7442E45D4)},
	{UINT64_C(0xAFEBFF0BCB24AAFE), UINT64_C(0xF78F69A51539D749)},
	{UINT64_C(0xDBE6FECEBDEDD5BE), UINT64_C(0xB573440E5A884D1C)},
	{UINT64_C(0x89705F4136B4A597), UINT64_C(0x31680A88F8953031)},
	{UINT64_C(0xABCC77118461CEFC), UINT64_C(0xFDC20D2B36BA7C3E)},
	{UINT64_C(0xD6BF94D5E57A42BC), UINT64_C(0x3D32907604691B4D)},
	{UINT64_C(0x8637BD05AF6C69B5), UINT64_C(0xA63F9A49C2C1B110)},
	{UINT64_C(0xA7C5AC471B478423), UINT64_C(0x0FCF80DC33721D54)},
	{UINT64_C(0xD1B71758E219652B), UINT64_C(0xD3C36113404EA4A9)},
	{UINT64_C(0x83126E978D4FDF3B), UINT64_C(0x645A1CAC083126EA)},
	{UINT64_C(0xA3D70A3D70A3D70A), UINT64_C(0x3D70A3D70A3D70A4)},
	{UINT64_C(0xCCCCCCCCCCCCCCCC), UINT64_C(0xCCCCCCCCCCCCCCCD)},
	{UINT64_C(0x8000000000000000), UINT64_C(0x0000000000000000)},
	{UINT64_C(0xA000000000000000), UINT64_C(0x0000000000000000)},
	{UINT64_C(0xC800000000000000), UINT64_C(0x0000000000000000)},
	{UINT64_C(0xFA00000000000000), UINT64_C(0x0000000000000000)},
	{UINT64_C(0x9C40000000000000), UINT64_C(0x0000000000000000)},
	{UINT64_C(0xC350000000000000), UINT64_C(0x0000000000000000)},
	{UINT64_C(0xF424000000000000), UINT64_C(0x0000000000000000)},
	{UINT64_C(0x9896800000000000), UINT64_C(0x0000000000000000)},
	{UINT64_C(0xBEBC200000000000), UINT64_C(0x0000000000000000)},
	{UINT64_C(0xEE6B280000000000), UINT64_C(0x0000000000000000)},
	{UINT64_C(0x9502F90000000000), UINT64_C(0x0000000000000000)},
	{UINT64_C(0xBA43B74000000000), UINT64_C(0x0000000000000000)},
	{UINT64_C(0xE8D4A51000000000), UINT64_C(0x0000000000000000)},
	{UINT64_C(0x9184E72A00000000), UINT64_C(0x0000000000000000)},
	{UINT64_C(0xB5E620F480000000), UINT64_C(0x0000000000000000)},
	{UINT64_C(0xE35FA931A0000000), UINT64_C(0x0000000000000000)},
	{UINT64_C(0x8E1BC9BF04000000), UINT64_C(0x0000000000000000)},
	{UINT64_C(0xB1A2BC2EC5000000), UINT64_C(0x0000000000000000)},
	{UINT64_C(0xDE0B6B3A76400000), UINT64_C(0x0000000000000000)},
	{UINT64_C(0x8AC7230489E80000), UINT64_C(0x0000000000000000)},
	{UINT64_C(0xAD78EBC5AC620000), UINT64_C(0x0000000000000000)},
	{UINT64_C(0xD8D726B7177A8000), UINT64_C(0x0000000000000000)},
	{UINT64_C(0x878678326EAC9000), UINT64_C(0x0000000000000000)},
	{UINT64_C(0xA968163F0A57B400), UINT64_C(0x0000000000000000)},
	{UINT64_C(0xD3C21BCECCEDA100), UINT64_C(0x0000000000000000)},
	{UINT64_C(0x84595161401484A0), UINT64_C(0x0000000000000000)},
	{UINT64_C(0xA56FA5B99019A5C8), UINT64_C(0x0000000000000000)},
	{UINT64_C(0xCECB8F27F4200F3A), UINT64_C(0x0000000000000000)},
	{UINT64_C(0x813F3978F8940984), UINT64_C(0x4000000000000000)},
	{UINT64_C(0xA18F07D736B90BE5), UINT64_C(0x5000000000000000)},
	{UINT64_C(0xC9F2C9CD04674EDE), UINT64_C(0xA400000000000000)},
	{UINT64_C(0xFC6F7C4045812296), UINT64_C(0x4D00000000000000)},
	{UINT64_C(0x9DC5ADA82B70B59D), UINT64_C(0xF020000000000000)},
	{UINT64_C(0xC5371912364CE305), UINT64_C(0x6C28000000000000)},
	{UINT64_C(0xF684DF56C3E01BC6), UINT64_C(0xC732000000000000)},
	{UINT64_C(0x9A130B963A6C115C), UINT64_C(0x3C7F400000000000)},
	{UINT64_C(0xC097CE7BC90715B3), UINT64_C(0x4B9F100000000000)},
	{UINT64_C(0xF0BDC21ABB48DB20), UINT64_C(0x1E86D40000000000)},
	{UINT64_C(0x96769950B50D88F4), UINT64_C(0x1314448000000000)},
	{UINT64_C(0xBC143FA4E250EB31), UINT64_C(0x17D955A000000000)},
	{UINT64_C(0xEB194F8E1AE525FD), UINT64_C(0x5DCFAB0800000000)},
	{UINT64_C(0x92EFD1B8D0CF37BE), UINT64_C(0x5AA1CAE500000000)},
	{UINT64_C(0xB7ABC627050305AD), UINT64_C(0xF14A3D9E40000000)},
	{UINT64_C(0xE596B7B0C643C719), UINT64_C(0x6D9CCD05D0000000)},
	{UINT64_C(0x8F7E32CE7BEA5C6F), UINT64_C(0xE4820023A2000000)},
	{UINT64_C(0xB35DBF821AE4F38B), UINT64_C(0xDDA2802C8A800000)},
	{UINT64_C(0xE0352F62A19E306E), UINT64_C(0xD50B2037AD200000)},
	{UINT64_C(0x8C213D9DA502DE45), UINT64_C(0x4526F422CC340000)},
	{UINT64_C(0xAF298D050E4395D6), UINT64_C(0x9670B12B7F410000)},
	{UINT64_C(0xDAF3F04651D47B4C), UINT64_C(0x3C0CDD765F114000)},
	{UINT64_C(0x88D8762BF324CD0F), UINT64_C(0xA5880A69FB6AC800)},
	{UINT64_C(0xAB0E93B6EFEE0053), UINT64_C(0x8EEA0D047A457A00)},
	{UINT64_C(0xD5D238A4ABE98068), UINT64_C(0x72A4904598D6D880)},
	{UINT64_C(0x85A36366EB71F041), UINT64_C(0x47A6DA2B7F864750)},
	{UINT64_C(0xA70C3C40A64E6C51), UINT64_C(0x999090B65F67D924)},
	{UINT64_C(0xD0CF4B50CFE20765), UINT64_C(0xFFF4B4E3F741CF6D)},
	{UINT64_C(0x82818F1281ED449F), UINT64_C(0xBFF8F10E7A8921A4)},
	{UINT64_C(0xA321F2D7226895C7), UINT64_C(0xAFF72D52192B6A0D)},
	{UINT64_C(0xCBEA6F8CEB02BB39), UINT64_C(0x9BF4F8A69F764490)},
	{UINT64_C(0xFEE50B7025C36A08), UINT64_C(0x02F236D04753D5B4)},
	{UINT64_C(0x9F4F2726179A2245), UINT64_C(0x01D762422C946590)},
	{UINT64_C(0xC722F0EF9D80AAD6), UINT64_C(0x424D3AD2B7B97EF5)},
	{UINT64_C(0xF8EBAD2B84E0D58B), UINT64_C(0xD2E0898765A7DEB2)},
	{UINT64_C(0x9B934C3B330C8577), UINT64_C(0x63CC55F49F88EB2F)},
	{UINT64_C(0xC2781F49FFCFA6D5), UINT64_C(0x3CBF6B71C76B25FB)}
};

/* How many of the digits from p to end (a point among them) count. */
static int
count_digits(const char *p, const char *end)
{
	int			count = 0;

	for (; p < end; p++)
	{
		if (*p != '.' && (count > 0 || *p != '0'))
			count++;
		if (count > INTAKE_DECIMAL_DIGITS)
			break;
	}
	return count;
}

/* Reads the exponent behind e; NULL when there is none or a large one. */
static const char *
read_exponent(const char *p, const char *limit, int *exponent)
{
	bool		is_negative = false;
	uint64_t	value = 0;
	const char *digits;

	if (p < limit && (*p == '-' || *p == '+'))
		is_negative = *p++ == '-';
	digits = p;
	p = intake_scan_digits(p, limit, &value);
	if (p == digits || p - digits > MAX_EXPONENT_DIGITS)
		return NULL;
	*exponent += is_negative ? -(int) value : (int) value;
	return p;
}

bool
intake_scan_decimal(const char **cursor, const char *limit,
					IntakeDecimal *decimal)
{
	const char *p = *cursor;
	const char *begin;
	const char *point;
	size_t		ndigits;

	decimal->digits = 0;
	decimal->exponent = 0;
	decimal->is_plain = true;
	decimal->is_negative = p < limit && *p == '-';
	p += decimal->is_negative;

	begin = p;
	p = intake_scan_digits(p, limit, &decimal->digits);
	ndigits = (size_t) (p - begin);
	if (ndigits == 0)
		return false;
	decimal->has_zeros = *begin == '0' && ndigits > 1;

	if (p < limit && *p == '.')
	{
		point = p + 1;
		p = intake_scan_digits(point, limit, &decimal->digits);
		if (p == point || p - point > 10000)
			return false;
		decimal->exponent = -(int) (p - point);
		decimal->is_plain = false;
		ndigits += (size_t) (p - point);
	}
	if (ndigits > INTAKE_DECIMAL_DIGITS &&
		count_digits(begin, p) > INTAKE_DECIMAL_DIGITS)
		return false;

	if (p < limit && (*p == 'e' || *p == 'E'))
	{
		p = read_exponent(p + 1, limit, &decimal->exponent);
		if (p == NULL)
			return false;
		decimal->is_plain = false;
	}
	*cursor = p;
	return true;
}

/* The product of two words. */
static inline void
multiply_words(uint64_t a, uint64_t b, uint64_t *high, uint64_t *low)
{
#ifdef __SIZEOF_INT128__
	unsigned __int128 product = (unsigned __int128) a * b;

	*high = (uint64_t) (product >> 64);
	*low = (uint64_t) product;
#else
	uint64_t	a_low = a & UINT32_MAX;
	uint64_t	b_low = b & UINT32_MAX;
	uint64_t	ends = a_low * b_low;
	uint64_t	first = (a >> 32) * b_low + (ends >> 32);
	uint64_t	second = a_low * (b >> 32) + (first & UINT32_MAX);

	*high = (a >> 32) * (b >> 32) + (first >> 32) + (second >> 32);
	*low = second << 32 | (ends & UINT32_MAX);
#endif
}

/*
 * The decimal, whose digits are not 0, as *mantissa * 2^*exponent, with
 * exactly nbits (24 or 53) bits in *mantissa, rounded.  No range of a type
 * is heeded.
 */
static bool
scale_decimal(const IntakeDecimal *decimal, int nbits, uint64_t *mantissa,
			  int *exponent)
{
	const PowerOfFive *power;
	int			zeros = __builtin_clzll(decimal->digits);
	uint64_t	digits = decimal->digits << zeros;
	uint64_t	high;
	uint64_t	low;
	uint64_t	rest;
	int			nrest;			/* bits behind the one that rounds */

	if (decimal->exponent < -MAX_POWER || decimal->exponent > MAX_POWER)
		return false;
	power = &powers_of_five[decimal->exponent + MAX_POWER];
	multiply_words(digits, power->high, &high, &low);

	/* the power's other half counts when it could carry that far */
	rest = ~UINT64_C(0) >> (nbits + 2);
	if ((high & rest) == rest)
	{
		uint64_t	carry;
		uint64_t	unused;

		multiply_words(digits, power->low, &carry, &unused);
		low += carry;
		high += low < carry;
		if (low == ~UINT64_C(0))
			return false;
	}

	nrest = 64 - nbits - 2 + (int) (high >> 63);
	rest = (UINT64_C(1) << nrest) - 1;
	*mantissa = high >> nrest;
	if ((*mantissa & 1) != 0 && (high & rest) == 0 && low <= 1)
		return false;
	*mantissa = (*mantissa + 1) >> 1;

	/*
	 * The lowest bit of high stands for twice the power of two that the power
	 * of ten begins with; 217706 / 2^16 is the logarithm of 10 to base 2.
	 */
	*exponent = (int) (((int64_t) decimal->exponent * 217706) >> 16) +
		nrest + 2 - zeros;
	if (*mantissa >> nbits != 0)
	{
		*mantissa >>= 1;
		(*exponent)++;
	}
	return true;
}

bool
intake_scan_float8(const IntakeDecimal *decimal, double *result)
{
	static const double powers[] = {
		1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12,
		1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22
	};
	uint64_t	mantissa;
	uint64_t	bits;
	int			exponent;
	double		value;

	if (decimal->digits == 0)
		value = 0.0;
	else if (HAS_EXACT_ARITHMETIC &&
			 decimal->digits <= UINT64_C(1) << DBL_MANT_DIG &&
			 decimal->exponent >= -22 && decimal->exponent <= 22)
	{
		value = (double) decimal->digits;
		if (decimal->exponent < 0)
			value /= powers[-decimal->exponent];
		else
			value *= powers[decimal->exponent];
	}
	else
	{
		if (!scale_decimal(decimal, DBL_MANT_DIG, &mantissa, &exponent))
			return false;

		/* powers up to MAX_POWER leave the result a normal number */
		exponent += DBL_MANT_DIG - 1 + DBL_MAX_EXP - 1;
		bits = mantissa & ~(UINT64_C(1) << (DBL_MANT_DIG - 1));
		bits |= (uint64_t) exponent << (DBL_MANT_DIG - 1);
		memcpy(&value, &bits, sizeof(value));
	}
	*result = decimal->is_negative ? -value : value;
	return true;
}

bool
intake_scan_float4(const IntakeDecimal *decimal, float *result)
{
	static const float powers[] = {
		1e0f, 1e1f, 1e2f, 1e3f, 1e4f, 1e5f, 1e6f, 1e7f, 1e8f, 1e9f, 1e10f
	};
	uint64_t	mantissa;
	uint32_t	bits;
	int			exponent;
	float		value;

	if (decimal->digits == 0)
		value = 0.0f;
	else if (HAS_EXACT_ARITHMETIC &&
			 decimal->digits <= UINT64_C(1) << FLT_MANT_DIG &&
			 decimal->exponent >= -10 && decimal->exponent <= 10)
	{
		value = (float) decimal->digits;
		if (decimal->exponent < 0)
			value /= powers[-decimal->exponent];
		else
			value *= powers[decimal->exponent];
	}
	else
	{
		if (!scale_decimal(decimal, FLT_MANT_DIG, &mantissa, &exponent))
			return false;

		/* what overflows, or is not a normal number, is for others */
		exponent += FLT_MANT_DIG - 1 + FLT_MAX_EXP - 1;
		if (exponent < 1 || exponent > 2 * FLT_MAX_EXP - 2)
			return false;
		bits = (uint32_t) mantissa & ~(UINT32_C(1) << (FLT_MANT_DIG - 1));
		bits |= (uint32_t) exponent << (FLT_MANT_DIG - 1);
		memcpy(&value, &bits, sizeof(value));
	}
	*result = decimal->is_negative ? -value : value;
	return true;
}
