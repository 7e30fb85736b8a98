# Many idle and slow connections at the gateway, half of the slow ones inside
# their heads and half inside their bodies: uploads beside them are served, no
# loader and no table is taken from them, and the HTTP program stays small.
#
# INTAKE_HTTP_IDLE=1000 and INTAKE_HTTP_SLOW=200 make it a large crowd.

use strict;
use warnings;

use FindBin;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

use lib "$FindBin::RealBin/../lib";
use IntakeGateway;

my $idle = $ENV{INTAKE_HTTP_IDLE} // 200;
my $slow = $ENV{INTAKE_HTTP_SLOW} // 60;
my $most_mb = 64;
my $times = 21;
my $lines = 50000;

# What a byte a second is too slow for.
my ($node, $base) = make_gateway('crowd', q{
    pg_intake.max_loaders = 2
    pg_intake.min_upload_rate = 0
    pg_intake.header_timeout = '1h'
    pg_intake.body_timeout = '1h'
    pg_intake.idle_timeout = '1h'
    pg_intake.max_connections_per_address = 2000
    pg_intake.max_queue = 1000});
my ($port) = $base =~ /:(\d+)$/;
my $scratch = PostgreSQL::Test::Utils::tempdir();
my $path = '/v1/tables/public/t/operations';
my $payload = write_file("$scratch/payload",
    join('', map { "[$_]\n" } 1 .. $lines));

start_gateway($node, $base, q{
    CREATE TABLE t (id int);
    GRANT ALL ON t TO writer;
    SELECT intake.register_table('t')});

# The median time of some uploads, in seconds.
sub time_uploads
{
    my ($what) = @_;
    my @took;
    my $failed = 0;

    foreach (1 .. $times)
    {
        my $out = `curl -s -o /dev/null -w '%{http_code} %{time_total}' --max-time 60 -X POST -T $payload -H 'Content-Type: application/x-ndjson' $base$path`;
        my ($status, $time) = split / /, $out;

        $failed++ if $status != 201;
        push @took, $time;
    }
    is($failed, 0, "uploads $what are served");
    return (sort { $a <=> $b } @took)[ $times / 2 ];
}

# What the metrics say of one of them.
sub metric
{
    my ($name) = @_;
    my (undef, undef, $metrics) = curl("$base/metrics");

    return ($metrics =~ /^$name (\S+)$/m)[0];
}

sub memory_mb
{
    my ($kb) = slurp_file('/proc/' . program_pid($node) . '/status') =~
        /^VmRSS:\s+(\d+) kB/m;

    return $kb / 1024;
}

my ($in, $out, $crowd) = ('', '');

sub gather
{
    my ($idle, $slow) = @_;

    ($in, $out) = ('', '');
    $crowd = IPC::Run::start([ 'python3', "$FindBin::RealBin/../http/crowd.py",
            $port, $idle, $slow, $path ], '<', \$in, '>', \$out);
    wait_for('the crowd', sub { $crowd->pump_nb; $out =~ /here/ });
    wait_for('its connections',
        sub { metric('pg_intake_http_connections') == $idle + $slow + 1 });
    return;
}

# Returns how many connections were lost until now.
sub scatter
{
    $in = "\n";
    wait_for('the end', sub { $crowd->pump_nb; $out =~ /lost/ });
    $crowd->finish;
    wait_for('its connections have gone',
        sub { metric('pg_intake_http_connections') == 1 });
    return ($out =~ /(\d+) lost/)[0];
}

time_uploads('before');
my $alone = time_uploads('alone');
my $small = memory_mb();
gather($idle, $slow);
my $beside = time_uploads('beside a crowd');
my $large = memory_mb();
note(sprintf('%d idle and %d slow: %.1f MB (%.1f MB without), an upload of '
        . '%d rows takes %.1f ms (%.1f ms without): %.2f', $idle, $slow,
        $large, $small, $lines, 1000 * $beside, 1000 * $alone,
        $beside / $alone));
cmp_ok($large, '<=', $most_mb, 'the HTTP program stays small');
is(metric('pg_intake_http_connections'), $idle + $slow + 1,
    'all of them are there');
cmp_ok(metric('pg_intake_loaders_busy'), '<=', 1,
    'at most half of the loaders are theirs');
is(scatter(), 0, 'none was lost');

# Each of those in their bodies had been accepted, and has gone now.
my $bodies = int($slow / 2);
$node->poll_query_until('postgres', qq{SELECT count(*) = $bodies
    FROM intake.operations WHERE status = 'failed'}) or die;
pass('those that were inside a body are on record');
is($node->safe_psql('postgres', 'SELECT count(*) FROM t'), 3 * $times * $lines,
    'with nothing in the table');

# --- slow bodies take no loader, and no lock

$node->safe_psql('postgres', 'ALTER SYSTEM SET pg_intake.max_loaders = 1');
$node->reload;
wait_for('one loader', sub { metric('pg_intake_loaders') <= 1 });
gather(0, 200);
my ($status) = curl(-H => 'Content-Type: application/x-ndjson', '-X' => 'POST',
    -T => $payload, "$base$path");
is($status, 201, 'the one loader is free for an upload beside 100 slow bodies');
is(metric('pg_intake_loaders_busy'), '0', 'and idle after it');
is($node->safe_psql('postgres', q{SET lock_timeout = '10s'; BEGIN;
    LOCK TABLE t IN ACCESS EXCLUSIVE MODE; COMMIT; SELECT 'locked'}), 'locked',
    'nobody holds a lock of the table');
is(scatter(), 0, 'none was lost');

$node->stop;
done_testing();
