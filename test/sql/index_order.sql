-- Index entries wait and go in in (nearly) the order of their index:
-- afterwards each index holds every row, whatever its type, and an error
-- names the row that is at fault.
CREATE SCHEMA index_order;
SET search_path = index_order, public;
SET datestyle = ISO;
\pset null NULL

--
-- Indexes of many types
--
CREATE TYPE mood AS ENUM ('sad', 'ok', 'happy');
CREATE DOMAIN small AS int CHECK (VALUE >= 0);
CREATE DOMAIN word AS text CHECK (VALUE <> '');
CREATE COLLATION ci (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
CREATE TABLE target (
    id int PRIMARY KEY, s int2, i int4, b int8, o oid, t bool, f float4, d float8, n numeric,
    x text, l text COLLATE "en-x-icu", ci text COLLATE ci, v varchar(40), p bpchar, c char(6),
    y bytea, u uuid, e date, h time, z timestamp, w timestamptz, m money, a inet, q cidr, g small,
    r word, k mood, j int[], jb jsonb, nm name, iv interval, mac macaddr, ch "char", rng int4range,
    big text, doubled int GENERATED ALWAYS AS (i / 2) STORED);

-- A number below n that follows from a row's number and the column's.
CREATE FUNCTION pick(id int, col int, n int) RETURNS int IMMUTABLE LANGUAGE sql
    RETURN (hashint8extended(id, col) & 2147483647) % n;
-- Records from one number to another, one in twenty values NULL, in no order.
CREATE FUNCTION records(low int, high int, seed int) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    payload text;
BEGIN
    SELECT string_agg((SELECT json_object_agg(key, CASE WHEN key = 'id' OR
            pick(id, ascii(key) + length(key) + seed, 20) > 0 THEN value ELSE 'null' END) FROM json_each(row_to_json(made)))::text, E'\n'
            ORDER BY pick(id, seed, 1000000))
    INTO payload
    FROM (SELECT id,
        pick(id, seed + 1, 65536) - 32768 AS s,
        pick(id, seed + 2, 2000000000) * (1 - 2 * (id % 2)) AS i,
        (pick(id, seed + 3, 2000000000)::bigint << 32) * (1 - 2 * (id % 2)) AS b,
        (pick(id, seed + 4, 2147483647)::bigint << 1) AS o,
        id % 3 = 0 AS t,
        (ARRAY['NaN', '-0', '0', 'Infinity', '-Infinity', '1e-40'])[pick(id, seed + 5, 60) + 1] AS f,
        (ARRAY['NaN', '-0', '0', 'Infinity', '-Infinity', '1e-310', '-1e300'])[pick(id, seed + 6, 20) + 1] AS d,
        (ARRAY['NaN', '-Infinity', 'Infinity', '1e10000', '-1e10000', '1.0', '1.00', '1e-1000'])[pick(id, seed + 7, 20) + 1] AS n,
        'a common prefix of all of them ' || pick(id, seed + 8, 5000) AS x,
        (ARRAY['cote', 'coté', 'côte', 'Côté', 'zürich', 'Zurich', 'ABC', 'abc'])[pick(id, seed + 9, 8) + 1] || pick(id, seed + 9, 50) AS l,
        (ARRAY['x', 'X', 'y', 'Y'])[pick(id, seed + 10, 4) + 1] || pick(id, seed + 10, 90) AS ci,
        left(md5((id + seed)::text), pick(id, seed + 11, 32)) AS v,
        'p' || repeat(' ', pick(id, seed + 12, 3)) || pick(id, seed + 12, 3) || repeat(' ', pick(id, seed + 13, 4)) AS p,
        pick(id, seed + 14, 99999)::text AS c,
        '\x' || md5((id * seed)::text) AS y,
        md5((id - seed)::text)::uuid AS u,
        CASE pick(id, seed + 15, 30) WHEN 0 THEN 'infinity' WHEN 1 THEN '-infinity' ELSE (date '2000-01-01' + pick(id, seed + 15, 9000))::text END AS e,
        (time '00:00' + pick(id, seed + 16, 86400) * interval '1 s')::text AS h,
        CASE pick(id, seed + 17, 30) WHEN 0 THEN 'infinity' WHEN 1 THEN '-infinity' ELSE (timestamp '1900-01-01' + pick(id, seed + 17, 2000000000) * interval '1 s')::text END AS z,
        CASE pick(id, seed + 18, 30) WHEN 0 THEN 'infinity' WHEN 1 THEN '-infinity' ELSE (timestamp '1950-01-01' + pick(id, seed + 18, 2000000000) * interval '1 s')::text || 'Z' END AS w,
        (pick(id, seed + 19, 2000000) - 1000000)::numeric / 100 AS m,
        CASE WHEN id % 4 = 0 THEN '2001:db8::' || to_hex(pick(id, seed + 20, 65536)) ELSE '10.' || pick(id, seed + 20, 256) || '.1.' || id % 256 END AS a,
        '10.' || pick(id, seed + 21, 256) || '.0.0/16' AS q,
        pick(id, seed + 22, 3000) AS g,
        'w' || pick(id, seed + 23, 3000) AS r,
        (ARRAY['sad', 'ok', 'happy'])[pick(id, seed + 24, 3) + 1] AS k,
        json_build_array(pick(id, seed + 25, 9), pick(id, seed + 26, 9)) AS j,
        json_build_object('a', pick(id, seed + 27, 99), 'b', id % 5) AS jb,
        'nm' || pick(id, seed + 28, 9999) AS nm,
        pick(id, seed + 29, 9999) || ' minutes' AS iv,
        '08:00:2b:' || to_char(pick(id, seed + 30, 99), 'fm00') || ':' || to_char(pick(id, seed + 31, 99), 'fm00') || ':00' AS mac,
        chr(97 + pick(id, seed + 32, 26)) AS ch,
        format('[%s,%s)', pick(id, seed + 33, 500), 500 + pick(id, seed + 33, 500)) AS rng,
        left(repeat(md5(id::text) || md5((id * 7)::text), 70), pick(id, seed + 34, 2) * 2600) AS big
        FROM generate_series(low, high) id) made;
    RETURN payload;
END $$;

DO $$
DECLARE
    col text;
BEGIN
    FOR col IN SELECT attname FROM pg_attribute WHERE attrelid = 'target'::regclass AND attnum > 1 AND
            attname NOT IN ('i', 'd', 'p', 'g', 'k') LOOP
        EXECUTE format('CREATE INDEX ON target (%I)', col);
    END LOOP;
END $$;
CREATE INDEX ON target (i DESC);
CREATE INDEX ON target (i NULLS FIRST, x DESC NULLS LAST);
CREATE INDEX ON target (k, d DESC, x, u, n);
CREATE INDEX ON target (g, f NULLS FIRST) INCLUDE (big, id);
CREATE INDEX ON target (x text_pattern_ops, p bpchar_pattern_ops);
CREATE INDEX ON target (lower(l), (n * 2), (e + 1) DESC);
CREATE INDEX ON target (b) WHERE t;
CREATE INDEX ON target (upper(v)) WHERE k <> 'ok' AND v IS NOT NULL;
CREATE INDEX ON target (array_append(j, 1));
CREATE UNIQUE INDEX ON target (d, id);
CREATE UNIQUE INDEX ON target (p, ci, id) INCLUDE (x);
CREATE INDEX ON target USING hash (x);
CREATE INDEX ON target USING gin (jb);
CREATE INDEX ON target USING gin (j);
CREATE INDEX ON target USING gist (rng);
CREATE INDEX ON target USING brin (z, i) WITH (pages_per_range = 2);

-- A scan of a whole btree: the plan must use it, and find what a scan of the
-- table finds.
CREATE FUNCTION differs(index regclass) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    sql text;
    line text;
    is_used bool = false;
    by_index text;
    by_table text;
BEGIN
    SELECT format('SELECT count(*) || '' '' || coalesce(sum(id), 0) FROM (SELECT id FROM target WHERE %s ORDER BY %s OFFSET 0) q',
        coalesce(pg_get_expr(indpred, indrelid), 'true'),
        string_agg(pg_get_indexdef(indexrelid, n, true) ||
            CASE WHEN pg_index_column_has_property(indexrelid, n, 'desc') THEN ' USING ' ||
                CASE WHEN opcname LIKE '%pattern%' THEN '~>~' ELSE '>' END
            WHEN opcname LIKE '%pattern%' THEN ' USING ~<~' ELSE '' END ||
            CASE WHEN pg_index_column_has_property(indexrelid, n, 'nulls_first') THEN ' NULLS FIRST' ELSE ' NULLS LAST' END,
            ', ' ORDER BY n))
    INTO sql
    FROM pg_index, generate_series(1, indnkeyatts) n, pg_opclass c
    WHERE indexrelid = index AND c.oid = indclass[n - 1]
    GROUP BY indexrelid, indrelid, indpred;
    SET LOCAL enable_seqscan = off;
    SET LOCAL enable_sort = off;
    SET LOCAL enable_bitmapscan = off;
    FOR line IN EXECUTE 'EXPLAIN ' || sql LOOP
        is_used = is_used OR line LIKE '% using ' || index || ' %';
    END LOOP;
    EXECUTE sql INTO by_index;
    SET LOCAL enable_seqscan = on;
    SET LOCAL enable_sort = on;
    SET LOCAL enable_indexscan = off;
    SET LOCAL enable_indexonlyscan = off;
    EXECUTE sql INTO by_table;
    SET LOCAL enable_indexscan = on;
    SET LOCAL enable_indexonlyscan = on;
    SET LOCAL enable_bitmapscan = on;
    IF NOT is_used THEN
        RETURN index || ' was not used: ' || sql;
    ELSIF by_index <> by_table THEN
        RETURN index || ': ' || by_index || ' rather than ' || by_table;
    END IF;
    RETURN NULL;
END $$;
CREATE FUNCTION check_indexes() RETURNS TABLE (btrees bigint, different text) LANGUAGE sql AS $$
    SELECT count(*), string_agg(differs(indexrelid::regclass), '; ')
    FROM pg_index JOIN pg_class c ON c.oid = indexrelid
    WHERE indrelid = 'target'::regclass AND relam = (SELECT oid FROM pg_am WHERE amname = 'btree')
$$;
-- The others are asked for some of their values.
CREATE FUNCTION check_others() RETURNS TABLE (by_index text, by_table text) LANGUAGE plpgsql AS $$
DECLARE
    sql text = 'SELECT (SELECT count(*) FROM target WHERE x LIKE ''%7'' AND x = ANY (SELECT DISTINCT x FROM target)) || '' '' ||
        (SELECT count(*) FROM target WHERE x = ''a common prefix of all of them 77'') || '' '' ||
        (SELECT count(*) FROM target WHERE jb @> ''{"b": 3}'') || '' '' || (SELECT count(*) FROM target WHERE j @> ''{4}'') || '' '' ||
        (SELECT count(*) FROM target WHERE rng && ''[100,200)'') || '' '' || (SELECT count(*) FROM target WHERE z > ''1940-01-01'' AND i > 5)';
BEGIN
    SET LOCAL enable_seqscan = off;
    EXECUTE sql INTO by_index;
    SET LOCAL enable_seqscan = on;
    SET LOCAL enable_indexscan = off;
    SET LOCAL enable_indexonlyscan = off;
    SET LOCAL enable_bitmapscan = off;
    EXECUTE sql INTO by_table;
    RETURN NEXT;
END $$;

SELECT rows_inserted FROM intake.upload('target', records(1, 3000, 1));
SELECT rows_inserted FROM intake.upload('target', records(3001, 4000, 2));
SELECT * FROM check_indexes();
SELECT by_index = by_table AS same FROM check_others();
-- rows that are there and rows that are new
SELECT rows_inserted, rows_updated FROM intake.upload('target', records(2001, 5000, 3), mode => 'merge', options => '{"truncate": false}');
SELECT * FROM check_indexes();
SELECT by_index = by_table AS same FROM check_others();
-- again, by statements of one upload and by another key
SELECT rows_inserted, rows_updated, rows_deleted FROM intake.upload('target', records(1, 1000, 4), mode => 'merge', sys_op => 1);
SELECT rows_inserted, rows_updated FROM intake.upload('target', records(500, 1500, 5), mode => 'merge');
SELECT rows_inserted, rows_deleted > 0 AS deleted FROM intake.upload('target', records(6000, 7000, 3), mode => 'replace', options => '{"key": ["k", "j"]}');
SELECT * FROM check_indexes();
SELECT by_index = by_table AS same FROM check_others();
DROP TABLE target;

--
-- The row at fault
--
-- The SQLSTATE of an upload and the place it names, or how many rows went in.
CREATE FUNCTION place_of(tab regclass, payload text, mode text DEFAULT 'append') RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    context text;
    constraint_name text;
    n bigint;
BEGIN
    SELECT rows_affected INTO n FROM intake.upload(tab, payload, mode => mode);
    RETURN n || ' rows';
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS context = PG_EXCEPTION_CONTEXT, constraint_name = CONSTRAINT_NAME;
    RETURN concat_ws(' ', SQLSTATE, constraint_name, coalesce(substring(context FROM 'record \d+, line \d+'), 'no record'));
END $$;
-- Records with two columns, the numbers from 1 to n backwards but for one.
CREATE FUNCTION numbers(n int, record int, odd int) RETURNS text LANGUAGE sql AS $$
    SELECT string_agg(CASE r WHEN record THEN format('[%s, "w%s"]', odd, odd) ELSE format('[%s, "w%s"]', n + 1 - r, n + 1 - r) END, E'\n' ORDER BY r)
    FROM generate_series(1, n) r
$$;
CREATE TABLE plain (a int UNIQUE, b text);
INSERT INTO plain VALUES (-5, 'w-5');
-- with a row that is there, and with another of the payload, in one batch and
-- in the next
SELECT place_of('plain', numbers(25000, 13, -5)), place_of('plain', numbers(25000, 17321, -5)),
    place_of('plain', numbers(25000, 25000, -5));
SELECT place_of('plain', numbers(25000, 24, 25000)) AS second, place_of('plain', numbers(25000, 1, 24990)) AS second,
    place_of('plain', numbers(25000, 25000, 24990)) AS second, place_of('plain', numbers(25000, 7001, 1)) AS second;
-- the same through other doors to the table
ALTER TABLE plain ADD PRIMARY KEY (a), DROP CONSTRAINT plain_a_key;
CREATE UNIQUE INDEX plain_b ON plain (upper(b));
SELECT place_of('plain', numbers(12000, 12000, -5), 'merge');
SELECT place_of('plain', '[1, "a"]
[2, "b"]
[3, "W77"]
[4, "c"]
[5000, "d"]', 'merge'), place_of('plain', '[1, "a"]
[2, "b"]
[5000, "W77"]
[4, "c"]
[5001, "d"]', 'merge');
DROP TABLE plain;

-- Values that are equal but not the same: the second is at fault.
CREATE FUNCTION second(type text, one text, other text) RETURNS TABLE (one_other text, other_one text) LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE 'CREATE TABLE equal (a int, b ' || type || ', UNIQUE (b))';
    one_other = place_of('equal', json_build_array(1, one) || E'\n' || json_build_array(2, NULL) || E'\n' || json_build_array(3, other));
    other_one = place_of('equal', json_build_array(1, other) || E'\n' || json_build_array(2, NULL) || E'\n' || json_build_array(3, one));
    DROP TABLE equal;
    RETURN NEXT;
END $$;
SELECT t.*, s.* FROM (VALUES ('float8', '0', '-0'), ('float4', '-0', '0'), ('float8', 'NaN', 'nan'), ('numeric', '1.0', '1.00'),
    ('numeric', '1e5000', '1.0e5000'), ('bpchar', 'a', 'a   '), ('char(9)', 'a', 'a  '), ('text COLLATE ci', 'a', 'A'),
    ('interval', '24 hours', '1 day'), ('timestamptz', '2020-01-01T00:00:00Z', '2020-01-01T01:00:00+01'),
    ('word', 'a', 'a'), ('mood', 'ok', 'ok'), ('name', 'a', 'a'), ('inet', '10.0.0.1', '10.0.0.1/32')) t (type, one, other), second(type, one, other) s;

-- An index that refuses a value, by its expression, its size or its constraint
CREATE TABLE refusing (a int, b text);
CREATE INDEX ON refusing ((100 / a));
CREATE INDEX refusing_b ON refusing (b);
SELECT place_of('refusing', numbers(1500, 1234, 0));
SELECT place_of('refusing', E'[1, "a"]\n[2, "' || string_agg(md5(n::text), '') || E'"]\n[3, "a"]') FROM generate_series(1, 300) n;
ALTER TABLE refusing ADD r int4range, ADD EXCLUDE USING gist (r WITH &&);
SELECT place_of('refusing', E'[1, "a", "[1,5)"]\n[2, "a", "[7,9)"]\n[3, "a", "[4,6)"]\n[4, "a", "[10,11)"]');
ALTER TABLE refusing ADD UNIQUE (b) DEFERRABLE INITIALLY DEFERRED;
BEGIN;
SELECT place_of('refusing', E'[1, "a", null]\n[2, "a", null]');
COMMIT;
DROP TABLE refusing;

-- In partitions; those with a BEFORE ROW trigger take their rows one by one
CREATE TABLE parted (id int, k int, v int CHECK (v < 1000), PRIMARY KEY (id, k)) PARTITION BY LIST (k);
CREATE TABLE parted1 PARTITION OF parted FOR VALUES IN (1);
CREATE TABLE parted2 PARTITION OF parted FOR VALUES IN (2);
CREATE FUNCTION pick_at_two() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.v = 2 THEN RAISE 'two'; END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER pick BEFORE INSERT ON parted2 FOR EACH ROW EXECUTE FUNCTION pick_at_two();
SELECT place_of('parted', E'[1, 1, 0]\n[2, 1, 0]\n[1, 2, 0]\n[1, 1, 0]') AS "record 4",
    place_of('parted', E'[1, 1, 0]\n[2, 1, 0]\n[1, 2, 0]\n[1, 2, 0]') AS "record 4",
    place_of('parted', E'[1, 1, 0]\n[2, 1, 0]\n[3, 2, 2]\n[4, 2, 0]') AS "record 3",
    place_of('parted', E'[1, 1, 0]\n[2, 1, 0]\n[3, 2, 1000]\n[4, 2, 0]') AS "record 3",
    place_of('parted', E'[1, 1, 0]\n[2, 1, 0]\n[3, 3, 0]\n[4, 2, 0]') AS "record 3";
DROP TABLE parted;

--
-- Who looks at the table
--
-- How many rows are seen by an index and without one; a row of each caller.
CREATE TABLE looked (k int PRIMARY KEY, v int DEFAULT 0);
CREATE TABLE seen (what text, by_index bigint, by_table bigint);
CREATE FUNCTION count_by_index() RETURNS bigint LANGUAGE plpgsql SET enable_seqscan = off SET enable_bitmapscan = off AS $$
BEGIN RETURN (SELECT count(*) FROM looked WHERE k >= 0); END $$;
CREATE FUNCTION count_by_table() RETURNS bigint LANGUAGE plpgsql SET enable_indexscan = off SET enable_indexonlyscan = off SET enable_bitmapscan = off AS $$
BEGIN RETURN (SELECT count(*) FROM looked WHERE k >= 0); END $$;
CREATE FUNCTION look(what text) RETURNS int VOLATILE LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO seen VALUES (what, count_by_index(), count_by_table());
    RETURN 0;
END $$;
CREATE FUNCTION look_by_trigger() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM look(concat_ws(' ', TG_WHEN, TG_OP, TG_LEVEL));
    RETURN NEW;
END $$;
-- Since the last call: who looked how often, the most rows it saw, and how
-- often the two counts were not the same.
CREATE FUNCTION looks() RETURNS TABLE (what text, looks bigint, most bigint, different bigint) LANGUAGE sql AS $$
    WITH s AS (DELETE FROM seen RETURNING *), t AS (DELETE FROM looked)
    SELECT what, count(*), max(by_table), count(*) FILTER (WHERE by_index <> by_table) FROM s GROUP BY what ORDER BY what
$$;
CREATE FUNCTION payload(n int) RETURNS text LANGUAGE sql AS $$
    SELECT 'k' || string_agg(E'\n' || i, '' ORDER BY i) FROM generate_series(1, n) i
$$;

-- Triggers: the yardstick is INSERT.
CREATE TRIGGER ar AFTER INSERT OR UPDATE ON looked FOR EACH ROW EXECUTE FUNCTION look_by_trigger();
CREATE TRIGGER "as" AFTER INSERT OR UPDATE ON looked EXECUTE FUNCTION look_by_trigger();
CREATE TRIGGER bs BEFORE INSERT OR UPDATE ON looked EXECUTE FUNCTION look_by_trigger();
SELECT rows_inserted FROM intake.upload('looked', payload(300), 'csv');
SELECT * FROM looks();
INSERT INTO looked SELECT generate_series(1, 300);
SELECT * FROM looks();
CREATE TRIGGER br BEFORE INSERT OR UPDATE ON looked FOR EACH ROW EXECUTE FUNCTION look_by_trigger();
SELECT rows_inserted FROM intake.upload('looked', payload(30), 'csv');
SELECT rows_updated FROM intake.upload('looked', payload(20), 'csv', mode => 'merge');
SELECT * FROM looks();
INSERT INTO looked SELECT generate_series(1, 30);
UPDATE looked SET v = 0 WHERE k <= 20;
SELECT * FROM looks();
DROP TRIGGER ar ON looked;
DROP TRIGGER "as" ON looked;
DROP TRIGGER bs ON looked;
DROP TRIGGER br ON looked;

-- A volatile default: the yardstick is COPY, which then goes row by row.
ALTER TABLE looked ALTER v SET DEFAULT look('default');
SELECT rows_inserted FROM intake.upload('looked', payload(1200), 'csv');
SELECT * FROM looks();
\copy looked (k) FROM PROGRAM 'seq 1 1200'
SELECT * FROM looks();
ALTER TABLE looked ALTER v SET DEFAULT 0;

-- A volatile CHECK or condition of a trigger; COPY has 1,000 rows wait.
ALTER TABLE looked ADD CONSTRAINT looks CHECK (look('check') = 0);
SELECT rows_inserted FROM intake.upload('looked', payload(1200), 'csv');
SELECT * FROM looks();
\copy looked (k) FROM PROGRAM 'seq 1 1200'
SELECT * FROM looks();
ALTER TABLE looked DROP CONSTRAINT looks;
CREATE FUNCTION nothing() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
CREATE TRIGGER w AFTER INSERT ON looked FOR EACH ROW WHEN (look('when') = 0) EXECUTE FUNCTION nothing();
SELECT rows_inserted FROM intake.upload('looked', payload(1200), 'csv');
SELECT * FROM looks();
\copy looked (k) FROM PROGRAM 'seq 1 1200'
SELECT * FROM looks();
DROP TRIGGER w ON looked;

-- A foreign key to the table itself: rows may refer to later ones.
ALTER TABLE looked ADD FOREIGN KEY (v) REFERENCES looked;
SELECT place_of('looked', string_agg(format('[%s, %s]', i, 12001 - i), E'\n' ORDER BY i)) FROM generate_series(1, 12000) i;
SELECT place_of('looked', string_agg(format('[%s, %s]', i, 25001 - i), E'\n' ORDER BY i)) FROM generate_series(12001, 12999) i;
SELECT place_of('looked', string_agg(format('[%s, %s]', i, 1 + i % 12000), E'\n' ORDER BY i), 'merge') FROM generate_series(6000, 12010) i;

SET client_min_messages = warning;
DROP SCHEMA index_order CASCADE;
