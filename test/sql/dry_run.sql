--
-- Option dry_run: everything happens, nothing stays.
--
\set VERBOSITY terse
SET intake_test.uuid = '6f0f3c1e-0000-4000-8000-000000000001';

CREATE TABLE place (id int PRIMARY KEY, name text);
CREATE TABLE visit (
    id int PRIMARY KEY,
    place int REFERENCES place DEFERRABLE INITIALLY DEFERRED,
    persons int CHECK (persons > 0));
INSERT INTO place VALUES (1, 'Riga'), (2, 'Tartu');
INSERT INTO visit VALUES (1, 1, 10);

-- Of each mode, what would be done; then what is there.
SELECT replayed, sys_cn, expires_at, rows_received, rows_inserted,
       rows_updated, rows_deleted
FROM intake.upload('visit', E'[2,2,20]\n[3,2,30]'::text,
                   options => '{"dry_run": true}');
SELECT rows_received, rows_inserted, rows_updated, rows_deleted
FROM intake.upload('visit', E'[1,2,20]\n[3,2,30]'::text, mode => 'merge',
                   options => '{"dry_run": true}');
SELECT rows_received, rows_inserted, rows_updated, rows_deleted
FROM intake.upload('visit', E'[4,1,40]'::text, mode => 'replace',
                   options => '{"key": ["place"], "dry_run": true}');
SELECT rows_received, rows_inserted, rows_deleted
FROM intake.upload('visit', E'[4,1,40]'::text,
                   options => '{"truncate": true, "dry_run": true}');
BEGIN;
SELECT rows_received, rows_inserted, rows_deleted
FROM intake.upload('visit', E'[4,1,40]'::text,
                   options => '{"truncate": "fast", "dry_run": true}');
TABLE visit;
COMMIT;
SELECT rows_deleted
FROM intake.delete_partitions('visit', '[[1]]',
                              options => '{"key": ["place"], "dry_run": true}');
TABLE visit;
SELECT count(*) FROM intake.operations WHERE target = 'public.visit';

-- What would fail fails: bad values, constraints, and deferred ones too,
-- which the commit would find.
SELECT * FROM intake.upload('visit', '[2,2,"x"]'::text,
                            options => '{"dry_run": true}');
SELECT * FROM intake.upload('visit', '[2,2,0]'::text,
                            options => '{"dry_run": true}');
SELECT * FROM intake.upload('visit', '[2,7,1]'::text,
                            options => '{"dry_run": true}');

-- In a block that catches the error, and beside work that stays.
DO $$
BEGIN
    PERFORM intake.upload('visit', '[5,2,50]'::text);
    BEGIN
        PERFORM intake.upload('visit', '[6,7,60]'::text,
                              options => '{"dry_run": true}');
    EXCEPTION WHEN foreign_key_violation THEN
        RAISE NOTICE 'caught: %', SQLERRM;
    END;
    PERFORM intake.upload('visit', '[6,2,60]'::text,
                          options => '{"dry_run": true}');
    PERFORM intake.upload('visit', '[6,2,61]'::text);
END
$$;
TABLE visit;

-- A deferred constraint stays deferred for what comes after a dry run.
BEGIN;
SELECT rows_inserted
FROM intake.upload('visit', '[7,2,70]'::text, options => '{"dry_run": true}');
INSERT INTO visit VALUES (8, 3, 80);
INSERT INTO place VALUES (3, 'Turku');
COMMIT;
SELECT * FROM visit WHERE id > 6;

-- The UUID is not used up; once it is, a dry run gets the stored answer.
SELECT replayed, rows_inserted
FROM intake.upload('visit', '[9,1,90]'::text,
                   operation => current_setting('intake_test.uuid')::uuid,
                   options => '{"dry_run": true}');
SELECT intake.operation_status(current_setting('intake_test.uuid')::uuid);
SELECT replayed, rows_inserted
FROM intake.upload('visit', '[9,1,90]'::text,
                   operation => current_setting('intake_test.uuid')::uuid);
SELECT replayed, rows_inserted
FROM intake.upload('visit', '[9,1,90]'::text,
                   operation => current_setting('intake_test.uuid')::uuid,
                   options => '{"dry_run": true}');
SELECT count(*) FROM visit WHERE id = 9;

-- It is for a call, not for a registration.
SELECT intake.register_table('visit', options => '{"dry_run": true}');

DROP TABLE visit, place;
