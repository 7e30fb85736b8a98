-- Where a bulk loader easily differs from INSERT, UPDATE and DELETE.  What is
-- right is what plain statements do with the same rows; each case that can
-- is run both ways.
CREATE SCHEMA semantics;
SET search_path = semantics, public;
\pset null NULL
CREATE FUNCTION counted(intake.upload_result) RETURNS text LANGUAGE sql AS $$
    SELECT format('received %s inserted %s updated %s deleted %s skipped %s affected %s',
                  $1.rows_received, $1.rows_inserted, $1.rows_updated,
                  $1.rows_deleted, $1.rows_skipped, $1.rows_affected)
$$;

--
-- transition tables: one INSERT, all its rows, also of a partitioned table
--
CREATE TABLE seen (what text, n bigint, total bigint);
CREATE FUNCTION see() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO semantics.seen SELECT TG_TABLE_NAME, count(*), sum(a) FROM newt;
    RETURN NULL;
END $$;
CREATE TABLE plain (a int);
CREATE TRIGGER t AFTER INSERT ON plain REFERENCING NEW TABLE AS newt FOR EACH STATEMENT EXECUTE FUNCTION see();
CREATE TABLE parted (a int, b text) PARTITION BY LIST (a);
CREATE TABLE parted_1 PARTITION OF parted FOR VALUES IN (1);
CREATE TABLE parted_2 (b text, a int);
ALTER TABLE parted ATTACH PARTITION parted_2 DEFAULT;
CREATE TRIGGER t AFTER INSERT ON parted REFERENCING NEW TABLE AS newt FOR EACH STATEMENT EXECUTE FUNCTION see();
SELECT counted(u) FROM intake.upload('plain', E'[1]\n[2]\n[4]') u;
INSERT INTO plain VALUES (1), (2), (4);
SELECT counted(u) FROM intake.upload('parted', E'[1, "x"]\n[2, "y"]\n[4, "z"]') u;
INSERT INTO parted VALUES (1, 'x'), (2, 'y'), (4, 'z');
SELECT what, n, total, count(*) FROM seen GROUP BY 1, 2, 3 ORDER BY 1;
-- inside another INSERT into the same table
TRUNCATE seen;
INSERT INTO plain SELECT rows_inserted FROM intake.upload('plain', E'[10]\n[20]\n[40]');
SELECT n, total FROM seen ORDER BY n;

--
-- a volatile default that looks at the table sees the rows before its own
--
CREATE TABLE looking (id int, v int);
CREATE FUNCTION next_id() RETURNS int LANGUAGE sql VOLATILE AS 'SELECT coalesce(max(id), 0) + 1 FROM semantics.looking';
ALTER TABLE looking ALTER id SET DEFAULT next_id();
SELECT counted(u) FROM intake.upload('looking', E'{"v": 1}\n{"v": 2}\n{"v": 3}') u;
SELECT * FROM looking ORDER BY v;

--
-- deletes come before upserts, so that a value of a second unique index may
-- pass from a deleted row to a new one
--
CREATE TABLE two_unique (id int PRIMARY KEY, code text UNIQUE);
INSERT INTO two_unique VALUES (1, 'x'), (5, 'y');
SELECT counted(u) FROM intake.upload('two_unique', '{"id": 2, "code": "x"}
{"id": 1, "sys_op": 1}
{"id": 4, "code": "y"}
{"id": 5, "sys_op": 1}', mode => 'merge') u;
SELECT * FROM two_unique ORDER BY id;

--
-- NOT NULL of a domain holds for columns that records leave out, and does not
-- matter to a record that deletes
--
CREATE DOMAIN needed AS int NOT NULL;
CREATE TABLE with_domain (id int PRIMARY KEY, d needed);
SELECT counted(u) FROM intake.upload('with_domain', E'{"id": 1, "d": 5}\n{"id": 2}') u;
SELECT counted(u) FROM intake.upload('with_domain', '{"id": 2}') u;
SELECT counted(u) FROM intake.upload('with_domain', '{"id": 1, "d": 5}') u;
SELECT counted(u) FROM intake.upload('with_domain', E'{"id": 3, "d": 5}\n{"id": 1, "sys_op": 1}', mode => 'merge') u;
SELECT * FROM with_domain;

--
-- a view's column without a default has that of its table
--
CREATE TABLE base (a int, b int DEFAULT 42);
CREATE VIEW shown AS SELECT b AS bee, a AS aye FROM base;
CREATE VIEW shown_twice AS SELECT aye, bee FROM shown;
SELECT counted(u) FROM intake.upload('shown_twice', E'{"aye": 1}\n{"aye": 2, "bee": 7}\n{"aye": 3}') u;
SELECT * FROM base ORDER BY a;

--
-- rules
--
CREATE TABLE ruled (a int);
CREATE TABLE ruled_log (a int);
CREATE RULE r AS ON INSERT TO ruled DO ALSO INSERT INTO ruled_log VALUES (NEW.a);
SELECT counted(u) FROM intake.upload('ruled', '[1]') u;
DROP RULE r ON ruled;
CREATE RULE r AS ON INSERT TO ruled DO INSTEAD INSERT INTO ruled_log VALUES (NEW.a);
SELECT rows_received FROM intake.upload('ruled', '[1]') u;
SELECT (SELECT count(*) FROM ruled) AS ruled, (SELECT count(*) FROM ruled_log) AS log;

--
-- a registered option "key" is the key of merges, not of the other modes
--
CREATE TABLE keyed (id int PRIMARY KEY, code text UNIQUE, day date);
INSERT INTO keyed VALUES (1, 'a', '2020-01-01'), (2, 'b', '2020-01-02');
SELECT intake.register_table('keyed', 'proxy', ARRAY['day'], ARRAY['day'], create_index => false, options => '{"key": ["code"]}');
SELECT counted(u) FROM intake.upload('keyed', '[7, "b", "2020-01-03"]', mode => 'merge') u;
SELECT counted(u) FROM intake.upload('keyed', '[8, "c", "2020-01-01"]') u;
SELECT counted(d) FROM intake.delete_partitions('keyed', '[{"day": "2020-01-03"}]') d;
SELECT * FROM keyed;
SELECT counted(u) FROM intake.upload('keyed', '[9, "d", "2020-01-01"]', mode => 'append', options => '{"key": ["day"]}') u;

--
-- two unique indexes over the same column: the one that is meant decides
--
CREATE TABLE same_column (id int, v int, PRIMARY KEY (id), UNIQUE (id) DEFERRABLE);
SELECT counted(u) FROM intake.upload('same_column', E'[1, 1]\n[1, 2]', mode => 'merge') u;
SELECT counted(u) FROM intake.upload('same_column', '[1, 3]', mode => 'merge') u;
SELECT * FROM same_column;
-- a table that is all key, and keys that are equal but not to the byte
CREATE TABLE all_key (a int, b text, PRIMARY KEY (a, b));
SELECT counted(u) FROM intake.upload('all_key', E'[1, "x"]\n[1, "x"]\n[2, "y"]', mode => 'merge') u;
SELECT counted(u) FROM intake.upload('all_key', '[1, "x"]', mode => 'merge') u;
CREATE TABLE by_numeric (k numeric PRIMARY KEY, v int);
SELECT counted(u) FROM intake.upload('by_numeric', '[1.0, 1]', mode => 'merge') u;
SELECT counted(u) FROM intake.upload('by_numeric', '[1.00, 2]', mode => 'merge') u;
SELECT * FROM by_numeric;

--
-- a foreign key to the same table, children before parents, over batches
--
CREATE TABLE tree (id int PRIMARY KEY, parent int REFERENCES tree);
SELECT counted(u) FROM intake.upload('tree', (SELECT string_agg(format('[%s, %s]', i, coalesce((nullif(i, 25000) + 1)::text, 'null')), E'\n')
    FROM generate_series(1, 25000) i)) u;

--
-- the functions that hand over batches know their caller
--
CREATE TABLE guarded (id int PRIMARY KEY, v int);
CREATE FUNCTION meddle() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM intake.batch_written();
    RETURN NEW;
END $$;
CREATE TRIGGER t BEFORE INSERT ON guarded FOR EACH ROW EXECUTE FUNCTION meddle();
\set SHOW_CONTEXT never
SELECT counted(u) FROM intake.upload('guarded', '[1, 1]', mode => 'merge') u;
\set SHOW_CONTEXT errors

SET client_min_messages = warning;
DROP SCHEMA semantics CASCADE;
