# Each limit of the gateway is a setting, taken over by a reload: what goes
# beyond it is refused, with its status, and what does not is served again
# when the limit is as before.  And who may listen where; loaders that retire;
# a port that closes behind an upload.

use strict;
use warnings;

use FindBin;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time);

use lib "$FindBin::RealBin/../lib";
use IntakeGateway;
use IntakeSocket;

my ($node, $base) = make_gateway('limits', '');
my ($port) = $base =~ /:(\d+)$/;
my $scratch = PostgreSQL::Test::Utils::tempdir();
my $path = '/v1/tables/public/t/operations';
my $loaders = q{SELECT count(*) FROM pg_stat_activity
    WHERE backend_type = 'pg_intake loader'};

start_gateway($node, $base, q{
    CREATE TABLE t (id int);
    GRANT ALL ON t TO writer;
    SELECT intake.register_table('t')});

sub set
{
    my %values = @_;

    configure($node, map { ("pg_intake.$_" => $values{$_}) } keys %values);
    return;
}

sub upload
{
    my @body = grep({ $_ eq '--data-binary' } @_) ? () :
        ('--data-binary' => "[1]\n");
    my ($status) = curl(@ndjson, @body, @_, "$base$path");

    return $status;
}

# The settings; what then becomes true.
sub limits
{
    my ($what, $code, %settings) = @_;

    set(%settings);
    wait_for($what, $code);
    pass($what);
    set(map { $_ => undef } keys %settings);
    wait_for("no more: $what", sub { upload() == 201 });
    return;
}

my $begun_body = "POST $path HTTP/1.1\r\nHost: localhost\r\n"
    . "Content-Type: application/x-ndjson\r\nContent-Length: 1000\r\n\r\n[1]\n";
my $body = write_file("$scratch/body", "[1]\n" x 50000);
system("gzip -k $body") == 0 or die;

my @many = map { (-H => "X-$_: 1") } 1 .. 20;
is(upload(@many), 201, 'twenty headers');
limits('too many headers', sub { upload(@many) == 431 },
    max_header_count => 15);
limits('headers that are too long',
    sub { upload(-H => 'X-A: ' . 'x' x 2000) == 431 }, max_header_size => '1kB');
limits('a body that is too long',
    sub { upload('--data-binary' => "\@$body") == 413 },
    max_body_size => '100kB');
limits('a body in chunks that is too long',
    sub { upload(-H => 'Transfer-Encoding: chunked',
            '--data-binary' => "\@$body") == 413 }, max_body_size => '100kB');
limits('a body that grows too long',
    sub { upload(-H => 'Content-Encoding: gzip',
            '--data-binary' => "\@$body.gz") == 413 },
    max_inflated_size => '100kB');
limits('a connection that is idle for too long',
    sub { my $t = time(); exchange_bytes($base, ''); time() - $t < 5 },
    idle_timeout => '1s', header_timeout => '1s');
limits('a head that takes too long',
    sub { exchange_bytes($base, 'GET / HTTP/1.1') =~ m{^HTTP/1.1 408 } },
    header_timeout => '1s');
limits('a pause in a body that takes too long',
    sub { exchange_bytes($base, $begun_body) =~ m{^HTTP/1.1 408 } },
    body_timeout => '1s');
limits('an upload that takes too long',
    sub { exchange_bytes($base, $begun_body) =~ m{^HTTP/1.1 408 } },
    max_upload_duration => '1s');
limits('an upload that is too slow',
    sub { exchange_bytes($base, $begun_body) =~ m{^HTTP/1.1 408 } },
    min_upload_rate => 1000, body_timeout => '1h');
my @held;
limits('too many connections', sub {
        @held = map { connect_to($base) } 1 .. 3;
        my $status = upload();
        close($_) foreach @held;
        return $status == 503;
    }, max_http_connections => 3);
limits('too many connections of one address', sub {
        @held = map { connect_to($base) } 1 .. 3;
        my $status = upload();
        close($_) foreach @held;
        return $status == 429;
    }, max_connections_per_address => 3);
limits('as many streams as there may be', sub {
        return `nghttp -nv $base/openapi.json` =~
            /SETTINGS_MAX_CONCURRENT_STREAMS\(0x03\):7\b/;
    }, max_streams => 7);

# --- loaders

my $holder = $node->background_psql('postgres');
$holder->query('BEGIN; LOCK TABLE t IN ACCESS EXCLUSIVE MODE; SELECT 1');
set(max_loaders => 1, queue_timeout => '300ms', table_lock_timeout => '1h');
wait_for('one loader', sub { $node->safe_psql('postgres', $loaders) <= 1 });
my ($in, $out) = ('', '');
my $waiting = IPC::Run::start([ 'curl', '-s', '-i', @ndjson,
        '--data-binary', '[1]', "$base$path" ], '<', \$in, '>', \$out);
wait_for('it waits for the lock', sub { $node->safe_psql('postgres',
            "$loaders AND wait_event_type = 'Lock'") });
my ($status, $headers) = curl(@ndjson, '--data-binary' => '[1]', "$base$path");
ok($status == 503 && $headers->{'retry-after'},
    'the only loader is busy: 503 after pg_intake.queue_timeout');
set(max_queue => 0, queue_timeout => '1h');
wait_for('no queue', sub {
        my $begun = time();
        return upload('--max-time' => 5) == 503 && time() - $begun < 4;
    });
pass('or at once with pg_intake.max_queue = 0');
$holder->query('COMMIT');
$holder->quit;
$waiting->finish;
is((curl_answer($out))[0], 201, 'who waited is served');
$node->safe_psql('postgres', q{SELECT pg_terminate_backend(pid, 10000)
    FROM pg_stat_activity WHERE backend_type = 'pg_intake loader'});
is(upload(), 201, 'a loader is started even when none may wait for one');
set(map { $_ => undef } qw(max_loaders queue_timeout max_queue
        table_lock_timeout));

set(loader_idle_timeout => '200ms');
ok($node->poll_query_until('postgres', $loaders, '0'),
    'loaders retire when they are idle for long');
is(upload(), 201, 'and are started again');
set(loader_idle_timeout => undef);

# A FATAL error of a loader.
$node->safe_psql('postgres', 'CREATE DATABASE closed ALLOW_CONNECTIONS false');
set(database => 'closed', queue_timeout => '2s');
my $since = -s $node->logfile;
wait_for('503', sub { upload() == 503 });
pass('a database that takes no connections: 503');
like(slurp_file($node->logfile, $since),
    qr/FATAL:  .*"closed" is not currently accepting connections/,
    'and the reason in the log');
set(database => undef, queue_timeout => undef);
wait_for('another one', sub { upload() == 201 });
pass('recovers by itself');

# --- who listens where

$since = -s $node->logfile;
set(authentication => 'jwt', listen_addresses => '0.0.0.0');
wait_for('the log', sub { slurp_file($node->logfile, $since) =~
        /does not listen on address "0.0.0.0"/ });
like(slurp_file($node->logfile, $since), qr/pg_intake.jwt_audience must be set/,
    'a network listener without an audience is refused');
$since = -s $node->logfile;
set(jwt_audience => 'us');
wait_for('the log', sub { slurp_file($node->logfile, $since) =~
        /the gateway listens on 0.0.0.0:$port/ });
is(upload(), 401, 'with an audience it listens, and asks for a token');
set(authentication => undef, listen_addresses => undef, jwt_audience => undef);
wait_for('the first settings', sub { upload() == 201 });

# --- a port that closes behind an upload

($in, $out) = ("[100]\n" x 20000, '');
my $slow = IPC::Run::start([ 'curl', '-s', '-i', '-N', '--max-time', '60',
        @ndjson, '-T', '-', '-X', 'POST', "$base$path" ],
    '<', \$in, '>', \$out);
$slow->pump_nb until $in eq '';
wait_for('a loader is at work', sub { $node->safe_psql('postgres',
            "$loaders AND state = 'active'") });
set(port => 0);
wait_for('the port is closed', sub { upload() == 0 });
$in .= "[101]\n";
$slow->pump_nb until $in eq '';
$slow->finish;
my (undef, undef, $answer) = curl_answer($out);
is($answer->{rows_inserted}, 20001, 'an upload ends when its port has closed');
set(port => undef);
wait_for_gateway($base);
is(upload(), 201, 'and it opens again');

# --- the program ends with the server, however that ends

my $program = program_pid($node);
kill('KILL', slurp_file($node->data_dir . '/postmaster.pid') =~ /(\d+)/);
wait_for('the program ends', sub { !kill(0, $program) });
pass('SIGKILL to the server ends the program');
$node->{_pid} = undef;
wait_for('a start', sub { $node->start(fail_ok => 1) });
wait_for_gateway($base);
is(upload(), 201, 'and its successor is served by another one');

$node->stop;
done_testing();
