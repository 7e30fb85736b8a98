-- What replace deletes through the key's index is what DELETE deletes: schema
-- up takes an upload, schema st plain DELETE and INSERT.  Outcomes, rows and
-- what triggers noted must be equal; those of the plain statements are shown.
CREATE SCHEMA up;
CREATE SCHEMA st;
\pset null NULL

-- Runs statements in both schemas; @ is the schema.
CREATE PROCEDURE both_do(sql text) LANGUAGE plpgsql AS $$
DECLARE
    side text;
BEGIN
    FOREACH side IN ARRAY ARRAY['up', 'st'] LOOP
        PERFORM set_config('search_path', side || ', public', true);
        EXECUTE replace(sql, '@', side);
    END LOOP;
END $$;

-- Runs a statement; 'ok' or the error.  Constraints are checked at the end.
CREATE FUNCTION attempt(side text, sql text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    detail text;
BEGIN
    PERFORM set_config('search_path', side || ', public', true);
    SET CONSTRAINTS ALL DEFERRED;
    EXECUTE sql;
    SET CONSTRAINTS ALL IMMEDIATE;
    RETURN 'ok';
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL;
    RETURN concat_ws(' ', SQLSTATE, SQLERRM, detail);
END $$;

-- The rows of a table, as text.
CREATE FUNCTION rows_of(side text, tab text) RETURNS text[] LANGUAGE plpgsql AS $$
DECLARE
    result text[];
BEGIN
    EXECUTE format('SELECT array_agg(t::text ORDER BY t::text COLLATE "C") FROM %I.%I t', side, tab)
        INTO result;
    RETURN result;
END $$;

-- Replaces by the key in both schemas, and compares all tables.
CREATE FUNCTION compare(payload text, key text[]) RETURNS TABLE (outcome text, different text)
LANGUAGE plpgsql AS $$
DECLARE
    condition text;
    uploaded text;
    tab text;
BEGIN
    SELECT string_agg(format('t.%1$I IS NOT DISTINCT FROM r.%1$I', k), ' AND ')
        INTO condition FROM unnest(key) k;
    uploaded = attempt('up', format('SELECT FROM intake.upload(%L, %L, mode => %L, options => %L)',
        'up.target', payload, 'replace', jsonb_build_object('key', key)));
    outcome = attempt('st', format(
        'DELETE FROM st.target t USING jsonb_populate_recordset(NULL::st.target, %1$L) r WHERE %2$s;
         INSERT INTO st.target SELECT * FROM jsonb_populate_recordset(NULL::st.target, %1$L)',
        '[' || replace(payload, E'\n', ',') || ']', condition));
    IF uploaded <> replace(outcome, 'st.', 'up.') THEN
        different = 'outcome: ' || uploaded;
    END IF;
    FOR tab IN SELECT tablename FROM pg_tables WHERE schemaname = 'up' LOOP
        IF rows_of('up', tab) IS DISTINCT FROM rows_of('st', tab) THEN
            different = concat_ws(' ', different, tab || ':', rows_of('up', tab)::text, 'not',
                rows_of('st', tab)::text);
        END IF;
    END LOOP;
    RETURN NEXT;
END $$;

-- Triggers that note what they see; the count of rows with k = 'a' too.
CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    n int;
BEGIN
    EXECUTE format('SELECT count(*) FROM %I.target WHERE k = ''a''', TG_TABLE_SCHEMA) INTO n;
    EXECUTE format('INSERT INTO %I.log VALUES ($1)', TG_TABLE_SCHEMA) USING
        concat_ws(' ', TG_NAME, TG_WHEN, TG_OP, TG_LEVEL, CASE WHEN TG_LEVEL = 'ROW' THEN OLD::text END, n);
    RETURN OLD;
END $$;
CREATE FUNCTION note_old() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('INSERT INTO %I.log SELECT $1 || o FROM old_rows o', TG_TABLE_SCHEMA) USING TG_NAME;
    RETURN NULL;
END $$;

\set rows 'INSERT INTO target SELECT n, nullif(chr(97 + n % 5), ''e''), nullif(n % 7, 3), n FROM generate_series(1, 40) n'
\set payload '{"id": 101, "k": "a", "n": 1}\n{"id": 102, "k": "a", "n": 1}\n{"id": 103, "k": null, "n": 2}\n{"id": 104, "k": "b", "n": null}\n{"id": 105, "k": null, "n": null}\n{"id": 106, "k": "zz", "n": 0}'

-- Statement triggers fire once, row triggers a row, after all deletes; columns
-- of the index in another order; NULLs in all places.
CALL both_do('CREATE TABLE target (id int, k text, n int, v int); CREATE INDEX ON target (n, k, v);
    CREATE TABLE log (what text);
    CREATE TRIGGER bs BEFORE DELETE ON target EXECUTE FUNCTION note();
    CREATE TRIGGER ar AFTER DELETE ON target FOR EACH ROW EXECUTE FUNCTION note();
    CREATE TRIGGER aw AFTER DELETE ON target FOR EACH ROW WHEN (OLD.v > 20) EXECUTE FUNCTION note();
    CREATE CONSTRAINT TRIGGER ad AFTER DELETE ON target DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
        EXECUTE FUNCTION note();
    CREATE TRIGGER "as" AFTER DELETE ON target EXECUTE FUNCTION note();');
CALL both_do(:'rows');
SELECT * FROM compare(E:'payload', '{k,n}');
SELECT what FROM st.log ORDER BY what COLLATE "C";
SELECT * FROM compare(E:'payload', '{n,k}');
-- BEFORE DELETE row triggers and transition tables take the SQL way
CALL both_do('CREATE TRIGGER br BEFORE DELETE ON target FOR EACH ROW EXECUTE FUNCTION note()');
SELECT * FROM compare('{"id": 107, "k": "b", "n": 2}', '{k,n}');
CALL both_do('DROP TRIGGER br ON target; CREATE TRIGGER tt AFTER DELETE ON target
    REFERENCING OLD TABLE AS old_rows EXECUTE FUNCTION note_old()');
SELECT * FROM compare('{"id": 108, "k": "c", "n": 2}', '{k,n}');
SELECT what FROM st.log WHERE what LIKE 'tt%' ORDER BY what;
CALL both_do('DROP TABLE target, log');

-- What a BEFORE STATEMENT trigger inserts is not deleted; what it changes is
-- an error, and what it deletes too.
CREATE FUNCTION meddle() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE replace(TG_ARGV[0], '@', TG_TABLE_SCHEMA);
    RETURN NULL;
END $$;
CALL both_do('CREATE TABLE target (id int, k text, n int); CREATE INDEX ON target (k);
    INSERT INTO target VALUES (1, ''a''), (2, ''a''), (3, ''b'');
    CREATE TRIGGER m BEFORE DELETE ON target EXECUTE FUNCTION meddle(''INSERT INTO @.target VALUES (9, ''''a'''')'')');
SELECT * FROM compare('{"id": 4, "k": "a"}', '{k}');
SELECT * FROM st.target ORDER BY id;
CALL both_do('DROP TRIGGER m ON target; CREATE TRIGGER m BEFORE DELETE ON target
    EXECUTE FUNCTION meddle(''UPDATE @.target SET n = 1 WHERE id = 9'')');
SELECT * FROM compare('{"id": 5, "k": "a"}', '{k}');
CALL both_do('DROP TABLE target');

-- Rows that refer to the deleted ones
CALL both_do('CREATE TABLE target (id int PRIMARY KEY, k text, n int); CREATE INDEX ON target (k);
    CREATE TABLE child (id int, parent int REFERENCES target ON DELETE CASCADE);
    INSERT INTO target VALUES (1, ''a''), (2, ''a''), (3, ''b'');
    INSERT INTO child VALUES (1, 1), (2, 2), (3, 3)');
SELECT * FROM compare('{"id": 1, "k": "a"}', '{k}');
SELECT * FROM st.child;
CALL both_do('DROP TABLE child; CREATE TABLE child (id int, parent int REFERENCES target);
    INSERT INTO child VALUES (1, 1)');
SELECT * FROM compare('{"id": 1, "k": "a"}', '{k}');
CALL both_do('DROP TABLE child; CREATE TABLE child (id int, parent int REFERENCES target ON DELETE RESTRICT);
    INSERT INTO child VALUES (1, 1)');
-- before PostgreSQL 18 the words are those of any foreign key
SELECT replace(replace(replace(outcome, '23001', '23503'), 'RESTRICT setting of ', ''), 'is referenced', 'is still referenced')
       AS outcome, different FROM compare('{"id": 1, "k": "a"}', '{k}');
CALL both_do('DROP TABLE child; CREATE TABLE child (id int, parent int REFERENCES target ON DELETE SET NULL);
    INSERT INTO child VALUES (1, 1)');
SELECT * FROM compare('{"id": 1, "k": "a"}', '{k}');
-- deferred: the key is there again at the end
CALL both_do('DROP TABLE child; CREATE TABLE child (id int, parent int REFERENCES target DEFERRABLE INITIALLY DEFERRED);
    INSERT INTO child VALUES (1, 1)');
SELECT * FROM compare('{"id": 1, "k": "a"}', '{k}');
SELECT * FROM compare('{"id": 2, "k": "a"}', '{k}');
CALL both_do('DROP TABLE child, target');
-- the table itself
CALL both_do('CREATE TABLE target (id int PRIMARY KEY, k text, up int REFERENCES target); CREATE INDEX ON target (k);
    INSERT INTO target VALUES (1, ''a'', NULL), (2, ''a'', 1), (3, ''b'', 1)');
SELECT * FROM compare('{"id": 1, "k": "a"}', '{k}');
SELECT * FROM compare(E'{"id": 3, "k": "a", "up": 1}\n{"id": 1, "k": "a"}\n{"id": 7, "k": "b", "up": 3}', '{k}');
SELECT * FROM st.target ORDER BY id;
CALL both_do('DROP TABLE target');

-- Children inherit rows, but no index
CALL both_do('CREATE TABLE target (id int, k text); CREATE INDEX ON target (k);
    CREATE TABLE heir () INHERITS (target);
    INSERT INTO target VALUES (1, ''a''); INSERT INTO heir VALUES (2, ''a'')');
SELECT * FROM compare('{"id": 3, "k": "a"}', '{k}');
SELECT tableoid::regclass, * FROM st.target;
CALL both_do('DROP TABLE heir; DROP TABLE target');

-- A partial index serves nothing, nor does one by another collation or class
CALL both_do('CREATE TABLE target (id int, k text);
    CREATE INDEX ON target (k) WHERE id > 5; CREATE INDEX ON target (k COLLATE "C");
    CREATE INDEX ON target (k text_pattern_ops); CREATE INDEX ON target USING hash (k);
    INSERT INTO target SELECT n, chr(97 + n % 3) FROM generate_series(1, 9) n');
SELECT * FROM compare('{"id": 30, "k": "a"}', '{k}');
SELECT count(*) FROM st.target;
CALL both_do('DROP TABLE target');

-- Values that are equal, but not the same
CALL both_do('CREATE TABLE target (id int, d numeric, c char(5), p bpchar, f float8);
    CREATE INDEX ON target (d); CREATE INDEX ON target (c); CREATE INDEX ON target (p); CREATE INDEX ON target (f);
    INSERT INTO target VALUES (1, 1.0, ''a'', ''a'', 0), (2, 1.00, ''a '', ''a  '', ''-0''), (3, 2, ''b'', ''b'', ''NaN''),
    (4, ''NaN'', '''', '''', ''inf'')');
SELECT * FROM compare('{"id": 11, "d": 1.000, "c": "b", "p": "b", "f": 5}', '{d}');
SELECT * FROM compare('{"id": 12, "d": "NaN", "c": "b  ", "p": "b", "f": 5}', '{c}');
SELECT * FROM compare('{"id": 13, "d": "NaN", "c": "b  ", "p": "b  ", "f": "NaN"}', '{p}');
SELECT * FROM compare('{"id": 14, "d": "NaN", "c": "b  ", "p": "b  ", "f": "NaN"}', '{f}');
SELECT * FROM st.target ORDER BY id;
CALL both_do('DROP TABLE target');

-- Keys of many types; each other value is in the payload, NULL is
CREATE COLLATION ci (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
CREATE TYPE mood AS ENUM ('sad', 'ok', 'happy');
CREATE DOMAIN word AS text CHECK (VALUE <> '');
CREATE FUNCTION compare_type(type text, spelt text[], others text[]) RETURNS TABLE (outcome text, different text, remain int)
LANGUAGE plpgsql AS $$
DECLARE
    bare text = regexp_replace(type, ' COLLATE .*', '');
    payload text;
BEGIN
    CALL both_do(format('CREATE TABLE target (id int, k %s); CREATE INDEX ON target (k DESC, id)', type));
    CALL both_do(format('INSERT INTO target SELECT n, v::%s FROM unnest(%L::text[]) WITH ORDINALITY v (v, n), generate_series(1, 2)',
        bare, spelt || others || ARRAY[NULL]));
    EXECUTE format('SELECT string_agg(jsonb_build_object(''id'', 100 + n, ''k'', v::%s)::text, E''\n'' ORDER BY n) FROM unnest($1) WITH ORDINALITY v (v, n)',
        bare) INTO payload USING others || ARRAY[NULL];
    SELECT c.outcome, c.different INTO outcome, different FROM compare(payload, '{k}') c;
    SELECT count(*) INTO remain FROM up.target WHERE id < 100;
    CALL both_do('DROP TABLE target');
    RETURN NEXT;
END $$;
SELECT t.type, c.* FROM (VALUES
    ('int2', '{1}'::text[], '{2,-3}'::text[]), ('int8', '{1}', '{-9223372036854775808,9223372036854775807}'), ('oid', '{1}', '{4294967295}'),
    ('bool', '{t}', '{f}'), ('text COLLATE public.ci', '{a,b}', '{c,C}'), ('name', '{a}', '{b,c}'), ('"char"', '{a}', '{b}'),
    ('public.word', '{a}', '{b}'), ('public.mood', '{sad,ok}', '{happy}'), ('int[]', '{"{1}"}', '{"{1,2}","{}"}'), ('jsonb', '{1}', '{"2.0","null"}'),
    ('uuid', '{11111111-1111-1111-1111-111111111111}', '{11111111-1111-1111-1111-111111111112}'), ('bytea', '{a}', '{"\\x62"}'),
    ('date', '{2020-01-01}', '{infinity,-infinity}'), ('timestamptz', '{2020-01-01Z}', '{2021-01-01Z,infinity}'),
    ('interval', '{1 day}', '{24:00:01}'), ('inet', '{10.0.0.1}', '{10.0.0.2/32,::1}'), ('varchar(5)', '{a}', '{b,abcde}'),
    ('int4range', '{"[1,2)"}', '{"[1,3]",empty}'), ('tsvector', '{a}', '{a b}'), ('bit(3)', '{101}', '{111}')) t (type, spelt, others),
    compare_type(t.type, t.spelt, t.others) c;

-- Many keys, so that rows are visited page by page: HOT chains, moved keys, and
-- indexes of which up to two thirds are dead entries
CALL both_do('CREATE TABLE target (id int, k int, n int, v text) WITH (fillfactor = 50, autovacuum_enabled = off);
    CREATE INDEX ON target (k);
    INSERT INTO target SELECT i, nullif(i % 300, 17), i, repeat(''x'', i % 50) FROM generate_series(1, 1500) i;
    UPDATE target SET n = -n WHERE id % 3 = 0;
    UPDATE target SET n = n + 1 WHERE id % 9 = 0;
    UPDATE target SET k = k + 1 WHERE id % 7 = 0;
    DELETE FROM target WHERE id % 5 = 0');
SELECT n, c.* FROM generate_series(1, 3) n, LATERAL compare((SELECT
    string_agg(format('{"id": %s, "k": %s, "n": %s, "v": "new"}', i, coalesce(nullif(i % 250, 17)::text, 'null'), n), E'\n')
    FROM generate_series(1, 500) i), '{k}') c;
SELECT count(*), count(*) FILTER (WHERE k BETWEEN 0 AND 249) AS replaced, count(*) FILTER (WHERE v = 'new') AS new FROM up.target;
CALL both_do('DROP TABLE target');

-- Keys of expressions, several of them, in the order of the index or another
CREATE TABLE st.target (a text, b text, d date, v int);
CREATE INDEX ON st.target (lower(a), upper(b), extract(year FROM d));
INSERT INTO st.target SELECT 'A' || n, 'b' || n % 2, date '2020-01-01' + n * 100, n FROM generate_series(1, 12) n;
INSERT INTO st.target VALUES (NULL, 'b1', '2020-05-05', 13), ('A1', NULL, '2020-05-05', 14);
SELECT intake.register_table('st.target', replacing_key => '{lower(a),upper(b),extract(year FROM d)}', create_index => false);
SELECT rows_deleted FROM intake.upload('st.target', '["a3", "B1", "2020-12-31", 1]');
SELECT rows_deleted FROM intake.upload('st.target', E'[null, "B1", "2020-12-31", 1]\n["a1", null, "2020-01-01", 1]\n["a2", "b0", "2021-01-01", 1]');
SELECT intake.register_table('st.target', replacing_key => '{extract(year FROM d),upper(b),lower(a)}', create_index => false);
SELECT rows_deleted FROM intake.upload('st.target', E'["A5", "b1", "2021-12-31", 1]\n["a6", "b0", "2020-01-01", 1]');
SELECT * FROM st.target ORDER BY v, a;
DROP TABLE st.target;

-- Rights are those of DELETE ... WHERE key
CREATE TABLE st.target (id int, k text, v int);
CREATE INDEX ON st.target (k);
INSERT INTO st.target VALUES (1, 'a', 0), (2, 'b', 0);
CREATE ROLE regress_deleter;
GRANT USAGE ON SCHEMA st, intake TO regress_deleter;
GRANT INSERT, DELETE ON st.target TO regress_deleter;
SET ROLE regress_deleter;
SELECT rows_deleted FROM intake.upload('st.target', '[3, "a", 0]', mode => 'replace', options => '{"key": ["k"]}');
RESET ROLE;
GRANT SELECT (id, v) ON st.target TO regress_deleter;
SET ROLE regress_deleter;
SELECT rows_deleted FROM intake.upload('st.target', '[3, "a", 0]', mode => 'replace', options => '{"key": ["k"]}');
RESET ROLE;
REVOKE SELECT (id, v) ON st.target FROM regress_deleter;
GRANT SELECT (k) ON st.target TO regress_deleter;
SET ROLE regress_deleter;
SELECT rows_deleted FROM intake.upload('st.target', '[3, "a", 0]', mode => 'replace', options => '{"key": ["k"]}');
RESET ROLE;
REVOKE DELETE ON st.target FROM regress_deleter;
SET ROLE regress_deleter;
SELECT rows_deleted FROM intake.upload('st.target', '[3, "a", 0]', mode => 'replace', options => '{"key": ["k"]}');
RESET ROLE;
GRANT DELETE ON st.target TO regress_deleter;
REVOKE INSERT ON st.target FROM regress_deleter;
SET ROLE regress_deleter;
SELECT rows_deleted FROM intake.delete_partitions('st.target', '[{"k": "a"}]', options => '{"key": ["k"]}');
RESET ROLE;
SELECT * FROM st.target ORDER BY id;
DROP OWNED BY regress_deleter;
DROP ROLE regress_deleter;

-- Savepoints and cursors: what was open sees the rows, what is rolled back has them
BEGIN;
INSERT INTO st.target VALUES (5, 'b', 1);
DECLARE before_it CURSOR FOR SELECT * FROM st.target ORDER BY id;
DECLARE held CURSOR WITH HOLD FOR SELECT * FROM st.target ORDER BY id;
SAVEPOINT one;
SELECT rows_deleted FROM intake.upload('st.target', '[6, "b", 0]', mode => 'replace', options => '{"key": ["k"]}');
SAVEPOINT two;
SELECT rows_deleted FROM intake.upload('st.target', '[7, "b", 0]', mode => 'replace', options => '{"key": ["k"]}');
SELECT * FROM st.target ORDER BY id;
ROLLBACK TO two;
SELECT * FROM st.target ORDER BY id;
FETCH ALL FROM before_it;
ROLLBACK TO one;
SELECT * FROM st.target ORDER BY id;
SELECT rows_deleted FROM intake.upload('st.target', '[8, "b", 0]', mode => 'replace', options => '{"key": ["k"]}');
COMMIT;
FETCH ALL FROM held;
CLOSE held;
SELECT * FROM st.target ORDER BY id;

-- No key in the payload: nothing is deleted, no trigger fires
CREATE TABLE st.fired (op text);
CREATE TRIGGER m BEFORE DELETE ON st.target EXECUTE FUNCTION meddle('INSERT INTO @.fired VALUES (''D'')');
SELECT rows_deleted FROM intake.upload('st.target', '', mode => 'replace', options => '{"key": ["k"]}');
SELECT count(*) FROM st.fired;

SET client_min_messages = warning;
DROP SCHEMA up, st CASCADE;
DROP FUNCTION attempt, rows_of, compare, compare_type, note, note_old, meddle;
DROP PROCEDURE both_do;
DROP TYPE mood;
DROP DOMAIN word;
DROP COLLATION ci;
