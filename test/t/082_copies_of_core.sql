-- Statements of core's COPY, run with and without our library by
-- 082_other_copies_are_untouched.pl; :dir is a folder that the server can
-- write into.
\set VERBOSITY verbose
\set SHOW_CONTEXT always
\set one :dir /one
\set two :dir /two

CREATE TABLE t (a int, b text, c numeric(8, 2) DEFAULT 1.5, d date);
CREATE TABLE u (LIKE t);

-- text
COPY t FROM STDIN;
1	one	1.00	2024-01-01
2	\N	\N	\N
3	tab\tnew\nback\\slash	3	1999-12-31
\.
COPY t (b, a) FROM STDIN;
four	4
\N	5
\.
COPY t (a, b) FROM STDIN (DELIMITER ';', NULL '');
6;six
7;
\.
COPY t TO STDOUT;
COPY t (a, d) TO STDOUT (DELIMITER '|', NULL 'nil');
COPY t TO :'one';
COPY u FROM :'one';
SELECT count(*) FROM (TABLE t EXCEPT TABLE u) x;
COPY t FROM STDIN;
8
\.
COPY t FROM STDIN;
8	x	y	2024-01-01
\.
COPY t FROM STDIN;
8	x	1	2024-01-01	more
\.
COPY t (a, nope) FROM STDIN;
1	2
\.
COPY t (a, a) FROM STDIN;
1	2
\.
COPY t FROM STDIN WHERE a > 100;
9	nine	9	2024-01-09
101	hundred	1	2024-01-01
\.
COPY t FROM STDIN WHERE nope;
\.
SELECT * FROM t ORDER BY a;

-- csv
TRUNCATE u;
COPY t TO STDOUT (FORMAT csv);
COPY t TO STDOUT (FORMAT csv, HEADER, DELIMITER ';', QUOTE '''', ESCAPE '\', NULL 'nil', FORCE_QUOTE (b));
COPY t TO STDOUT (FORMAT csv, FORCE_QUOTE *);
COPY t TO STDOUT CSV HEADER QUOTE AS '"' FORCE QUOTE b, d;
COPY t TO :'two' (FORMAT csv, HEADER);
COPY u FROM :'two' (FORMAT csv, HEADER);
COPY u FROM :'two' CSV HEADER;
SELECT count(*) FROM u;
COPY u FROM STDIN (FORMAT csv);
1,"quoted ""twice""",2.5,2024-02-29
2,"two
lines",,
3,,3,2024-01-01
\.
COPY u FROM STDIN (FORMAT csv, FORCE_NOT_NULL (b), FORCE_NULL (d));
4,,4,""
\.
COPY u FROM STDIN (FORMAT csv, NULL 'nil', DELIMITER ';', QUOTE '~', ESCAPE '^');
5;~a^~b~;nil;nil
\.
COPY u FROM STDIN (FORMAT csv, HEADER match);
a,b,c,d
6,six,6,2024-06-06
\.
COPY u FROM STDIN (FORMAT csv, HEADER match);
b,a,c,d
six,6,6,2024-06-06
\.
COPY u FROM STDIN (FORMAT csv);
7,"open
\.
COPY u FROM STDIN (FORMAT csv);
7,"a"x,1,2024-01-01,
\.
COPY u FROM STDIN (FORMAT csv, ENCODING 'LATIN1');
8,latin,8,2024-01-01
\.
COPY u FROM STDIN (FORMAT csv, ENCODING 'none');
\.
SELECT * FROM u ORDER BY a, b, c, d;

-- binary
TRUNCATE u;
COPY t TO :'one' (FORMAT binary);
COPY u FROM :'one' (FORMAT binary);
SELECT count(*) FROM u;
COPY u (a, b) FROM :'one' (FORMAT binary);
COPY u FROM :'two' (FORMAT binary);
COPY t TO :'one' BINARY;
COPY BINARY u FROM :'one';
SELECT count(*) FROM u;
\copy u FROM PROGRAM 'printf "PGCOPY\\n\\377\\r\\n\\0\\0\\0\\0\\0\\0\\0\\0\\0\\377\\377"' (FORMAT binary)
\copy u FROM PROGRAM 'printf "PGCOPY\\n\\377\\r\\n\\0\\0\\0\\0\\0\\0\\0\\0\\0\\0\\7"' (FORMAT binary)
\copy u FROM '/dev/null' (FORMAT binary)

-- queries and statements
COPY (SELECT a, b FROM t WHERE a < 4 ORDER BY a) TO STDOUT (FORMAT csv, HEADER);
COPY (VALUES (1, 'x'), (2, NULL)) TO STDOUT;
COPY (DELETE FROM u RETURNING a) TO STDOUT;
COPY (INSERT INTO u (a) VALUES (1)) TO STDOUT;
COPY (SELECT 1) FROM STDIN;
\.
COPY (SELECT 1/0) TO STDOUT;
COPY (SELECT generate_series(1, 3)) TO PROGRAM 'cat >/dev/null';
COPY u (a) FROM PROGRAM 'printf "1\n2\n"';
COPY u (a) FROM PROGRAM 'exit 5';
COPY u (a) FROM '/nonexistent/file';
COPY u (a) FROM '/';
COPY u TO 'relative/path';

-- options and errors
COPY t FROM STDIN (FORMAT ndjsonl);
\.
COPY t FROM STDIN (FORMAT 'NDJSON');
\.
COPY t FROM STDIN (FORMAT avro_file);
\.
COPY t FROM STDIN (FORMAT csv, FORMAT csv);
\.
COPY t FROM STDIN (FORMAT text, OPERATION 'x');
\.
COPY t FROM STDIN (OPERATION 'x');
\.
COPY t FROM STDIN (FORMAT binary, MODE merge);
\.
COPY t TO STDOUT (FORMAT ndjson);
COPY t TO STDOUT (FORMAT csv, MODE append);
COPY (SELECT 1) TO STDOUT (FORMAT avro);
COPY t FROM STDIN (FORMAT csv, OPERATON 'x');
\.
COPY t FROM STDIN (FORMAT csv, DELIMITER 'xx');
\.
COPY t FROM STDIN (FORMAT csv, QUOTE ',');
\.
COPY t FROM STDIN (FORMAT text, QUOTE '"');
\.
COPY t FROM STDIN (FORMAT csv, HEADER maybe);
\.
COPY t FROM STDIN (FORMAT csv, FORCE_QUOTE (b));
\.
COPY t TO STDOUT (FORMAT csv, FORCE_NULL (b));
COPY t FROM STDIN (FORMAT csv, FORCE_NOT_NULL (nope));
\.
COPY t FROM STDIN (DELIMITER E'\n');
\.
COPY nope FROM STDIN;
\.
COPY nope TO STDOUT;
COPY pg_class FROM STDIN;
\.
CREATE VIEW v AS SELECT a, b FROM t;
COPY v FROM STDIN;
1	x
\.
COPY v TO STDOUT;
CREATE SEQUENCE s;
COPY s FROM STDIN;
\.
CREATE MATERIALIZED VIEW m AS SELECT 1 AS a;
COPY m TO STDOUT;
COPY m FROM STDIN;
1
\.

-- freeze
COPY u (a) FROM STDIN (FREEZE);
1
\.
BEGIN;
TRUNCATE u;
COPY u (a) FROM STDIN (FREEZE);
1
2
\.
COMMIT;
BEGIN;
CREATE TABLE f (a int);
COPY f FROM STDIN (FORMAT csv, FREEZE on);
1
\.
COMMIT;

-- generated columns, identity, defaults, constraints, domains
CREATE DOMAIN small AS int CHECK (VALUE < 10);
CREATE TABLE g (a int GENERATED ALWAYS AS IDENTITY, b small, c int GENERATED ALWAYS AS (b * 2) STORED, d text NOT NULL DEFAULT 'x');
COPY g (b) FROM STDIN;
1
2
\.
COPY g (a, b) FROM STDIN;
10	3
\.
COPY g (c) FROM STDIN;
1
\.
COPY g (b) FROM STDIN;
12
\.
COPY g (b, d) FROM STDIN;
1	\N
\.
SELECT * FROM g;
COPY g TO STDOUT;
COPY g (c) TO STDOUT;

-- triggers
CREATE FUNCTION noted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE NOTICE '% % %', TG_WHEN, TG_LEVEL, CASE TG_LEVEL WHEN 'ROW' THEN NEW.a END;
    RETURN NEW;
END $$;
CREATE TRIGGER before_row BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION noted();
CREATE TRIGGER after_row AFTER INSERT ON t FOR EACH ROW EXECUTE FUNCTION noted();
CREATE TRIGGER before_all BEFORE INSERT ON t EXECUTE FUNCTION noted();
CREATE TRIGGER after_all AFTER INSERT ON t EXECUTE FUNCTION noted();
COPY t (a, b) FROM STDIN;
20	x
21	y
\.
COPY t (a, b) FROM STDIN (FORMAT csv);
22,x
23
\.
DROP TABLE t CASCADE;

-- partitions
CREATE TABLE p (a int, b text) PARTITION BY LIST (a);
CREATE TABLE p1 PARTITION OF p FOR VALUES IN (1);
CREATE TABLE p2 (b text, a int);
ALTER TABLE p ATTACH PARTITION p2 FOR VALUES IN (2);
COPY p FROM STDIN;
1	one
2	two
1	uno
\.
COPY p FROM STDIN (FORMAT csv);
3,three
\.
COPY p1 FROM STDIN (FORMAT csv);
2,wrong
\.
COPY p TO STDOUT;
COPY p1 TO STDOUT;
SELECT tableoid::regclass, * FROM p ORDER BY a, b;

-- encodings
CREATE TABLE e (a text);
SET client_encoding = latin1;
\copy e FROM PROGRAM 'printf "caf\\351\n"'
\copy e FROM PROGRAM 'printf "caf\\351\n"' (FORMAT csv)
RESET client_encoding;
\copy e FROM PROGRAM 'printf "caf\\351\n"' (FORMAT csv, ENCODING latin1)
\copy e FROM PROGRAM 'printf "caf\\351\n"'
\copy e FROM PROGRAM 'printf "a\\000b\n"' (FORMAT csv)
\copy e FROM PROGRAM 'printf "one\n\\\\.\ntwo\n"'
\copy e FROM PROGRAM 'printf "one\r\ntwo\nthree"' (FORMAT csv)
SELECT * FROM e;
COPY e TO STDOUT (ENCODING latin1);

-- functions, blocks, transactions
DO $$ BEGIN COPY e FROM STDIN; END $$;
DO $$ BEGIN COPY e TO STDOUT; END $$;
CREATE FUNCTION f(path text) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    n bigint;
BEGIN
    EXECUTE format('COPY e FROM %L (FORMAT csv)', path);
    GET DIAGNOSTICS n = ROW_COUNT;
    RETURN n;
END $$;
COPY e TO :'one' (FORMAT csv);
SELECT f(:'one');
BEGIN READ ONLY;
COPY e FROM STDIN;
\.
COPY e TO STDOUT;
ROLLBACK;
CREATE TEMP TABLE z (a int);
BEGIN READ ONLY;
COPY z FROM STDIN;
1
\.
ROLLBACK;
BEGIN;
SAVEPOINT x;
COPY z FROM STDIN;
x
\.
ROLLBACK TO x;
COPY z FROM STDIN;
5
\.
COMMIT;
SELECT * FROM z;
PREPARE q AS SELECT 1;
COPY z FROM STDIN \; SELECT 2 \; COPY z TO STDOUT;
6
\.

-- rights, row-level security
CREATE ROLE core_copier;
CREATE TABLE r (a int, b int);
GRANT INSERT (a), SELECT (a) ON r TO core_copier;
SET ROLE core_copier;
COPY r (a) FROM STDIN;
1
\.
COPY r FROM STDIN;
1	2
\.
COPY r TO STDOUT;
COPY r (a) TO STDOUT;
COPY r (a) FROM '/dev/null';
COPY r (a) FROM PROGRAM 'true';
COPY r (a) TO '/dev/null';
RESET ROLE;
ALTER TABLE r ENABLE ROW LEVEL SECURITY;
GRANT ALL ON r TO core_copier;
SET ROLE core_copier;
COPY r FROM STDIN (FORMAT csv);
1,2
\.
COPY r TO STDOUT;
RESET ROLE;
DROP TABLE r;
DROP ROLE core_copier;

-- what later versions have
SELECT current_setting('server_version_num')::int >= 160000 AS is_16,
    current_setting('server_version_num')::int >= 170000 AS is_17,
    current_setting('server_version_num')::int >= 180000 AS is_18 \gset
\if :is_16
COPY g (b, d) FROM STDIN (DEFAULT '\D');
1	\D
\.
\endif
\if :is_17
COPY g (b, d) FROM STDIN (ON_ERROR ignore, LOG_VERBOSITY verbose);
x	bad
1	good
\.
COPY g (b, d) FROM STDIN (FORMAT csv, FORCE_NULL *, ON_ERROR stop);
1,good
\.
\endif
\if :is_18
COPY g (b, d) FROM STDIN (ON_ERROR ignore, REJECT_LIMIT 1);
x	bad
1	good
\.
\endif
