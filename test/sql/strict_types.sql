-- types => 'strict' on the seven types of the DataLens methods: which JSON
-- each column takes, and as what.  shared/spec/datalens.md, section 4, is the
-- specification.
CREATE SCHEMA strict_types;
SET search_path = strict_types, public;
SET timezone = 'Asia/Tokyo';
SET datestyle = 'SQL, DMY';
\pset format unaligned
\pset null NULL
CREATE TABLE seven ("string" text, "integer" bigint, "float" double precision,
	"date" date, "datetime" timestamp with time zone, "boolean" boolean,
	"geopoint" point);

-- The stored value, or the error.
CREATE FUNCTION store(column_name text, value text) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
	result text;
BEGIN
	PERFORM intake.upload('seven', '[' || value || ']', options =>
		jsonb_build_object('types', 'strict', 'columns', jsonb_build_array(column_name)));
	EXECUTE format('SELECT to_json(%I) #>> ''{}'' FROM seven', column_name) INTO result;
	DELETE FROM seven;
	RETURN coalesce(result, 'NULL');
EXCEPTION WHEN OTHERS THEN
	RETURN SQLSTATE;
END
$$;
-- By column: what is stored, then what is refused.
CREATE FUNCTION store_all(column_name text, VARIADIC vals text[])
RETURNS TABLE (value text, stored text)
LANGUAGE sql AS $$
	SELECT v, store(column_name, v) FROM unnest(vals) WITH ORDINALITY AS v (v, n)
	ORDER BY n
$$;

-- each kind of JSON into each column
SELECT v AS value, store('string', v) AS string, store('integer', v) AS integer,
	store('float', v) AS float, store('date', v) AS date, store('datetime', v) AS datetime,
	store('boolean', v) AS boolean, store('geopoint', v) AS geopoint
FROM unnest(ARRAY['null', 'true', 'false', '0', '1', '1.5', '""', '"a"', '"1"', '"true"',
	'"2024-02-29"', '"2024-02-29T10:00:00"', '"[55.75,37.62]"', '[55.75,37.62]', '[]', '{}',
	'["a"]', '{"a": 1}']) WITH ORDINALITY AS v (v, n) ORDER BY n;

SELECT * FROM store_all('string', '"null"', '" b "', '"\u0444\ud83d\ude00"', '"a''b\"c; --"', '"\\n"',
	'"\u0000"', '"\ud83d"');
SELECT * FROM store_all('integer', '9223372036854775807', '-9223372036854775808', '-0', '1e3', '1.0',
	'9223372036854775808', '1e19', '1.5', '1e-1', '01', '+1', '0x10', 'NaN');
SELECT * FROM store_all('float', '-0.0', '1e308', '2.1', '12345678901234567890', '5e-324',
	'1e309', '1e-400', '.5', '1.', '"1.5"', '"NaN"', 'NaN', 'Infinity');
SELECT * FROM store_all('date', '"20240229"', '"2024-W09-4"', '"2024-060"', '"0001-01-01"',
	'"2023-02-29"', '"2024-13-01"', '"29.02.2024"', '"02/29/2024"', '"2024-02-29T00:00:00"', '"today"',
	'"infinity"', '"-infinity"', '20240229');
SELECT * FROM store_all('datetime', '"2024-02-29T23:59:59.123456"', '"2024-02-29T23:59:59Z"',
	'"2024-02-29T23:59:59+03:00"', '"2024-02-29 23:59:59-0330"', '"20240229T235959,5Z"', '"2024-02-29T24:00"',
	'"2024-02-29T25:00:00"', '"2024-02-29T10:00:00 MSK"', '"now"', '"infinity"', '"-infinity"', '1709251199');
SELECT * FROM store_all('boolean', '"t"', '"yes"', '"1"', '2', 'True', 'yes');
SELECT * FROM store_all('geopoint', '"[ -90.5 , 1.8e2 ]"', '" [1,2] "', '[0,-0.0]', '[ 1 , 2 ]', '[1e308,2]',
	'"(1,2)"', '"1,2"', '"[1,2,3]"', '"[1]"', '"[]"', '"[1,2]x"', '"[\"1\",2]"', '"[null,2]"', '"[NaN,1]"', '""',
	'[1,2,3]', '[1]', '["1","2"]', '[null,2]', '[[1,2]]', '[1e309,2]', '{"lat":1,"lon":2}', '12');

-- lenient takes PostgreSQL's own forms, too
INSERT INTO seven ("geopoint") VALUES ('(1,2)');
SELECT (intake.upload('seven', '["(1,2)"]
["1,2"]
["[1,2]"]
[[1,2]]', options => '{"columns": ["geopoint"]}')).rows_inserted;
SELECT count(*), "geopoint"::text FROM seven GROUP BY "geopoint"::text;

-- values of partition keys, too
TRUNCATE seven;
SELECT intake.register_table('seven', partition_key => ARRAY['integer', 'date_trunc(''month'', date)']);
INSERT INTO seven ("integer", "date") VALUES (1, '2024-02-28'), (1, '2024-03-01'), (NULL, '2024-02-01');
SELECT rows_deleted FROM intake.delete_partitions('seven', '[["1", "2024-02-01"]]', options => '{"types": "strict"}');
SELECT rows_deleted FROM intake.delete_partitions('seven', '[[1, 20240201]]', options => '{"types": "strict"}');
SELECT rows_deleted FROM intake.delete_partitions('seven', '[[1, "2024-02-01"], [null, "2024-02-01"]]', options => '{"types": "strict"}');
SELECT rows_deleted FROM intake.delete_partitions('seven', '[["1", "2024-03-01"]]');
DROP SCHEMA strict_types CASCADE;
