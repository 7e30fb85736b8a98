# Clients that die at random points, and SIGKILL to the HTTP program, a loader
# and the server during uploads: what was promised is there, whatever else is
# not, and a retry with the same UUID never doubles.

use strict;
use warnings;

use FindBin;
use IO::Socket::INET;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

use lib "$FindBin::RealBin/../lib";
use IntakeGateway;

my ($node, $base) = make_gateway('kill', q{
    restart_after_crash = on
    pg_intake.log_requests = 'none'
    pg_intake.max_queue = 1000
    pg_intake.max_loaders = 6});
my ($port) = $base =~ /:(\d+)$/;

$node->start;
$node->safe_psql(
    'postgres', q{
    CREATE EXTENSION pg_intake;
    CREATE ROLE writer;
    GRANT USAGE ON SCHEMA intake TO writer;
    CREATE TABLE t (client int, line int);
    GRANT ALL ON t TO writer;
    SELECT intake.register_table('t');
    CREATE TABLE slow (line int);
    GRANT ALL ON slow TO writer;
    SELECT intake.register_table('slow')});
wait_for_gateway($base);

my $seed = $ENV{INTAKE_SEED} // time;
note("INTAKE_SEED=$seed");
srand($seed);

my $clients = 200;
my $lines = 400;
my $path = '/api/v1/datamarts/public/entities/t/upload';
my (@payload, @sent, @keeps);

sub uuid
{
    return sprintf('00000000-0000-4000-8000-%012d', $_[0]);
}

foreach my $client (0 .. $clients - 1)
{
    my $chunked = $client % 2;
    my $payload = join('', map { "[$client, $_]\n" } 1 .. $lines);
    my $cut = 1 + int(rand(length($payload) - 1));

    $keeps[$client] = int($client / 2) % 2;
    $payload[$client] = $payload;
    $sent[$client] = substr($payload, 0, $cut);

    my $socket = IO::Socket::INET->new(PeerAddr => '127.0.0.1',
        PeerPort => $port) or die;
    print $socket "POST $path"
        . ($keeps[$client] ? '?commitOnDisconnect=true' : '')
        . " HTTP/1.1\r\nHost: localhost\r\n"
        . "Content-Type: application/x-ndjson\r\n"
        . 'Idempotency-Key: ' . uuid($client) . "\r\n"
        . ($chunked ? "Transfer-Encoding: chunked\r\n\r\n"
            . sprintf('%x', length $payload) . "\r\n" . $sent[$client]
            : 'Content-Length: ' . length($payload) . "\r\n\r\n$sent[$client]");
    close($socket);
}
$node->poll_query_until('postgres', qq{SELECT count(*) = $clients
    FROM intake.operations}) or die;
pass('each of them is on record');

my %rows = map { split /\|/ } split /\n/, $node->safe_psql('postgres',
    q{SELECT client, count(*) FROM t GROUP BY client});
my @wrong = grep {
    my $whole = () = $sent[$_] =~ /\n/g;
    ($rows{$_} // 0) != ($keeps[$_] ? $whole : 0);
} 0 .. $clients - 1;
is("@wrong", '', 'exactly the rows that were promised are there');
is($node->safe_psql('postgres', q{SELECT status, partial, count(*)
    FROM intake.operations GROUP BY 1, 2 ORDER BY 1}),
    "failed|f|100\nsucceeded|t|100", 'as failures and parts');

my $scratch = PostgreSQL::Test::Utils::tempdir();
foreach my $client (grep { $_ % 10 < 4 } 0 .. $clients - 1)
{
    my $file = write_file("$scratch/payload", $payload[$client]);

    curl(-H => 'Content-Type: application/x-ndjson',
        -H => 'Idempotency-Key: ' . uuid($client),
        '--data-binary' => "\@$file", "$base$path") for 1 .. 2;
}
%rows = map { split /\|/ } split /\n/, $node->safe_psql('postgres',
    q{SELECT client, count(*) FROM t GROUP BY client});
@wrong = grep {
    my $whole = () = $sent[$_] =~ /\n/g;
    ($rows{$_} // 0) != ($keeps[$_] ? $whole : $lines);
} grep { $_ % 10 < 4 } 0 .. $clients - 1;
is("@wrong", '', 'a retry writes what had failed, and nothing twice');

# --- SIGKILL during an upload

my $started = 'SELECT pg_postmaster_start_time()';
my $loading = q{SELECT pid FROM pg_stat_activity
    WHERE backend_type = 'pg_intake loader' AND state = 'active'};
my $url = "$base/v1/tables/public/slow/operations";
my $whole = join('', map { "[$_]\n" } 1 .. 60000);

# Sends most of an upload, kills what the code kills, and sends it again.
sub kill_and_retry
{
    my ($what, $n, $code) = @_;
    my $operation = uuid($n);
    my $socket = IO::Socket::INET->new(PeerAddr => '127.0.0.1',
        PeerPort => $port) or die;

    print $socket "PUT /v1/tables/public/slow/operations/$operation HTTP/1.1\r\n"
        . "Host: localhost\r\nContent-Type: application/x-ndjson\r\n"
        . 'Content-Length: ' . length($whole) . "\r\n\r\n"
        . substr($whole, 0, 200000);
    $socket->flush;
    my $loader;
    wait_for('a loader is at work',
        sub { $loader = $node->safe_psql('postgres', $loading) });
    $code->($loader);
    close($socket);
    wait_for('the server is back', sub { $node->psql('postgres', 'SELECT 1') == 0 });
    wait_for_gateway($base);
    is($node->safe_psql('postgres', 'SELECT count(*) FROM slow'),
        60000 * ($n - 1000), "$what: nothing of it is there");
    my $file = write_file("$scratch/whole", $whole);
    my $status;
    wait_for('the retry', sub {
            ($status) = curl(-H => 'Content-Type: application/x-ndjson',
                -T => $file, "$url/$operation");
            return $status == 201 });
    ($status) = curl(-H => 'Content-Type: application/x-ndjson',
        -T => $file, "$url/$operation");
    is("$status " . $node->safe_psql('postgres', 'SELECT count(*) FROM slow'),
        '200 ' . 60000 * ($n - 999), "$what: a retry writes it once");
    return;
}

my $before = $node->safe_psql('postgres', $started);
kill_and_retry('SIGKILL to the program', 1000,
    sub {
        my $gateway = `ps -eo pid=,ppid=,args=`;
        my ($mine) = map { (split ' ')[0] } grep {
            /pg_intake gateway/ && (split ' ')[1] == $node->{_pid}
        } split /\n/, $gateway;
        my ($program) = map { (split ' ')[0] } grep {
            /pg_intake_http/ && (split ' ')[1] == $mine
        } split /\n/, $gateway;
        kill('KILL', $program);
    });
is($node->safe_psql('postgres', $started), $before,
    'the server has not restarted');
kill_and_retry('SIGKILL to a loader', 1001, sub { kill('KILL', $_[0]) });
kill_and_retry('SIGKILL to the server', 1002,
    sub {
        my ($loader) = @_;

        kill('KILL', $node->{_pid});
        $node->{_pid} = undef;
        wait_for('its processes are gone', sub { !kill(0, $loader) });
        wait_for('a start', sub { $node->start(fail_ok => 1) });
    });

$node->stop;
done_testing();
