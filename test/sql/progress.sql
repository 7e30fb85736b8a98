--
-- pg_stat_progress_copy during an upload, as a trigger of the target sees it.
--
CREATE TABLE place (id int PRIMARY KEY, name text);
CREATE TABLE seen (id int, command text, type text, relid regclass,
    bytes_processed bigint, bytes_total bigint, tuples_processed bigint);

CREATE FUNCTION look() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF new.id % 10000 = 1 THEN
        PERFORM pg_stat_clear_snapshot();
        INSERT INTO seen
        SELECT new.id, command, type, p.relid, p.bytes_processed,
               p.bytes_total, p.tuples_processed
        FROM pg_stat_progress_copy p WHERE pid = pg_backend_pid();
    END IF;
    RETURN new;
END
$$;
CREATE TRIGGER look BEFORE INSERT ON place
    FOR EACH ROW EXECUTE FUNCTION look();

-- A line of twelve bytes a record: batches of 10,000 records.
SELECT rows_inserted
FROM intake.upload('place', (SELECT string_agg(format(E'[%s,"a"]\n',
                                                      lpad(i::text, 5, ' ')), '')
                             FROM generate_series(1, 25000) i));
SELECT * FROM seen;
SELECT count(*) FROM pg_stat_progress_copy;

-- COPY that fires a trigger which uploads keeps its own report.
TRUNCATE seen, place;
CREATE TABLE outer_place (id int);
CREATE FUNCTION upload() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM intake.upload('place', format('[%s,"b"]', new.id));
    RETURN new;
END
$$;
CREATE TRIGGER upload BEFORE INSERT ON outer_place
    FOR EACH ROW EXECUTE FUNCTION upload();
COPY outer_place FROM STDIN;
10001
20001
\.
SELECT id, command, type, relid FROM seen;

-- An upload inside an upload leaves the report to the outer one, which ends it.
TRUNCATE seen;
SELECT rows_inserted FROM intake.upload_query('outer_place', $$
    SELECT i + rows_inserted - 1 AS id FROM generate_series(40001, 50001, 10000) i,
        intake.upload_query('place', 'SELECT 30001 AS id')$$);
SELECT id, type, relid FROM seen;
SELECT count(*) FROM pg_stat_progress_copy;

-- A merge whose first try is rolled back goes on reporting: the trigger makes
-- it look as if another session had been in the way.
TRUNCATE seen, place;
DROP TRIGGER look ON place;
CREATE TRIGGER look BEFORE UPDATE ON place
    FOR EACH ROW EXECUTE FUNCTION look();
INSERT INTO place SELECT i, 'a' FROM generate_series(1, 25000) i;
CREATE SEQUENCE tries;
CREATE FUNCTION fail_once() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF new.id = 2 AND nextval('tries') = 1 THEN
        RAISE serialization_failure;
    END IF;
    RETURN new;
END
$$;
CREATE TRIGGER a_fails BEFORE UPDATE ON place
    FOR EACH ROW EXECUTE FUNCTION fail_once();
SELECT rows_updated
FROM intake.upload('place', (SELECT string_agg(format(E'[%s,"b"]\n',
                                                      lpad(i::text, 5, ' ')), '')
                             FROM generate_series(1, 25000) i),
                   mode => 'merge');
SELECT last_value FROM tries;
SELECT * FROM seen ORDER BY id;

DROP TABLE seen, place, outer_place;
DROP FUNCTION look, upload, fail_once;
DROP SEQUENCE tries;
