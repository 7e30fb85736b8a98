# TLS by the gateway: uploads over both versions of HTTP, the rules for files
# of certificate and key, a new pair on reload, the end of the certificate's
# validity in the metrics.  And what is no HTTP, or not at this port: refused,
# logged once, and nothing else.

use strict;
use warnings;

use FindBin;
use IO::Socket::INET;
use JSON::PP;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

use lib "$FindBin::RealBin/../lib";
use IntakeGateway;
use IntakeSocket;

my $scratch = PostgreSQL::Test::Utils::tempdir();
my ($certificate, $key) = ("$scratch/server.crt", "$scratch/server.key");
my ($node, $clear_base) = make_gateway('tls', qq{
    log_line_prefix = '%b: '
    pg_intake.tls_certificate_file = '$certificate'
    pg_intake.tls_key_file = '$key'});
my ($port) = $clear_base =~ /:(\d+)$/;
my $base = "https://127.0.0.1:$port";
my $path = '/v1/tables/public/t/operations';

# A pair of the name, valid for so many days, as NAME.crt and NAME.key.
sub make_pair
{
    my ($name, $days) = @_;

    run_log([ 'openssl', 'req', '-x509', '-newkey', 'ec', '-pkeyopt',
            'ec_paramgen_curve:prime256v1', '-nodes', '-days', $days,
            '-subj', "/CN=$name", '-addext', 'subjectAltName=IP:127.0.0.1',
            '-keyout', "$scratch/$name.key", '-out', "$scratch/$name.crt" ],
        '>', '/dev/null', '2>', '/dev/null')
        or die 'openssl has failed';
    return;
}

# Puts that pair in place; with $key_name, another one's key.
sub install_pair
{
    my ($name, $key_name, $mode) = @_;

    write_file($certificate, slurp_file("$scratch/$name.crt"));
    write_file($key, slurp_file("$scratch/" . ($key_name // $name) . '.key'));
    chmod($mode // 0600, $key) or die;
    return;
}

# What is served, by a client that asks for no more than the handshake.
sub served
{
    my ($what) = @_;

    return scalar `openssl s_client -connect 127.0.0.1:$port </dev/null 2>/dev/null | openssl x509 -noout $what 2>/dev/null`;
}

sub serves
{
    my ($name) = @_;

    return served('-subject') =~ /CN ?= ?$name$/m;
}

# curl that trusts the pair of the name, and nothing else.
sub curl_tls
{
    my ($name, @arguments) = @_;

    return curl('--cacert' => "$scratch/$name.crt", @arguments);
}

sub log_size { return -s $node->logfile; }

# Lines that the gateway and its program have written since.
sub gateway_lines
{
    my ($since) = @_;

    return grep { /^pg_intake gateway: +(LOG|WARNING|ERROR|FATAL|PANIC):/ }
        split /\n/, slurp_file($node->logfile, $since);
}

sub reload_logs
{
    my ($expected, $what) = @_;
    my $since = log_size();

    $node->reload;
    wait_for($what, sub { join("\n", gateway_lines($since)) =~ $expected });
    pass($what);
    return;
}

# --- the rules for files

make_pair('first', 3);
make_pair('second', 5);
install_pair('first', 'first', 0644);
$node->start;
$node->safe_psql(
    'postgres', q{
    CREATE EXTENSION pg_intake;
    CREATE ROLE writer;
    GRANT USAGE ON SCHEMA intake TO writer;
    CREATE TABLE t (id int);
    GRANT ALL ON t TO writer;
    SELECT intake.register_table('t')});
wait_for('the gateway speaks', sub { gateway_lines(0) >= 2 });
like(join("\n", gateway_lines(0)), qr/private key file "\Q$key\E" has group or world access.*does not listen without its certificate/s,
    'a key that the world may read is refused');
ok(!IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $port),
    'nobody is served then, least of all in clear text');
chmod(0640, $key);
reload_logs(qr/has group or world access/,
    'nor one that the group may read');
rename($key, "$key.away");
reload_logs(qr/could not open file "\Q$key\E"/, 'nor one that is not there');
$node->safe_psql('postgres', q{ALTER SYSTEM SET pg_intake.tls_key_file = ''});
reload_logs(qr/pg_intake\.tls_key_file is not set/, 'nor none at all');
$node->safe_psql('postgres', 'ALTER SYSTEM RESET pg_intake.tls_key_file');
write_file($key, 'no key');
chmod(0600, $key);
reload_logs(qr/could not load the certificate and its key/,
    'nor one that is none');
rename("$key.away", $key);
chmod(0600, $key);
$node->reload;
wait_for('the certificate is served', sub { serves('first') });
pass('a good pair is served after a reload');

# --- uploads

foreach my $version ([ '--http1.1', '1.1' ], [ '--http2', '2' ])
{
    my ($option, $name) = @$version;
    my ($status, undef, $body) = curl_tls('first', $option, @ndjson,
        '--data-binary' => "[1]\n[2]\n", "$base$path");

    is("$status $body->{rows_inserted}", '201 2',
        "an upload over TLS and HTTP/$name");
    is(`curl -s -o /dev/null -w '%{http_version}' --cacert $scratch/first.crt $option $base/openapi.json`,
        $name, 'by ALPN');
}
my $large = write_file("$scratch/large", join('', map { "[$_]\n" } 1 .. 400000));
foreach my $option ('--http1.1', '--http2')
{
    my ($status, undef, $body) = curl_tls('first', $option, @ndjson,
        '-X' => 'POST', -T => $large, "$base$path");

    is("$status $body->{rows_inserted}", '201 400000', "a large one, $option");
}
# A client that is killed has gone, without a word of TLS.
foreach my $option ('--http1.1', '--http2')
{
    my $operation = $option eq '--http2' ? '5e0c7c4e-3c0b-4c9e-9d57-0d3f2b8f6a12'
        : '5e0c7c4e-3c0b-4c9e-9d57-0d3f2b8f6a11';

    $node->safe_psql('postgres', 'TRUNCATE t');
    my $pid = open(my $pipe, '|-', 'curl', '-s', '-o', '/dev/null', $option,
        '--cacert', "$scratch/first.crt", '-X', 'POST', '-T', '-', @ndjson,
        '-H', "Idempotency-Key: $operation",
        "$base/api/v1/datamarts/public/entities/t/upload?commitOnDisconnect=true")
        or die;
    syswrite($pipe, "[1]\n" x 50000);
    $node->poll_query_until('postgres', q{SELECT count(*) = 1
        FROM pg_stat_activity WHERE backend_type = 'pg_intake loader'
            AND state = 'active'}) or die;
    kill('KILL', $pid);
    close($pipe);
    $node->poll_query_until('postgres', qq{SELECT count(*) = 1
        FROM intake.operations WHERE operation = '$operation'}) or die;
    is($node->safe_psql('postgres', qq{SELECT status, partial,
        bytes_received > 0, bytes_received / 4 = (SELECT count(*) FROM t)
        FROM intake.operations WHERE operation = '$operation'}),
        'succeeded|t|t|t', "a client that is killed, $option");
}
foreach my $version ('1_1', '1_2', '1_3')
{
    my $out = `openssl s_client -tls$version -cipher 'DEFAULT:\@SECLEVEL=0' -connect 127.0.0.1:$port </dev/null 2>&1`;

    if ($version eq '1_1')
    {
        like($out, qr/alert protocol version/, 'TLS 1.1 is refused');
    }
    else
    {
        like($out, qr/BEGIN CERTIFICATE/, "TLS $version is not");
    }
}

# --- the metrics

my ($until) = served('-enddate') =~ /notAfter=(.*)/;
chomp($until = `date -u -d '$until' +%s`);
my (undef, undef, $metrics) = curl_tls('first', "$base/metrics");
like($metrics, qr/^pg_intake_certificate_expiry_timestamp_seconds $until(\.0*)?$/m,
    'the end of the certificate is in /metrics')
    or diag(grep { /cert/ } split /^/m, $metrics);
ok($node->poll_query_until('postgres', qq{SELECT certificate_expires =
    to_timestamp($until) FROM intake.stat_gateway}), 'and in intake.stat_gateway');

# --- a new pair

# An upload that was begun before it goes on.
my ($in, $out) = ('', '');
my $slow = IPC::Run::start([ 'curl', '-s', '-i', '-N', '--max-time', '60',
        '--cacert', "$scratch/first.crt", @ndjson, '-T', '-', '-X', 'POST',
        "$base$path" ], '<', \$in, '>', \$out);
$in .= "[100]\n" x 20000;
$slow->pump_nb until $in eq '';
$node->poll_query_until('postgres', q{SELECT count(*) = 1 FROM pg_stat_activity
    WHERE backend_type = 'pg_intake loader' AND state = 'active'});

install_pair('second', 'first');
reload_logs(qr/could not load the certificate and its key/,
    'a new certificate without its key is no good');
ok(serves('first'), 'the old pair stays');
install_pair('second', 'second', 0604);
reload_logs(qr/has group or world access/, 'nor is a key that others may read');
ok(serves('first'), 'the old pair stays');
my $pid = program_pid($node);
install_pair('second', 'first');
my $since = log_size();
reload_logs(qr/could not load the certificate and its key/, 'a bad pair');
install_pair('second');
$node->reload;
wait_for('the new certificate', sub { serves('second') });
is(scalar(grep { /could not load/ } gateway_lines($since)), 1,
    'a bad pair is logged once');
is(program_pid($node), $pid, 'a good one is served, by the same program');
my ($status) = curl_tls('second', @ndjson, '--data-binary' => "[3]\n",
    "$base$path");
is($status, 201, 'to clients who trust it');
$in .= "[101]\n";
$slow->pump_nb until $in eq '';
$slow->finish;
my (undef, undef, $answer) = curl_answer($out);
is($answer->{rows_inserted}, 20001, 'what had begun with the old one ends');
unlike(slurp_file($node->logfile), qr/PRIVATE KEY/, 'no key is in the log');

# A bad pair is in the files when the program dies.
install_pair('first', 'second');
reload_logs(qr/could not load the certificate/, 'a bad pair once more');
kill('KILL', $pid);
wait_for('another program', sub { (program_pid($node) // $pid) != $pid });
wait_for('the good pair', sub { serves('second') });
pass('the last good pair outlives the program');
install_pair('second');
$node->reload;

# --- nonsense

my $started = $node->safe_psql('postgres', 'SELECT pg_postmaster_start_time()');
my $program = program_pid($node);

# Sends bytes until the other side has had enough; returns what it says.
# The code does something that is refused: one line of the log, like this.
sub refuses
{
    my ($what, $expected, $upload, $code) = @_;
    my $since = log_size();

    $code->();
    wait_for('a line of the log', sub { gateway_lines($since) });
    my ($status) = $upload->();
    my @lines = gateway_lines($since);
    is(scalar(@lines), 1, "$what: logged once") or diag(explain(\@lines));
    like($lines[0], $expected, "$what: as what it is");
    is($status, 201, "$what: the next upload is served");
    return;
}

my @small = (@ndjson, '--data-binary' => "[4]\n");
my $by_tls = sub { return curl_tls('second', @small, "$base$path") };
my $by_text = sub { return curl(@small, "$clear_base$path") };
my $garbage = join('', map { chr(($_ * 7919) % 251) } 1 .. 100000);
my $head = "GET /openapi.json HTTP/1.1\r\nHost: x\r\n";
my $long_line = 'X-Long: ' . 'x' x (1 << 20) . "\r\n\r\n";

refuses('clear text to the TLS port', qr/refused clear text from 127/, $by_tls,
    sub { exchange_bytes($base, "$head\r\n") });
refuses('HTTP/2 in clear text to the TLS port', qr/TLS|clear text/, $by_tls,
    sub { exchange_bytes($base, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n") });
refuses('garbage to the TLS port', qr/could not agree on TLS with 127/,
    $by_tls, sub { exchange_bytes($base, $garbage) });
refuses('a handshake that turns into garbage',
    qr/could not agree on TLS with 127/, $by_tls,
    sub { exchange_bytes($base, "\x16\x03\x01\x02\x00\x01$garbage") });
my $header = write_file("$scratch/header", 'X-Long: ' . 'x' x 60000);
refuses('a header of 60 kB over TLS and HTTP/2', qr/127.*: 431|GET .*: 431/,
    $by_tls, sub { curl_tls('second', '--http2', -H => "\@$header",
        "$base/openapi.json") });

$node->safe_psql('postgres',
    q{ALTER SYSTEM SET pg_intake.tls_certificate_file = ''});
$node->reload;
wait_for_gateway($clear_base);
is(program_pid($node), $program, 'TLS can be switched off');

# Lines of a kind are logged five at once, and then less often: the requests
# that are bad here are no more.
refuses('TLS to the clear port', qr/refused TLS from 127/, $by_text,
    sub { curl('-k', "$base/openapi.json") });
refuses('garbage to the clear port', qr/refused a request from 127.*: 400/,
    $by_text, sub { like(exchange_bytes($base, $garbage), qr{^HTTP/1.1 400 },
        'is answered 400') });
refuses('a header line of 1 MB', qr/refused a request from 127.*: 431/,
    $by_text, sub { like(exchange_bytes($base, $head . $long_line), qr{^HTTP/1.1 431 },
        'is answered 431') });
refuses('a request line of 1 MB', qr/refused a request from 127.*: 414/,
    $by_text, sub { like(exchange_bytes($base, 'GET /' . 'x' x (1 << 20)),
        qr{^HTTP/1.1 414 }, 'is answered 414') });
refuses('garbage after the preface of HTTP/2', qr/refused|cut off/, $by_text,
    sub { exchange_bytes($base, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n$garbage") });

is($node->safe_psql('postgres', 'SELECT pg_postmaster_start_time()'), $started,
    'the server has not restarted');
is(program_pid($node), $program, 'nor has the program');

$node->stop;
done_testing();
