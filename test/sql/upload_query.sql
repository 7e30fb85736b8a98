-- intake.upload_query(): what is right is what INSERT ... SELECT does with the
-- same query; and intake.last_upload().
CREATE SCHEMA query;
SET search_path = query, public;
\pset null NULL
SET datestyle = ISO;
SELECT u IS NULL AS none FROM intake.last_upload() u;

CREATE FUNCTION counted(intake.upload_result) RETURNS text LANGUAGE sql AS $$
    SELECT format('%sreceived %s inserted %s updated %s deleted %s skipped %s',
                  CASE WHEN $1.replayed THEN 'replayed: ' END,
                  $1.rows_received, $1.rows_inserted, $1.rows_updated,
                  $1.rows_deleted, $1.rows_skipped)
$$;

--
-- matching: by name, in any order; defaults for what the query lacks
--
CREATE TABLE goods (id int DEFAULT 7, "Name" text, qty numeric(8,2) DEFAULT 1,
    twice numeric GENERATED ALWAYS AS (qty * 2) STORED);
SELECT counted(u), bytes_received FROM intake.upload_query('goods',
    'SELECT 2.345 AS qty, i AS id FROM generate_series(1, 2) i') u;
SELECT counted(u) FROM intake.upload_query('goods',
    $$WITH w AS (SELECT 'x' AS "Name") TABLE w$$) u;
SELECT counted(u) FROM intake.upload_query('goods',
    $$VALUES (1)$$, options => '{"unknown": "ignore"}') u;
CREATE TABLE numbered (column1 int, column2 text);
SELECT counted(u) FROM intake.upload_query('numbered', $$VALUES (1, 'a'), (2, 'b')$$) u;
SELECT counted(u) FROM intake.upload_query('numbered',
    'TABLE numbered ORDER BY 1 LIMIT 1 ;') u;
TABLE goods;
TABLE numbered;
SELECT intake.upload_query('goods', 'SELECT 1 AS id, 2 AS nam');
SELECT intake.upload_query('goods', 'SELECT 1 AS id, 2 AS name');
SELECT intake.upload_query('goods', 'SELECT 1 AS id, 2 AS ID');
SELECT intake.upload_query('goods', 'SELECT 1 AS id, 2 AS twice');
SELECT intake.upload_query('goods', 'SELECT 1 AS id, 2');
SELECT intake.upload_query('goods', 'SELECT');
SELECT counted(u) FROM intake.upload_query('goods', 'SELECT 1 AS id, 2, 3, 4 AS other',
    options => '{"unknown": "ignore"}') u;
SELECT * FROM goods WHERE id = 1 AND qty = 1;

--
-- one statement that returns rows and writes none
--
SELECT intake.upload_query('goods', NULL);
SELECT intake.upload_query('goods', '');
SELECT intake.upload_query('goods', ' -- nothing');
SELECT intake.upload_query('goods', 'SELECT 1 AS id; SELECT 2 AS id');
SELECT intake.upload_query('goods', 'SELECT 1 AS id; DROP TABLE goods');
SELECT intake.upload_query('goods', 'SELEC 1 AS id');
SELECT intake.upload_query('goods', 'SELECT id FROM nowhere');
SELECT intake.upload_query('goods', 'SELECT $1 AS id');
SELECT intake.upload_query('goods', 'INSERT INTO goods VALUES (1) RETURNING id');
SELECT intake.upload_query('goods', 'WITH d AS (DELETE FROM goods RETURNING id) SELECT id FROM d');
SELECT intake.upload_query('goods', 'SELECT 1 AS id INTO elsewhere');
SELECT intake.upload_query('goods', 'EXPLAIN SELECT 1 AS id');
SELECT intake.upload_query('goods', 'SHOW work_mem');
SELECT intake.upload_query('goods', 'COMMIT');
SELECT count(*) FROM goods;
-- no format has its name
SELECT intake.upload('goods', 'SELECT 1 AS id', format => 'query');

--
-- casts: as in INSERT ... SELECT, errors too
--
CREATE DOMAIN positive AS int CHECK (value > 0);
CREATE DOMAIN filled AS text NOT NULL;
CREATE TYPE mood AS ENUM ('good', 'bad');
CREATE TYPE pair AS (a int, b text);
CREATE TABLE typed (n int, i2 smallint, num numeric(5,2), v varchar(3), c char(3), d date,
    ts timestamptz, pos positive, fil filled DEFAULT '', m mood, p pair,
    a int[], j jsonb, va varchar(2)[], b bytea, o text);
CREATE TABLE wanted (LIKE typed INCLUDING DEFAULTS);

-- Runs a query by both, and shows what differs, or both outcomes as one.
CREATE FUNCTION agree(columns text, query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    by_insert text := 'ok';
    by_upload text := 'ok';
    difference bigint;
BEGIN
    TRUNCATE typed, wanted;
    BEGIN
        EXECUTE format('INSERT INTO wanted (%s) %s', columns, query);
    EXCEPTION WHEN OTHERS THEN
        by_insert := SQLSTATE || ' ' || SQLERRM;
    END;
    BEGIN
        PERFORM intake.upload_query('typed', query);
    EXCEPTION WHEN OTHERS THEN
        by_upload := SQLSTATE || ' ' || SQLERRM;
    END;
    SELECT count(*) INTO difference FROM
        ((SELECT t::text FROM typed t EXCEPT ALL SELECT w::text FROM wanted w)
         UNION ALL
         (SELECT w::text FROM wanted w EXCEPT ALL SELECT t::text FROM typed t)) x;
    IF by_insert <> by_upload OR difference <> 0 THEN
        RETURN format('INSERT: %s; upload: %s; rows: %s', by_insert, by_upload, difference);
    END IF;
    RETURN format('%s, rows: %s', by_upload, (SELECT count(*) FROM typed));
END $$;

SELECT title, agree(columns, query) FROM (VALUES
    ('same types', 'n, o', 'SELECT i AS n, i::text AS o FROM generate_series(1, 100) i'),
    ('numeric', 'num', 'SELECT i * 1.005 AS num FROM generate_series(1, 100) i'),
    ('numeric too large', 'num', 'SELECT 1000.0 AS num'),
    ('int8 to int2', 'i2', 'SELECT i::bigint AS i2 FROM generate_series(1, 9) i'),
    ('int8 out of range', 'i2', 'SELECT 40000::bigint AS i2'),
    ('float to int', 'n', 'SELECT 2.5::float8 AS n UNION ALL SELECT 3.5'),
    ('int to text', 'o', 'SELECT 12 AS o'),
    ('date to text', 'o', $$SELECT date '2020-02-01' AS o$$),
    ('text to int', 'n', $$SELECT '1'::text AS n$$),
    ('bool to int', 'n', 'SELECT true AS n'),
    ('timestamp to date', 'd', $$SELECT timestamp '2020-02-01 10:00' AS d$$),
    ('date to timestamptz', 'ts', $$SELECT date '2020-02-01' AS ts$$),
    ('varchar', 'v', $$SELECT 'abc   '::text AS v UNION ALL SELECT 'ab'$$),
    ('varchar too long', 'v', $$SELECT 'abcd'::text AS v$$),
    ('char', 'c', $$SELECT 'a'::text AS c$$),
    ('char too long', 'c', $$SELECT 'abcd'::char(4) AS c$$),
    ('domain', 'pos', 'SELECT i AS pos FROM generate_series(1, 3) i'),
    ('domain refused', 'pos', 'SELECT 0 AS pos'),
    ('domain of domain''s type', 'pos', 'SELECT 5::positive AS pos'),
    ('NULL in a domain', 'fil', 'SELECT NULL::text AS fil'),
    ('literals', 'd, ts, m, j, p, a, num', $$SELECT '2020-02-01' AS d, '2020-02-01 1:00+01' AS ts,
        'good' AS m, '{"a": 1}' AS j, '(1,x)' AS p, '{1,2}' AS a, '1.239' AS num$$),
    ('NULL literals', 'd, j, o', 'SELECT NULL AS d, NULL AS j, NULL AS o'),
    ('bad literal', 'd', $$SELECT 'never' AS d$$),
    ('bad enum literal', 'm', $$SELECT 'ugly' AS m$$),
    ('literal of a set operation', 'd', $$SELECT '2020-02-01' AS d UNION SELECT '2020-02-02'$$),
    ('literal of a subquery', 'd', $$SELECT d FROM (SELECT '2020-02-01' AS d) s$$),
    ('sorted literals', 'o, n', $$SELECT DISTINCT 'x' AS o, i AS n FROM generate_series(1, 3) i ORDER BY 1, 2$$),
    ('array', 'a', 'SELECT ARRAY[1, 2]::bigint[] AS a'),
    ('array of varchar', 'va', $$SELECT ARRAY['ab', 'c  ']::text[] AS va$$),
    ('array of varchar, too long', 'va', $$SELECT ARRAY['abc']::text[] AS va$$),
    ('composite', 'p', $$SELECT ROW(1, 'x')::pair AS p$$),
    ('record', 'p', $$SELECT ROW(1::bigint, 'x') AS p$$),
    ('json to jsonb', 'j', $$SELECT '{"a": 1}'::json AS j$$),
    ('junk columns', 'n', 'SELECT i AS n FROM generate_series(1, 9) i ORDER BY -i'),
    ('large values', 'o, b', $$SELECT string_agg(md5(i::text), '') AS o,
        decode(string_agg(md5(i::text), ''), 'hex') AS b FROM generate_series(1, 9000) i$$),
    ('no rows', 'n, o', 'SELECT 1 AS n, NULL AS o WHERE false')
) t (title, columns, query);

-- where it happens is told
SELECT intake.upload_query('typed', 'SELECT i AS i2 FROM generate_series(32766, 32769) i');
SELECT intake.upload_query('typed', 'SELECT 1 / (i - 3) AS n FROM generate_series(1, 5) i');
SELECT intake.upload_query('typed', $$SELECT 'never' AS d$$);
SELECT intake.upload_query('typed', 'SELECT 1 AS d');

--
-- modes
--
CREATE TABLE kept (id int PRIMARY KEY, note text, at date DEFAULT '2020-01-01');
INSERT INTO kept VALUES (1, 'a'), (2, 'b'), (3, 'c');
CREATE TABLE staging (id bigint, note text, sys_op int);
INSERT INTO staging VALUES (2, 'B', 0), (3, NULL, 1), (4, 'D', NULL);
SELECT counted(u) FROM intake.upload_query('kept', 'TABLE staging', mode => 'merge') u;
TABLE kept ORDER BY id;
SELECT counted(u) FROM intake.upload_query('kept', 'SELECT id FROM staging',
    mode => 'merge', sys_op => 1) u;
TABLE kept ORDER BY id;
SELECT intake.upload_query('kept', 'SELECT 1 AS id, 2 AS sys_op', mode => 'merge');
SELECT intake.upload_query('kept', $$SELECT 1 AS id, '0'::text AS sys_op$$, mode => 'merge');
SELECT intake.upload_query('kept', $$SELECT 'x' AS note$$, mode => 'merge');
SELECT intake.upload_query('kept', $$SELECT NULL::int AS id, 'x' AS note$$, mode => 'merge');
SELECT intake.upload_query('kept', 'SELECT 1 AS id, 2 AS sys_op');
SELECT counted(u) FROM intake.upload_query('kept',
    $$SELECT 1 AS id, 'kept' AS note UNION ALL SELECT 9, 'new'$$, mode => 'merge',
    options => '{"existing": "keep"}') u;
-- the query reads its target: the rows that were there
SELECT counted(u) FROM intake.upload_query('kept',
    $$SELECT id, note || note AS note, at + 1 AS at FROM kept$$, mode => 'merge') u;
SELECT counted(u) FROM intake.upload_query('kept',
    $$SELECT id + 100 AS id, note, at FROM kept$$, mode => 'append') u;
SELECT counted(u) FROM intake.upload_query('kept',
    $$SELECT id, 'one of ' || count(*) OVER () AS note FROM kept$$, mode => 'replace',
    options => '{"key": ["id"]}') u;
TABLE kept ORDER BY id;
SELECT counted(u) FROM intake.upload_query('kept', 'SELECT id + 1 AS id FROM kept',
    options => '{"truncate": true}') u;
SELECT counted(u) FROM intake.upload_query('kept', 'SELECT id + 1 AS id FROM kept',
    options => '{"truncate": "fast"}') u;
SELECT intake.upload_query('kept', 'SELECT id FROM kept WHERE false',
    options => '{"truncate": true}');
TABLE kept ORDER BY id;

-- more rows than a batch, into the table that is read
CREATE TABLE many (id int);
SELECT counted(u) FROM intake.upload_query('many', 'SELECT i AS id FROM generate_series(1, 30000) i') u;
SELECT counted(u) FROM intake.upload_query('many', 'SELECT id + 30000 AS id FROM many') u;
SELECT count(*), count(DISTINCT id) FROM many;
BEGIN ISOLATION LEVEL REPEATABLE READ;
INSERT INTO many VALUES (0);
SELECT counted(u) FROM intake.upload_query('many', 'SELECT * FROM many WHERE id < 100') u;
ROLLBACK;

-- partitions, views
CREATE TABLE parted (k int, v text) PARTITION BY LIST (k);
CREATE TABLE parted_1 PARTITION OF parted FOR VALUES IN (1);
CREATE TABLE parted_2 (v text, k int);
ALTER TABLE parted ATTACH PARTITION parted_2 DEFAULT;
SELECT counted(u) FROM intake.upload_query('parted',
    $$SELECT 'v' || i AS v, i AS k FROM generate_series(1, 3) i$$) u;
SELECT tableoid::regclass, * FROM parted ORDER BY k;
CREATE VIEW shown AS SELECT v AS text, k FROM parted WHERE k > 1 WITH CHECK OPTION;
SELECT counted(u) FROM intake.upload_query('shown', $$SELECT 5 AS k, 'x' AS text FROM shown$$) u;
SELECT intake.upload_query('shown', 'SELECT 1 AS k');

-- values stored out of line are copied: their table may be gone
CREATE TABLE large (id int, body text);
ALTER TABLE large ALTER body SET STORAGE EXTERNAL;
INSERT INTO large SELECT i, repeat(chr(96 + i), 100000) FROM generate_series(1, 3) i;
CREATE TABLE copied (LIKE large);
CREATE FUNCTION drop_large() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DROP TABLE IF EXISTS query.large;
    RETURN NULL;
END $$;
SET client_min_messages = warning;
CREATE TRIGGER t BEFORE INSERT ON copied EXECUTE FUNCTION drop_large();
SELECT counted(u) FROM intake.upload_query('copied', 'SELECT * FROM large', mode => 'replace',
    options => '{"key": ["id"]}') u;
RESET client_min_messages;
SELECT to_regclass('large'), count(*), sum(length(body)),
    bool_and(body = repeat(chr(96 + id), 100000)) FROM copied;

--
-- functions that look and write
--
CREATE TABLE log (id int);
CREATE TABLE target (id int PRIMARY KEY, seen int);
CREATE FUNCTION look(i int) RETURNS int LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO query.log VALUES (i);
    RETURN (SELECT count(*) FROM query.target);
END $$;
SELECT counted(u) FROM intake.upload_query('target',
    'SELECT i AS id, look(i) AS seen FROM generate_series(1, 25000) i') u;
SELECT count(*), sum(seen) FROM target;
SELECT count(*) FROM log;
-- what it writes into the target itself stays
CREATE FUNCTION write(i int) RETURNS int LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO query.target VALUES (-i);
    RETURN i;
END $$;
SELECT counted(u) FROM intake.upload_query('target', 'SELECT write(i) AS id FROM generate_series(30001, 30003) i') u;
SELECT count(*) FROM target;
-- rolled back with the operation
SELECT intake.upload_query('target', 'SELECT 1 AS id, look(0) AS seen');
SELECT count(*) FROM log;
-- an upload in the query of another
SELECT counted(u) FROM intake.upload_query('log',
    $$SELECT rows_inserted AS id FROM intake.upload_query('many', 'SELECT 1 AS id')$$) u;
-- a trigger cannot end the query, nor take its rows
CREATE TABLE closing (id int);
CREATE FUNCTION close_all() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE 'CLOSE ALL';
    RETURN NEW;
END $$;
CREATE TRIGGER t BEFORE INSERT ON closing FOR EACH ROW EXECUTE FUNCTION close_all();
\set VERBOSITY sqlstate
SELECT intake.upload_query('closing', 'SELECT i AS id FROM generate_series(1, 20000) i');
\set VERBOSITY default
CREATE OR REPLACE FUNCTION close_all() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    r refcursor := (SELECT name FROM pg_cursors WHERE statement LIKE 'SELECT i AS id FROM%');
BEGIN
    FETCH r INTO NEW.id;
    RETURN NEW;
END $$;
SELECT intake.upload_query('closing', 'SELECT i AS id FROM generate_series(1, 20000) i');
SELECT count(*) FROM closing;
SELECT count(*) FROM pg_cursors;
-- an exception block ends it, and goes on
DO $$
BEGIN
    PERFORM intake.upload_query('closing', 'SELECT 1 / i AS id FROM generate_series(0, 3) i');
EXCEPTION WHEN division_by_zero THEN
    RAISE NOTICE 'open cursors: %', (SELECT count(*) FROM pg_cursors);
END $$;

--
-- operations: the text of the query decides
--
CREATE TABLE once (id int);
SELECT counted(u) FROM intake.upload_query('once', 'SELECT count(*) AS id FROM once',
    operation => '00000000-0000-4000-8000-00000000aa01') u;
SELECT counted(u) FROM intake.upload_query('once', 'SELECT count(*) AS id FROM once',
    operation => '00000000-0000-4000-8000-00000000aa01') u;
SELECT counted(u) FROM intake.last_upload() u;
-- nothing is run
SELECT counted(u) FROM intake.upload_query('once', 'SELECT 1 / id AS id FROM once',
    operation => '00000000-0000-4000-8000-00000000aa02') u;
DELETE FROM once;
SELECT counted(u) FROM intake.upload_query('once', 'SELECT 1 / id AS id FROM once',
    operation => '00000000-0000-4000-8000-00000000aa02') u;
INSERT INTO once VALUES (0);
SELECT counted(u) FROM intake.upload_query('once', 'SELECT 1 / id AS id FROM once',
    operation => '00000000-0000-4000-8000-00000000aa02') u;
SELECT intake.upload_query('once', 'SELECT  1 / id AS id FROM once',
    operation => '00000000-0000-4000-8000-00000000aa02');
SELECT intake.upload_query('once', 'SELECT 1 / id AS id FROM once', mode => 'append',
    operation => '00000000-0000-4000-8000-00000000aa02');
SELECT intake.upload('once', 'SELECT 1 / id AS id FROM once',
    operation => '00000000-0000-4000-8000-00000000aa02');
SELECT door, target, mode, request, status, bytes_received, rows_received,
    digest = (SELECT digest FROM intake.operations
               WHERE operation = '00000000-0000-4000-8000-00000000aa02') AS same
  FROM intake.operations WHERE operation = '00000000-0000-4000-8000-00000000aa01';

--
-- jobs that may run twice
--
-- pg_cron: the command names the day, not the moment
CREATE TABLE sales (day date, amount numeric);
INSERT INTO sales SELECT date '2024-07-01' + i % 3, i FROM generate_series(1, 9) i;
CREATE TABLE sums (day date PRIMARY KEY, amount numeric);
PREPARE nightly(date) AS
    SELECT counted(u) FROM intake.upload_query('sums',
        format('SELECT day, sum(amount) AS amount FROM sales WHERE day = %L GROUP BY day', $1),
        operation => intake.operation_uuid('sums of', $1::text), mode => 'merge') u;
EXECUTE nightly('2024-07-01');
EXECUTE nightly('2024-07-02');
INSERT INTO sales VALUES ('2024-07-01', 1000);
EXECUTE nightly('2024-07-01');
TABLE sums ORDER BY day;
-- dbt: a post-hook, inside the transaction of the model
BEGIN;
CREATE TABLE model AS SELECT day, count(*) AS n FROM sales GROUP BY day;
CREATE TABLE published (day date PRIMARY KEY, n int);
SELECT counted(u) FROM intake.upload_query('published', 'select * from model', mode => 'replace',
    options => '{"key": ["day"]}', operation => intake.operation_uuid('run 17', 'model')) u;
COMMIT;
TABLE published ORDER BY day;

--
-- rights are the caller's
--
CREATE ROLE query_loader;
GRANT USAGE ON SCHEMA intake, query TO query_loader;
CREATE TABLE secret (owner name, id int);
INSERT INTO secret VALUES ('query_loader', 1), ('other', 2);
CREATE VIEW of_mine WITH (security_barrier) AS SELECT * FROM secret WHERE owner = current_user;
CREATE TABLE opened (owner name, id int);
SET ROLE query_loader;
SELECT intake.upload_query('opened', 'SELECT 1 AS id');
RESET ROLE;
GRANT INSERT (id) ON opened TO query_loader;
SET ROLE query_loader;
SELECT counted(u) FROM intake.upload_query('opened', 'SELECT 1 AS id') u;
SELECT intake.upload_query('opened', 'SELECT id FROM secret');
SELECT intake.upload_query('opened', 'SELECT * FROM of_mine');
RESET ROLE;
GRANT INSERT ON opened TO query_loader;
GRANT SELECT ON secret, of_mine TO query_loader;
ALTER TABLE secret ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON secret USING (owner = current_user);
ALTER TABLE opened ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON opened WITH CHECK (owner = current_user);
CREATE FUNCTION leak(int) RETURNS bool COST 0.0001 LANGUAGE plpgsql AS $$
BEGIN RAISE NOTICE 'sees %', $1; RETURN true; END $$;
SET ROLE query_loader;
SELECT counted(u) FROM intake.upload_query('opened', 'SELECT * FROM secret') u;
SELECT counted(u) FROM intake.upload_query('opened', 'SELECT * FROM of_mine WHERE leak(id)') u;
SELECT intake.upload_query('opened', $$SELECT 'other' AS owner, 3 AS id$$);
-- one sees the last upload of a role whose rights one has
SELECT rows_inserted FROM intake.last_upload();
RESET ROLE;
SELECT rows_inserted FROM intake.last_upload();
SELECT counted(u) FROM intake.upload_query('once', 'SELECT 5 AS id') u;
SET ROLE query_loader;
SELECT u IS NULL AS none FROM intake.last_upload() u;
RESET ROLE;
TABLE opened;

-- no writing where there is none
BEGIN READ ONLY;
SELECT intake.upload_query('once', 'SELECT 5 AS id');
ROLLBACK;

--
-- the last upload: what was rolled back was not
--
CREATE FUNCTION upload(n int) RETURNS text LANGUAGE sql AS $$
    SELECT 'uploaded ' || rows_inserted FROM intake.upload_query('once',
        format('SELECT i AS id FROM generate_series(1, %s) i', n))
$$;
CREATE FUNCTION last() RETURNS bigint LANGUAGE sql AS 'SELECT rows_inserted FROM intake.last_upload()';
SELECT upload(1), last();
BEGIN;
SELECT upload(2), last();
ROLLBACK;
SELECT last();
BEGIN;
SELECT upload(3), last();
SAVEPOINT one;
SELECT upload(4), last();
SAVEPOINT two;
SELECT upload(5), last();
RELEASE two;
SELECT last();
ROLLBACK TO one;
SELECT last();
SELECT upload(6), last();
RELEASE one;
SELECT last();
COMMIT;
SELECT last();
DO $$
BEGIN
    PERFORM query.upload(7);
    RAISE EXCEPTION 'no';
EXCEPTION WHEN raise_exception THEN
    RAISE NOTICE 'last: %', query.last();
END $$;
SELECT intake.upload_query('once', 'SELECT 1 / 0 AS id');
SELECT last();
SELECT rows_inserted FROM intake.upload('once', E'[1]\n[2]\n[3]');
SELECT last();
SELECT rows_deleted FROM intake.delete_partitions('once', '[{"id": 1}]', options => '{"key": ["id"]}');
SELECT rows_deleted > 0 AS deleted FROM intake.last_upload();
-- a dry run is known by its sys_cn
SELECT rows_inserted FROM intake.upload_query('once', 'SELECT 1 AS id FROM generate_series(1, 9)',
    options => '{"dry_run": true}');
SELECT rows_inserted, sys_cn FROM intake.last_upload();

-- rows that the query locks
BEGIN;
SELECT counted(u) FROM intake.upload_query('once', 'SELECT id FROM kept WHERE id > 100 ORDER BY id FOR UPDATE') u;
SELECT mode FROM pg_locks WHERE relation = 'kept'::regclass;
ROLLBACK;

SET client_min_messages = warning;
DROP SCHEMA query CASCADE;
REVOKE USAGE ON SCHEMA intake FROM query_loader;
DROP ROLE query_loader;
