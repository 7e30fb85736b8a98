-- The public-domain files of test/data through all three formats; COPY of
-- the same CSV files is the measure.
CREATE SCHEMA real_data;
SET search_path = real_data, public;
\set places_csv    `base64 -w0 test/data/covid_places.csv`
\set places_ndjson `base64 -w0 test/data/covid_places.ndjson`
\set places_avro   `base64 -w0 test/data/covid_places.avro`
\set days_csv      `base64 -w0 test/data/covid_days.csv`
\set days_ndjson   `base64 -w0 test/data/covid_days.ndjson`
\set days_avro     `base64 -w0 test/data/covid_days.avro`

--
-- places: a logical table, merged by "UID"
--
CREATE TABLE by_copy (
    "UID" integer PRIMARY KEY, iso2 text, iso3 text, code3 integer,
    "FIPS" text, "Admin2" text, "Province_State" text, "Country_Region" text,
    "Lat" numeric, "Long_" numeric, "Combined_Key" text, "Population" bigint);
\copy by_copy FROM 'test/data/covid_places.csv' (FORMAT csv, HEADER)
CREATE TABLE by_csv (LIKE by_copy INCLUDING ALL);
CREATE TABLE by_ndjson (LIKE by_copy INCLUDING ALL);
CREATE TABLE by_avro (LIKE by_copy INCLUDING ALL);
SELECT intake.register_table(t) FROM unnest('{by_csv,by_ndjson,by_avro}'::regclass[]) t;

SELECT rows_received, rows_inserted, rows_updated, bytes_received
  FROM intake.upload('by_csv', decode(:'places_csv', 'base64'), format => 'csv');
SELECT rows_received, rows_inserted, rows_updated
  FROM intake.upload('by_ndjson', decode(:'places_ndjson', 'base64'));
SELECT rows_received, rows_inserted, rows_updated
  FROM intake.upload('by_avro', decode(:'places_avro', 'base64'), format => 'avro');

-- how many rows are in one of two tables only
CREATE FUNCTION differing(one regclass, two regclass) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    n bigint;
BEGIN
    EXECUTE format('SELECT count(*) FROM (
        (TABLE %1$s EXCEPT ALL TABLE %2$s) UNION ALL (TABLE %2$s EXCEPT ALL TABLE %1$s)) d',
        one, two) INTO n;
    RETURN n;
END $$;
SELECT differing('by_csv', 'by_copy') AS csv, differing('by_ndjson', 'by_copy') AS ndjson,
       differing('by_avro', 'by_copy') AS avro;

-- the same file again, under another UUID, replaces each row by itself
SELECT rows_received, rows_inserted, rows_updated
  FROM intake.upload('by_csv', decode(:'places_avro', 'base64'), format => 'avro');
SELECT differing('by_csv', 'by_copy');
-- and deletes all of them
SELECT rows_received, rows_deleted
  FROM intake.upload('by_csv', decode(:'places_csv', 'base64'), format => 'csv', sys_op => 1);
SELECT count(*) FROM by_csv;

--
-- a bad value in record 4,000: line 4,001, since no field has a line break
-- before it
--
SELECT rows_inserted
  FROM intake.upload('by_csv',
       regexp_replace(convert_from(decode(:'places_csv', 'base64'), 'UTF8'), '\n84051011,', E'\n84051O11,'),
       format => 'csv', operation => '00000000-0000-4000-8000-000000000001');
SELECT count(*) FROM by_csv;
SELECT intake.operation_status('00000000-0000-4000-8000-000000000001'), count(*) AS recorded
  FROM intake.operations WHERE operation = '00000000-0000-4000-8000-000000000001';
SELECT kind, datamart, entity, state FROM intake.entities WHERE target = 'by_csv'::regclass;

--
-- days: replaced by "Date", deleted by month
--
CREATE TABLE days_by_copy ("Date" date, "Confirmed" bigint, "Recovered" bigint, "Deaths" bigint, "Increase rate" float8);
\copy days_by_copy FROM 'test/data/covid_days.csv' (FORMAT csv, HEADER)
CREATE TABLE days (LIKE days_by_copy);
SELECT intake.register_table('days', replacing_key => '{Date}',
       partition_key => ARRAY['date_trunc(''month'', "Date")'], create_index => false);
SELECT rows_received, rows_inserted, rows_deleted
  FROM intake.upload('days', decode(:'days_csv', 'base64'), format => 'csv');
SELECT differing('days', 'days_by_copy');
SELECT rows_received, rows_inserted, rows_deleted
  FROM intake.upload('days', decode(:'days_ndjson', 'base64'));
SELECT differing('days', 'days_by_copy');
-- The Avro field is Increase_rate (a name with a blank is not legal there:
-- Avro 1.11, "Names"); its alias "Increase rate" finds the column.
SELECT rows_received, rows_inserted, rows_deleted
  FROM intake.upload('days', decode(:'days_avro', 'base64'), format => 'avro');
SELECT differing('days', 'days_by_copy');
-- 29 days of February 2020, as the calendar has it
SELECT rows_deleted FROM intake.delete_partitions('days', '[{"date_trunc(''month'', \"Date\")": "2020-02-01"}]');
SELECT count(*) FROM days WHERE "Date" BETWEEN '2020-02-01' AND '2020-02-29';
SELECT (SELECT count(*) FROM days_by_copy) - (SELECT count(*) FROM days) AS gone;

SET client_min_messages = warning;
DROP SCHEMA real_data CASCADE;
