/*-------------------------------------------------------------------------
 *
 * make_avro.c
 *	  From a COPY BINARY file to an Avro container file, codec null.
 *
 *		make_avro SCHEMA COLUMNS INPUT OUTPUT
 *
 * SCHEMA is a file; COLUMNS has a letter for each column:
 *
 *		b bool	i int4	l int8	d float8	s text	D date	t timestamptz
 *		n int8 that is the unscaled value of a decimal
 *
 * A letter behind "?" stands for a union of null and the type.
 *
 * Libavro encodes the records.  The file around them is written here, since
 * libavro 1.11 leaves logical types out of the schema that it writes.
 *
 *-------------------------------------------------------------------------
 */
#include <arpa/inet.h>
#include <avro.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A block is written when it has this many bytes; no record has as many. */
#define BLOCK_SIZE	(256 * 1024)
#define MAX_COLUMNS 100
#define MAX_SCHEMA	(64 * 1024)

/* Of COPY BINARY: the signature, flags and the length of an extension. */
#define HEADER_SIZE 19

/* From 1970-01-01 to 2000-01-01. */
#define EPOCH_DAYS	10957
#define EPOCH_USECS (INT64_C(946684800) * 1000000)

static const char sync_marker[] = "pg_intake bench.";

/* The block that is being filled. */
typedef struct Block
{
	FILE	   *output;
	avro_writer_t writer;
	int64_t		nrecords;
	char		bytes[2 * BLOCK_SIZE];
} Block;

typedef struct Column
{
	char		letter;
	int			is_nullable;
} Column;

static void
fail(const char *what)
{
	fprintf(stderr, "make_avro: %s: %s\n", what, avro_strerror());
	exit(1);
}

static void
check(int failed, const char *what)
{
	if (failed)
		fail(what);
}

static void
read_bytes(FILE *input, void *bytes, size_t len)
{
	check(fread(bytes, 1, len, input) != len, "the input is cut");
}

static int
parse_columns(const char *letters, Column *columns)
{
	int			count = 0;

	for (; *letters != '\0'; letters++)
	{
		check(count == MAX_COLUMNS, "too many columns");
		columns[count].is_nullable = (*letters == '?');
		if (*letters == '?')
			letters++;
		columns[count++].letter = *letters;
	}
	return count;
}

static uint64_t
read_number(const char *bytes, int32_t len)
{
	uint64_t	number = 0;
	int32_t		i;

	for (i = 0; i < len; i++)
		number = number << 8 | (uint8_t) bytes[i];
	return number;
}

/* As few bytes of two's complement as a decimal needs. */
static int
set_decimal(avro_value_t *value, const char *bytes, int32_t len)
{
	while (len > 1 && ((bytes[0] == 0 && bytes[1] >= 0) ||
					   (bytes[0] == -1 && bytes[1] < 0)))
	{
		bytes++;
		len--;
	}
	return avro_value_set_bytes(value, (void *) bytes, len);
}

/* The bytes are terminated. */
static int
set_value(avro_value_t *value, char letter, char *bytes, int32_t len)
{
	uint64_t	number = len <= 8 ? read_number(bytes, len) : 0;
	double		real;

	switch (letter)
	{
		case 'b':
			return avro_value_set_boolean(value, bytes[0]);
		case 'i':
			return avro_value_set_int(value, (int32_t) number);
		case 'l':
			return avro_value_set_long(value, (int64_t) number);
		case 'd':
			memcpy(&real, &number, sizeof(real));
			return avro_value_set_double(value, real);
		case 's':
			return avro_value_set_string_len(value, bytes, len + 1);
		case 'D':
			return avro_value_set_int(value, (int32_t) number + EPOCH_DAYS);
		case 't':
			return avro_value_set_long(value,
									   (int64_t) number + EPOCH_USECS);
		case 'n':
			return set_decimal(value, bytes, len);
		default:
			fail("unknown letter of a column");
			return -1;
	}
}

/* Reads one field into the record. */
static void
copy_field(FILE *input, const Column *column, avro_value_t *record, int number)
{
	static char *bytes = NULL;
	static int32_t room = 0;
	avro_value_t field;
	avro_value_t branch;
	int32_t		len;

	read_bytes(input, &len, sizeof(len));
	len = (int32_t) ntohl(len);
	check(avro_value_get_by_index(record, number, &field, NULL),
		  "no such field");
	if (column->is_nullable)
	{
		check(avro_value_set_branch(&field, len < 0 ? 0 : 1, &branch),
			  "no such branch");
		field = branch;
	}
	if (len < 0)
	{
		check(avro_value_set_null(&field), "null");
		return;
	}
	if (len >= room)
	{
		room = len + 1024;
		bytes = realloc(bytes, room);
	}
	read_bytes(input, bytes, len);
	bytes[len] = '\0';
	check(set_value(&field, column->letter, bytes, len), "value");
}

static void
write_bytes(FILE *output, const void *bytes, size_t len)
{
	check(fwrite(bytes, 1, len, output) != len, "the output is full");
}

/* A long that is not negative. */
static void
write_long(FILE *output, uint64_t value)
{
	for (value *= 2; value > 0x7F; value >>= 7)
		putc((int) (value & 0x7F) | 0x80, output);
	putc((int) value, output);
}

static void
write_header(FILE *output, const char *schema)
{
	write_bytes(output, "Obj\001\002\026avro.schema", 17);
	write_long(output, strlen(schema));
	write_bytes(output, schema, strlen(schema));
	write_long(output, 0);
	write_bytes(output, sync_marker, 16);
}

static void
write_block(Block *block)
{
	int64_t		len = avro_writer_tell(block->writer);

	if (block->nrecords == 0)
		return;
	write_long(block->output, block->nrecords);
	write_long(block->output, len);
	write_bytes(block->output, block->bytes, len);
	write_bytes(block->output, sync_marker, 16);
	avro_writer_reset(block->writer);
	block->nrecords = 0;
}

static void
copy_rows(FILE *input, const Column *columns, int ncolumns, Block *block,
		  avro_value_t *record)
{
	char		header[HEADER_SIZE];
	int16_t		nfields;
	int			i;

	read_bytes(input, header, sizeof(header));
	for (;;)
	{
		read_bytes(input, &nfields, sizeof(nfields));
		nfields = (int16_t) ntohs(nfields);
		if (nfields < 0)
			return;
		check(nfields != ncolumns, "another number of columns");
		check(avro_value_reset(record), "reset");
		for (i = 0; i < ncolumns; i++)
			copy_field(input, &columns[i], record, i);
		check(avro_value_write(block->writer, record), "write");
		block->nrecords++;
		if (avro_writer_tell(block->writer) >= BLOCK_SIZE)
			write_block(block);
	}
}

int
main(int argc, char **argv)
{
	static char text[MAX_SCHEMA];
	static Block block;
	Column		columns[MAX_COLUMNS];
	avro_schema_t schema;
	avro_value_iface_t *class;
	avro_value_t record;
	FILE	   *file;

	check(argc != 5, "there must be four arguments");
	file = fopen(argv[1], "r");
	check(file == NULL, argv[1]);
	text[fread(text, 1, sizeof(text) - 1, file)] = '\0';
	fclose(file);
	check(avro_schema_from_json_length(text, strlen(text), &schema),
		  "schema");
	class = avro_generic_class_from_schema(schema);
	check(class == NULL || avro_generic_value_new(class, &record), "record");

	file = fopen(argv[3], "rb");
	check(file == NULL, argv[3]);
	block.output = fopen(argv[4], "wb");
	check(block.output == NULL, argv[4]);
	block.writer = avro_writer_memory(block.bytes, sizeof(block.bytes));
	write_header(block.output, text);
	copy_rows(file, columns, parse_columns(argv[2], columns), &block,
			  &record);
	write_block(&block);
	check(fclose(block.output), "close");
	fclose(file);

	avro_writer_free(block.writer);
	avro_value_decref(&record);
	avro_value_iface_decref(class);
	avro_schema_decref(schema);
	return 0;
}
