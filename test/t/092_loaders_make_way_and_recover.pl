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
use IntakeSocket;

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

# --- the database is wanted

is(upload(), 201, 'an upload');
is($node->safe_psql('postgres', $loaders), 1, 'leaves an idle loader');
$node->safe_psql('postgres', 'CREATE DATABASE app');
configure($node, 'pg_intake.database' => 'app');
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
# two, where a request above found the first one busy
cmp_ok($node->safe_psql('postgres', $loaders . q{ AND datname = 'app'}), '>=',
    1, 'a loader is connected');
$node->safe_psql('postgres', 'ALTER DATABASE app RENAME TO app2');
pass('the database can be renamed');
status_becomes(503, 'a database that is gone');
configure($node, 'pg_intake.database' => 'app2');
status_becomes(201, 'a database that is back');
$node->safe_psql('postgres', 'CREATE DATABASE copy TEMPLATE app2');
pass('the database can be copied');
is(upload(), 201, 'an upload after that');
cmp_ok(time() - $begun, '<', 60, 'nothing of it took long');

# A loader that is at work in it is in the way, as any session is, unless it
# is forced out.
# Returns the connection of an upload that has begun.
sub begin_upload
{
    my ($operation) = @_;
    my $socket = send_part($base,
        "PUT /v1/tables/public/t/operations/$operation HTTP/1.1\r\n"
        . "Host: localhost\r\nContent-Type: application/x-ndjson\r\n"
        . "Connection: close\r\n"
        . "Content-Length: 120006\r\n\r\n" . "[100]\n" x 20000);

    wait_for('a loader is at work',
        sub { $node->safe_psql('postgres',
            "$loaders AND state = 'active'") });
    return $socket;
}

my $slow = begin_upload('4f0c7c4e-3c0b-4c9e-9d57-0d3f2b8f6a10');
(undef, undef, my $drop_err) =
    $node->psql('postgres', 'DROP DATABASE app2');
like($drop_err, qr/is being accessed by other users/,
    'a database with a busy loader is not dropped');
$begun = time();
$node->safe_psql('postgres', 'DROP DATABASE app2 WITH (FORCE)');
cmp_ok(time() - $begun, '<', 10, 'but by force, and at once');
my ($forced, $forced_headers) = read_answer($slow);
ok($forced == 503 && $forced_headers->{'retry-after'},
    'the upload is answered 503') or diag($forced);
is($node->safe_psql('postgres', $loaders), 0, 'the loader has gone');
configure($node, 'pg_intake.database' => 'postgres');
status_becomes(201, 'the first database again');

# --- what ends is replaced

my $server_start = 'SELECT pg_postmaster_start_time()';
my $started = $node->safe_psql('postgres', $server_start);
my $postmaster = $node->safe_psql('postgres',
    "SELECT pg_read_file('postmaster.pid')");
$postmaster =~ s/\n.*//s;

# The worker of the server whose command line has the text.
sub child
{
    my ($text) = @_;

    foreach my $line (split /\n/, `ps -eo pid=,ppid=,args=`)
    {
        my ($pid, $parent, $args) = $line =~ /(\d+)\s+(\d+)\s+(.*)/;

        return $pid if $args =~ /$text/ && $parent == $postmaster;
    }
    return;
}

foreach my $signal ('KILL', 'SEGV', 'ABRT', 'TERM')
{
    my $program = program_pid($node);
    my $since = -s $node->logfile;

    ok($program, 'the program runs');
    kill($signal, $program);
    wait_for('another program',
        sub { my $p = program_pid($node); $p && $p != $program });
    wait_for_gateway($base);
    my @ends = slurp_file($node->logfile, $since) =~ /PID $program\) has ended/g;
    is(scalar(@ends), 1, "an end by SIG$signal is logged once");
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

# --- uploads that are ended from outside

foreach my $end ('pg_cancel_backend', 'pg_terminate_backend')
{
    my $operation = '5f0c7c4e-3c0b-4c9e-9d57-0d3f2b8f6a'
        . ($end =~ /cancel/ ? '10' : '11');

    $slow = begin_upload($operation);
    $node->safe_psql('postgres', qq{SELECT $end(pid) FROM pg_stat_activity
        WHERE backend_type = 'pg_intake loader' AND state = 'active'});
    my ($status, $headers) = read_answer($slow);
    ok($status == 503 && $headers->{'retry-after'}, "$end: 503, try again")
        or diag($status);
    my $file = write_file(PostgreSQL::Test::Utils::tempdir() . '/again',
        "[99]\n" x 20000);
    ($status) = curl(@ndjson, -T => $file, "$url/$operation");
    is($status, 201, 'which helps');
}
is($node->safe_psql('postgres', 'SELECT count(*) FROM t WHERE id = 99'),
    40000, 'each is there once');

# --- a cancel is of a request, not of a loader

is(upload(), 201, 'an upload');
my $idle = q{SELECT string_agg(pid::text, ' ' ORDER BY pid)
    FROM pg_stat_activity WHERE backend_type = 'pg_intake loader'};
my $idle_pids = $node->safe_psql('postgres', $idle);
for (1 .. 5)
{
    $node->safe_psql('postgres', q{SELECT pg_cancel_backend(pid)
        FROM pg_stat_activity WHERE backend_type = 'pg_intake loader'});
    is(upload(), 201, 'an upload after a cancel of idle loaders');
}
is($node->safe_psql('postgres', $idle), $idle_pids, 'which are still there');

# --- exit_on_error is for sessions, not for the requests of a loader

configure($node, 'exit_on_error' => 'on');
$idle_pids = $node->safe_psql('postgres', $idle);
is((curl(@ndjson, '--data-binary' => "[\"x\"]\n", $url))[0], 422,
    'bad data is answered for what it is');
$node->safe_psql('postgres', q{SELECT pg_terminate_backend(pid, 10000)
    FROM pg_stat_activity WHERE backend_type = 'pg_intake loader'});
is((curl(@ndjson, '--data-binary' => "[\"x\"]\n", $url))[0], 422,
    'by a loader that starts with it, too');
configure($node, 'exit_on_error' => undef);

# --- an extension that is being dropped while uploads come

# Returns an upload that runs on its own, and what it has said at its end.
sub start_upload
{
    my $out = '';
    my $run = IPC::Run::start(
        [ 'curl', '-s', '-i', '--max-time', '60', @ndjson,
            '--data-binary' => "[1]\n", $url ], '>', \$out);

    return ($run, \$out);
}

# One more than before waits for a lock.
sub waiters_become
{
    my ($count) = @_;

    $node->poll_query_until('postgres', qq{SELECT count(*) = $count
        FROM pg_locks WHERE NOT granted}) or die;
    return;
}

foreach my $end ('ROLLBACK', 'COMMIT')
{
    my $drop = $node->background_psql('postgres');

    $drop->query_safe('BEGIN; DROP EXTENSION pg_intake');
    my ($run, $out) = start_upload();
    waiters_become(1);
    $drop->query_safe($end);
    $run->finish;
    my ($got, undef, $problem) = curl_answer($$out);
    is($got, $end eq 'COMMIT' ? 503 : 201, "DROP EXTENSION, $end: $got");
    like($problem->{hint}, qr/CREATE EXTENSION/, 'and what is missing')
        if $end eq 'COMMIT';
    $drop->quit;
}
$node->safe_psql('postgres', q{
    CREATE EXTENSION pg_intake;
    GRANT USAGE ON SCHEMA intake TO writer;
    SELECT intake.register_table('t')});

# What the upload needs at its end is not locked by who waits for it.
$slow = begin_upload('6f0c7c4e-3c0b-4c9e-9d57-0d3f2b8f6a10');
my $dropping = IPC::Run::start([ 'psql', '-XAtq', '-d',
        $node->connstr('postgres'), '-c', 'DROP EXTENSION pg_intake' ],
    '>', \my $drop_out, '2>', \my $drop_error);
waiters_become(1);
print $slow "[101]\n";
$slow->flush;
is((read_answer($slow))[0], 201, 'an upload that has begun comes to its end');
ok($dropping->finish, 'and DROP EXTENSION after it') or diag($drop_error);
unlike(slurp_file($node->logfile), qr/deadlock detected|XX000/,
    'nobody was in the way');
$node->safe_psql('postgres', q{
    CREATE EXTENSION pg_intake;
    GRANT USAGE ON SCHEMA intake TO writer;
    SELECT intake.register_table('t');
    DELETE FROM t WHERE id >= 100});

# --- an extension that comes and goes under an idle loader

my $pids = q{SELECT array_agg(pid) FROM pg_stat_activity
    WHERE backend_type = 'pg_intake loader'};
is(upload(), 201, 'an upload');
my $loader_pids = $node->safe_psql('postgres', $pids);
$node->safe_psql('postgres', 'DROP EXTENSION pg_intake');
status_becomes(503, 'an extension that was dropped');
$node->safe_psql('postgres', q{
    CREATE EXTENSION pg_intake;
    GRANT USAGE ON SCHEMA intake TO writer});
is(upload(), 404, 'a table that is not registered any more');
$node->safe_psql('postgres', q{SELECT intake.register_table('t')});
is(upload(), 201, 'all is there again');
$node->safe_psql('postgres', q{ALTER TABLE t ADD b text DEFAULT 'new'});
is((curl(@ndjson, '--data-binary' => q({"id": -1, "b": "two"}), $url))[0], 201,
    'a column that came');
$node->safe_psql('postgres', q{ALTER TABLE t DROP b;
    SELECT intake.unregister_table('t');
    ALTER TABLE t RENAME TO u; CREATE TABLE t (id int, c int);
    GRANT ALL ON t TO writer; SELECT intake.register_table('t')});
is((curl(@ndjson, '--data-binary' => q({"id": -2, "c": 3}), $url))[0], 201,
    'another table of the name');
is($node->safe_psql('postgres', $pids), $loader_pids,
    'all by the same loader');
$node->safe_psql('postgres', q{DROP TABLE t; ALTER TABLE u RENAME TO t;
    SELECT intake.register_table('t')});

# --- reload

my $reload_since = -s $node->logfile;
configure($node, 'pg_intake.log_requests' => $_) foreach 'all', 'none', 'errors';
configure($node, 'pg_intake.port' => '0');
wait_for('the port is closed', sub { upload() == 0 });
pass('port 0 closes the gateway');
my ($port) = $base =~ /:(\d+)$/;
configure($node, 'pg_intake.port' => $port);
wait_for_gateway($base);
is(upload(), 201, 'another port opens it');
my @listens =
    slurp_file($node->logfile, $reload_since) =~ /the gateway listens on/g;
is(scalar(@listens), 1, 'where it listens is logged when that has changed');
my $taken = IO::Socket::INET->new(Listen => 1, LocalAddr => '127.0.0.1')
    or die;
my $taken_base = 'http://127.0.0.1:' . $taken->sockport;
configure($node, 'pg_intake.port' => $taken->sockport);
wait_for('the log', sub { slurp_file($node->logfile, $reload_since) =~
    /could not listen on \Q127.0.0.1:@{[ $taken->sockport ]}\E, will try again\n.*DETAIL:  Address already in use/ });
pass('a port in use is logged');
close($taken);
wait_for_gateway($taken_base);
pass('and listened on once it is free');
configure($node, 'pg_intake.port' => $port);
wait_for_gateway($base);
configure($node, 'pg_intake.listen_addresses' => '*');
wait_for('the log',
    sub { slurp_file($node->logfile) =~ /does not listen on address "0.0.0.0"/ });
pass('no network listener without tokens');
is(upload('--max-time' => 1), 0, 'nor another one in its place');
configure($node, 'pg_intake.listen_addresses' => 'localhost');
wait_for_gateway($base);

# --- a stop in the middle of an upload

$slow = begin_upload('4f0c7c4e-3c0b-4c9e-9d57-0d3f2b8f6a11');
my $stop = IPC::Run::start([ 'pg_ctl', '-D', $node->data_dir, '-m', 'fast',
        'stop' ], '>', \my $stop_out, '2>', \my $stop_err);
wait_for('the server stops',
    sub { slurp_file($node->logfile) =~ /received fast shutdown request/ });
print $slow "[101]\n";
$slow->flush;
is((read_answer($slow))[0], 201, 'an upload may end in the time of grace');
$stop->finish;
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

# One of the three is the gateway, another may be the server's own: those who
# come at once wait for the loaders that there are.
$node->append_conf('postgresql.auto.conf', 'max_worker_processes = 3');
$node->append_conf('postgresql.auto.conf', "pg_intake.queue_timeout = '1min'");
$node->restart;
wait_for_gateway($base);
my @runs = map { [ start_upload() ] } 1 .. 6;
$_->[0]->finish foreach @runs;
is(join(' ', map { (curl_answer(${ $_->[1] }))[0] } @runs),
    join(' ', (201) x 6), 'too few workers are enough');

$node->stop;
done_testing();
