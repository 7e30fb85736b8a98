# The extension comes and goes without touching user tables; what a plain role
# may see and do; row-level security and column grants hold for the caller.

use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('rights');
$node->init;
$node->start;

# What a script answers, or the SQLSTATE of its first error, for a login role.
sub outcome
{
    my ($role, $sql) = @_;
    my ($stdout, $stderr);

    $node->psql(
        'postgres', "\\set VERBOSITY sqlstate\n$sql",
        stdout => \$stdout,
        stderr => \$stderr,
        extra_params => [ '-U', $role ]);
    return $1 if $stderr =~ /ERROR:\s+(\w{5})/;
    return $stdout;
}

sub run_sql
{
    return $node->safe_psql('postgres', shift);
}

#
# CREATE, DROP, CREATE
#

run_sql(
    q{
    CREATE EXTENSION pg_intake;
    CREATE TABLE kept (id int PRIMARY KEY, note text);
    CREATE TABLE registered (k text, month date, v int);
    SELECT intake.register_table('registered', replacing_key => '{k}',
        partition_key => $${"date_trunc('month', month)"}$$);
    SELECT intake.register_table('kept');
    SELECT intake.upload('kept', E'[1, "a"]\n[2, "b"]');
    SELECT intake.upload('registered', '["a", "2026-01-05", 1]');
    });

my $tables = q{
    SELECT c.oid, c.relfilenode, c.relowner, c.relacl, c.reloptions,
        c.relhastriggers
    FROM pg_class c
    WHERE c.relnamespace = 'public'::regnamespace ORDER BY 1;
    SELECT * FROM kept ORDER BY 1;
    SELECT * FROM registered ORDER BY 1;
    SELECT indexrelid, indkey FROM pg_index
    WHERE indrelid IN ('kept'::regclass, 'registered'::regclass) ORDER BY 1};
my $before = run_sql($tables);

run_sql('DROP EXTENSION pg_intake');
is(run_sql($tables), $before, 'DROP EXTENSION leaves user tables as they are');
is( run_sql(
        q{SELECT (SELECT count(*) FROM pg_namespace WHERE nspname = 'intake'),
            (SELECT count(*) FROM pg_event_trigger),
            (SELECT count(*) FROM pg_proc WHERE probin LIKE '%pg_intake%')}),
    '0|0|0',
    'nothing of the extension stays');
run_sql('CREATE EXTENSION pg_intake');
is(run_sql($tables),
    $before, 'CREATE EXTENSION leaves user tables as they are');
is( run_sql(
        q{SELECT (SELECT count(*) FROM intake.entities),
            (SELECT count(*) FROM intake.operations)}),
    '0|0',
    'CREATE EXTENSION again starts empty');
is( run_sql(
        q{SELECT rows_inserted FROM intake.upload('kept', '[3, "c"]')}),
    '1',
    'and works');

# An upload of an open session, made before the extension was made anew.
my $session = $node->background_psql('postgres', on_error_stop => 0);
$session->query(q{SELECT intake.upload('kept', '[4, "d"]')});
run_sql('DROP EXTENSION pg_intake; CREATE EXTENSION pg_intake');
is( $session->query(
        q{SELECT rows_inserted FROM intake.upload('kept', '[5, "e"]')}),
    '1',
    'a session goes on with the extension made anew');
$session->quit;

#
# What a plain role may see
#

run_sql(
    q{
    CREATE ROLE plain LOGIN;
    CREATE ROLE other LOGIN;
    CREATE ROLE watcher LOGIN IN ROLE pg_monitor;
    CREATE TABLE shared (id int, note text);
    GRANT INSERT ON shared TO plain, other;
    });

is(outcome('plain', q{SELECT intake.upload('shared', '[1, "a"]')}),
    '42501', 'without USAGE on the schema: no upload');
is(outcome('plain', 'SELECT * FROM intake.operations'),
    '42501', 'and no look at the operations');

run_sql('GRANT USAGE ON SCHEMA intake TO plain, other, watcher');

my $upload = q{SELECT replayed FROM intake.upload('shared', '[1, "a"]',
    operation => '00000000-0000-4000-8000-00000000000%d')};

is(outcome('plain', sprintf($upload, 1)), 'f', 'USAGE and INSERT: an upload');
is(outcome('other', sprintf($upload, 2)), 'f', 'another role uploads');

foreach my $table (
    qw(operation operation_0 operation_7 operation_slice reject reject_0
    reject_7 entity sys_cn))
{
    is(outcome('plain', "SELECT * FROM intake.$table"),
        '42501', "a plain role cannot read intake.$table");
    is(outcome('watcher', "SELECT * FROM intake.$table"),
        '42501', "nor can a member of pg_monitor read intake.$table")
      if $table =~ /^(operation|reject)/;
}
foreach my $change (
    'INSERT INTO intake.operation_0 SELECT FROM generate_series(1, 1)',
    'INSERT INTO intake.operation_slice VALUES (1, now())',
    'INSERT INTO intake.reject_0 SELECT FROM generate_series(1, 1)',
    'DELETE FROM intake.reject',
    'INSERT INTO intake.entity SELECT FROM generate_series(1, 1)',
    q{UPDATE intake.operation SET state = 'f'},
    'DELETE FROM intake.operation',
    'DELETE FROM intake.operation_0',
    'DELETE FROM intake.entity',
    'TRUNCATE intake.operation_0',
    q{SELECT setval('intake.sys_cn', 1)},
    'SELECT intake.rotate_operations()')
{
    is(outcome('plain', $change), '42501', "refused for a plain role: $change");
}

is(outcome('plain', 'DELETE FROM intake.operations'),
    '55000', 'the view of operations cannot be written to by anybody');

my $seen = q{SELECT string_agg(role || right(operation::text, 1), ','
    ORDER BY operation) FROM intake.operations
    WHERE target = 'public.shared'};
is(outcome('plain', $seen), 'plain1', 'a role sees its own operations');
is(outcome('other', $seen), 'other2', 'and no others');
is(outcome('watcher', $seen),
    'plain1,other2', 'a member of pg_monitor sees all');
is( outcome(
        'other',
        q{SELECT intake.operation_status(
            '00000000-0000-4000-8000-000000000001')}),
    'unknown',
    'the status of another role\'s operation is unknown');
is( outcome(
        'plain',
        q{SELECT role, "session_user", door, target, mode, status, partial,
            rows_received, rows_inserted, bytes_received, subject IS NULL,
            error IS NULL
          FROM intake.operations}),
    'plain|plain|sql|public.shared|append|succeeded|f|1|1|8|t|t',
    'the view tells what the operation was');
is( outcome(
        'other',
        q{SELECT intake.forget_operation(
            '00000000-0000-4000-8000-000000000001')}),
    '42501',
    'only the target\'s owner forgets an operation');
is(outcome('other', q{SELECT intake.register_table('shared')}),
    '42501', 'only the owner registers a table');
is(outcome('other', q{SELECT intake.upload('pg_class', '[1]')}),
    '42501', 'a system catalog is no target');
# The principal is the current user, not the session's.
run_sql('GRANT plain TO other');
is( outcome(
        'other', 'SET ROLE plain; ' . sprintf($upload, 1)),
    't',
    'SET ROLE: the operation is the role\'s');
run_sql('REVOKE plain FROM other');

#
# Rights of each mode: all that it needs are enough, and each one is needed.
#

run_sql(
    q{
    CREATE ROLE holder LOGIN;
    GRANT USAGE ON SCHEMA intake TO holder;
    CREATE TABLE matrix (id int PRIMARY KEY, k text, v int);
    });

my @matrix = (
    [
        'append', q{'[2, "a", 1]', mode => 'append'}, qw(INSERT)
    ],
    [
        'append, truncate',
        q{'[1, "a", 1]', mode => 'append', options => '{"truncate": true}'},
        qw(INSERT DELETE)
    ],
    [
        'append, truncate fast',
        q{'[1, "a", 1]', mode => 'append', options => '{"truncate": "fast"}'},
        qw(INSERT TRUNCATE)
    ],
    [
        'replace',
        q{'[1, "a", 1]', mode => 'replace', options => '{"key": ["k"]}'},
        qw(SELECT INSERT DELETE)
    ],
    [
        'merge', q{'[1, "a", 1]', mode => 'merge'}, qw(SELECT INSERT UPDATE)
    ],
    [
        'merge that deletes',
        q{E'{"id": 1, "sys_op": 1}\n{"id": 2}', mode => 'merge'},
        qw(SELECT INSERT UPDATE DELETE)
    ]);

sub check_rights
{
    my ($name, $call, @rights) = @_;

    foreach my $missing ('nothing', @rights)
    {
        my $given = join(', ', grep { $_ ne $missing } @rights);

        run_sql(
            "TRUNCATE matrix;
            INSERT INTO matrix VALUES (1, 'a', 0);
            REVOKE ALL ON matrix FROM holder;"
              . ($given ? "GRANT $given ON matrix TO holder" : ''));
        is( outcome('holder', $call),
            $missing eq 'nothing' ? 'f' : '42501',
            "$name without $missing");
        is(run_sql('SELECT string_agg(id || k || v, \',\') FROM matrix'),
            '1a0', "$name without $missing changes nothing")
          if $missing ne 'nothing';
    }
}

foreach my $case (@matrix)
{
    my ($name, $arguments, @rights) = @$case;

    check_rights($name,
        "SELECT replayed FROM intake.upload('matrix', $arguments)", @rights);
}
check_rights(
    'delete_partitions',
    q{SELECT replayed FROM intake.delete_partitions('matrix',
        '[{"k": "a"}]', options => '{"key": ["k"]}')},
    qw(SELECT DELETE));

#
# Column grants
#

run_sql(
    q{
    CREATE TABLE columns (a int, b text, c int DEFAULT 7);
    GRANT INSERT (a, b) ON columns TO holder;
    });
is( outcome(
        'holder',
        q{SELECT rows_inserted FROM intake.upload('columns',
            '{"b": "x", "a": 1}')}),
    '1',
    'objects of the granted columns are enough');
is( outcome(
        'holder',
        q{SELECT rows_inserted FROM intake.upload('columns',
            E'a,b\n2,y\n', format => 'csv')}),
    '1',
    'so is a CSV header of them');
is( outcome(
        'holder',
        q{SELECT rows_inserted FROM intake.upload('columns',
            '[3, "z"]', options => '{"columns": ["a", "b"]}')}),
    '1',
    'so are array rows with option columns');
is( outcome(
        'holder',
        q{SELECT intake.upload('columns', '{"a": 1, "b": "x", "c": 1}')}),
    '42501',
    'a column that is not granted is refused');
is(outcome('holder', q{SELECT intake.upload('columns', '[1, "x", 1]')}),
    '42501', 'in an array row too');
is(run_sql('SELECT a, b, c FROM columns ORDER BY a'),
    "1|x|7\n2|y|7\n3|z|7", 'the others got the default');

#
# Row-level security
#

run_sql(
    q{
    CREATE TABLE guarded (id int PRIMARY KEY, k text, who name);
    ALTER TABLE guarded ENABLE ROW LEVEL SECURITY;
    CREATE POLICY own ON guarded USING (who = current_user)
        WITH CHECK (who = current_user);
    GRANT ALL ON guarded TO holder;
    INSERT INTO guarded VALUES (1, 'a', 'postgres'), (2, 'a', 'holder'),
        (3, 'b', 'holder');
    });

sub guarded
{
    return run_sql(
        q{SELECT string_agg(id || k || who, ',' ORDER BY id) FROM guarded});
}

my $rows = '1apostgres,2aholder,3bholder';

is(outcome('holder', q{SELECT intake.upload('guarded', '[9, "a", "other"]')}),
    '42501', 'WITH CHECK refuses an append');
is( outcome(
        'holder',
        q{SELECT intake.upload('guarded', '[9, "a", "other"]',
            mode => 'replace', options => '{"key": ["k"]}')}),
    '42501',
    'and a replace');
is( outcome(
        'holder',
        q{SELECT intake.upload('guarded', '[2, "a", "other"]',
            mode => 'merge')}),
    '42501',
    'and a merge');
is( outcome(
        'holder',
        q{SELECT intake.upload('guarded', '[1, "a", "holder"]',
            mode => 'merge')}),
    '42501',
    'a merge does not take over a row that is hidden');
is( outcome(
        'holder',
        q{SELECT intake.upload('guarded', '[9, "a", "holder"]',
            mode => 'append', options => '{"truncate": "fast"}')}),
    '0A000',
    'truncate fast is refused under row-level security');
is(guarded(), $rows, 'nothing of these changed a row');

is( outcome(
        'holder',
        q{SELECT rows_deleted, rows_inserted FROM intake.upload('guarded',
            '[4, "a", "holder"]', mode => 'replace',
            options => '{"key": ["k"]}')}),
    '1|1',
    'replace deletes no hidden row');
is(guarded(), '1apostgres,3bholder,4aholder', 'only its own');
is( outcome(
        'holder',
        q{SELECT rows_updated, rows_inserted FROM intake.upload('guarded',
            E'[4, "c", "holder"]\n[5, "c", "holder"]', mode => 'merge')}),
    '1|1',
    'merge changes rows that are visible');
is( outcome(
        'holder',
        q{SELECT rows_deleted FROM intake.upload('guarded',
            E'{"id": 1}\n{"id": 5}', mode => 'merge', sys_op => 1)}),
    '1',
    'a merge deletes no hidden row');
is( outcome(
        'holder',
        q{SELECT rows_deleted FROM intake.delete_partitions('guarded',
            '[{"k": "a"}, {"k": "b"}]', options => '{"key": ["k"]}')}),
    '1',
    'delete_partitions deletes no hidden row');
is( outcome(
        'holder',
        q{SELECT rows_deleted, rows_inserted FROM intake.upload('guarded',
            '[6, "d", "holder"]', mode => 'append',
            options => '{"truncate": true}')}),
    '1|1',
    'truncate deletes no hidden row');
is(guarded(), '1apostgres,6dholder', 'the hidden row is still there');

$node->stop;
done_testing();
