# pg_intake.log_requests: what is in the server's log of requests that went
# well, that a loader refused, and that never came to one; one entry each.

use strict;
use warnings;

use FindBin;
use MIME::Base64 ();
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

use lib "$FindBin::RealBin/../lib";
use IntakeGateway;
use IntakeSocket;

my ($node, $base) = make_gateway('log', q{
    log_statement = none
    log_line_prefix = '%p %e '
    pg_intake.max_body_size = '1MB'});
start_gateway($node, $base, q{
    CREATE TABLE t (id int PRIMARY KEY);
    GRANT ALL ON t TO writer;
    SELECT intake.register_table('t')});

my $scratch = PostgreSQL::Test::Utils::tempdir();
my $url = "$base/v1/tables/public/t/operations";
my $large = write_file("$scratch/large", "[1]\n" x 300000);
my $id = 0;

# Each makes a request of that id and returns its status.
my %requests = (
    good => sub { curl(@ndjson, '--data-binary' => "[$_[1]]", $_[0], $url) },
    data => sub { curl(@ndjson, '--data-binary' => '["x"]', $_[0], $url) },
    route => sub { curl($_[0], "$base/v1/nothing") },
    large => sub { curl(@ndjson, $_[0], -H => 'Expect:', -T => $large,
        "$url/4e0c7c4e-3c0b-4c9e-9d57-0d3f2b8f6a12") },
    break => sub {
        my ($header, $number, $name) = @_;

        close(send_part($base, "POST /v1/tables/public/t/operations HTTP/1.1\r\n"
            . "Host: localhost\r\nx-request-id: $name\r\n$ndjson[1]\r\n"
            . "Content-Length: 100\r\n\r\n[1]\n"));
        wait_for('it is on record', sub {
            $node->safe_psql('postgres', qq{SELECT count(*)
                FROM intake.operations WHERE request_id = '$name'}) });
        return 0;
    });

# Entries by the request: a loader's ERROR, the program's line or nothing.
my %expected = (
    errors => { good => '', data => 'loader 22P02', route => 'loader IN404',
        large => 'program 413', break => 'loader IN408' },
    all => { good => 'program 201', data => 'loader 22P02',
        route => 'loader IN404', large => 'program 413',
        break => 'loader IN408' },
    none => { map { $_ => '' } qw(good data route large break) });

foreach my $setting (qw(errors all none))
{
    my $from = -s $node->logfile;
    my %entries;

    $node->append_conf('postgresql.conf',
        "pg_intake.log_requests = '$setting'");
    $node->restart;
    wait_for_gateway($base);
    foreach my $kind (sort keys %requests)
    {
        my $name = "$setting-$kind";

        $requests{$kind}->("-Hx-request-id: $name", ++$id, $name);
    }

    # What is on its way to the log comes before what the last one logs.
    wait_for('the last line', sub {
        curl(@ndjson, '-Hx-request-id: last', -H => 'Expect:', -T => $large,
            "$url/4e0c7c4e-3c0b-4c9e-9d57-0d3f2b8f6a12");
        return $setting eq 'none'
            || slurp_file($node->logfile, $from) =~ /request id last/;
    });
    $node->stop;

    my $message = '';
    foreach my $line (split /\n(?=\d+ \w{5} )/,
        slurp_file($node->logfile, $from))
    {
        my ($state, $level, $text) = $line =~ /^\d+ (\w{5}) (\w+): +(.*)/s;

        next unless defined $text;
        $message = $text =~ /: (\d+) after/ ? "program $1" : "loader $state"
            if $level =~ /^(?:LOG|ERROR)$/;
        push @{ $entries{$1} }, $message
            if $text =~ /request (?:id )?"?$setting-(\w+)/;
    }
    foreach my $kind (sort keys %requests)
    {
        is(join(', ', @{ $entries{$kind} // [] }), $expected{$setting}{$kind},
            "$setting: $kind");
    }
    $node->start;
}

# --- What anybody may send is shown without control characters: those who
# read the log do it on a terminal.

my $from = -s $node->logfile;
my $token = join '.', map { MIME::Base64::encode_base64url($_) }
    '{"alg": "RS256", "kid": "k\\u001b[2J\\n\\u009b"}', '{}', 'x';

$node->append_conf('postgresql.conf', q{
    pg_intake.log_requests = 'errors'
    pg_intake.authentication = 'jwt'});
$node->restart;
wait_for_gateway($base);
is((curl("$base/v1/nothing?queryId=q%1b%5b2J%0A%c2%9b",
        '-Hx-request-id: r' . "\xc2\x9b"))[0], 404, 'no route, and no token');
is((curl($url, "-HAuthorization: Bearer $token", '-X', 'POST', '-d', ''))[0],
    401, 'a token of a hostile name');
is((curl('-Hx-request-id: p' . "\xc2\x9b", -H => 'Expect:', -T => $large,
        "$url/4e0c7c4e-3c0b-4c9e-9d57-0d3f2b8f6a12"))[0], 413,
    'an upload that is too large');
wait_for('the last line',
    sub { slurp_file($node->logfile, $from) =~ /request id p/ });

my $log = slurp_file($node->logfile, $from);
unlike($log, qr/[\x00-\x08\x0b-\x1f\x7f]|\xc2[\x80-\x9f]/,
    'no control characters are in the log');
like($log, qr/query "q\\u001b\[2J\\n\\xc2\\x9b"/, 'they are shown as digits');
like($log, qr/request "r\\xc2\\x9b"/, 'in an id, too');
like($log, qr/request id p\\xc2\\x9b/, 'by the program, too');
like($log, qr/unknown key "k\\x1b\[2J\\x0a\\xc2\\x9b"/,
    'so is the name of a key');

$node->stop;
done_testing();
