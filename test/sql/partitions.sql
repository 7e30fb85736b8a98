-- Merges into declaratively partitioned tables, straight into partitions:
-- what a partition has of its own.  A merge by another key than the primary
-- one, or with a delete, holds the table lock alone and goes that way.
CREATE SCHEMA partitions;
SET search_path = partitions, public;
SET datestyle = ISO;
\pset null NULL
CREATE FUNCTION counted(intake.upload_result) RETURNS text LANGUAGE sql AS $$
    SELECT format('received %s inserted %s updated %s deleted %s skipped %s',
                  $1.rows_received, $1.rows_inserted, $1.rows_updated,
                  $1.rows_deleted, $1.rows_skipped)
$$;

--
-- a unique index that is no primary key; that of one partition goes down
--
CREATE TABLE sales (id int NOT NULL, v text DEFAULT 'none', n int) PARTITION BY RANGE (id);
CREATE TABLE sales_0 PARTITION OF sales FOR VALUES FROM (0) TO (100);
CREATE TABLE sales_1 (n int, gone int, v text, id int NOT NULL);
ALTER TABLE sales_1 DROP COLUMN gone;
CREATE UNIQUE INDEX ON sales_1 (id DESC);
ALTER TABLE sales ATTACH PARTITION sales_1 FOR VALUES FROM (100) TO (200);
CREATE TABLE sales_2 PARTITION OF sales FOR VALUES FROM (200) TO (300);
CREATE UNIQUE INDEX sales_id ON sales (id);
SELECT pg_get_indexdef(inhrelid) FROM pg_inherits WHERE inhparent = 'sales_id'::regclass ORDER BY 1;
CREATE FUNCTION say() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE NOTICE '% % %', TG_WHEN, TG_OP, TG_TABLE_NAME;
    RETURN NULL;
END $$;
CREATE TRIGGER b BEFORE INSERT OR UPDATE ON sales EXECUTE FUNCTION say();
CREATE TRIGGER a AFTER INSERT OR UPDATE ON sales EXECUTE FUNCTION say();
-- ON CONFLICT would fire BEFORE UPDATE, too
SELECT counted(u) FROM intake.upload('sales', E'[110, "a", 1]\n[20, "b", 2]\n[130, "c", 3]\n[10, "d", 4]', mode => 'merge', options => '{"key": ["id"]}') u;
SELECT counted(u) FROM intake.upload('sales', E'[130, "C", 30]\n[120, "e", 5]\n[115, "f", 6]\n[140, "g", 7]\n[110, "A", 10]\n{"id": 20}\n[21, "h", 8]', mode => 'merge', options => '{"key": ["id"]}') u;
SELECT tableoid::regclass, * FROM sales ORDER BY id;
SELECT counted(u) FROM intake.upload('sales', E'[130, "-", 0]\n[131, "i", 9]', mode => 'merge', options => '{"key": ["id"], "existing": "keep"}') u;
-- only the partitions that rows go to are opened
BEGIN;
SELECT counted(u) FROM intake.upload('sales', E'[131, "I", 9]\n[132, "j", 10]', mode => 'merge', options => '{"key": ["id"]}') u;
SELECT relation::regclass, mode FROM pg_locks WHERE pid = pg_backend_pid() AND relation::regclass::text ~ '^sales_[0-9]$' ORDER BY 1, 2;
COMMIT;
-- a row without a partition
SELECT counted(u) FROM intake.upload('sales', E'[150, "x", 1]\n[1, "y", 2]\n[300, "z", 3]', mode => 'merge', options => '{"key": ["id"]}') u;
-- a constraint of a partition, for a row that is new and one that is there
ALTER TABLE sales_1 ADD CONSTRAINT positive CHECK (n > 0);
SELECT counted(u) FROM intake.upload('sales', E'[1, "y", 0]\n[131, "x", 0]', mode => 'merge', options => '{"key": ["id"]}') u;
SELECT counted(u) FROM intake.upload('sales', E'[1, "y", 0]\n[160, "x", 0]', mode => 'merge', options => '{"key": ["id"]}') u;
-- a partition's own unique index: another row is in the way
CREATE UNIQUE INDEX ON sales_1 (v);
\set SHOW_CONTEXT never
SELECT counted(u) FROM intake.upload('sales', E'[1, "I", 1]\n[132, "I", 1]', mode => 'merge', options => '{"key": ["id"]}') u;
SELECT counted(u) FROM intake.upload('sales', E'[1, "I", 1]\n[170, "I", 1]', mode => 'merge', options => '{"key": ["id"]}') u;
\set SHOW_CONTEXT errors
SELECT id, v FROM sales WHERE id IN (1, 132, 170);
-- updates of a published partition without a replica identity are refused, as UPDATE is
SET client_min_messages = error;
CREATE PUBLICATION sales_changes FOR TABLE sales_2;
SELECT counted(u) FROM intake.upload('sales', '[210, "k", 1]', mode => 'merge', options => '{"key": ["id"]}') u;
UPDATE sales SET v = 'K' WHERE id = 210;
SELECT counted(u) FROM intake.upload('sales', E'[1, "J", 1]\n[210, "K", 1]', mode => 'merge', options => '{"key": ["id"]}') u;
DROP PUBLICATION sales_changes;
RESET client_min_messages;
-- rights are those on the table that is named
CREATE ROLE merger;
GRANT USAGE ON SCHEMA partitions, intake TO merger;
GRANT SELECT (id), INSERT, UPDATE (v, n) ON sales TO merger;
SET ROLE merger;
SELECT counted(u) FROM intake.upload('sales', E'[1, "l", 1]\n[2, "m", 2]', mode => 'merge', options => '{"key": ["id"]}') u;
RESET ROLE;
REVOKE UPDATE (n) ON sales FROM merger;
SET ROLE merger;
SELECT counted(u) FROM intake.upload('sales', E'[1, "l", 1]\n[2, "m", 2]', mode => 'merge', options => '{"key": ["id"]}') u;
RESET ROLE;
-- some columns, and newer rows alone; a present row keeps what it has by the
-- names of columns, whatever their order
SELECT counted(u) FROM intake.upload('sales', E'{"id": 10, "v": "D"}\n{"id": 110, "v": "AA"}\n{"id": 111, "v": "aa", "n": 1}', mode => 'merge', options => '{"key": ["id"], "update_columns": "present"}') u;
SELECT counted(u) FROM intake.upload('sales', E'[10, "older", 3]\n[110, "newer", 11]\n[115, "older", 5]\n[112, "bb", 1]', mode => 'merge', options => '{"key": ["id"], "newer_by": "n"}') u;
SELECT tableoid::regclass, * FROM sales WHERE id IN (10, 110, 111, 112, 115) ORDER BY id;
DROP TABLE sales;
DROP OWNED BY merger;
DROP ROLE merger;

--
-- a deferrable key: its conflicts surface when it is checked
--
CREATE TABLE late (id int, v int, PRIMARY KEY (id) DEFERRABLE INITIALLY DEFERRED) PARTITION BY RANGE (id);
CREATE TABLE late_0 PARTITION OF late FOR VALUES FROM (0) TO (10);
CREATE TABLE late_1 PARTITION OF late DEFAULT;
SELECT counted(u) FROM intake.upload('late', E'[1, 1]\n[20, 2]', mode => 'merge') u;
SELECT counted(u) FROM intake.upload('late', E'[1, 10]\n[30, 3]', mode => 'merge') u;
SELECT tableoid::regclass, * FROM late ORDER BY id;
BEGIN;
INSERT INTO late VALUES (20, 20);
SELECT counted(u) FROM intake.upload('late', '[4, 4]', mode => 'merge') u;
COMMIT;
SELECT count(*) FROM late;

--
-- a trigger that moves the row is refused, as ON CONFLICT refuses it
--
CREATE TABLE moving (id int, day date, v text, PRIMARY KEY (id, day)) PARTITION BY RANGE (day);
CREATE TABLE moving_jan PARTITION OF moving FOR VALUES FROM ('2020-01-01') TO ('2020-02-01');
CREATE TABLE moving_feb PARTITION OF moving FOR VALUES FROM ('2020-02-01') TO ('2020-03-01');
CREATE FUNCTION move() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.v = 'move' THEN
        NEW.day := NEW.day + 31;
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER m BEFORE UPDATE ON moving_jan FOR EACH ROW EXECUTE FUNCTION move();
INSERT INTO moving VALUES (1, '2020-01-01', 'old'), (2, '2020-01-02', 'old'), (3, '2020-02-03', 'old');
INSERT INTO moving VALUES (2, '2020-01-02', 'move') ON CONFLICT (id, day) DO UPDATE SET v = excluded.v;
SELECT counted(u) FROM intake.upload('moving', E'[1, "2020-01-01", "stay"]\n[2, "2020-01-02", "move"]\n{"id": 9, "day": "2020-01-09", "sys_op": 1}', mode => 'merge') u;
SELECT counted(u) FROM intake.upload('moving', E'[1, "2020-01-01", "stay"]\n[3, "2020-02-03", "move"]\n{"id": 9, "day": "2020-01-09", "sys_op": 1}', mode => 'merge') u;
SELECT tableoid::regclass, * FROM moving ORDER BY id;

--
-- rows of one partition wait while a row of another one is refused
--
CREATE TRIGGER m BEFORE INSERT ON moving_feb FOR EACH ROW EXECUTE FUNCTION move();
ALTER TABLE moving_feb ADD CHECK (v <> 'bad');
SELECT counted(u) FROM intake.upload('moving', E'[10, "2020-01-10", "a"]\n[11, "2020-02-11", "bad"]\n[12, "2020-01-12", "b"]') u;

--
-- replace and partition delete by keys that lead to one partition; those that
-- lead nowhere, to one whose triggers are to be asked, or are NULL
--
CREATE TABLE kept (day date, kind text, v text) PARTITION BY LIST (kind);
CREATE TABLE kept_a PARTITION OF kept FOR VALUES IN ('a') PARTITION BY RANGE (day);
CREATE TABLE kept_a_jan PARTITION OF kept_a FOR VALUES FROM ('2020-01-01') TO ('2020-02-01');
CREATE TABLE kept_b (v text, gone int, kind text, day date);
ALTER TABLE kept_b DROP COLUMN gone;
ALTER TABLE kept ATTACH PARTITION kept_b FOR VALUES IN ('b', NULL);
CREATE TABLE kept_c PARTITION OF kept FOR VALUES IN ('c') PARTITION BY HASH (v);
CREATE TABLE kept_c_0 PARTITION OF kept_c FOR VALUES WITH (MODULUS 1, REMAINDER 0);
CREATE TABLE kept_d PARTITION OF kept FOR VALUES IN ('d');
CREATE INDEX ON kept (day, kind);
CREATE FUNCTION keep() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RETURN CASE WHEN OLD.v <> 'keep' THEN OLD END;
END $$;
CREATE TRIGGER k BEFORE DELETE ON kept_d FOR EACH ROW EXECUTE FUNCTION keep();
CREATE TRIGGER a AFTER DELETE ON kept EXECUTE FUNCTION say();
INSERT INTO kept VALUES ('2020-01-01', 'a', 'old'), ('2020-01-01', 'a', 'old'), ('2020-01-02', 'a', 'old'),
    ('2020-01-01', 'b', 'old'), ('2020-01-01', NULL, 'old'), (NULL, 'b', 'old'),
    ('2020-01-01', 'c', 'old'), ('2020-01-01', 'd', 'old'), ('2020-01-01', 'd', 'keep');
SELECT counted(d) FROM intake.delete_partitions('kept', '[{"day": "2020-02-01", "kind": "a"}, {"day": "2020-01-01", "kind": "e"}]', options => '{"key": ["kind", "day"]}') d;
SELECT counted(d) FROM intake.delete_partitions('kept', '[{"day": "2020-01-01", "kind": "a"}, {"day": "2020-01-01", "kind": "b"}, {"day": null, "kind": "b"}]', options => '{"key": ["kind", "day"]}') d;
SELECT tableoid::regclass, * FROM kept ORDER BY 1, 2, 3, 4;
SELECT counted(u) FROM intake.upload('kept', E'["2020-01-01", "c", "new"]\n["2020-01-01", "d", "new"]\n["2020-01-01", null, "new"]', mode => 'replace', options => '{"key": ["kind", "day"]}') u;
SELECT tableoid::regclass, * FROM kept ORDER BY 1, 2, 3, 4;

--
-- a partition that has partitions is a target as well; its key says nothing
-- of its own bounds
--
CREATE TABLE year (id int, day date, v text) PARTITION BY RANGE (day);
CREATE TABLE month PARTITION OF year (PRIMARY KEY (id)) FOR VALUES FROM ('2020-01-01') TO ('2020-02-01') PARTITION BY RANGE (id);
CREATE TABLE month_0 PARTITION OF month FOR VALUES FROM (0) TO (10);
CREATE TABLE month_1 PARTITION OF month DEFAULT;
INSERT INTO month VALUES (1, '2020-01-01', 'old'), (11, '2020-01-11', 'old');
SELECT counted(u) FROM intake.upload('month', E'[1, "2020-01-02", "new"]\n[11, "2020-01-12", "new"]\n[2, "2020-01-03", "new"]\n{"id": 9, "sys_op": 1}', mode => 'merge') u;
\set SHOW_CONTEXT never
SELECT counted(u) FROM intake.upload('month', E'[3, "2020-01-02", "new"]\n[11, "2020-02-12", "new"]\n{"id": 9, "sys_op": 1}', mode => 'merge') u;
\set SHOW_CONTEXT errors
SELECT tableoid::regclass, * FROM year ORDER BY id;

--
-- several batches of rows, half of them there, into many partitions; against
-- ON CONFLICT
--
CREATE TABLE wide (id int, day date, v text DEFAULT 'none', n int, PRIMARY KEY (id, day)) PARTITION BY LIST (day);
CREATE TABLE wide_plain (LIKE wide INCLUDING ALL);
DO $$
BEGIN
    FOR i IN 0..149 LOOP
        EXECUTE format('CREATE TABLE wide_%s PARTITION OF wide FOR VALUES IN (%L)', i, date '2020-01-01' + i);
    END LOOP;
END $$;
CREATE INDEX ON wide (n);
CREATE TEMP TABLE wide_rows AS SELECT i AS id, date '2020-01-01' + i % 150 AS day, 'v' || i AS v, i % 99 AS n, md5(i::text) AS place FROM generate_series(1, 120000) i;
INSERT INTO wide SELECT id, day, 'old', n FROM wide_rows WHERE id % 2 = 0;
INSERT INTO wide_plain TABLE wide;
SELECT counted(u) FROM intake.upload('wide', (SELECT string_agg(format('[%s, "%s", "%s", %s]', id, day, v, n), E'\n' ORDER BY place) FROM wide_rows), mode => 'merge') u;
INSERT INTO wide_plain SELECT id, day, v, n FROM wide_rows ON CONFLICT (id, day) DO UPDATE SET v = excluded.v, n = excluded.n;
SELECT count(*) FROM (TABLE wide EXCEPT ALL TABLE wide_plain) d;
SELECT count(*) FROM (TABLE wide_plain EXCEPT ALL TABLE wide) d;
-- replace by keys that lead to one partition each
CREATE TEMP TABLE wide_new AS SELECT id + CASE WHEN id % 10 = 0 THEN 150000 ELSE 0 END AS id, day, 'new' AS v, n + 1 AS n, place FROM wide_rows WHERE id % 4 = 0;
SELECT counted(u) FROM intake.upload('wide', (SELECT string_agg(format('[%s, "%s", "%s", %s]', id, day, v, n), E'\n' ORDER BY place) FROM wide_new), mode => 'replace', options => '{"key": ["day", "id"]}') u;
DELETE FROM wide_plain p USING wide_new n WHERE p.id = n.id AND p.day = n.day;
INSERT INTO wide_plain SELECT id, day, v, n FROM wide_new;
SELECT count(*) FROM (TABLE wide EXCEPT ALL TABLE wide_plain) d;
SELECT count(*) FROM (TABLE wide_plain EXCEPT ALL TABLE wide) d;
-- each index knows all rows
SET enable_seqscan = off;
SELECT count(*), sum(n) FROM wide WHERE n = 50;
SELECT count(*), sum(n) FROM wide_plain WHERE n = 50;
RESET enable_seqscan;

SET client_min_messages = warning;
DROP SCHEMA partitions CASCADE;
