# Clients that upload at once and repeat what fails, with the same UUID, until
# it is done; meanwhile the HTTP program is killed, loaders are terminated and
# cancelled, the settings are reloaded.  In the end each row is there once.
#
# INTAKE_HTTP_RETRIES says how many uploads each client makes.

use strict;
use warnings;

use FindBin;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

use lib "$FindBin::RealBin/../lib";
use IntakeGateway;

my $clients = 4;
my $uploads = $ENV{INTAKE_HTTP_RETRIES} // 10;
my $lines = 12000;

my ($node, $base) = make_gateway('retry', q{
    pg_intake.max_loaders = 3
    pg_intake.shutdown_grace = '20ms'
    pg_intake.log_requests = 'none'});
my $scratch = PostgreSQL::Test::Utils::tempdir();

start_gateway($node, $base, q{
    CREATE TABLE t (client int, upload int, line int);
    GRANT ALL ON t TO writer;
    SELECT intake.register_table('t')});

my $seed = $ENV{INTAKE_SEED} // time;
note("INTAKE_SEED=$seed");
srand($seed);

# A shell that makes the client's uploads; it writes each status that it gets.
# What is sent is held up in the middle, so that there is time for accidents.
sub begin_client
{
    my ($client) = @_;
    my $option = $client % 2 ? '--http2-prior-knowledge' : '--http1.1';
    my $script = write_file("$scratch/client_$client.sh", qq{
for upload in \$(seq 1 $uploads); do
    awk -v c=$client -v u=\$upload 'BEGIN {
        for (i = 1; i <= $lines; i++) print "[" c "," u "," i "]" }' >$scratch/rows_$client
    uuid=\$(printf '00000000-0000-4000-8000-%06d%06d' $client \$upload)
    status=0
    until [ \$status = 200 ] || [ \$status = 201 ]; do
        # kB a second: a quarter of a second for each
        status=\$(curl -s -o /dev/null -w '%{http_code}' $option \\
            --max-time 20 --limit-rate 600k -T $scratch/rows_$client \\
            -H 'Content-Type: application/x-ndjson' \\
            $base/v1/tables/public/t/operations/\$uuid)
        echo \$status
        case \$status in
            200 | 201) ;;
            # 100: of one that was killed after "100 Continue"
            000 | 100 | 409 | 503) sleep 0.1 ;;
            *) exit 1 ;;
        esac
    done
done});
    my $out = '';

    return { out => \$out, run => IPC::Run::start([ 'sh', $script ], '<',
            '/dev/null', '>', \$out) };
}

my @clients = map { begin_client($_) } 1 .. $clients;
my $loader = q{FROM pg_stat_activity WHERE backend_type = 'pg_intake loader'
    ORDER BY random() LIMIT 1};
my ($accidents, %done) = (0);

while (grep { $_->{run}->pumpable } @clients)
{
    my $what = ('kill', 'pg_terminate_backend', 'reload', 'pg_cancel_backend')
        [ $accidents++ % 4 ];
    my $program = program_pid($node);

    if ($what eq 'kill')
    {
        kill('KILL', $program) if $program;
    }
    elsif ($what eq 'reload')
    {
        $node->reload;
    }
    else
    {
        $node->safe_psql('postgres', "SELECT $what(pid) $loader");
    }
    $done{$what}++;
    # not so often that nobody gets through
    select(undef, undef, undef, 0.1 + rand(0.4));
    foreach my $client (@clients)
    {
        $client->{run}->pump_nb if $client->{run}->pumpable;
    }
}
my %got;
foreach my $client (@clients)
{
    ok($client->{run}->finish, 'a client is through')
        or diag(${ $client->{out} });
    $got{$_}++ foreach split /\n/, ${ $client->{out} };
}
note('accidents: ' . join(', ', map { "$_ $done{$_}" } sort keys %done)
    . '; answers: ' . join(', ', map { "$_ $got{$_}" } sort keys %got));
cmp_ok(scalar(keys %got), '>', 1, 'there was need to repeat');
is($node->safe_psql('postgres', q{SELECT count(*), count(DISTINCT
    (client, upload, line)) FROM t}),
    join('|', ($clients * $uploads * $lines) x 2), 'each row is there once');
is($node->safe_psql('postgres', q{SELECT count(*) FROM intake.operations
    WHERE status = 'succeeded' AND NOT partial}), $clients * $uploads,
    'and each operation');

$node->stop;
done_testing();
