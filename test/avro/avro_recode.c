/*-------------------------------------------------------------------------
 *
 * avro_recode.c
 *	  Copies an Avro file with libavro, into another codec.
 *
 *		avro_recode CODEC IN OUT
 *
 * The copy has the records of the original, written by another writer.
 * libavro drops logical types from the schema.
 *
 *-------------------------------------------------------------------------
 */
#include <avro.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

static void
fail(const char *what)
{
	fprintf(stderr, "avro_recode: %s: %s\n", what, avro_strerror());
	exit(1);
}

static void
copy_records(avro_file_reader_t reader, avro_file_writer_t writer,
			 avro_value_t *value)
{
	int			result;

	while ((result = avro_file_reader_read_value(reader, value)) == 0)
	{
		if (avro_file_writer_append_value(writer, value) != 0)
			fail("append");
		avro_value_reset(value);
	}
	if (result != EOF)
		fail("read");
}

int
main(int argc, char **argv)
{
	avro_file_reader_t reader;
	avro_file_writer_t writer;
	avro_schema_t schema;
	avro_value_iface_t *class;
	avro_value_t value;

	if (argc != 4)
	{
		fprintf(stderr, "usage: avro_recode CODEC IN OUT\n");
		return 2;
	}
	if (avro_file_reader(argv[2], &reader) != 0)
		fail(argv[2]);
	schema = avro_file_reader_get_writer_schema(reader);
	class = avro_generic_class_from_schema(schema);
	avro_generic_value_new(class, &value);
	remove(argv[3]);
	if (avro_file_writer_create_with_codec(argv[3], schema, &writer, argv[1],
										   0) != 0)
		fail(argv[3]);
	copy_records(reader, writer, &value);
	avro_file_writer_close(writer);
	avro_file_reader_close(reader);
	avro_value_decref(&value);
	avro_value_iface_decref(class);
	avro_schema_decref(schema);
	return 0;
}
