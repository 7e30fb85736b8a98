-- What each mode does to the rows that are there and to those that come.
CREATE SCHEMA modes;
SET search_path = modes, public;
\pset null NULL

-- The counters of a result, in one text.
CREATE FUNCTION counted(intake.upload_result) RETURNS text LANGUAGE sql AS $$
    SELECT format('received %s inserted %s updated %s deleted %s skipped %s affected %s',
                  $1.rows_received, $1.rows_inserted, $1.rows_updated,
                  $1.rows_deleted, $1.rows_skipped, $1.rows_affected)
$$;

--
-- append
--
CREATE TABLE plain (id int PRIMARY KEY, name text DEFAULT 'none', made int GENERATED ALWAYS AS (id * 2) STORED);
-- unregistered: the default mode is append
SELECT counted(u) FROM intake.upload('plain', E'[1, "a"]\n{"id": 2}\n{"name": null, "id": 3}') u;
SELECT * FROM plain ORDER BY id;
-- a unique violation names the record, and nothing is written
SELECT counted(u) FROM intake.upload('plain', E'[4, "d"]\n[2, "again"]\n[5, "e"]') u;
SELECT count(*) FROM plain;
-- NOT NULL, CHECK and foreign keys as in any INSERT
CREATE TABLE child (id int PRIMARY KEY CHECK (id < 10), parent int NOT NULL REFERENCES plain);
SELECT counted(u) FROM intake.upload('child', E'[1, 1]\n\n[2, null]') u;
SELECT counted(u) FROM intake.upload('child', E'[1, 1]\n[10, 1]') u;
SELECT counted(u) FROM intake.upload('child', E'[1, 1]\n[2, 77]') u;
SELECT count(*) FROM child;

--
-- replace
--
-- the seed's example
CREATE TABLE goods ("Country" text, "City" text, "Goods quantity" numeric);
SELECT intake.register_table('goods', replacing_key => '{Country,City}', create_index => false);
SELECT counted(u) FROM intake.upload('goods', '["Russia", "Moscow", 1]
["Russia", "Kazan", 2.1]
["Russia", "Kazan", 2.2]') u;
SELECT counted(u) FROM intake.upload('goods', '["Russia", "Kazan", 10]') u;
SELECT * FROM goods ORDER BY 3;
-- both loads in one transaction
TRUNCATE goods;
BEGIN;
SELECT counted(u) FROM intake.upload('goods', '["Russia", "Moscow", 1]
["Russia", "Kazan", 2.1]
["Russia", "Kazan", 2.2]') u;
SELECT counted(u) FROM intake.upload('goods', '["Russia", "Kazan", 10]') u;
COMMIT;
SELECT * FROM goods ORDER BY 3;
-- NULL keys equal NULL keys, in each pattern
TRUNCATE goods;
INSERT INTO goods VALUES (NULL, NULL, 1), (NULL, 'a', 2), ('b', NULL, 3), ('b', 'a', 4), ('c', 'a', 5);
SELECT counted(u) FROM intake.upload('goods', '[null, null, 11]
[null, "a", 12]
["b", null, 13]
["c", "a", 15]') u;
SELECT * FROM goods ORDER BY 3;
-- numeric keys are equal when PostgreSQL says so
CREATE TABLE by_number (k numeric, v text);
INSERT INTO by_number VALUES (1.0, 'old'), (2, 'stays');
SELECT counted(u) FROM intake.upload('by_number', '[1.00, "new"]', mode => 'replace', options => '{"key": ["k"]}') u;
SELECT * FROM by_number ORDER BY k;
-- an expression as key
CREATE TABLE days (day date, at timestamptz, n int);
INSERT INTO days VALUES ('2020-01-01', '2020-01-01 00:00+00', 1), ('2020-01-31', NULL, 2), ('2020-02-01', NULL, 3);
SELECT intake.register_table('days', replacing_key => ARRAY['date_trunc(''month'', day)'], create_index => false);
SELECT counted(u) FROM intake.upload('days', '{"n": 10, "day": "2020-01-15"}') u;
SELECT day, n FROM days ORDER BY n;
-- without its key columns a record replaces nothing
SELECT counted(u) FROM intake.upload('days', '{"n": 10}') u;
-- no key at all
SELECT counted(u) FROM intake.upload('plain', '[9, "x"]', mode => 'replace') u;
-- the payload's own rows are no victims of its later batches
CREATE TABLE many (k int, v int);
SELECT counted(u) FROM intake.upload('many',
    (SELECT string_agg(format('[%s, %s]', i % 2, i), E'\n') FROM generate_series(1, 25000) i),
    mode => 'replace', options => '{"key": ["k"]}') u;
SELECT counted(u) FROM intake.upload('many',
    (SELECT string_agg(format('[%s, %s]', 1, i), E'\n') FROM generate_series(1, 12000) i),
    mode => 'replace', options => '{"key": ["k"]}') u;
SELECT k, count(*) FROM many GROUP BY k ORDER BY k;

--
-- merge
--
CREATE TABLE logical (id int, region text, name text DEFAULT 'none', n serial, PRIMARY KEY (id, region));
SELECT intake.register_table('logical');
SELECT counted(u) FROM intake.upload('logical', 'id;region;name;sys_op
1;a;one;0
2;b;two;
3;c;three;0', format => 'csv') u;
SELECT id, region, name FROM logical ORDER BY id;
-- 0 inserts or replaces the whole row (a missing column gets its default), 1
-- deletes, of a key that is not there nothing; the last record of a key wins
SELECT counted(u) FROM intake.upload('logical', '{"id": 1, "region": "a"}
{"id": 2, "region": "b", "sys_op": 1}
{"id": 9, "region": "z", "sys_op": 1}
{"id": 4, "region": "d", "name": "first"}
{"id": 4, "region": "d", "name": "last"}
{"id": 5, "region": "e", "name": "gone"}
{"id": 5, "region": "e", "sys_op": 1}
{"id": 3, "region": "c", "sys_op": 1}
{"id": 3, "region": "c", "sys_op": 0, "name": "again"}') u;
SELECT id, region, name FROM logical ORDER BY id;
-- the request's sys_op beats the record's
SELECT counted(u) FROM intake.upload('logical', '{"id": 1, "region": "a", "sys_op": 0}
{"id": 4, "region": "d"}', sys_op => 1) u;
SELECT id, region, name FROM logical ORDER BY id;
-- values that sys_op cannot have; NULL in a key; a missing key
SELECT counted(u) FROM intake.upload('logical', '{"id": 1, "region": "a", "sys_op": 2}') u;
SELECT counted(u) FROM intake.upload('logical', '{"id": 1, "region": "a", "sys_op": "x"}') u;
SELECT counted(u) FROM intake.upload('logical', '{"id": 1, "region": "a"}', sys_op => 2) u;
SELECT counted(u) FROM intake.upload('logical', '{"id": 1, "region": null, "sys_op": 1}') u;
SELECT counted(u) FROM intake.upload('logical', '{"id": 1}') u;
SELECT counted(u) FROM intake.upload('logical', E'id,name\n1,x\n', format => 'csv') u;
-- existing => keep leaves present rows alone
SELECT counted(u) FROM intake.upload('logical', '{"id": 3, "region": "c", "name": "not taken"}
{"id": 6, "region": "f", "name": "new"}', options => '{"existing": "keep"}') u;
SELECT id, region, name FROM logical ORDER BY id;
-- by another unique index
CREATE TABLE two_keys (id int PRIMARY KEY, code text UNIQUE, v int);
INSERT INTO two_keys VALUES (1, 'a', 1);
SELECT counted(u) FROM intake.upload('two_keys', '[2, "a", 5]', mode => 'merge', options => '{"key": ["code"]}') u;
SELECT * FROM two_keys;
SELECT counted(u) FROM intake.upload('two_keys', '[2, "a", 5]', mode => 'merge', options => '{"key": ["v"]}') u;
SELECT counted(u) FROM intake.upload('many', '[2, 5]', mode => 'merge') u;
-- a merge of several batches, upserts and deletes mixed
CREATE TABLE big (id int PRIMARY KEY, v int);
INSERT INTO big SELECT i, 0 FROM generate_series(1, 15000) i;
SELECT counted(u) FROM intake.upload('big',
    (SELECT string_agg(format('{"id": %s, "v": %s, "sys_op": %s}', i, i, (i % 5 = 0)::int), E'\n')
       FROM generate_series(10001, 35000) i), mode => 'merge') u;
SELECT count(*), count(*) FILTER (WHERE v = id), count(*) FILTER (WHERE v = 0) FROM big;

--
-- kinds: on proxy and standalone tables sys_op is an ordinary column
--
CREATE TABLE proxy (id int PRIMARY KEY, sys_op int);
SELECT intake.register_table('proxy', kind => 'proxy');
SELECT counted(u) FROM intake.upload('proxy', E'id;sys_op\n1;1\n2;7\n', format => 'csv') u;
SELECT counted(u) FROM intake.upload('proxy', E'id;sys_op\n1;0\n', format => 'csv', sys_op => 1) u;
SELECT * FROM proxy ORDER BY id;
CREATE TABLE standalone (id int PRIMARY KEY, v int);
SELECT intake.register_table('standalone', kind => 'standalone');
SELECT counted(u) FROM intake.upload('standalone', E'id;v;sys_op\n1;1;1\n', format => 'csv') u;
-- sys_op needs a merge
SELECT counted(u) FROM intake.upload('many', '[1, 1]', sys_op => 1) u;

--
-- truncate
--
SELECT counted(u) FROM intake.upload('by_number', '[7, "only"]', options => '{"truncate": true}') u;
SELECT * FROM by_number;
SELECT counted(u) FROM intake.upload('by_number', '[8, "only"]', options => '{"truncate": "fast"}') u;
SELECT * FROM by_number;
SELECT counted(u) FROM intake.upload('by_number', '', options => '{"truncate": true}') u;
SELECT counted(u) FROM intake.upload('by_number', '', options => '{"truncate": true, "allow_empty": true}') u;
SELECT count(*) FROM by_number;
SELECT counted(u) FROM intake.upload('goods', '["only", "one", 1]', options => '{"truncate": true}') u;
SELECT counted(u) FROM intake.upload('logical', '{"id": 1, "region": "only"}', options => '{"truncate": true}') u;
SELECT id, region, name FROM logical;
-- 'fast' is refused where DELETE would do more
SELECT counted(u) FROM intake.upload('plain', '[9, "x"]', options => '{"truncate": "fast"}') u;
CREATE FUNCTION nothing() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN OLD; END';
CREATE TRIGGER t BEFORE DELETE ON by_number FOR EACH ROW EXECUTE FUNCTION nothing();
SELECT counted(u) FROM intake.upload('by_number', '[9, "x"]', options => '{"truncate": "fast"}') u;

--
-- partition delete
--
INSERT INTO days VALUES ('2020-02-29', NULL, 4), ('2020-03-01', NULL, 5), (NULL, NULL, 6);
SELECT intake.register_table('days', partition_key => ARRAY['date_trunc(''month'', day)'], create_index => false);
SELECT counted(d) FROM intake.delete_partitions('days',
    '[{"date_trunc(''month'', day)": "2020-02-01"}, {"date_trunc(''month'', day)": null}]') d;
SELECT day, n FROM days ORDER BY n;
SELECT counted(d) FROM intake.delete_partitions('days', '[]') d;
SELECT counted(d) FROM intake.delete_partitions('days', '[{"day": "2020-02-01"}]') d;
SELECT counted(d) FROM intake.delete_partitions('days', '[{}]') d;
SELECT counted(d) FROM intake.delete_partitions('days', '{"date_trunc(''month'', day)": "2020-02-01"}') d;
SELECT counted(d) FROM intake.delete_partitions('days', '[{"date_trunc(''month'', day)": "monday"}]') d;
-- of an unregistered table, by columns
SELECT counted(d) FROM intake.delete_partitions('many', '[{"k": 1}]', options => '{"key": ["k"]}') d;
SELECT k, count(*) FROM many GROUP BY k;
SELECT counted(d) FROM intake.delete_partitions('many', '[{"k": 1}]') d;
-- an operation like any other
SELECT replayed, rows_deleted FROM intake.delete_partitions('many', '[{"k": 0}]',
    operation => '11111111-2222-4333-8444-555555555501', options => '{"key": ["k"]}');
INSERT INTO many VALUES (0, 0);
SELECT replayed, rows_deleted FROM intake.delete_partitions('many', '[{"k": 0}]',
    operation => '11111111-2222-4333-8444-555555555501', options => '{"key": ["k"]}');
SELECT * FROM many;

--
-- arguments and options
--
SELECT intake.upload(NULL, 'x'::text);
SELECT intake.upload('plain', NULL::text);
SELECT intake.upload('plain', 'x'::text, format => NULL);
SELECT intake.upload('plain', 'x'::text, options => NULL);
SELECT intake.upload('plain', 'x'::text, format => 'xml');
SELECT intake.upload('plain', 'x'::text, mode => 'upsert');
SELECT intake.upload('plain', 'x'::text, options => '{"delimeter": ";"}');
SELECT intake.upload('plain', 'x'::text, options => '{"header": "maybe"}');
SELECT intake.upload('plain', 'x'::text, options => '{"delimiter": "ab"}');
SELECT intake.upload('plain', 'x'::text, options => '{"existing": "maybe"}');
SELECT intake.upload('plain', 'x'::text, options => '{"key": "id"}');
SELECT intake.upload('plain', 'x'::text, options => '{"key": []}');
SELECT intake.upload('plain', 'x'::text, options => '[]');
SELECT intake.upload('plain', 'x'::text, options => '{"encoding": "klingon"}');
SELECT intake.upload('plain', 'x'::text, options => '{"delimiter": "\""}');
SELECT intake.upload('nowhere', 'x'::text);
SELECT intake.upload('plain_pkey', 'x'::text);
SELECT intake.upload('pg_class', 'x'::text);
SELECT intake.batch_rows();
SELECT * FROM intake.batch_rows() AS b(x int);
SELECT intake.batch_at(1, 1);

SET client_min_messages = warning;
DROP SCHEMA modes CASCADE;
