# Fifty partners write to tables of their own at once, and eight to one table,
# each over connections that break at random (test/partner/crowd.py): the rows
# are exactly those that were sent, nothing is there twice, and 423 is told
# only where shared/spec/datalens.md promises it.
#
# INTAKE_HTTP_OPERATIONS is how many operations a partner writes,
# INTAKE_HTTP_SEED where the chance begins.

use strict;
use warnings;

use FindBin;
use JSON::PP;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

use lib "$FindBin::RealBin/../lib";
use IntakeGateway;

my $OWN = 50;
my $SHARED = 8;
my $operations = $ENV{INTAKE_HTTP_OPERATIONS} // 3;
my $seed = $ENV{INTAKE_HTTP_SEED} // 7;

plan skip_all => 'curl has no HTTP/2' if `curl --version` !~ /HTTP2/;

# Who waits for the one table must not keep the loaders from the others.
my ($node, $base) = make_gateway('partners', q{
    pg_intake.max_loaders = 4
    pg_intake.max_queue = 1000
    pg_intake.queue_timeout = '60s'
    pg_intake.table_lock_timeout = '100ms'
    pg_intake.log_requests = 'none'});
my ($port) = $base =~ /:(\d+)$/;
$node->start;
$node->safe_psql('postgres', 'CREATE EXTENSION pg_intake');
wait_for_gateway($base);

# The ids and OAuth tokens of new connections.
sub make_connections
{
    my ($n) = @_;

    return map { [ split /\|/ ] } split /\n/, $node->safe_psql('postgres',
        "SELECT connection_id, oauth_token FROM generate_series(1, $n) AS i,
            intake.create_connection('Partner ' || i, with_oauth => true)");
}

my @connections = make_connections($OWN + 1);
my $common = pop @connections;
my @partners = map {
    { id => $connections[ $_ - 1 ][0], oauth => $connections[ $_ - 1 ][1],
        writer => $_, table => "t%20$_",
        has_key => $_ % 2 ? JSON::PP::true : JSON::PP::false,
        is_shared => JSON::PP::false }
} 1 .. $OWN;
push @partners, map {
    { id => $common->[0], oauth => $common->[1], writer => $OWN + $_,
        table => 'common', has_key => JSON::PP::false,
        is_shared => JSON::PP::true }
} 1 .. $SHARED;

my ($out, $err);
my $is_run = IPC::Run::run(
    [ '/usr/bin/python3', "$FindBin::RealBin/../partner/crowd.py" ],
    '<', \encode_json({ port => $port, seed => $seed,
        operations => $operations, partners => \@partners }),
    '>', \$out, '2>', \$err);
ok($is_run, 'the crowd is done');
is($err, '', 'without complaints');
my $result = decode_json($out);
my $answers = $result->{answers};
note(JSON::PP->new->canonical->encode($answers), ", $result->{cuts} cuts");
is_deeply($result->{wrong}, [], 'each is answered as it must be');
cmp_ok($result->{cuts}, '>', $operations * ($OWN + $SHARED) / 2, 'cuts');
cmp_ok($answers->{'own 200 '} // 0, '>=', $OWN * $operations, 'own tables');
cmp_ok($answers->{'shared 200 '} // 0, '>=', $SHARED * $operations, 'the one table');
my @unpromised = grep {
    !/^(own|shared) 200 $|^(own|shared) 423 IN423$|^shared 423 55P03$/
} sort keys %$answers;
is("@unpromised", '', 'nothing else was answered');

# What is in a writer's table: each operation, the number of its rows, their
# lines.
sub query_rows
{
    my ($partner) = @_;
    my ($table, $writer) = ($partner->{table} =~ s/%20/ /r, $partner->{writer});

    return qq{SELECT $writer, operation, count(*), count(DISTINCT line),
            min(line), max(line)
        FROM "intake_$partner->{id}"."$table" WHERE writer = $writer GROUP BY 2};
}

# A table without a key has all rows, one with the key "line" each line as the
# last operation that had it has written it.
sub expect_rows
{
    my ($partner) = @_;
    my $writer = $partner->{writer};
    my @lengths = @{ $result->{lengths}{$writer} };
    my $from = 0;
    my @rows;

    for my $i (reverse 0 .. $#lengths)
    {
        next if $lengths[$i] <= $from;
        unshift @rows, join '|', $writer, $i, ($lengths[$i] - $from) x 2, $from,
            $lengths[$i] - 1;
        $from = $lengths[$i] if $partner->{has_key};
    }
    return @rows;
}

is($node->safe_psql('postgres',
        join(' UNION ALL ', map { query_rows($_) } @partners) . ' ORDER BY 1, 2'),
    join("\n", map { expect_rows($_) } @partners),
    'the rows are exactly those that were sent');
is($node->safe_psql('postgres', q{SELECT count(DISTINCT client_id) || ' ' ||
    count(client_id) FROM intake.connection}), join(' ', ($OWN + 1) x 2),
    'each connection has one client');
is($node->safe_psql('postgres', q{SELECT count(*), count(DISTINCT operation)
    FROM intake.operations WHERE status = 'succeeded'}),
    join('|', ($operations * ($OWN + $SHARED)) x 2), 'one record an operation');
is($node->safe_psql('postgres', q{SELECT count(*) FROM pg_locks
    WHERE locktype = 'advisory'}), 0, 'no lock is left');

$node->stop;
done_testing();
