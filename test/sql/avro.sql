-- Avro container files, put together here by the rules of the specification
-- (Apache Avro 1.11.1, "Binary Encoding" and "Object Container Files"), so
-- that each byte that goes in can be seen.  SQLSTATE 22P04: malformed file.
CREATE SCHEMA avro;
SET search_path = avro, public;
\pset format unaligned
\pset null NULL
SET TimeZone = 'UTC';
SET DateStyle = 'ISO, YMD';
SET IntervalStyle = 'postgres';
SET bytea_output = 'hex';

-- Uploads; the counters, or the error with its place in the payload.
CREATE FUNCTION load(target regclass, payload bytea, options jsonb DEFAULT '{}')
RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
	answer text;
	message text;
	context text;
BEGIN
	SELECT format('%s received, %s inserted', rows_received, rows_inserted)
	INTO answer
	FROM intake.upload(target, payload, 'avro', options => options);
	RETURN answer;
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS message = MESSAGE_TEXT,
		context = PG_EXCEPTION_CONTEXT;
	-- of CONTEXT what the upload has said, not what called it
	context := substring(context FROM 'upload into .*');
	RETURN concat_ws(E'\n  ', SQLSTATE || ' ' || message,
		regexp_replace(context, '\nSQL statement "SELECT format.*', ''));
END
$$;

-- int and long: zig-zag, then seven bits a byte, the lowest first
CREATE FUNCTION long(n bigint) RETURNS bytea
LANGUAGE plpgsql AS $$
DECLARE
	bits bigint := (n << 1) # (n >> 63);
	low int;
	result bytea := '';
BEGIN
	LOOP
		low := (bits & 127)::int;
		bits := (bits >> 7) & ((1::bigint << 57) - 1);
		EXIT WHEN bits = 0;
		result := result || set_byte('\x00', 0, low | 128);
	END LOOP;
	RETURN result || set_byte('\x00', 0, low);
END
$$;
-- bytes and string: the length and the bytes
CREATE FUNCTION bytes(b bytea) RETURNS bytea
LANGUAGE sql AS $$ SELECT long(octet_length(b)) || b $$;
CREATE FUNCTION string(s text) RETURNS bytea
LANGUAGE sql AS $$ SELECT bytes(convert_to(s, 'UTF8')) $$;
-- float ("single" here) and double: IEEE 754, little-endian
CREATE FUNCTION reverse(b bytea) RETURNS bytea
LANGUAGE sql AS $$
	SELECT string_agg(substring(b FROM i FOR 1), ''::bytea ORDER BY i DESC)
	FROM generate_series(1, octet_length(b)) i
$$;
CREATE FUNCTION double(f float8) RETURNS bytea
LANGUAGE sql AS $$ SELECT reverse(float8send(f)) $$;
CREATE FUNCTION single(f real) RETURNS bytea
LANGUAGE sql AS $$ SELECT reverse(float4send(f)) $$;
CREATE FUNCTION sync() RETURNS bytea
LANGUAGE sql AS $$ SELECT '\x000102030405060708090a0b0c0d0e0f'::bytea $$;
-- a file's header: magic, a map of metadata, the sync marker
CREATE FUNCTION header(schema text, codec text DEFAULT NULL) RETURNS bytea
LANGUAGE sql AS $$
	SELECT '\x4f626a01'::bytea
		|| CASE WHEN codec IS NULL THEN long(1)
			ELSE long(2) || string('avro.codec') || string(codec) END
		|| string('avro.schema') || string(schema) || long(0) || sync()
$$;
-- a block: count, size, data, the sync marker
CREATE FUNCTION block(count bigint, data bytea) RETURNS bytea
LANGUAGE sql AS $$ SELECT long(count) || bytes(data) || sync() $$;
-- a record's schema; a file of one block with one record
CREATE FUNCTION schema_of(fields text) RETURNS text
LANGUAGE sql AS $$ SELECT '{"type":"record","name":"R","fields":[' || fields || ']}' $$;
CREATE FUNCTION file(fields text, data bytea, count bigint DEFAULT 1) RETURNS bytea
LANGUAGE sql AS $$ SELECT header(schema_of(fields)) || block(count, data) $$;

-- the specification's own examples: zig-zag, a string, a record, a union
SELECT long(0), long(-1), long(1), long(-2), long(2), long(-64), long(64),
	string('foo'), long(27) || string('foo'), long(9223372036854775807),
	long(-9223372036854775808);

--
-- Primitive types
--
CREATE TABLE primitives (
	nothing text, b boolean, i int, l bigint, f real, d float8, y bytea, s text);
SELECT load('primitives', header(schema_of('{"name":"nothing","type":"null"},
	{"name":"b","type":"boolean"},{"name":"i","type":"int"},{"name":"l","type":"long"},
	{"name":"f","type":"float"},{"name":"d","type":"double"},{"name":"y","type":"bytes"},
	{"name":"s","type":"string"}'))
	|| block(2, '\x01'::bytea || long(-64) || long(64) || single(1.5) || double(0.1) || bytes('\x00ff') || string('foo')
		|| '\x00' || long(-2147483648) || long(-9223372036854775808) || single(-3.4028235e38) || double('5e-324') || bytes('') || string(''))
	|| block(0, '')
	|| block(2, '\x01'::bytea || long(2147483647) || long(9223372036854775807) || single('Infinity') || double('NaN') || bytes('\x5c78') || string('é€😀')
		|| '\x01' || long(0) || long(-1) || single('-0') || double('-Infinity') || bytes('\x0a') || string(E'\t"\\,')));
SELECT * FROM primitives;
-- a file without blocks, a record without fields, an empty record
SELECT load('primitives', header(schema_of('{"name":"s","type":"string"}')));
SELECT load('primitives', header(schema_of('')) || block(2, ''));
TRUNCATE primitives;

-- union with null, either way round
CREATE TABLE t (n int, s text);
SELECT load('t', file('{"name":"n","type":["null","int"]},{"name":"s","type":["string","null"]}',
	long(0) || long(0) || string('a') || long(1) || long(27) || long(1), 2));
-- primitive types may be objects, a union may have one branch
SELECT load('t', file('{"name":"n","type":{"type":"int"}},{"name":"s","type":[{"type":"string"}]}',
	long(3) || long(0) || string('b')));
SELECT * FROM t;
TRUNCATE t;
-- other unions
CREATE TABLE u (id serial, v numeric, w text, x jsonb);
SELECT load('u', file('{"name":"v","type":["int","null","double","long"]},{"name":"w","type":["long","string","boolean"]},{"name":"x","type":["null","string",{"type":"array","items":"int"}]}',
	long(0) || long(1) || long(0) || long(5) || long(0)
	|| long(1) || long(1) || string('w') || long(2) || long(1) || long(7) || long(0)
	|| long(2) || double(2.5) || long(2) || '\x01' || long(0)
	|| long(3) || long(9007199254740993) || long(0) || long(6) || long(0), 4));
SELECT v, w, x FROM u ORDER BY id;

-- promotions: int to long, float and double, long to float and double, float
-- to double, string to bytes and bytes to string
CREATE TABLE promotions (
	il bigint, "if" real, id float8, inum numeric, lf real, ld float8,
	lnum numeric, fd float8, sb bytea, bs text);
SELECT load('promotions', file('{"name":"il","type":"int"},{"name":"if","type":"int"},
	{"name":"id","type":"int"},{"name":"inum","type":"int"},{"name":"lf","type":"long"},{"name":"ld","type":"long"},
	{"name":"lnum","type":"long"},{"name":"fd","type":"float"}',
	long(-5) || long(16777217) || long(-6) || long(7) || long(16777217) || long(9007199254740993)
	|| long(9223372036854775807) || single(1.5)));
SELECT * FROM promotions;
SELECT load('promotions', file('{"name":"sb","type":"string"}', string('foo')));
SELECT load('promotions', file('{"name":"bs","type":"bytes"}', bytes('\x666f6f')));
SELECT sb, bs FROM promotions WHERE il IS NULL;
-- what fits goes into narrower columns, too; what does not is an error
CREATE TABLE narrow (i2 smallint, i4 int, r real, b bool);
SELECT load('narrow', file('{"name":"i2","type":"long"},{"name":"i4","type":"double"},{"name":"r","type":"double"}',
	long(32767) || double(1e3) || double(1.5)));
SELECT * FROM narrow;
SELECT load('narrow', file('{"name":"i2","type":"int"}', long(32768)));
SELECT load('narrow', file('{"name":"i4","type":"long"}', long(2147483648)));
SELECT load('narrow', file('{"name":"i4","type":"double"}', double(1.5)));
SELECT load('narrow', file('{"name":"i4","type":"double"}', double('NaN')));
SELECT load('narrow', file('{"name":"r","type":"double"}', double(1e39)));
SELECT load('narrow', file('{"name":"i4","type":"string"}', string('12x')));

--
-- Names
--
-- fields are found by name, then by alias, whatever their order
SELECT load('t', file('{"name":"s","type":"string"},{"name":"n","type":"int"}', string('a') || long(1)));
SELECT load('t', file('{"name":"number","aliases":["nr","n"],"type":"int"}', long(2)));
SELECT load('t', file('{"name":"n","aliases":["s"],"type":"int"}', long(3)));
SELECT * FROM t;
TRUNCATE t;
SELECT rows_received FROM intake.upload('t', file('{"name":"n","type":"int"},{"name":"x","type":"int"}', long(1) || long(2)), 'avro');
SELECT load('t', file('{"name":"N","type":"int"}', long(1)));
SELECT load('t', file('{"name":"n","type":"int"},{"name":"nr","aliases":["n"],"type":"int"}', long(1) || long(2)));
-- what is ignored is skipped, whatever its type
SELECT load('t', file('{"name":"a","type":"null"},{"name":"b","type":"boolean"},{"name":"c","type":"int"},
	{"name":"d","type":"long"},{"name":"e","type":"float"},{"name":"f","type":"double"},{"name":"g","type":"bytes"},
	{"name":"h","type":"string"},{"name":"i","type":{"type":"fixed","name":"F","size":3}},
	{"name":"j","type":{"type":"enum","name":"E","symbols":["A","B"]}},
	{"name":"k","type":{"type":"array","items":"int"}},{"name":"l","type":{"type":"array","items":"string"}},
	{"name":"m","type":{"type":"map","values":"long"}},{"name":"o","type":["null","string"]},
	{"name":"p","type":{"type":"record","name":"Q","fields":[{"name":"n","type":"int"},{"name":"s","type":"string"}]}},
	{"name":"n","type":"int"}',
	'\x01'::bytea || long(1) || long(2) || single(3) || double(4) || bytes('\x05') || string('6')
	|| '\x777777' || long(1)
	|| long(2) || long(8) || long(8) || long(0)
	-- a negative count has the size of its block behind it
	|| long(-2) || long(4) || string('a') || string('b') || long(0)
	|| long(1) || string('k') || long(9) || long(0)
	|| long(1) || string('o')
	|| long(10) || string('q')
	|| long(77)), '{"unknown": "ignore"}');
SELECT * FROM t;
TRUNCATE t;
-- missing fields get their columns' defaults, each record its own
CREATE TABLE defaults (id serial, n int, word text DEFAULT upper('none'), twice int GENERATED ALWAYS AS (n * 2) STORED);
SELECT load('defaults', file('{"name":"n","type":"int"}', long(5) || long(6), 2));
SELECT * FROM defaults;
SELECT load('defaults', file('{"name":"twice","type":"int"}', long(5)));
-- names in namespaces
CREATE TABLE spaces (x text, y text, z text, w text);
SELECT load('spaces', header('{"type":"record","name":"a.b.R","fields":[
	{"name":"x","type":{"type":"enum","name":"E","symbols":["P","Q"]}},{"name":"y","type":"a.b.E"},{"name":"z","type":"E"},
	{"name":"w","type":{"type":"enum","name":"E","namespace":"c","symbols":["R","S"]}}]}')
	|| block(1, long(1) || long(0) || long(1) || long(0)));
SELECT * FROM spaces;

--
-- Logical types
--
CREATE TABLE logical (
	d date, tm time, tu time, im timestamptz, iu timestamptz, lm timestamp,
	lu timestamp, db numeric, df numeric(10,2), us uuid, du interval);
CREATE FUNCTION logical_fields() RETURNS text
LANGUAGE sql AS $$ SELECT '{"name":"d","type":{"type":"int","logicalType":"date"}},
	{"name":"tm","type":{"type":"int","logicalType":"time-millis"}},
	{"name":"tu","type":{"type":"long","logicalType":"time-micros"}},
	{"name":"im","type":{"type":"long","logicalType":"timestamp-millis"}},
	{"name":"iu","type":{"type":"long","logicalType":"timestamp-micros"}},
	{"name":"lm","type":{"type":"long","logicalType":"local-timestamp-millis"}},
	{"name":"lu","type":{"type":"long","logicalType":"local-timestamp-micros"}},
	{"name":"db","type":{"type":"bytes","logicalType":"decimal","precision":9,"scale":2}},
	{"name":"df","type":{"type":"fixed","name":"Money","size":4,"logicalType":"decimal","precision":9,"scale":2}},
	{"name":"us","type":{"type":"string","logicalType":"uuid"}},
	{"name":"du","type":{"type":"fixed","name":"Span","size":12,"logicalType":"duration"}}' $$;
-- decimals: two's complement, big-endian; durations: months, days and
-- milliseconds, little-endian
SELECT load('logical', file(logical_fields(),
	long(0) || long(0) || long(0) || long(0) || long(0) || long(0) || long(0) || bytes('\x00') || '\x00000000'
	|| string('00000000-0000-0000-0000-000000000000') || '\x000000000000000000000000'
	|| long(18321) || long(86399999) || long(86399999999) || long(1582934400123) || long(1582934400123456)
	|| long(1582934400123) || long(1582934400123456) || bytes('\x3039') || '\x00003039'
	|| string('A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11') || '\x01000000' || '\x02000000' || '\xbc0b0000'
	|| long(-719162) || long(1) || long(1) || long(-1) || long(-1)
	|| long(-62135596800000) || long(-62135596800000000) || bytes('\xcfc7') || '\xffffcfc7'
	|| string('a0eebc999c0b4ef8bb6d6bb9bd380a11') || '\xffffff7f' || '\x00000000' || '\xffffffff', 3));
SELECT d, tm, tu, im, iu FROM logical;
SELECT lm, lu, db, df, us, du FROM logical;
-- an instant is the same one in every session
SET TimeZone = 'Asia/Tokyo';
SELECT load('logical', file('{"name":"im","type":{"type":"long","logicalType":"timestamp-millis"}},{"name":"lm","type":{"type":"long","logicalType":"timestamp-millis"}}',
	long(1582934400000) || long(1582934400000)));
SET TimeZone = 'UTC';
SELECT im, lm FROM logical WHERE d IS NULL;
TRUNCATE logical;
-- Prostore's form: the logical type beside the type, in the field
SELECT load('logical', file('{"name":"d","type":"int","logicalType":"date"},
	{"name":"tu","type":"long","logicalType":"time-micros"},
	{"name":"iu","type":"long","logicalType":"timestamp-micros"},
	{"name":"lu","type":["null","long"],"logicalType":"timestamp-micros"},
	{"name":"us","type":["null","string"],"logicalType":"uuid"}',
	long(18321) || long(86399999999) || long(1582934400123456) || long(1) || long(1582934400123456) || long(1) || string('a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11')
	|| long(18322) || long(0) || long(0) || long(0) || long(0), 2));
SELECT d, tu, iu, lu, us FROM logical;
TRUNCATE logical;
-- Avro 1.12's nanoseconds, rounded as PostgreSQL rounds; uuid as a fixed
SELECT load('logical', file('{"name":"iu","type":{"type":"long","logicalType":"timestamp-nanos"}},{"name":"lu","type":{"type":"long","logicalType":"local-timestamp-nanos"}},{"name":"us","type":{"type":"fixed","name":"U","size":16,"logicalType":"uuid"}}',
	long(1582934400123456000) || long(1582934400123456789) || '\xa0eebc999c0b4ef8bb6d6bb9bd380a11'
	|| long(-1000) || long(-1) || '\x00000000000000000000000000000001', 2));
SELECT iu, lu = CASE extract(year FROM iu) WHEN 2020 THEN '2020-02-29 00:00:00.123456789' ELSE '1970-01-01' END::timestamp AS lu, us
FROM logical ORDER BY iu DESC;
TRUNCATE logical;
-- within a union
SELECT load('logical', file('{"name":"d","type":["null",{"type":"int","logicalType":"date"}]},{"name":"db","type":[{"type":"bytes","logicalType":"decimal","precision":4,"scale":1},"null"]}',
	long(1) || long(18321) || long(0) || bytes('\x7fff')
	|| long(0) || long(1), 2));
SELECT d, db FROM logical;
TRUNCATE logical;
-- one that is unknown, not valid or on another type is ignored, as the
-- specification says
CREATE TABLE ignored (i int, s text, y bytea, l bigint);
SELECT load('ignored', file('{"name":"i","type":{"type":"int","logicalType":"nonesuch"}},
	{"name":"s","type":{"type":"string","logicalType":"date"}},
	{"name":"y","type":{"type":"bytes","logicalType":"decimal","precision":2,"scale":3}},
	{"name":"l","type":{"type":"long","logicalType":"time-millis"}}',
	long(5) || string('x') || bytes('\x3039') || long(-1)));
SELECT * FROM ignored;
-- the largest long is a timestamp
SELECT load('logical', file('{"name":"iu","type":{"type":"long","logicalType":"timestamp-micros"}}', long(9223372036854775807)));
SELECT iu = timestamptz 'epoch' + interval '1281023894 hours' + interval '1281023894 hours' + interval '54 seconds 775807 microseconds' AS is_right FROM logical;
TRUNCATE logical;
-- out of range, and not for the column
SELECT load('logical', file('{"name":"tm","type":{"type":"int","logicalType":"time-millis"}}', long(86400001)));
SELECT load('logical', file('{"name":"tm","type":{"type":"int","logicalType":"time-millis"}}', long(-1)));
SELECT load('logical', file('{"name":"iu","type":{"type":"long","logicalType":"timestamp-micros"}}', long(-9223372036854775808)));
SELECT load('logical', file('{"name":"im","type":{"type":"long","logicalType":"timestamp-millis"}}', long(9223372036854775807)));
SELECT load('logical', file('{"name":"df","type":{"type":"bytes","logicalType":"decimal","precision":12,"scale":0}}', bytes('\x7fffffffff')));
SELECT load('logical', file('{"name":"us","type":{"type":"string","logicalType":"uuid"}}', string('a0eebc99')));
SELECT load('logical', file('{"name":"du","type":{"type":"fixed","name":"Span","size":12,"logicalType":"duration"}}', '\x00000080' || '\x00000000'::bytea || '\x00000000'));
SELECT load('logical', file('{"name":"d","type":"int"}', long(1)));
-- 2^127 - 1, -2^127, 1 and -1 by 10^20
CREATE TABLE decimals (n numeric);
SELECT load('decimals', file('{"name":"n","type":{"type":"bytes","logicalType":"decimal","precision":60,"scale":20}}',
	bytes('\x7fffffffffffffffffffffffffffffff') || bytes('\x80000000000000000000000000000000') || bytes('\x01') || bytes('\xff'), 4));
SELECT n, n * 1e20 = (ARRAY[170141183460469231731687303715884105727, -170141183460469231731687303715884105728, 1, -1])[row_number() OVER ()] AS is_right FROM decimals;

--
-- enum, fixed, and nested values
--
CREATE TYPE suit AS ENUM ('CLUBS', 'HEARTS');
CREATE TABLE cards (s suit, t text, f bytea);
SELECT load('cards', file('{"name":"s","type":{"type":"enum","name":"Suit","symbols":["CLUBS","HEARTS","STARS"]}},{"name":"t","type":"Suit"},{"name":"f","type":{"type":"fixed","name":"F","size":4}}',
	long(1) || long(2) || '\x00ff1080'));
SELECT * FROM cards;
SELECT load('cards', file('{"name":"s","type":{"type":"enum","name":"Suit","symbols":["CLUBS","HEARTS","STARS"]}}', long(2)));
SELECT load('cards', file('{"name":"s","type":{"type":"enum","name":"Suit","symbols":["CLUBS"]}}', long(1)));
SELECT load('cards', file('{"name":"s","type":{"type":"enum","name":"Suit","symbols":["CLUBS"]}}', long(-1)));

CREATE TYPE pair AS (x int, y text);
CREATE TABLE nested (id serial, ia int[], ta text[], p pair, ps pair[], j jsonb, m json);
-- arrays in blocks: the specification's [3, 27], two blocks, one with its size
SELECT load('nested', file('{"name":"ia","type":{"type":"array","items":"long"}},{"name":"ta","type":{"type":"array","items":["null","string"]}}',
	long(2) || long(3) || long(27) || long(0) || long(0)
	|| long(1) || long(1) || long(-2) || long(2) || long(2) || long(3) || long(0)
	|| long(3) || long(1) || string('a,"b') || long(0) || long(1) || string('') || long(0), 2));
SELECT load('nested', file('{"name":"p","type":{"type":"record","name":"P","fields":[{"name":"y","type":"string"},{"name":"x","type":["null","int"]}]}},{"name":"ps","type":{"type":"array","items":"P"}}',
	string('é') || long(1) || long(5) || long(2) || string('"') || long(0) || string('b') || long(1) || long(6) || long(0)));
SELECT ia, ta, p, ps FROM nested ORDER BY id;
SELECT load('nested', file('{"name":"j","type":{"type":"record","name":"Deep","fields":[
	{"name":"i","type":"int"},{"name":"u","type":["null","string"]},{"name":"v","type":["null","string"]},{"name":"d","type":"double"},
	{"name":"b","type":"boolean"},{"name":"a","type":{"type":"array","items":{"type":"array","items":"int"}}},
	{"name":"m","type":{"type":"map","values":"long"}},{"name":"e","type":{"type":"enum","name":"Sign","symbols":["A","B"]}},
	{"name":"n","type":{"type":"record","name":"Inner","fields":[{"name":"s","type":"string"}]}},
	{"name":"dec","type":{"type":"bytes","logicalType":"decimal","precision":5,"scale":2}},
	{"name":"day","type":{"type":"int","logicalType":"date"}},
	{"name":"at","type":{"type":"long","logicalType":"timestamp-millis"}}]}},
	{"name":"m","type":{"type":"map","values":["null","string"]}}',
	long(-5) || long(0) || long(1) || string(E'q"\\\n') || double(0.1) || '\x01'
	|| long(2) || long(1) || long(1) || long(0) || long(0) || long(0)
	|| long(1) || string('k"') || long(9007199254740993) || long(1) || string('l') || long(0) || long(0)
	|| long(1) || string('€') || bytes('\xcfc7') || long(18321) || long(1582934400123)
	|| long(2) || string('a') || long(0) || string('b') || long(1) || string('c') || long(0)));
SELECT j = '{"i": -5, "u": null, "v": "q\"\\\n", "d": 0.1, "b": true, "a": [[1], []],
	"m": {"k\"": 9007199254740993, "l": 0}, "e": "B", "n": {"s": "€"}, "dec": -123.45,
	"day": "2020-02-29", "at": "2020-02-29T00:00:00.123Z"}'::jsonb AS j,
	m::jsonb = '{"a": null, "b": "c"}'::jsonb AS m
FROM nested ORDER BY id DESC LIMIT 1;
-- nested into a scalar, a map into a composite
SELECT load('t', file('{"name":"s","type":{"type":"array","items":"string"}}', long(0)));
SELECT load('nested', file('{"name":"p","type":{"type":"map","values":"int"}}', long(1) || string('x') || long(7) || long(0)));
SELECT p FROM nested ORDER BY id DESC LIMIT 1;
SELECT load('nested', file('{"name":"ia","type":{"type":"array","items":"long"}}', long(1) || long(2147483648) || long(0)));
-- the specification's linked list: a schema that contains itself
CREATE TABLE lists (value bigint, next jsonb);
SELECT load('lists', header('{"type":"record","name":"LongList","aliases":["LinkedLongs"],"fields":[{"name":"value","type":"long"},{"name":"next","type":["null","LongList"]}]}')
	|| block(2, long(1) || long(1) || long(2) || long(1) || long(3) || long(0) || long(4) || long(0)));
SELECT * FROM lists;
SET pg_intake.max_nesting_depth = 3;
SELECT load('lists', header('{"type":"record","name":"LongList","fields":[{"name":"value","type":"long"},{"name":"next","type":["null","LongList"]}]}')
	|| block(1, long(1) || long(1) || long(2) || long(1) || long(3) || long(1) || long(4) || long(1) || long(5) || long(0)));
RESET pg_intake.max_nesting_depth;
TRUNCATE lists;

--
-- Codecs
--
-- Three records, 1 to 3 with 'row ' five times, deflated by Python's zlib (raw),
-- python-snappy (and the CRC-32 of the data, big-endian), zstandard, bz2, lzma.
CREATE TABLE codecs (codec text, data bytea);
INSERT INTO codecs VALUES
	('null', '\x0228726f7720726f7720726f7720726f7720726f77200428726f7720726f7720726f7720726f7720726f77200628726f7720726f7720726f7720726f7720726f7720'::bytea),
	('deflate', '\x63d228ca2f5740c72c5845d9b08a0200'::bytea),
	('snappy', '\x42140228726f77203e040000045216000006521600df25d606'::bytea),
	('zstandard', '\x28b52ffd2042950000400228726f772004060300e0939cdf1d7145'::bytea),
	('bzip2', '\x425a68393141592653598e4a2cf2000000518015004040000090802000310c0823f55189ea5a0cbc836a9e41f1772453850908e4a2cf20'::bytea),
	('xz', '\xfd377a585a000004e6d6b4460200210116000000742fe5a3e0004100125d00010ae041279da53a666d455759308e0f280000000004aaa29eb9f8756100012e42bb9c53b31fb6f37d010000000004595a'::bytea);
SELECT codec, load('t', header(schema_of('{"name":"n","type":"int"},{"name":"s","type":"string"}'), codec) || block(3, data))
FROM codecs;
SELECT n, s, count(*) FROM t GROUP BY n, s ORDER BY n;
TRUNCATE t;
-- no codec is codec null; an empty block
SELECT load('t', header(schema_of('{"name":"n","type":"int"},{"name":"s","type":"string"}')) || block(3, data)) FROM codecs WHERE codec = 'null';
TRUNCATE t;
-- Two blocks, (1, 'one') and (-2, null), written by python3-avro 1.11.1.
CREATE TABLE files (codec text, file bytea);
INSERT INTO files VALUES
	('null', '\x4f626a0104146176726f2e636f646563086e756c6c166176726f2e736368656d61e8017b2274797065223a20227265636f7264222c20226e616d65223a202252222c20226669656c6473223a205b7b2274797065223a2022696e74222c20226e616d65223a20226e227d2c207b2274797065223a205b226e756c6c222c2022737472696e67225d2c20226e616d65223a202273227d5d7d0075376c544d005b3742384c08eab47959020c0202066f6e6575376c544d005b3742384c08eab479590204030075376c544d005b3742384c08eab47959'::bytea),
	('deflate', '\x4f626a0104146176726f2e636f6465630e6465666c617465166176726f2e736368656d61e8017b2274797065223a20227265636f7264222c20226e616d65223a202252222c20226669656c6473223a205b7b2274797065223a2022696e74222c20226e616d65223a20226e227d2c207b2274797065223a205b226e756c6c222c2022737472696e67225d2c20226e616d65223a202273227d5d7d001fe37df4995b1e8dcf586e1b1473f1780216636262cbcf4b050002c2011fe37df4995b1e8dcf586e1b1473f178020e636600000008001fe37df4995b1e8dcf586e1b1473f178'::bytea),
	('bzip2', '\x4f626a0104146176726f2e636f6465630a627a697032166176726f2e736368656d61e8017b2274797065223a20227265636f7264222c20226e616d65223a202252222c20226669656c6473223a205b7b2274797065223a2022696e74222c20226e616d65223a20226e227d2c207b2274797065223a205b226e756c6c222c2022737472696e67225d2c20226e616d65223a202273227d5d7d00f9cf01e9dd570a58f3b120b736c945b00254425a683931415926535952cb6b54000000410011000201a0002183419a0b160e2ee48a70a120a596d6a8f9cf01e9dd570a58f3b120b736c945b0024a425a68393141592653598da3c451000000c00048002000210082b1772453850908da3c4510f9cf01e9dd570a58f3b120b736c945b0'::bytea),
	('snappy', '\x4f626a0104146176726f2e636f6465630c736e61707079166176726f2e736368656d61e8017b2274797065223a20227265636f7264222c20226e616d65223a202252222c20226669656c6473223a205b7b2274797065223a2022696e74222c20226e616d65223a20226e227d2c207b2274797065223a205b226e756c6c222c2022737472696e67225d2c20226e616d65223a202273227d5d7d001ecc0f16989c5d8754a99daf577e253e021806140202066f6e65268c53f71ecc0f16989c5d8754a99daf577e253e0210020403006af4413c1ecc0f16989c5d8754a99daf577e253e'::bytea),
	('zstandard', '\x4f626a0104146176726f2e636f646563127a7374616e64617264166176726f2e736368656d61e8017b2274797065223a20227265636f7264222c20226e616d65223a202252222c20226669656c6473223a205b7b2274797065223a2022696e74222c20226e616d65223a20226e227d2c207b2274797065223a205b226e756c6c222c2022737472696e67225d2c20226e616d65223a202273227d5d7d00f7fec04439bccfe453789b4e24676492021e28b52ffd20063100000202066f6e65f7fec04439bccfe453789b4e24676492021628b52ffd20021100000300f7fec04439bccfe453789b4e24676492'::bytea);
SELECT codec, load('t', file) FROM files;
SELECT n, s, count(*) FROM t GROUP BY n, s ORDER BY n;
TRUNCATE t;

-- unknown codecs
SELECT load('t', header(schema_of('{"name":"n","type":"int"}'), 'lz4') || block(1, long(1)));
SELECT load('t', header(schema_of('{"name":"n","type":"int"}'), 'Deflate') || block(1, long(1)));
SELECT load('t', header(schema_of('{"name":"n","type":"int"}'), '') || block(1, long(1)));
-- codecs that lie: another codec's data, cut data
SELECT c.codec, count(*), bool_and(left(load('t', header(schema_of('{"name":"n","type":"int"},{"name":"s","type":"string"}'), c.codec) || block(3, d.data)), 5) = '22P04') AS refused
FROM codecs c, codecs d WHERE c.codec <> 'null' AND d.codec <> c.codec GROUP BY 1 ORDER BY 1;
SELECT codec, count(*), bool_and(left(load('t', header(schema_of('{"name":"n","type":"int"},{"name":"s","type":"string"}'), codec) || block(3, substring(data FOR i))), 5) = '22P04') AS refused
FROM codecs, generate_series(0, octet_length(data) - 1) i GROUP BY 1 ORDER BY 1;
-- more behind the data's end; not of deflate, where python3-avro writes three
-- bytes of zlib's checksum there, as in its file above
SELECT codec, load('t', header(schema_of('{"name":"n","type":"int"},{"name":"s","type":"string"}'), codec) || block(3, data || '\x00'))
FROM codecs WHERE codec <> 'deflate';
-- the CRC of snappy's blocks is of the data
SELECT load('t', header(schema_of('{"name":"n","type":"int"},{"name":"s","type":"string"}'), 'snappy') || block(3, set_byte(data, octet_length(data) - 1, get_byte(data, octet_length(data) - 1) # 1)))
FROM codecs WHERE codec = 'snappy';
-- a megabyte of zeros is more than the limit; snappy only says so
SET pg_intake.max_avro_block_size = '64kB';
SELECT load('t', header(schema_of('{"name":"n","type":"int"}'), 'zstandard') || block(1048576,
	'\x28b52ffda0000010005400001000000100fbff39c00202001000020010000200100002001000020010000200100003001000'));
SELECT load('t', header(schema_of('{"name":"n","type":"int"}'), 'bzip2') || block(1048576,
	'\x425a683931415926535938571ce50008084000c0040008200030cc0529a60806c4201e2ee48a70a12070ae39ca'));
SELECT load('t', header(schema_of('{"name":"n","type":"int"}'), 'snappy') || block(1, '\x8080400000000000'));
SELECT load('t', file('{"name":"s","type":"string"}', string(repeat('x', 70000))));
RESET pg_intake.max_avro_block_size;
SELECT count(*) FROM t;

--
-- What is refused
--
-- no text can hold it
SELECT rows_received FROM intake.upload('t', 'Obj'::text, 'avro');
SELECT rows_received FROM intake.upload('t', '[]'::jsonb, 'avro');
SELECT load('t', '');
SELECT load('t', convert_to(E'n,s\n1,a\n', 'UTF8'));
SELECT load('t', '\x4f626a02');
-- every cut of a file, save behind its header and behind its blocks
CREATE TABLE whole AS
SELECT head, head || block(1, long(1) || string('a')) || block(2, long(2) || string('b') || long(3) || string('c')) AS file
FROM header(schema_of('{"name":"n","type":"int"},{"name":"s","type":"string"}'), 'null') head;
SELECT load('t', file) FROM whole;
SELECT octet_length(file) - i AS behind, load('t', substring(file FOR i)) AS result
FROM whole, generate_series(0, octet_length(file) - 1) i
WHERE left(load('t', substring(file FOR i)), 5) <> '22P04';
TRUNCATE t;
SELECT load('t', substring(file FOR 20)) FROM whole;
SELECT load('t', substring(file FOR octet_length(head) - 1)) FROM whole;
SELECT load('t', substring(file FOR octet_length(head) + 1)) FROM whole;
SELECT load('t', substring(file FOR octet_length(head) + 3)) FROM whole;
SELECT load('t', substring(file FOR octet_length(file) - 1)) FROM whole;
-- a sync marker that is another one
SELECT load('t', set_byte(file, octet_length(file) - 1, 0)) FROM whole;
SELECT load('t', set_byte(file, octet_length(head) - 1, 0)) FROM whole;
-- counts and sizes that lie
SELECT load('t', head || block(2, long(1) || string('a'))) FROM whole;
SELECT load('t', head || block(1, long(1) || string('a') || long(2))) FROM whole;
SELECT load('t', head || block(0, long(1))) FROM whole;
SELECT load('t', head || block(-1, long(1) || string('a'))) FROM whole;
SELECT load('t', head || block(9223372036854775807, long(1) || string('a'))) FROM whole;
SELECT load('t', head || long(1) || long(-1) || sync()) FROM whole;
SELECT left(load('t', head || long(1) || long(9223372036854775807) || sync()), 5) IN ('22P04', '54000') FROM whole;
SELECT load('t', head || long(1) || long(100) || long(1) || string('a') || sync()) FROM whole;
SELECT load('t', head || '\xffffffffffffffffffff01'::bytea) FROM whole;
SELECT load('primitives', header(schema_of('')) || block(1, '\x00'));
-- values that are none: a boolean of 2, a union's branch, an int of more than
-- 32 bits, a string longer than the block, or of negative length
SELECT load('primitives', file('{"name":"b","type":"boolean"}', '\x02'));
SELECT load('t', file('{"name":"n","type":["null","int"]}', long(2)));
SELECT load('t', file('{"name":"n","type":["null","int"]}', long(-1)));
SELECT load('t', file('{"name":"n","type":"int"}', long(2147483648)));
SELECT load('t', file('{"name":"n","type":"int"}', '\xffffffffffffffffffff01'));
SELECT load('t', file('{"name":"s","type":"string"}', long(5) || 'abcd'));
SELECT load('t', file('{"name":"s","type":"string"}', long(-1)));
SELECT load('t', file('{"name":"s","type":"string"}', long(9223372036854775807)));
SELECT load('nested', file('{"name":"ia","type":{"type":"array","items":"int"}}', long(1000000) || long(1)));
SELECT load('nested', file('{"name":"j","type":{"type":"array","items":"null"}}', long(9223372036854775807) || long(0)));
-- records without bytes: some, but not as many as one likes to say
SELECT load('primitives', file('{"name":"nothing","type":"null"}', ''::bytea, 3));
SELECT load('primitives', header(schema_of('{"name":"nothing","type":"null"}'))
	|| block(600000, ''::bytea) || block(400001, ''::bytea));
-- strings are UTF-8 without NUL bytes
SELECT load('t', file('{"name":"s","type":"string"}', bytes('\x61ff')));
SELECT load('t', file('{"name":"s","type":"string"}', bytes('\xeda080')));
SELECT load('t', file('{"name":"s","type":"string"}', bytes('\x6100')));
SELECT load('nested', file('{"name":"j","type":{"type":"map","values":"string"}}', long(1) || bytes('\xff') || string('') || long(0)));
-- schemas that are none, or not of a record
SELECT schema, load('t', header(schema) || block(1, long(1)))
FROM unnest(ARRAY['"int"', '["null","int"]', '{"type":"array","items":"int"}',
	'{"type":"map","values":"int"}', '{"type":"enum","name":"E","symbols":["A"]}',
	'', '{', 'int', '"nonesuch"', '5', 'null', '{}', '[]', '{"type":"record"}',
	'{"type":"record","name":"R"}', '{"type":"record","name":"R","fields":{}}',
	'{"type":"record","fields":[]}',
	'{"type":"record","name":"R","fields":[{"name":"n"}]}',
	'{"type":"record","name":"R","fields":[{"type":"int"}]}',
	'{"type":"record","name":"R","fields":[{"name":"n","type":"X"}]}',
	'{"type":"record","name":"R","fields":[{"name":"n","type":"int"},{"name":"n","type":"int"}]}',
	'{"type":"record","name":"R","fields":[{"name":"n","type":["int","int"]}]}',
	'{"type":"record","name":"R","fields":[{"name":"n","type":["int",["null"]]}]}',
	'{"type":"record","name":"R","fields":[{"name":"n","type":[]}]}',
	'{"type":"record","name":"R","fields":[{"name":"n","type":{"type":"fixed","name":"F","size":-4}}]}',
	'{"type":"record","name":"R","fields":[{"name":"n","type":{"type":"fixed","name":"F"}}]}',
	'{"type":"record","name":"R","fields":[{"name":"n","type":{"type":"enum","name":"E","symbols":["A","A"]}}]}',
	'{"type":"record","name":"R","fields":[{"name":"n","type":{"type":"array"}}]}',
	'{"type":"record","name":"R","fields":[{"name":"n","type":{"type":"enum","name":"R","symbols":["A"]}}]}',
	'{"type":"record","name":"R","fields":[{"name":"n","type":"R"}]}'
	]) schema;
SELECT load('t', '\x4f626a01' || long(0) || sync());
SELECT load('t', '\x4f626a01' || long(1) || string('avro.codec') || string('null') || long(0) || sync());
-- a record that cannot end
SELECT left(load('lists', header('{"type":"record","name":"L","fields":[{"name":"value","type":"long"},{"name":"next","type":"L"}]}') || block(1, long(1) || long(1))), 5) IN ('22P04', '54000');
-- metadata in several blocks, with sizes, and of other programs
SELECT load('t', '\x4f626a01' || long(1) || string('some.thing') || bytes('\xff00')
	|| long(-1) || long(12 + 67) || string('avro.schema') || string('{"type":"record","name":"R","fields":[{"name":"n","type":"int"}]}')
	|| long(0) || sync() || block(1, long(42)));
SELECT * FROM t WHERE n = 42;
TRUNCATE t;
-- the record's number is right, across blocks; a file has no lines
SELECT rows_received FROM intake.upload('t', header(schema_of('{"name":"n","type":"int"},{"name":"s","type":"string"}'))
	|| block(2, long(1) || string('a') || long(2) || string('b')) || block(2, long(3) || string('c') || long(4) || bytes('\xff')), 'avro');
CREATE TABLE checked (n smallint, s varchar(3));
SELECT rows_received FROM intake.upload('checked', header(schema_of('{"name":"n","type":"int"},{"name":"s","type":"string"}'))
	|| block(2, long(1) || string('a') || long(2) || string('long')), 'avro');
SELECT rows_received FROM intake.upload('checked', header(schema_of('{"name":"n","type":"int"},{"name":"s","type":"string"}'))
	|| block(1, long(1) || string('a')) || block(1, long(40000) || string('b')), 'avro');
SELECT * FROM t;

-- sys_op in the file
CREATE TABLE keyed (id int PRIMARY KEY, s text);
INSERT INTO keyed VALUES (1, 'old'), (2, 'old');
SELECT rows_inserted, rows_updated, rows_deleted
FROM intake.upload('keyed', file('{"name":"id","type":"long"},{"name":"s","type":["null","string"]},{"name":"sys_op","type":"int"}',
	long(1) || long(1) || string('new') || long(0) || long(2) || long(0) || long(1) || long(3) || long(1) || string('new') || long(0), 3), 'avro', mode => 'merge');
SELECT * FROM keyed ORDER BY id;

SET client_min_messages = warning;
DROP SCHEMA avro CASCADE;
