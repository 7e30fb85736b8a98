-- CSV: headers, delimiters, quotes, line ends, NULL, what is refused, and that
-- it reads what COPY reads.  RFC 4180; SQLSTATE 22P04: malformed CSV.
CREATE SCHEMA csv;
SET search_path = csv, public;
\pset format unaligned
\pset null NULL

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
	FROM intake.upload(target, payload, 'csv', options => options);
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
CREATE FUNCTION load(target regclass, payload text, options jsonb DEFAULT '{}')
RETURNS text
LANGUAGE sql AS $$
	SELECT load(target, convert_to(payload, 'UTF8'), options)
$$;

CREATE TABLE t (n int, s text, f float8);
-- Loads, shows what is in the table, and empties it.
CREATE FUNCTION show(payload text, options jsonb DEFAULT '{}')
RETURNS SETOF t
LANGUAGE plpgsql AS $$
BEGIN
	PERFORM FROM intake.upload('t', payload, 'csv', options => options);
	RETURN QUERY SELECT * FROM t ORDER BY n;
	DELETE FROM t;
END
$$;

--
-- Headers
--
SELECT * FROM show(E'n,s,f\n1,a,1.5\n2,b,2.5\n');
-- in any order, not all columns, blanks around names, quoted names
SELECT * FROM show(E'f,n,s\n1.5,1,a\n');
SELECT * FROM show(E's,n\na,1\n');
SELECT * FROM show(E' f ,\tn\n1.5,1\n');
SELECT * FROM show(E'"s","n"\na,1\n');
SELECT * FROM show(E'n\n1\n2\n');
-- missing columns get their defaults, each record its own
CREATE TABLE defaults (
	id serial, word text DEFAULT upper('none'), n int,
	twice int GENERATED ALWAYS AS (n * 2) STORED);
SELECT load('defaults', E'n\n5\n6\n\n7\n');
SELECT load('defaults', E'n\n5\n6\n7\n');
SELECT n, word, twice, id - min(id) OVER () AS id FROM defaults ORDER BY n;
SELECT load('defaults', E'twice\n1\n');
-- names with what CSV quotes for
CREATE TABLE names ("a,b" int, "say ""x""" int, "Größe" int, "two
lines" int);
SELECT load('names', E'"say ""x""","a,b","Gr\u00f6\u00dfe","two\nlines"\n2,1,3,4\n5,x,7,8\n');
SELECT load('names', E'"say ""x""","a,b","Gr\u00f6\u00dfe","two\nlines"\n2,1,3,4\n');
SELECT * FROM names;

-- unknown, repeated, empty names
SELECT rows_received FROM intake.upload('t', E'n,s,x\n1,a,2\n'::text, 'csv');
SELECT load('t', E'n,S\n1,a\n');
SELECT load('t', E'n,\n1,a\n');
SELECT load('t', E'n,s,n\n1,a,2\n');
SELECT load('t', E'x\n1\n');
SELECT load('t', E'n,x,s\n1,2,a\n', '{"unknown": "ignore"}');
SELECT * FROM t;
DELETE FROM t;
SELECT load('t', E'x,y\n1,2\n', '{"unknown": "ignore"}');
SELECT load('t', E'n,x,n\n1,2,3\n', '{"unknown": "ignore"}');
-- a key column is needed: of a primary key for merge, of any for replace
CREATE TABLE keyed (a int, b int, c text, PRIMARY KEY (a, b));
DO $$
BEGIN
	PERFORM FROM intake.upload('keyed', E'a,c\n1,x\n'::text, 'csv', mode => 'merge');
	RAISE 'no error';
EXCEPTION WHEN OTHERS THEN
	RAISE NOTICE '%: %', SQLSTATE, SQLERRM;
END
$$;
SELECT rows_received FROM intake.upload('keyed', E'a,c\n1,x\n'::text, 'csv', mode => 'merge');
SELECT rows_received FROM intake.upload('keyed', E'b,c\n1,x\n'::text, 'csv', mode => 'replace', options => '{"key": ["a"]}');

-- nothing, and a header without records
SELECT load('t', '');
SELECT load('t', E'\uFEFF');
SELECT load('t', E'n,s,f');
SELECT load('t', E'n,s,f\n');
SELECT load('t', E'n,s,f\r\n');
SELECT load('t', E'\n');
SELECT load('t', '', '{"header": false}');
-- more fields than any table has columns
SELECT load('t', repeat(';', 100000) || E'\n');
SELECT load('t', repeat(',', 99999) || E'\n', '{"delimiter": ","}');
SELECT count(*) FROM t;

-- without a header: the columns' order, or option columns
SELECT * FROM show(E'1,a,1.5\n2,b,2.5', '{"header": false}');
SELECT * FROM show(E'1.5,1\n2.5,2', '{"header": false, "columns": ["f", "n"]}');
SELECT * FROM show(E'1.5;1\n2.5;2', '{"header": false, "columns": ["f", "n"]}');
SELECT * FROM show(E'1\n2', '{"header": false, "columns": ["n"]}');
SELECT load('t', E'1,a\n', '{"header": false}');
SELECT load('t', E'1,a\n', '{"header": false, "delimiter": ","}');
SELECT load('t', E'1,a\n', '{"header": false, "columns": ["n", "x"]}');
SELECT load('t', E'1,a\n', '{"header": false, "columns": ["n", "n"]}');
-- with columns, a header's names do not count
SELECT * FROM show(E'whatever,"it says"\n1,a\n', '{"columns": ["n", "s"]}');
SELECT load('defaults', E'10,NINE,9\n', '{"header": false}');
SELECT id, word, n, twice FROM defaults WHERE n = 9;

--
-- Delimiters
--
SELECT * FROM show(E'n;s;f\n1;a,b;1.5\n');
SELECT * FROM show(E'n,s,f\n1,a;b,1.5\n');
SELECT * FROM show(E'n\ts\tf\n1\ta|b\t1.5\n');
SELECT * FROM show(E'n|s|f\n1|a;b|1.5\n');
SELECT * FROM show(E'n:s:f\n1:a;b:1.5\n', '{"delimiter": ":"}');
SELECT * FROM show(E'n\ts\tf\n1\ta|b\t1.5\n', '{"delimiter": "\t"}');
SELECT * FROM show(E'n\ts\tf\n1\ta|b\t1.5\n', '{"delimiter": "\\t"}');
SELECT * FROM show(E'n s f\n1 "a b" 1.5\n', '{"delimiter": " "}');
-- a name that holds a delimiter: the one with which every field is a column
CREATE TABLE tricky ("a;b" int, c int);
SELECT load('tricky', E'a;b,c\n1,2\n');
SELECT * FROM tricky;
-- none fits
SELECT load('t', E'n,s;f\n1,a;2\n');
SELECT load('t', E'n:s:f\n1:a:2\n');
SELECT load('t', E'n;s;f\n1;a;2\n', '{"delimiter": ","}');
-- what no delimiter can be
SELECT load('t', 'n', '{"delimiter": ""}');
SELECT load('t', 'n', '{"delimiter": "ab"}');
SELECT load('t', 'n', '{"delimiter": "\n"}');
SELECT load('t', 'n', '{"delimiter": "é"}');
SELECT load('t', 'n', '{"delimiter": "\""}');
SELECT load('t', 'n', '{"delimiter": ",", "quote": ","}');
SELECT load('t', 'n', '{"quote": "auto"}');
SELECT load('t', 'n', '{"escape": "xx"}');

-- settings are what a request does not say
SET pg_intake.csv_delimiter = ':';
SET pg_intake.csv_quote = '''';
SET pg_intake.csv_escape = E'\\';
SET pg_intake.csv_null = '-';
SELECT * FROM show(E'n:s:f\n1:''a:\\''b'':-\n2:-:2\n3:''-'':3\n4::4\n');
SELECT * FROM show(E'n;s;f\n1;"a"";b";\n', '{"delimiter": "auto", "quote": "\"", "escape": "\"", "null": ""}');
SET pg_intake.csv_delimiter = 'xx';
SET pg_intake.csv_quote = '';
RESET pg_intake.csv_delimiter;
RESET pg_intake.csv_quote;
RESET pg_intake.csv_escape;
RESET pg_intake.csv_null;
SHOW pg_intake.csv_delimiter;

--
-- Values
--
-- an unquoted empty field is NULL, a quoted one is empty
SELECT n, s, s IS NULL AS s_is_null, f FROM show(E'n,s,f\n1,,\n2,"",2\n');
SELECT load('t', E'n,s\n"",a\n');
-- option null: any text, unquoted
SELECT * FROM show(E'n,s,f\n1,\\N,\\N\n2,"\\N",2\n3,,3\n', '{"null": "\\N"}');
SELECT * FROM show(E'n,s,f\n1,NULL,NULL\n2, NULL , NULL \n', '{"null": "NULL"}');
SELECT load('t', E'n,s,f\n1,a,\n', '{"null": "NULL"}');
SELECT load('t', 'n', '{"null": "a\nb"}');
SELECT load('t', 'n', '{"null": "a\"b"}');

-- blanks around an unquoted value do not count, save for character types
CREATE TABLE blanks (n int, f float8, b bool, d date, j json, s text, v varchar, c char(4));
SELECT load('blanks', E'n,f,b,d,j,s,v,c\n 1 ,\t1.5\t,  t  , 2020-02-29 , {} , a , b , c \n  ,\t, , ,  ,,,\n');
SELECT n, f, b, d, j, '<' || s || '>' AS s, '<' || v || '>' AS v, octet_length(c) FROM blanks;
DELETE FROM blanks;
SELECT load('blanks', E's,v\n , \n');
SELECT '<' || s || '>' AS s, '<' || v || '>' AS v FROM blanks;

-- RFC 4180, section 2, rules 5 to 7: quotes, line breaks and delimiters inside
SELECT n, to_json(s) AS s FROM show(E'n,s\n1,"a,b"\n2,"a\nb"\n3,"a\r\nb"\n4,"a""b"\n5,""""\n6,"""a"""\n7,"a\rb"\n');
-- quotes inside a field: as COPY takes them
SELECT n, s FROM show(E'n,s\n1,a"b"c\n2,a"b,c"d\n3,"a"b"c"\n4,"a"b\n');
-- other quotes and escapes
SELECT n, s FROM show(E'n,s\n1,''a,''''b''\n2,"b"\n', '{"quote": "''", "escape": "''"}');
SELECT n, s FROM show(E'n,s\n1,"a\\"b"\n2,"a\\\\b"\n3,a\\b\n4,"a\\b"\n', '{"escape": "\\"}');
-- multi-byte text
SELECT n, s FROM show(E'n,s\n1,\u00e9\u20ac\U0001F600\n2,"\u00e9,""\U0001F600"""\n');
-- in another encoding
SELECT load('t', '\x6e2c730a312ce40a'::bytea, '{"encoding": "LATIN1"}');
SELECT s = E'\u00e4' FROM t;
DELETE FROM t;

-- LF, CR LF, CR, and none at the end; a BOM at the start
SELECT count(*), string_agg(s, ' ' ORDER BY n) FROM show(E'n,s\n1,a\n2,b\n');
SELECT count(*), string_agg(s, ' ' ORDER BY n) FROM show(E'n,s\r\n1,a\r\n2,b\r\n');
SELECT count(*), string_agg(s, ' ' ORDER BY n) FROM show(E'n,s\r1,a\r2,b\r');
SELECT count(*), string_agg(s, ' ' ORDER BY n) FROM show(E'n,s\n1,a\n2,b');
SELECT count(*), string_agg(s, ' ' ORDER BY n) FROM show(E'n,s\n1,a\n2,"b"');
SELECT count(*), string_agg(s, ' ' ORDER BY n) FROM show(E'n,s\r\n1,a\r\n2,b');
SELECT count(*), string_agg(s, ' ' ORDER BY n) FROM show(E'\uFEFFn,s\n1,a\n2,b\n');
SELECT count(*), string_agg(s, ' ' ORDER BY n) FROM show(E'\uFEFF"n",s\n1,a\n2,b\n');
SELECT n, length(s) FROM show(E'n,s\n1,\uFEFFa\n');

-- one column: an empty line is a record with an empty field
CREATE TABLE one (s text);
SELECT load('one', E's\na\n\nb\n');
SELECT s FROM one;

--
-- What is refused, and where it is
--
-- ragged records
SELECT rows_received FROM intake.upload('t', E'n,s,f\n1,a,1\n2,b\n'::text, 'csv');
SELECT load('t', E'n,s,f\n1,a,1\n2,b,2,\n');
SELECT load('t', E'n,s,f\n1,a,1\n\n');
SELECT load('t', E'n,s,f\n,\n');
-- quotes that do not end
SELECT load('t', E'n,s\n1,a\n2,"b\n3,c\n');
SELECT load('t', E'n,s\n1,"');
SELECT load('t', E'n,"s\n1,a\n');
SELECT load('t', E'n,s\n1,"a\\"', '{"escape": "\\"}');
-- record and line are both right behind quoted line breaks
SELECT load('t', E'n,s\n1,"a\nb\nc"\nx,d\n');
SELECT load('t', E'n,s\r\n1,"a\r\nb\r\nc"\r\nx,d\r\n');
SELECT load('t', E'n,s\r1,"a\rb\rc"\rx,d\r');
SELECT load('t', E'"n",s\n1,"a\n\n"\n2,"\n"\n3,"\nb\n"\n"x\ny",d\n');
SELECT load('t', E'n,s,f\n1,"a\nb",1.5\n2,"c\nd",1e400\n');
-- and the column and the value, as it stands in the payload
SELECT rows_received FROM intake.upload('t', E's;n\na;1\nb; 12x \n'::text, 'csv');
SELECT load('t', E'n,s\n"1x",a\n');
SELECT load('t', E'n,s,f\n1,a,"1,5"\n');
SELECT load('t', E'n\n99999999999\n');
-- not UTF-8, a NUL byte: in a value, in the header
SELECT load('t', '\x6e2c730a312c61ff620a'::bytea);
SELECT load('t', '\x6e2c730a312c61c0800a'::bytea);
SELECT load('t', '\x6e2c730a312c61eda0800a'::bytea);
SELECT load('t', '\x6e2c730a312c22e282220a'::bytea);
SELECT load('t', '\x6e2c73ff0a312c610a'::bytea);
SELECT load('t', '\x6e2c730a312c6100620a'::bytea);
SELECT load('t', '\x6e2c73000a312c610a'::bytea);
-- too long
SET pg_intake.max_record_size = '1kB';
SELECT load('t', E'n,s\n1,' || repeat('x', 900) || E'\n2,' || repeat('x', 1100) || E'\n');
RESET pg_intake.max_record_size;
-- nothing of it was written
SELECT count(*) FROM t;

--
-- Prostore's examples, as they stand in its documentation: semicolons, blanks
-- in front of the lines, sys_op in the last column, no line end at the end
--
CREATE TABLE sales (id int PRIMARY KEY, varchar_col varchar);
SELECT intake.register_table('sales', datamart => 'marketing');
INSERT INTO sales VALUES (2, 'old'), (3, 'old'), (4, 'old');
-- 1 is inserted, 2 deleted, 3 replaced
SELECT rows_received, rows_inserted, rows_updated, rows_deleted, rows_affected
FROM intake.upload('sales', 'id;varchar_col;sys_op
     1;aaa;0
     2;bbb;1
     3;ccc;0'::text, 'csv');
SELECT * FROM sales ORDER BY id;
SELECT rows_received, rows_inserted, rows_updated, rows_deleted, rows_affected
FROM intake.upload('sales', 'id;varchar_col
     1;aaa
     2;bbb
     3;ccc'::text, 'csv', sys_op => 0);
SELECT * FROM sales ORDER BY id;
SELECT rows_received, rows_inserted, rows_updated, rows_deleted, rows_affected
FROM intake.upload('sales', 'id;varchar_col
     1;aaa
     2;bbb
     3;ccc'::text, 'csv', sys_op => 1);
SELECT * FROM sales ORDER BY id;
-- the request's sys_op beats the records'; an empty one is 0
SELECT rows_inserted, rows_deleted
FROM intake.upload('sales', E'id;sys_op\n4;0\n'::text, 'csv', sys_op => 1);
SELECT rows_inserted, rows_deleted
FROM intake.upload('sales', E'id;sys_op\n5;\n6; \n7; 0 \n'::text, 'csv');
SELECT * FROM sales ORDER BY id;
SELECT rows_inserted FROM intake.upload('sales', E'id;sys_op\n8;0\n9;2\n'::text, 'csv');

--
-- COPY reads the same from the same bytes
--
CREATE TABLE by_copy (
	id int, s text, v varchar(20), c char(6), n numeric(12,3), f float8,
	b bool, j jsonb, a text[], d date);
CREATE TABLE by_intake (LIKE by_copy);
COPY by_copy FROM STDIN (FORMAT csv, HEADER);
id,s,v,c,n,f,b,j,a,d
1,plain,plain,plain,1,1,t,1,{},2020-01-01
2,,,,,,,,,
3,"","","","2","2","f","""x""","{}","2020-01-01"
4, blanks , kept  ,  x,1.5,-0.0,true,"{""a"": [1, 2]}","{a,b}",2020-02-29
5,"quo""ted","a,b","c""","1e3",1e-5,no,null,"{""a,b"",NULL,""""}",0001-01-01
6,"line
break","two

breaks","a
b",.5,1e308,1,[],"{{a,b},{c,d}}",9999-12-31
7,in"ner" quotes,a"b,c,d"e,""x"",-1.2345,NaN,0,"""é""",{é},2000-01-01
8,"half"quoted,un"ter"ed,"a"b"c",0.0005,Infinity,off,"{""é"": ""€😀""}","{""€""}",1999-12-31
9,\backslash\,\N,\t,123456789.123,4.9e-324,y,true,"{\\\\}",2020-01-01
10,tab	inside,;|,'q',-0,0.1,yes,"[""\\""]",{NULL},2020-01-01
11,"","",,"0","0",,,,
12,"""","""""","""",1,1,f,"""""","{""\""""}",2020-01-01
13,汉字 кириллица,äöüß,éé,1,2.2250738585072014e-308,t,{},"{汉,字}",2020-01-01
\.
SELECT load('by_intake', $$id,s,v,c,n,f,b,j,a,d
1,plain,plain,plain,1,1,t,1,{},2020-01-01
2,,,,,,,,,
3,"","","","2","2","f","""x""","{}","2020-01-01"
4, blanks , kept  ,  x,1.5,-0.0,true,"{""a"": [1, 2]}","{a,b}",2020-02-29
5,"quo""ted","a,b","c""","1e3",1e-5,no,null,"{""a,b"",NULL,""""}",0001-01-01
6,"line
break","two

breaks","a
b",.5,1e308,1,[],"{{a,b},{c,d}}",9999-12-31
7,in"ner" quotes,a"b,c,d"e,""x"",-1.2345,NaN,0,"""é""",{é},2000-01-01
8,"half"quoted,un"ter"ed,"a"b"c",0.0005,Infinity,off,"{""é"": ""€😀""}","{""€""}",1999-12-31
9,\backslash\,\N,\t,123456789.123,4.9e-324,y,true,"{\\\\}",2020-01-01
10,tab	inside,;|,'q',-0,0.1,yes,"[""\\""]",{NULL},2020-01-01
11,"","",,"0","0",,,,
12,"""","""""","""",1,1,f,"""""","{""\""""}",2020-01-01
13,汉字 кириллица,äöüß,éé,1,2.2250738585072014e-308,t,{},"{汉,字}",2020-01-01
$$);
TABLE by_copy EXCEPT ALL TABLE by_intake;
TABLE by_intake EXCEPT ALL TABLE by_copy;
SELECT count(*) FROM by_copy JOIN by_intake USING (id)
WHERE by_copy.*::text = by_intake.*::text;
-- what COPY writes is read back, whatever the dialect
CREATE TABLE mirror (LIKE by_copy);
CREATE FUNCTION csv_of(delimiter text, quote text, escape text, null_text text)
RETURNS text
LANGUAGE sql AS $$
	-- as COPY TO ... (FORMAT csv, FORCE_QUOTE *) writes it
	SELECT string_agg((SELECT string_agg(CASE WHEN value IS NULL THEN null_text
			ELSE quote || replace(replace(value, escape,
					CASE WHEN escape = quote THEN escape ELSE escape || escape END),
				quote, escape || quote) || quote END, delimiter ORDER BY place)
		FROM unnest(ARRAY[id::text, s, v, c, n::text, f::text, b::text, j::text, a::text, to_char(d, 'YYYY-MM-DD')])
			WITH ORDINALITY AS u (value, place)), E'\r\n' ORDER BY id)
	FROM by_copy
$$;
SELECT delimiter, quote, escape, null_text,
	load('mirror', csv_of(delimiter, quote, escape, null_text),
		jsonb_build_object('header', false, 'delimiter', delimiter,
			'quote', quote, 'escape', escape, 'null', null_text))
FROM (VALUES (',', '"', '"', ''), (';', '"', '"', 'NULL'), ('|', '''', '\', '\N'), ('~', '$', '$', '-')) AS
	dialects (delimiter, quote, escape, null_text);
SELECT id, count(*) FROM mirror GROUP BY id HAVING count(*) <> 4;
SELECT DISTINCT * FROM mirror EXCEPT TABLE by_copy;
TABLE by_copy EXCEPT SELECT * FROM mirror;
-- the line \. is data here, and the end for COPY of old
SELECT load('one', E's\n\\.\nafter\n');

SELECT intake.unregister_table('sales');
SET client_min_messages = warning;
DROP SCHEMA csv CASCADE;
