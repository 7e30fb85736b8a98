# Registrations follow their tables through renames, moves, drops, dumps and
# a new extension, on a server of their own.

use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('registry');
$node->init(allows_streaming => 1);
$node->start;

sub run_sql
{
    my ($sql, $database) = @_;

    return $node->safe_psql($database // 'postgres', $sql);
}

# What the registry says, a line an entity.
sub entities
{
    return run_sql(
        q{SELECT target, kind, datamart, entity, mode, replacing_key,
            partition_key, options, state
          FROM intake.entities ORDER BY entity}, shift);
}

run_sql(
    q{
    CREATE EXTENSION pg_intake;
    CREATE SCHEMA shop;
    CREATE FUNCTION shop.bucket(int) RETURNS int IMMUTABLE LANGUAGE sql
        AS 'SELECT $1 / 10';
    CREATE TABLE shop.sales (gone int, country text, "Goods qty" int, day date);
    ALTER TABLE shop.sales DROP gone;
    CREATE TABLE shop.places (uid int PRIMARY KEY, name text);
    CREATE VIEW shop.seen AS SELECT uid, name FROM shop.places;
    CREATE TABLE shop.doomed (a int);
    SELECT intake.register_table('shop.sales',
        replacing_key => ARRAY['country', 'shop.bucket("Goods qty")'],
        partition_key => ARRAY[$$date_trunc('month', day)$$],
        datamart => 'mart', entity => 'Sales', mode => 'replace',
        options => '{"null": "-"}');
    SELECT intake.register_table('shop.places');
    SELECT intake.register_table('shop.seen', replacing_key => '{uid}');
    SELECT intake.register_table('shop.doomed');
    });

# Renames and moves.
run_sql(
    q{
    ALTER TABLE shop.sales RENAME country TO "Land";
    ALTER TABLE shop.sales RENAME day TO at_day;
    ALTER TABLE shop.sales RENAME TO sold;
    CREATE SCHEMA attic;
    ALTER TABLE shop.sold SET SCHEMA attic;
    ALTER SCHEMA attic RENAME TO cellar;
    });
my $sales = join('|',
    'cellar.sold', 'proxy', 'mart', 'Sales', 'replace',
    q({Land,"shop.bucket(\\"Goods qty\\")"}),
    q({"date_trunc('month', at_day)"}),
    '{"null": "-"}', 'ready');
my $places = 'shop.places|logical|shop|places||||{}|ready';
my $seen = 'shop.seen|proxy|shop|seen||{uid}||{}|ready';
my $doomed = 'shop.doomed|proxy|shop|doomed||||{}|ready';

is(entities(), "$sales\n$doomed\n$places\n$seen", 'renames are followed');

# A rename that is rolled back, and one in a savepoint.
run_sql(
    q{
    BEGIN;
    ALTER TABLE shop.seen RENAME uid TO nobody;
    ROLLBACK;
    BEGIN;
    SAVEPOINT s;
    ALTER TABLE shop.seen RENAME uid TO nobody;
    ROLLBACK TO s;
    COMMIT;
    });
like(entities(), qr/^\Q$seen\E$/m, 'a rename that did not happen is not followed');

# A dropped table, by a role that may not read the registry.
run_sql(
    q{
    CREATE ROLE keeper;
    ALTER TABLE shop.doomed OWNER TO keeper;
    GRANT USAGE ON SCHEMA shop TO keeper;
    SET ROLE keeper;
    DROP TABLE shop.doomed;
    });
is(run_sql(q{SELECT count(*) FROM intake.entity WHERE entity = 'doomed'}),
    '0', 'a dropped table has no entry');

# An entry that was left behind counts for nothing and is not dumped.  The
# table is dropped while the event trigger is off; the entry is then made to
# point at the OID of another table, as if that had got it by wrap-around.
run_sql(
    q{
    CREATE TABLE shop.left_behind (a int);
    SELECT intake.register_table('shop.left_behind');
    ALTER EVENT TRIGGER pg_intake_on_drop DISABLE;
    DROP TABLE shop.left_behind;
    ALTER EVENT TRIGGER pg_intake_on_drop ENABLE ALWAYS;
    CREATE TABLE shop.heir (a int);
    });
is(entities(), "$sales\n$places\n$seen", 'a stale entry is not shown');
run_sql(
    q{UPDATE intake.entity SET target = 'shop.heir'::regclass
      WHERE entity = 'left_behind'});
is(entities(), "$sales\n$places\n$seen", 'a reused OID takes no entry over');

# Dump and restore, in both formats.
my $dump = $node->basedir . '/registry.dump';
$node->command_ok([ 'pg_dump', '-Fc', '-f', $dump, 'postgres' ], 'pg_dump');
run_sql('CREATE DATABASE restored');
$node->command_ok([ 'pg_restore', '--exit-on-error', '-d', 'restored', $dump ],
    'pg_restore');
is(entities('restored'), "$sales\n$places\n$seen", 'entries are restored');
is( run_sql(
        q{SELECT replacing_sql, partition_sql FROM intake.entity
          WHERE entity = 'Sales'}, 'restored'),
    run_sql(
        q{SELECT replacing_sql, partition_sql FROM intake.entity
          WHERE entity = 'Sales'}),
    'canonical keys are restored');
is( run_sql(
        q{SELECT count(*) FROM intake.entity e
          JOIN pg_class c ON c.oid = e.target AND c.reltype = e.row_type},
        'restored'),
    '3',
    'restored entries point at the restored tables');
run_sql('ALTER TABLE cellar.sold RENAME "Land" TO country', 'restored');
like(
    entities('restored'),
    qr/\Q{country,"shop.bucket\E/,
    'keys follow renames after the restore');
is( run_sql(
        q{SELECT string_agg(evtname::text || evtenabled::text, ' '
            ORDER BY evtname)
          FROM pg_event_trigger}, 'restored'),
    'pg_intake_on_dropA pg_intake_on_renameA',
    'event triggers are there once, always enabled');

my $plain = $node->basedir . '/registry.sql';
$node->command_ok([ 'pg_dump', '-f', $plain, 'restored' ], 'pg_dump as SQL');
run_sql('CREATE DATABASE again');
$node->command_ok(
    [ 'psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-f', $plain, 'again' ],
    'psql restores it');
is(entities('again'), entities('restored'), 'entries survive a second dump');

# Nothing of ours stops a DROP, even when the registry itself is broken.
run_sql(
    q{
    ALTER EXTENSION pg_intake DROP VIEW intake.entities;
    DROP VIEW intake.entities;
    ALTER EXTENSION pg_intake DROP TABLE intake.entity;
    DROP TABLE intake.entity;
    ALTER TABLE cellar.sold RENAME country TO land;
    DROP TABLE cellar.sold;
    DROP SCHEMA shop CASCADE;
    }, 'again');
is( run_sql(q{SELECT to_regclass('cellar.sold') IS NULL}, 'again'),
    't', 'tables can be dropped without the registry');

# The extension goes and comes back; the tables stay.
run_sql('DROP EXTENSION pg_intake');
is( run_sql(
        q{SELECT to_regclass('cellar.sold') IS NOT NULL,
            to_regnamespace('intake') IS NULL,
            (SELECT count(*) FROM pg_event_trigger)}),
    't|t|0',
    'DROP EXTENSION takes what is its own');
run_sql(
    q{
    ALTER TABLE cellar.sold RENAME "Land" TO country;
    CREATE EXTENSION pg_intake;
    SELECT intake.register_table('cellar.sold', replacing_key => '{country}');
    });
is( entities(),
    'cellar.sold|proxy|cellar|sold||{country}||{}|ready',
    'CREATE EXTENSION again starts empty');

# A standby shows the entries and takes no registration.
$node->backup('base');
my $standby = PostgreSQL::Test::Cluster->new('registry_standby');
$standby->init_from_backup($node, 'base', has_streaming => 1);
$standby->start;
$node->wait_for_catchup($standby);
is($standby->safe_psql('postgres', 'SELECT state FROM intake.entities'),
    'ready', 'a standby shows the entries');
my ($status, $stdout, $stderr) = $standby->psql('postgres',
    q{\set VERBOSITY verbose
      SELECT intake.register_table('cellar.sold')});
like(
    $stderr,
    qr/25006: cannot execute intake\.register_table\(\) during recovery/,
    'a standby takes no registration');

$standby->stop;
$node->stop;
done_testing();
