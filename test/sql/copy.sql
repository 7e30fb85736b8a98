-- COPY FROM in the formats of pg_intake.  psql sends binary COPY data as they
-- are, so data come from files and programs of the client, not inline.
LOAD 'pg_intake';
CREATE SCHEMA copy_door;
SET search_path = copy_door, public;
CREATE TABLE goods (id int PRIMARY KEY, name text, qty numeric DEFAULT 7);

--
-- Formats
--
\copy goods FROM PROGRAM 'printf "[1, \"one\", 1.5]\n{\"id\": 2, \"name\": null}\n"' (FORMAT ndjson, OPERATION 'c0000000-0000-0000-0000-000000000001')
SELECT * FROM goods ORDER BY id;
SELECT door, status, target, mode, rows_received, bytes_received, request
  FROM intake.operations WHERE operation = 'c0000000-0000-0000-0000-000000000001';

-- a list of columns is for array rows and fields; object rows have names
\copy goods (name, id) FROM PROGRAM 'printf "[\"three\", 3]\n{\"id\": 4, \"qty\": 4}\n"' (FORMAT ndjson, OPERATION 'c0000000-0000-0000-0000-000000000002')
SELECT * FROM goods WHERE id > 2 ORDER BY id;

-- no bytes are no records
\copy goods FROM '/dev/null' (FORMAT ndjson, OPERATION 'c0000000-0000-0000-0000-000000000003')

-- bytes at which psql cuts text reach us
CREATE TABLE lines (line text);
\copy lines FROM PROGRAM 'printf "one\n\\\\.\ntwo\n"' (FORMAT csv, OPERATION 'c0000000-0000-0000-0000-000000000004')
\copy lines FROM PROGRAM 'printf "a\\000b\n"' (FORMAT csv, MODE append)
SELECT * FROM lines;

-- files of the tree through all three formats; core's COPY is the measure
CREATE TABLE by_core (
    "UID" integer PRIMARY KEY, iso2 text, iso3 text, code3 integer,
    "FIPS" text, "Admin2" text, "Province_State" text, "Country_Region" text,
    "Lat" numeric, "Long_" numeric, "Combined_Key" text, "Population" bigint);
\copy by_core FROM 'test/data/covid_places.csv' (FORMAT csv, HEADER)
CREATE TABLE by_csv (LIKE by_core INCLUDING ALL);
CREATE TABLE by_ndjson (LIKE by_core INCLUDING ALL);
CREATE TABLE by_avro (LIKE by_core INCLUDING ALL);
\copy by_csv FROM 'test/data/covid_places.csv' (FORMAT csv, HEADER, OPERATION 'c0000000-0000-0000-0000-000000000005')
\copy by_ndjson FROM 'test/data/covid_places.ndjson' (FORMAT ndjson, OPERATION 'c0000000-0000-0000-0000-000000000006')
\copy by_avro FROM 'test/data/covid_places.avro' (FORMAT avro, OPERATION 'c0000000-0000-0000-0000-000000000007')
SELECT (SELECT count(*) FROM (TABLE by_core EXCEPT TABLE by_csv) d) AS not_by_csv,
       (SELECT count(*) FROM (TABLE by_core EXCEPT TABLE by_ndjson) d) AS not_by_ndjson,
       (SELECT count(*) FROM (TABLE by_core EXCEPT TABLE by_avro) d) AS not_by_avro;

--
-- FORMAT csv means what it means to COPY, whatever settings and registrations
-- say
--
CREATE TABLE fields (a text, b text, c text);
CREATE TABLE core_fields (LIKE fields);
SELECT intake.register_table('fields', kind => 'standalone', mode => 'append',
    options => '{"delimiter": ";", "header": true, "null": "-", "encoding": "LATIN1"}');
SET pg_intake.csv_delimiter = '|';
SET pg_intake.csv_quote = '~';
SET pg_intake.csv_escape = '^';
SET pg_intake.csv_null = 'NIL';
\copy (SELECT * FROM (VALUES ('a;b', '"q""uoted"', ''), ('|', NULL, 'NIL'), ('-', '~', '^'), (E'two\nlines', ',', 'é'), ('a', 'b', 'c')) v) TO PROGRAM 'cat > test_copy.csv' (FORMAT csv)
\copy core_fields FROM 'test_copy.csv' (FORMAT csv)
\copy fields FROM 'test_copy.csv' (FORMAT csv, OPERATION 'c0000000-0000-0000-0000-000000000010')
SELECT * FROM fields;
TABLE core_fields EXCEPT TABLE fields;
SELECT request FROM intake.operations WHERE operation = 'c0000000-0000-0000-0000-000000000010';

-- each option as with COPY
SET client_min_messages = warning;
TRUNCATE fields, core_fields;
\copy core_fields FROM PROGRAM 'printf "x;\047a\134\047b\047;nil\n"' (FORMAT csv, DELIMITER ';', QUOTE '''', ESCAPE '\', NULL 'nil')
\copy fields FROM PROGRAM 'printf "x;\047a\134\047b\047;nil\n"' (FORMAT csv, DELIMITER ';', QUOTE '''', ESCAPE '\', NULL 'nil', MODE append)
\copy core_fields FROM PROGRAM 'printf "y,~a~~b~,\n"' (FORMAT csv, QUOTE '~')
\copy fields FROM PROGRAM 'printf "y,~a~~b~,\n"' (FORMAT csv, QUOTE '~', MODE append)
\copy core_fields FROM PROGRAM 'printf "z,\351,\n"' (FORMAT csv, ENCODING latin1)
\copy fields FROM PROGRAM 'printf "z,\351,\n"' (FORMAT csv, ENCODING latin1, MODE append)
SET client_encoding = latin1;
\copy core_fields FROM PROGRAM 'printf "c,\351,\n"' (FORMAT csv)
\copy fields FROM PROGRAM 'printf "c,\351,\n"' (FORMAT csv, MODE append)
RESET client_encoding;
SELECT * FROM fields;
TABLE core_fields EXCEPT TABLE fields;
RESET pg_intake.csv_delimiter;
RESET pg_intake.csv_quote;
RESET pg_intake.csv_escape;
RESET pg_intake.csv_null;

-- a header names the columns; with a list of columns it is skipped, as by COPY
TRUNCATE fields;
\copy fields FROM PROGRAM 'printf "c,a\n3,1\n"' (FORMAT csv, HEADER, MODE append)
\copy fields (a, b) FROM PROGRAM 'printf "first,second\n1,2\n"' (FORMAT csv, HEADER true, MODE append)
\copy fields FROM PROGRAM 'printf "nope,a\n3,1\n"' (FORMAT csv, HEADER on, MODE append)
SELECT * FROM fields;
RESET client_min_messages;

--
-- Operations: a repeat is drained, compared and answered
--
\set VERBOSITY terse
\copy goods FROM PROGRAM 'printf "[1, \"one\", 1.5]\n{\"id\": 2, \"name\": null}\n"' (FORMAT ndjson, OPERATION 'c0000000-0000-0000-0000-000000000001')
\copy goods FROM PROGRAM 'printf "[1, \"one\", 1.5]\n{\"id\": 2, \"name\":  null}\n"' (FORMAT ndjson, OPERATION 'c0000000-0000-0000-0000-000000000001')
\copy goods FROM PROGRAM 'printf "[1, \"one\", 1.5]\n{\"id\": 2, \"name\": null}\n"' (FORMAT ndjson, MODE merge, OPERATION 'c0000000-0000-0000-0000-000000000001')
\copy by_core FROM PROGRAM 'printf "[1, \"one\", 1.5]\n{\"id\": 2, \"name\": null}\n"' (FORMAT ndjson, OPERATION 'c0000000-0000-0000-0000-000000000001')
-- through another door, with the same request
SELECT replayed, rows_inserted FROM intake.upload('goods',
    E'[1, "one", 1.5]\n{"id": 2, "name": null}\n'::bytea, operation => 'c0000000-0000-0000-0000-000000000001');
SELECT replayed, rows_inserted FROM intake.upload('goods', '["three", 3]
{"id": 4, "qty": 4}
', operation => 'c0000000-0000-0000-0000-000000000002', options => '{"columns": ["name", "id"]}');
\set VERBOSITY default

-- what fails leaves nothing, and its UUID runs again
\copy goods FROM PROGRAM 'printf "[20]\n[21, 1, 2, 3]\n"' (FORMAT ndjson, OPERATION 'c0000000-0000-0000-0000-000000000020')
SELECT intake.operation_status('c0000000-0000-0000-0000-000000000020');
\copy goods FROM PROGRAM 'printf "[20, null, null]\n"' (FORMAT ndjson, OPERATION 'c0000000-0000-0000-0000-000000000020')

--
-- Modes and the command's tag, which counts rows inserted, updated and deleted
--
\set made `printf '{"id": 2, "name": "b"}\n{"id": 1, "sys_op": 1}\n{"id": 30}\n' > test_copy.ndjson`
\copy goods FROM 'test_copy.ndjson' (FORMAT ndjson, MODE merge, OPERATION 'c0000000-0000-0000-0000-000000000030')
\echo :ROW_COUNT
\copy goods FROM 'test_copy.ndjson' (format NDJSON, mode MERGE, operation 'C0000000-0000-0000-0000-000000000030')
\copy goods FROM PROGRAM 'printf "{\"id\": 30}\n"' (FORMAT ndjson, MODE merge, SYS_OP 1, OPERATION 'c0000000-0000-0000-0000-000000000031')
\copy goods FROM PROGRAM 'printf "[40, \"b\"]\n[41, \"b\"]\n"' (FORMAT ndjson, COLUMNS (id, name), MODE replace, KEY (name), OPERATION 'c0000000-0000-0000-0000-000000000032')
\echo :ROW_COUNT
\copy goods FROM PROGRAM 'printf "[42, \"b\", 1]\n"' (FORMAT ndjson, MODE replace, KEY name, OPERATION 'c0000000-0000-0000-0000-000000000033')
\echo :ROW_COUNT
\copy goods FROM PROGRAM 'printf "[42, \"c\", 1]\n"' (FORMAT ndjson, MODE merge, EXISTING keep, OPERATION 'c0000000-0000-0000-0000-000000000034')
\echo :ROW_COUNT
SELECT * FROM goods ORDER BY id;
\copy goods FROM '/dev/null' (FORMAT ndjson, TRUNCATE)
\copy goods FROM PROGRAM 'printf "[1, \"last\", 1]\n"' (FORMAT ndjson, TRUNCATE fast, OPERATION 'c0000000-0000-0000-0000-000000000035')
\copy goods FROM '/dev/null' (FORMAT ndjson, TRUNCATE true, ALLOW_EMPTY on, OPERATION 'c0000000-0000-0000-0000-000000000036')
\echo :ROW_COUNT
SELECT * FROM goods;
-- column sys_op in the list
\copy goods (id, sys_op, name) FROM PROGRAM 'printf "1,,one\n2,0,two\n1,1,\n"' (FORMAT csv, MODE merge, OPERATION 'c0000000-0000-0000-0000-000000000037')
SELECT * FROM goods;

--
-- Options that are not ours, not valid, or given twice.  Files of the server:
-- psql skips the rest of a script after a COPY FROM STDIN that failed.
--
COPY goods FROM '/dev/null' (FORMAT ndjson, OPERATON 'x');
\set VERBOSITY terse
COPY goods FROM '/dev/null' (FORMAT ndjson, FAST);
\set VERBOSITY default
COPY goods FROM '/dev/null' (FORMAT ndjson, FREEZE);
COPY goods FROM '/dev/null' (FORMAT csv, MODE merge, FREEZE off);
COPY goods FROM '/dev/null' (FORMAT csv, MODE merge, FORCE_NOT_NULL (name));
COPY goods FROM '/dev/null' (FORMAT csv, MODE merge, FORCE_NULL (name));
COPY goods FROM '/dev/null' (FORMAT csv, MODE merge, FORCE_QUOTE *);
COPY goods FROM '/dev/null' (FORMAT csv, MODE merge, ON_ERROR ignore);
COPY goods FROM '/dev/null' (FORMAT avro, DEFAULT 'x');
COPY goods FROM '/dev/null' (FORMAT csv, MODE merge, HEADER match);
COPY goods FROM '/dev/null' (FORMAT ndjson) WHERE id > 1;
COPY goods FROM '/dev/null' (FORMAT ndjson, FORMAT ndjson);
COPY goods FROM '/dev/null' (FORMAT csv, FORMAT avro);
COPY goods FROM '/dev/null' (FORMAT csv, MODE append, HEADER, HEADER);
COPY goods (id) FROM '/dev/null' (FORMAT ndjson, COLUMNS (id));
COPY goods FROM '/dev/null' (FORMAT ndjson, KEY);
COPY goods FROM '/dev/null' (FORMAT ndjson, KEY 5);
COPY goods FROM '/dev/null' (FORMAT ndjson, COLUMNS *);
COPY goods FROM '/dev/null' (FORMAT ndjson, TYPES (strict, lenient));
COPY goods FROM '/dev/null' (FORMAT ndjson, TYPES);
COPY goods FROM '/dev/null' (FORMAT ndjson, OPERATION);
COPY goods FROM '/dev/null' (FORMAT ndjson, OPERATION 'x');
COPY goods FROM '/dev/null' (FORMAT ndjson, MODE insert);
COPY goods FROM '/dev/null' (FORMAT ndjson, SYS_OP 2, MODE merge);
COPY goods FROM '/dev/null' (FORMAT ndjson, SYS_OP x, MODE merge);
COPY goods FROM '/dev/null' (FORMAT ndjson, SYS_OP 1.5, MODE merge);
COPY goods FROM '/dev/null' (FORMAT ndjson, SYS_OP 0);
COPY goods FROM '/dev/null' (FORMAT csv, MODE append, DELIMITER 'xx');
COPY goods FROM '/dev/null' (FORMAT csv, MODE append, DELIMITER '"');
COPY goods FROM '/dev/null' (FORMAT csv, MODE append, ENCODING nope);
COPY goods FROM '/dev/null' (FORMAT csv, UNKNOWN 1);
COPY goods (id, nope) FROM '/dev/null' (FORMAT ndjson);
COPY goods (id, ctid) FROM '/dev/null' (FORMAT ndjson);
COPY goods (id, id) FROM PROGRAM 'echo "[1,2]"' (FORMAT ndjson);
COPY nope FROM '/dev/null' (FORMAT ndjson);
COPY pg_class FROM '/dev/null' (FORMAT ndjson);

--
-- Files and programs of the server
--
COPY goods FROM '/nonexistent/file' (FORMAT ndjson);
COPY goods FROM '/' (FORMAT ndjson);
COPY goods FROM PROGRAM 'echo "[50]"; exit 3' (FORMAT ndjson, COLUMNS (id));
COPY goods FROM PROGRAM 'exit 3' (FORMAT ndjson);
COPY goods FROM PROGRAM 'echo "[50]"; kill -9 $$' (FORMAT ndjson, COLUMNS (id), MODE merge);
COPY goods FROM PROGRAM 'echo x; while :; do echo y; done' (FORMAT ndjson);
SELECT count(*) FROM goods WHERE id = 50;
COPY goods FROM PROGRAM 'printf "{\"id\": 50}"' (FORMAT ndjson, OPERATION 'c0000000-0000-0000-0000-000000000050');
COPY goods FROM PROGRAM 'printf "{\"id\": 50}"' (FORMAT ndjson, OPERATION 'c0000000-0000-0000-0000-000000000050');

-- functions read files, but not what the client sends
CREATE FUNCTION load_file(operation uuid) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    n bigint;
BEGIN
    EXECUTE format('COPY goods FROM PROGRAM %L (FORMAT ndjson, MODE merge, OPERATION %L)',
        'echo ''{"id": 51}''', operation);
    GET DIAGNOSTICS n = ROW_COUNT;
    RETURN n;
END $$;
SELECT load_file('c0000000-0000-0000-0000-000000000051');
SELECT load_file('c0000000-0000-0000-0000-000000000051');
DO $$
BEGIN
    COPY goods FROM PROGRAM 'echo "["' (FORMAT ndjson);
EXCEPTION WHEN OTHERS THEN
    RAISE NOTICE 'caught %: %', SQLSTATE, SQLERRM;
    COPY goods FROM PROGRAM 'echo "[52, null, 0]"' (FORMAT ndjson, OPERATION 'c0000000-0000-0000-0000-000000000052');
END $$;
DO $$ BEGIN COPY goods FROM STDIN (FORMAT ndjson); END $$;
DO $$ BEGIN EXECUTE 'COPY goods FROM STDIN (FORMAT csv, MODE append)'; END $$;
CREATE FUNCTION load_stdin() RETURNS void LANGUAGE sql AS 'COPY goods FROM STDIN (FORMAT ndjson)';
\set SHOW_CONTEXT never
SELECT load_stdin();
\set SHOW_CONTEXT errors
SELECT * FROM goods ORDER BY id;

--
-- Transactions
--
BEGIN READ ONLY;
COPY goods FROM '/dev/null' (FORMAT ndjson);
COPY goods FROM '/dev/null' (FORMAT ndjson);
ROLLBACK;
BEGIN;
\copy goods FROM PROGRAM 'echo "[60, null, 0]"' (FORMAT ndjson, OPERATION 'c0000000-0000-0000-0000-000000000060')
SAVEPOINT s;
\copy goods FROM PROGRAM 'echo "[61, null, 0]"' (FORMAT ndjson, OPERATION 'c0000000-0000-0000-0000-000000000061')
\copy goods FROM PROGRAM 'echo "[61, null, 0]"' (FORMAT ndjson, OPERATION 'c0000000-0000-0000-0000-000000000062')
ROLLBACK TO s;
\copy goods FROM PROGRAM 'echo "[62, null, 0]"' (FORMAT ndjson, OPERATION 'c0000000-0000-0000-0000-000000000061')
COMMIT;
SELECT id FROM goods WHERE id >= 60 ORDER BY id;
BEGIN ISOLATION LEVEL SERIALIZABLE;
\copy goods FROM PROGRAM 'printf "[62, null, 1]\n[63, null, 1]"' (FORMAT ndjson, MODE merge, OPERATION 'c0000000-0000-0000-0000-000000000063')
COMMIT;

-- a cursor that is open keeps its snapshot
BEGIN;
DECLARE c CURSOR FOR SELECT count(*) FROM goods;
\copy goods FROM PROGRAM 'echo "{\"id\": 63, \"sys_op\": 1}"' (FORMAT ndjson, MODE merge, OPERATION 'c0000000-0000-0000-0000-000000000064')
FETCH c;
SELECT count(*) FROM goods;
ROLLBACK;

--
-- Every other COPY is PostgreSQL's
--
COPY goods TO STDOUT (FORMAT ndjson);
COPY (SELECT 1) TO STDOUT (FORMAT avro);
COPY (SELECT 1) TO STDOUT (FORMAT csv, MODE append);
COPY goods FROM '/dev/null' (FORMAT csv, OPERATON 'x');
COPY goods FROM '/dev/null' (FORMAT text, OPERATION 'x');
COPY goods FROM '/dev/null' (OPERATION 'x');
COPY goods FROM '/dev/null' (FORMAT binary, MODE append);
COPY goods FROM '/dev/null' (FORMAT "NDJSON");
COPY goods FROM '/dev/null' (FORMAT csv, HEADER, DELIMITER ';', NULL 'x', QUOTE '~', ESCAPE '~', ENCODING 'LATIN1', FREEZE off);
COPY goods FROM '/dev/null' CSV HEADER;
COPY goods FROM '/dev/null' WITH (FORMAT csv) WHERE id > 5;
SET pg_intake.copy = off;
COPY goods FROM '/dev/null' (FORMAT ndjson);
COPY goods FROM '/dev/null' (FORMAT csv, MODE append);
RESET pg_intake.copy;
COPY goods FROM '/dev/null' (FORMAT avro);

\! rm -f test_copy.csv test_copy.ndjson
SET client_min_messages = warning;
DROP SCHEMA copy_door CASCADE;
