# Loaders make way for statements on their database; what is missing is
# answered 503 and recovered from; the HTTP program, a loader and the server
# may end at any time; a standby reads, and writes once it is promoted.

use strict;
use warnings;

use FindBin;
use IPC::Run;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time);

use lib "$FindBin::RealBin/../lib";
use IntakeGateway;

my ($node, $base) =
    make_gateway('life', "pg_intake.queue_timeout = '2s'");
my $schema = q{
    CREATE EXTENSION pg_intake;
    GRANT USAGE ON SCHEMA intake TO writer;
    CREATE TABLE t (id int);
    GRANT ALL ON t TO writer;
    SELECT intake.register_table('t')};

$node->start;
$node->safe_psql('postgres', 'CREATE ROLE writer');
$node->safe_psql('postgres', $schema);
wait_for_gateway($base);

my $url = "$base/v1/tables/public/t/operations";
my @ndjson = (-H => 'Content-Type: application/x-ndjson');
my $loaders = q{SELECT count(*) FROM pg_stat_activity
    WHERE backend_type = 'pg_intake loader'};

sub upload
{
    my @answer = curl(@ndjson, '--data-binary' => "[1]\n", @_, $url);

    return $answer[0];
}

sub status_becomes
{
    my ($expected, $what) = @_;
    my $status;

    wait_for($what, sub { ($status = upload()) == $expected });
    is($status, $expected, $what);
    return;
}

sub set
{
    my ($node, $name, $value) = @_;

    $node->safe_psql('postgres', "ALTER SYSTEM SET $name = '$value'");
    $node->reload;
    return;
}

# --- the database is wanted

is(upload(), 201, 'an upload');
is($node->safe_psql('postgres', $loaders), 1, 'leaves an idle loader');
$node->safe_psql('postgres', 'CREATE DATABASE app');
set($node, 'pg_intake.database', 'app');
$node->poll_query_until('postgres',
    "$loaders AND datname = 'postgres'", '0');
pass('another database in the settings: the loader of the first goes');
status_becomes(503, 'a database without the extension');
like((curl(@ndjson, '--data-binary' => "[1]\n", $url))[2]{hint},
    qr/CREATE EXTENSION/, 'and what is missing');
$node->safe_psql('app', $schema);
is(upload(), 201, 'the extension is there');

# --- the extension goes and comes while a loader stays

my $loader = $node->safe_psql('app', q{SELECT pid FROM pg_stat_activity
    WHERE backend_type = 'pg_intake loader'});
$node->safe_psql('app', q{
    DROP TABLE t;
    DROP EXTENSION pg_intake;
    CREATE SCHEMA intake;
    GRANT USAGE ON SCHEMA intake TO writer;
    CREATE TABLE intake.entity (target oid PRIMARY KEY);
    CREATE TABLE t (id int)});
is(upload(), 503, 'a table of that name is not the extension');
$node->safe_psql('app', "DROP SCHEMA intake CASCADE; DROP TABLE t; $schema");
is(upload(), 201, 'the extension is there again');
$node->safe_psql('app', 'BEGIN; DROP TABLE t; DROP EXTENSION pg_intake; ROLLBACK');
is(upload(), 201, 'it was not dropped');
is($node->safe_psql('app', q{SELECT pid FROM pg_stat_activity
    WHERE backend_type = 'pg_intake loader'}), $loader,
    'all of it seen by one loader');

my $begun = time();
is($node->safe_psql('postgres', $loaders . q{ AND datname = 'app'}), 1,
    'a loader is connected');
$node->safe_psql('postgres', 'ALTER DATABASE app RENAME TO app2');
pass('the database can be renamed');
status_becomes(503, 'a database that is gone');
set($node, 'pg_intake.database', 'app2');
status_becomes(201, 'a database that is back');
$node->safe_psql('postgres', 'CREATE DATABASE copy TEMPLATE app2');
pass('the database can be copied');
is(upload(), 201, 'an upload after that');
$node->safe_psql('postgres', 'DROP DATABASE app2');
pass('the database can be dropped');
cmp_ok(time() - $begun, '<', 60, 'nothing of it took long');
set($node, 'pg_intake.database', 'postgres');
status_becomes(201, 'the first database again');

# --- what ends is replaced

my $server_start = 'SELECT pg_postmaster_start_time()';
my $started = $node->safe_psql('postgres', $server_start);
my $postmaster = $node->safe_psql('postgres',
    "SELECT pg_read_file('postmaster.pid')");
$postmaster =~ s/\n.*//s;

# The process of the server whose command line has the text.
sub child
{
    my ($text) = @_;

    foreach my $line (split /\n/, `ps -eo pid=,ppid=,args=`)
    {
        my ($pid, $parent, $args) = $line =~ /(\d+)\s+(\d+)\s+(.*)/;

        return $pid if $args =~ /$text/ && ($parent == $postmaster
            || `ps -o ppid= -p $parent` == $postmaster);
    }
    return;
}

foreach my $signal ('KILL', 'SEGV', 'TERM')
{
    my $program = child('^pg_intake_http');

    ok($program, 'the program runs');
    kill($signal, $program);
    wait_for('another program',
        sub { my $p = child('^pg_intake_http'); $p && $p != $program });
    wait_for_gateway($base);
    is(upload(), 201, "after SIG$signal another one does");
}
my $gateway = child('pg_intake gateway');
kill('TERM', $gateway);
wait_for('another gateway',
    sub { my $g = child('pg_intake gateway'); $g && $g != $gateway });
wait_for_gateway($base);
is(upload(), 201, 'a gateway that was ended is replaced');
$node->safe_psql('postgres', q{SELECT pg_terminate_backend(pid)
    FROM pg_stat_activity WHERE backend_type = 'pg_intake loader'});
is(upload(), 201, 'a loader too');
is($node->safe_psql('postgres', $server_start), $started,
    'the server has not restarted');

# --- reload

set($node, 'pg_intake.port', '0');
wait_for('the port is closed', sub { upload() == 0 });
pass('port 0 closes the gateway');
my ($port) = $base =~ /:(\d+)$/;
set($node, 'pg_intake.port', $port);
wait_for_gateway($base);
is(upload(), 201, 'another port opens it');
set($node, 'pg_intake.listen_addresses', '*');
wait_for('the log',
    sub { slurp_file($node->logfile) =~ /does not listen on address "0.0.0.0"/ });
pass('no network listener without tokens');
is(upload('--max-time' => 1), 0, 'nor another one in its place');
set($node, 'pg_intake.listen_addresses', 'localhost');
wait_for_gateway($base);

# --- a stop in the middle of an upload

my ($in, $out, $err) = ('', '', '');
my $slow = IPC::Run::start([ 'curl', '-s', '-i', '-N', '--max-time', '60',
        @ndjson, '-T', '-', "$url/4f0c7c4e-3c0b-4c9e-9d57-0d3f2b8f6a11" ],
    '<', \$in, '>', \$out, '2>', \$err);
$in .= "[100]\n" x 20000;
$slow->pump_nb until $in eq '';
wait_for('a loader is at work',
    sub { $node->safe_psql('postgres', q{SELECT count(*) FROM pg_stat_activity
        WHERE backend_type = 'pg_intake loader' AND state = 'active'}) });
my $stop = IPC::Run::start([ 'pg_ctl', '-D', $node->data_dir, '-m', 'fast',
        'stop' ], '>', \my $stop_out, '2>', \my $stop_err);
wait_for('the server stops',
    sub { slurp_file($node->logfile) =~ /received fast shutdown request/ });
$in .= "[101]\n";
$slow->pump_nb until $in eq '';
$slow->finish;
$stop->finish;
is((curl_answer($out))[0], 201, 'an upload may end in the time of grace')
    or diag($out);
$node->{_pid} = undef;
$node->start;
is($node->safe_psql('postgres', 'SELECT count(*) FROM t WHERE id >= 100'),
    20001, 'and is there after the restart');
wait_for_gateway($base);

# --- a standby

$node->backup('base');
my $standby = PostgreSQL::Test::Cluster->new('standby');
my $standby_port = PostgreSQL::Test::Cluster::get_free_port();
$standby->init_from_backup($node, 'base', has_streaming => 1);
$standby->append_conf('postgresql.auto.conf',
    "pg_intake.port = $standby_port");
$standby->start;
$node->wait_for_catchup($standby);
my $other = "http://127.0.0.1:$standby_port";
wait_for('the standby answers',
    sub { (curl("$other/actuator/health/liveness"))[0] == 200 });
is((curl("$other/actuator/health/readiness"))[0], 503,
    'a standby is not ready');
(my $other_url = $url) =~ s/:\d+/:$standby_port/;
my ($status, $headers) = curl(@ndjson, '--data-binary' => "[1]\n", $other_url);
ok($status == 503 && $headers->{'retry-after'}, 'takes no upload');
my $answer;
($status, $headers, $answer) =
    curl("$other_url/4f0c7c4e-3c0b-4c9e-9d57-0d3f2b8f6a11");
is("$status $answer->{status}", '200 succeeded', 'but tells of operations');
$standby->promote;
wait_for_gateway($other);
is((curl(@ndjson, '--data-binary' => "[1]\n", $other_url))[0], 201,
    'and takes uploads once it is promoted, without a restart');
$standby->stop;

# --- too few workers

$node->append_conf('postgresql.auto.conf', 'max_worker_processes = 2');
$node->append_conf('postgresql.auto.conf', "pg_intake.queue_timeout = '500ms'");
$node->restart;
wait_for_gateway($base);
is(upload(), 503, 'no worker is free');
wait_for('the log',
    sub { slurp_file($node->logfile) =~ /no background worker is free/ });
pass('the log says so');

$node->stop;
done_testing();
