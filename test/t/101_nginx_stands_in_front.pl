# nginx in front of the gateway, with the block of the README as it stands
# there: uploads pass as they come, repeats and failures too, a client that
# goes away is one that has gone for the gateway.

use strict;
use warnings;

use FindBin;
use IO::Socket::INET;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

use lib "$FindBin::RealBin/../lib";
use IntakeGateway;
use IntakeSocket;

my ($nginx) = grep { -x } map { "$_/nginx" } split(/:/, $ENV{PATH}),
    '/usr/sbin';
plan skip_all => 'nginx is not there' if !$nginx;

my ($node, $gateway) = make_gateway('nginx', '');
my ($gateway_port) = $gateway =~ /:(\d+)$/;
my $port = PostgreSQL::Test::Cluster::get_free_port();
my $base = "http://127.0.0.1:$port";
my $scratch = PostgreSQL::Test::Utils::tempdir();

start_gateway($node, $gateway, q{
    CREATE TABLE t (id int);
    GRANT ALL ON t TO writer;
    SELECT intake.register_table('t')});

# --- nginx

my ($block) = slurp_file("$FindBin::RealBin/../../README.md") =~
    /^```nginx\n(.*?)^```$/ms;
ok($block, 'the README has a block for nginx');
is($block =~ s/127\.0\.0\.1:9090/127.0.0.1:$gateway_port/g, 1,
    'with the port of its examples');

my $temporary = join(' ', map { "${_}_temp_path $scratch/$_;" }
        qw(client_body proxy fastcgi uwsgi scgi));
my $conf = write_file("$scratch/nginx.conf", qq{
daemon off;
worker_processes 1;
pid $scratch/nginx.pid;
error_log $scratch/error.log info;
events {}
http {
    access_log $scratch/access.log;
    $temporary
    server {
        listen 127.0.0.1:$port;
        $block
    }
}
});
my ($nginx_out, $nginx_err) = ('', '');
my $server = IPC::Run::start([ $nginx, '-p', $scratch, '-e',
        "$scratch/error.log", '-c', $conf ], '>', \$nginx_out, '2>', \$nginx_err);

END
{
    $server->signal('TERM') if $server && $server->pumpable;
}
wait_for('nginx', sub {
        $server->pump_nb;
        die "nginx has ended: $nginx_err" if !$server->pumpable;
        return IO::Socket::INET->new(PeerAddr => '127.0.0.1',
            PeerPort => $port) });

# --- uploads

my $path = '/v1/tables/public/t/operations';
my $uuid = '4f0c7c4e-3c0b-4c9e-9d57-0d3f2b8f6a11';
my $rows = 'SELECT count(*) FROM t';
my $lines = 500000;
my $large = write_file("$scratch/large", join('', map { "[$_]\n" } 1 .. $lines));

sub rows
{
    return $node->safe_psql('postgres', $_[0]);
}

my ($status, $headers, $body) =
    curl(@ndjson, -T => $large, "$base$path/$uuid");
is("$status $headers->{location} $body->{rows_inserted}",
    "201 $path/$uuid $lines", 'an upload') or diag(explain($body));
($status, $headers, $body) = curl(@ndjson, -T => $large, "$base$path/$uuid");
is("$status $headers->{'idempotent-replayed'}", '200 true', 'its repeat');
($status, $headers, $body) = curl(@ndjson, '--data-binary' => '[1]',
    '-X' => 'PUT', "$base$path/$uuid");
is("$status $body->{sqlstate}", '422 IN422', 'other content as that operation');
($status, $headers, $body) = curl("$base$path/$uuid");
is("$status $body->{status}", '200 succeeded', 'its status');
is(rows($rows), $lines, 'once in the table');

rows('TRUNCATE t');
($status, $headers, $body) = curl(@ndjson, '-X' => 'POST',
    -H => 'Transfer-Encoding: chunked', -H => "Idempotency-Key: "
        . '5e0c7c4e-3c0b-4c9e-9d57-0d3f2b8f6a12', '--data-binary' => "\@$large",
    "$base/api/v1/datamarts/public/entities/t/upload");
is("$status $body->{result}[0]{rowsAffected}", "200 $lines",
    'a chunked one, to Prostore\'s endpoint');
is(rows($rows), $lines, 'is there');

# --- as they come

rows('TRUNCATE t');
my ($in, $out) = ('', '');
my $slow = IPC::Run::start([ 'curl', '-s', '-i', '-N', '--max-time', '60',
        @ndjson, '-T', '-', '-X', 'POST', "$base$path" ],
    '<', \$in, '>', \$out);
$in .= "[100]\n" x 50000;
$slow->pump_nb until $in eq '';
ok($node->poll_query_until('postgres', q{SELECT count(*) = 1
    FROM pg_stat_activity WHERE backend_type = 'pg_intake loader'
        AND state = 'active'}), 'an upload is at work before it ends');
is(join(' ', glob("$scratch/client_body/*")), '', 'not on a disk of nginx');
$in .= "[101]\n";
$slow->pump_nb until $in eq '';
$slow->finish;
is((curl_answer($out))[2]{rows_inserted}, 50001, 'and ends as any other');

# --- failures

my @failures = (
    [ 'a table that is not there', 404, 'application/x-ndjson',
        "$base/v1/tables/public/no/operations" ],
    [ 'another type', 415, 'text/plain', "$base$path" ],
    [ 'an unknown parameter', 400, 'application/x-ndjson',
        "$base$path?what=1" ]);

foreach my $failure (@failures)
{
    my ($what, $expected, $type, $url) = @$failure;

    foreach my $option ('Expect: 100-continue', 'Expect:')
    {
        ($status, $headers) = curl('-X' => 'POST',
            -H => "Content-Type: $type", -H => $option, -T => $large, $url);
        is("$status $headers->{'content-type'}",
            "$expected application/problem+json",
            "$what, told of before a long body, $option");
    }
}
is((curl("$base/metrics"))[0], 404, 'nothing else is reached from outside');
is((curl("$base/actuator/health"))[0], 404, 'neither is this');

# --- a client that goes away

rows('TRUNCATE t');
foreach my $keeps (0, 1)
{
    my $operation = "00000000-0000-4000-8000-00000000000$keeps";
    my $socket = send_part($base,
        "POST /api/v1/datamarts/public/entities/t/upload"
        . ($keeps ? '?commitOnDisconnect=true' : '') . " HTTP/1.1\r\n"
        . "Host: localhost\r\nContent-Type: application/x-ndjson\r\n"
        . "Idempotency-Key: $operation\r\nContent-Length: 10000000\r\n\r\n"
        . "[1]\n" x 100000 . '[2');

    $node->poll_query_until('postgres', q{SELECT count(*) = 1
        FROM pg_stat_activity WHERE backend_type = 'pg_intake loader'
            AND state = 'active'}) or die;
    close($socket);
    $node->poll_query_until('postgres', qq{SELECT count(*) = 1
        FROM intake.operations WHERE operation = '$operation'}) or die;
    is(rows(qq{SELECT status, partial, error->>'message',
        (SELECT count(*) FROM t) = CASE WHEN partial THEN bytes_received / 4
            ELSE 0 END FROM intake.operations WHERE operation = '$operation'}),
        $keeps ? 'succeeded|t|the client has gone before the end of the body|t' :
        'failed|f|the client has gone before the end of the body|t',
        'a client that goes away' . ($keeps ? ' and wants a part' : ''));
}

$server->signal('QUIT');
$server->finish;
is($nginx_err, '', 'nginx had nothing to complain of');
# it looks for files where there is no block
is(join('', grep { /\[(error|crit|alert|emerg)\]/ && !/No such file/ }
            split /^/m, slurp_file("$scratch/error.log")), '', 'nor in its log');
$node->stop;
done_testing();
