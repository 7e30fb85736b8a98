-- Bad records that are set aside (options max_errors and max_error_report,
-- view intake.rejects).  What is right: a tolerant upload comes to what a
-- strict one of the same payload without the bad records comes to, and each
-- bad record is reported as the strict upload of it alone would have been.
CREATE SCHEMA rejects;
SET search_path = rejects, public;
\pset null NULL
\pset format unaligned
SET TimeZone = 'UTC';

-- The counters, or the error with its DETAIL.
CREATE FUNCTION load(target regclass, payload text, format text DEFAULT 'ndjson',
    options jsonb DEFAULT '{"max_errors": 100}', mode text DEFAULT NULL)
RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    r intake.upload_result;
    message text;
    detail text;
BEGIN
    SELECT * INTO r FROM intake.upload(target, convert_to(payload, 'UTF8'), format,
        mode => mode, options => options);
    RETURN format('received %s inserted %s updated %s deleted %s skipped %s rejected %s reported %s',
        r.rows_received, r.rows_inserted, r.rows_updated, r.rows_deleted,
        r.rows_skipped, r.rows_rejected, jsonb_array_length(r.errors));
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL;
    RETURN concat_ws(E'\n  ', SQLSTATE || ' ' || message, nullif(replace(detail, E'\n', E'\n  '), ''));
END
$$;
-- The rejects of the last operation.
CREATE FUNCTION rejected(OUT record bigint, OUT lineno bigint, OUT code text, OUT col text,
    OUT value text, OUT line text, OUT message text, OUT detail text)
RETURNS SETOF record LANGUAGE sql AS $$
    SELECT j.record, j.lineno, j.errorcode, j.colname, j.raw_field_value, j.line, j.err_message, j.err_detail
      FROM intake.rejects j
     WHERE j.operation = (SELECT o.operation FROM intake.operations o ORDER BY o.sys_cn DESC LIMIT 1)
     ORDER BY j.record
$$;

CREATE DOMAIN positive AS int CHECK (VALUE > 0);
CREATE DOMAIN needed AS int NOT NULL;
CREATE TYPE mood AS ENUM ('sad', 'happy');
CREATE TABLE sorts (id int, n numeric(4,1), d date, p positive, m mood, b bytea, t varchar(3), g int GENERATED ALWAYS AS (id + 1) STORED);

--
-- NDJSON: what cannot be decoded or converted
--
SELECT load('sorts', E'{"id": 1}
{"id": "one"}
{"id": 1.5}
{"id": 99999999999}
{"n": 123456}
{"d": "2024-02-30"}
{"p": 0}
{"m": "glad"}
{"b": "\\\\xzz"}
{"t": "four"}
{"t": "a\\u0000"}
{"t": "\\ud800"}
{"x": 1}
{"id": 1, "id": 2}
{"g": 1}
{"id": 1
"id"
[1, 2]
{"id": 1} 2

{"id": [}
{"id": 3}
{"m": "happy", "t": "abc"}');
SELECT * FROM rejected();
SELECT * FROM sorts;
-- text that is not UTF-8; a carriage return belongs to the line's end
SELECT rows_inserted, rows_rejected FROM intake.upload('sorts', '\x7b2274223a2261ff627d0d0a7b226964223a20347d'::bytea,
    options => '{"max_errors": 1}');
SELECT * FROM rejected();
-- records of a jsonb array have no lines
SELECT rows_inserted, rows_rejected FROM intake.upload('sorts', '[{"id": 5}, {"id": "x"}, [1]]'::jsonb,
    options => '{"max_errors": 2}');
SELECT record, lineno, code, line FROM rejected();
-- a whole payload that is no NDJSON: not more than max_errors lines are read
SELECT load('sorts', E'[\n{"id": 1},\n{"id": 2}\n]', options => '{"max_errors": 2}');

--
-- limits: a count at once, a share at the end
--
CREATE TABLE counted (id int);
SELECT load('counted', E'[1]\n["x"]\n[2]', options => '{"max_errors": 1}');
SELECT load('counted', E'[1]\n["x"]\n["y"]\n[2]', options => '{"max_errors": 1}');
SELECT load('counted', E'[1]\n["x"]\n["y"]\n[2]', options => '{"max_errors": "50%"}');
-- and that of the server, for all that an upload may fill its tables with
SET pg_intake.max_rejects = 2;
SELECT load('counted', E'["x"]\n["y"]', options => '{"max_errors": 1000}');
SELECT load('counted', E'["x"]\n["y"]\n["z"]\n[2]', options => '{"max_errors": 1000}');
SELECT load('counted', E'["x"]\n["y"]\n["z"]\n[2]', options => '{"max_errors": "100%"}');
RESET pg_intake.max_rejects;
SELECT load('counted', E'[1]\n["x"]\n["y"]\n[2]', options => '{"max_errors": "49.9999%"}');
SELECT load('counted', E'["x"]\n["y"]', options => '{"max_errors": "100%"}');
SELECT load('counted', E'[1]', options => '{"max_errors": "0.1%"}');
SELECT load('counted', E'', options => '{"max_errors": "0.1%"}');
SELECT load('counted', string_agg(CASE WHEN i % 1000 = 7 THEN '["x"]' ELSE '[1]' END, E'\n'), options => '{"max_errors": "0.1%"}')
  FROM generate_series(1, 5000) i;
SELECT load('counted', string_agg(CASE WHEN i % 1000 IN (7, 9) AND i < 1010 OR i % 1000 = 7 THEN '["x"]' ELSE '[1]' END, E'\n'), options => '{"max_errors": "0.1%"}')
  FROM generate_series(1, 5000) i;
SELECT count(*) FROM counted;
-- strict ones
SELECT load('counted', E'[1]\n["x"]', options => '{"max_errors": 0}');
SELECT load('counted', E'[1]\n["x"]', options => '{"max_errors": "0%"}');
SELECT load('counted', E'[1]\n["x"]', options => '{"max_error_report": 5}');
-- values that are none
SELECT load('counted', '', options => '{"max_errors": -1}');
SELECT load('counted', '', options => '{"max_errors": "1.5"}');
SELECT load('counted', '', options => '{"max_errors": "100.1%"}');
SELECT load('counted', '', options => '{"max_errors": "0.00001%"}');
SELECT load('counted', '', options => '{"max_errors": "%"}');
SELECT load('counted', '', options => '{"max_errors": "many"}');
SELECT load('counted', '', options => '{"max_errors": 99999999999999999999}');
SELECT load('counted', '', options => '{"max_error_report": 10001}');
SELECT load('counted', '', options => '{"max_error_report": "all"}');
SELECT intake.delete_partitions('counted', '[]', options => '{"max_errors": 1, "key": ["id"]}');

-- how many are reported
SELECT load('counted', E'["a"]\n["b"]\n["c"]', options => '{"max_errors": 3, "max_error_report": 2}');
SELECT load('counted', E'["a"]\n["b"]\n["c"]', options => '{"max_errors": 2, "max_error_report": 2}');
SELECT load('counted', E'["a"]\n["b"]\n["c"]', options => '{"max_errors": 3, "max_error_report": 0}');
SELECT load('counted', E'["a"]\n["b"]\n["c"]', options => '{"max_errors": 2, "max_error_report": 0}');
SELECT count(*) FROM intake.rejects WHERE copy_tbl = 'counted'::regclass AND raw_field_value = 'c';

-- the answer, and a repeat's
SELECT replayed, rows_received, rows_inserted, rows_rejected, rows_affected, jsonb_pretty(errors)
  FROM intake.upload('counted', E'["a"]\n[1]', options => '{"max_errors": 1}', operation => '00000000-0000-4000-8000-000000000001');
SELECT replayed, rows_received, rows_inserted, rows_rejected, rows_affected, jsonb_pretty(errors)
  FROM intake.upload('counted', E'["a"]\n[1]', options => '{"max_errors": 1}', operation => '00000000-0000-4000-8000-000000000001');
SELECT userid::regrole = current_user::regrole AS is_own, copy_tbl::regclass, starttime = started_at AS is_same_time,
       operation, record, lineno, line, colname, raw_field_value, err_message, err_detail, errorcode
  FROM intake.rejects JOIN intake.operations USING (operation)
 WHERE operation = '00000000-0000-4000-8000-000000000001';
-- it goes with the operation
SELECT intake.forget_operation('00000000-0000-4000-8000-000000000001');
SELECT count(*) FROM intake.rejects WHERE operation = '00000000-0000-4000-8000-000000000001';
SELECT count(*) FROM intake.reject j WHERE NOT EXISTS (SELECT FROM intake.operation o WHERE o.sys_cn = j.sys_cn);
-- long records and values are cut
SELECT load('counted', format('["%s"]', repeat('ö', 20000)), options => '{"max_errors": 1}');
SELECT octet_length(line), right(line, 4), octet_length(value), octet_length(message) FROM rejected();

--
-- CSV
--
CREATE TABLE texts (id int, t text, n int);
SELECT load('texts', E'id,t,n
1,one,1
two,two,2
3,three
4,four,4,4

6,"six\nof ""them""",x
7,"seven",7
8,a"b"c,"8 "
9,nine,', 'csv');
SELECT * FROM rejected();
SELECT * FROM texts ORDER BY id;
-- quotes that are not meant as such: the record goes on, for COPY too, until
-- they are even, and its reject shows all of it
SELECT load('texts', E'id,t,n\n1,a"b,1\n2,b,2\n3,c"d,x\n4,d,4', 'csv');
SELECT record, lineno, line, message FROM rejected();
-- and where they never are, no record's end is known
SELECT load('texts', E'id,t,n\nx,a,1\n1,"b,1\n2,b,2\n', 'csv');
-- no line is taken for a record that may be the middle of a text
SELECT load('texts', E'id,t,n\n1,"a\n666,evil,666\nb",x\n2,b,2', 'csv');
SELECT record, lineno, col, line FROM rejected();
-- a header must be right
SELECT load('texts', E'id,t,nn\n1,a,1', 'csv');
SELECT load('texts', '', 'csv');
SELECT load('texts', E'1;a;x\n2;b;2', 'csv', '{"header": false, "max_errors": 1}');
SELECT record, lineno, col, value FROM rejected();
-- a record that is too long has no end either
SET pg_intake.max_record_size = '64kB';
SELECT load('texts', E'id,t,n\nx,a,1\n1,' || repeat('x', 70000) || E',1\n', 'csv');
SELECT load('texts', '[1, "' || repeat('x', 70000) || '", 1]');
RESET pg_intake.max_record_size;

--
-- Avro: values that do not fit are passed over by the schema, data that is
-- not what the schema says fails the upload
--
CREATE FUNCTION long(n bigint) RETURNS bytea LANGUAGE sql AS $$ SELECT set_byte('\x00', 0, (CASE WHEN n < 0 THEN -2 * n - 1 ELSE 2 * n END)::int) $$;
CREATE FUNCTION string(s text) RETURNS bytea LANGUAGE sql AS $$ SELECT long(octet_length(s)) || convert_to(s, 'UTF8') $$;
CREATE FUNCTION file(fields text, n int, records bytea) RETURNS bytea LANGUAGE sql AS $$
    SELECT '\x4f626a0102'::bytea || string('avro.schema')
        || set_byte(set_byte('\x0000', 0, (octet_length(schema) * 2) % 128 + 128), 1, octet_length(schema) * 2 / 128)
        || convert_to(schema, 'UTF8') || '\x00' || repeat('s', 16)::bytea
        || long(n) || set_byte(set_byte('\x0000', 0, (octet_length(records) * 2) % 128 + 128), 1, octet_length(records) * 2 / 128)
        || records || repeat('s', 16)::bytea
      FROM (VALUES (format('{"type":"record","name":"r","fields":[%s]}', fields))) AS s(schema)
$$;
CREATE TABLE avro (id smallint, t int, l int[], n int);
SELECT rows_received, rows_inserted, rows_rejected, errors IS NOT NULL AS has_errors FROM intake.upload('avro', file(
    '{"name":"id","type":"int"},{"name":"t","type":"string"},{"name":"l","type":{"type":"array","items":"string"}},{"name":"n","type":["null","int"]}', 4,
    long(1) || string('10') || '\x00' || '\x0202'
    || long(2) || string('ten') || '\x02' || string('1') || '\x00' || '\x00'
    || long(3) || string('30') || '\x04' || string('1') || string('x') || '\x00' || '\x0206'
    || long(4) || string('40') || '\x04' || string('1') || string('2') || '\x00' || '\x0208'),
    'avro', options => '{"max_errors": 2}');
SELECT * FROM rejected();
SELECT * FROM avro ORDER BY id;
CREATE FUNCTION load_avro(payload bytea) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    r intake.upload_result;
BEGIN
    SELECT * INTO r FROM intake.upload('avro', payload, 'avro', options => '{"max_errors": 10}');
    RETURN format('inserted %s rejected %s', r.rows_inserted, r.rows_rejected);
EXCEPTION WHEN OTHERS THEN
    RETURN SQLSTATE || ' ' || SQLERRM;
END
$$;
-- no such branch; no such text; a block that ends too early, or late
SELECT load_avro(file('{"name":"t","type":["null","string"]}', 2, '\x02' || string('x') || '\x06'));
SELECT load_avro(file('{"name":"t","type":["null","string"]}', 2, '\x02'::bytea || '\x04ff31' || '\x02' || string('5')));
SELECT load_avro(file('{"name":"t","type":"string"}', 2, string('x')));
SELECT load_avro(file('{"name":"t","type":"string"}', 1, string('x') || string('1')));

--
-- what the target refuses: append
--
CREATE TABLE parents (id int PRIMARY KEY);
INSERT INTO parents VALUES (1), (2);
CREATE TABLE strictly (
    id int PRIMARY KEY,
    name text NOT NULL,
    qty int CHECK (qty > 0),
    lo int, hi int, CONSTRAINT lo_hi CHECK (lo < hi),
    parent int REFERENCES parents,
    code text DEFAULT 'none',
    span int4range,
    ratio int GENERATED ALWAYS AS (100 / (hi - lo)) STORED,
    seq int GENERATED BY DEFAULT AS IDENTITY,
    EXCLUDE USING gist (span WITH &&)
);
CREATE UNIQUE INDEX strictly_code ON strictly (lower(code)) WHERE code <> 'none';
CREATE UNIQUE INDEX strictly_seq ON strictly (seq);
INSERT INTO strictly (id, name, code, span, seq) VALUES (100, 'there', 'C100', '[1,5)', 1000);
SELECT '{"id": 1, "name": "good", "qty": 1, "parent": 1}
{"id": 2, "qty": 1}
{"id": 3, "name": "x", "qty": -1}
{"id": 4, "name": "x", "lo": 2, "hi": 1}
{"id": 5, "name": "x", "parent": 9}
{"id": 1, "name": "again"}
{"id": 100, "name": "there"}
{"id": 6, "name": "x", "code": "c100"}
{"id": 7, "name": "x", "span": "[4,6)"}
{"id": 8, "name": "x", "seq": 1000}
{"id": "nine", "name": "x"}
{"id": 10, "name": "good", "code": "c10", "lo": 1, "hi": 3}
{"id": 11, "name": "x", "code": "C10"}
{"id": null, "name": "x"}
{"id": 12, "name": "good", "parent": 2}' AS payload \gset
SELECT load('strictly', :'payload');
SELECT record, lineno, code, col, value, line FROM rejected();
SELECT record, message, detail FROM rejected();
SELECT id, name, qty, parent, code, ratio FROM strictly ORDER BY id;
-- one less, and nothing is in
TRUNCATE strictly;
INSERT INTO strictly (id, name, code, span, seq) VALUES (100, 'there', 'C100', '[1,5)', 1000);
SELECT load('strictly', :'payload', options => '{"max_errors": 10, "max_error_report": 3}');
SELECT count(*) FROM strictly;
SELECT load('strictly', :'payload', options => '{"max_errors": 11}');
SELECT count(*) FROM strictly;
-- the same by SQL statements
TRUNCATE strictly;
INSERT INTO strictly (id, name, code, span, seq) VALUES (100, 'there', 'C100', '[1,5)', 1000);
SET pg_intake.direct_write = off;
SELECT load('strictly', :'payload');
SELECT record, code, col FROM rejected();
RESET pg_intake.direct_write;
-- a generated column's own error
CREATE TABLE ratios (a int, b int GENERATED ALWAYS AS (100 / a) STORED);
SELECT load('ratios', E'[1]\n[0]\n[2]');
SELECT record, code, line, message FROM rejected();

--
-- merge: the last good record of a key counts
--
TRUNCATE strictly;
INSERT INTO strictly (id, name, qty, code, seq) VALUES (100, 'there', 1, 'C100', 1000), (101, 'stays', 1, 'none', 1001), (102, 'goes', 1, 'none', 1002);
CREATE TABLE children (id int REFERENCES strictly);
INSERT INTO children VALUES (101);
SELECT '{"id": 1, "name": "first", "qty": 1}
{"id": 1, "name": "second", "qty": 2}
{"id": 1, "name": "third", "qty": 0}
{"id": 1, "name": "fourth", "qty": -1}
{"id": 100, "name": "updated"}
{"id": 100, "qty": 5}
{"id": 101, "name": "updated too"}
{"id": 101, "sys_op": 1}
{"id": 102, "sys_op": 1}
{"id": 103, "sys_op": 1}
{"id": 3, "sys_op": 2}
{"id": null, "name": "x"}
{"name": "x"}
{"id": 4, "name": "x", "code": "c100"}
{"id": 4, "name": "x", "code": "c4"}
{"id": 5, "name": "x", "code": "C4"}
{"id": 6, "name": "x", "parent": 7}
{"id": 6, "name": "x", "parent": 7, "sys_op": 1}' AS merged \gset
SELECT load('strictly', :'merged', mode => 'merge');
SELECT record, lineno, code, col, value, line FROM rejected();
SELECT id, name, qty, parent, code FROM strictly ORDER BY id;
-- the same without what was rejected, strictly
CREATE TABLE tolerant AS SELECT id, name, qty, parent, code FROM strictly;
DELETE FROM children;
TRUNCATE strictly CASCADE;
INSERT INTO strictly (id, name, qty, code, seq) VALUES (100, 'there', 1, 'C100', 1000), (101, 'stays', 1, 'none', 1001), (102, 'goes', 1, 'none', 1002);
INSERT INTO children VALUES (101);
SELECT load('strictly', string_agg(line, E'\n' ORDER BY n), mode => 'merge', options => '{}')
  FROM regexp_split_to_table(:'merged', '\n') WITH ORDINALITY AS l(line, n)
 WHERE n NOT IN (SELECT record FROM rejected());
SELECT count(*) FROM (TABLE tolerant EXCEPT SELECT id, name, qty, parent, code FROM strictly) x;
SELECT count(*) FROM (SELECT id, name, qty, parent, code FROM strictly EXCEPT TABLE tolerant) x;
-- rows that stay as they are
SELECT load('strictly', E'{"id": 100, "name": "kept"}\n{"id": 200, "name": "new"}\n{"id": 201}', mode => 'merge',
    options => '{"existing": "keep", "max_errors": 1}');
-- by SQL
SET pg_intake.direct_write = off;
SELECT load('strictly', E'{"id": 100, "name": "by SQL"}\n{"id": 202, "name": "new"}\n{"id": 203, "qty": 1}\n{"id": 101, "sys_op": 1}\n{"id": 101, "name": "older", "sys_op": 0}', mode => 'merge');
SELECT record, code, line FROM rejected();
RESET pg_intake.direct_write;
DELETE FROM strictly WHERE id = 203;
DELETE FROM children;

--
-- partial and conditional merges: where what the records of a key come to is
-- refused, they are written one by one
--
CREATE TABLE stock (id int PRIMARY KEY, name text NOT NULL, qty int CHECK (qty > 0), at int);
INSERT INTO stock VALUES (1, 'one', 1, 10), (2, 'two', 2, 10), (3, 'three', 3, 10);
SELECT load('stock', E'{"id": 1, "qty": 5}
{"id": 1, "qty": -5}
{"id": 1, "name": "uno"}
{"id": 2, "name": null}
{"id": 2, "name": "due"}
{"id": 3, "qty": 0}
{"id": 4, "qty": 4}
{"id": 5, "qty": 5}
{"id": 5, "name": "five", "qty": 6}
{"id": 3, "name": "tre"}
{"id": 6, "name": "six", "qty": "x"}', mode => 'merge', options => '{"update_columns": "present", "max_errors": 10}');
SELECT record, code, col, value, line FROM rejected();
SELECT * FROM stock ORDER BY id;
SELECT load('stock', E'{"id": 1, "qty": 7, "at": 11, "name": "a"}
{"id": 1, "qty": -1, "at": 12, "name": "b"}
{"id": 1, "qty": 8, "at": 9, "name": "c"}
{"id": 2, "qty": 0, "at": 12, "name": "d"}
{"id": 2, "qty": 9, "at": 11, "name": "e"}
{"id": 3, "sys_op": 1, "at": 9}
{"id": 5, "name": "x"}', mode => 'merge', options => '{"newer_by": "at", "max_errors": 10}');
SELECT record, code, col, line FROM rejected();
SELECT * FROM stock ORDER BY id;

--
-- replace and truncate: what cannot be decoded or converted, and no more
--
CREATE TABLE replaced (k text, v int CHECK (v > 0));
INSERT INTO replaced VALUES ('a', 1), ('b', 1), ('c', 1);
SELECT load('replaced', E'["a", 2]\n["b", "x"]\n["c", 3]', mode => 'replace', options => '{"key": ["k"], "max_errors": 1}');
SELECT * FROM replaced ORDER BY k;
SELECT load('replaced', E'["a", 3]\n["b", 0]', mode => 'replace', options => '{"key": ["k"], "max_errors": 1}');
SELECT load('replaced', E'["a", 3]\n["b", 0]', options => '{"truncate": true, "max_errors": 1}');
SELECT load('replaced', E'["a", 3]\n["b", "x"]', options => '{"truncate": true, "max_errors": 1}');
SELECT load('replaced', E'["a", "x"]\n["b", "x"]', options => '{"truncate": true, "max_errors": 2}');
SELECT load('replaced', E'["a", "x"]\n["b", "x"]', options => '{"truncate": true, "max_errors": 2, "allow_empty": true}');
SELECT * FROM replaced ORDER BY k;

--
-- constraints that are deferred are checked once, at the end: never tolerated
--
CREATE TABLE deferred (id int PRIMARY KEY DEFERRABLE INITIALLY DEFERRED,
    parent int REFERENCES parents DEFERRABLE INITIALLY IMMEDIATE);
SELECT load('deferred', E'[1, 1]\n[2, 9]\n[3, 2]');
BEGIN;
SET CONSTRAINTS ALL DEFERRED;
SELECT load('deferred', E'[11, 1]\n[12, 9]\n[13, 2]');
COMMIT;
BEGIN;
SELECT load('deferred', E'[1, 1]\n[14, 1]');
COMMIT;
SELECT * FROM deferred ORDER BY id;
SELECT count(*) FROM intake.rejects WHERE copy_tbl = 'deferred'::regclass;

--
-- columns that a record leaves out: defaults, identity, domains
--
CREATE SEQUENCE counter;
CREATE TABLE defaults (id int GENERATED ALWAYS AS IDENTITY, c int DEFAULT nextval('counter'), a int, d needed);
SELECT load('defaults', E'{"a": 1}\n{"a": 2, "d": 2}\n{"a": "x", "d": 3}\n{"a": 4, "c": 40, "d": 4}\n{"a": 5, "d": 5}\n{"id": 6, "d": 6}\n{"d": 7}');
SELECT record, code, col, message FROM rejected();
SELECT c, a, d FROM defaults ORDER BY d;
-- a column that only a bad record names is not needed to be granted
CREATE TABLE granted (a int, b int);
CREATE ROLE regress_rejects_some;
GRANT USAGE ON SCHEMA rejects, intake TO regress_rejects_some;
GRANT INSERT (a) ON granted TO regress_rejects_some;
SET ROLE regress_rejects_some;
SELECT load('granted', E'{"a": 1}\n{"a": "x", "b": 2}');
RESET ROLE;
-- a row that is refused many batches behind the first: of it, the columns that the role wrote
CREATE TABLE shown (a int CONSTRAINT late CHECK (a <= 20000), b text, c text DEFAULT 'secret');
GRANT INSERT, DELETE ON shown TO regress_rejects_some;
SET ROLE regress_rejects_some;
INSERT INTO shown (a, b) VALUES (20001, 'x');
SELECT load('shown', string_agg(format('{"a": %s, "b": "%s"}', i, repeat('x', CASE WHEN i BETWEEN 10001 AND 20000 THEN 150 ELSE 1 END)), E'\n' ORDER BY i), options => '{"truncate": true}')
  FROM generate_series(1, 20001) i;
RESET ROLE;
-- what a default writes for good records stays
CREATE TABLE log (a int);
CREATE FUNCTION logged() RETURNS int LANGUAGE plpgsql AS $$ BEGIN INSERT INTO rejects.log VALUES (1); RETURN 1; END $$;
CREATE TABLE logging (a int, b int DEFAULT logged());
SELECT load('logging', E'{"a": 1, "b": 2}\n{"a": 2}\n{"a": 3}\n{"a": "x"}\n{"a": 4}');
SELECT count(*) FROM log;

--
-- views, partitions, row security, triggers
--
CREATE VIEW few AS SELECT id, t FROM texts WHERE id < 1000 WITH CHECK OPTION;
SELECT load('few', E'[500, "in"]\n[1000, "out"]\n["x", "bad"]');
SELECT record, code, line FROM rejected();
CREATE TABLE parted (id int, v int CHECK (v > 0), PRIMARY KEY (id)) PARTITION BY RANGE (id);
CREATE TABLE parted_1 PARTITION OF parted FOR VALUES FROM (1) TO (10);
CREATE TABLE parted_2 (v int, id int NOT NULL, CONSTRAINT parted_v_check CHECK (v > 0));
ALTER TABLE parted ATTACH PARTITION parted_2 FOR VALUES FROM (10) TO (20);
SELECT load('parted', E'[1, 1]\n[20, 1]\n[12, 0]\n[11, 1]\n[11, 2]');
SELECT record, code, col, value, message FROM rejected();
SELECT load('parted', E'[1, 0]\n[20, 1]\n[2, 2]\n[11, 3]', mode => 'merge');
SELECT record, code, col, value FROM rejected();
SELECT * FROM parted ORDER BY id;
CREATE TABLE secured (id int, owner name DEFAULT current_user);
ALTER TABLE secured ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON secured USING (owner = current_user);
GRANT SELECT, INSERT ON secured TO regress_rejects_some;
SET ROLE regress_rejects_some;
-- a policy is a matter of rights
SELECT load('secured', E'{"id": 1}\n{"id": 2, "owner": "postgres"}');
SELECT load('secured', E'{"id": 1}\n{"id": "x"}');
RESET ROLE;
-- an error of a trigger counts when it says that it is one of the data
CREATE TABLE guarded (id int);
CREATE FUNCTION guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.id = 2 THEN RAISE EXCEPTION 'not two' USING ERRCODE = 'check_violation'; END IF;
    IF NEW.id = 3 THEN RAISE EXCEPTION 'not three'; END IF;
    IF NEW.id = 4 THEN RETURN NULL; END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER guard BEFORE INSERT ON guarded FOR EACH ROW EXECUTE FUNCTION guard();
SELECT load('guarded', E'[1]\n[2]\n[4]\n[5]');
SELECT load('guarded', E'[1]\n[3]\n[5]');
SELECT * FROM guarded;
-- a cancelled upload is cancelled
CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(60); RETURN NEW; END $$;
CREATE TABLE waiting (id int);
CREATE TRIGGER slow BEFORE INSERT ON waiting FOR EACH ROW EXECUTE FUNCTION slow();
SET statement_timeout = '100ms';
SELECT intake.upload('waiting', '[1]', options => '{"max_errors": "100%"}');
RESET statement_timeout;

--
-- rows of a query, a dry run, COPY
--
CREATE TABLE source (id int, v text);
INSERT INTO source VALUES (1, '1'), (2, 'two'), (3, '3'), (4, '44444');
CREATE TABLE narrow (id int PRIMARY KEY, v varchar(2));
SELECT rows_received, rows_inserted, rows_rejected FROM intake.upload_query('narrow', 'SELECT id, v FROM source ORDER BY id', options => '{"max_errors": 2}');
SELECT record, lineno, code, col, line, message FROM rejected();
-- the query's own errors are not the data's
SELECT intake.upload_query('narrow', 'SELECT id + 10 AS id, (1 / (id - 3))::text AS v FROM source ORDER BY id', options => '{"max_errors": "100%"}');
SELECT rows_inserted, rows_rejected, jsonb_array_length(errors) FROM intake.upload('narrow', E'[7, "a"]\n[8, "abc"]\n[1, "b"]', options => '{"max_errors": 2, "dry_run": true}');
SELECT count(*), (SELECT count(*) FROM rejected()) FROM narrow;
LOAD 'pg_intake';
COPY narrow FROM PROGRAM 'printf "[7, \"a\"]\n[8, \"abc\"]\n[1, \"b\"]\n"' WITH (FORMAT ndjson, MAX_ERRORS 2, OPERATION '00000000-0000-4000-8000-000000000002');
SELECT record, lineno, errorcode, colname FROM intake.rejects WHERE operation = '00000000-0000-4000-8000-000000000002' ORDER BY record;
COPY narrow FROM PROGRAM 'printf "9,a\n10,abc\n"' WITH (FORMAT csv, MAX_ERRORS '50%', OPERATION '00000000-0000-4000-8000-000000000003');
SELECT * FROM narrow ORDER BY id;

--
-- many bad rows: all of them are found, the others are in
--
CREATE TABLE many (id int PRIMARY KEY, v int CHECK (v >= 0), parent int REFERENCES parents);
SELECT load('many', string_agg(format('{"id": %s, "v": %s, "parent": %s}', i % 9000, CASE WHEN i % 7 = 0 THEN -1 ELSE i END, CASE WHEN i % 11 = 0 THEN 9 ELSE 1 END), E'\n' ORDER BY i),
    options => '{"max_errors": 10000}')
  FROM generate_series(1, 12000) i;
-- as one would expect: by plain INSERTs, in order
CREATE TABLE expected AS
SELECT DISTINCT ON (i % 9000) i, i % 9000 AS id FROM generate_series(1, 12000) i
 WHERE i % 7 <> 0 AND i % 11 <> 0 ORDER BY i % 9000, i;
SELECT count(*) FROM (SELECT i AS v, id FROM expected EXCEPT SELECT v, id FROM many) x;
SELECT count(*) FROM (SELECT v, id FROM many EXCEPT SELECT i, id FROM expected) x;
SELECT code, count(*) FROM rejected() GROUP BY code ORDER BY code;
-- a stage that is on disk is read twice
CREATE TABLE spilled (id int, pad text, CHECK (id <> 19999));
SET pg_intake.stage_memory = '1MB';
SELECT load('spilled', string_agg(format('[%s, "%s"]', i, repeat('x', 100)), E'\n' ORDER BY i)) FROM generate_series(1, 20000) i;
RESET pg_intake.stage_memory;
SELECT count(*), sum(id), count(DISTINCT id) FROM spilled;
-- all bad, in each direction
SELECT load('many', string_agg(format('[%s, 1, 1]', i), E'\n' ORDER BY i), options => '{"max_errors": "100%", "max_error_report": 1}') FROM generate_series(1, 3000) i WHERE i % 77 NOT IN (0, 7, 11, 14, 21, 22, 28, 33, 35, 42, 44, 49, 55, 56, 63, 66, 70);
SELECT load('many', string_agg(format('[%s, 1, 1]', i), E'\n' ORDER BY i DESC), options => '{"max_errors": "100%", "max_error_report": 1}') FROM generate_series(1, 3000) i WHERE i % 77 NOT IN (0, 7, 11, 14, 21, 22, 28, 33, 35, 42, 44, 49, 55, 56, 63, 66, 70);
SELECT load('many', string_agg(format('[%s, -1, 1]', i), E'\n' ORDER BY i), options => '{"max_errors": "100%", "max_error_report": 1}') FROM generate_series(20001, 23000) i;
SELECT load('many', string_agg(format('[%s, 1, 7]', i), E'\n' ORDER BY i), mode => 'merge', options => '{"max_errors": "100%", "max_error_report": 1}') FROM generate_series(20001, 23000) i;
SELECT count(*) FROM many WHERE id > 20000;

--
-- a table that refers to itself: children may come before their parents, and
-- bad records do not change that
--
CREATE TABLE tree (id int PRIMARY KEY, parent int REFERENCES tree, v int CHECK (v > 0));
SELECT load('tree', string_agg(format('[%s, %s, %s]', i, CASE i WHEN 1 THEN 'null' ELSE (i / 2)::text END, CASE i WHEN 2000 THEN -1 ELSE 1 END), E'\n' ORDER BY i DESC))
  FROM generate_series(1, 2000) i;
SELECT record, code FROM rejected();
-- the descendants of a bad one are not in either
TRUNCATE tree;
SELECT load('tree', string_agg(format('[%s, %s, %s]', i, CASE i WHEN 1 THEN 'null' ELSE (i - 1)::text END, CASE i WHEN 80 THEN -1 ELSE 1 END), E'\n' ORDER BY i DESC))
  FROM generate_series(1, 100) i;
SELECT code, count(*) FROM rejected() GROUP BY code ORDER BY code;
SELECT count(*), max(id) FROM tree;
-- two that refer to each other
SELECT load('tree', E'[201, 202, 1]\n[203, 201, -1]\n[202, 201, 1]');
-- merge: upserts and deletes
SELECT load('tree', E'[301, 302, 1]\n[302, 303, 1]\n[303, null, 1]\n[304, null, 0]', mode => 'merge');
SELECT rows_deleted, rows_rejected FROM intake.upload('tree', E'[301, null, 1]\n[302, null, 1]\n[303, null, 1]\n[1, null, 1]',
    mode => 'merge', sys_op => 1, options => '{"max_errors": 1}');
SELECT record, code, line FROM rejected();
CREATE TABLE restricted (id int PRIMARY KEY, parent int REFERENCES restricted ON DELETE RESTRICT);
INSERT INTO restricted VALUES (1, null), (2, 1), (3, 2), (11, null), (12, 11);
SELECT rows_deleted, rows_rejected FROM intake.upload('restricted', E'[1, null]\n[11, null]\n[2, null]\n[3, null]',
    mode => 'merge', sys_op => 1, options => '{"max_errors": 1}');
SELECT record, line FROM rejected();
SELECT * FROM restricted ORDER BY id;

--
-- who sees them: the role that ran the operation, the target's owner, and who
-- may read all data
--
CREATE ROLE regress_rejects_owner;
CREATE ROLE regress_rejects_reader IN ROLE pg_read_all_data;
CREATE ROLE regress_rejects_other IN ROLE pg_monitor;
GRANT USAGE ON SCHEMA rejects, intake TO regress_rejects_owner, regress_rejects_reader, regress_rejects_other;
CREATE TABLE owned (a int);
ALTER TABLE owned OWNER TO regress_rejects_owner;
GRANT INSERT ON owned TO regress_rejects_some;
SET ROLE regress_rejects_some;
SELECT load('owned', E'["secret"]');
RESET ROLE;
CREATE FUNCTION seen() RETURNS text LANGUAGE sql AS $$
    SELECT format('%s sees %s, errors of %s', current_user,
        (SELECT count(*) FROM intake.rejects WHERE raw_field_value = 'secret'),
        (SELECT count(*) FROM intake.operations WHERE errors @> '[{"value": "secret"}]')) $$;
SET ROLE regress_rejects_some;
SELECT seen();
SET ROLE regress_rejects_owner;
SELECT seen();
SET ROLE regress_rejects_reader;
SELECT seen();
SET ROLE regress_rejects_other;
SELECT seen();
SELECT count(*) FROM intake.reject;
SELECT count(*) FROM intake.reject_0;
INSERT INTO intake.rejects (record) VALUES (1);
RESET ROLE;
-- who owns a table of that name later does not
DROP TABLE owned;
CREATE TABLE owned (a int);
ALTER TABLE owned OWNER TO regress_rejects_owner;
SET ROLE regress_rejects_owner;
SELECT seen();
RESET ROLE;

SET client_min_messages = warning;
DROP SCHEMA rejects CASCADE;
DROP OWNED BY regress_rejects_some, regress_rejects_owner, regress_rejects_reader, regress_rejects_other;
DROP ROLE regress_rejects_some, regress_rejects_owner, regress_rejects_reader, regress_rejects_other;
