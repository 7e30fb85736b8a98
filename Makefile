# pg_intake: exactly-once bulk intake of NDJSON, CSV and Avro
#
#   make                 build the module
#   make install         install it (as the owner of the installation)
#   make installcheck    regress and isolation tests on a running server
#   make check           every test, on private servers
#   make check-unit      the scanners' unit tests, outside the server
#   make check-tap       the tests of whole servers
#   make check-http      the HTTP program, with a gateway and loaders of paper
#   make valgrind-http   the same under valgrind
#   make check-symbols   no library exports a name that postgres exports
#   make check-format    the tree is as .clang-format wants it
#   make fuzz            fuzz what reads payloads: FUZZ_S=60 seconds each,
#                        FUZZ_JOBS=2 at a time, FUZZERS="scan_csv ..."
#   make bench           time uploads against COPY: test/bench/run tells how

EXTENSION = pg_intake
MODULE_big = pg_intake
DATA = sql/pg_intake--1.0.sql
PGFILEDESC = "pg_intake - exactly-once bulk intake"

OBJS = \
	src/pg_intake.o \
	src/columns.o \
	src/convert.o \
	src/convert_arena.o \
	src/convert_decimal.o \
	src/convert_interval.o \
	src/convert_json.o \
	src/convert_jsonb.o \
	src/convert_nested.o \
	src/convert_number.o \
	src/convert_numeric.o \
	src/convert_text.o \
	src/convert_time.o \
	src/copy.o \
	src/copy_options.o \
	src/decode.o \
	src/defaults.o \
	src/discreet_log.o \
	src/dry_run.o \
	src/fault.o \
	src/frame.o \
	src/ingest.o \
	src/lock_space.o \
	src/option_table.o \
	src/options.o \
	src/plan.o \
	src/progress.o \
	src/settings.o \
	src/sqlfuncs.o \
	src/subtransaction.o \
	src/view.o \
	src/registry/connection.o \
	src/registry/definition.o \
	src/registry/definition_compare.o \
	src/registry/definition_fit.o \
	src/registry/definition_key.o \
	src/registry/definition_print.o \
	src/registry/definition_record.o \
	src/registry/definition_statement.o \
	src/registry/definition_table.o \
	src/registry/entity.o \
	src/registry/key.o \
	src/registry/key_index.o \
	src/registry/key_text.o \
	src/registry/operation.o \
	src/registry/operation_last.o \
	src/registry/operation_record.o \
	src/registry/operation_sql.o \
	src/registry/own_table.o \
	src/registry/register.o \
	src/registry/registration.o \
	src/registry/reject_record.o \
	src/registry/rejects.o \
	src/registry/rename.o \
	src/registry/target.o \
	src/source/source.o \
	src/source/source_array.o \
	src/source/source_copy.o \
	src/source/source_disk.o \
	src/source/source_inflate.o \
	src/source/source_jsonb.o \
	src/source/source_program.o \
	src/source/source_spool.o \
	src/format/avro_codec.o \
	src/format/avro_fast.o \
	src/format/avro_json.o \
	src/format/avro_logical.o \
	src/format/avro_plan.o \
	src/format/avro_reader.o \
	src/format/avro_render.o \
	src/format/avro_schema.o \
	src/format/csv_header.o \
	src/format/format.o \
	src/format/format_avro.o \
	src/format/format_csv.o \
	src/format/format_ndjson.o \
	src/format/format_query.o \
	src/format/ndjson_key.o \
	src/format/ndjson_report.o \
	src/format/scan_avro.o \
	src/format/scan_csv.o \
	src/format/scan_escape.o \
	src/format/scan_json.o \
	src/format/scan_number.o \
	src/format/scan_time.o \
	src/format/scan_time_usual.o \
	src/format/scan_utf8.o \
	src/write/batch.o \
	src/write/combine.o \
	src/write/demand.o \
	src/write/direct.o \
	src/write/heap_buffer.o \
	src/write/heap_delete.o \
	src/write/heap_index.o \
	src/write/heap_insert.o \
	src/write/heap_route.o \
	src/write/heap_split.o \
	src/write/heap_state.o \
	src/write/heap_update.o \
	src/write/heap_upsert.o \
	src/write/hold.o \
	src/write/index_order.o \
	src/write/insert.o \
	src/write/key_cache.o \
	src/write/key_scan.o \
	src/write/keys.o \
	src/write/lock.o \
	src/write/merge_key.o \
	src/write/merge_older.o \
	src/write/merge_order.o \
	src/write/partial.o \
	src/write/partial_sql.o \
	src/write/partition_bound.o \
	src/write/partition_find.o \
	src/write/refused_row.o \
	src/write/row_places.o \
	src/write/stage.o \
	src/write/tolerate.o \
	src/write/truncate.o \
	src/write/upsert.o \
	src/write/write_append.o \
	src/write/write_merge.o \
	src/write/write_partition.o \
	src/write/write_replace.o \
	src/write/write_sql.o \
	src/worker/answer.o \
	src/worker/connection_drop.o \
	src/worker/connection_grant.o \
	src/worker/connection_sql.o \
	src/worker/database_hook.o \
	src/worker/datalens_head.o \
	src/worker/datalens_partition.o \
	src/worker/gateway.o \
	src/worker/gateway_config.o \
	src/worker/gateway_listen.o \
	src/worker/good_signature.o \
	src/worker/iam_token.o \
	src/worker/json_object.o \
	src/worker/jwk.o \
	src/worker/jwks.o \
	src/worker/jwt.o \
	src/worker/link.o \
	src/worker/loader.o \
	src/worker/loader_start.o \
	src/worker/openapi.o \
	src/worker/principal.o \
	src/worker/private_key.o \
	src/worker/problem.o \
	src/worker/program.o \
	src/worker/request.o \
	src/worker/request_body.o \
	src/worker/request_digest.o \
	src/worker/request_options.o \
	src/worker/result.o \
	src/worker/route.o \
	src/worker/route_connection.o \
	src/worker/route_datalens.o \
	src/worker/route_datalens_data.o \
	src/worker/route_iam.o \
	src/worker/route_prostore.o \
	src/worker/route_target.o \
	src/worker/route_v1.o \
	src/worker/scan_base64url.o \
	src/worker/scan_jws.o \
	src/worker/scan_request.o \
	src/worker/scan_url.o \
	src/worker/secret.o \
	src/worker/shared.o \
	src/worker/signature.o \
	src/worker/stat.o \
	src/worker/status.o \
	src/worker/tls_pair.o \
	src/worker/token.o \
	src/worker/trusted_key.o \
	src/worker/visit.o \
	src/worker/worker_settings.o

# The HTTP program: no PostgreSQL in it, so none of its flags either.  PGXS
# builds a module or a program, never both; the rules are below.
HTTP_PROGRAM = pg_intake_http
HTTP_OBJS = \
	src/http/main.o \
	src/http/answer.o \
	src/http/body.o \
	src/http/chars.o \
	src/http/client.o \
	src/http/config.o \
	src/http/confine.o \
	src/http/control.o \
	src/http/h1.o \
	src/http/h1_chunk.o \
	src/http/h1_head.o \
	src/http/h2.o \
	src/http/h2_stream.o \
	src/http/head.o \
	src/http/inflate.o \
	src/http/limits.o \
	src/http/listener.o \
	src/http/loader_pool.o \
	src/http/log.o \
	src/http/metrics.o \
	src/http/own_route.o \
	src/http/protocol.o \
	src/http/request.o \
	src/http/tls.o \
	src/http/transport.o \
	src/http/visit.o \
	src/http/plain_frame.o \
	src/http/plain_scan_utf8.o

HTTP_CFLAGS = -std=gnu99 -O2 -g -Wall -Wextra -Wno-unused-parameter \
	-Wno-sign-compare -Wdeclaration-after-statement -Wvla $(WERROR) \
	-fPIE -fstack-protector-strong -fstack-clash-protection \
	-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2 -D_GNU_SOURCE -I$(srcdir)/src
HTTP_LDFLAGS = -pie -Wl,-z,relro,-z,now -Wl,--as-needed
HTTP_LIBS = -levent_core -lnghttp2 -ljansson -lssl -lcrypto -lz -lzstd

INTERNAL_HEADERS = $(wildcard src/*.h src/*/*.h)

PG_CPPFLAGS = -I$(srcdir)/src
PG_CFLAGS = -Wall -Wextra -Wno-unused-parameter -Wno-sign-compare $(WERROR)
SHLIB_LINK = -lz -lzstd -lsnappy -lbz2 -llzma -lxxhash -lcrypto

REGRESS = $(patsubst test/sql/%.sql,%,$(sort $(wildcard test/sql/*.sql)))
REGRESS_OPTS = --inputdir=test --encoding=UTF8 --load-extension=pg_intake
ISOLATION = $(patsubst test/specs/%.spec,%,$(sort $(wildcard test/specs/*.spec)))
ISOLATION_OPTS = --inputdir=test --outputdir=. --load-extension=pg_intake

EXTRA_CLEAN = test/unit/build test/avro/build test/fuzz/build \
	test/bench/build $(HTTP_PROGRAM) $(HTTP_OBJS)

PG_CONFIG ?= pg_config

# PGXS has a target "check" that says that there is none; it stays out when
# ours is asked for, which needs nothing of it.
ifneq ($(MAKECMDGOALS),check)
PGXS := $(shell $(PG_CONFIG) --pgxs)
include $(PGXS)
endif

# PGXS tracks no headers.
$(OBJS): $(INTERNAL_HEADERS)

all: $(HTTP_PROGRAM)

$(HTTP_OBJS): $(INTERNAL_HEADERS)

src/http/%.o: src/http/%.c
	$(CC) $(HTTP_CFLAGS) -c -o $@ $<

src/http/plain_frame.o: src/frame.c
	$(CC) $(HTTP_CFLAGS) -c -o $@ $<

src/http/plain_scan_utf8.o: src/format/scan_utf8.c
	$(CC) $(HTTP_CFLAGS) -c -o $@ $<

$(HTTP_PROGRAM): $(HTTP_OBJS)
	$(CC) $(HTTP_CFLAGS) $(HTTP_LDFLAGS) -o $@ $(HTTP_OBJS) $(HTTP_LIBS)

install: install-http
uninstall: uninstall-http

.PHONY: install-http uninstall-http
install-http: $(HTTP_PROGRAM) installdirs
	$(INSTALL_PROGRAM) $(HTTP_PROGRAM) \
		'$(DESTDIR)$(pkglibdir)/$(HTTP_PROGRAM)'

uninstall-http:
	rm -f '$(DESTDIR)$(pkglibdir)/$(HTTP_PROGRAM)'

# test/run finds PostgreSQL itself unless it is told which.
ifneq ($(filter command line environment,$(origin PG_CONFIG)),)
export PG_CONFIG
endif

.PHONY: check-unit check-symbols check-format check-tap check-fuzz \
	check-http valgrind-http fuzz bench

ifeq ($(MAKECMDGOALS),check)
.PHONY: check
check:
	test/run
endif

check-unit check-tap check-fuzz check-http: check-%:
	test/run $*

valgrind-http: $(HTTP_PROGRAM)
	INTAKE_HTTP=$(abspath $(HTTP_PROGRAM)) INTAKE_VALGRIND=1 \
		python3 test/http/run

fuzz:
	$(MAKE) --no-print-directory -C test/fuzz PG_CONFIG="$(PG_CONFIG)" fuzz

bench:
	test/bench/run

check-symbols: all
	PG_CONFIG="$(PG_CONFIG)" test/symbols $(MODULE_big).so

check-format:
	test/format
