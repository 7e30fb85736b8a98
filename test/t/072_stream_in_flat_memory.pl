# A long stream through the source interface, which no one holds as a value:
# the backend stays within 64 MB over an idle one in each mode.  STREAM_MB
# chooses another length.

use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

plan skip_all => 'needs /proc/self/status' unless -r '/proc/self/status';

my $limit = 64 * 1024;          # kB
my $megabytes = $ENV{STREAM_MB} // 300;
my $record_bytes = 520;         # about

# No multiple of 7919, which is a prime.
my $records = int($megabytes * 1024 * 1024 / $record_bytes);
$records++ if $records % 7919 == 0;
my $half = int($records / 2);

my $dir = PostgreSQL::Test::Utils::tempdir;
system_or_bail('make', '-s', '-C', 'test/stream', "builddir=$dir",
    'PG_CONFIG=' . ($ENV{PG_CONFIG} // 'pg_config'));

# Shared buffers that a backend touches count for its resident memory; there
# are few of them.
my $node = PostgreSQL::Test::Cluster->new('stream');
$node->init(extra => [ '--no-locale', '--encoding=UTF8' ]);
$node->append_conf(
    'postgresql.conf', q{
shared_buffers = 4MB
max_wal_size = 4GB
fsync = off
jit = off
autovacuum = off
max_parallel_workers_per_gather = 0
});
$node->start;

$node->safe_psql(
    'postgres', qq{
    CREATE EXTENSION pg_intake;
    LOAD 'pg_intake';
    CREATE FUNCTION stream_upload(target regclass, records bigint,
        multiplier bigint, mode text, options jsonb, OUT bytes bigint,
        OUT inserted bigint, OUT updated bigint, OUT deleted bigint)
    STRICT LANGUAGE c AS '$dir/stream_upload';
    });

# Runs a query in a backend of its own; what it answers, and the peak of the
# backend's memory, in kB.
sub peak_of
{
    my ($query) = @_;
    my $answer = $node->safe_psql(
        'postgres', qq{
        LOAD 'pg_intake';
        $query;
        SELECT (regexp_match(pg_read_file('/proc/self/status'),
            'VmHWM:\\s+(\\d+)'))[1]});

    return split(/\n/, $answer);
}

my (undef, $idle) = peak_of('SELECT 1');
note("idle: $idle kB, $records records");

# Each case: what is in the table before, mode and options, the order of the
# stream, the counters.
my @cases = (
    [ 'append', 0, 'append', '{}', 1, "$records|0|0" ],
    [ 'append, staged', 0, 'append', '{"truncate": true}', 1,
        "$records|0|0" ],
    [
        'replace, half the keys there', $half, 'replace', '{"key": ["k"]}',
        7919, "$records|0|$half"
    ],
    [
        'merge, half the keys there', $half, 'merge', '{}', 7919,
        ($records - $half) . "|$half|0"
    ],
    [
        'merge, in order of the key', $half, 'merge', '{}', 1,
        ($records - $half) . "|$half|0"
    ]);

foreach my $case (@cases)
{
    my ($name, $present, $mode, $options, $multiplier, $expected) = @$case;

    $node->safe_psql(
        'postgres', qq{
        DROP TABLE IF EXISTS loaded;
        CREATE UNLOGGED TABLE loaded (id bigint PRIMARY KEY, k text,
            note text);
        INSERT INTO loaded SELECT i - 1, 'k' || i - 1, ''
        FROM generate_series(1, $present) i;
        CREATE INDEX ON loaded (k)});

    my $begun = time();
    my ($counts, $peak) = peak_of(
        qq{SELECT inserted, updated, deleted, bytes
        FROM stream_upload('loaded', $records, $multiplier, '$mode',
            '$options')});
    my $above = $peak - $idle;
    my $took = time() - $begun;

    $counts =~ s/\|(\d+)\z//;
    note(sprintf('%s: %d MB in %d s', $name, $1 / 1024 / 1024, $took));
    is($counts, $expected, "$name: all rows");
    cmp_ok($above, '<=', $limit, "$name: $above kB over idle");
    is( $node->safe_psql(
            'postgres', q{
            SELECT count(*), count(DISTINCT id), min(id), max(id), bool_and(
                k = 'k' || id AND note = repeat(chr(97 + (id % 26)::int), 500))
            FROM loaded}),
        "$records|$records|0|" . ($records - 1) . '|t',
        "$name: the rows are those of the stream");
}

$node->stop;
done_testing();
