/*-------------------------------------------------------------------------
 *
 * test_scan_csv.c
 *	  CSV: what RFC 4180 and COPY's documentation say, fed whole and in
 *	  pieces, with SSE2 and without, against COPY's way of reading written
 *	  down once more, byte by byte.
 *
 *-------------------------------------------------------------------------
 */
#include <stdlib.h>
#include <string.h>

#include "format/scan_csv.h"
#include "tap.h"

/* The scanner once more, without SSE2. */
#define INTAKE_SCAN_PLAIN
#undef USE_SSE2
#define intake_scan_csv_begin plain_begin
#define intake_scan_csv_next plain_next
#define intake_scan_csv_unquote plain_unquote
extern void plain_begin(IntakeScanCsv *scan, char delimiter, char quote,
						char escape);
extern IntakeCsvResult plain_next(IntakeScanCsv *scan, const char *text,
								  size_t len, bool is_final,
								  IntakeCsvField *fields, size_t max_fields);
extern size_t plain_unquote(const IntakeScanCsv *scan, const char *text,
							size_t len, char *out);
#include "format/scan_csv.c"
#undef intake_scan_csv_begin
#undef intake_scan_csv_next
#undef intake_scan_csv_unquote

#define MAX_FIELDS 32
#define MAX_ANSWER 65536

typedef IntakeCsvResult (*NextFunction) (IntakeScanCsv *, const char *,
										 size_t, bool, IntakeCsvField *,
										 size_t);

/*
 * An answer is a text: a field is its value, a quoted one with ' before it;
 * fields end with |, records with their number of lines and a slash.
 */
typedef struct Answer
{
	char		text[MAX_ANSWER];
	size_t		len;
} Answer;

static void
put(Answer *answer, const char *bytes, size_t len)
{
	if (answer->len + len < MAX_ANSWER)
	{
		memcpy(answer->text + answer->len, bytes, len);
		answer->len += len;
	}
	answer->text[answer->len] = '\0';
}

static void
put_number(Answer *answer, size_t number)
{
	char		digits[30];

	put(answer, digits, (size_t) snprintf(digits, sizeof(digits), "%zu/",
										  number));
}

static void
put_fields(Answer *answer, const IntakeScanCsv *scan, const char *record,
		   const IntakeCsvField *fields)
{
	size_t		i;

	for (i = 0; i < scan->nfields && i < MAX_FIELDS; i++)
	{
		const char *raw = record + fields[i].start;
		size_t		len = fields[i].len;
		char	   *value = malloc(len + 1);

		if (fields[i].quoting != INTAKE_CSV_PLAIN)
			put(answer, "'", 1);
		if (fields[i].quoting == INTAKE_CSV_MIXED)
			put(answer, value,
				intake_scan_csv_unquote(scan, raw, len, value));
		else if (fields[i].quoting == INTAKE_CSV_QUOTED)
			put(answer, raw + 1, len - 2);
		else
			put(answer, raw, len);
		put(answer, "|", 1);
		free(value);
	}
	put_number(answer, scan->nlines);
}

/* May a record that lies at text hold what the scanner says it does not? */
static bool
flags_hold(const IntakeScanCsv *scan, const char *text)
{
	size_t		i;

	for (i = 0; i < scan->len; i++)
	{
		if (text[i] == '\0' && !scan->may_hold_nul)
			return false;
		if ((unsigned char) text[i] >= 0x80 && !scan->may_hold_high)
			return false;
	}
	return true;
}

/*
 * Scans a payload that comes in pieces of step bytes (0: of random size).
 * The window is a block of its own each time, so that nothing is read
 * behind it and nothing is kept of it.
 */
static void
scan_payload(NextFunction next, const char *controls, const char *payload,
			 size_t len, size_t step, Answer *answer)
{
	IntakeScanCsv scan;
	IntakeCsvField fields[MAX_FIELDS];
	size_t		start = 0;
	size_t		end = 0;

	answer->len = 0;
	put(answer, "", 0);
	intake_scan_csv_begin(&scan, controls[0], controls[1], controls[2]);
	for (;;)
	{
		size_t		size = end - start;
		char	   *window = malloc(size > 0 ? size : 1);
		IntakeCsvResult result;

		memcpy(window, payload + start, size);
		result = next(&scan, window, size, end == len, fields, MAX_FIELDS);
		if (result == INTAKE_CSV_RECORD)
		{
			put_fields(answer, &scan, window, fields);
			if (!flags_hold(&scan, window))
				put(answer, "FLAGS", 5);
			start += scan.len;
		}
		free(window);
		if (result == INTAKE_CSV_UNTERMINATED)
			put(answer, "unterminated", 12);
		if (result == INTAKE_CSV_END || result == INTAKE_CSV_UNTERMINATED)
			break;
		if (result == INTAKE_CSV_MORE)
		{
			size_t		more = step > 0 ? step : (size_t) rand() % 100 + 1;

			if (end == len)
			{
				put(answer, "MORE", 4);
				break;
			}
			end = len - end < more ? len : end + more;
		}
	}
}

/* COPY's reading of the same payload, in the same letters. */
static void
read_as_copy(const char *controls, const char *payload, size_t len,
			 Answer *answer)
{
	const char	delimiter = controls[0];
	const char	quote = controls[1];
	const char	escape = controls[2];
	size_t		i = 0;

	answer->len = 0;
	put(answer, "", 0);
	while (i < len)
	{
		size_t		nlines = 1;
		size_t		record_start = answer->len;
		bool		in_record = true;

		while (in_record)
		{
			static char value[MAX_ANSWER];
			size_t		used = 0;
			bool		in_quote = false;
			bool		saw_quote = false;

			for (;;)
			{
				char		c;

				if (i == len)
				{
					if (in_quote)
					{
						answer->len = record_start;
						put(answer, "unterminated", 12);
						return;
					}
					in_record = false;
					break;
				}
				c = payload[i++];
				if (in_quote)
				{
					if (c == escape && i < len &&
						(payload[i] == escape || payload[i] == quote))
						value[used++] = payload[i++];
					else if (c == quote)
						in_quote = false;
					else
					{
						value[used++] = c;
						if (c == '\n' ||
							(c == '\r' && (i == len || payload[i] != '\n')))
							nlines++;
					}
				}
				else if (c == delimiter)
					break;
				else if (c == '\n' || c == '\r')
				{
					if (c == '\r' && i < len && payload[i] == '\n')
						i++;
					in_record = false;
					break;
				}
				else if (c == quote)
					in_quote = saw_quote = true;
				else
					value[used++] = c;
			}
			if (saw_quote)
				put(answer, "'", 1);
			put(answer, value, used);
			put(answer, "|", 1);
		}
		put_number(answer, nlines);
	}
}

static Answer answer;
static Answer other;

static bool
is_same(void)
{
	return answer.len == other.len &&
		memcmp(answer.text, other.text, other.len) == 0;
}

/* Whole, in pieces of all sizes up to 70, and without SSE2. */
static bool
is_stable(const char *controls, const char *payload, size_t len)
{
	size_t		step;

	for (step = 1; step <= 70; step++)
	{
		scan_payload(intake_scan_csv_next, controls, payload, len, step,
					 &other);
		if (!is_same())
			return false;
		scan_payload(plain_next, controls, payload, len, step, &other);
		if (!is_same())
			return false;
	}
	return true;
}

static void
check_len(const char *controls, const char *payload, size_t len,
		  const char *expected)
{
	char		name[400];
	bool		fine;

	scan_payload(intake_scan_csv_next, controls, payload, len, len + 1,
				 &answer);
	fine = strcmp(answer.text, expected) == 0;
	snprintf(name, sizeof(name), "%s: %s", controls, payload);
	if (!ok(fine, name))
		printf("# got %s\n# expected %s\n", answer.text, expected);
	fine = is_stable(controls, payload, len);
	read_as_copy(controls, payload, len, &other);
	fine &= is_same();
	ok(fine, "  in pieces, without SSE2, and as COPY");
	if (!fine)
		printf("# got %s\n", other.text);
}

static void
check(const char *controls, const char *payload, const char *expected)
{
	check_len(controls, payload, strlen(payload), expected);
}

/* RFC 4180, section 2, in its order. */
static void
test_rfc(void)
{
	check(",\"\"", "aaa,bbb,ccc\r\nzzz,yyy,xxx\r\n",
		  "aaa|bbb|ccc|1/zzz|yyy|xxx|1/");
	check(",\"\"", "aaa,bbb,ccc\r\nzzz,yyy,xxx",
		  "aaa|bbb|ccc|1/zzz|yyy|xxx|1/");
	check(",\"\"", "\"aaa\",\"bbb\",\"ccc\"\r\nzzz,yyy,xxx",
		  "'aaa|'bbb|'ccc|1/zzz|yyy|xxx|1/");
	check(",\"\"", "\"aaa\",\"b\r\nbb\",\"ccc\"\r\nzzz,yyy,xxx",
		  "'aaa|'b\r\nbb|'ccc|2/zzz|yyy|xxx|1/");
	check(",\"\"", "\"aaa\",\"b\"\"bb\",\"ccc\"", "'aaa|'b\"bb|'ccc|1/");
	check(",\"\"", " a , b ", " a | b |1/");
}

static void
test_line_ends(void)
{
	check(",\"\"", "", "");
	check(",\"\"", "\n", "|1/");
	check(",\"\"", "a", "a|1/");
	check(",\"\"", "a\nb\n", "a|1/b|1/");
	check(",\"\"", "a\rb\r", "a|1/b|1/");
	check(",\"\"", "a\rb\r\nc\nd", "a|1/b|1/c|1/d|1/");
	check(",\"\"", "a\n\nb", "a|1/|1/b|1/");
	check(",\"\"", "a\r\n\r\nb\r\n", "a|1/|1/b|1/");
	check(",\"\"", "a\n\n", "a|1/|1/");
	check(",\"\"", "\r\r\n", "|1/|1/");
	check(",\"\"", "a,\n,b\n,\n", "a||1/|b|1/||1/");
	check(",\"\"", "\"a\rb\nc\r\nd\",e\n", "'a\rb\nc\r\nd|e|4/");
	check(",\"\"", "\\.\na\n", "\\.|1/a|1/");
}

/* "The QUOTE and ESCAPE ..." and the notes of COPY's CSV format. */
static void
test_quotes(void)
{
	check(",\"\"", "\"\"", "'|1/");
	check(",\"\"", "\"\",", "'||1/");
	check(",\"\"", "\"\"\"\"", "'\"|1/");
	check(",\"\"", "\"\"\"\"\"\"", "'\"\"|1/");
	check(",\"\"", "\"a,b\",c", "'a,b|c|1/");
	check(",\"\"", "a\"b,c\"d", "'ab,cd|1/");
	check(",\"\"", "\"a\"b", "'ab|1/");
	check(",\"\"", "a\"b\"", "'ab|1/");
	check(",\"\"", "\"a\"\"\"", "'a\"|1/");
	check(",\"\"", "\"a\" ,b", "'a |b|1/");
	check(",\"\"", " \"a\",b", "' a|b|1/");
	check(",\"\"", "\"a\"\"b\"c\"d\"", "'a\"bcd|1/");
	check(",\"\"", "\"", "unterminated");
	check(",\"\"", "a,\"b\nc", "unterminated");
	check(",\"\"", "a\n\"b\"\"", "a|1/unterminated");
	check(",\"\"", "a\"b\n", "unterminated");
}

static void
test_escapes(void)
{
	check(",\"\\", "\"a\\\"b\"", "'a\"b|1/");
	check(",\"\\", "\"a\\\\\"", "'a\\|1/");
	check(",\"\\", "\"a\\b\"", "'a\\b|1/");
	check(",\"\\", "\"a\\\\\\\"\",b", "'a\\\"|b|1/");
	check(",\"\\", "a\\,b", "a\\|b|1/");
	check(",\"\\", "a\\\"b\"", "'a\\b|1/");
	check(",\"\\", "\"a\"\"b\"", "'ab|1/");
	check(",\"\\", "\"a\\", "unterminated");
	check(",\"\\", "\"a\\\"", "unterminated");
	check(";'\"", "'a;b';'c\"'d';e", "'a;b|'c'd|e|1/");
	check("\t\"\"", "a b\t\"c\td\"\te", "a b|'c\td|e|1/");
	check("|\"\"", "a|b", "a|b|1/");
}

/* Every run of letters that matter, up to seven of them. */
static void
test_all_short(void)
{
	static const char letters[] = ",\"\\\r\na";
	static const char *const controls[] = {",\"\"", ",\"\\"};
	bool		fine = true;
	int			k;
	int			n;

	for (k = 0; k < 2; k++)
	{
		int			len;

		for (len = 1; len <= 6; len++)
		{
			int			count = 1;

			for (n = 0; n < len; n++)
				count *= 6;
			for (n = 0; n < count; n++)
			{
				char		payload[8];
				int			left = n;
				int			i;

				for (i = 0; i < len; i++)
				{
					payload[i] = letters[left % 6];
					left /= 6;
				}
				read_as_copy(controls[k], payload, (size_t) len, &answer);
				scan_payload(intake_scan_csv_next, controls[k], payload,
							 (size_t) len, (size_t) n % 3 + 1, &other);
				fine &= is_same();
			}
		}
	}
	ok(fine, "every payload of up to 6 of the letters that matter");
}

static void
test_noise(void)
{
	static const char letters[] = "abcdefgh,,,;\"\"\"\\\r\n\n\0\x80\xFF";
	static const char *const controls[] = {",\"\"", ",\"\\", ";\"'"};
	bool		fine = true;
	int			round;

	srand(2);
	for (round = 0; round < 6000; round++)
	{
		size_t		len = (size_t) rand() % 400;
		int			noise = rand() % 3;
		char	   *payload = malloc(len + 1);
		const char *control = controls[round % 3];
		size_t		i;

		for (i = 0; i < len; i++)
			payload[i] = rand() % 10 < noise * 4 + 1 ?
				letters[(size_t) rand() % (sizeof(letters) - 1)] : 'x';
		payload[len] = '\0';
		read_as_copy(control, payload, len, &answer);
		scan_payload(intake_scan_csv_next, control, payload, len, 0, &other);
		fine &= is_same();
		scan_payload(intake_scan_csv_next, control, payload, len, len + 1,
					 &other);
		fine &= is_same();
		scan_payload(plain_next, control, payload, len, 0, &other);
		fine &= is_same();
		free(payload);
	}
	ok(fine, "noise: as COPY, whole and in pieces, with SSE2 and without");
}

/* What takes two bytes, at every distance from a block's start. */
static void
test_blocks(void)
{
	static const char *const pairs[] = {
		"\\\"", "\\\\", "\"\"", "\",", "\"\r\n", "\r\n", "\\x"
	};
	static const char *const controls[] = {",\"\"", ",\"\\"};
	static char padding[200];
	bool		fine = true;
	size_t		pad;
	int			i;

	memset(padding, 'x', sizeof(padding));
	for (i = 0; i < 14; i++)
	{
		for (pad = 0; pad < 200; pad++)
		{
			char		payload[300];
			int			len;

			len = snprintf(payload, sizeof(payload), "a,\"%.*s%sy\",\"z\"\n",
						   (int) pad, padding, pairs[i / 2]);
			read_as_copy(controls[i % 2], payload, (size_t) len, &answer);
			scan_payload(intake_scan_csv_next, controls[i % 2], payload,
						 (size_t) len, (size_t) len, &other);
			fine &= is_same();
			scan_payload(plain_next, controls[i % 2], payload, (size_t) len,
						 pad % 7 + 1, &other);
			fine &= is_same();
		}
	}
	ok(fine, "two bytes that belong together, across blocks");
}

/* A record's fields are counted where they do not fit, and none is written. */
static void
test_many_fields(void)
{
	IntakeScanCsv scan;
	IntakeCsvField fields[3];
	const char *payload = "a,b,c,d,e\n";

	fields[2].start = 12345;
	intake_scan_csv_begin(&scan, ',', '"', '"');
	ok(intake_scan_csv_next(&scan, payload, strlen(payload), true,
							fields, 2) == INTAKE_CSV_RECORD &&
	   scan.nfields == 5 && fields[1].start == 2 && fields[2].start == 12345,
	   "more fields than fit are counted");
}

/* What has been scanned is not scanned again. */
static void
test_long_field(void)
{
	const size_t len = 32 * 1024 * 1024;
	char	   *payload = malloc(len);
	IntakeScanCsv scan;
	IntakeCsvField fields[2];
	IntakeCsvResult result = INTAKE_CSV_MORE;
	size_t		end;
	size_t		calls = 0;

	memset(payload, 'x', len);
	payload[0] = '"';
	payload[len - 2] = '"';
	payload[len - 1] = '\n';
	intake_scan_csv_begin(&scan, ',', '"', '"');
	for (end = 1000; result == INTAKE_CSV_MORE; end += 1000, calls++)
		result = intake_scan_csv_next(&scan, payload, end < len ? end : len,
									  end >= len, fields, 2);
	ok(result == INTAKE_CSV_RECORD && scan.nfields == 1 &&
	   fields[0].quoting == INTAKE_CSV_QUOTED && scan.len == len &&
	   calls > 30000, "a field of 32 MB in 1,000 bytes a time");
	free(payload);
}

int
main(void)
{
	test_rfc();
	test_line_ends();
	test_quotes();
	test_escapes();
	test_all_short();
	test_blocks();
	test_noise();
	check_len(",\"\"", "a\0b,\"c\0\"\n", 9, "a");
	test_many_fields();
	test_long_field();
	return done_testing();
}
