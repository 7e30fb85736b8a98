/*-------------------------------------------------------------------------
 *
 * avro_to_rows.c
 *	  Prints the records of an Avro file, read with libavro, as COPY text.
 *
 *		avro_to_rows FILE
 *
 * One line a record, one column a field, in the file's order.  libavro knows
 * no logical types, so their numbers and bytes are printed as they are.
 * Arrays, maps and records are printed as JSON.
 *
 *-------------------------------------------------------------------------
 */
#include <avro.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* One column's text before it is escaped for COPY. */
static char *text;
static size_t text_len;
static size_t text_size;

static void print_nested(const avro_value_t *value);

static void
fail(const char *what)
{
	fprintf(stderr, "avro_to_rows: %s: %s\n", what, avro_strerror());
	exit(1);
}

static void
append_bytes(const char *bytes, size_t len)
{
	while (text_len + len > text_size)
	{
		text_size = text_size == 0 ? 1024 : text_size * 2;
		text = realloc(text, text_size);
		if (text == NULL)
			abort();
	}
	memcpy(text + text_len, bytes, len);
	text_len += len;
}

static void
append_text(const char *format, ...)
{
	char		buffer[512];
	va_list		args;

	va_start(args, format);
	vsnprintf(buffer, sizeof(buffer), format, args);
	va_end(args);
	append_bytes(buffer, strlen(buffer));
}

/* The number with the fewest digits that is read back as the same. */
static void
append_double(double number, bool is_single)
{
	char		buffer[64];
	int			digits;

	for (digits = 1; digits <= 17; digits++)
	{
		snprintf(buffer, sizeof(buffer), "%.*g", digits, number);
		if (is_single ? strtof(buffer, NULL) == (float) number :
			strtod(buffer, NULL) == number)
			break;
	}
	append_text("%s", buffer);
}

/* \x and hex digits; in JSON the backslash is doubled. */
static void
append_hex(const void *bytes, size_t len, bool is_nested)
{
	const uint8_t *byte = bytes;
	size_t		i;

	append_text(is_nested ? "\\\\x" : "\\x");
	for (i = 0; i < len; i++)
		append_text("%02x", byte[i]);
}

static void
append_json_string(const char *string, size_t len)
{
	size_t		i;

	append_text("\"");
	for (i = 0; i < len; i++)
	{
		if (string[i] == '"' || string[i] == '\\')
			append_text("\\%c", string[i]);
		else if ((unsigned char) string[i] < 0x20)
			append_text("\\u%04x", string[i]);
		else
			append_bytes(string + i, 1);
	}
	append_text("\"");
}

/* bytes and fixed */
static void
print_bytes(const avro_value_t *value, bool is_nested)
{
	const void *bytes;
	size_t		len;

	if (avro_value_get_type(value) == AVRO_BYTES)
		avro_value_get_bytes(value, &bytes, &len);
	else
		avro_value_get_fixed(value, &bytes, &len);
	append_text(is_nested ? "\"" : "");
	append_hex(bytes, len, is_nested);
	append_text(is_nested ? "\"" : "");
}

static void
print_string(const avro_value_t *value, bool is_nested)
{
	const char *string;
	size_t		len;

	avro_value_get_string(value, &string, &len);
	if (is_nested)
		append_json_string(string, len - 1);
	else
		append_bytes(string, len - 1);
}

static void
print_symbol(const avro_value_t *value, bool is_nested)
{
	const char *symbol;
	int			number;

	avro_value_get_enum(value, &number);
	symbol = avro_schema_enum_get(avro_value_get_schema(value), number);
	append_text(is_nested ? "\"%s\"" : "%s", symbol);
}

static void
print_number(const avro_value_t *value)
{
	int			truth;
	int32_t		narrow;
	int64_t		wide;
	float		single;
	double		number;

	switch (avro_value_get_type(value))
	{
		case AVRO_BOOLEAN:
			avro_value_get_boolean(value, &truth);
			append_text(truth ? "true" : "false");
			break;
		case AVRO_INT32:
			avro_value_get_int(value, &narrow);
			append_text("%d", narrow);
			break;
		case AVRO_INT64:
			avro_value_get_long(value, &wide);
			append_text("%lld", (long long) wide);
			break;
		case AVRO_FLOAT:
			avro_value_get_float(value, &single);
			append_double(single, true);
			break;
		default:
			avro_value_get_double(value, &number);
			append_double(number, false);
	}
}

/* A record or map as an object, an array as an array. */
static void
print_members(const avro_value_t *value)
{
	bool		is_array = avro_value_get_type(value) == AVRO_ARRAY;
	avro_value_t member;
	const char *name;
	size_t		count;
	size_t		i;

	avro_value_get_size(value, &count);
	append_text(is_array ? "[" : "{");
	for (i = 0; i < count; i++)
	{
		avro_value_get_by_index(value, i, &member, &name);
		append_text(i > 0 ? "," : "");
		if (!is_array)
		{
			append_json_string(name, strlen(name));
			append_text(":");
		}
		print_nested(&member);
	}
	append_text(is_array ? "]" : "}");
}

/* Prints a value; returns false for null, which outside JSON has no text. */
static bool
print_value(const avro_value_t *value, bool is_nested)
{
	avro_value_t branch;

	switch (avro_value_get_type(value))
	{
		case AVRO_NULL:
			append_text(is_nested ? "null" : "");
			return false;
		case AVRO_UNION:
			avro_value_get_current_branch(value, &branch);
			return print_value(&branch, is_nested);
		case AVRO_STRING:
			print_string(value, is_nested);
			return true;
		case AVRO_BYTES:
		case AVRO_FIXED:
			print_bytes(value, is_nested);
			return true;
		case AVRO_ENUM:
			print_symbol(value, is_nested);
			return true;
		case AVRO_ARRAY:
		case AVRO_MAP:
		case AVRO_RECORD:
			print_members(value);
			return true;
		default:
			print_number(value);
			return true;
	}
}

static void
print_nested(const avro_value_t *value)
{
	(void) print_value(value, true);
}

/* Writes the text as a column of COPY's text format. */
static void
write_column(bool is_null)
{
	size_t		i;

	if (is_null)
		fputs("\\N", stdout);
	for (i = 0; i < text_len && !is_null; i++)
	{
		switch (text[i])
		{
			case '\\':
				fputs("\\\\", stdout);
				break;
			case '\t':
				fputs("\\t", stdout);
				break;
			case '\n':
				fputs("\\n", stdout);
				break;
			case '\r':
				fputs("\\r", stdout);
				break;
			default:
				putchar(text[i]);
		}
	}
}

static void
print_record(const avro_value_t *record)
{
	avro_value_t field;
	size_t		count;
	size_t		i;

	avro_value_get_size(record, &count);
	for (i = 0; i < count; i++)
	{
		avro_value_get_by_index(record, i, &field, NULL);
		text_len = 0;
		if (i > 0)
			putchar('\t');
		write_column(!print_value(&field, false));
	}
	putchar('\n');
}

int
main(int argc, char **argv)
{
	avro_file_reader_t reader;
	avro_schema_t schema;
	avro_value_iface_t *class;
	avro_value_t value;
	int			result;

	if (argc != 2)
	{
		fprintf(stderr, "usage: avro_to_rows FILE\n");
		return 2;
	}
	if (avro_file_reader(argv[1], &reader) != 0)
		fail(argv[1]);
	schema = avro_file_reader_get_writer_schema(reader);
	class = avro_generic_class_from_schema(schema);
	avro_generic_value_new(class, &value);
	while ((result = avro_file_reader_read_value(reader, &value)) == 0)
	{
		print_record(&value);
		avro_value_reset(&value);
	}
	if (result != EOF)
		fail("read");
	avro_file_reader_close(reader);
	avro_value_decref(&value);
	avro_value_iface_decref(class);
	avro_schema_decref(schema);
	free(text);
	return fflush(stdout) == 0 ? 0 : 1;
}
