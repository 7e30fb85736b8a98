-- The demo's walk, in psql.  It is printed as it runs, line by line.

\set VERBOSITY terse
\set SHOW_CONTEXT never
\set ON_ERROR_STOP on
\pset footer off
\pset null '(null)'
\pset linestyle ascii
\set ECHO all

-- The files are read by psql, not by the server, byte by byte as they are.

\set places_csv    `base64 -w0 test/data/covid_places.csv`
\set places_ndjson `base64 -w0 test/data/covid_places.ndjson`
\set places_avro   `base64 -w0 test/data/covid_places.avro`
\set days_csv      `base64 -w0 test/data/covid_days.csv`

-- 1. The extension, and a table for 4,316 places of a public data set.

CREATE EXTENSION pg_intake;

CREATE TABLE places (
    "UID" integer PRIMARY KEY, iso2 text, iso3 text, code3 integer,
    "FIPS" text, "Admin2" text, "Province_State" text, "Country_Region" text,
    "Lat" numeric, "Long_" numeric, "Combined_Key" text, "Population" bigint);

-- 2. A CSV file goes in by merge, which is the default of a registered table
--    with a primary key.  The client names the operation by a UUID.

SELECT intake.register_table('places');

SELECT replayed, bytes_received, rows_received, rows_inserted
  FROM intake.upload('places', decode(:'places_csv', 'base64'),
       format => 'csv', operation => '0b9f6a2e-6c1d-4f0e-9b57-1c2d3e4f5a61');

-- 3. The same again, as after a lost connection: the stored answer comes back,
--    nothing is written.

SELECT replayed, bytes_received, rows_received, rows_inserted
  FROM intake.upload('places', decode(:'places_csv', 'base64'),
       format => 'csv', operation => '0b9f6a2e-6c1d-4f0e-9b57-1c2d3e4f5a61');

SELECT count(*) FROM places;

-- 4. The same UUID with one byte changed is refused.

\set ON_ERROR_STOP off
SELECT replayed, rows_inserted
  FROM intake.upload('places', set_byte(decode(:'places_csv', 'base64'), 200, 65),
       format => 'csv', operation => '0b9f6a2e-6c1d-4f0e-9b57-1c2d3e4f5a61');
\echo 'SQLSTATE' :LAST_ERROR_SQLSTATE
\set ON_ERROR_STOP on

-- 5. The same rows as NDJSON and as Avro give equal tables.

CREATE TABLE places_ndjson (LIKE places INCLUDING ALL);
CREATE TABLE places_avro (LIKE places INCLUDING ALL);

SELECT bytes_received, rows_inserted
  FROM intake.upload('places_ndjson', decode(:'places_ndjson', 'base64'));

SELECT bytes_received, rows_inserted
  FROM intake.upload('places_avro', decode(:'places_avro', 'base64'), format => 'avro');

SELECT (SELECT count(*) FROM (TABLE places EXCEPT TABLE places_ndjson) AS a) AS not_in_ndjson,
       (SELECT count(*) FROM (TABLE places EXCEPT TABLE places_avro) AS b) AS not_in_avro,
       (SELECT count(*) FROM places_ndjson) AS ndjson,
       (SELECT count(*) FROM places_avro) AS avro;

-- 6. A table replaced by day: a day in the file displaces its rows in the table.

CREATE TABLE days (
    "Date" date, "Confirmed" bigint, "Recovered" bigint, "Deaths" bigint,
    "Increase rate" double precision);

SELECT intake.register_table('days', replacing_key => '{Date}',
       partition_key => ARRAY[$$date_trunc('month', "Date")$$]);

SELECT rows_received, rows_inserted, rows_deleted
  FROM intake.upload('days', decode(:'days_csv', 'base64'), format => 'csv');

SELECT rows_received, rows_inserted, rows_deleted
  FROM intake.upload('days', 'Date,Confirmed,Recovered,Deaths,Increase rate
2020-01-22,557,30,17,
2020-01-22,558,30,17,0.18
'::text, format => 'csv');

-- 7. A month goes at once, by the partition key.

SELECT rows_deleted
  FROM intake.delete_partitions('days',
       $$[{"date_trunc('month', \"Date\")": "2020-02-01"}]$$);

SELECT min("Date"), max("Date"), count(*) FROM days;

-- 8. A bad value: the error says where it is, and nothing was written.

\set SHOW_CONTEXT always
\set VERBOSITY default
\set ON_ERROR_STOP off
SELECT rows_inserted
  FROM intake.upload('days', '["2022-05-01", 1, 2, 3, 0.5]
["2022-05-02", 1, "12x", 3, 0.5]
'::text);
\echo 'SQLSTATE' :LAST_ERROR_SQLSTATE
\set ON_ERROR_STOP on

SELECT count(*) FROM days WHERE "Date" >= '2022-05-01';

-- 9. With option max_errors the bad record is set aside, the good one written.
--    A dry run tells what would happen.

SELECT rows_inserted, rows_rejected
  FROM intake.upload('days', '["2022-05-01", 1, 2, 3, 0.5]
["2022-05-02", 1, "12x", 3, 0.5]
'::text, options => '{"max_errors": 1, "dry_run": true}');

SELECT rows_inserted, rows_rejected
  FROM intake.upload('days', '["2022-05-01", 1, 2, 3, 0.5]
["2022-05-02", 1, "12x", 3, 0.5]
'::text, options => '{"max_errors": 1}');

SELECT record, lineno, colname, raw_field_value, errorcode, line FROM intake.rejects;

-- 10. A file of any length through COPY; the second time it is a replay.

LOAD 'pg_intake';
CREATE TABLE places_copy (LIKE places INCLUDING ALL);

\copy places_copy from 'test/data/covid_places.csv' with (format csv, header, operation 'c4c0a2e2-91d5-4b8e-8a37-0d1e2f3a4b5c')
\copy places_copy from 'test/data/covid_places.csv' with (format csv, header, operation 'c4c0a2e2-91d5-4b8e-8a37-0d1e2f3a4b5c')

SELECT (SELECT count(*) FROM (TABLE places EXCEPT TABLE places_copy) AS a) AS not_in_copy,
       (SELECT count(*) FROM places_copy) AS copied;
