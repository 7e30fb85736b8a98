# Views intake.stat and intake.stat_gateway: what the gateway counts, that it
# agrees with /metrics and does not go back when the HTTP program dies, who may
# read it, and what is there when the library was not preloaded.

use strict;
use warnings;

use FindBin;
use JSON::PP;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

use lib "$FindBin::RealBin/../lib";
use IntakeGateway;

my ($node, $base) = make_gateway('counts', '');

start_gateway($node, $base, q{
    CREATE ROLE plain LOGIN;
    CREATE ROLE watcher LOGIN IN ROLE pg_monitor;
    GRANT USAGE ON SCHEMA intake TO plain, watcher;
    CREATE TABLE hidden_name (id int);
    GRANT ALL ON hidden_name TO writer;
    SELECT intake.register_table('hidden_name')});

my $url = "$base/v1/tables/public/hidden_name/operations";

sub rows
{
    return $node->safe_psql('postgres', $_[0]);
}

sub upload
{
    my ($body, $expected) = @_;
    my ($status) = curl(@ndjson, '--data-binary' => $body, $url);

    is($status, $expected, "an upload is answered $expected");
    return;
}

sub becomes
{
    my ($what, $query) = @_;

    ok($node->poll_query_until('postgres', $query), $what)
        or diag(rows('SELECT * FROM intake.stat'),
        "\n", rows('SELECT * FROM intake.stat_gateway'));
    return;
}

# --- counting

upload("[1]\n[2]\n[3]\n", 201);
upload("[4]\n", 201);
upload("[\"x\"]\n", 422);
becomes('uploads are counted by route and status', q{
    SELECT array_agg((route, status, requests)::text ORDER BY status)
        = '{"(v1_upload,201,2)","(v1_upload,422,1)"}'
    FROM intake.stat WHERE route = 'v1_upload'});
is(rows('SELECT count(*) FROM intake.stat WHERE seconds >= 0 AND seconds < 600'),
    rows('SELECT count(*) FROM intake.stat'), 'with the time they took');
becomes('and so are their records and bytes', q{
    SELECT rows BETWEEN 4 AND 5 AND bytes_in > 16 AND bytes_out > 100
    FROM intake.stat_gateway});
becomes('loaders are there and idle', q{
    SELECT loaders > 0 AND loaders_busy = 0 AND queued = 0
        AND certificate_expires IS NULL FROM intake.stat_gateway});
is(rows(q{SELECT count(*) FROM intake.stat s
    WHERE (s.route, s.status) IS NULL OR s.route ~ 'hidden|public|writer'}),
    '0', 'no row tells a table or a role');

my (undef, undef, $metrics) = curl("$base/metrics");
my ($count) = $metrics =~
    /^pg_intake_http_requests_total\{route="v1_upload",status="201"\} (\d+)$/m;
is($count, rows(q{SELECT requests FROM intake.stat
    WHERE route = 'v1_upload' AND status = 201}), '/metrics has the same');
my ($reasons) = scalar(() = $metrics =~
    /^pg_intake_http_rejected_total\{reason=/mg);
is(rows(q{SELECT count(*) FROM intake.stat_gateway,
    jsonb_each_text(rejected)}), $reasons, 'rejected has each reason');

my ($status) = curl(-H => 'Content-Encoding: what', @ndjson,
    '--data-binary' => "[1]\n", $url);
is($status, 415, 'an encoding that is not known is refused');
becomes('and that is counted too',
    'SELECT sum(requests) = 1 FROM intake.stat WHERE status = 415');

# --- another program

my $before = rows(q{SELECT string_agg(format('%s %s %s', route, status,
    requests), ',' ORDER BY route, status) FROM intake.stat
    WHERE route = 'v1_upload'});
my ($bytes, $records) =
    split /\|/, rows('SELECT bytes_in, rows FROM intake.stat_gateway');
my $pid = program_pid($node);
die 'no program' if !$pid;
kill 'KILL', $pid;
wait_for('another program',
    sub { my $other = program_pid($node); $other && $other != $pid });
wait_for_gateway($base);
is(rows(q{SELECT string_agg(format('%s %s %s', route, status, requests), ','
    ORDER BY route, status) FROM intake.stat WHERE route = 'v1_upload'}),
    $before, 'what the program before has counted stays');
upload("[5]\n[6]\n", 201);
becomes('and the next one adds to it', qq{
    SELECT requests = 3 AND g.rows = $records + 2 AND g.bytes_in > $bytes
    FROM intake.stat s, intake.stat_gateway g
    WHERE s.route = 'v1_upload' AND s.status = 201});

# --- another gateway: an orderly end loses nothing

foreach my $id (7 .. 9)
{
    $pid = program_pid($node);
    upload("[$id]\n", 201);
    kill 'TERM', `ps -o ppid= -p $pid`;
    wait_for('another program',
        sub { my $other = program_pid($node); $other && $other != $pid });
    wait_for_gateway($base);
}
is(rows(q{SELECT requests FROM intake.stat
    WHERE route = 'v1_upload' AND status = 201}), '6',
    'uploads right before the end are counted');

# --- rights

is( $node->safe_psql(
        'postgres',
        q{SELECT count(*) FROM intake.stat_gateway WHERE bytes_in > 0
            AND EXISTS (SELECT FROM intake.stat)},
        extra_params => [ '-U', 'watcher' ]),
    '1', 'a member of pg_monitor reads the views');
foreach my $what ('intake.stat', 'intake.stat_gateway', 'intake.read_stat()',
    'intake.read_stat_gateway()')
{
    my ($result, undef, $error) = $node->psql('postgres',
        "SELECT * FROM $what", extra_params => [ '-U', 'plain' ]);

    like($error, qr/permission denied/, "others do not read $what");
}

# --- without the gateway

$node->append_conf('postgresql.conf', 'pg_intake.port = 0');
$node->restart;
is(rows('SELECT count(*) FROM intake.stat'), '0', 'port 0: no requests');
is(rows(q{SELECT * FROM intake.stat_gateway}), '0|0|0|0|0|0|0|{}|',
    'and nothing that was done');
$node->append_conf('postgresql.conf', q{shared_preload_libraries = ''});
$node->restart;
is(rows('SELECT count(*) FROM intake.stat'), '0', 'not preloaded: no rows');
is(rows(q{SELECT num_nulls(s.bytes_in, s.bytes_out, s.rows, s.loaders,
    s.loaders_busy, s.queued, s.connections, s.rejected,
    s.certificate_expires) FROM intake.stat_gateway s}), '9',
    'and one row of NULLs');
$node->stop;

done_testing();
