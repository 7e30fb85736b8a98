# Sixteen clients do all that the partner API can do to three tables, at random
# and at once, while the connection's owner empties, alters, locks and drops
# them and rotates the key (test/partner/storm.py): the rows are those of the
# finished operations since the last one that has dropped data, whole, and
# nothing is answered but what is promised.
#
# INTAKE_STORM_S is for how many seconds, INTAKE_HTTP_SEED where the chance
# begins.

use strict;
use warnings;

use FindBin;
use JSON::PP;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

use lib "$FindBin::RealBin/../lib";
use IntakeGateway;
use IntakePartner;

my ($node, $base) = make_gateway('storm', q{
    pg_intake.max_loaders = 6
    pg_intake.max_queue = 100
    pg_intake.table_lock_timeout = '2s'
    pg_intake.log_requests = 'none'});
my ($port) = $base =~ /:(\d+)$/;
$node->start;
$node->safe_psql('postgres', q{
    CREATE EXTENSION pg_intake;
    CREATE ROLE ann;
    GRANT USAGE ON SCHEMA intake TO ann;
    GRANT CREATE ON DATABASE postgres TO ann;
    GRANT EXECUTE ON FUNCTION intake.create_connection, intake.rotate_key TO ann});
wait_for_gateway($base);
my $connection = make_connection($node, $base, 'Storm', 'ann');

my ($out, $err);
my $is_run = IPC::Run::run(
    [ '/usr/bin/python3', "$FindBin::RealBin/../partner/storm.py" ],
    '<', \encode_json({ port => $port, seed => $ENV{INTAKE_HTTP_SEED} // 7,
        seconds => $ENV{INTAKE_STORM_S} // 10, clients => 16, owner => 'ann',
        psql => [ 'psql', '-XAtq', '-v', 'ON_ERROR_STOP=1', '-v',
            'VERBOSITY=verbose', '-d', $node->connstr('postgres') ],
        schema => $connection->{schema}, id => $connection->{connection_id},
        oauth => $connection->{oauth_token} }),
    '>', \$out, '2>', \$err);
ok($is_run, 'the storm is over');
is($err, '', 'without complaints');
my $result = decode_json($out);
my $answers = $result->{answers};
note(JSON::PP->new->canonical->pretty->encode($answers));
is_deeply([ @{ $result->{wrong} }[ 0 .. 4 ] ], [ (undef) x 5 ],
    'answers and rows are as promised');
cmp_ok($answers->{"$_ "} // 0, '>', 0, "some did: $_")
    for 'write 200', 'define 200', 'drop 204', 'delete 200', 'info 200',
    'link 200', 'unlink 204';
cmp_ok($answers->{'owner did'} // 0, '>', 0, 'the owner, too');
is(join(' ', grep { / 500 / } sort keys %$answers), '', 'no failure of ours');
# DROP TABLE locks the table, then what depends on it, and REFRESH the other way
# round: these two of PostgreSQL's own may meet.
is(join("\n", grep { !/: REFRESH MATERIALIZED VIEW / }
        slurp_file($node->logfile) =~ /deadlock detected\n(.*?\n)\d/sg),
    '', 'no two that wait for each other');
is($node->safe_psql('postgres', q{SELECT count(*) FROM pg_locks
    WHERE locktype = 'advisory'}), 0, 'no lock is left');
unlike(slurp_file($node->logfile),
    qr/PANIC|FATAL|TRAP|XX000|terminated by signal|unexpected/,
    'the log has nothing that should not be there');

$node->stop;
done_testing();
