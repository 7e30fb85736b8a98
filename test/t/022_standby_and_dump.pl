# A hot standby refuses to write, with a clear error, and shows operations; a
# dump carries registry and operations, so that a repeat after the restore, in
# the same cluster or in another one, is a replay.

use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('origin');
$node->init(allows_streaming => 1);
$node->start;

# What a script answers, or the SQLSTATE of its first error.
sub outcome
{
    my ($server, $database, $sql, $role) = @_;
    my ($stdout, $stderr);

    $server->psql(
        $database, "\\set VERBOSITY sqlstate\n$sql",
        stdout => \$stdout,
        stderr => \$stderr,
        extra_params => [ '-U', $role // 'postgres' ]);
    return $1 if $stderr =~ /ERROR:\s+(\w{5})/;
    return $stdout;
}

sub upload
{
    my ($number, $payload) = @_;

    return "SELECT replayed, sys_cn FROM intake.upload('sales', '$payload', "
      . "operation => '00000000-0000-4000-8000-00000000000$number')";
}

my $roles = q{
    CREATE ROLE loader LOGIN;
    CREATE ROLE other LOGIN;
};
my $status =
  q{SELECT intake.operation_status('00000000-0000-4000-8000-00000000000%d')};
my $operations = q{SELECT operation, role, "session_user", door, status,
    partial, target, mode, request, digest, sys_cn, started_at, finished_at,
    expires_at, bytes_received, rows_received, rows_inserted, rows_updated,
    rows_deleted, rows_skipped, rows_rejected, rows_affected, errors,
    query_id, request_id, subject, error, answer
    FROM intake.operations ORDER BY operation};
my $rejects = q{SELECT starttime, operation, record, lineno, line, colname,
    raw_field_value, err_message, err_detail, errorcode
    FROM intake.rejects ORDER BY operation, record};
my $entities = q{SELECT target, kind, datamart, entity, mode, replacing_key,
    partition_key, options, state FROM intake.entities ORDER BY entity};
my $rows = 'SELECT k, v FROM sales ORDER BY k, v';

$node->safe_psql(
    'postgres', $roles . q{
    CREATE EXTENSION pg_intake;
    CREATE TABLE sales (k text, v int);
    CREATE TABLE places (id int PRIMARY KEY, k text);
    SELECT intake.register_table('sales', replacing_key => '{k}');
    SELECT intake.register_table('places', partition_key => '{k}');
    GRANT USAGE ON SCHEMA intake TO loader, other;
    GRANT SELECT, INSERT, DELETE ON sales TO loader, other;
    SELECT intake.rotate_operations();
    });
is( outcome($node, 'postgres', upload(1, '["a", 1]'), 'loader'),
    'f|1', 'the first operation');
is( outcome($node, 'postgres', upload(2, '["b", 1]'), 'loader'),
    'f|2', 'the second one');
is( outcome($node, 'postgres', upload(2, '["c", 1]'), 'other'),
    'f|3', 'and another role\'s with the same UUID');
is( outcome(
        $node, 'postgres',
        q{SELECT rows_rejected FROM intake.upload('sales',
            E'["bad", "x"]\n["d"]', options => '{"max_errors": 2}',
            operation => '00000000-0000-4000-8000-000000000007')}, 'loader'),
    '2', 'bad records of one of them');
$node->safe_psql('postgres',
    q{SELECT intake.record_failure('00000000-0000-4000-8000-000000000003',
        'sales', '{"sqlState": "22P02"}')});

#
# Standby
#

$node->backup('base');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($node, 'base', has_streaming => 1);
$standby->start;
$node->wait_for_catchup($standby);

my %refused = (
    'an upload' => upload(4, '["d", 1]'),
    'a repeat' => upload(1, '["a", 1]'),
    'a partition delete' =>
      q{SELECT intake.delete_partitions('places', '[{"k": "a"}]')},
    'forgetting an operation' => q{SELECT intake.forget_operation(
        '00000000-0000-4000-8000-000000000001')},
    'recording a failure' => q{SELECT intake.record_failure(
        '00000000-0000-4000-8000-000000000009', 'sales')},
    'a rotation' => 'SELECT intake.rotate_operations()');

foreach my $what (sort keys %refused)
{
    is(outcome($standby, 'postgres', $refused{$what}),
        '25006', "a standby refuses $what");
}
my ($code, $stdout, $stderr) =
  $standby->psql('postgres', upload(4, '["d", 1]'));
like(
    $stderr,
    qr/cannot execute a pg_intake upload (in a read-only|during recovery)/,
    'with a clear message');
is(outcome($node, 'postgres',
    "SET default_transaction_read_only = on; " . upload(4, '["d", 1]')),
    '25006', 'so does a read-only transaction of the primary');

is(outcome($standby, 'postgres', sprintf($status, 1), 'loader'),
    'succeeded', 'a standby knows the status of an operation');
is(outcome($standby, 'postgres', sprintf($status, 3)),
    'failed', 'of a failed one');
is(outcome($standby, 'postgres', sprintf($status, 1), 'other'),
    'unknown', 'and not of another role\'s');
is( $standby->safe_psql('postgres', $operations),
    $node->safe_psql('postgres', $operations),
    'a standby shows the operations');
is( $standby->safe_psql('postgres', $rejects),
    $node->safe_psql('postgres', $rejects),
    'a standby shows the rejects');
is( $standby->safe_psql('postgres', $entities),
    $node->safe_psql('postgres', $entities),
    'a standby shows the entities');
is( $standby->safe_psql(
        'postgres', q{SELECT intake.operation_uuid('a', 'b')}),
    $node->safe_psql('postgres', q{SELECT intake.operation_uuid('a', 'b')}),
    'a standby computes the same UUID');

# An operation of an open transaction is not there yet; a replayed commit is.
my $session = $node->background_psql('postgres');
$session->query_safe(
    'SET SESSION AUTHORIZATION loader; BEGIN; ' . upload(5, '["e", 1]'));
$node->safe_psql('postgres', 'SELECT pg_switch_wal()');
$node->wait_for_catchup($standby);
is(outcome($standby, 'postgres', sprintf($status, 5), 'loader'),
    'unknown', 'a standby does not call an open operation done');
$session->query_safe('COMMIT');
$node->wait_for_catchup($standby);
is(outcome($standby, 'postgres', sprintf($status, 5), 'loader'),
    'succeeded', 'it does once the commit is there');
$session->quit;

# Promoted, the standby replays what the primary has done.
$standby->promote;
is( outcome($standby, 'postgres', upload(1, '["a", 1]'), 'loader'),
    't|1', 'a repeat after the promotion is a replay');
is( $standby->safe_psql('postgres', $rows),
    $node->safe_psql('postgres', $rows),
    'it writes nothing');
is( outcome($standby, 'postgres',
        q{SELECT replayed FROM intake.upload('sales', '["z", 1]')}),
    'f',
    'a new upload runs');
$standby->stop;

#
# Dump and restore
#

my $dump = $node->basedir . '/custom.dump';
my $plain = $node->basedir . '/plain.sql';
$node->command_ok([ 'pg_dump', '-Fc', '-f', $dump, 'postgres' ], 'pg_dump');
$node->command_ok([ 'pg_dump', '-f', $plain, 'postgres' ],
    'pg_dump as SQL');

# In another cluster roles have other OIDs; and a role that happens to have
# the OID of one here is somebody else.
my $fresh = PostgreSQL::Test::Cluster->new('fresh');
$fresh->init;
$fresh->start;
$fresh->safe_psql('postgres',
    'CREATE ROLE stranger LOGIN; CREATE ROLE guest LOGIN;' . $roles);

foreach my $target ([ $node, 'custom' ], [ $node, 'plain' ],
    [ $fresh, 'custom' ], [ $fresh, 'plain' ])
{
    my ($server, $database) = @$target;
    my $where = $server->name . ", $database";

    $server->safe_psql('postgres', "CREATE DATABASE $database");
    $server->command_ok(
        $database eq 'custom'
        ? [ 'pg_restore', '--exit-on-error', '-d', $database, $dump ]
        : [
            'psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-f', $plain,
            $database
        ],
        "$where: restored");
    is( $server->safe_psql($database, $operations),
        $node->safe_psql('postgres', $operations),
        "$where: operations are carried");
    is( $server->safe_psql($database, $rejects),
        $node->safe_psql('postgres', $rejects),
        "$where: rejects are carried");
    is( outcome($server, $database, $rejects, 'loader'),
        $node->safe_psql('postgres', $rejects),
        "$where: and seen by the role that made them");
    is(outcome($server, $database, $rejects, 'other'),
        '', "$where: and by no other");
    is( $server->safe_psql($database, $entities),
        $node->safe_psql('postgres', $entities),
        "$where: the registry is carried");
    is(outcome($server, $database, sprintf($status, 1), 'loader'),
        'succeeded', "$where: the status of an operation is known");
    is(outcome($server, $database, upload(1, '["a", 1]'), 'loader'),
        't|1', "$where: a repeat is a replay");
    is(outcome($server, $database, upload(2, '["c", 1]'), 'other'),
        't|3', "$where: of the role that made it");
    is(outcome($server, $database, upload(2, '["x", 1]'), 'loader'),
        'IN422', "$where: other content is refused");
    is( $server->safe_psql($database, $rows),
        $node->safe_psql('postgres', $rows),
        "$where: nothing was written");

    my $last = $node->safe_psql('postgres',
        'SELECT max(sys_cn) FROM intake.operations');
    my $answer = outcome($server, $database, upload(6, '["f", 1]'), 'loader');

    like($answer, qr/^f\|\d+$/, "$where: a new operation runs");
    cmp_ok($answer =~ s/^f\|//r, '>', $last, "$where: sys_cn counts on");
    $server->safe_psql($database, 'SELECT intake.rotate_operations()');
    is( outcome($server, $database, upload(1, '["a", 1]'), 'loader'),
        't|1',
        "$where: still a replay after a rotation");
}

# Roles of the second cluster that have nobody's operations.
$fresh->safe_psql('plain',
    'GRANT USAGE ON SCHEMA intake TO stranger, guest');
foreach my $role ('stranger', 'guest')
{
    is( outcome($fresh, 'plain', 'SELECT count(*) FROM intake.operations',
            $role),
        '0',
        "$role has no operations");
    is(outcome($fresh, 'plain', sprintf($status, 1), $role),
        'unknown', "and knows none");
}

# A renamed role keeps its operations, where they were made.
$node->safe_psql('postgres', 'ALTER ROLE loader RENAME TO carrier');
is(outcome($node, 'postgres', upload(1, '["a", 1]'), 'carrier'),
    't|1', 'a renamed role keeps its operations');

# A dump of the restored database is as good as the first.
my $second = $fresh->basedir . '/second.dump';
$fresh->command_ok([ 'pg_dump', '-Fc', '-f', $second, 'plain' ],
    'a dump of the restored database');
$fresh->safe_psql('postgres', 'CREATE DATABASE second');
$fresh->command_ok(
    [ 'pg_restore', '--exit-on-error', '-d', 'second', $second ],
    'is restored');
is( $fresh->safe_psql('second', $operations),
    $fresh->safe_psql('plain', $operations),
    'with all operations');
is(outcome($fresh, 'second', upload(6, '["f", 1]'), 'loader') =~ s/\|.*//r,
    't', 'a repeat is a replay there too');

$fresh->stop;
$node->stop;
done_testing();
