-- Merges that set some columns of a row (option update_columns), or only when
-- they are newer (option newer_by), against plain statements, in every way in
-- which a merge is written.
CREATE SCHEMA partial_merge;
SET search_path = partial_merge, public;
SET client_min_messages = warning;
SET timezone = UTC;
\pset null NULL
\set SHOW_CONTEXT never
CREATE FUNCTION counted(intake.upload_result) RETURNS text LANGUAGE sql AS $$
    SELECT format('inserted %s updated %s deleted %s skipped %s',
                  $1.rows_inserted, $1.rows_updated, $1.rows_deleted, $1.rows_skipped)
$$;

--
-- update_columns
--
CREATE TABLE goods (id int PRIMARY KEY, name text NOT NULL, price numeric DEFAULT 1, note text DEFAULT 'none',
    changed timestamptz, twice numeric GENERATED ALWAYS AS (price * 2) STORED);
INSERT INTO goods VALUES (1, 'apple', 10, 'red', '2024-01-01'), (2, 'pear', 20, 'green', '2024-01-02');
-- each record sets what it gives: null is a value; the NOT NULL name of rows
-- that are there need not come again, and new ones get defaults
SELECT counted(u) FROM intake.upload('goods', '{"id": 1, "price": 11}
{"id": 2, "note": null}
{"id": 3, "name": "fig"}', mode => 'merge', options => '{"update_columns": "present"}') u;
SELECT * FROM goods ORDER BY id;
-- 'all' is the default
SELECT counted(u) FROM intake.upload('goods', '{"id": 1, "name": "apple"}', mode => 'merge', options => '{"update_columns": "all"}') u;
SELECT * FROM goods WHERE id = 1;
-- a new row without what it must have
SELECT counted(u) FROM intake.upload('goods', '{"id": 1, "price": 12}
{"id": 4, "price": 3}', mode => 'merge', options => '{"update_columns": "present"}') u;
-- CSV and array rows: the columns are the same for all records
SELECT counted(u) FROM intake.upload('goods', E'price,id\n13,1\n,2\n', format => 'csv', mode => 'merge',
    options => '{"update_columns": "present"}') u;
SELECT counted(u) FROM intake.upload('goods', '[3, "ripe"]', mode => 'merge',
    options => '{"update_columns": "present", "columns": ["id", "note"]}') u;
SELECT counted(u) FROM intake.upload('goods', '[{"id": 3, "price": 7}]'::jsonb, mode => 'merge',
    options => '{"update_columns": "present"}') u;
SELECT * FROM goods ORDER BY id;
-- Avro: the file of test/sql/avro.sql, (1, 'one') and (-2, null)
CREATE TABLE avro (n int PRIMARY KEY, s text, kept text DEFAULT 'new');
INSERT INTO avro VALUES (1, 'before', 'kept');
SELECT counted(u) FROM intake.upload('avro', '\x4f626a0104146176726f2e636f646563086e756c6c166176726f2e736368656d61e8017b2274797065223a20227265636f7264222c20226e616d65223a202252222c20226669656c6473223a205b7b2274797065223a2022696e74222c20226e616d65223a20226e227d2c207b2274797065223a205b226e756c6c222c2022737472696e67225d2c20226e616d65223a202273227d5d7d0075376c544d005b3742384c08eab47959020c0202066f6e6575376c544d005b3742384c08eab479590204030075376c544d005b3742384c08eab47959'::bytea, format => 'avro', mode => 'merge', options => '{"update_columns": "present"}') u;
SELECT * FROM avro ORDER BY n;
-- several records of one key: the later one wins column by column; after a
-- delete the row starts from defaults; a delete at the end deletes
SELECT counted(u) FROM intake.upload('goods', '{"id": 1, "price": 14, "note": "first"}
{"id": 1, "note": "last"}
{"id": 2, "price": 21}
{"id": 2, "sys_op": 1}
{"id": 2, "name": "new pear"}
{"id": 3, "price": 8}
{"id": 3, "sys_op": 1}
{"id": 5, "price": 5}
{"id": 5, "name": "kiwi"}', mode => 'merge', options => '{"update_columns": "present"}') u;
SELECT * FROM goods ORDER BY id;
-- a record of nothing but its key changes nothing, but makes a new row
CREATE TABLE bare (id int PRIMARY KEY, v int DEFAULT 5);
INSERT INTO bare VALUES (1, 1);
SELECT counted(u) FROM intake.upload('bare', E'{"id": 1}\n{"id": 2}', mode => 'merge', options => '{"update_columns": "present"}') u;
SELECT * FROM bare ORDER BY id;
-- with existing => keep it is about new rows only
SELECT counted(u) FROM intake.upload('bare', E'{"id": 1, "v": 9}\n{"id": 3, "v": 9}\n{"id": 3}', mode => 'merge',
    options => '{"update_columns": "present", "existing": "keep"}') u;
SELECT * FROM bare ORDER BY id;

--
-- newer_by
--
CREATE TABLE readings (id text PRIMARY KEY, value int DEFAULT 0, at timestamptz);
INSERT INTO readings VALUES ('older', 1, '2024-01-01'), ('same', 1, '2024-01-02'), ('newer', 1, '2024-01-03'), ('null', 1, NULL);
SELECT counted(u) FROM intake.upload('readings', '["older", 2, "2024-01-02"]
["same", 2, "2024-01-02"]
["newer", 2, "2024-01-02"]
["null", 2, "2024-01-02"]
["new", 2, "2024-01-02"]', mode => 'merge', options => '{"newer_by": "at"}') u;
SELECT * FROM readings ORDER BY id;
-- NULL is older than any value, and as old as NULL
UPDATE readings SET at = NULL WHERE id IN ('null', 'new');
SELECT counted(u) FROM intake.upload('readings', '["older", 3, null]
["null", 3, null]
["new", 3, "2024-01-02"]
["newest", 3, null]', mode => 'merge', options => '{"newer_by": "at"}') u;
SELECT * FROM readings ORDER BY id;
-- within a payload the greatest wins, of equal ones the last
SELECT counted(u) FROM intake.upload('readings', '["older", 10, "2024-02-03"]
["older", 11, "2024-02-01"]
["older", 12, null]
["same", 20, "2024-02-01"]
["same", 21, "2024-02-01"]
["newest", 30, null]
["newest", 31, null]', mode => 'merge', options => '{"newer_by": "at"}') u;
SELECT * FROM readings ORDER BY id;
-- deletes: one that is older than the row leaves it, one without a value, or
-- with NULL, does not
SELECT counted(u) FROM intake.upload('readings', '{"id": "older", "sys_op": 1, "at": "2024-02-02"}
{"id": "same", "sys_op": 1, "at": "2024-02-01"}
{"id": "newer", "sys_op": 1}
{"id": "new", "sys_op": 1, "at": null}
{"id": "newest", "sys_op": 1, "at": "2020-01-01"}
{"id": "nowhere", "sys_op": 1, "at": "2020-01-01"}', mode => 'merge', options => '{"newer_by": "at"}') u;
SELECT * FROM readings ORDER BY id;
SELECT counted(u) FROM intake.upload('readings', E'id\nnull\nolder\n', format => 'csv', sys_op => 1, mode => 'merge',
    options => '{"newer_by": "at"}') u;
SELECT * FROM readings ORDER BY id;
-- the order is that of the column: numbers by value, texts by collation
CREATE TABLE versions (id int PRIMARY KEY, v text, n numeric, t text COLLATE "C", e text COLLATE "en-x-icu");
INSERT INTO versions VALUES (1, 'old', 9, 'a', 'B');
SELECT counted(u) FROM intake.upload('versions', '[1, "n", 10, "B", "a"]', mode => 'merge', options => '{"newer_by": "n"}') u;
SELECT counted(u) FROM intake.upload('versions', '[1, "t", 11, "C", "b"]', mode => 'merge', options => '{"newer_by": "t"}') u;
SELECT counted(u) FROM intake.upload('versions', '[1, "e", 11, "C", "B"]', mode => 'merge', options => '{"newer_by": "e"}') u;
SELECT counted(u) FROM intake.upload('versions', '[1, "a", 11, "C", "a"]', mode => 'merge', options => '{"newer_by": "e"}') u;
SELECT * FROM versions;

--
-- both
--
CREATE TABLE both_ (id int PRIMARY KEY, a int DEFAULT 100, b int DEFAULT 200, v int);
INSERT INTO both_ VALUES (1, 0, 0, 10), (2, 0, 0, 10), (3, 0, 0, 10), (4, 0, 0, 10);
-- of several records those count that are not older than the row (1, 2, 3);
-- after a delete that counts the row starts from defaults (4)
SELECT counted(u) FROM intake.upload('both_', '{"id": 1, "v": 5, "a": 1}
{"id": 1, "v": 15, "b": 1}
{"id": 2, "v": 10, "a": 2}
{"id": 2, "v": 15, "b": 2}
{"id": 3, "v": 5, "a": 3}
{"id": 3, "v": 6, "b": 3}
{"id": 4, "v": 11, "a": 4}
{"id": 4, "sys_op": 1, "v": 12}
{"id": 4, "v": 3, "b": 4}
{"id": 5, "v": 1, "a": 5}
{"id": 5, "v": 2, "b": 5}
{"id": 6, "v": 2, "a": 6}
{"id": 6, "v": 1, "b": 6}', mode => 'merge', options => '{"update_columns": "present", "newer_by": "v"}') u;
SELECT * FROM both_ ORDER BY id;

--
-- what is refused
--
SELECT intake.upload('both_', '[1]'::text, options => '{"newer_by": "v"}');
SELECT intake.upload('both_', '[1]'::text, mode => 'append', options => '{"update_columns": "present"}');
SELECT intake.upload('both_', '[1]'::text, mode => 'replace', options => '{"update_columns": "present", "key": ["id"]}');
SELECT intake.upload('both_', '[1]'::text, mode => 'merge', options => '{"newer_by": "v", "existing": "keep"}');
SELECT intake.upload('both_', '[1]'::text, mode => 'merge', options => '{"newer_by": "w"}');
SELECT intake.upload('both_', '[1]'::text, mode => 'merge', options => '{"newer_by": "id"}');
SELECT intake.upload('both_', '[1]'::text, mode => 'merge', options => '{"newer_by": ["v"]}');
SELECT intake.upload('both_', '[1]'::text, mode => 'merge', options => '{"update_columns": "some"}');
SELECT intake.upload('goods', '[1]'::text, mode => 'merge', options => '{"newer_by": "twice"}');
\set VERBOSITY terse
SELECT intake.delete_partitions('both_', '[]', options => '{"newer_by": "v"}');
\set VERBOSITY default
CREATE TABLE pointed (id int PRIMARY KEY, p point);
SELECT intake.upload('pointed', '[1]'::text, mode => 'merge', options => '{"newer_by": "p"}');
-- a record that does not delete must say how new it is
\set SHOW_CONTEXT always
SELECT intake.upload('both_', E'{"id": 1, "v": 1}\n{"id": 1, "sys_op": 1}\n{"id": 1, "a": 1}', mode => 'merge', options => '{"newer_by": "v"}');
SELECT intake.upload('both_', E'id,a\n1,1\n', format => 'csv', mode => 'merge', options => '{"newer_by": "v"}');
\set SHOW_CONTEXT never
-- names of columns that no payload can give
SELECT intake.upload('both_', '{"id": 1, "v": 1, "": 1}'::text, mode => 'merge', options => '{"newer_by": "v"}');
SELECT intake.upload('both_', E'id,v,""\n1,1,1\n', format => 'csv', mode => 'merge', options => '{"newer_by": "v"}');
SELECT counted(u) FROM intake.upload('both_', '{"": 1, "id": 9, "": 2, "v": 1}'::text, mode => 'merge', options => '{"newer_by": "v", "unknown": "ignore"}') u;
SELECT * FROM both_ WHERE id = 9;
-- the functions of the statements
SELECT intake.batch_replaces(0, 1);
SELECT intake.batch_sets(0, 1, 1);
SELECT intake.batch_value(0, 1, 1);

--
-- defaults of a registered target; what the call says comes first
--
SELECT intake.register_table('both_', options => '{"newer_by": "v", "update_columns": "present"}');
SELECT intake.register_table('both_', options => '{"newer_by": "v", "existing": "keep"}');
SELECT counted(u) FROM intake.upload('both_', E'{"id": 1, "v": 1}\n{"id": 2, "v": 50}') u;
SELECT counted(u) FROM intake.upload('both_', E'{"id": 1}\n{"id": 2}', options => '{"existing": "keep"}') u;
SELECT counted(u) FROM intake.upload('both_', E'{"id": 1, "v": 50}', options => '{"update_columns": "all"}') u;
SELECT counted(u) FROM intake.upload('both_', E'{"id": 100}', mode => 'append') u;
SELECT * FROM both_ WHERE id IN (1, 2, 100) ORDER BY id;

--
-- against plain statements: random records, one after the other
--
CREATE FUNCTION random(seed text, below int) RETURNS int LANGUAGE sql IMMUTABLE AS $$
    SELECT ('x' || substr(md5(seed), 1, 7))::bit(28)::int % below
$$;
-- Records over 60 keys; with holes, a record gives some of its columns.
CREATE FUNCTION records(seed text, count int, holes bool, deletes bool) RETURNS SETOF jsonb LANGUAGE sql AS $$
    SELECT jsonb_build_object('id', random(seed || 'id' || i, 60), 'day', '2024-01-01'::date + random(seed || 'id' || i, 60),
                              'v', CASE WHEN random(seed || 'null' || i, 12) > 0 THEN random(seed || 'v' || i, 12) END)
        || CASE WHEN deletes AND random(seed || 'sys_op' || i, 5) = 0 THEN '{"sys_op": 1}'::jsonb ELSE '{}' END
        || CASE WHEN holes AND random(seed || 'a' || i, 2) = 0 THEN '{}' ELSE jsonb_build_object('a', i) END
        || CASE WHEN holes AND random(seed || 'b' || i, 2) = 0 THEN '{}' ELSE jsonb_build_object('b', 'b' || i) END
        || CASE WHEN holes AND random(seed || 'c' || i, 2) = 0 THEN '{}' ELSE jsonb_build_object('c', nullif(random(seed || 'c' || i, 4), 2)) END
      FROM generate_series(1, count) i ORDER BY i
$$;
CREATE FUNCTION text_of(seed text, count int, holes bool, deletes bool) RETURNS text LANGUAGE sql AS $$
    SELECT string_agg(r::text, E'\n') FROM records(seed, count, holes, deletes) r
$$;
-- What the records mean, in plain SQL.
CREATE FUNCTION apply(target regclass, seed text, count int, holes bool, deletes bool, present bool, newer bool)
RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    r jsonb;
    names text;
    sets text;
BEGIN
    FOR r IN SELECT records(seed, count, holes, deletes) LOOP
        IF r ? 'sys_op' THEN
            EXECUTE format('DELETE FROM %s WHERE id = ($1->>''id'')::int AND (NOT $2 OR ($1->>''v'') IS NULL OR v IS NULL OR ($1->>''v'')::int >= v)',
                           target) USING r, newer;
            CONTINUE;
        END IF;
        SELECT string_agg(name, ', ') INTO names FROM jsonb_object_keys(r) name;
        SELECT string_agg(format('%1$s = excluded.%1$s', name), ', ') INTO sets
          FROM unnest(ARRAY['v', 'a', 'b', 'c', 'd']) name WHERE NOT present OR r ? name;
        EXECUTE format('INSERT INTO %1$s AS t (%2$s) SELECT %2$s FROM jsonb_populate_record(NULL::%1$s, $1)
                        ON CONFLICT (id, day) DO UPDATE SET %3$s WHERE NOT $2 OR t.v IS NULL OR excluded.v >= t.v',
                       target, names, sets) USING r, newer;
    END LOOP;
END $$;
-- Rows of the target that are not as plain statements leave them, and whether
-- the counters are net.
CREATE FUNCTION differ(target regclass, seed text, count int, holes bool, deletes bool, present bool, newer bool)
RETURNS TABLE (wrong bigint, counters text) LANGUAGE plpgsql AS $$
DECLARE
    result intake.upload_result;
    options jsonb := '{"key": ["id", "day"]}';
BEGIN
    EXECUTE format('TRUNCATE %s, plain', target);
    INSERT INTO plain SELECT i, '2024-01-01'::date + i, CASE WHEN i % 10 > 0 THEN i % 10 END, -i, 'before' FROM generate_series(0, 59, 2) i;
    EXECUTE format('INSERT INTO %s SELECT * FROM plain', target);
    EXECUTE format('CREATE TEMP TABLE before AS SELECT tableoid AS relation, ctid AS place, id FROM %s', target);
    IF present THEN
        options := options || '{"update_columns": "present"}';
    END IF;
    IF newer THEN
        options := options || '{"newer_by": "v"}';
    END IF;
    result := intake.upload(target, text_of(seed, count, holes, deletes), mode => 'merge', options => options);
    PERFORM apply('plain', seed, count, holes, deletes, present, newer);
    EXECUTE format('SELECT count(*) FROM ((TABLE %1$s EXCEPT TABLE plain) UNION ALL (TABLE plain EXCEPT TABLE %1$s)) d', target) INTO wrong;
    EXECUTE format('SELECT CASE WHEN $1.rows_inserted = count(*) FILTER (WHERE b.id IS NULL)
                                 AND $1.rows_deleted = count(*) FILTER (WHERE a.id IS NULL)
                                 AND $1.rows_updated = count(*) FILTER (WHERE (a.tableoid, a.ctid) <> (b.relation, b.place))
                           THEN ''net'' ELSE counted($1) END
                      FROM %s a FULL JOIN before b USING (id)', target) USING result INTO counters;
    DROP TABLE before;
    RETURN NEXT;
END $$;

CREATE TABLE plain (id int, day date, v int, a int DEFAULT 7, b text DEFAULT 'default', c int, d text DEFAULT 'd', PRIMARY KEY (id, day));
CREATE TABLE simple (LIKE plain INCLUDING ALL);
-- a CHECK might refuse a row of defaults: not by ON CONFLICT
CREATE TABLE checked (LIKE plain INCLUDING ALL, CHECK (a > -100));
CREATE TABLE by_unique (id int, day date, v numeric, a int DEFAULT 7, b text DEFAULT 'default', c int, d text DEFAULT 'd', UNIQUE (id, day));
CREATE TABLE triggered (LIKE plain INCLUDING ALL);
CREATE FUNCTION pass() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE TRIGGER t BEFORE INSERT OR UPDATE ON triggered FOR EACH ROW EXECUTE FUNCTION pass();
CREATE TABLE parted (LIKE plain INCLUDING ALL) PARTITION BY RANGE (day);
CREATE TABLE parted_1 PARTITION OF parted FOR VALUES FROM ('2024-01-01') TO ('2024-01-20');
CREATE TABLE parted_2 (gone int, d text DEFAULT 'other', c int, b text, a int, v int, day date NOT NULL, id int NOT NULL);
ALTER TABLE parted_2 DROP COLUMN gone;
ALTER TABLE parted ATTACH PARTITION parted_2 FOR VALUES FROM ('2024-01-20') TO ('2025-01-01');
CREATE TABLE secured (LIKE plain INCLUDING ALL);
ALTER TABLE secured ENABLE ROW LEVEL SECURITY;
ALTER TABLE secured FORCE ROW LEVEL SECURITY;
CREATE POLICY everything ON secured USING (id >= 0);
CREATE ROLE partial_merge_owner;
ALTER TABLE secured OWNER TO partial_merge_owner;
GRANT ALL ON ALL TABLES IN SCHEMA partial_merge TO partial_merge_owner;
GRANT ALL ON SCHEMA partial_merge TO partial_merge_owner;
GRANT USAGE ON SCHEMA intake TO partial_merge_owner;

-- all of them, straight and by SQL, with each combination of the options
CREATE FUNCTION differ_all(seed text) RETURNS TABLE (target text, holes bool, deletes bool, present bool, newer bool, wrong bigint, counters text)
LANGUAGE sql AS $$
    SELECT name, h, d, p, n, x.* FROM unnest(ARRAY['simple', 'checked', 'by_unique', 'triggered', 'parted', 'secured']) name,
           unnest(ARRAY[false, true]) h, unnest(ARRAY[false, true]) d, unnest(ARRAY[false, true]) p,
           unnest(ARRAY[false, true]) n, differ(name::regclass, seed || name || h || d || p || n, 160, h, d, p, n) x
$$;
CREATE TEMP TABLE runs AS SELECT * FROM differ_all('one');
SELECT count(*) FROM runs;
SELECT * FROM runs WHERE wrong > 0 OR counters <> 'net';
SET pg_intake.direct_write = off;
SELECT * FROM differ_all('two') WHERE wrong > 0 OR counters <> 'net';
SET ROLE partial_merge_owner;
SELECT x.* FROM unnest(ARRAY[false, true]) p, unnest(ARRAY[false, true]) n, differ('secured', 'owner', 240, true, true, p, n) x;
RESET ROLE;
BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT * FROM differ_all('three') WHERE wrong > 0 OR counters <> 'net';
ROLLBACK;
RESET pg_intake.direct_write;
-- several batches, where many records are of one key
SELECT * FROM differ('simple', 'four', 12000, true, true, true, true);
SELECT * FROM differ('parted', 'five', 12000, true, false, true, true);

--
-- triggers see the old row's values, and defaults are for new rows only
--
CREATE SEQUENCE numbers;
CREATE TABLE seen (id int PRIMARY KEY, n int DEFAULT nextval('numbers'), a text, b text);
CREATE TABLE log (line text);
CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO log VALUES (concat_ws(' ', TG_WHEN, TG_OP, OLD, NEW));
    RETURN NEW;
END $$;
CREATE TRIGGER before_update BEFORE UPDATE ON seen FOR EACH ROW EXECUTE FUNCTION note();
CREATE TRIGGER after_update AFTER UPDATE OF b ON seen FOR EACH ROW EXECUTE FUNCTION note();
INSERT INTO seen VALUES (1, -1, 'a', 'b'), (2, -2, 'a', 'b');
SELECT counted(u) FROM intake.upload('seen', E'{"id": 1, "a": "x"}\n{"id": 2, "a": "y"}\n{"id": 3, "a": "z"}\n{"id": 4, "sys_op": 1}',
    mode => 'merge', options => '{"update_columns": "present"}') u;
SELECT * FROM seen ORDER BY id;
TABLE log;
-- a column that is mentioned late, in another batch
CREATE TABLE late (id int PRIMARY KEY, a int, b int DEFAULT 3);
INSERT INTO late SELECT i, 0, 0 FROM generate_series(1, 24000, 2) i;
SELECT counted(u) FROM intake.upload('late', (SELECT string_agg(
    CASE WHEN i = 15001 THEN '{"id": 15001, "b": -1}' ELSE format('{"id": %s, "a": %s}', i, i) END, E'\n')
    FROM generate_series(1, 24000) i), mode => 'merge', options => '{"update_columns": "present"}') u;
SELECT a = id AS has_a, b, count(*) FROM late GROUP BY 1, 2 ORDER BY 1, 2;
-- a domain that refuses NULL, where only new rows lack a value
CREATE DOMAIN given_text AS text NOT NULL;
CREATE TABLE domains (id int PRIMARY KEY, a int, t given_text);
INSERT INTO domains VALUES (1, 1, 'one');
SELECT counted(u) FROM intake.upload('domains', E'{"id": 1, "a": 2}\n{"id": 2, "t": "two"}', mode => 'merge', options => '{"update_columns": "present"}') u;
SELECT counted(u) FROM intake.upload('domains', E'{"id": 1, "a": 3}\n{"id": 3, "a": 3}\n{"id": 4, "t": "x"}', mode => 'merge', options => '{"update_columns": "present"}') u;
SET pg_intake.direct_write = off;
SELECT counted(u) FROM intake.upload('domains', E'{"id": 1, "a": 4}\n{"id": 2, "t": "2"}\n{"id": 5, "t": "five"}', mode => 'merge', options => '{"update_columns": "present"}') u;
SELECT counted(u) FROM intake.upload('domains', E'{"id": 1, "a": 5}\n{"id": 3, "a": 3}\n{"id": 4, "t": "x"}', mode => 'merge', options => '{"update_columns": "present"}') u;
RESET pg_intake.direct_write;
SELECT * FROM domains ORDER BY id;
-- identity columns, and tables that inherit
CREATE TABLE identified (id int PRIMARY KEY, a int, always int GENERATED ALWAYS AS IDENTITY, by_default int GENERATED BY DEFAULT AS IDENTITY);
INSERT INTO identified (id, a) VALUES (1, 1), (2, 2);
SELECT counted(u) FROM intake.upload('identified', E'{"id": 2, "a": 20}\n{"id": 3, "a": 30}\n{"id": 4, "by_default": 40}\n{"id": 9, "sys_op": 1}',
    mode => 'merge', options => '{"update_columns": "present"}') u;
SELECT * FROM identified ORDER BY id;
CREATE TABLE child () INHERITS (checked);
INSERT INTO child (id, day, d) VALUES (1, '2024-01-02', 'child');
SELECT x.* FROM differ('checked', 'six', 240, true, true, true, true) x;
TRUNCATE ONLY checked;
SELECT counted(u) FROM intake.upload('checked', '{"id": 1, "day": "2024-01-02", "a": 1}', mode => 'merge', options => '{"update_columns": "present"}') u;
SELECT tableoid::regclass, id, a, d FROM checked;

-- a second unique index: what is left out would be in its way
CREATE TABLE coded (id int PRIMARY KEY, code int UNIQUE DEFAULT 1, a int);
INSERT INTO coded VALUES (1, 1, 1), (2, 2, 2);
SELECT counted(u) FROM intake.upload('coded', '{"id": 2, "a": 20}', mode => 'merge', options => '{"update_columns": "present"}') u;
SELECT counted(u) FROM intake.upload('coded', '{"id": 3, "a": 30}', mode => 'merge', options => '{"update_columns": "present"}') u;
SELECT * FROM coded ORDER BY id;
-- the table lock is shared as long as INSERT ... ON CONFLICT does
CREATE FUNCTION lock_of(target regclass, payload text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    result text;
BEGIN
    PERFORM intake.upload(target, payload, mode => 'merge', options => '{"update_columns": "present"}');
    SELECT string_agg(mode, ', ') INTO result FROM pg_locks
     WHERE locktype = 'advisory' AND pid = pg_backend_pid() AND objid = target AND objsubid = x'4902'::int;
    RETURN result;
END $$;
CREATE TABLE free (id int PRIMARY KEY, a int NOT NULL DEFAULT 1, b text);
SELECT lock_of('free', E'{"id": 1, "a": 1}\n{"id": 2, "b": "b"}');
INSERT INTO goods VALUES (1, 'apple') ON CONFLICT DO NOTHING;
SELECT lock_of('goods', '{"id": 1, "price": 1}');
SELECT lock_of('checked', '{"id": 1, "day": "2024-01-02", "v": 1}');
SELECT lock_of('checked', '{"id": 1, "day": "2024-01-02", "a": 1}');
SELECT lock_of('domains', '{"id": 1, "a": 9}');
SELECT lock_of('domains', '{"id": 1, "t": "one"}');
SELECT lock_of('coded', '{"id": 1, "a": 9}');
-- the functions of the statements answer nobody else what is not theirs
CREATE TABLE meddled (id int PRIMARY KEY, a int, v int);
CREATE FUNCTION try(call text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    result text;
BEGIN
    EXECUTE 'SELECT ' || call INTO result;
    RETURN result;
EXCEPTION WHEN OTHERS THEN
    RETURN SQLERRM;
END $$;
CREATE FUNCTION meddle() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO log SELECT call || ': ' || try(call) FROM unnest(ARRAY[
        'intake.batch_replaces(0, ''x''::text)', 'intake.batch_replaces(1, 1)', 'intake.batch_replaces(NULL, 1)',
        'intake.batch_sets(0, 99, 1)', 'intake.batch_sets(0, -1, 1)', 'intake.batch_sets(0, 1, NULL::bigint)',
        'intake.batch_value(0, 1, ''x''::text)', 'intake.batch_value(0, 99, 1)']) call;
    RETURN NEW;
END $$;
CREATE TRIGGER t BEFORE INSERT ON meddled FOR EACH ROW EXECUTE FUNCTION meddle();
TRUNCATE log;
SET pg_intake.direct_write = off;
SELECT counted(u) FROM intake.upload('meddled', '{"id": 1, "v": 1}', mode => 'merge', options => '{"update_columns": "present", "newer_by": "v"}') u;
RESET pg_intake.direct_write;
TABLE log;

--
-- rights: UPDATE on the columns that are set, SELECT on what is compared
--
CREATE TABLE granted (id int PRIMARY KEY, a int, b int, v int);
INSERT INTO granted VALUES (1, 1, 1, 1);
REVOKE ALL ON granted FROM partial_merge_owner;
GRANT SELECT (id, a), INSERT (id, a), UPDATE (a) ON granted TO partial_merge_owner;
SET ROLE partial_merge_owner;
SELECT counted(u) FROM intake.upload('granted', '{"id": 1, "a": 2}', mode => 'merge', options => '{"update_columns": "present"}') u;
SELECT counted(u) FROM intake.upload('granted', E'{"id": 1, "a": 3}\n{"id": 2}', mode => 'merge', options => '{"update_columns": "present"}') u;
SELECT counted(u) FROM intake.upload('granted', '{"id": 1, "a": 2}', mode => 'merge') u;
SELECT counted(u) FROM intake.upload('granted', '{"id": 1, "b": 2}', mode => 'merge', options => '{"update_columns": "present"}') u;
RESET ROLE;
GRANT INSERT (v), UPDATE (v), DELETE ON granted TO partial_merge_owner;
SET ROLE partial_merge_owner;
SELECT counted(u) FROM intake.upload('granted', '{"id": 1, "a": 4, "v": 4}', mode => 'merge', options => '{"update_columns": "present", "newer_by": "v"}') u;
SELECT counted(u) FROM intake.upload('granted', E'{"id": 1, "a": 4, "v": 4}\n{"id": 2, "sys_op": 1, "v": 3}', mode => 'merge',
    options => '{"update_columns": "present", "newer_by": "v"}') u;
RESET ROLE;
GRANT SELECT (v) ON granted TO partial_merge_owner;
SET ROLE partial_merge_owner;
SELECT counted(u) FROM intake.upload('granted', '{"id": 1, "a": 4, "v": 4}', mode => 'merge', options => '{"update_columns": "present", "newer_by": "v"}') u;
SELECT counted(u) FROM intake.upload('granted', E'{"id": 1, "a": 5, "v": 5}\n{"id": 2, "sys_op": 1, "v": 3}', mode => 'merge',
    options => '{"update_columns": "present", "newer_by": "v"}') u;
RESET ROLE;
TABLE granted;

DROP SCHEMA partial_merge CASCADE;
REVOKE USAGE ON SCHEMA intake FROM partial_merge_owner;
DROP ROLE partial_merge_owner;
