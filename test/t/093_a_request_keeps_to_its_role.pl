# What a table's owner has written runs in a loader, whose session is a
# superuser's: triggers, deferred triggers, defaults and policies may neither
# get back to its rights nor leave anything for the next request.

use strict;
use warnings;

use FindBin;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

use lib "$FindBin::RealBin/../lib";
use IntakeGateway;

my ($node, $base) = make_gateway('role', 'pg_intake.max_loaders = 1');

start_gateway($node, $base, q{
    CREATE ROLE owner;
    CREATE ROLE bystander;
    CREATE TABLE tried (place text, what text, outcome text, who text);
    CREATE TABLE seen (what text, value text, pid int);
    GRANT ALL ON tried, seen TO PUBLIC;
    CREATE TABLE secret (a int);

    CREATE FUNCTION try(place text) RETURNS void LANGUAGE plpgsql AS $$
    DECLARE
        what text;
    BEGIN
        FOREACH what IN ARRAY ARRAY['RESET ROLE', 'SET ROLE NONE',
            'SET ROLE postgres', 'SET LOCAL ROLE postgres',
            'SET SESSION AUTHORIZATION postgres',
            'SET SESSION AUTHORIZATION DEFAULT',
            'RESET SESSION AUTHORIZATION',
            $q$SELECT set_config('role', 'postgres', false)$q$,
            $q$SELECT set_config('session_authorization', 'postgres', false)$q$,
            'SELECT * FROM secret', 'ALTER ROLE writer SUPERUSER',
            $q$COPY secret TO PROGRAM 'true'$q$, 'COMMIT']
        LOOP
            BEGIN
                EXECUTE what;
                INSERT INTO tried VALUES (place, what, 'done', current_user);
            EXCEPTION WHEN OTHERS THEN
                INSERT INTO tried VALUES (place, what, SQLSTATE, current_user);
            END;
        END LOOP;
    END $$;
    CREATE FUNCTION try_before() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN PERFORM try('before'); RETURN NEW; END $$;
    CREATE FUNCTION try_deferred() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN PERFORM try('deferred'); RETURN NULL; END $$;
    CREATE FUNCTION try_default() RETURNS int LANGUAGE plpgsql AS
        $$ BEGIN PERFORM try('default'); RETURN 1; END $$;
    CREATE FUNCTION try_policy() RETURNS bool LANGUAGE plpgsql AS
        $$ BEGIN PERFORM try('policy'); RETURN true; END $$;
    CREATE FUNCTION try_definer() RETURNS trigger SECURITY DEFINER
        LANGUAGE plpgsql AS
        $$ BEGIN PERFORM try('definer'); RETURN NULL; END $$;
    ALTER FUNCTION try_definer() OWNER TO owner;

    CREATE TABLE trap (id int, made int DEFAULT try_default());
    CREATE TRIGGER try_before BEFORE INSERT ON trap
        FOR EACH ROW EXECUTE FUNCTION try_before();
    CREATE CONSTRAINT TRIGGER try_deferred AFTER INSERT ON trap
        DEFERRABLE INITIALLY DEFERRED
        FOR EACH ROW EXECUTE FUNCTION try_deferred();
    CREATE CONSTRAINT TRIGGER try_definer AFTER INSERT ON trap
        DEFERRABLE INITIALLY DEFERRED
        FOR EACH ROW EXECUTE FUNCTION try_definer();
    ALTER TABLE trap ENABLE ROW LEVEL SECURITY;
    CREATE POLICY p ON trap WITH CHECK (try_policy());
    ALTER TABLE trap OWNER TO owner;
    GRANT INSERT, SELECT ON trap TO writer;
    SELECT intake.register_table('trap');

    CREATE FUNCTION litter() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        INSERT INTO seen VALUES
            ('work_mem', current_setting('work_mem'), pg_backend_pid()),
            ('search_path', current_setting('search_path'), pg_backend_pid()),
            ('my.own', coalesce(current_setting('my.own', true), ''),
                pg_backend_pid()),
            ('temporary', coalesce(to_regclass('pg_temp.litter')::text, 'none'),
                pg_backend_pid()),
            ('prepared', (SELECT count(*) FROM pg_prepared_statements)::text,
                pg_backend_pid()),
            ('cursors', (SELECT count(*) FROM pg_cursors
                WHERE is_holdable)::text, pg_backend_pid()),
            ('last', (SELECT count(operation) FROM intake.last_upload())::text,
                pg_backend_pid()),
            ('locks', (SELECT count(*) FROM pg_locks WHERE objsubid = 1
                AND locktype = 'advisory' AND pid = pg_backend_pid())::text,
                pg_backend_pid());
        PERFORM set_config('work_mem', '77kB', false);
        PERFORM set_config('search_path', 'nowhere, public', false);
        PERFORM set_config('my.own', 'litter', false);
        CREATE TEMP TABLE litter (a int);
        PREPARE litter AS SELECT 1;
        EXECUTE 'DECLARE litter CURSOR WITH HOLD FOR SELECT 1';
        PERFORM pg_advisory_lock(4711);
        RETURN NEW;
    END $$;
    CREATE TABLE floor (id int, CHECK (id < 10));
    CREATE TRIGGER litter BEFORE INSERT ON floor
        FOR EACH ROW EXECUTE FUNCTION litter();
    ALTER TABLE floor OWNER TO owner;
    GRANT INSERT ON floor TO writer;
    SELECT intake.register_table('floor')});

sub upload
{
    my ($table, $payload) = @_;
    my ($status, $headers, $body) =
        curl(-H => 'Content-Type: application/x-ndjson',
        '--data-binary' => $payload,
        "$base/v1/tables/public/$table/operations");

    diag(explain($body)) if $status >= 500;
    return $status;
}

is(upload('trap', '{"id": 1}'), 201, 'an upload through the traps');
is($node->safe_psql('postgres', 'SELECT string_agg(DISTINCT place, \',\') FROM tried'),
    'before,default,deferred,definer,policy', 'all of them were tried');
is($node->safe_psql('postgres', q{SELECT * FROM tried WHERE outcome = 'done'
    AND what NOT LIKE '%LOCAL%'}), '', 'nothing got through')
    or diag($node->safe_psql('postgres', 'SELECT DISTINCT * FROM tried'));
is($node->safe_psql('postgres', q{SELECT DISTINCT place, who FROM tried
    ORDER BY 1}), "before|writer\ndefault|writer\ndeferred|writer\n"
    . "definer|owner\npolicy|writer", 'all ran as the principal');
is($node->safe_psql('postgres', q{SELECT count(*) FROM tried
    WHERE outcome = 'done'}), 0, 'really nothing');
is($node->safe_psql('postgres', q{SELECT rolsuper FROM pg_roles
    WHERE rolname = 'writer'}), 'f', 'the role is what it was');

is(upload('floor', '[1]'), 201, 'an upload that litters');
is(upload('floor', '[2]'), 201, 'and another one');
is(upload('floor', '[11]'), 422, 'one that litters and fails');
is(upload('floor', '[3]'), 201, 'and the next');
is($node->safe_psql('postgres', q{SELECT count(DISTINCT pid) FROM seen}), 1,
    'all in one loader');
is($node->safe_psql('postgres', q{
    SELECT what, string_agg(DISTINCT value, ' then ' ORDER BY value)
    FROM seen GROUP BY what ORDER BY what}), $node->safe_psql('postgres', q{
    SELECT what, CASE what WHEN 'work_mem' THEN current_setting(what)
        WHEN 'search_path' THEN current_setting(what)
        WHEN 'my.own' THEN '' WHEN 'temporary' THEN 'none' ELSE '0' END
    FROM (SELECT DISTINCT what FROM seen) s ORDER BY what}),
    'each of them had a clean session');

$node->stop;
done_testing();
