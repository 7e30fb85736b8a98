-- Dates and times: ISO 8601 means the same in every session.  What has no zone
-- is UTC, what has one is turned into UTC.  Expected values are PostgreSQL's
-- own, from literals that say the zone, in a session with TimeZone UTC.
CREATE SCHEMA datetime;
SET search_path = datetime, public;
\pset format unaligned
\pset null NULL

-- Uploads one text; the SQLSTATE of the error, or NULL.
CREATE FUNCTION load(target regclass, payload text, format text)
RETURNS text
LANGUAGE plpgsql AS $$
BEGIN
	PERFORM FROM intake.upload(target, payload, format);
	RETURN NULL;
EXCEPTION WHEN OTHERS THEN
	RETURN SQLSTATE;
END
$$;

-- A text by its number, where it goes, and what it must be.
CREATE TABLE texts (
	id serial PRIMARY KEY, type text NOT NULL, text text NOT NULL, meaning text NOT NULL);
CREATE TABLE got (
	id int, d date, t time, tz timetz, ts timestamp, tstz timestamptz);
CREATE TABLE all_got (LIKE got, session text, format text);

-- ISO 8601:2004, 4.1.2.2: calendar dates, extended and basic
INSERT INTO texts (type, text, meaning) VALUES
	('d', '2020-02-29', '2020-02-29'),
	('d', '20200229', '2020-02-29'),
	('d', '1970-01-01', '1970-01-01'),
	('d', '0001-01-01', '0001-01-01'),
	('d', '9999-12-31', '9999-12-31'),
	('d', '1900-02-28', '1900-02-28'),
	('d', '2000-02-29', '2000-02-29'),
-- 4.1.3: ordinal dates
	('d', '2020-060', '2020-02-29'),
	('d', '2020060', '2020-02-29'),
	('d', '2019-001', '2019-01-01'),
	('d', '2020-366', '2020-12-31'),
	('d', '1985102', '1985-04-12'),
-- 4.1.4: week dates; the standard's own example is 1985-W15-5
	('d', '1985-W15-5', '1985-04-12'),
	('d', '1985W155', '1985-04-12'),
	('d', '2020-W01-1', '2019-12-30'),
	('d', '2020-W53-7', '2021-01-03'),
	('d', '2021-W01-1', '2021-01-04'),
-- 4.2.2: times of day, whole, shortened, with a fraction behind . or ,
	('t', '23:20:50', '23:20:50'),
	('t', '232050', '23:20:50'),
	('t', '23:20', '23:20:00'),
	('t', '2320', '23:20:00'),
	('t', '23:20:50.5', '23:20:50.5'),
	('t', '23:20:50,5', '23:20:50.5'),
	('t', '232050,5', '23:20:50.5'),
	('t', '23:20:50.123456', '23:20:50.123456'),
	('t', '00:00:00', '00:00:00'),
-- 4.2.3: midnight at the end of the day
	('t', '24:00:00', '24:00:00'),
	('t', '24:00', '24:00:00'),
	('tz', '23:20:50+01:00', '23:20:50+01'),
	('tz', '23:20:50Z', '23:20:50+00'),
	('tz', '23:20:50', '23:20:50+00'),
	('tz', '232050-0330', '23:20:50-03:30'),
-- 4.3: date and time; 4.2.4 and 4.2.5.1: UTC and the difference from it
	('ts', '1985-04-12T23:20:50Z', '1985-04-12 23:20:50+00'),
	('ts', '1985-04-12T23:20:50', '1985-04-12 23:20:50+00'),
	('ts', '1985-04-12 23:20:50', '1985-04-12 23:20:50+00'),
	('ts', '1985-04-12T23:20:50+01:00', '1985-04-12 22:20:50+00'),
	('ts', '1985-04-12T23:20:50+0100', '1985-04-12 22:20:50+00'),
	('ts', '1985-04-12T23:20:50+01', '1985-04-12 22:20:50+00'),
	('ts', '19850412T232050Z', '1985-04-12 23:20:50+00'),
	('ts', '19850412T232050+0400', '1985-04-12 19:20:50+00'),
	('ts', '1985-102T23:20:50Z', '1985-04-12 23:20:50+00'),
	('ts', '1985102T232050Z', '1985-04-12 23:20:50+00'),
	('ts', '1985-W15-5T23:20:50Z', '1985-04-12 23:20:50+00'),
	('ts', '1985W155T232050Z', '1985-04-12 23:20:50+00'),
	('ts', '1985-04-12T23:20Z', '1985-04-12 23:20:00+00'),
	('ts', '1985-04-12T23:20:50.123456Z', '1985-04-12 23:20:50.123456+00'),
	('ts', '1985-04-12T23:20:50,123Z', '1985-04-12 23:20:50.123+00'),
	('ts', '1985-04-12T24:00:00Z', '1985-04-13 00:00:00+00'),
	('ts', '1984-12-31T24:00Z', '1985-01-01 00:00:00+00'),
	('ts', '2020-03-01T00:30:00+01:00', '2020-02-29 23:30:00+00'),
	('ts', '2019-12-31T22:00:00-05:30', '2020-01-01 03:30:00+00'),
	('ts', '2020-06-01', '2020-06-01 00:00:00+00'),
-- RFC 3339, section 5.8
	('ts', '1985-04-12T23:20:50.52Z', '1985-04-12 23:20:50.52+00'),
	('ts', '1996-12-19T16:39:57-08:00', '1996-12-20 00:39:57+00'),
	('ts', '1937-01-01T12:00:27.87+00:20', '1937-01-01 11:40:27.87+00'),
-- DataLens, shared documentation: lastUploadTime
	('ts', '2019-09-25T09:35:43.956Z', '2019-09-25 09:35:43.956+00'),
-- a leap second is the next minute, as PostgreSQL has it
	('ts', '2016-12-31T23:59:60Z', '2016-12-31 23:59:60+00'),
-- a time that the clocks of Berlin skipped, and one that they had twice
	('ts', '2020-03-29T02:30:00', '2020-03-29 02:30:00+00'),
	('ts', '2020-10-25T02:30:00', '2020-10-25 02:30:00+00'),
-- what PostgreSQL writes
	('d', 'infinity', 'infinity'),
	('d', '-infinity', '-infinity'),
	('ts', 'infinity', 'infinity'),
	('ts', '-infinity', '-infinity'),
	('ts', '2020-02-29 12:00:00+00', '2020-02-29 12:00:00+00'),
	('ts', '2020-02-29 12:00:00.5-03', '2020-02-29 15:00:00.5+00');

-- Three sessions, two formats, values with a zone in both kinds of timestamp.
CREATE FUNCTION load_all(session text) RETURNS SETOF text
LANGUAGE plpgsql AS $$
DECLARE
	row texts;
	columns text;
BEGIN
	FOR row IN SELECT * FROM texts ORDER BY id LOOP
		columns := CASE row.type WHEN 'ts' THEN '"ts": %2$s, "tstz": %2$s' ELSE '"' || row.type || '": %2$s' END;
		IF load('got', format('{"id": %1$s, ' || columns || '}', row.id, to_json(row.text)), 'ndjson') IS NOT NULL THEN
			RETURN NEXT format('ndjson: %s %s', row.type, row.text);
		END IF;
	END LOOP;
	INSERT INTO all_got SELECT *, session, 'ndjson' FROM got;
	DELETE FROM got;
	FOR row IN SELECT * FROM texts ORDER BY id LOOP
		columns := CASE row.type WHEN 'ts' THEN E'id;ts;tstz\n%1$s;"%2$s"; %2$s ' ELSE E'id;' || row.type || E'\n%1$s;%2$s' END;
		IF load('got', format(columns, row.id, row.text), 'csv') IS NOT NULL THEN
			RETURN NEXT format('csv: %s %s', row.type, row.text);
		END IF;
	END LOOP;
	INSERT INTO all_got SELECT *, session, 'csv' FROM got;
	DELETE FROM got;
END
$$;
SET TimeZone = 'UTC';
SET DateStyle = 'ISO, YMD';
SELECT load_all('UTC');
SET TimeZone = 'Europe/Berlin';
SET DateStyle = 'German, DMY';
SELECT load_all('Berlin');
SET TimeZone = 'America/St_Johns';
SET DateStyle = 'SQL, MDY';
SELECT load_all('St. John''s');
SET TimeZone = 'UTC';
SET DateStyle = 'ISO, YMD';
SELECT session, format, count(*) FROM all_got GROUP BY 1, 2 ORDER BY 1, 2;
-- none differs
SELECT session, format, x.type, text, meaning, d, t, tz, ts, tstz
FROM all_got JOIN texts x USING (id)
WHERE CASE x.type
	WHEN 'd' THEN d IS DISTINCT FROM meaning::date
	WHEN 't' THEN t IS DISTINCT FROM meaning::time
	WHEN 'tz' THEN tz IS DISTINCT FROM meaning::timetz
	ELSE tstz IS DISTINCT FROM meaning::timestamptz
		OR ts IS DISTINCT FROM meaning::timestamptz AT TIME ZONE 'UTC' END
ORDER BY id, session;

-- precision as declared, rounded as PostgreSQL rounds
CREATE TABLE precise (t time(1), ts timestamp(3), tstz timestamptz(0), t6 time, ts6 timestamp);
SELECT load('precise', '["23:59:59.94", "2020-02-29T23:59:59.9996", "2020-12-31T23:59:59.5Z", "00:00:00.1234564", "2020-02-29T00:00:00.1234567"]', 'ndjson');
SELECT t = '23:59:59.94'::time(1), ts = '2020-02-29T23:59:59.9996'::timestamp(3),
	tstz = '2020-12-31T23:59:59.5Z'::timestamptz(0), t6 = '00:00:00.1234564'::time,
	ts6 = '2020-02-29T00:00:00.1234567'::timestamp FROM precise;

--
-- What is refused: 22007 where it is not ISO 8601, 22008 where a field is out
-- of range or PostgreSQL has no such value.
--
CREATE TABLE refused (id serial, type text, text text, want text);
INSERT INTO refused (type, text, want) VALUES
	('d', 'now', '22007'), ('d', 'today', '22007'), ('d', 'tomorrow', '22007'),
	('d', 'yesterday', '22007'), ('d', 'epoch', '22007'),
	('d', '01/02/2020', '22007'), ('d', '02.01.2020', '22007'),
	('d', '2020/01/02', '22007'), ('d', '2020.01.02', '22007'),
	('d', 'Jan 2, 2020', '22007'), ('d', '2-Jan-2020', '22007'),
	('d', 'January 8, 1999', '22007'), ('d', '99-01-08', '22007'),
	('d', '2020-1-2', '22007'), ('d', '2020-01', '22007'), ('d', '2020', '22007'),
	('d', '2020-01-02 BC', '22007'), ('d', 'J2451187', '22007'),
	('d', '2020-0102', '22007'), ('d', '202001-02', '22007'),
	('d', '2020-01-02x', '22007'), ('d', '', '22007'), ('d', '-', '22007'),
	('d', '2020-01-02T10:00:00', '22007'), ('d', '10:00:00', '22007'),
	('d', 'Infinity and beyond', '22007'), ('d', '2020-W1-1', '22007'),
	('d', '2020-13-01', '22008'), ('d', '2020-00-01', '22008'),
	('d', '2020-01-00', '22008'), ('d', '2020-01-32', '22008'),
	('d', '2020-02-30', '22008'), ('d', '2019-02-29', '22008'),
	('d', '1900-02-29', '22008'), ('d', '20201301', '22008'),
	('d', '2020-000', '22008'), ('d', '2020-367', '22008'), ('d', '2019-366', '22008'),
	('d', '2020-W00-1', '22008'), ('d', '2020-W54-1', '22008'),
	('d', '2021-W53-1', '22008'), ('d', '2020-W01-0', '22008'),
	('d', '2020-W01-8', '22008'),
	('t', 'now', '22007'), ('t', 'allballs', '22007'), ('t', 'noon', '22007'),
	('t', '1:02', '22007'), ('t', '01:02 PM', '22007'), ('t', '01:2:03', '22007'),
	('t', '0102:03', '22007'), ('t', '01:0203', '22007'), ('t', '', '22007'),
	('t', '01:02:03Z', '22007'), ('t', '01:02:03+01', '22007'),
	('t', '2020-01-01T01:02:03', '22007'), ('t', '01:02:03.', '22007'),
	('t', '24:01', '22008'), ('t', '24:00:01', '22008'), ('t', '25:00', '22008'),
	('t', '23:60', '22008'), ('t', '23:59:61', '22008'),
	('ts', 'now', '22007'), ('ts', 'today', '22007'), ('ts', 'epoch', '22007'),
	('ts', '01/02/2020 10:00', '22007'), ('ts', '20:00 2020-01-01', '22007'),
	('ts', 'Sat Feb 29 12:00:00 2020', '22007'), ('ts', '1582934400', '22007'),
	('ts', '2020-01-01T10:00:00 PM', '22007'),
	('ts', '2020-01-01T10:00:00 Europe/Berlin', '22007'),
	('ts', '2020-01-01T10:00:00 PST', '22007'), ('ts', '2020-01-01T10:00:00GMT', '22007'),
	('ts', '2020-01-01T', '22007'), ('ts', 'T10:00:00', '22007'), ('ts', '10:00:00', '22007'),
	('ts', '2020-01-01T10:00:00+', '22007'), ('ts', '2020-01-01T10:00:00+1', '22007'),
	('ts', '2020-01-01T10:00:00+01:0', '22007'), ('ts', '2020-01-01T10:00:00ZZ', '22007'),
	('ts', '2020-01-01T10:00:00.Z', '22007'), ('ts', '2020-01-01T10:00:00.1.2', '22007'),
	('ts', '2020-01-01TT10:00:00', '22007'), ('ts', '', '22007'),
	('ts', '2020-13-01T00:00:00', '22008'), ('ts', '2020-02-30T00:00:00', '22008'),
	('ts', '2020-01-01T24:01', '22008'), ('ts', '2020-01-01T24:00:00.1', '22008'),
	('ts', '2020-01-01T25:00:00', '22008'), ('ts', '2020-01-01T23:60:00', '22008'),
	('ts', '2020-01-01T10:00:00+25:00', '22008'), ('ts', '2020-01-01T10:00:00+01:60', '22008');
SELECT type, text, want, n.got AS ndjson, c.got AS csv
FROM refused r,
	load('got', format('{%s: %s}', to_json(CASE type WHEN 'ts' THEN 'tstz' ELSE type END), to_json(text)), 'ndjson') n (got),
	load('got', format(E'%s\n"%s"', CASE type WHEN 'ts' THEN 'tstz' ELSE type END, text), 'csv') c (got)
WHERE (n.got, c.got) IS DISTINCT FROM (want, want)
ORDER BY id;
SELECT want, count(*) FROM refused GROUP BY 1 ORDER BY 1;
SELECT count(*) FROM got;

-- nor in any other session
SET DateStyle = 'German, DMY';
SELECT load('got', E'd\n02.01.2020', 'csv'), load('got', E'd\n01/02/2020', 'csv');
SET DateStyle = 'SQL, MDY';
SELECT load('got', E'd\n02.01.2020', 'csv'), load('got', E'd\n01/02/2020', 'csv');
SET DateStyle = 'ISO, YMD';

-- a number is no time
SELECT load('got', '{"d": 20200229}', 'ndjson'), load('got', '{"t": 10}', 'ndjson'), load('got', '{"tstz": 1582934400}', 'ndjson');

-- the error as a client sees it
SELECT rows_received FROM intake.upload('got', E'id,d,ts\n1,2020-02-29,2020-02-29T10:00Z\n2,2020-02-30,\n'::text, 'csv');
SELECT rows_received FROM intake.upload('got', E'{"id": 1}\n{"id": 2, "tstz": "01/02/2020"}'::text);

-- Years of another number of digits have a sign (4.1.2.4), year 0 is 1 BC.
CREATE TABLE years (id int, d date, tstz timestamptz);
SELECT load('years', $${"id": 1, "d": "+294276-12-31", "tstz": "+294276-12-31T23:59:59.999999Z"}
{"id": 2, "d": "-004712-01-01", "tstz": "-004712-01-01T00:00:00Z"}
{"id": 3, "d": "0000-02-29", "tstz": "0000-12-31T24:00Z"}
{"id": 4, "d": "+12345-06-07", "tstz": "-00001-06-07T08:09:10+01:00"}
$$, 'ndjson') IS NULL AS taken;
SELECT id, d = CASE id WHEN 1 THEN '294276-12-31' WHEN 2 THEN '4713-01-01 BC'
		WHEN 3 THEN '0001-02-29 BC' WHEN 4 THEN '12345-06-07' END::date AS d,
	tstz = CASE id WHEN 1 THEN '294276-12-31 23:59:59.999999+00' WHEN 2 THEN '4713-01-01 00:00:00+00 BC'
		WHEN 3 THEN '0001-01-01 00:00:00+00' WHEN 4 THEN '0002-06-07 07:09:10+00 BC' END::timestamptz AS tstz
FROM years ORDER BY id;
SELECT load('years', '{"tstz": "+294277-01-01T00:00:00Z"}', 'ndjson'),
	load('years', '{"tstz": "+294276-12-31T23:59:59Z-"}', 'ndjson'),
	load('years', '{"tstz": "-004714-01-01T00:00:00Z"}', 'ndjson'),
	load('years', '{"d": "-004714-01-01"}', 'ndjson');

-- Inside of arrays, ranges and composites it is no other: three sessions, one
-- meaning, and no word that depends on the day.
CREATE TYPE span AS (d date, tstz timestamptz);
CREATE TABLE inside (a timestamptz[], d date[], r tstzrange, s span);
SET TimeZone = 'Europe/Berlin';
SET DateStyle = 'German, DMY';
SELECT load('inside', '{"a": ["2020-02-29T10:00:00", "2020-02-29T10:00:00Z"], "d": ["2020-02-29"], "s": {"d": "2020-02-29", "tstz": "2020-02-29T10:00:00"}}', 'ndjson');
SELECT load('inside', E'a;d;s\n{2020-02-29T10:00:00,2020-02-29T10:00:00Z};{2020-02-29};(2020-02-29,2020-02-29T10:00:00)', 'csv');
SELECT load('inside', E'r\n"[2020-02-29T10:00:00,2020-02-29T10:00:01)"', 'csv');
SELECT load('inside', '{"d": ["01/02/2020"]}', 'ndjson'), load('inside', '{"d": ["now"]}', 'ndjson');
SELECT load('inside', E'd\n{01/02/2020}', 'csv'), load('inside', E'd\n{now}', 'csv');
SET TimeZone = 'UTC';
SET DateStyle = 'ISO, YMD';
SELECT * FROM inside;

SET client_min_messages = warning;
DROP SCHEMA datetime CASCADE;
