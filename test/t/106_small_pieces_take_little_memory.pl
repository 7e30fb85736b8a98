# A client may cut its body into pieces as small as it likes, frames of one
# byte over HTTP/2 and segments of one byte over HTTP/1.1: what waits for a
# loader takes about as much memory as it has bytes.

use strict;
use warnings;

use FindBin;
use IO::Socket::INET;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Socket qw(IPPROTO_TCP MSG_DONTWAIT TCP_NODELAY);
use Test::More;

use lib "$FindBin::RealBin/../lib";
use IntakeGateway;

my $streams = 12;
my $bytes = 60000;              # a stream; a loader is taken at 64 kB
my $sockets = 4;
my $segments = 5000;            # a socket

# With one loader bodies that come slowly wait until there is enough of them.
my ($node, $base) = make_gateway('pieces', q{
    pg_intake.max_loaders = 1
    pg_intake.min_upload_rate = 0
    pg_intake.body_timeout = '1h'});
my ($port) = $base =~ /:(\d+)$/;
my $path = '/v1/tables/public/t/operations';

start_gateway($node, $base, q{
    CREATE TABLE t (note text);
    GRANT ALL ON t TO writer;
    SELECT intake.register_table('t')});

sub metric
{
    my ($name) = @_;
    my (undef, undef, $metrics) = curl("$base/metrics");

    return ($metrics =~ /^$name (\S+)$/m)[0];
}

sub memory_kb
{
    my ($kb) = slurp_file('/proc/' . program_pid($node) . '/status') =~
        /^VmRSS:\s+(\d+) kB/m;

    return $kb;
}

sub connect_program
{
    my $socket = IO::Socket::INET->new(
        PeerAddr => '127.0.0.1', PeerPort => $port) or die "cannot connect: $!";

    setsockopt($socket, IPPROTO_TCP, TCP_NODELAY, 1);
    return $socket;
}

# Sends all of it, while what is answered is read and dropped.
sub send_all
{
    my ($socket, $bytes) = @_;
    my $sent = 0;

    while ($sent < length $bytes)
    {
        my $n = $socket->syswrite($bytes, 65536, $sent) or die "cannot send: $!";

        $sent += $n;
        $socket->recv(my $answer, 65536, MSG_DONTWAIT);
    }
    return;
}

my $small = memory_kb();
my $began = metric('pg_intake_http_bytes_received_total');

# --- HTTP/2

my $head = http2_head('POST', $path, 'content-type: application/x-ndjson');
my ($preface, $settings, $request) = $head =~ /^(PRI.{21})(.{9})(.*)$/s;
my $socket = connect_program();

send_all($socket, $preface . $settings);
foreach my $i (0 .. $streams - 1)
{
    my $stream = pack('N', 2 * $i + 1);

    send_all($socket, substr($request, 0, 5) . $stream . substr($request, 9)
        . http2_frame(0, 0, 2 * $i + 1, ' ') x $bytes);
}
wait_for('the frames',
    sub { metric('pg_intake_http_bytes_received_total') - $began
            > 10 * $streams * $bytes });
cmp_ok(memory_kb() - $small, '<', 16 * 1024,
    'over HTTP/2, a body of ' . $streams * $bytes . ' bytes');
send_all($socket, http2_frame(0, 1, 2 * $_ + 1, "[\"$_\"]\n"))
    foreach 0 .. $streams - 1;
wait_for('the rows', sub {
    $node->safe_psql('postgres', 'SELECT count(*) FROM t') == $streams });
pass('all of it comes through');
close($socket);

# --- HTTP/1.1

$small = memory_kb();

my @clients = map { connect_program() } 1 .. $sockets;
my $length = $segments + 6;

$_->syswrite("POST $path HTTP/1.1\r\nHost: x\r\nContent-Length: $length\r\n"
    . "Content-Type: application/x-ndjson\r\n\r\n") foreach @clients;
foreach (1 .. $segments)
{
    $_->syswrite(' ') foreach @clients;
    select(undef, undef, undef, 0.0002);
}
cmp_ok(memory_kb() - $small, '<', 16 * 1024,
    'over HTTP/1.1, one of ' . $sockets * $segments . ' bytes');
$_->syswrite("[\"h1\"]") foreach @clients;
wait_for('the rows', sub { $node->safe_psql('postgres',
            "SELECT count(*) FROM t WHERE note = 'h1'") == $sockets });
pass('all of it comes through, too');

$node->stop;
done_testing();
