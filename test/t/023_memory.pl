# 200 MB of NDJSON in one text value: above the value itself the backend stays
# under 64 MB in each mode (staging spills).  The peak of a backend's resident
# memory is compared with that of a backend that only reads the value.

use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

plan skip_all => 'needs /proc/self/status' unless -r '/proc/self/status';

my $limit = 64 * 1024;          # kB
my $rows = 400_000;

# Shared buffers that a backend touches count for its resident memory; there
# are few of them.
my $node = PostgreSQL::Test::Cluster->new('memory');
$node->init;
$node->append_conf(
    'postgresql.conf', q{
shared_buffers = 4MB
max_wal_size = 4GB
jit = off
max_parallel_workers_per_gather = 0
});
$node->start;

$node->safe_psql(
    'postgres', qq{
    CREATE EXTENSION pg_intake;
    CREATE UNLOGGED TABLE loaded (id int PRIMARY KEY, k text, note text);
    CREATE UNLOGGED TABLE payload (body text);
    ALTER TABLE payload ALTER body SET STORAGE EXTERNAL;
    INSERT INTO payload
    SELECT string_agg(format('[%s, "k%s", "%s"]', i * 7919::bigint % $rows, i,
        repeat(chr(97 + i % 26), 510)), E'\\n')
    FROM generate_series(1, $rows) i;
    });
cmp_ok(
    $node->safe_psql('postgres', 'SELECT octet_length(body) FROM payload'),
    '>', 200 * 1024 * 1024,
    'the value has 200 MB');

# Runs a query in a backend of its own; what it answers, and the peak of the
# backend's memory, in kB.
sub peak_of
{
    my ($query) = @_;
    my $answer = $node->safe_psql(
        'postgres', qq{$query;
        SELECT (regexp_match(pg_read_file('/proc/self/status'),
            'VmHWM:\\s+(\\d+)'))[1]});

    return split(/\n/, $answer);
}

my ($length, $baseline) =
  peak_of('SELECT md5(body) <> $$$$ FROM payload');
cmp_ok($baseline, '>', 200 * 1024, 'a backend that reads it holds it');

# Each case: what is to be in the table, arguments, the counters.
my @uploads = (
    [ 'append', 'empty', q{mode => 'append'}, "$rows|0|0" ],
    [ 'merge, keys there', 'full', q{mode => 'merge'}, "0|$rows|0" ],
    [
        'replace', 'full', q{mode => 'replace', options => '{"key": ["k"]}'},
        "$rows|0|$rows"
    ],
    [ 'merge, keys new', 'empty', q{mode => 'merge'}, "$rows|0|0" ],
    [
        'append, staged', 'full',
        q{mode => 'append', options => '{"truncate": "fast"}'}, "$rows|0|"
    ]);

foreach my $case (@uploads)
{
    my ($name, $table, $arguments, $expected) = @$case;

    $node->safe_psql('postgres', 'TRUNCATE loaded') if $table eq 'empty';

    my ($counts, $peak) = peak_of(
        qq{SELECT rows_inserted, rows_updated, rows_deleted
        FROM intake.upload('loaded', (SELECT body FROM payload),
            $arguments)});
    my $above = $peak - $baseline;

    is($counts, $expected, "$name: all rows");
    cmp_ok($above, '<', $limit, "$name: $above kB above the value");
}

# A key of many columns, of which each record leaves out others: there is one
# DELETE for each such pattern, but not all of them at once.
my $patterns = 4096;
my @columns = map { "c$_" } 0 .. 11;
my $bits = join(', ',
    map { "CASE WHEN i >> $_ & 1 = 1 THEN i END AS c$_" } 0 .. 11);
my $key = join(',', map { qq("$_") } @columns);
my ($none, $usual) = peak_of('SELECT count(*) FROM loaded WHERE false');

$node->safe_psql('postgres', sprintf(q{CREATE TABLE sparse (%s);
    INSERT INTO sparse SELECT %s FROM generate_series(1, %d) i},
    join(', ', map { "$_ int" } @columns), $bits, $patterns));
foreach my $time ('once', 'and once more')
{
    my ($counts, $peak) = peak_of(qq{SELECT rows_inserted, rows_deleted
        FROM intake.upload_query('sparse',
            'SELECT $bits FROM generate_series(1, $patterns - 1) i',
            mode => 'replace', options => '{"key": [$key]}')});
    my $above = $peak - $usual;

    is($counts, $patterns - 1 . '|' . ($patterns - 1),
        "$patterns patterns of NULLs, $time: each finds its row");
    cmp_ok($above, '<', $limit, "$above kB above those of a backend");
}
is($node->safe_psql('postgres', 'SELECT count(*), count(DISTINCT s) FROM sparse s'),
    "$patterns|$patterns", 'no row is there twice');

$node->stop;
done_testing();
