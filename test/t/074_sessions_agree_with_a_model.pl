# Many sessions upload at random, while others write, alter, cancel and kill:
# what is on record and what is in the tables is what a simple model makes of
# the same operations (test/model/sessions.py; DESIGN, "Semantics").
#
# SESSIONS_SEED chooses other uploads, SESSIONS_SECONDS how long it goes on.

use strict;
use warnings;

use FindBin;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $python = -x '/usr/bin/python3' ? '/usr/bin/python3' : 'python3';
my $seed = $ENV{SESSIONS_SEED} // 74;
my $seconds = $ENV{SESSIONS_SECONDS} // 4;

plan skip_all => 'there is no psycopg2'
  if system("$python -c 'import psycopg2' 2>/dev/null") != 0;

my $node = PostgreSQL::Test::Cluster->new('sessions');
$node->init(extra => [ '--no-locale', '--encoding=UTF8', '-U', 'postgres' ]);
$node->append_conf(
    'postgresql.conf', q{
track_commit_timestamp = on
max_prepared_transactions = 20
max_locks_per_transaction = 256
session_preload_libraries = 'pg_intake'
deadlock_timeout = 50ms
restart_after_crash = on
fsync = off
});
$node->start;
local $ENV{PGUSER} = 'postgres';
plan skip_all => 'needs amcheck'
  unless $node->safe_psql('postgres',
    q{SELECT count(*) FROM pg_available_extensions WHERE name = 'amcheck'});
$node->safe_psql(
    'postgres', q{
    CREATE EXTENSION pg_intake;
    CREATE EXTENSION amcheck;
    CREATE ROLE writer LOGIN;
    GRANT USAGE ON SCHEMA intake TO writer;
    });

my $output = `$python $FindBin::Bin/../model/sessions.py '@{[ $node->connstr('postgres') ]}' $seed $seconds 2>&1`;
is($? >> 8, 0, 'counters and rows are those of the model') or diag($output);
like($output, qr/^\d{2,} operations$/m, 'of many operations');
note($output);
unlike(slurp_file($node->logfile), qr/TRAP|PANIC|\bleak|not closed/,
    'nothing is left open');
$node->stop;
done_testing();
