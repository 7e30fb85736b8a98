-- Texts become values: the same ones that PostgreSQL makes of the same letters,
-- and the same SQLSTATE where it makes none.  Dates and times are in datetime.
CREATE SCHEMA conversion;
SET search_path = conversion, public;
\pset format unaligned
\pset null NULL
SET TimeZone = 'UTC';
SET DateStyle = 'ISO, YMD';
SET IntervalStyle = 'postgres';
SET client_min_messages = warning;

CREATE TYPE mood AS ENUM ('sad', 'ok', 'happy', 'very, "very" happy');
CREATE TYPE pair AS (x int, y text);
CREATE DOMAIN positive AS int CHECK (VALUE > 0);
CREATE DOMAIN small_positive AS positive CHECK (VALUE < 100);
CREATE DOMAIN required AS text NOT NULL;
CREATE DOMAIN code AS varchar(3) CHECK (VALUE ~ '^[A-Z]*$');
CREATE DOMAIN price AS numeric(6,2) DEFAULT 9.99 CHECK (VALUE >= 0);
CREATE DOMAIN moods AS mood[] CHECK (cardinality(VALUE) < 3);
CREATE DOMAIN day AS date CHECK (VALUE >= '2000-01-01');

-- One value by each way.  The answer is what is in the table then, as text, or
-- the SQLSTATE.
CREATE FUNCTION store(statement text) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
	answer text;
BEGIN
	EXECUTE statement;
	SELECT coalesce('"' || v::text || '"', 'NULL') INTO STRICT answer FROM probe;
	DELETE FROM probe;
	RETURN answer;
EXCEPTION WHEN OTHERS THEN
	RETURN SQLSTATE;
END
$$;
-- All ways with each of the letters: PostgreSQL's INSERT, a quoted and an
-- unquoted CSV field, a JSON string; and where raw is given, the letters as
-- they are in JSON.  Rows where the answers are not the same.
CREATE FUNCTION compare(type text, letters text[], raw bool DEFAULT false,
	OUT "text" text, OUT insert text, OUT csv text, OUT ndjson text, OUT number text)
RETURNS SETOF record
LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE 'CREATE TEMP TABLE probe (v ' || type || ')';
	FOREACH "text" IN ARRAY letters LOOP
		insert := store(format('INSERT INTO probe VALUES (%L)', "text"));
		csv := store(format('SELECT FROM intake.upload(''probe'', %L::text, ''csv'')',
			E'v\n"' || replace("text", '"', '""') || '"'));
		ndjson := store(format('SELECT FROM intake.upload(''probe'', %L::text)',
			jsonb_build_array("text")::text));
		number := CASE WHEN raw THEN store(format('SELECT FROM intake.upload(''probe'', %L::text)',
			'[' || "text" || ']')) ELSE insert END;
		IF (csv, ndjson, number) IS DISTINCT FROM (insert, insert, insert) THEN
			RETURN NEXT;
		END IF;
	END LOOP;
	DROP TABLE probe;
END
$$;
-- Letters that must give this SQLSTATE; rows where they do not.
CREATE FUNCTION refuse(type text, want text, letters text[], as_string bool DEFAULT true,
	OUT "text" text, OUT insert text, OUT csv text, OUT ndjson text)
RETURNS SETOF record
LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE 'CREATE TEMP TABLE probe (v ' || type || ')';
	FOREACH "text" IN ARRAY letters LOOP
		insert := store(format('INSERT INTO probe VALUES (%L)', "text"));
		csv := store(format('SELECT FROM intake.upload(''probe'', %L::text, ''csv'')',
			E'v\n"' || replace("text", '"', '""') || '"'));
		ndjson := CASE WHEN as_string THEN
			store(format('SELECT FROM intake.upload(''probe'', %L::text)',
				jsonb_build_array("text")::text)) ELSE want END;
		IF (insert, csv, ndjson) IS DISTINCT FROM (want, want, want) THEN
			RETURN NEXT;
		END IF;
	END LOOP;
	DROP TABLE probe;
END
$$;
-- (the functions do find differences: a timestamp's zone is heeded here)
SELECT * FROM compare('timestamp', '{2020-02-29T01:00:00+01:00}');
SELECT * FROM refuse('int', '22P02', '{1,x}');

--
-- The same values
--
SELECT * FROM compare('bool', '{t,f,true,false,yes,no,y,n,on,off,1,0,TRUE,False,tr,fals," true ",of}');
SELECT * FROM compare('smallint', '{0,-0,1,-1,32767,-32768}', true);
SELECT * FROM compare('smallint', '{+1,007," 5 ",-00032768}');
SELECT * FROM compare('int', '{0,-0,1,-1,2147483647,-2147483648,123456789}', true);
SELECT * FROM compare('int', '{+1,00000000000000000000007,"  5  ",+2147483647}');
SELECT * FROM compare('bigint', '{0,-0,9223372036854775807,-9223372036854775808,999999999999999999,1000000000000000000}', true);
SELECT * FROM compare('bigint', '{+9223372036854775807,-0000000000000000000000009223372036854775808}');
SELECT * FROM compare('numeric', '{0,-0,1.500,1e10,1E-10,-123456789012345678901234567890.0987654321,1e130000,1e-16000,0.0000,10000,9999,0.0001}', true);
SELECT * FROM compare('numeric', '{NaN,Infinity,-Infinity,inf,.5,5.,+1.5," 1.5 ",00012.50}');
SELECT * FROM compare('numeric(6,2)', '{1,1.005,1.015,-1.005,9999.99,9999.994,0.004,0.005,-0.005,1e3,NaN}');
-- since PostgreSQL 15
SELECT CASE WHEN current_setting('server_version_num')::int >= 150000 THEN 'numeric(3,-2)' ELSE 'numeric(3)' END AS coarse,
       CASE WHEN current_setting('server_version_num')::int >= 150000 THEN 'numeric(2,4)' ELSE 'numeric(4,4)' END AS fine \gset
SELECT * FROM compare(:'coarse', '{12345,99949,50,49.99}');
SELECT * FROM compare(:'fine', '{0.0012,0.00994,0}', true);
SELECT * FROM compare('real', '{0,-0,1,0.1,1.5e10,3.4028235e38,-3.4028235e38,1e-45,1.17549435e-38,16777217,16777219,0.3,123456.789,7.038531e-26,1.4013e-45}', true);
SELECT * FROM compare('real', '{NaN,Infinity,-Infinity,inf,nan,.5,5.,+1," 1.5 ",0x1p3}');
SELECT * FROM compare('float8', '{0,-0,1,0.1,0.2,0.3,1e22,1e23,1.7976931348623157e308,5e-324,2.2250738585072014e-308,2.2250738585072011e-308,9007199254740993,9007199254740992.999999,123456789012345678901234567890,0.1234567890123456789012345678901234567890,8.5e15,1.2345678901234567,4.35,0.000001,1e-7,6.02214076e23,1e15,1e16,1e17,9999999999999999,179769313486231570000000000000000000000}', true);
SELECT * FROM compare('float8', '{NaN,Infinity,-Infinity,inf,-inf,nan,.5,5.,+1," 1.5 ",0x1p3,1e+5}');
SELECT * FROM compare('text', ARRAY['', ' ', 'a', ' a ', 'NULL', '\N', '"', '""', E'a\nb', E'a\r\nb', E'\t', '\', '\n', '{}', 'é€😀', repeat('long ', 1000)]);
SELECT * FROM compare('varchar', ARRAY['', ' a ', 'é']);
SELECT * FROM compare('varchar(3)', ARRAY['', 'a', 'abc', 'éé€', 'abc   ', '😀😀😀', 'a  ']);
SELECT * FROM compare('char(3)', ARRAY['', 'a', 'abc', 'éé€', 'abc   ', ' a']);
SELECT * FROM compare('char', ARRAY['a', 'é', ' ']);
SELECT * FROM compare('"char"', ARRAY['a', '']);
SELECT * FROM compare('name', ARRAY['a', 'Some Name', repeat('n', 63)]);
SELECT * FROM compare('interval', ARRAY['1 day', 'P1Y2M3DT4H5M6.7S', 'PT0.000001S', '1-2', '-1 year 2 mons', '04:05:06', '1.5 days', 'P-1D', '@ 1 minute ago']);
SELECT * FROM compare('interval(2)', ARRAY['PT0.123456S', '1.999 s']);
SELECT * FROM compare('interval day to hour', ARRAY['1 day 02:03:04']);
SELECT * FROM compare('uuid', ARRAY['a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', 'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11', '{a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11}', 'a0eebc999c0b4ef8bb6d6bb9bd380a11', 'a0ee-bc99-9c0b-4ef8-bb6d-6bb9-bd38-0a11', '00000000-0000-0000-0000-000000000000']);
SELECT * FROM compare('bytea', ARRAY['\x', '\xDEADbeef', 'abc', '\\', 'a\000b\377', '\x 00 ff']);
SELECT * FROM compare('point', ARRAY['(1,2)', '1,2', ' ( 1.5 , -2e3 ) ', '(Infinity,NaN)', '(0.1,0.2)']);
SELECT * FROM compare('mood', ARRAY['sad', 'ok', 'very, "very" happy']);
SELECT * FROM compare('int[]', ARRAY['{}', '{1,2,NULL}', '{{1,2},{3,4}}', ' { 1 , 2 } ', '[0:1]={5,6}']);
SELECT * FROM compare('text[]', ARRAY['{}', '{a,"b,c",NULL,"NULL","",é}', '{"\"","\\"}']);
SELECT * FROM compare('varchar(3)[]', ARRAY['{abc,d}']);
SELECT * FROM compare('mood[]', ARRAY['{sad,"very, \"very\" happy"}']);
SELECT * FROM compare('pair', ARRAY['(1,a)', '(,)', '(1,"a,""b""")', '(-5,"")']);
-- types that are read by their input functions
SELECT * FROM compare('inet', ARRAY['192.168.0.1', '10.0.0.0/8', '::1', 'fe80::1/64']);
SELECT * FROM compare('cidr', ARRAY['10.0.0.0/8', '10.1']);
SELECT * FROM compare('macaddr', ARRAY['08:00:2b:01:02:03', '08002b010203']);
SELECT * FROM compare('tsvector', ARRAY['a fat cat', '''joe''''s'' cat:3A,1', '']);
SELECT * FROM compare('tsquery', ARRAY['fat & (rat | cat)', '!x <-> y']);
SELECT * FROM compare('int4range', ARRAY['[1,5)', '(1,5]', 'empty', '(,)', ' [1,] ']);
SELECT * FROM compare('int4multirange', ARRAY['{}', '{[1,3),[2,7)}']);
SELECT * FROM compare('bit(4)', ARRAY['1010', 'xA']);
SELECT * FROM compare('varbit', ARRAY['', '10101', 'xFF']);
SELECT * FROM compare('oid', ARRAY['0', '4294967295', '1234']);
SELECT * FROM compare('pg_lsn', ARRAY['16/B374D848']);
SELECT * FROM compare('box', ARRAY['(1,2),(3,4)', '3,4,1,2']);
SELECT * FROM compare('jsonpath', ARRAY['$.a[*] ? (@ > 1)']);
SELECT * FROM compare('regtype', ARRAY['int', 'numeric(5)', 'text[]']);
SELECT * FROM compare('regclass', ARRAY['pg_class', 'pg_catalog.pg_type']);
-- domains
SELECT * FROM compare('positive', '{1,2147483647}', true);
SELECT * FROM compare('small_positive', '{1,99}', true);
SELECT * FROM compare('required', ARRAY['', 'a']);
SELECT * FROM compare('code', ARRAY['', 'ABC', 'A  ']);
SELECT * FROM compare('code', ARRAY['AB', 'ABC ']);
SELECT * FROM compare('price', '{0,1.005,9999.99}', true);
SELECT * FROM compare('moods', ARRAY['{}', '{sad,ok}']);
SELECT * FROM compare('day', ARRAY['2000-01-01', '2020-02-29']);

-- json and jsonb: from CSV the text is JSON, in JSON it is what it is
CREATE TABLE docs (id int, j json, jb jsonb);
SELECT rows_inserted FROM intake.upload('docs', E'id,j,jb\n1,"{""a"": [1,  2.50]}","{""a"": [1,  2.50]}"\n2,"""text""","""text"""\n3,null,null\n4, 1.50 , 1.50 \n5,,\n'::text, 'csv');
SELECT rows_inserted FROM intake.upload('docs', E'[11, {"a": [1,  2.50]}, {"a": [1,  2.50]}]\n[12, "text", "text"]\n[13, true, false]\n[14, 1.50, 1.50]\n[15, null, null]'::text);
SELECT * FROM docs ORDER BY id;
SELECT id FROM docs WHERE j::jsonb IS DISTINCT FROM jb AND id <> 13;
-- a jsonb value has the limits of jsonb
SELECT rows_inserted FROM intake.upload('docs', '[20, 1, 1e200000]'::text);

-- many values, each as PostgreSQL has it: integers, decimals and floats of all
-- sizes, in the letters of their own output and with another number of digits
CREATE TABLE many (id int, i bigint, n numeric, f float8, r real, s text);
CREATE TABLE many_letters AS
SELECT id, (h1 >> (id % 63))::text AS i,
	round(h1::numeric / 10::numeric ^ (id % 25), id % 30)::text AS n,
	to_char(h1::float8 / 1e18, 'FM0.0000000000000000') || 'e' || (h2 % 290)::text AS f,
	(h2::float8 / 1e18)::numeric(20,9)::text || 'e' || (h1 % 30)::text AS r
FROM (SELECT id, hashint8extended(id, 1) AS h1, hashint8extended(id, 2) AS h2 FROM generate_series(1, 2000) id) hashes;
SELECT rows_inserted FROM intake.upload('many', (SELECT string_agg(format('%s,%s,%s,%s,%s,"%s"', id, i, n, f, r, f), E'\n') FROM many_letters), 'csv', options => '{"header": false}');
SELECT rows_inserted FROM intake.upload('many', (SELECT string_agg(format('[%s, %s, %s, %s, %s, "%s"]', id, i, n, f, r, f), E'\n') FROM many_letters));
SELECT rows_inserted FROM intake.upload('many', (SELECT string_agg(format('["%s", "%s", "%s", "%s", "%s", "%s"]', id, i, n, f, r, f), E'\n') FROM many_letters));
SELECT count(*) FROM many;
SELECT l.*, m.* FROM many m JOIN many_letters l USING (id)
WHERE m.i <> l.i::bigint OR m.n::text <> l.n::numeric::text
	OR float8send(m.f) <> float8send(l.f::float8) OR float4send(m.r) <> float4send(l.r::real) OR m.s <> l.f
LIMIT 5;

--
-- What does not fit, by PostgreSQL's own SQLSTATE
--
SELECT * FROM refuse('bool', '22P02', ARRAY['', 'maybe', '2', 'o', 'truee', '10', '-1']);
SELECT * FROM refuse('smallint', '22003', '{32768,-32769,99999999999999999999999}');
SELECT * FROM refuse('int', '22003', '{2147483648,-2147483649,99999999999999999999999}');
SELECT * FROM refuse('bigint', '22003', '{9223372036854775808,-9223372036854775809,99999999999999999999999}');
SELECT * FROM refuse('int', '22P02', ARRAY['', ' ', 'x', '1x', '1.5', '1 2', '--1', '+-1', '+', '-', '1,000', 'NaN', '１']);
SELECT * FROM refuse('bigint', '22P02', ARRAY['', '1e', '1.', '.5']);
SELECT * FROM refuse('numeric', '22P02', ARRAY['', 'x', '1.5.5', '1e', '1 2', '1,5', '--1', '.', 'e5', '+']);
SELECT * FROM refuse('numeric', '22003', '{1e140000,1e999999999}');
SELECT * FROM refuse('numeric(6,2)', '22003', '{10000,9999.995,-10000,Infinity}');
SELECT * FROM refuse('real', '22003', '{3.5e38,-1e39,1e-46}');
SELECT * FROM refuse('float8', '22003', '{1e309,-1.8e308,1e-400}');
SELECT * FROM refuse('float8', '22P02', ARRAY['', 'x', '1.5x', '1,5', '1e', '--1', '1 2', 'infinit', '.', '+']);
SELECT * FROM refuse('real', '22P02', ARRAY['', 'x', '1e5e5']);
SELECT * FROM refuse('varchar(3)', '22001', ARRAY['abcd', 'ab cd', '😀😀😀😀', '    x']);
SELECT * FROM refuse('char(3)', '22001', ARRAY['abcd', 'éééé']);
SELECT * FROM refuse('interval', '22007', ARRAY['', 'x', '1 foo', 'P', '1 day 2 x']);
SELECT * FROM refuse('uuid', '22P02', ARRAY['', 'a0eebc99', 'g0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a1', 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a111', 'a0eebc999-c0b-4ef8-bb6d-6bb9bd380a11']);
SELECT * FROM refuse('json', '22P02', ARRAY['', 'x', '{', '{"a"}', '[1,]', '01'], false);
SELECT * FROM refuse('jsonb', '22P02', ARRAY['', 'x', '{', '{"a"}', '[1,]', '"\ud800"'], false);
SELECT * FROM refuse('bytea', '22P02', ARRAY['\', 'a\12', '\400']);
SELECT * FROM refuse('bytea', '22023', ARRAY['\xg0', '\x0']);
SELECT * FROM refuse('point', '22P02', ARRAY['', '(1)', '(1,2', '1,2,3', 'x,y']);
SELECT * FROM refuse('mood', '22P02', ARRAY['', 'SAD', ' sad', 'angry']);
SELECT * FROM refuse('int[]', '22P02', ARRAY['', '1', '{1', '{a}', '{1}}', '{{1},{2,3}}']);
SELECT * FROM refuse('pair', '22P02', ARRAY['', '1,2', '(1)', '(1,2,3)', '(x,1)']);
SELECT * FROM refuse('inet', '22P02', ARRAY['', '300.1.1.1', 'x']);
SELECT * FROM refuse('tsvector', '42601', ARRAY['''a', 'a:']);
SELECT * FROM refuse('int4range', '22P02', ARRAY['', '[1,2', '1,2']);
SELECT * FROM refuse('int4range', '22000', ARRAY['[5,1]']);
SELECT * FROM refuse('bit(4)', '22026', ARRAY['101', '10101']);
SELECT * FROM refuse('positive', '23514', '{0,-1}');
SELECT * FROM refuse('positive', '22P02', '{x}');
SELECT * FROM refuse('small_positive', '23514', '{0,100}');
SELECT * FROM refuse('code', '23514', '{abc,A1}');
SELECT * FROM refuse('code', '22001', '{ABCD}');
SELECT * FROM refuse('price', '23514', '{-1,-0.01}');
SELECT * FROM refuse('price', '22003', '{10000}');
SELECT * FROM refuse('moods', '23514', '{"{sad,ok,happy}"}');
SELECT * FROM refuse('day', '23514', '{1999-12-31}');
-- arrays of domains, domains in composites
CREATE TYPE holder AS (p positive, c code);
SELECT * FROM compare('positive[]', '{"{1,2}","{}"}');
SELECT * FROM refuse('positive[]', '23514', '{"{1,0}"}');
SELECT * FROM compare('holder', '{"(1,AB)"}');
SELECT * FROM refuse('holder', '23514', '{"(0,AB)","(1,ab)"}');
CREATE TABLE holders (h holder, a positive[]);
SELECT rows_inserted FROM intake.upload('holders', '{"h": {"p": 1, "c": "AB"}, "a": [1, null]}'::text);
SELECT rows_inserted FROM intake.upload('holders', '{"h": {"p": 0}}'::text);
SELECT rows_inserted FROM intake.upload('holders', E'{}\n{"a": [1, 0]}'::text);
SELECT * FROM holders;
-- NULL into a domain that takes none: given, or missing without a default
CREATE TABLE requiring (id int, r required);
CREATE FUNCTION state(statement text) RETURNS text
LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE statement;
	RETURN 'done';
EXCEPTION WHEN OTHERS THEN
	RETURN SQLSTATE;
END
$$;
SELECT state($$SELECT FROM intake.upload('requiring', '{"id": 1, "r": null}'::text)$$) AS given,
	state($$SELECT FROM intake.upload('requiring', '{"id": 1}'::text)$$) AS missing,
	state($$SELECT FROM intake.upload('requiring', E'id,r\n1,'::text, 'csv')$$) AS csv,
	state($$SELECT FROM intake.upload('requiring', E'id\n1'::text, 'csv')$$) AS csv_missing,
	state($$SELECT FROM intake.upload('requiring', E'id,r\n1,""'::text, 'csv')$$) AS empty;
SELECT * FROM requiring;
-- a domain's default is that of its columns
CREATE TABLE prices (id int, p price);
SELECT rows_inserted FROM intake.upload('prices', E'{"id": 1}\n{"id": 2, "p": null}\n{"id": 3, "p": 5}'::text);
SELECT * FROM prices ORDER BY id;

-- the constraints of the table
CREATE TABLE checked (id int PRIMARY KEY, n int NOT NULL, v int CHECK (v > 0), UNIQUE (v));
SELECT state($$SELECT FROM intake.upload('checked', E'id,n,v\n1,1,0'::text, 'csv')$$) AS "check",
	state($$SELECT FROM intake.upload('checked', E'id,n,v\n1,,1'::text, 'csv')$$) AS not_null,
	state($$SELECT FROM intake.upload('checked', E'id,v\n1,1'::text, 'csv')$$) AS no_default,
	state($$SELECT FROM intake.upload('checked', E'id,n,v\n1,1,1\n2,1,1'::text, 'csv')$$) AS "unique",
	state($$SELECT FROM intake.upload('checked', E'id,n,v\n1,1,1\n1,1,2'::text, 'csv')$$) AS "primary";
SELECT count(*) FROM checked;

-- position and value in the error, from either format
SELECT rows_inserted FROM intake.upload('holders', E'{}\n{"h": {"p": 1, "c": "ABCD"}}'::text);
CREATE TABLE shown (id int, m mood, p positive);
SELECT rows_inserted FROM intake.upload('shown', E'id,m,p\n1,ok,1\n2,angry,1\n'::text, 'csv');
SELECT rows_inserted FROM intake.upload('shown', E'[1, "ok", 1]\n\n[2, "sad", -5]\n'::text);
SELECT count(*) FROM shown;

DROP SCHEMA conversion CASCADE;
