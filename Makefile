# pg_intake: exactly-once bulk intake of NDJSON, CSV and Avro
#
#   make                 build the module
#   make install         install it (as the owner of the installation)
#   make installcheck    regress and isolation tests on a running server
#   make check           every test, on private servers
#   make check-unit      the scanners' unit tests, outside the server
#   make check-symbols   no library exports a name that postgres exports
#   make check-format    the tree is as .clang-format wants it

EXTENSION = pg_intake
MODULE_big = pg_intake
DATA = sql/pg_intake--1.0.sql
PGFILEDESC = "pg_intake - exactly-once bulk intake"

OBJS = \
	src/pg_intake.o \
	src/columns.o \
	src/convert.o \
	src/convert_json.o \
	src/convert_number.o \
	src/convert_time.o \
	src/ingest.o \
	src/options.o \
	src/settings.o \
	src/sqlfuncs.o \
	src/registry/key.o \
	src/registry/operation.o \
	src/registry/operation_sql.o \
	src/registry/register.o \
	src/registry/target.o \
	src/source/source.o \
	src/source/source_jsonb.o \
	src/format/avro_codec.o \
	src/format/avro_plan.o \
	src/format/avro_schema.o \
	src/format/format.o \
	src/format/format_avro.o \
	src/format/format_csv.o \
	src/format/format_ndjson.o \
	src/format/scan_avro.o \
	src/format/scan_csv.o \
	src/format/scan_json.o \
	src/format/scan_time.o \
	src/format/scan_utf8.o \
	src/write/batch.o \
	src/write/lock.o \
	src/write/write_append.o \
	src/write/write_merge.o \
	src/write/write_partition.o \
	src/write/write_replace.o \
	src/write/write_sql.o

HEADERS_INTERNAL = $(wildcard src/*.h src/*/*.h)

PG_CPPFLAGS = -I$(srcdir)/src
PG_CFLAGS = -Wall -Wextra -Wno-unused-parameter -Wno-sign-compare $(WERROR)
SHLIB_LINK = -lz -lzstd -lsnappy -lbz2 -llzma -lxxhash

REGRESS = $(patsubst test/sql/%.sql,%,$(sort $(wildcard test/sql/*.sql)))
REGRESS_OPTS = --inputdir=test
ISOLATION = $(patsubst test/specs/%.spec,%,$(sort $(wildcard test/specs/*.spec)))
ISOLATION_OPTS = --inputdir=test --outputdir=.

PG_CONFIG ?= pg_config
PGXS := $(shell $(PG_CONFIG) --pgxs)
include $(PGXS)

# PGXS tracks no headers.
$(OBJS): $(HEADERS_INTERNAL)
